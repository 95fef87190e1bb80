"""Write the timetable to the worker's schedules."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from aegis.schedules import SCHEDULES, write_schedules
from kis.commands import OwnerCommand


class Command(OwnerCommand):
    help = "작업 시간표를 작업자의 예약에 씁니다. 여러 번 실행해도 같고, 직접 만든 예약은 건드리지 않습니다."

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        if settings.AEGIS_DEMO:
            self.stdout.write("데모에서는 예약하지 않습니다.")
            return
        windows = {job.name: f"  {job.minutes}분마다 {job.window}, 거래일" for job in SCHEDULES}
        for written in write_schedules(now=timezone.now()):
            self.stdout.write(f"{written.name}: {written.word}{windows.get(written.name, '')}")
