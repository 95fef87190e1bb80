"""Commission and sale tax of fills: estimated as soon as they are stored, the broker's own once their day is over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from kis.account_keys import stored_as
from kis.calendar import business_day_after
from kis.client.codes import AccountNumber, Environment
from kis.client.errors import KisError, KisMisconfigured
from kis.client.records.orders import Side
from kis.client.records.profit import TradeProfit
from kis.connect import MODE_NAMES, Connection
from kis.korean import SEOUL, short_day
from kis.models import KisAccount, KisExecution, Stock
from kis.models.books import Side as ModelSide
from kis.portfolio.costs import (
    BASIC_ONLINE,
    CommissionPlan,
    Costs,
    Kind,
    Market,
    RatesNotUnderstood,
    estimate,
    parse_rates,
    settle,
    settle_day,
)
from kis.portfolio.unknown import Unknown
from kis.reconciliation import Check, named
from kis.sync.trade_profits import TradeProfits

BATCH = 500
#: Calls a run may spend on the costs of past days, newest first; what is left waits for the next run.
MOST_DAYS = 5
MARKETS: Mapping[str, Market] = {"KOSPI": "KOSPI", "KOSDAQ": "KOSDAQ", "KONEX": "KONEX"}
#: Kinds whose tax is known; a real estate trust and a foreign company are taxed as any share.
KINDS: Mapping[str, Kind] = {
    "stock": "stock",
    "REIT": "stock",
    "foreign": "stock",
    "receipt": "stock",
    "ETF": "ETF",
    "ETN": "ETN",
    "ELW": "ELW",
}
Source, Basis = KisExecution.CostSource, KisExecution.CostBasis
COLUMNS = ("commission", "tax", "cost_source", "cost_basis")


def commission_plan(environment: Environment) -> CommissionPlan:
    """Return what the owner agreed on with the broker, for this account or for all of its mode, or the usual rate.

    Raises KisMisconfigured naming the setting.
    """
    mode = environment.mode
    row = stored_as(environment.account, mode)
    name, text = f"{MODE_NAMES[mode]} 설정", settings.KIS_COMMISSIONS[mode]
    where = f"KIS_{mode.upper()}_COMMISSION"
    if row is not None and row.commission:
        name, text, where = row.label, row.commission, f"'{row.label}' 계좌"
    if not text:
        return BASIC_ONLINE
    try:
        return CommissionPlan(name, rates=parse_rates(text))
    except RatesNotUnderstood as error:
        raise KisMisconfigured(f"{where}: {error}") from None


# --- estimates -----------------------------------------------------------------------------------------------------


def estimate_costs(account: AccountNumber, *, is_paper: bool, plan: CommissionPlan) -> int:
    """Estimate the costs of fills that have none, and again of those whose market was not known; return how many."""
    mine = KisExecution.objects.of(account, is_paper=is_paper)
    fills = [
        *mine.filter(cost_source=Source.UNKNOWN),
        *mine.filter(cost_source=Source.ESTIMATED, cost_basis=Basis.GUESSED),
    ]
    if not fills:
        return 0
    stocks = {
        stock.code: stock for stock in Stock.objects.filter(code__in={fill.stock_code for fill in fills})
    }
    changed = [fill for fill in fills if put_estimate(fill, stocks.get(fill.stock_code), plan=plan)]
    KisExecution.objects.bulk_update(changed, COLUMNS, batch_size=BATCH)
    return len(changed)


def put_estimate(fill: KisExecution, stock: Stock | None, *, plan: CommissionPlan) -> bool:
    """Write the estimate into an unsaved row; return whether that changed it."""
    market = MARKETS.get(stock.market) if stock else None
    kind = KINDS.get(stock.kind) if stock else None
    basis = Basis.TABLE if market and kind else Basis.GUESSED
    found = estimate(
        side=Side.SELL if fill.exec_type == ModelSide.SELL else Side.BUY,
        market=market or "KOSPI",
        kind=kind or "stock",
        amount=fill.exec_amt,
        trade_day=fill.exec_dt,
        plan=plan,
        venue=fill.exchange,
    )
    before = tuple(getattr(fill, name) for name in COLUMNS)
    fill.commission, fill.tax = found.commission, found.tax
    fill.cost_source, fill.cost_basis = Source.ESTIMATED, basis
    return before != tuple(getattr(fill, name) for name in COLUMNS)


# --- the broker's figures --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settled:
    """What a run learned about the costs of past days: fills settled, comparisons, and a sentence for each trouble."""

    tried: int = 0
    days: int = 0
    fills: int = 0
    checks: tuple[Check, ...] = ()
    problems: tuple[str, ...] = ()


def settle_past_days(connection: Connection, *, today: date, profits: TradeProfits) -> Settled:
    """Settle days that are over and still estimated, newest first, so many a run. A broker that fails ends it.

    What is there stays as it was when this fails: a day is written as a whole or not at all.
    """
    account, is_paper = connection.environment.account, connection.environment.is_paper
    days = list(
        KisExecution.objects.of(account, is_paper=is_paper)
        .filter(cost_source__in=[Source.UNKNOWN, Source.ESTIMATED], exec_dt__lt=today)
        .order_by("-exec_dt")
        .values_list("exec_dt", flat=True)
        .distinct()[:MOST_DAYS]
    )
    settled = fills = 0
    checks: list[Check] = []
    problems = []
    for day in days:
        try:
            count, found = settle_costs(connection, day, profits=profits)
        except KisError as error:
            problems.append(f"{short_day(day)} 비용을 확정하지 못했습니다. {error}")
            break
        settled += bool(count)
        fills += count
        checks += found
    return Settled(len(days), settled, fills, tuple(checks), tuple(problems))


def settle_costs(connection: Connection, day: date, *, profits: TradeProfits) -> tuple[int, list[Check]]:
    """Replace the estimated costs of a past day by the broker's; return how many, and the day's comparison.

    Real: fee and tax of each stock on that day (TTTC8715R), spread over its orders to the won. Paper, which has no such
    inquiry: the day's total from a snapshot that has all of its trades. No comparison where the broker does not say yet.
    Raises KisError, and then nothing is changed.
    """
    if connection.environment.is_paper:
        return settle_by_day(connection, day)
    rows = profits.of(day).rows
    if not rows:
        return 0, []
    return settle_by_stock(connection, day, rows)


def fills_of(connection: Connection, day: date) -> list[KisExecution]:
    """Return the fills of a day, locked."""
    account = connection.environment.account
    return list(
        KisExecution.objects.select_for_update()
        .of(account, is_paper=connection.environment.is_paper)
        .filter(exec_dt=day)
        .order_by("pk")
    )


@dataclass(slots=True)
class StockDay:
    """One stock on one day: our fills next to what the broker says of it."""

    name: str
    fills: list[KisExecution]
    bought: int = 0
    sold: int = 0
    fee: int = 0
    tax: int = 0

    @property
    def is_complete(self) -> bool:
        """Return whether our fills are the broker's trades: only then its costs are theirs."""
        bought = sum(fill.exec_qty for fill in self.fills if fill.exec_type == ModelSide.BUY)
        sold = sum(fill.exec_qty for fill in self.fills if fill.exec_type == ModelSide.SELL)
        return (bought, sold) == (self.bought, self.sold)


