"""Numbers of the dashboard, ready for print, page, API and terminal.

Won is int, shares and rates are Decimal; a number that the broker did not give is None, never 0.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from kis.calendar import business_day_after, is_business_day
from kis.client.codes import Mode
from kis.korean import SEOUL
from kis.models import KisAccount, KisExecution, KisHolding, KisUnfilledOrder, SyncRun
from kis.models.books import Side
from kis.reconciliation import Check, explained
from reports.queries import ClosePrice, DashboardRows
from reports.sessions import OPENS, Session, open_time_between, session_at

STALE_AFTER: Final = timedelta(minutes=30)
SPARK_DAYS: Final = 10  # two weeks
NAMED_SLICES: Final = 8
TOP: Final = 5
ACCOUNT_KINDS: Final = {"01": "종합위탁", "22": "개인연금", "29": "퇴직연금"}
PROFIT_ROWS: Final = 20  # lines of the profit chart, without the sum
HUNDRED: Final = Decimal(100)
TENTH: Final = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class CashDay:
    """Cash on the day a settlement arrives."""

    label: str
    on: date
    amount: int


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """The broker's own totals of the account."""

    total: int
    stock_value: int
    cash: int
    day_change: int | None
    day_change_pct: Decimal | None
    previous: int | None
    profit: int
    profit_pct: Decimal | None
    cost: int
    bought_today: int
    sold_today: int
    fee_today: int
    cash_days: tuple[CashDay, ...]
    orderable: int | None


@dataclass(frozen=True, slots=True)
class HoldingFigures:
    """One stock: the broker's numbers, its share of our total, and its last closes."""

    rank: int
    code: str
    name: str
    weight: Decimal
    price: int
    change_pct: Decimal
    closes: tuple[int | None, ...]
    quantity: int
    sellable: int
    open_buy: int
    open_sell: int
    average: Decimal
    cost: int
    value: int
    profit: int
    profit_pct: Decimal


@dataclass(frozen=True, slots=True)
class HoldingsTotal:
    """Our own sums over the holdings."""

    count: int
    weight: Decimal
    value: int
    cost: int
    profit: int
    profit_pct: Decimal | None
    winners: int
    losers: int
    gained: int
    lost: int
    top_value: int
    top_weight: Decimal


@dataclass(frozen=True, slots=True)
class Slice:
    """One line of the composition: a stock, the rest, or cash."""

    name: str
    value: int
    weight: Decimal
    kind: str  # "stock", "rest" or "cash"


@dataclass(frozen=True, slots=True)
class ProfitLine:
    """One line of the profit chart; `count` is above 1 where small ones are put together."""

    name: str
    profit: int
    profit_pct: Decimal | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Fill:
    """One order of today with what was filled of it."""

    at: time
    side: Side
    name: str
    quantity: int
    price: int
    amount: int
    cost: int | None
    cost_is_estimated: bool


@dataclass(frozen=True, slots=True)
class Fills:
    """Today's fills, newest first; `cost` is the sum of the known costs."""

    rows: tuple[Fill, ...]
    bought: int
    sold: int
    cost: int
    cost_is_estimated: bool
    cost_is_partial: bool

    @property
    def amount(self) -> int:
        return self.bought + self.sold


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that waits; `price` is None for a market order."""

    name: str
    side: Side
    remaining: int
    quantity: int
    price: int | None
    against_price_pct: Decimal | None
    age: timedelta
    number: str


@dataclass(frozen=True, slots=True)
class OpenOrders:
    """Orders that wait, oldest first."""

    rows: tuple[OpenOrder, ...]
    buying: int
    selling: int
    has_market_orders: bool
    oldest: timedelta


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Whether the books add up to what the broker says."""

    checks: tuple[Check, ...]
    our_total: int

    @property
    def differing(self) -> tuple[Check, ...]:
        """The comparisons that do not agree, the largest amount of money first."""
        unlike = (check for check in self.checks if check.difference)
        return tuple(sorted(unlike, key=lambda check: (check.unit != "원", -abs(check.difference))))


@dataclass(frozen=True, slots=True)
class Source:
    """One inquiry behind the numbers."""

    name: str
    tr_id: str
    count: str
    seconds: Decimal | None


