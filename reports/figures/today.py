"""What today did to the account: profit, its causes, and the market beside it."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from kis.calendar import business_day_before, hours_of
from kis.client.errors import KisReplyChanged
from kis.client.protocol import Row
from kis.korean import SEOUL
from kis.models import IndexPrice, KisHolding
from kis.models.books import Side
from kis.portfolio.day_change import Close, DayChange, StockDay, Traded, day_change
from kis.portfolio.returns import DayValue, time_weighted
from kis.portfolio.unknown import Unknown
from reports.figures.shares import HUNDRED
from reports.queries import ClosePrice, DashboardRows

UPS: Final = 4
DOWNS: Final = 3
TICK: Final = timedelta(minutes=5)
NEARLY_ALL: Final = 0.95
MINUTE: Final = timedelta(minutes=1)
NO_CLOSE: Final = Unknown("전일 종가를 모릅니다.")


Prices = dict[str, tuple[list[datetime], list[int]]]


@dataclass(frozen=True, slots=True)
class Cause:
    """One line of the causes; `rate_pct` is the stock's change in percent, and `count` how many stocks a line stands for."""

    kind: str  # "stock", "rest", "trades", "costs", "flow" or "unexplained"
    name: str
    amount: int | None
    rate_pct: Decimal | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Moment:
    """The day's profit as it stood at a moment; from snapshots alone, with what was paid in or out."""

    at: datetime
    change: int


@dataclass(frozen=True, slots=True)
class Today:
    """The day of a snapshot. On a closed day it is the last one that was open.

    `profit` leaves deposits and withdrawals out unless nobody knows them (`has_flow`). `unpriced` are stocks whose close before is not known.
    """

    day: date
    before: int
    now: int
    profit: int
    rate_pct: Decimal | None
    has_flow: bool
    flow_reason: str
    change: int
    causes: tuple[Cause, ...]
    unexplained: int
    unpriced: tuple[str, ...]
    moments: tuple[Moment, ...]
    kospi_pct: Decimal | None
    kosdaq_pct: Decimal | None


def today_of(rows: DashboardRows) -> Today | None:
    """Return what the day did; None where the broker names no assets of the day before, as for a new account."""
    account = rows.account
    if not account.previous_assets:
        return None
    stocks = stock_days(rows)
    earlier = rows.earlier.account if rows.earlier else None
    found = day_change(
        stocks,
        before=account.previous_assets,
        now=account.net_assets,
        cash=account.available,
        traded=Traded(account.today_buy_amt, account.today_sell_amt, account.today_fee),
        earlier=Close(earlier.net_assets, earlier.stock_eval_amt, earlier.available) if earlier else None,
    )
    profit = found.profit
    # Without a deposit there is nothing left to explain: whoever knows no flow need not say so then.
    has_flow = isinstance(profit, Unknown) and found.unexplained != 0
    return Today(
        day=rows.day,
        before=account.previous_assets,
        now=account.net_assets,
        profit=found.total if isinstance(profit, Unknown) else profit,
        rate_pct=_rate(found, rows.day),
        has_flow=has_flow,
        flow_reason=found.flow.reason if has_flow and isinstance(found.flow, Unknown) else "",
        change=found.total,
        causes=_causes(found, _rates(rows, stocks)),
        unexplained=found.unexplained,
        unpriced=tuple(stock.name for stock in found.unpriced),
        moments=_moments(rows, found),
        kospi_pct=index_change(rows, IndexPrice.Index.KOSPI),
        kosdaq_pct=index_change(rows, IndexPrice.Index.KOSDAQ),
    )


