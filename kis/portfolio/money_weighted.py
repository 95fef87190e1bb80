"""Money-weighted return: the one rate at which all money put in would have grown to what came out (IRR)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext

from kis.portfolio.returns import DayValue
from kis.portfolio.unknown import Unknown

DIGITS = 50  # powers of a daily rate over years eat some
CLOSE_ENOUGH = Decimal("1e-30")  # of a daily rate
PLACES = Decimal("1e-10")
HALF_A_WON = Decimal("0.5")
ONE_DAY = timedelta(days=1)
YEAR = 365
SHORT = Unknown("1년이 되지 않은 수익률은 연 수익률로 바꾸지 않습니다.")

Payments = list[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class MoneyWeighted:
    """Parts of one, rounded to ten places: over the whole period of so many days, and by the year as XIRR."""

    days: int
    period: Decimal
    annual: Decimal | Unknown


def money_weighted(days: Sequence[DayValue], *, before: int | None = None) -> MoneyWeighted | Unknown:
    """Return the internal rate of return of successive days, oldest first, with flows as in `time_weighted`.

    `before` is the value at the close before the first day; without it the period starts at the close of the first.
    Unknown where no rate fits, or where one that does cannot be shown to be the only one.
    """
    payments = _payments(days, before)
    if isinstance(payments, Unknown):
        return payments
    # The first payment dominates at high rates, the last at low ones: with both signs there is a rate in between.
    if not payments or payments[0][1] < 0 or payments[-1][1] > 0:
        return Unknown("넣은 돈과 남은 돈이 모두 있어야 금액가중 수익률을 낼 수 있습니다.")
    with localcontext(prec=DIGITS):
        daily = _root(payments)
        # Where the account never owed money, a higher rate leaves more at its end, so no other rate can fit.
        if min(_balances(payments, daily)[:-1]) < -HALF_A_WON:
            return Unknown("입출금이 엇갈려 금액가중 수익률이 하나로 정해지지 않습니다.")
        period = (payments[-1][0] - payments[0][0]).days
        return MoneyWeighted(
            days=period,
            period=(daily**period - 1).quantize(PLACES),
            annual=(daily**YEAR - 1).quantize(PLACES) if period >= YEAR else SHORT,
        )


def _payments(days: Sequence[DayValue], before: int | None) -> Payments | Unknown:
    """Return what went into the account (+) and came out (−), the rest as if it were withdrawn at the end."""
    if not days:
        return []
    first, last = days[0], days[-1]
    paid: defaultdict[date, int] = defaultdict(int)
    if before is None:
        paid[first.day] = first.value
        days = days[1:]
    else:
        paid[first.day - ONE_DAY] = before
    for today in days:
        if isinstance(today.flow, Unknown):
            return today.flow
        paid[today.day - ONE_DAY if today.flow > 0 else today.day] += today.flow
    paid[last.day] -= last.value
    return sorted((day, amount) for day, amount in paid.items() if amount)


def _balances(payments: Payments, daily: Decimal) -> list[Decimal]:
    """Return what the account would hold after each payment if it grew by the factor `daily` every day."""
    balance, day, balances = Decimal(0), payments[0][0], []
    for on, amount in payments:
        balance = balance * daily ** (on - day).days + amount
        day = on
        balances.append(balance)
    return balances


def _root(payments: Payments) -> Decimal:
    """Return a daily factor that leaves nothing over, by bisection."""
    low = high = Decimal(1)
    while _balances(payments, high)[-1] <= 0:
        high *= 2
    while _balances(payments, low)[-1] >= 0:
        low /= 2
    while high - low > CLOSE_ENOUGH:
        middle = (low + high) / 2
        if _balances(payments, middle)[-1] < 0:
            low = middle
        else:
            high = middle
    return high