@dataclass(frozen=True, slots=True)
class Failures:
    """Attempts to renew the data that failed since the snapshot."""

    count: int
    since: datetime


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
    account = rows.account
    moment = judged_at or generated_at
    open_orders = _open_orders(rows.unfilled, rows.holdings, as_of=account.snapshot_at)
    holdings = _holdings(rows)
    total = _total(holdings)
    run = account.sync_run
    return Dashboard(
        mode="paper" if account.is_paper else "real",
        is_demo=is_demo,
        account_no=account.masked_no,
        account_kind=ACCOUNT_KINDS.get(account.product_code, ""),
        as_of=account.snapshot_at.astimezone(SEOUL),
        generated_at=generated_at.astimezone(SEOUL),
        session=session_at(account.snapshot_at),
        stale_for=_stale_for(account.snapshot_at, moment),
        failures=_failures(rows.failed_runs),
        snapshot_id=account.pk,
        sync_run_id=run.pk if run else None,
        sources=_sources(run),
        account=_account(account),
        holdings=holdings,
        total=total,
        composition=_composition(holdings, cash=account.available),
        profits=_profits(holdings),
        fills=_fills(rows.executions),
        open_orders=open_orders,
        reconciliation=_reconciliation(account, total),
    )


def shares(parts: Sequence[int]) -> tuple[Decimal, ...]:
    """Percent of the sum with one decimal, so rounded that they add up to 100.0 (largest remainder)."""
    whole = sum(parts)
    if whole <= 0:
        return tuple(Decimal("0.0") for _ in parts)
    exact = [Decimal(part) * HUNDRED / whole for part in parts]
    floors = [value.quantize(TENTH, ROUND_FLOOR) for value in exact]
    missing = int((HUNDRED - sum(floors)) / TENTH)
    by_remainder = sorted(
        range(len(parts)), key=lambda index: (floors[index] - exact[index], -abs(parts[index]), index)
    )
    raised = set(by_remainder[:missing])
    return tuple(floor + TENTH if index in raised else floor for index, floor in enumerate(floors))


def _percent(part: int, whole: int) -> Decimal | None:
    return Decimal(part) * HUNDRED / whole if whole > 0 else None


def _account(account: KisAccount) -> AccountFigures:
    today = account.snapshot_at.astimezone(SEOUL).date()
    previous = account.previous_assets or None  # a new account has no day before
    change = account.net_assets - previous if previous is not None else None
    return AccountFigures(
        total=account.total_eval_amt,
        stock_value=account.stock_eval_amt,
        cash=account.available,
        day_change=change,
        day_change_pct=_percent(change, previous) if previous is not None and change is not None else None,
        previous=previous,
        profit=account.total_profit_loss,
        profit_pct=_percent(account.total_profit_loss, account.total_buy_amt),
        cost=account.total_buy_amt,
        bought_today=account.today_buy_amt,
        sold_today=account.today_sell_amt,
        fee_today=account.today_fee,
        cash_days=(
            CashDay("D+0", today, account.deposit),
            CashDay("D+1", business_day_after(today), account.d1_cash),
            CashDay("D+2", business_day_after(today, days=2), account.available),
        ),
        orderable=account.orderable_cash,
    )


def _total(holdings: Sequence[HoldingFigures]) -> HoldingsTotal:
    value = sum(holding.value for holding in holdings)
    cost = sum(holding.cost for holding in holdings)
    profit = sum(holding.profit for holding in holdings)
    return HoldingsTotal(
        count=len(holdings),
        weight=sum((holding.weight for holding in holdings), Decimal("0.0")),
        value=value,
        cost=cost,
        profit=profit,
        profit_pct=_percent(profit, cost),
        winners=sum(holding.profit > 0 for holding in holdings),
        losers=sum(holding.profit < 0 for holding in holdings),
        gained=sum(max(holding.profit, 0) for holding in holdings),
        lost=-sum(min(holding.profit, 0) for holding in holdings),
        top_value=sum(holding.value for holding in holdings[:TOP]),
        top_weight=sum((holding.weight for holding in holdings[:TOP]), Decimal("0.0")),
    )


