"""Rows of one dashboard, always in the same number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet

from kis.calendar import hours_of
from kis.client.codes import AccountNumber, Mode
from kis.korean import SEOUL
from kis.models import IndexPrice, KisAccount, KisDailySummary, KisHolding, PriceGap, SyncRun
from kis.models.days import KisDailySummaryQuerySet
from kis.position import HISTORY, Position, market_day, position_of
from reports.chart_queries import ChartRows, chart_rows


class NoSnapshot(Exception):
    """There is nothing to show; the text is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class ClosePrice:
    """The close of one stock on one day."""

    code: str
    on: date
    close: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """The last snapshot of an earlier day, which today's changes and profits are counted from."""

    account: KisAccount
    holdings: Sequence[KisHolding]


@dataclass(frozen=True, slots=True)
class DashboardRows:
    """A position with everything else that its pages show.

    `charts` are of the stocks held or traded, `indices` run over the days of `position.summaries` up to the day of the
    snapshot, `today` is that day's summary where it has been closed already, `moments` are what the account was worth in
    each snapshot of that day up to this one, and `gaps` are minutes of that day that are missing.
    """

    position: Position
    earlier: Earlier | None
    today: KisDailySummary | None
    charts: ChartRows
    indices: Sequence[IndexPrice]
    moments: Sequence[tuple[datetime, int]]
    gaps: Sequence[PriceGap]
    failed_runs: Sequence[SyncRun]

    @property
    def account(self) -> KisAccount:
        return self.position.account

    @property
    def closes(self) -> Sequence[ClosePrice]:
        """Closes of these stocks, oldest first."""
        return [ClosePrice(row.code, row.on, row.close) for row in self.charts.days]

    @property
    def day(self) -> date:
        """The market's day that the snapshot shows: its own, or on a closed day the last one that was open."""
        return market_day(self.account.snapshot_at)

    @property
    def is_open_yet(self) -> bool:
        """Whether the market had opened on that day."""
        local = self.account.snapshot_at.astimezone(SEOUL)
        return local.date() > self.day or local.time() >= hours_of(self.day).opens

    @property
    def is_closed(self) -> bool:
        """Whether the market had closed on that day."""
        local = self.account.snapshot_at.astimezone(SEOUL)
        return local.date() > self.day or local.time() >= hours_of(self.day).closes


def dashboard_rows(
    *, mode: Mode, account: AccountNumber | None = None, at: datetime, exact: bool = False
) -> DashboardRows:
    """Rows of the last snapshot at or before `at`. Raises NoSnapshot.

    Without an account it is the only one in the books of this mode; of several none is picked. `exact` says that the
    owner asked for this moment (`--as-of`); it only changes the sentence of the error.
    """
    snapshot = _last_snapshot(mode=mode, account=account, at=at)
    if snapshot is None:
        raise NoSnapshot(_no_snapshot_text(mode, at if exact else None))
    return rows_of(position_of(snapshot), at=at)


def rows_of(position: Position, *, at: datetime) -> DashboardRows:
    """Add what else the pages of a position show; it may as well come straight from the broker, unsaved."""
    account = position.account
    today = market_day(account.snapshot_at)
    codes = {row.stock_code for row in position.holdings} | {row.stock_code for row in position.executions}
    return DashboardRows(
        position=position,
        earlier=_earlier(account, today),
        today=_days(account)
        .filter(summary_date=today, kis_account__snapshot_at__lte=account.snapshot_at)
        .first(),
        charts=chart_rows(position, sorted(codes)),
        indices=list(
            IndexPrice.objects.filter(trade_date__gte=today - HISTORY, trade_date__lte=today).order_by(
                "trade_date"
            )
        ),
        moments=_moments(account, today),
        gaps=_minute_gaps(sorted(codes), today),
        failed_runs=list(_failed_runs(account, at=at)),
    )


def _last_snapshot(*, mode: Mode, account: AccountNumber | None, at: datetime) -> KisAccount | None:
    is_paper = mode == "paper"
    snapshots = KisAccount.objects
    mine = (
        snapshots.filter(is_paper=is_paper) if account is None else snapshots.of(account, is_paper=is_paper)
    )
    last = mine.filter(snapshot_at__lte=at).newest_first().select_related("sync_run").first()
    if account is None and last is not None:
        # Not with a condition: the database would look for another account in every snapshot there is.
        known = [one.account for one in snapshots.newest_of_each() if one.is_paper == is_paper]
        if known != [last.account]:
            raise NoSnapshot(f"{_name(mode)} 계좌가 여러 개입니다. 어느 계좌인지 --account로 알려 주세요.")
    return last


def _earlier(account: KisAccount, today: date) -> Earlier | None:
    before = (
        KisAccount.objects.of(account.account, is_paper=account.is_paper)
        .filter(snapshot_at__lt=_midnight(today))
        .newest_first()
        .first()
    )
    return Earlier(before, list(before.holdings.all())) if before else None


def _days(account: KisAccount) -> KisDailySummaryQuerySet:
    return KisDailySummary.objects.of(account.account, is_paper=account.is_paper)


def _moments(account: KisAccount, today: date) -> list[tuple[datetime, int]]:
    rows = KisAccount.objects.of(account.account, is_paper=account.is_paper).filter(
        snapshot_at__gte=_midnight(today), snapshot_at__lt=account.snapshot_at
    )
    earlier = list(rows.order_by("snapshot_at").values_list("snapshot_at", "net_assets"))
    return [*earlier, (account.snapshot_at, account.net_assets)]


def _minute_gaps(codes: Sequence[str], today: date) -> list[PriceGap]:
    midnight = _midnight(today)
    of_day = PriceGap.objects.still_open().filter(
        first_at__gte=midnight, first_at__lt=midnight + timedelta(days=1)
    )
    return list(of_day.filter(what=PriceGap.What.MINUTE, stock_code__in=codes).order_by("first_at"))


def _failed_runs(account: KisAccount, *, at: datetime) -> QuerySet[SyncRun]:
    """Return attempts to renew this snapshot that failed."""
    runs = SyncRun.objects.copying().of(account.account, is_paper=account.is_paper)
    return runs.filter(
        Q(status=SyncRun.Status.FAILED) | Q(status=SyncRun.Status.QUARANTINED),
        started_at__gt=account.snapshot_at,
        started_at__lte=at,
    ).order_by("started_at")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, SEOUL)


def _name(mode: Mode) -> str:
    return "실전" if mode == "real" else "모의"


def _no_snapshot_text(mode: Mode, at: datetime | None) -> str:
    name = _name(mode)
    if at is not None:
        return f"{at.astimezone(SEOUL):%Y-%m-%d %H:%M:%S} 이전의 {name} 계좌 자료가 없습니다. 더 늦은 시각을 --as-of에 적어 주세요."
    return (
        f"{name} 계좌 자료가 아직 없습니다. 먼저 실행해 주세요: python manage.py sync_kis_data --mode {mode}"
    )
