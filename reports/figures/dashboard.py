"""Everything one dashboard says, put together."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from kis.client.codes import Mode
from kis.korean import SEOUL
from kis.sessions import Session, age_if_stale, session_at
from reports.figures.account import AccountFigures, account_figures
from reports.figures.composition import Slice, composition_of
from reports.figures.fills import Fills, fills_of
from reports.figures.freshness import Failures, Source, failures_of, sources_of
from reports.figures.holdings import HoldingFigures, HoldingsTotal, holding_figures, holdings_total
from reports.figures.orders import OpenOrders, open_orders_of
from reports.figures.profits import ProfitLine, profit_lines
from reports.figures.reconciliation import Reconciliation, reconciliation_of
from reports.figures.stock_charts import charts_of
from reports.queries import DashboardRows

ACCOUNT_KINDS: Final = {"01": "종합위탁", "22": "개인연금", "29": "퇴직연금"}


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything one dashboard says."""

    mode: Mode
    is_demo: bool
    account_no: str
    account_kind: str
    as_of: datetime
    generated_at: datetime
    session: Session
    stale_for: timedelta | None
    failures: Failures | None
    snapshot_id: int
    sync_run_id: int | None
    sources: tuple[Source, ...]
    account: AccountFigures
    holdings: tuple[HoldingFigures, ...]
    chart_days: tuple[date, ...]
    no_minutes: str
    total: HoldingsTotal
    composition: tuple[Slice, ...]
    profits: tuple[ProfitLine, ...]
    fills: Fills
    open_orders: OpenOrders
    reconciliation: Reconciliation


def dashboard_figures(
    rows: DashboardRows, *, generated_at: datetime, judged_at: datetime | None = None, is_demo: bool = False
) -> Dashboard:
    """Compute the dashboard. `judged_at` is the moment the data should be fresh for; without it, `generated_at`."""
    position, account = rows.position, rows.account
    moment = judged_at or generated_at
    open_orders = open_orders_of(position.unfilled, position.holdings, as_of=account.snapshot_at)
    charts = charts_of(rows)
    holdings = holding_figures(rows, charts)
    total = holdings_total(holdings)
    run = account.sync_run
    return Dashboard(
        mode="paper" if account.is_paper else "real",
        is_demo=is_demo,
        account_no=account.masked_no,
        account_kind=ACCOUNT_KINDS.get(account.product_code, ""),
        as_of=account.snapshot_at.astimezone(SEOUL),
        generated_at=generated_at.astimezone(SEOUL),
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
        composition=composition_of(holdings, cash=account.available),
        profits=profit_lines(holdings),
        fills=fills_of(position.executions),
        open_orders=open_orders,
        reconciliation=reconciliation_of(account, total),
    )
