"""Write the timetable to the worker's schedules."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from aegis.schedules import ALERTS, write_schedules
from kis.commands import OwnerCommand
from kis.slots import Window


class Command(OwnerCommand):
    help = (
        "작업 시간표를 작업자의 예약에 씁니다. 여러 번 실행해도 같고, 직접 만든 예약과 직접 고친 실행 시간은 "
        "건드리지 않습니다."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--defaults", action="store_true", help="고친 실행 시간을 처음 값으로 되돌립니다")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        if settings.AEGIS_DEMO:
            self.stdout.write("데모에서는 예약하지 않습니다.")
            return
        for written in write_schedules(now=timezone.now(), defaults=options["defaults"]):
            when = f"  {often(written.window, name=written.name)}" if written.window else ""
            self.stdout.write(f"{written.name}: {written.word}{when}")


def often(window: Window, *, name: str) -> str:
    """Say when a job is due."""
    if window.every == timedelta(days=1):
        return f"날마다 {window.opens:%H:%M}"
    days = "매일" if name == ALERTS.name else "거래일"
    return f"{window.minutes}분마다 {window}, {days}"
