"""The job of every ten minutes, for cron: the dashboards, straight from the broker."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from aegis.printing_job import print_dashboards
from aegis.schedules import PRINT
from kis.commands import AccountCommand
from kis.data_fetch import accounts_meant
from kis.market_days import use_market_days


class Command(AccountCommand):
    help = (
        "10분 작업: 설정한 모든 계좌의 대시보드 PDF를 증권사에서 바로 조회해 만들고 REPORT_SYNC_DIR로 보냅니다. "
        "거래일의 정해진 시간에만 움직입니다."
    )

    without_account = "생략하면 모두"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--now", action="store_true", help="시간표와 상관없이 지금 한 번 실행합니다")

    def handle(self, *args: object, **options: Any) -> None:  # noqa: ANN401, ARG002  # Django's signature
        slot = None if options["now"] else PRINT.window.slot_of(timezone.now())
        use_market_days()
        accounts = accounts_meant(self.asked_mode(options), options["account"])
        failed = []
        for result in print_dashboards(accounts, window=PRINT.window, slot=slot):
            self.stdout.write(str(result))
            failed += [result.label] if result.failed else []
        if failed:
            raise CommandError(f"마치지 못한 것이 있습니다: {', '.join(failed)}. 이유는 위에 있습니다.")
