"""Look for the orders whose outcome is not known: the job of every minute, for cron."""

from typing import Any

from aegis.tasks import settle_orders
from kis.commands import OwnerCommand


class Command(OwnerCommand):
    help = (
        "결과를 모르는 주문을 증권사의 목록에서 찾아 봅니다. 그런 주문이 없으면 아무것도 조회하지 않습니다."
    )

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        self.stdout.write(settle_orders())
