"""The same as `실전` and `모의` for terminals without Korean: `trade real …`, `trade paper …`."""

from typing import Any

from django.core.management.base import CommandError

from kis.accounts import MODE_NAMES
from kis.client.codes import Mode
from trading.order_command import FORMS, OrderCommand


class Command(OrderCommand):
    help = f"실전, 모의 명령과 같습니다: trade real … 또는 trade paper …. 쓰는 법: {FORMS}"
    name = "trade"

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        modes: dict[str, Mode] = {mode: mode for mode in MODE_NAMES}
        modes |= {name: mode for mode, name in MODE_NAMES.items()}
        first, *words = options["words"] or [""]
        if first not in modes:
            raise CommandError("'trade' 다음에 real 또는 paper를 적어 주세요. 예: trade real 잔고조회")
        self.mode = modes[first]
        self.name = f"trade {first}"
        self.carry_out(" ".join(words), options)
