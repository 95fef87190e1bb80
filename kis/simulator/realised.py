"""Realised profit by moving average, replayed from the fills of an account; pure."""

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, field
from datetime import date, datetime
from decimal import Decimal

from kis.simulator.ledger import Account, Lot, commission
from kis.simulator.orders import Order
from kis.simulator.splits import Split
from kis.simulator.wire import percent


@dataclass(slots=True)
class Realised:
    """Sums over some trades, in won and shares.

    `profit` is after all costs of these trades, those of the purchases included, so that it is what cash and cost of
    the holdings together have grown by.
    """

    bought_quantity: int = 0
    bought_amount: int = 0
    sold_quantity: int = 0
    sold_amount: int = 0
    cost_of_sold: int = 0
    buy_commission: int = 0
    sell_commission: int = 0
    sale_tax: int = 0

    def __add__(self, other: "Realised") -> "Realised":
        return Realised(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def commission(self) -> int:
        return self.buy_commission + self.sell_commission

    @property
    def costs(self) -> int:
        return self.commission + self.sale_tax

    @property
    def gross(self) -> int:
        return self.sold_amount - self.cost_of_sold

    @property
    def profit(self) -> int:
        return self.gross - self.costs

    @property
    def profit_percent(self) -> Decimal:
        """Profit on what was paid for the sold shares; of nothing sold, 0."""
        return percent(self.profit, self.cost_of_sold)


@dataclass(slots=True)
class StockDay:
    """What was traded of one stock on one day, and the lot that was left."""

    day: date
    code: str
    lot: Lot
    sums: Realised = field(default_factory=Realised)


def stock_days(
    account: Account, *, splits: Iterable[Split], costs: Callable[[Order, int], int], until: datetime
) -> dict[tuple[date, str], StockDay]:
    """Replay the fills up to `until`, day by day and stock by stock; shares are those of their day.

    `costs` returns commission and tax together when an amount of an order is traded.
    """
    lots = dict(account.opening)
    days: dict[tuple[date, str], StockDay] = {}
    for event in account.timeline(splits, until=until):
        if isinstance(event, Split):
            if event.code in lots and lots[event.code].quantity:
                lots[event.code], _ = lots[event.code].split(event)
            continue
        order, fill = event
        lot = lots.get(order.code, Lot(0, 0))
        part = days.setdefault((order.day, order.code), StockDay(order.day, order.code, lot))
        sums = part.sums
        amount = fill.quantity * fill.price
        if order.side == "buy":
            part.lot = lot.bought(fill.quantity, amount)
            sums.bought_quantity += fill.quantity
            sums.bought_amount += amount
        else:
            part.lot = lot.sold(fill.quantity)
            sums.sold_quantity += fill.quantity
            sums.sold_amount += amount
            sums.cost_of_sold += lot.cost - part.lot.cost
        lots[order.code] = part.lot
    for order in (order.as_seen(until) for order in account.orders):
        if order.fills:
            _charge(days[order.day, order.code].sums, order, costs(order, order.amount))
    return days


def _charge(sums: Realised, order: Order, costs: int) -> None:
    """Split the costs of an order, which are truncated once per order, not per fill."""
    fee = commission(order.amount)
    if order.side == "buy":
        sums.buy_commission += fee
    else:
        sums.sell_commission += fee
        sums.sale_tax += costs - fee


def total(parts: Iterable[StockDay]) -> Realised:
    return sum((part.sums for part in parts), Realised())
