"""Why the total of an account changed since the close before, to the won.

An account is its stocks and its cash at D+2, so its change is the prices of what was held, what the day's trades won or
lost against the prices of now, their costs, and cash that came or went. What is left over nobody can explain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kis.portfolio.returns import residual_flow
from kis.portfolio.unknown import Unknown, total

NO_CLOSE_BEFORE = Unknown("전일 마감 자료가 없어 입출금을 나눌 수 없습니다.")
MOVED_SINCE = Unknown("전일의 마지막 기록과 증권사의 전일 자산이 달라 입출금을 나눌 수 없습니다.")


@dataclass(frozen=True, slots=True)
class StockDay:
    """One stock as the balance has it: shares held now and traded today, its price now and at the close before."""

    code: str
    name: str
    quantity: int
    bought: int
    sold: int
    price: int
    price_before: int | Unknown

    @property
    def quantity_before(self) -> int:
        return self.quantity - self.bought + self.sold

    @property
    def value_before(self) -> int | Unknown:
        if not self.quantity_before:
            return 0
        if isinstance(self.price_before, Unknown):
            return self.price_before
        return self.quantity_before * self.price_before

    @property
    def moved(self) -> int | Unknown:
        """What the change of its price did to the shares that were there at the close before."""
        before = self.value_before
        return before if isinstance(before, Unknown) else self.quantity_before * self.price - before


@dataclass(frozen=True, slots=True)
class Traded:
    """The broker's own sums of the day, in won."""

    bought: int
    sold: int
    costs: int


@dataclass(frozen=True, slots=True)
class Close:
    """What our books say the account was worth at the close before, in won."""

    total: int
    stocks: int
    cash: int


@dataclass(frozen=True, slots=True)
class DayChange:
    """The change of a day and its causes, in won; they add up to `total`, as `unexplained` is whatever is left.

    `trades` is what the day's purchases and sales won against the prices of now, `costs` is 0 or less. Where `flow` is
    Unknown, it is part of what is unexplained.
    """

    before: int
    total: int
    stocks: tuple[StockDay, ...]
    trades: int
    costs: int
    flow: int | Unknown

    @property
    def moves(self) -> tuple[tuple[StockDay, int], ...]:
        """The stocks whose price moved the account, by what it did, the largest gain first."""
        known = [(stock, stock.moved) for stock in self.stocks]
        moved = [(stock, amount) for stock, amount in known if isinstance(amount, int) and amount]
        return tuple(sorted(moved, key=lambda pair: (-pair[1], pair[0].code)))

    @property
    def unpriced(self) -> tuple[StockDay, ...]:
        """The stocks whose close before nobody knows; what they did is unexplained."""
        return tuple(stock for stock in self.stocks if isinstance(stock.moved, Unknown))

    @property
    def unexplained(self) -> int:
        flow = 0 if isinstance(self.flow, Unknown) else self.flow
        return self.total - sum(amount for _, amount in self.moves) - self.trades - self.costs - flow

    @property
    def profit(self) -> int | Unknown:
        """The change without deposits and withdrawals."""
        return self.flow if isinstance(self.flow, Unknown) else self.total - self.flow


def day_change(
    stocks: Sequence[StockDay],
    *,
    before: int,
    now: int,
    cash: int,
    traded: Traded,
    earlier: Close | None,
) -> DayChange:
    """Explain how an account went from `before` to `now`, both the broker's totals; `cash` is that of D+2.

    `earlier` is the last that our books know of the days before.
    """
    held = sum((stock.bought - stock.sold) * stock.price for stock in stocks)
    value_before = total(stock.value_before for stock in stocks)
    return DayChange(
        before=before,
        total=now - before,
        stocks=tuple(stocks),
        trades=held - traded.bought + traded.sold,
        costs=-traded.costs,
        flow=_flow(earlier, before=before, value_before=value_before, cash=cash, traded=traded),
    )


def _flow(
    earlier: Close | None, *, before: int, value_before: int | Unknown, cash: int, traded: Traded
) -> int | Unknown:
    """Return deposits less withdrawals since the close before.

    Cash that moved between our last look and the broker's end of that day is part of the broker's total of it already.
    Shares that did so are not, as nobody knows at what price.
    """
    if earlier is None:
        return NO_CLOSE_BEFORE
    late = before - earlier.total
    if late and value_before != earlier.stocks:
        return MOVED_SINCE
    return residual_flow(
        previous_cash=earlier.cash + late,
        cash=cash,
        bought=traded.bought,
        sold=traded.sold,
        costs=traded.costs,
    )