def _moments(rows: DashboardRows, found: DayChange) -> tuple[Moment, ...]:
    """Return how the day went: from the minutes of the stocks, or where these are not all there, from the snapshots."""
    now = rows.account.snapshot_at.astimezone(SEOUL)
    prices = _prices(rows)
    ticks = _ticks(rows.day, since=_known_since(found.stocks, prices), prices=prices)
    if not ticks or found.unpriced:
        return tuple(Moment(at.astimezone(SEOUL), assets - found.before) for at, assets in rows.moments)
    profit = found.total if isinstance(found.profit, Unknown) else found.profit
    told = (Moment(at, _profit_at(at, found.stocks, prices, rows)) for at in ticks)
    return (*told, Moment(now, profit))


def _known_since(stocks: Sequence[StockDay], prices: Prices) -> datetime | None:
    """Return the moment from which on the prices of nearly all that was held are known."""
    values = [(stock.code, stock.quantity_before * stock.price) for stock in stocks]
    lack = sum(value for _, value in values)
    least = lack * (1 - NEARLY_ALL)
    firsts = sorted((prices[code][0][0], value) for code, value in values if code in prices)
    for at, value in firsts:
        lack -= value
        if lack <= least:
            return at.astimezone(SEOUL)
    return None


def _ticks(day: date, *, since: datetime | None, prices: Prices) -> list[datetime]:
    """Return the moments to draw, as long as there are minutes."""
    if since is None:
        return []
    opens = datetime.combine(day, hours_of(day).opens, SEOUL)
    until = max(ends[-1] for ends, _ in prices.values())
    # The opening price is known with the first minute.
    first = opens if since <= opens + TICK else since
    count = int((until - first) / TICK)
    return [first + number * TICK for number in range(count + 1)]


def _prices(rows: DashboardRows) -> Prices:
    """Return the end of each minute and its last price, by stock."""
    prices: dict[str, tuple[list[datetime], list[int]]] = {}
    for bar in rows.charts.minutes:
        ends, closes = prices.setdefault(bar.code, ([], []))
        ends.append(bar.at + MINUTE)
        closes.append(bar.close)
    return prices


def _profit_at(
    at: datetime,
    stocks: Iterable[StockDay],
    prices: Prices,
    rows: DashboardRows,
) -> int:
    """Return what prices and the trades until then had brought; a price stays until the next one is paid."""
    profit = 0
    now: dict[str, int] = {}
    for stock in stocks:
        ends, closes = prices.get(stock.code, ((), ()))
        place = bisect_right(ends, at)
        before = stock.price_before if isinstance(stock.price_before, int) else stock.price
        now[stock.code] = closes[place - 1] if place else before
        profit += stock.quantity_before * (now[stock.code] - before)
    for fill in rows.position.executions:
        if fill.exec_tmd <= at.time() and fill.stock_code in now:
            gain = fill.exec_qty * now[fill.stock_code] - fill.exec_amt
            profit += gain if fill.exec_type == Side.BUY else -gain
    return profit


def stock_days(rows: DashboardRows) -> list[StockDay]:
    """Return every stock that was held at the close before, is held now, or has been traded since."""
    closes = closes_on(rows.closes, business_day_before(rows.day))
    found = [_held(row, closes) for row in rows.position.holdings]
    held = {stock.code for stock in found}
    gone = (row for row in sold_out(rows.account.raw_json) if row.text("pdno") not in held)
    traded = [row for row in gone if row.quantity("thdt_sll_qty") or row.quantity("thdt_buyqty")]
    return [*found, *(_sold(row, closes) for row in traded)]


def sold_out(raw: Mapping[str, Any]) -> list[Row]:
    """Return the rows of the balance that have no shares left."""
    return [Row(row, tr_id="") for row in raw.get("sold_out", [])]


def closes_on(closes: Iterable[ClosePrice], day: date) -> dict[str, int]:
    return {close.code: close.close for close in closes if close.on == day}


def _held(row: KisHolding, closes: Mapping[str, int]) -> StockDay:
    return StockDay(
        code=row.stock_code,
        name=row.stock_name,
        quantity=row.holding_qty,
        bought=row.today_buy_qty,
        sold=row.today_sell_qty,
        price=row.prpr,
        price_before=_price_before(Row(row.raw_json, tr_id=""), row.stock_code, row.prpr, closes),
    )


