"""Today's fills."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

from kis.models import KisExecution
from kis.models.books import Side


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


def fills_of(executions: Sequence[KisExecution]) -> Fills:
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
