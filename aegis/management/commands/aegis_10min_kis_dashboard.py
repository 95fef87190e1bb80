"""The job of every ten minutes, for cron: the dashboards, straight from the broker."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from aegis.job_command import JobCommand
from aegis.printing_job import print_dashboards
from aegis.schedules import PRINT
from kis.accounts import Account
from kis.data_fetch import Fetched


class Command(JobCommand):
    help = (
        "10분 작업: 설정한 모든 계좌의 대시보드 PDF를 증권사에서 바로 조회해 만들고 REPORT_SYNC_DIR로 보냅니다. "
        "거래일의 정해진 시간에만 움직입니다."
    )
    job = PRINT

    def work(self, accounts: Sequence[Account], *, slot: datetime | None, now: datetime) -> Iterable[Fetched]:  # noqa: ARG002  # each account asks its own clock
        return print_dashboards(accounts, window=self.window, slot=slot)
