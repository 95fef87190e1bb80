"""Compare our sums with the broker's own (대사); pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from kis.client.records.balance import Balance, BalanceTotals
from kis.client.records.orders import OrderRecord, UnfilledRecord
from kis.portfolio.cash import Ladder, still_to_settle

FILLS_OF_TODAY = "오늘 체결 수량"
QUANTITIES = "수량 변화 = 체결"


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison. `row` names what explains a difference, where something does.

    Up to `tolerance` the two count as equal: rounding that nobody can look into. It is then said in `row`.
    """

    name: str
    ours: int
    broker: int
    unit: str = "원"
    row: str = ""
    tolerance: int = 0

    @property
    def difference(self) -> int:
        """What the broker has more than we do."""
        difference = self.broker - self.ours
        return difference if abs(difference) > self.tolerance else 0

    def as_json(self) -> dict[str, Any]:
        values = {**asdict(self), "difference": self.difference}
        if not self.tolerance:
            del values["tolerance"]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Check":
        return cls(
            name=values["name"],
            ours=values["ours"],
            broker=values["broker"],
            unit=values["unit"],
            row=values["row"],
            tolerance=values.get("tolerance", 0),
        )


def checks_of(stored: Iterable[Mapping[str, Any]]) -> list[Check]:
    """Read the comparisons of a run as they are stored."""
    return [Check.from_json(values) for values in stored]


def badge_of(checks: Sequence[Check]) -> str:
    """Say in a word or two how all comparisons of a run came out."""
    if not checks:
        return "대사 없음"
    differing = sum(1 for check in checks if check.difference)
    return f"차이 {differing}건" if differing else "일치"


def check_books(balance: Balance) -> list[Check]:
    """Return the comparisons of the balance with itself, agreeing or not."""
    held, totals = balance.held, balance.totals
    value = sum(row.value for row in held)
    odd = [row for row in held if row.price * row.quantity != row.value]
    odd_value = named((row.name, row.code) for row in odd)
    odd_profit = named((row.name, row.code) for row in held if row.value - row.cost != row.profit)
    checks = [
        explained(Check("보유 평가금액 합", value, totals.stock_value), [odd_value]),
        explained(Check("매입금액 합", sum(row.cost for row in held), totals.cost), [odd_profit]),
        explained(Check("평가손익 합", sum(row.profit for row in held), totals.profit), [odd_profit]),
        explained(Check("평가 + D+2 현금", value + totals.d2_cash, totals.total_value), [odd_value]),
    ]
    if odd:
        ours, theirs = sum(row.price * row.quantity for row in odd), sum(row.value for row in odd)
        checks.append(Check("현재가 × 수량", ours, theirs, row=odd_value))
    return checks


def check_fills(balance: Balance, todays_orders: Sequence[OrderRecord]) -> Check:
    """Shares traded today: the sum of the fills against the sum over the balance's rows."""
    filled: dict[str, int] = {}
    for order in todays_orders:
        if order.filled:
            filled[order.code] = filled.get(order.code, 0) + order.filled
    reported = {row.code: row.bought_today + row.sold_today for row in balance.rows}
    names = {order.code: order.name for order in todays_orders} | {row.code: row.name for row in balance.rows}
    unlike = unlike_shares(FILLS_OF_TODAY, ours=filled, broker=reported, names=names)
    return unlike or Check(FILLS_OF_TODAY, sum(filled.values()), sum(reported.values()), unit="주")


def suspects(checks: Iterable[Check]) -> str:
    """Return the stocks whose fills of today do not agree: what the cash differs by is theirs."""
    return next((check.row for check in checks if check.name == FILLS_OF_TODAY and check.difference), "")


def unlike_shares(
    name: str, *, ours: Mapping[str, int], broker: Mapping[str, int], names: Mapping[str, str]
) -> Check | None:
    """Compare shares stock by stock; None where all agree.

    The shares of stocks that have too many and of those that have too few are not added up, which could look like none.
    """
    apart = {code: broker.get(code, 0) - ours.get(code, 0) for code in sorted(ours.keys() | broker.keys())}
    apart = {code: difference for code, difference in apart.items() if difference}
    if not apart:
        return None
    order = sorted(apart, key=lambda code: -abs(apart[code]))
    same_sign = [code for code in order if (apart[code] > 0) == (apart[order[0]] > 0)]
    return Check(
        name,
        sum(ours.get(code, 0) for code in same_sign),
        sum(broker.get(code, 0) for code in same_sign),
        unit="주",
        row=named((names.get(code, code), code) for code in order),
    )


