"""Everything one dashboard says, put together."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from kis.advice import Advice
from kis.client.codes import Mode
from kis.korean import SEOUL
from kis.sessions import Session, age_if_stale, session_at
from reports.figures.account import AccountFigures, account_figures
from reports.figures.broken import Broken, or_broken
from reports.figures.composition import Composition, composition_of
from reports.figures.fills import Fills, fills_of
from reports.figures.freshness import Failures, Minutes, Source, failures_of, minutes_of, sources_of
from reports.figures.holdings import HoldingFigures, HoldingsTotal, holding_figures, holdings_total
from reports.figures.orders import OpenOrders, open_orders_of
from reports.figures.realised import Realised, realised_of
from reports.figures.reconciliation import Reconciliation, reconciliation_of
from reports.figures.sectors import SectorLine, sector_lines
from reports.figures.stock_charts import charts_of
from reports.figures.today import Today, stock_days, today_of
from reports.figures.trend import Trend, trend_of
from reports.queries import DashboardRows

ACCOUNT_KINDS: Final = {"01": "종합위탁", "22": "개인연금", "29": "퇴직연금"}


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything one dashboard says. What may be `Broken` is one block of it, which the others do not need.

    `day` is the market's: on a closed day the last one that was open. `today` and `trend` are None where there is no day
    before, `advice` where nobody was asked for it.
    """

    mode: Mode
    is_demo: bool
    account_no: str
    account_kind: str
    as_of: datetime
    generated_at: datetime
    next_update: datetime | None
    is_unscheduled: bool
    day: date
    session: Session
    stale_for: timedelta | None
    failures: Failures | None
    snapshot_id: int | None
    sync_run_id: int | None
    sources: tuple[Source, ...]
    account: AccountFigures
    holdings: tuple[HoldingFigures, ...]
    chart_days: tuple[date, ...]
    no_minutes: str
    total: HoldingsTotal
    reconciliation: Reconciliation
    minutes: Minutes | Broken
    today: Today | Broken | None
    realised: Realised | Broken
    trend: Trend | Broken | None
    composition: Composition | Broken
    sectors: tuple[SectorLine, ...] | Broken
    fills: Fills | Broken
    open_orders: OpenOrders | Broken
    advice: Advice | Broken | None

    @property
    def is_direct(self) -> bool:
        """Whether this came straight from the broker: there is no snapshot of it in the books."""
        return self.snapshot_id is None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing yet but cash."""
        listed = (self.fills, self.open_orders)
        return not self.holdings and all(not isinstance(part, Broken) and not part.rows for part in listed)


def dashboard_figures(
    rows: DashboardRows,
    *,
    generated_at: datetime,
    judged_at: datetime | None = None,
    is_demo: bool = False,
    advice: Advice | Broken | None = None,
    next_update: datetime | None = None,
    is_unscheduled: bool = False,
) -> Dashboard:
    """Compute the dashboard. `judged_at` is the moment the data should be fresh for; without it, `generated_at`."""
    position, account = rows.position, rows.account
    moment = judged_at or generated_at
    charts = charts_of(rows)
    holdings = holding_figures(rows, charts)
    total = holdings_total(holdings)
    run = account.sync_run
    today = or_broken("오늘 손익", lambda: today_of(rows))
    return Dashboard(
        mode="paper" if account.is_paper else "real",
        is_demo=is_demo,
        account_no=account.masked_no,
        account_kind=ACCOUNT_KINDS.get(account.product_code, ""),
        as_of=account.snapshot_at.astimezone(SEOUL),
        generated_at=generated_at.astimezone(SEOUL),
        next_update=next_update.astimezone(SEOUL) if next_update else None,
        is_unscheduled=is_unscheduled,
        day=rows.day,
        session=session_at(account.snapshot_at),
        stale_for=age_if_stale(account.snapshot_at, moment),
        failures=failures_of(rows.failed_runs),
        snapshot_id=account.pk,
        sync_run_id=run.pk if run else None,
        sources=sources_of(run),
        account=account_figures(account),
        holdings=holdings,
        chart_days=charts.days,
        no_minutes=charts.no_minutes,
        total=total,
        reconciliation=reconciliation_of(account, total),
        minutes=or_broken("누락 분봉", lambda: minutes_of(rows)),
        today=today,
        realised=or_broken("실현손익", lambda: realised_of(rows)),
        trend=or_broken("자산 추이", lambda: trend_of(rows, None if isinstance(today, Broken) else today)),
        composition=or_broken(
            "구성",
            lambda: composition_of(
                holdings, cash=account.available, targets=position.targets, stocks=position.stocks
            ),
        ),
        sectors=or_broken(
            "업종", lambda: sector_lines(holdings, cash=account.available, stocks=position.stocks)
        ),
        fills=or_broken("체결", lambda: fills_of(position.executions, stock_days(rows), day=rows.day)),
        open_orders=or_broken(
            "미체결", lambda: open_orders_of(position.unfilled, position.holdings, as_of=account.snapshot_at)
        ),
        advice=advice,
    )