def by_stock(fills: Iterable[KisExecution], rows: Iterable[TradeProfit]) -> dict[str, StockDay]:
    days: dict[str, StockDay] = {}
    for fill in fills:
        days.setdefault(fill.stock_code, StockDay(fill.stock_name, [])).fills.append(fill)
    for row in rows:
        # A stock held in cash and on loan has a row for each.
        day = days.setdefault(row.code, StockDay(row.name, []))
        day.bought += row.bought_quantity
        day.sold += row.sold_quantity
        day.fee += row.fee
        day.tax += row.tax
    return days


@transaction.atomic
def settle_by_stock(
    connection: Connection, day: date, rows: Sequence[TradeProfit]
) -> tuple[int, list[Check]]:
    fills = fills_of(connection, day)
    changed: list[KisExecution] = []
    odd = []
    for code, stock in sorted(by_stock(fills, rows).items()):
        found: tuple[Costs, ...] | Unknown = Unknown("")
        if stock.is_complete:
            estimates = [fill.costs or Costs(0, 0) for fill in stock.fills]
            found = settle(estimates, broker_fee=stock.fee, broker_tax=stock.tax)
        if isinstance(found, Unknown):
            odd.append((stock.name, code))
        else:
            changed += put_settled(stock.fills, found, basis=Basis.TRADES)
    KisExecution.objects.bulk_update(changed, COLUMNS, batch_size=BATCH)
    theirs = sum(row.fee + row.tax for row in rows)
    return len(changed), [settled_check(day, fills, theirs, row=named(odd))]


