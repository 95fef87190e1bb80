"""Explain the change in cash between two closes: trades, their costs, and what came or went beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kis.calendar import ONE_DAY, business_day_before, business_days
from kis.korean import day, number
from kis.models import KisDepositLog, KisExecution
from kis.models.books import Side
from kis.models.days import State
from kis.portfolio.returns import residual_flow
from kis.portfolio.unknown import Unknown
from kis.sync.day_books import DayBooks, Point, covered
from kis.sync.day_shares import changes_of, expected, explained_by

NO_LOG_BEFORE = Unknown("첫 기록이어서 그 전의 현금을 알 수 없습니다.")
#: What the balance repeats of the business day before: bought, sold, fee and tax in one.
YESTERDAY = ("bfdy_buy_amt", "bfdy_sll_amt", "bfdy_tlex_amt")


@dataclass(frozen=True, slots=True)
class Traded:
    """Trades in won; `costs` are fee and tax in one, as the broker's balance has them."""

    bought: int = 0
    sold: int = 0
    costs: int = 0

    def __add__(self, other: "Traded") -> "Traded":
        return Traded(self.bought + other.bought, self.sold + other.sold, self.costs + other.costs)

    def __sub__(self, other: "Traded") -> "Traded":
        return Traded(self.bought - other.bought, self.sold - other.sold, self.costs - other.costs)


def put_cash(log: KisDepositLog, point: Point, books: DayBooks) -> None:
    """Write into an unsaved log what moved the cash up to this close."""
    account = point.account
    log.kis_account = account
    log.d0_cash, log.d1_cash, log.d2_cash = account.deposit, account.d1_cash, account.available
    before = books.compared_with(point)
    log.previous_account = before.account if before else None
    log.previous_date = before.day if before else None
    if before is None:
        for name in KisDepositLog.FIGURES:
            log.put(name, NO_LOG_BEFORE)
        log.state = State.FINAL
        return
    previous = before.account.available
    log.put("previous_cash", previous)
    log.put("change", account.available - previous)
    put_trades(log, before, point, books)
    fills = [fill for on in days_of(before, point) for fill in books.fills_on(on)]
    log.state = State.FINAL if all(fill.is_settled for fill in fills) else State.ESTIMATED


def put_trades(log: KisDepositLog, before: Point, after: Point, books: DayBooks) -> None:
    traded = traded_between(before, after, books)
    if isinstance(traded, Unknown):
        for name in ("buy_amt", "sell_amt", "fee", "tax", "flow"):
            log.put(name, traded)
        return
    log.put("buy_amt", traded.bought)
    log.put("sell_amt", traded.sold)
    tax = tax_between(before, after, books)
    if tax is None or not 0 <= tax <= traded.costs:
        unknown = Unknown(f"수수료와 세금을 나눌 수 없습니다. 합계는 {number(traded.costs)}원입니다.")
        log.put("fee", unknown)
        log.put("tax", unknown)
    else:
        log.put("fee", traded.costs - tax)
        log.put("tax", tax)
    flow = residual_flow(
        previous_cash=before.account.available,
        cash=after.account.available,
        bought=traded.bought,
        sold=traded.sold,
        costs=traded.costs,
    )
    log.put("flow", shares_beside_trades(before, after, books) or flow)


# --- won -------------------------------------------------------------------------------------------------------------


def days_of(before: Point, after: Point) -> list[date]:
    """Return the days on which something may have been traded between two moments, theirs included."""
    days = {before.day, after.day, *business_days(before.day, after.day)}
    return sorted(days)


def traded_between(before: Point, after: Point, books: DayBooks) -> Traded | Unknown:
    """Return what was traded between two snapshots, by what the broker's own cash follows from wherever it says.

    That is the balance: today's trades, and those of the business day before, which also has what was traded after its
    close. Only days in between that no balance speaks of are taken from the fills.
    """
    so_far = Traded(before.bought, before.sold, before.costs)
    today = Traded(after.bought, after.sold, after.costs)
    if before.day == after.day:
        return today - so_far
    whole = today
    for on in [before.day, *business_days(before.day + ONE_DAY, after.day - ONE_DAY)]:
        seen = so_far if on == before.day else Traded()
        rest = yesterday_of(after, on, books, seen=seen) or traded_on(on, books, seen=seen)
        if isinstance(rest, Unknown):
            return rest
        whole += rest - seen
    return whole


