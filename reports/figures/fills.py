"""Today's fills, and whether the balance has seen the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time

from kis.models import KisExecution
from kis.models.books import Side
from kis.portfolio.day_change import StockDay


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
class Disagreement:
    """A stock of which the balance has seen other trades than the list of fills has; shares bought and sold."""

    name: str
    filled: int
    reported: int


@dataclass(frozen=True, slots=True)
class Fills:
    """Fills of the day, newest first; `cost` is the sum of the known costs.

    `filled` are the shares of the list, `reported` those that the balance says were traded (`thdt_buyqty`,
    `thdt_sll_qty`).
    """

    day: date
    rows: tuple[Fill, ...]
    bought: int
    sold: int
    amount: int  # both
    cost: int
    cost_is_estimated: bool
    cost_is_partial: bool
    filled: int
    reported: int
    disagreements: tuple[Disagreement, ...]


def fills_of(executions: Sequence[KisExecution], stocks: Sequence[StockDay], *, day: date) -> Fills:
    """Return the fills of a day. `stocks` is what the balance has seen of it."""
    rows = tuple(_fill(execution) for execution in executions)
    known = [row for row in rows if row.cost is not None]
    names = {row.stock_code: row.stock_name for row in executions} | {
        stock.code: stock.name for stock in stocks
    }
    filled = _filled(executions)
    reported = {(stock.code, Side.BUY): stock.bought for stock in stocks}
    reported |= {(stock.code, Side.SELL): stock.sold for stock in stocks}
    unlike = {
        code
        for code, side in filled.keys() | reported.keys()
        if filled.get((code, side), 0) != reported.get((code, side), 0)
    }
    return Fills(
        day=day,
        rows=rows,
        amount=sum(row.amount for row in rows),
        bought=sum(row.amount for row in rows if row.side is Side.BUY),
        sold=sum(row.amount for row in rows if row.side is Side.SELL),
        cost=sum(row.cost or 0 for row in known),
        cost_is_estimated=any(row.cost_is_estimated for row in known),
        cost_is_partial=len(known) < len(rows),
        filled=sum(filled.values()),
        reported=sum(reported.values()),
        disagreements=tuple(
            Disagreement(names[code], _of(filled, code), _of(reported, code)) for code in sorted(unlike)
        ),
    )


def _filled(executions: Sequence[KisExecution]) -> dict[tuple[str, Side], int]:
    shares: dict[tuple[str, Side], int] = {}
    for row in executions:
        key = (row.stock_code, Side(row.exec_type))
        shares[key] = shares.get(key, 0) + row.exec_qty
    return shares


def _of(shares: Mapping[tuple[str, Side], int], code: str) -> int:
    return shares.get((code, Side.BUY), 0) + shares.get((code, Side.SELL), 0)


def _fill(execution: KisExecution) -> Fill:
    costs = execution.costs
    return Fill(
        at=execution.exec_tmd,
        side=Side(execution.exec_type),
        name=execution.stock_name,
        quantity=execution.exec_qty,
        price=execution.exec_price,
        amount=execution.exec_amt,
        cost=None if costs is None else costs.total,
        cost_is_estimated=not execution.is_settled,
    )