@transaction.atomic
def settle_by_day(connection: Connection, day: date) -> tuple[int, list[Check]]:
    fills = fills_of(connection, day)
    total = day_total(connection, day, fills)
    if total is None:
        return 0, []
    found = settle_day([fill.costs or Costs(0, 0) for fill in fills], broker_costs=total)
    if isinstance(found, Unknown):
        return 0, [settled_check(day, fills, total, row=found.reason)]
    changed = put_settled(fills, found, basis=Basis.DAY)
    KisExecution.objects.bulk_update(changed, COLUMNS, batch_size=BATCH)
    return len(changed), [settled_check(day, fills, total)]


def put_settled(
    fills: Sequence[KisExecution], costs: Sequence[Costs], *, basis: KisExecution.CostBasis
) -> list[KisExecution]:
    """Write settled costs into rows; return those that changed."""
    changed = []
    for fill, settled in zip(fills, costs, strict=True):
        if fill.is_settled and fill.costs == settled:
            continue
        fill.commission, fill.tax = settled.commission, settled.tax
        fill.cost_source, fill.cost_basis = Source.ACTUAL, basis
        changed.append(fill)
    return changed


def settled_check(day: date, fills: Iterable[KisExecution], broker: int, *, row: str = "") -> Check:
    ours = sum(fill.costs.total for fill in fills if fill.costs)
    return Check(f"{short_day(day)} 비용", ours, broker, row=row)


def day_total(connection: Connection, day: date, fills: Iterable[KisExecution]) -> int | None:
    """Return the broker's costs of a day as a snapshot has them that knows all of the day's trades.

    The last one of the day, unless something was traded after it; then the next business day's, which repeats the day
    before (`bfdy_tlex_amt`).
    """
    traded = {"BUY": 0, "SELL": 0}
    for fill in fills:
        traded[fill.exec_type] += fill.exec_amt
    wanted = (traded["BUY"], traded["SELL"])
    last = last_snapshot(connection, day)
    if last is not None and (last.today_buy_amt, last.today_sell_amt) == wanted:
        return last.today_fee
    after = last_snapshot(connection, business_day_after(day))
    totals: dict[str, Any] = after.raw_json.get("output2", {}) if after else {}
    try:
        before = tuple(int(totals[name]) for name in ("bfdy_buy_amt", "bfdy_sll_amt", "bfdy_tlex_amt"))
    except (KeyError, TypeError, ValueError):
        return None
    return before[2] if before[:2] == wanted else None


def last_snapshot(connection: Connection, day: date) -> KisAccount | None:
    account = connection.environment.account
    midnight = datetime.combine(day, datetime.min.time(), SEOUL)
    return (
        KisAccount.objects.of(account, is_paper=connection.environment.is_paper)
        .filter(snapshot_at__gte=midnight, snapshot_at__lt=midnight + timedelta(days=1))
        .newest_first()
        .first()
    )
