"""Compare our sums with the broker's own (대사); pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kis.client.records import Balance, OrderRecord


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison. `row` names the stock that explains a difference, where one does."""

    name: str
    ours: int
    broker: int
    unit: str = "원"
    row: str = ""

    @property
    def difference(self) -> int:
        """What the broker has more than we do."""
        return self.broker - self.ours

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "difference": self.difference}


def check_books(balance: Balance, todays_orders: Sequence[OrderRecord]) -> list[Check]:
    """Return every comparison of one snapshot, agreeing or not. `todays_orders` are the orders of the snapshot's day."""
    held, totals = balance.held, balance.totals
    return [
        Check("보유 평가금액 합", sum(row.value for row in held), totals.stock_value),
        Check("매입금액 합", sum(row.cost for row in held), totals.cost),
        Check("평가손익 합", sum(row.profit for row in held), totals.profit),
        Check("평가 + D+2 현금", sum(row.value for row in held) + totals.d2_cash, totals.total_value),
        fills_against_balance(balance, todays_orders),
    ]


def fills_against_balance(balance: Balance, todays_orders: Sequence[OrderRecord]) -> Check:
    """Shares traded today: the sum of the fills against the sum over the balance's rows."""
    filled: dict[str, int] = {}
    for order in todays_orders:
        if order.filled:
            filled[order.code] = filled.get(order.code, 0) + order.filled
    reported = {row.code: row.bought_today + row.sold_today for row in balance.rows}
    names = {order.code: order.name for order in todays_orders} | {row.code: row.name for row in balance.rows}
    unlike = [
        code for code in sorted(filled.keys() | reported) if filled.get(code, 0) != reported.get(code, 0)
    ]
    row = ", ".join(f"{names[code]} {code}" for code in unlike[:3])
    return Check("오늘 체결 수량", sum(filled.values()), sum(reported.values()), unit="주", row=row)
