"""Send a test message to every destination of the alerts, and say which of them took it."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from aegis.alerts.destinations import destinations
from aegis.alerts.transport import deliver
from kis.commands import OwnerCommand
from kis.korean import SEOUL

NONE = "NOTIFY_URLS가 비어 있어 보낼 곳이 없습니다. 쓰는 법은 docs/alerts.md에 있습니다."


class Command(OwnerCommand):
    help = "NOTIFY_URLS의 대상마다 시험 메시지를 보내고, 받았는지 알려 줍니다."

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        found = destinations()
        if not found:
            raise CommandError(NONE)
        name = "AEGIS 데모" if settings.AEGIS_DEMO else "AEGIS"
        failed = []
        for destination in found:
            error = deliver(
                destination.url,
                title=f"[{name}] 시험 알림",
                text=f"이 메시지가 보이면 알림을 받을 수 있습니다. {timezone.now().astimezone(SEOUL):%Y-%m-%d %H:%M}",
            )
            self.stdout.write(f"{destination.service}: {error or '보냈습니다.'}")
            failed += [destination.service] if error else []
        if failed:
            raise CommandError(f"보내지 못한 대상이 있습니다: {', '.join(failed)}. 주소를 확인해 주세요.")
