"""The profit of a day's trades, stock by stock: ours by moving average and FIFO, next to the broker's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kis.client.protocol import Row
from kis.client.records.profit import TradeProfit
from kis.korean import SEOUL
from kis.models import KisDailySummary, KisExecution, KisTradeProfit
from kis.models.books import Side
from kis.models.days import State
from kis.portfolio.lots import Gain, Sale, Trade
from kis.portfolio.unknown import Unknown, total
from kis.sync.day_books import NOTHING, DayBooks, Point
from kis.sync.day_cash import amount_of, by_stock
from kis.sync.day_shares import Story, story_of

PAPER = Unknown("모의투자에는 증권사의 실현손익 조회가 없습니다.")
NOT_ASKED = Unknown("증권사의 매매손익을 아직 받지 못했습니다.")
NOT_LISTED = Unknown("증권사가 이 종목의 매매손익을 아직 알려 주지 않았습니다.")
COSTS_UNKNOWN = Unknown("수수료와 세금을 아직 모릅니다.")
INCOMPLETE = Unknown("받은 체결이 증권사 잔고의 당일 매매보다 적습니다.")


@dataclass(frozen=True, slots=True)
class BrokerProfit:
    """What the broker said of a day's profit: by stock, in won, with names; `asked_at` is in the market's time."""

    asked_at: datetime
    realised: Mapping[str, int]
    names: Mapping[str, str]

    @classmethod
    def of_rows(cls, rows: Iterable[TradeProfit], *, asked_at: datetime) -> "BrokerProfit":
        realised: dict[str, int] = {}
        names: dict[str, str] = {}
        for row in rows:
            # A stock held in cash and on loan has a row for each.
            realised[row.code] = realised.get(row.code, 0) + row.realised
            names[row.code] = row.name
        return cls(asked_at, realised, names)

    @classmethod
    def stored(cls, summary: KisDailySummary) -> "BrokerProfit | None":
        """Return what was said when this day was last asked about."""
        if summary.broker_asked_at is None:
            return None
        rows = (TradeProfit.from_row(Row(raw, tr_id="")) for raw in summary.raw_json.get("trade_profit", []))
        return cls.of_rows(rows, asked_at=summary.broker_asked_at)

    def is_final(self, on: date) -> bool:
        """Return whether the day was over when the broker was asked."""
        return self.asked_at.astimezone(SEOUL).date() > on


class Stories:
    """The stocks of an account, each followed once when it is first asked for."""

    def __init__(self, books: DayBooks) -> None:
        self.books = books
        self.known: dict[str, Story] = {}

    def of(self, code: str) -> Story:
        if code not in self.known:
            self.known[code] = story_of(code, self.books)
        return self.known[code]

    def codes_on(self, on: date) -> list[str]:
        """Return the stocks traded on a day, and those of which a split left a fraction on it."""
        traded = {fill.stock_code for fill in self.books.fills_on(on)}
        point = self.books.closes.get(on)
        reported = {code for code, held in point.held.items() if held.bought or held.sold} if point else set()
        split = {code for code in self.books.adjustments if self.of(code).sales_on(on)}
        return sorted(traded | reported | split)

    def is_incomplete(self, code: str, on: date) -> bool:
        """Return whether the balance knows more trades of a stock on a day than have been filled as far as we know."""
        point = self.books.closes.get(on)
        held = point.of_stock(code) if point else NOTHING
        fills = [fill for fill in self.books.fills_on(on) if fill.stock_code == code]
        bought = sum(fill.exec_qty for fill in fills if fill.exec_type == Side.BUY)
        sold = sum(fill.exec_qty for fill in fills if fill.exec_type == Side.SELL)
        return held.bought > bought or held.sold > sold


# --- realised --------------------------------------------------------------------------------------------------------


def trade_profits(on: date, stories: Stories, *, broker: BrokerProfit | None) -> list[KisTradeProfit]:
    """Return a row for each stock traded on a day, unsaved, by code."""
    fills = by_stock(stories.books.fills_on(on))
    codes = sorted({*stories.codes_on(on), *(broker.realised if broker else ())})
    return [trade_profit_of(code, on, fills.get(code, []), stories, broker=broker) for code in codes]


def trade_profit_of(
    code: str, on: date, fills: Sequence[KisExecution], stories: Stories, *, broker: BrokerProfit | None
) -> KisTradeProfit:
    books = stories.books
    bought = [fill for fill in fills if fill.exec_type == Side.BUY]
    sold = [fill for fill in fills if fill.exec_type == Side.SELL]
    row = KisTradeProfit(
        account_no=books.account.number,
        product_code=books.account.product_code,
        is_paper=books.is_paper,
        trade_date=on,
        stock_code=code,
        stock_name=name_of(code, fills, books, broker),
        buy_qty=sum(fill.exec_qty for fill in bought),
        buy_amt=amount_of(bought, Side.BUY),
        sell_qty=sum(fill.exec_qty for fill in sold),
        sell_amt=amount_of(sold, Side.SELL),
    )
    sales = stories.of(code).sales_on(on)
    row.sales = [shown(sale) for sale in sales]
    costs = [fill.costs for fill in fills]
    trouble = None
    if stories.is_incomplete(code, on):
        trouble = INCOMPLETE
    elif None in costs:
        trouble = COSTS_UNKNOWN
    buy_costs = sum(fill.costs.total for fill in bought if fill.costs)
    row.put("fee", trouble or sum(cost.commission for cost in costs if cost))
    row.put("tax", trouble or sum(cost.tax for cost in costs if cost))
    row.put(
        "realised_average", trouble or total([*(after_costs(sale.average) for sale in sales), -buy_costs])
    )
    row.put("realised_fifo", trouble or total([*(after_costs(sale.fifo) for sale in sales), -buy_costs]))
    row.put("realised_broker", broker_profit_of(code, books, broker=broker))
    settled = trouble is None and all(fill.is_settled for fill in fills)
    is_final = settled and (books.is_paper or (broker is not None and broker.is_final(on)))
    row.state = State.FINAL if is_final else State.ESTIMATED
    return row


def name_of(code: str, fills: Sequence[KisExecution], books: DayBooks, broker: BrokerProfit | None) -> str:
    if fills:
        return fills[0].stock_name
    held = (point.held[code].name for point in books.points if code in point.held)
    return (broker.names.get(code) if broker else None) or next(held, code)


def after_costs(gain: Gain | Unknown) -> int | Unknown:
    return gain if isinstance(gain, Unknown) else gain.after_costs


def broker_profit_of(code: str, books: DayBooks, *, broker: BrokerProfit | None) -> int | Unknown:
    if books.is_paper:
        return PAPER
    if broker is None:
        return NOT_ASKED
    return broker.realised.get(code, NOT_LISTED)


def shown(sale: Sale) -> dict[str, Any]:
    """Write one sale as it is kept in `KisTradeProfit.sales`."""
    found: dict[str, Any] = {"what": "단주" if not isinstance(sale.of, Trade) else "매도"}
    if isinstance(sale.of, Trade):
        number, branch = sale.of.number.split(" ", 1)
        found |= {
            "odno": number,
            "ord_gno_brno": branch,
            "at": f"{sale.of.at:%H:%M:%S}",
            "quantity": sale.of.quantity,
            "amount": sale.of.amount,
            "costs": sale.of.costs.total,
        }
    for name, gain in (("average", sale.average), ("fifo", sale.fifo)):
        if isinstance(gain, Unknown):
            found[name] = {"reason": gain.reason}
        else:
            found[name] = {"cost": gain.cost, "profit": gain.after_costs}
    return found


def put_realised(summary: KisDailySummary, rows: Sequence[KisTradeProfit], stories: Stories) -> None:
    """Write the sums over the stocks of a day into its summary; a sum with a hole in it is none."""
    on = summary.summary_date
    incomplete = [row for row in rows if stories.is_incomplete(row.stock_code, on)]
    for name in ("buy_amt", "sell_amt"):
        amounts = [getattr(row, name) for row in rows]
        summary.put(name, of_stock(incomplete[0], INCOMPLETE) if incomplete else sum(amounts))
    for name in ("fee", "tax", "realised_average", "realised_fifo", "realised_broker"):
        summary.put(name, total(named(row, name) for row in rows))
    if unknown := stories.books.fills_unknown(on):
        for name in ("buy_amt", "sell_amt", "fee", "tax", "realised_average", "realised_fifo"):
            summary.put(name, unknown)
    if summary.is_paper:
        summary.put("realised_broker", PAPER)


def named(row: KisTradeProfit, name: str) -> int | Unknown:
    value = row.won(name)
    return of_stock(row, value) if isinstance(value, Unknown) else value


def of_stock(row: KisTradeProfit, unknown: Unknown) -> Unknown:
    return Unknown(f"{row.stock_name}: {unknown.reason}")


# --- unrealised ------------------------------------------------------------------------------------------------------


def put_unrealised(summary: KisDailySummary, point: Point, stories: Stories) -> None:
    """Write what the shares held at a close are worth beyond their cost, by our two counts."""
    gains: dict[str, list[int | Unknown]] = {"unrealised_average": [], "unrealised_fifo": []}
    for code, held in sorted(point.held.items()):
        if not held.quantity:
            continue
        position = stories.of(code).position_at(point)
        costs: tuple[int | Unknown, int | Unknown]
        if isinstance(position, Unknown):
            costs = position, position
        else:
            costs = position.average_cost, position.fifo_cost
        for found, cost in zip(gains.values(), costs, strict=True):
            known = held.value - cost if isinstance(cost, int) else Unknown(f"{held.name}: {cost.reason}")
            found.append(known)
    for name, found in gains.items():
        summary.put(name, total(found))
