"""The job of every minute, for cron: the accounts as they are now, for the live page."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from aegis.job_command import JobCommand
from aegis.schedules import REFRESH
from kis.accounts import Account
from kis.data_fetch import Fetched, refresh


class Command(JobCommand):
    help = (
        "1분 작업: 설정한 모든 계좌의 잔고, 미체결, 체결과 보유 종목의 분봉을 가져옵니다. "
        "거래일의 정해진 시간에만 움직입니다."
    )
    job = REFRESH

    def work(self, accounts: Sequence[Account], *, slot: datetime | None, now: datetime) -> Iterable[Fetched]:  # noqa: ARG002  # each account asks its own clock
        return refresh(accounts, window=self.window, slot=slot)
