"""A position in one stock, replayed from its trades by moving average and FIFO side by side."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Literal

from kis import korean
from kis.client.records.orders import Side
from kis.portfolio.costs import Costs
from kis.portfolio.unknown import Unknown, total

#: 이동평균 as the broker's balance, and 선입선출.
Method = Literal["average", "fifo"]

MIXED = Unknown(
    "처음부터 있던 주식은 산 날과 값을 하나하나 알 수 없어, 모두 팔릴 때까지 선입선출 원가를 낼 수 없습니다."
)


@dataclass(frozen=True, slots=True)
class Trade:
    """What was traded of one order, or one fill of it: shares, won, and its costs. Trades of a day run by time."""

    day: date
    at: time
    number: str  # of the order; tells trades of one moment apart
    side: Side
    quantity: int
    amount: int
    costs: Costs

    def __post_init__(self) -> None:
        if self.quantity <= 0 or self.amount < 0:
            raise ValueError("a trade has shares, and an amount of 0 or more")


@dataclass(frozen=True, slots=True)
class Split:
    """Before the trades of `day`, `old` shares became `new`; a merger has fewer new than old, a bonus issue more.

    `cash` is what was paid for the fraction of a share left over (단주대금), in won; None while it is not known.
    """

    day: date
    new: int
    old: int
    cash: int | None = None

    def __post_init__(self) -> None:
        if self.new <= 0 or self.old <= 0:
            raise ValueError("a split has shares before and after")


@dataclass(frozen=True, slots=True)
class Opening:
    """Shares known from a snapshot only, with what they cost in all."""

    quantity: int
    cost: int

    def __post_init__(self) -> None:
        if self.quantity <= 0 or self.cost < 0:
            raise ValueError("an opening has shares, and a cost of 0 or more")


@dataclass(frozen=True, slots=True)
class Gain:
    """What one sale brought, in won. `cost` is without costs, as the broker's 매입금액; `costs` are the sale's own."""

    proceeds: int
    cost: int
    costs: int

    @property
    def before_costs(self) -> int:
        return self.proceeds - self.cost

    @property
    def after_costs(self) -> int:
        return self.proceeds - self.cost - self.costs


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale, or the fraction of a share that a split paid for, under both methods."""

    of: Trade | Split
    average: Gain | Unknown
    fifo: Gain | Unknown

    @property
    def day(self) -> date:
        return self.of.day


@dataclass(frozen=True, slots=True)
class Position:
    """What is held after all: shares, and won paid for them, without costs, under both methods."""

    quantity: int | Unknown
    average_cost: int | Unknown
    fifo_cost: int | Unknown

    def unrealised(self, price: int, *, method: Method = "average") -> int | Unknown:
        """Return the profit in won if all were worth `price` a share, before the costs of a sale."""
        cost = self.average_cost if method == "average" else self.fifo_cost
        if isinstance(self.quantity, Unknown):
            return self.quantity
        return cost if isinstance(cost, Unknown) else self.quantity * price - cost


@dataclass(frozen=True, slots=True)
class History:
    """The position that the trades lead to and the sales on the way, oldest first."""

    position: Position
    sales: tuple[Sale, ...]
    buy_costs: Mapping[date, int]

    def realised(
        self, *, method: Method = "average", after_costs: bool = True, on: date | None = None
    ) -> int | Unknown:
        """Return the profit of all sales, or of those on one day, in won."""
        gains = (
            sale.average if method == "average" else sale.fifo
            for sale in self.sales
            if on is None or on == sale.day
        )
        return total(
            gain if isinstance(gain, Unknown) else gain.after_costs if after_costs else gain.before_costs
            for gain in gains
        )

    def broker_profit(self, on: date, *, method: Method = "average") -> int | Unknown:
        """Return the profit of a day as the broker's 실현손익 counts it: less the commission on that day's purchases."""
        return total([self.realised(method=method, on=on), -self.buy_costs.get(on, 0)])


def replay(events: Iterable[Trade | Split], *, opening: Opening | None = None) -> History:
    """Play trades and splits of one stock, in any order given, from nothing or from an opening.

    Where more is sold than is known to be there, that sale and everything after it are Unknown: shares came from
    somewhere, and how many more there are nobody can tell.
    """
    book = _Book(opening)
    for event in sorted(events, key=_moment):
        if isinstance(event, Split):
            book.split(event)
        elif event.side is Side.BUY:
            book.buy(event)
        else:
            book.sell(event)
    return History(book.position(), tuple(book.sales), dict(book.buy_costs))


def _moment(event: Trade | Split) -> tuple[date, bool, time, str]:
    if isinstance(event, Split):
        return event.day, False, time.min, ""
    return event.day, True, event.at, event.number


def _cost_left(cost: int, left: int, whole: int) -> int:
    """Return what the rest of some shares cost, rounded as the broker's balance is."""
    return round(Decimal(cost) * left / whole)


