"""Compare our sums with the broker's own (대사); pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kis.client.records.balance import Balance
from kis.client.records.orders import OrderRecord, UnfilledRecord


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


def check_books(balance: Balance) -> list[Check]:
    """Return the comparisons of the balance with itself, agreeing or not."""
    held, totals = balance.held, balance.totals
    value = sum(row.value for row in held)
    checks = [
        Check("보유 평가금액 합", value, totals.stock_value),
        Check("매입금액 합", sum(row.cost for row in held), totals.cost),
        Check("평가손익 합", sum(row.profit for row in held), totals.profit),
        Check("평가 + D+2 현금", value + totals.d2_cash, totals.total_value),
    ]
    odd = [row for row in held if row.price * row.quantity != row.value]
    if odd:
        ours, theirs = sum(row.price * row.quantity for row in odd), sum(row.value for row in odd)
        checks.append(Check("현재가 × 수량", ours, theirs, row=named((row.name, row.code) for row in odd)))
    return checks


def check_fills(balance: Balance, todays_orders: Sequence[OrderRecord]) -> Check:
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
    return Check(
        "오늘 체결 수량",
        sum(filled.values()),
        sum(reported.values()),
        unit="주",
        row=named((names[code], code) for code in unlike),
    )


def check_open_orders(
    unfilled: Sequence[UnfilledRecord], *, unknown: Sequence[UnfilledRecord], missing: Sequence[OrderRecord]
) -> Check:
    """Orders waiting: what the list of all orders says against the list of open ones."""
    ours = len(unfilled) - len(unknown) + len(missing)
    return Check(
        "미체결 주문",
        ours,
        len(unfilled),
        unit="건",
        row=named(
            [*((row.name, row.number) for row in unknown), *((row.name, row.number) for row in missing)]
        ),
    )


def named(pairs: Iterable[tuple[str, str]]) -> str:
    """Write the first few rows of a difference."""
    return ", ".join(f"{name} {code}" for name, code in list(pairs)[:3])