def yesterday_of(point: Point, on: date, books: DayBooks, *, seen: Traded) -> Traded | None:
    """Return the trades of the business day before a snapshot as its balance repeats them.

    None where it does not, or has less than what was known before.
    """
    if on != business_day_before(point.day):
        return None
    totals: Mapping[str, object] = point.account.raw_json.get("output2", {})
    try:
        whole = Traded(*(int(str(totals[name])) for name in YESTERDAY))
    except (KeyError, ValueError):
        return None
    fills = books.fills_on(on)
    bought, sold = amount_of(fills, Side.BUY), amount_of(fills, Side.SELL)
    return whole if whole.bought >= max(bought, seen.bought) and whole.sold >= max(sold, seen.sold) else None


def traded_on(on: date, books: DayBooks, *, seen: Traded) -> Traded | Unknown:
    """Return the trades of a day from the fills; `seen` of them were in the snapshot before."""
    if unknown := books.fills_unknown(on):
        return unknown
    fills = books.fills_on(on)
    bought, sold = amount_of(fills, Side.BUY), amount_of(fills, Side.SELL)
    if bought < seen.bought or sold < seen.sold:
        return Unknown(f"{day(on)}의 체결 내역이 증권사의 합계보다 적습니다.")
    if (bought, sold) == (seen.bought, seen.sold):
        return seen  # the broker's own costs are in it
    costs = [fill.costs for fill in fills]
    if None in costs:
        return Unknown(f"{day(on)} 체결의 수수료와 세금을 아직 모릅니다.")
    return Traded(bought, sold, sum(cost.total for cost in costs if cost))


def amount_of(fills: Iterable[KisExecution], side: Side) -> int:
    return sum(fill.exec_amt for fill in fills if fill.exec_type == side)


def tax_between(before: Point, after: Point, books: DayBooks) -> int | None:
    """Return the sale tax of the fills between two snapshots; None where it is not known which or how much."""
    taxes: list[int | None] = []
    for on in days_of(before, after):
        for code, fills in by_stock(books.fills_on(on)).items():
            if all(fill.tax == 0 for fill in fills):
                continue  # whichever of them a snapshot had, purchases and funds pay none
            first = covered(before, code, fills) if on == before.day else 0
            last = covered(after, code, fills) if on == after.day else len(fills)
            if first is None or last is None:
                return None
            taxes += [fill.tax for fill in fills[first:last]]
    return None if None in taxes else sum(tax for tax in taxes if tax)


def by_stock(fills: Iterable[KisExecution]) -> dict[str, list[KisExecution]]:
    found: dict[str, list[KisExecution]] = {}
    for fill in fills:
        found.setdefault(fill.stock_code, []).append(fill)
    return found


# --- shares ----------------------------------------------------------------------------------------------------------


def shares_beside_trades(before: Point, after: Point, books: DayBooks) -> Unknown | None:
    """Return why the flow of cash is not all that came or went: shares did, without a trade or a split.

    Today's trades are those of the balance, so that a fill that comes late does not look like that.
    """
    odd: list[str] = []
    between = [fill for on in days_of(before, after) for fill in books.fills_on(on) if on < after.day]
    traded = by_stock(between)
    for code in sorted(before.held.keys() | after.held.keys() | traded.keys()):
        first, last = before.of_stock(code), after.of_stock(code)
        changes = changes_of(traded.get(code, []))
        changes = [*changes, (before.day, -first.net), (after.day, last.net)]
        # What the snapshot before had of its own day comes off first, as if it were the first of the day's trades.
        changes.sort(key=lambda change: change[0])
        splits = books.splits(code, after=before, until=after)
        if explained_by(first.quantity, changes, splits, found=last.quantity) is None:
            ours = expected(first.quantity, changes, ())
            name = last.name or first.name or code
            odd.append(f"{name} {number(ours)}주 ≠ {number(last.quantity)}주")
    if not odd:
        return None
    return Unknown(f"주식이 체결 없이 들어오거나 나갔습니다: {listed(odd)}. 그 값어치를 알 수 없습니다.")


def listed(parts: Sequence[str]) -> str:
    more = f" 외 {len(parts) - 3}종목" if len(parts) > 3 else ""  # noqa: PLR2004  # three fit on a line
    return ", ".join(parts[:3]) + more