@dataclass(slots=True)
class _Part:
    """Shares bought together. `mixed` are those of an opening: what all of them cost is known, what some cost is not."""

    units: int
    cost: int | Unknown
    mixed: bool = False

    def take(self, units: int) -> int | Unknown:
        """Take units out and return what they cost."""
        left, whole, cost = self.units - units, self.units, self.cost
        self.units = left
        if isinstance(cost, Unknown) or (self.mixed and left):
            self.cost = MIXED
            return MIXED
        self.cost = _cost_left(cost, left, whole)
        return cost - self.cost


class _Fifo:
    """Parts in the order they were bought. Shares are counted in units, so that splits leave no fractions."""

    def __init__(self) -> None:
        self.parts: deque[_Part] = deque()
        self.units_per_share = 1

    def add(self, quantity: int, cost: int, *, mixed: bool = False) -> None:
        self.parts.append(_Part(quantity * self.units_per_share, cost, mixed))

    def take(self, units: int) -> int | Unknown:
        """Take the oldest units out and return what they cost. There must be enough of them."""
        costs = []
        while units:
            oldest = self.parts[0]
            taken = min(units, oldest.units)
            costs.append(oldest.take(taken))
            units -= taken
            if not oldest.units:
                self.parts.popleft()
        return total(costs)

    def split(self, event: Split) -> int | Unknown:
        """Change the shares and return what the fraction left over cost; it goes first, as the oldest."""
        for part in self.parts:
            part.units *= event.new
        self.units_per_share *= event.old
        return self.take(sum(part.units for part in self.parts) % self.units_per_share)

    @property
    def cost(self) -> int | Unknown:
        return total(part.cost for part in self.parts)


@dataclass(slots=True)
class _Book:
    """The state of a replay. `lost` is set once the number of shares is no longer known."""

    opening: Opening | None
    quantity: int = 0
    cost: int = 0
    fifo: _Fifo = field(default_factory=_Fifo)
    lost: Unknown | None = None
    sales: list[Sale] = field(default_factory=list)
    buy_costs: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        if self.opening is not None:
            self.quantity, self.cost = self.opening.quantity, self.opening.cost
            self.fifo.add(self.quantity, self.cost, mixed=True)

    def buy(self, trade: Trade) -> None:
        self.quantity += trade.quantity
        self.cost += trade.amount
        self.fifo.add(trade.quantity, trade.amount)
        self.buy_costs[trade.day] += trade.costs.total

    def sell(self, trade: Trade) -> None:
        if self.lost is None and trade.quantity > self.quantity:
            self.lost = Unknown(
                f"{korean.day(trade.day)}에 {trade.quantity:,}주를 팔았으나 그때까지 알려진 주식은 {self.quantity:,}주여서, "
                "그 매도부터는 원가를 알 수 없습니다."
            )
        if self.lost is not None:
            self.sales.append(Sale(trade, self.lost, self.lost))
            return
        left = self.quantity - trade.quantity
        cost = self._keep(left, left, self.quantity)
        fifo_cost = self.fifo.take(trade.quantity * self.fifo.units_per_share)
        self._sold(trade, proceeds=trade.amount, costs=trade.costs.total, cost=cost, fifo_cost=fifo_cost)

    def split(self, event: Split) -> None:
        if self.lost is not None or not self.quantity:
            return
        units = self.quantity * event.new
        quantity, fraction = divmod(units, event.old)
        cost = self._keep(quantity, quantity * event.old, units)
        fifo_cost = self.fifo.split(event)
        if fraction and event.cash is not None:
            self._sold(event, proceeds=event.cash, costs=0, cost=cost, fifo_cost=fifo_cost)
        elif fraction or event.cash:
            why = "단주의 대금을 아직 모릅니다" if fraction else "단주가 없는데 단주대금이 있습니다"
            unknown = Unknown(f"{korean.day(event.day)} 주식 분할·병합: {why}.")
            self.sales.append(Sale(event, unknown, unknown))

    def _keep(self, quantity: int, left: int, whole: int) -> int:
        """Keep `left` of `whole` at the moving average, and return what the others cost."""
        before, self.cost = self.cost, _cost_left(self.cost, left, whole)
        self.quantity = quantity
        return before - self.cost

    def _sold(
        self, of: Trade | Split, *, proceeds: int, costs: int, cost: int, fifo_cost: int | Unknown
    ) -> None:
        fifo = fifo_cost if isinstance(fifo_cost, Unknown) else Gain(proceeds, fifo_cost, costs)
        self.sales.append(Sale(of, Gain(proceeds, cost, costs), fifo))

    def position(self) -> Position:
        if self.lost is not None:
            return Position(self.lost, self.lost, self.lost)
        return Position(self.quantity, self.cost, self.fifo.cost)
