"""The job of every day, for cron: a backup that has been restored once."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from aegis.backup.daily import daily_backup
from aegis.schedules import BACKUP
from kis.commands import OwnerCommand


class Command(OwnerCommand):
    help = (
        "하루 작업: BACKUP_DIR에 백업하고, 임시 데이터베이스에 되살려 확인하고, BACKUP_KEEP보다 오래된 것을 지웁니다. "
        "BACKUP_DIR가 없으면 아무것도 하지 않습니다. 휴장일에도 움직입니다."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--now", action="store_true", help="오늘 이미 백업했어도 지금 한 번 더 합니다")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        now = timezone.now()
        slot = None if options["now"] else BACKUP.window.slot_of(now)
        self.stdout.write(daily_backup(slot=slot, now=now))
