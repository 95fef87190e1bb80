"""Look through the history of all orders and say whether anything in it was changed."""

import sys
from typing import Any

from kis.commands import OwnerCommand
from trading import audit


class Command(OwnerCommand):
    help = "주문 이력이 처음부터 끝까지 이어지는지, 바뀌거나 지워진 것이 없는지 확인합니다."

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        found = audit.verify()
        for problem in found.problems:
            self.stderr.write(self.style.ERROR(problem))
        if found.problems:
            self.stderr.write(
                self.style.ERROR(
                    f"이력 {found.events:,}건 가운데 문제 {len(found.problems):,}건을 찾았습니다."
                )
            )
            sys.exit(1)
        self.stdout.write(
            f"주문 이력 {found.events:,}건이 모두 이어집니다. 끝 지문 {found.digest[:16]} "
            "(적어 두면 나중에 이 앞이 그대로인지 비교할 수 있습니다)"
        )