def _sold(row: Row, closes: Mapping[str, int]) -> StockDay:
    code, price = row.text("pdno"), row.integer("prpr")
    return StockDay(
        code=code,
        name=row.text("prdt_name"),
        quantity=0,
        bought=row.quantity("thdt_buyqty"),
        sold=row.quantity("thdt_sll_qty"),
        price=price,
        price_before=_price_before(row, code, price, closes),
    )


def _price_before(row: Row, code: str, price: int, closes: Mapping[str, int]) -> int | Unknown:
    """Return the close before: by the broker's change of the day, which follows splits, or from our daily bars."""
    try:
        return price - row.integer("bfdy_cprs_icdc")
    except KisReplyChanged:
        return closes.get(code, NO_CLOSE)


def _rates(rows: DashboardRows, stocks: Sequence[StockDay]) -> dict[str, Decimal]:
    """Return the change of each stock in percent, the broker's own where it is held."""
    rates = {row.stock_code: Decimal(str(row.fllt_rt)) for row in rows.position.holdings}
    for stock in stocks:
        if stock.code not in rates and isinstance(stock.price_before, int) and stock.price_before:
            rates[stock.code] = Decimal(stock.price - stock.price_before) * HUNDRED / stock.price_before
    return rates


def _rate(found: DayChange, day: date) -> Decimal | None:
    flow = 0 if isinstance(found.flow, Unknown) else found.flow
    rate = time_weighted([DayValue(day, found.before + found.total, flow)], before=found.before)[0].rate
    return rate * HUNDRED if isinstance(rate, Decimal) else None


def _causes(found: DayChange, rates: Mapping[str, Decimal]) -> tuple[Cause, ...]:
    """Name the stocks that moved most, up first; the others are one line, and so is each cause that is no stock."""
    ups = [move for move in found.moves if move[1] > 0]
    downs = [move for move in reversed(found.moves) if move[1] < 0]
    room = UPS + DOWNS
    up = ups[: max(UPS, room - len(downs))]
    down = downs[: room - len(up)]
    named = [*up, *reversed(down)]
    lines = [Cause("stock", stock.name, amount, rates.get(stock.code)) for stock, amount in named]
    rest = [amount for stock, amount in found.moves if (stock, amount) not in named]
    if rest:
        lines.append(Cause("rest", f"그 밖 {len(rest)}종목", sum(rest), count=len(rest)))
    flow = found.flow
    if isinstance(flow, Unknown):
        flow_line = Cause("flow", "입출금", None if found.unexplained else 0)
    else:
        flow_line = Cause("flow", "입출금", flow)
    return (
        *lines,
        Cause("trades", "오늘 매매 효과", found.trades),
        Cause("costs", "비용(추정)", found.costs),
        flow_line,
        Cause("unexplained", "미설명", found.unexplained),
    )


def index_change(rows: DashboardRows, index: IndexPrice.Index) -> Decimal | None:
    """Return the day's change of an index in percent, as it stood at the snapshot."""
    level, before = index_level(rows, index), index_closes(rows, index).get(business_day_before(rows.day))
    noted = rows.account.indices.get(index.value)
    if noted and noted["day"] == rows.day.isoformat():
        before = Decimal(noted["before"])
    return (level - before) * HUNDRED / before if level is not None and before else None


def index_level(rows: DashboardRows, index: IndexPrice.Index) -> Decimal | None:
    """Return where an index stood at the snapshot; its close only once the market has closed."""
    noted = rows.account.indices.get(index.value)
    if noted and noted["day"] == rows.day.isoformat():
        return Decimal(noted["level"])
    return index_closes(rows, index).get(rows.day) if rows.is_closed else None


def index_closes(rows: DashboardRows, index: IndexPrice.Index) -> dict[date, Decimal]:
    return {row.trade_date: row.close for row in rows.indices if row.index_code == index}
