"""Look for what is worth telling and send it: the job of every minute, for cron."""

from typing import Any

from aegis.tasks import send_alerts
from kis.commands import OwnerCommand


class Command(OwnerCommand):
    help = "체결, 거절, 모르는 주문처럼 알릴 것을 찾아 NOTIFY_URLS의 대상으로 보냅니다. 같은 일은 한 번만 알립니다."

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        self.stdout.write(send_alerts())