def check_open_orders(
    unfilled: Sequence[UnfilledRecord], *, unknown: Sequence[UnfilledRecord], missing: Sequence[OrderRecord]
) -> Check:
    """Orders waiting: what the list of all orders says against the list of open ones."""
    # As many too many as too few would look like none.
    ours = len(unfilled) - len(unknown) if unknown else len(unfilled) + len(missing)
    return Check(
        "미체결 주문",
        ours,
        len(unfilled),
        unit="건",
        row=named(
            [*((row.name, row.number) for row in unknown), *((row.name, row.number) for row in missing)]
        ),
    )


@dataclass(frozen=True, slots=True)
class DayTrades:
    """What the books have of one day's fills, in won.

    `guessed` are stocks sold whose market nobody knew, by name and code, and `guessed_tax` is the tax on these sales, the
    most there is: other markets and funds pay less.
    """

    bought: int = 0
    sold: int = 0
    costs: int = 0
    orders: int = 0
    guessed: tuple[tuple[str, str], ...] = ()
    guessed_tax: int = 0


def check_cash(
    ladder: Ladder, totals: BalanceTotals, *, yesterday: DayTrades, today: DayTrades, suspects: str = ""
) -> list[Check]:
    """Cash from D+0 to D+1 is what was traded on the last business day, from D+1 to D+2 what was traded today.

    Costs are the broker's own here, so that a rate of ours that is wrong shows in the comparison of costs alone.
    `suspects` are the stocks whose fills do not agree.
    """
    to_next, to_last = still_to_settle(ladder)
    before = odd_amounts("전일", yesterday, bought=totals.bought_yesterday, sold=totals.sold_yesterday)
    now = odd_amounts("오늘", today, bought=totals.bought_today, sold=totals.sold_today)
    settles_next = yesterday.sold - yesterday.bought - totals.costs_yesterday
    settles_last = today.sold - today.bought - totals.costs_today
    next_reasons = [*(check.name for check in before), ladder.steps[1][0]]
    last_reasons = [suspects, *(check.name for check in now), ladder.steps[2][0]]
    return [
        *(replace(check, row=suspects) for check in now),
        *before,
        explained(Check("D+1 현금 흐름", settles_next, to_next.amount), next_reasons),
        explained(Check("D+2 현금 흐름", settles_last, to_last.amount), last_reasons),
    ]


def explained(check: Check, reasons: Iterable[str | None]) -> Check:
    """Write the first thing that is to blame beside a comparison that does not agree."""
    return replace(check, row=next(filter(None, reasons), "")) if check.difference else check


def odd_amounts(which: str, trades: DayTrades, *, bought: int, sold: int) -> list[Check]:
    """Return the amounts of a day's fills that are not the broker's."""
    checks = (
        Check(f"{which} 매수금액", trades.bought, bought),
        Check(f"{which} 매도금액", trades.sold, sold),
    )
    return [check for check in checks if check.difference]


def check_costs(totals: BalanceTotals, today: DayTrades, *, setting: str) -> Check:
    """Today's costs by our tables against `thdt_tlex_amt`, give or take a won of rounding an order.

    `setting` is where the owner's commission is written.
    """
    check = Check("오늘 비용", today.costs, totals.costs_today, tolerance=today.orders)
    if check.difference:
        is_tax = 0 < -check.difference <= today.guessed_tax + today.orders
        guessed = f"시장을 모르는 종목 {named(today.guessed)}" if is_tax else ""
        return explained(check, [guessed, f"수수료율 설정 {setting}"])
    if check.ours != check.broker:
        return replace(check, row=f"반올림 {today.orders}원까지 일치로 봄 (주문마다 1원)")
    return check


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares by stock code, and the names of the stocks."""

    quantities: Mapping[str, int]
    names: Mapping[str, str]


def check_quantities(before: Mapping[str, int], traded: Mapping[str, int], now: Shares) -> Check:
    """Shares held against those of the snapshot before and what was bought and sold in between, stock by stock."""
    codes = before.keys() | traded.keys()
    expected = {code: before.get(code, 0) + traded.get(code, 0) for code in codes}
    unlike = unlike_shares(QUANTITIES, ours=expected, broker=now.quantities, names=now.names)
    compared = len(
        {code for code in codes | now.quantities.keys() if expected.get(code) or now.quantities.get(code)}
    )
    return unlike or Check(QUANTITIES, compared, compared, unit="종목")


def named(pairs: Iterable[tuple[str, str]]) -> str:
    """Write the first few rows of a difference."""
    return ", ".join(f"{name} {code}" for name, code in list(pairs)[:3])