def _holdings(rows: DashboardRows) -> tuple[HoldingFigures, ...]:
    ordered = sorted(rows.holdings, key=lambda holding: (-holding.evlu_amt, holding.stock_code))
    weights = shares([*(holding.evlu_amt for holding in ordered), rows.account.available])
    series = _close_series(rows.closes, ordered, as_of=rows.account.snapshot_at)
    buying = _open_quantities(rows.unfilled, KisUnfilledOrder.SideCode.BUY)
    selling = _open_quantities(rows.unfilled, KisUnfilledOrder.SideCode.SELL)
    return tuple(
        HoldingFigures(
            rank=rank,
            code=holding.stock_code,
            name=holding.stock_name,
            weight=weight,
            price=holding.prpr,
            change_pct=Decimal(str(holding.fllt_rt)),
            closes=series.get(holding.stock_code, ()),
            quantity=holding.holding_qty,
            sellable=holding.ord_psbl_qty,
            open_buy=buying[holding.stock_code],
            open_sell=selling[holding.stock_code],
            average=Decimal(str(holding.pchs_avg_pric)),
            cost=holding.pchs_amt,
            value=holding.evlu_amt,
            profit=holding.evlu_pfls_amt,
            profit_pct=Decimal(str(holding.evlu_pfls_rt)),
        )
        for rank, (holding, weight) in enumerate(zip(ordered, weights, strict=False), start=1)
    )


def _open_quantities(orders: Iterable[KisUnfilledOrder], side: str) -> Mapping[str, int]:
    waiting: defaultdict[str, int] = defaultdict(int)
    for order in orders:
        if order.sll_buy_dvsn_cd == side:
            waiting[order.stock_code] += order.psbl_qty
    return waiting


def _close_series(
    closes: Sequence[ClosePrice], holdings: Sequence[KisHolding], *, as_of: datetime
) -> dict[str, tuple[int | None, ...]]:
    """Collect closes of the last market days per stock, None where a day is missing, ending with the price of now.

    The close of the snapshot's own day is replaced by the price of the snapshot: a page of 10:00 must not know the
    close of 15:30. A stock without any stored close has no series.
    """
    local = as_of.astimezone(SEOUL)
    today = local.date()
    days = sorted({close.on for close in closes})
    is_trading = is_business_day(today) and local.time() >= OPENS
    if days and is_trading and days[-1] != today:
        days.append(today)
    days = days[-SPARK_DAYS:]
    stored: defaultdict[str, dict[date, int]] = defaultdict(dict)
    for close in closes:
        stored[close.code][close.on] = close.close
    series: dict[str, tuple[int | None, ...]] = {}
    for holding in holdings:
        by_day = stored.get(holding.stock_code)
        if not by_day:
            continue
        if days[-1] == today:
            by_day[today] = holding.prpr
        series[holding.stock_code] = tuple(by_day.get(day) for day in days)
    return series


def _composition(holdings: Sequence[HoldingFigures], *, cash: int) -> tuple[Slice, ...]:
    """Name the largest stocks; whatever follows is one slice, unless it is a single stock with a name of its own."""
    named = len(holdings) if len(holdings) <= NAMED_SLICES + 1 else NAMED_SLICES
    slices = [Slice(holding.name, holding.value, holding.weight, "stock") for holding in holdings[:named]]
    rest = holdings[named:]
    if rest:
        weight = sum((holding.weight for holding in rest), Decimal(0))
        slices.append(Slice(f"그 밖 {len(rest)}종목", sum(holding.value for holding in rest), weight, "rest"))
    whole = sum(holding.value for holding in holdings) + cash
    weight = HUNDRED - sum((part.weight for part in slices), Decimal(0)) if whole > 0 else Decimal("0.0")
    return (*slices, Slice("현금 D+2", cash, weight, "cash"))


