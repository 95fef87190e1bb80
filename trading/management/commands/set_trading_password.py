"""Set the trading password that orders ask for."""

from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from trading import commands, password
from trading.commands import TradingCommand, ask, check_at_terminal, explained

NO_TERMINAL = "거래 비밀번호는 터미널에서 직접 입력해야 합니다."
NEW = f"새 거래 비밀번호 ({password.SHORTEST}자 이상, 입력해도 보이지 않습니다): "
AGAIN = "한 번 더: "


class Command(TradingCommand):
    help = "주문할 때 묻는 거래 비밀번호를 정하거나 바꿉니다. 해시(Argon2)만 저장하고, 다시 볼 수 없습니다."

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        if not commands.is_at_terminal():
            raise CommandError(NO_TERMINAL)
        if password.is_set():
            self.stdout.write("거래 비밀번호가 이미 있습니다. 먼저 지금 것을 입력해 주세요.")
            check_at_terminal(NO_TERMINAL)
        new = ask(NEW)
        if new != ask(AGAIN):
            raise CommandError("두 번 입력한 비밀번호가 서로 다릅니다. 아무것도 바꾸지 않았습니다.")
        with explained():
            password.set_password(new, at=timezone.now())
        self.stdout.write("거래 비밀번호를 정했습니다. 주문하고 확인할 때마다 묻습니다.")
