"""An account straight from the broker, as rows that are never saved: the books stay as they are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kis.calendar import business_day_before
from kis.client.codes import TR
from kis.client.endpoints.charts import daily_chart
from kis.client.records.charts import DailyBar, DailyChart, MinuteBar
from kis.client.session import Session
from kis.connect import Connection
from kis.korean import SEOUL
from kis.market_days import use_market_days
from kis.models import DailyPrice, KisExecution, Stock, SyncRun
from kis.position import Position, market_day, position_of
from kis.reconciliation import Check, check_cash, check_costs, suspects
from kis.sync.asking import Asking
from kis.sync.checks import day_trades, is_trading_day, ladder_of
from kis.sync.costs import commission_plan, put_estimate
from kis.sync.fetch import Picture
from kis.sync.index_prices import index_levels
from kis.sync.minute_plans import cut_minute_plans, make_minute_plans
from kis.sync.minutes import ask_minutes
from kis.sync.pool import calls_within
from kis.sync.price_plans import Window, last_final_day
from kis.sync.progress import Quiet
from kis.sync.run import Steps, add_executions, fetch_picture, reconcile
from kis.sync.save import account_row, execution, holding_rows, unfilled_rows

#: What prices may take of the rate budget; whatever they cannot reach is taken from the books, or left out.
SECONDS_FOR_PRICES: Final = 20.0
#: Closes that a chart of two weeks needs, around the long holidays.
DAYS_OF_A_CHART: Final = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Direct:
    """A position that is nowhere stored, and the prices that the books did not have, by stock code.

    `account.sync_run` says, unsaved as well, what has been asked and how the comparisons came out.
    """

    position: Position
    days: Mapping[str, Sequence[DailyBar]]
    minutes: Mapping[str, Sequence[MinuteBar]]


def ask_broker(connection: Connection, *, seconds: float = SECONDS_FOR_PRICES) -> Direct:
    """Ask for one picture of an account, and for the prices of today. Raises KisError, and writes nothing.

    Prices that cannot be had are not there; only what the account itself consists of must come.
    """
    use_market_days()
    environment = connection.environment
    at = connection.now().astimezone(SEOUL)
    steps = Steps(Quiet())
    first = business_day_before(at.date())
    picture, lists = fetch_picture(connection, at=at, first=first, steps=steps)
    add_executions(steps, lists, environment=environment)
    run = SyncRun(
        account_no=environment.account.number,
        product_code=environment.account.product_code,
        is_paper=environment.is_paper,
        started_at=at,
        finished_at=picture.complete_at,
        status=SyncRun.Status.COMPLETE,
    )
    account = account_row(picture, environment=environment, run=run)
    fills = fills_of(picture, connection)
    checks = reconcile(picture, lists)
    checks += check_money(picture, fills, setting=f"KIS_{environment.mode.upper()}_COMMISSION", so_far=checks)
    run.checks = [check.as_json() for check in checks]
    run.differences = sum(1 for check in checks if check.difference)
    position = position_of(
        account,
        holdings=holding_rows(account, picture.balance.held),
        unfilled=unfilled_rows(account, picture.unfilled),
        executions=[fill for fill in fills if fill.exec_dt == market_day(at)],
    )
    account.indices, _ = index_levels(connection.session, at=at)
    steps.add(
        "note_indices", "지금 지수", f"{len(account.indices)}개", tr_id=environment.tr_id(TR.INDEX_CHART)
    )
    codes = {row.stock_code for row in position.holdings} | {row.stock_code for row in position.executions}
    prices = Prices(connection, at=at, calls=calls_within(connection.session, seconds))
    direct = Direct(position, prices.days(codes), prices.minutes(codes))
    steps.add(
        "fetch_minutes", "분봉", f"{len(direct.minutes)}종목", tr_id=environment.tr_id(TR.TODAY_MINUTES)
    )
    run.steps = [step.as_json() for step in steps.done]
    return direct


def fills_of(picture: Picture, connection: Connection) -> list[KisExecution]:
    """Return the filled orders of today and the business day before, with estimated costs, unsaved."""
    environment = connection.environment
    plan = commission_plan(environment)
    orders = [order for order in picture.orders if order.filled]
    stocks = Stock.objects.in_bulk({order.code for order in orders}, field_name="code")
    fills = []
    for order in orders:
        fill = execution(order, account=environment.account, is_paper=environment.is_paper)
        put_estimate(fill, stocks.get(order.code), plan=plan)
        fills.append(fill)
    return fills


def check_money(
    picture: Picture, fills: Sequence[KisExecution], *, setting: str, so_far: Sequence[Check]
) -> list[Check]:
    """Compare cash and costs with the fills of two days, once there is a day to compare."""
    at, totals = picture.fetched_at, picture.balance.totals
    if not is_trading_day(at):
        return []
    today = day_trades(fill for fill in fills if fill.exec_dt == at.date())
    before = day_trades(fill for fill in fills if fill.exec_dt == business_day_before(at.date()))
    ladder = ladder_of(totals, at.date())
    return [
        *check_cash(ladder, totals, yesterday=before, today=today, suspects=suspects(so_far)),
        check_costs(totals, today, setting=setting),
    ]


class Prices:
    """What the books lack of the prices of two weeks and of today, within so many calls: days first."""

    def __init__(self, connection: Connection, *, at: datetime, calls: int) -> None:
        self.session = connection.session
        self.at = at
        self.calls = calls

    def days(self, codes: Collection[str]) -> dict[str, list[DailyBar]]:
        """Return the daily bars of stocks whose last final day is not in the books."""
        last = last_final_day(self.at)
        known = set(
            DailyPrice.objects.filter(stock_code__in=codes, trade_date=last).values_list(
                "stock_code", flat=True
            )
        )
        since = self.at.date() - DAYS_OF_A_CHART
        wanted = [[Window(code, since, last)] for code in sorted(set(codes) - known)][: self.calls]
        self.calls -= len(wanted)
        asking = Asking(self.session, ask_days, label="일봉", listener=Quiet())
        return {came[0][0].code: list(came[0][1].bars) for _, came in asking.charts(wanted) if came}

    def minutes(self, codes: Collection[str]) -> dict[str, list[MinuteBar]]:
        """Return the minutes of today since the last one that the books have asked for."""
        plans = make_minute_plans(codes, at=self.at, past=False)
        cut_minute_plans(plans, calls=self.calls)
        wanted = [plan.today for plan in plans if plan.today]
        asking = Asking(self.session, ask_minutes, label="분봉", listener=Quiet())
        return {
            came[0][0].code: [bar for _, chart in came for bar in chart.bars]
            for _, came in asking.charts(wanted)
            if came
        }


def ask_days(session: Session, window: Window) -> DailyChart:
    return daily_chart(session, code=window.code, first=window.first, last=window.last)
