"""The job of every half hour, for cron: copy the accounts, and take the files of other brokers."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from aegis.job_command import JobCommand
from aegis.order_upkeep import settle_all
from aegis.schedules import FETCH
from kis.accounts import Account
from kis.data_fetch import Fetched, fetch


class Command(JobCommand):
    help = "30분 작업: 설정한 모든 계좌를 동기화하고 KB_IMPORT_DIR의 파일을 담습니다. 거래일의 정해진 시간에만 움직입니다."
    job = FETCH

    def reason_to_rest(self, slot: datetime, *, now: datetime) -> str:
        return self.window.reason_to_rest(slot, now=now)

    def work(self, accounts: Sequence[Account], *, slot: datetime | None, now: datetime) -> Iterable[Fetched]:
        yield from fetch(accounts, slot=slot, now=now)
        settle_all()
