"""Rows of one dashboard, always in the same number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from kis.client.codes import Mode
from kis.korean import SEOUL
from kis.models import DailyPrice, KisAccount, KisExecution, KisHolding, KisUnfilledOrder, SyncRun

# Ten trading days fit into four weeks even around the long holidays of autumn.
PRICE_WINDOW: Final = timedelta(days=28)


class NoSnapshot(Exception):
    """There is nothing to show; the text is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class ClosePrice:
    """The close of one stock on one day."""

    code: str
    on: date
    close: int


@dataclass(frozen=True, slots=True)
class DashboardRows:
    """One snapshot with everything that belongs to its day."""

    account: KisAccount
    holdings: Sequence[KisHolding]
    unfilled: Sequence[KisUnfilledOrder]
    executions: Sequence[KisExecution]
    closes: Sequence[ClosePrice]
    failed_runs: Sequence[SyncRun]


def dashboard_rows(*, mode: Mode, account_no: str = "", at: datetime, exact: bool = False) -> DashboardRows:
    """Rows of the last snapshot at or before `at`. Raises NoSnapshot.

    `exact` says that the owner asked for this moment (`--as-of`); it only changes the sentence of the error.
    """
    account = _last_snapshot(mode=mode, account_no=account_no, at=at)
    if account is None:
        raise NoSnapshot(_no_snapshot_text(mode, at if exact else None))
    holdings = list(account.holdings.order_by("-evlu_amt", "stock_code"))
    return DashboardRows(
        account=account,
        holdings=holdings,
        unfilled=list(account.unfilled_orders.order_by("ord_tmd", "odno")),
        executions=list(_executions(account)),
        closes=_closes([holding.stock_code for holding in holdings], until=_day(account.snapshot_at)),
        failed_runs=list(_failed_runs(account, at=at)),
    )


def _last_snapshot(*, mode: Mode, account_no: str, at: datetime) -> KisAccount | None:
    snapshots = KisAccount.objects.filter(is_paper=mode == "paper", snapshot_at__lte=at)
    if account_no:
        snapshots = snapshots.filter(account_no=account_no)
    return snapshots.newest_first().select_related("sync_run").first()


def _executions(account: KisAccount) -> QuerySet[KisExecution]:
    """Return fills of the day, without orders younger than the snapshot: an old page must not know the future."""
    local = account.snapshot_at.astimezone(SEOUL)
    return KisExecution.objects.filter(
        account_no=account.account_no,
        is_paper=account.is_paper,
        exec_dt=local.date(),
        exec_tmd__lte=local.time(),
    ).order_by("-exec_tmd", "-odno")


def _closes(codes: Sequence[str], *, until: date) -> list[ClosePrice]:
    rows = (
        DailyPrice.objects.filter(
            stock_code__in=codes, trade_date__gt=until - PRICE_WINDOW, trade_date__lte=until
        )
        .order_by("trade_date")
        .values_list("stock_code", "trade_date", "close")
    )
    return [ClosePrice(code, on, close) for code, on, close in rows]


def _failed_runs(account: KisAccount, *, at: datetime) -> QuerySet[SyncRun]:
    """Return attempts to renew this snapshot that failed."""
    return SyncRun.objects.filter(
        Q(status=SyncRun.Status.FAILED) | Q(status=SyncRun.Status.QUARANTINED),
        account_no=account.account_no,
        is_paper=account.is_paper,
        started_at__gt=account.snapshot_at,
        started_at__lte=at,
    ).order_by("started_at")


def _day(at: datetime) -> date:
    return at.astimezone(SEOUL).date()


def _no_snapshot_text(mode: Mode, at: datetime | None) -> str:
    name = "실전" if mode == "real" else "모의"
    if at is not None:
        return f"{at.astimezone(SEOUL):%Y-%m-%d %H:%M:%S} 이전의 {name} 계좌 자료가 없습니다. 더 늦은 시각을 --as-of에 적어 주세요."
    return (
        f"{name} 계좌 자료가 아직 없습니다. 먼저 실행해 주세요: python manage.py sync_kis_data --mode {mode}"
    )