def _profits(holdings: Sequence[HoldingFigures]) -> tuple[ProfitLine, ...]:
    """Largest gains first, largest losses last; what does not fit is one line in between."""
    ordered = sorted(holdings, key=lambda holding: (-holding.profit, holding.code))
    if len(ordered) <= PROFIT_ROWS:
        return tuple(_profit_line(holding) for holding in ordered)
    room = PROFIT_ROWS - 1
    winners = sum(holding.profit > 0 for holding in ordered)
    losers = sum(holding.profit < 0 for holding in ordered)
    top = min(winners, max(room // 2, room - losers))
    bottom = room - top
    rest = ordered[top : len(ordered) - bottom]
    profit, cost = sum(holding.profit for holding in rest), sum(holding.cost for holding in rest)
    return (
        *(_profit_line(holding) for holding in ordered[:top]),
        ProfitLine(f"그 밖 {len(rest)}종목", profit, _percent(profit, cost), len(rest)),
        *(_profit_line(holding) for holding in ordered[len(ordered) - bottom :]),
    )


def _profit_line(holding: HoldingFigures) -> ProfitLine:
    return ProfitLine(holding.name, holding.profit, holding.profit_pct)


def _fills(executions: Sequence[KisExecution]) -> Fills:
    rows = tuple(_fill(execution) for execution in executions)
    known = [row for row in rows if row.cost is not None]
    return Fills(
        rows=rows,
        bought=sum(row.amount for row in rows if row.side is Side.BUY),
        sold=sum(row.amount for row in rows if row.side is Side.SELL),
        cost=sum(row.cost or 0 for row in known),
        cost_is_estimated=any(row.cost_is_estimated for row in known),
        cost_is_partial=len(known) < len(rows),
    )


def _fill(execution: KisExecution) -> Fill:
    commission, tax = execution.commission, execution.tax
    return Fill(
        at=execution.exec_tmd,
        side=Side(execution.exec_type),
        name=execution.stock_name,
        quantity=execution.exec_qty,
        price=execution.exec_price,
        amount=execution.exec_amt,
        cost=None if commission is None or tax is None else commission + tax,
        cost_is_estimated=execution.cost_source == KisExecution.CostSource.ESTIMATED,
    )


def _open_orders(
    orders: Sequence[KisUnfilledOrder], holdings: Sequence[KisHolding], *, as_of: datetime
) -> OpenOrders:
    prices = {holding.stock_code: holding.prpr for holding in holdings}
    rows = tuple(_open_order(order, price=prices.get(order.stock_code), as_of=as_of) for order in orders)
    return OpenOrders(
        rows=rows,
        buying=sum(row.remaining * (row.price or 0) for row in rows if row.side is Side.BUY),
        selling=sum(row.remaining * (row.price or 0) for row in rows if row.side is Side.SELL),
        has_market_orders=any(row.price is None for row in rows),
        oldest=max((row.age for row in rows), default=timedelta()),
    )


def _open_order(order: KisUnfilledOrder, *, price: int | None, as_of: datetime) -> OpenOrder:
    placed = datetime.combine(order.snapshot_date, _wire_time(order.ord_tmd), SEOUL)
    limit = order.ord_unpr or None
    is_sell = order.sll_buy_dvsn_cd == KisUnfilledOrder.SideCode.SELL
    return OpenOrder(
        name=order.stock_name,
        side=Side.SELL if is_sell else Side.BUY,
        remaining=order.psbl_qty,
        quantity=order.ord_qty,
        price=limit,
        against_price_pct=_percent(limit - price, price) if limit is not None and price else None,
        age=max(as_of - placed, timedelta()),
        number=order.odno.lstrip("0") or order.odno,
    )


def _wire_time(text: str) -> time:
    return time(int(text[:2]), int(text[2:4]), int(text[4:6]))


def _reconciliation(account: KisAccount, total: HoldingsTotal) -> Reconciliation:
    """Compare the saved rows with the saved totals; what only the sync could compare is taken from its run."""
    our_total = total.value + account.available
    checks = [
        Check("보유 평가금액 합", total.value, account.stock_eval_amt),
        Check("매입금액 합", total.cost, account.total_buy_amt),
        Check("평가손익 합", total.profit, account.total_profit_loss),
        Check("평가 + D+2 현금", our_total, account.total_eval_amt),
    ]
    run = account.sync_run
    found = [Check.from_json(check) for check in (run.checks if run else [])]
    reasons = {check.name: check.row for check in found}
    checks = [explained(check, [reasons.get(check.name)]) for check in checks]
    names = {check.name for check in checks}
    return Reconciliation((*checks, *(check for check in found if check.name not in names)), our_total)


def _stale_for(as_of: datetime, moment: datetime) -> timedelta | None:
    """Age of the data if the exchange was open for more than half an hour of it."""
    return moment - as_of if open_time_between(as_of, moment) > STALE_AFTER else None


def _failures(runs: Sequence[SyncRun]) -> Failures | None:
    return Failures(len(runs), runs[0].started_at.astimezone(SEOUL)) if runs else None


def _sources(run: SyncRun | None) -> tuple[Source, ...]:
    """Inquiries as the run recorded them; a step without TR id asked nobody."""
    if run is None:
        return ()
    return tuple(
        Source(
            name=str(step.get("label", "")),
            tr_id=str(step["tr_id"]),
            count=str(step.get("count", "")),
            seconds=Decimal(str(step["seconds"])) if "seconds" in step else None,
        )
        for step in run.steps
        if step.get("tr_id")
    )
