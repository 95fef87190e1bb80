"""Returns of an account day by day, with deposits and withdrawals kept apart from profit.

Convention: a deposit is there from the start of its day, a withdrawal until the end of it. Both keep the base of a day's
return at the most that was at work on it, so no day can look better because money came late or left early. Rates are
parts (0.01 is 1 %), unrounded unless a function says otherwise.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kis import korean
from kis.portfolio.unknown import Unknown

ONE = Decimal(1)
#: A month of days; fewer swing too much by chance.
FEWEST_RATES = 20
TRADING_DAYS = 252


@dataclass(frozen=True, slots=True)
class DayValue:
    """An account at the close of a day, in won: what it is worth, and deposits less withdrawals of the day."""

    day: date
    value: int
    flow: int | Unknown = 0


@dataclass(frozen=True, slots=True)
class DayReturn:
    """One day. `profit` is in won, `rate` the day's return, `cumulative` the return up to its close, time-weighted."""

    day: date
    profit: int | Unknown
    rate: Decimal | Unknown
    cumulative: Decimal | Unknown


@dataclass(frozen=True, slots=True)
class Comparison:
    """Cumulative returns up to the close of a day. `excess` is ours less the index's."""

    day: date
    ours: Decimal
    index: Decimal

    @property
    def excess(self) -> Decimal:
        return self.ours - self.index


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall, 0 or less, from the highest close before it. `peak` is None where that is the beginning."""

    rate: Decimal
    peak: date | None
    trough: date | None


@dataclass(frozen=True, slots=True)
class Fall:
    """How far a day's close lies below the highest one up to it, 0 or less."""

    day: date
    rate: Decimal


def residual_flow(
    *, previous_cash: int, cash: int, bought: int, sold: int, costs: int, income: int = 0
) -> int:
    """Return the deposits less withdrawals of a day: what trades and known income leave of the change in cash.

    Cash is D+2, which has all trades in it. Dividends that are not given as `income` look like deposits here.
    """
    return cash - previous_cash - (sold - bought - costs) - income


def time_weighted(days: Iterable[DayValue], *, before: int | None = None) -> tuple[DayReturn, ...]:
    """Chain the returns of successive days, oldest first. `before` is the value at the close before the first day.

    Without it the first day has no return of its own, and the chain starts from its close. A day with no money at its
    start, or none left after a withdrawal, has no return and is left out of the chain, which goes on after the next
    deposit. A day whose flow is unknown, or that began or ended in debt, breaks it: later cumulative returns are unknown.
    """
    return tuple(_chain(days, before))


def _chain(days: Iterable[DayValue], previous: int | None) -> Iterator[DayReturn]:
    growth: Decimal | Unknown = ONE
    for today in days:
        profit = _profit(today, previous)
        rate, breaks = _rate(today, previous)
        if isinstance(rate, Decimal):
            growth = growth * (ONE + rate) if isinstance(growth, Decimal) else growth
        elif breaks:
            growth = growth if isinstance(growth, Unknown) else rate
        yield DayReturn(today.day, profit, rate, growth - ONE if isinstance(growth, Decimal) else growth)
        previous = today.value


def _profit(today: DayValue, previous: int | None) -> int | Unknown:
    if isinstance(today.flow, Unknown):
        return today.flow
    if previous is None:
        return _no_previous(today)
    return today.value - previous - today.flow


def _no_previous(today: DayValue) -> Unknown:
    return Unknown(f"{korean.day(today.day)} 전날의 평가금액이 없습니다.")


def _rate(today: DayValue, previous: int | None) -> tuple[Decimal | Unknown, bool]:
    """Return the day's return, and if there is none, whether the chain breaks on it."""
    written = korean.day(today.day)
    if previous is None:
        return _no_previous(today), False
    if isinstance(today.flow, Unknown):
        return today.flow, True
    start, end = previous + max(today.flow, 0), today.value - min(today.flow, 0)
    if start < 0 or end < 0:
        return Unknown(f"{written} 평가금액이 0원보다 적어 수익률을 낼 수 없습니다."), True
    if not start:
        return Unknown(f"{written} 투자한 돈이 없는 날입니다."), False
    if not today.value and today.flow < 0:
        return Unknown(f"{written} 전액을 출금한 날입니다."), False
    return Decimal(end) / start - ONE, False


def compare(
    returns: Iterable[DayReturn], closes: Mapping[date, Decimal], *, before: Decimal | None = None
) -> tuple[Comparison | Unknown, ...]:
    """Put an index next to the account, over the same days: those without a return of ours do not count for it either.

    `before` is the close of the index before the first day; it is needed where `time_weighted` was given a `before`.
    From the first day that should count and has no close on, the comparison is unknown.
    """
    return tuple(_compare(returns, closes, before))


def _compare(
    returns: Iterable[DayReturn], closes: Mapping[date, Decimal], previous: Decimal | None
) -> Iterator[Comparison | Unknown]:
    growth, missing = ONE, None
    for ours in returns:
        close = closes.get(ours.day)
        if isinstance(ours.rate, Decimal) and missing is None:
            if previous is None or close is None:
                missing = Unknown(f"{korean.day(ours.day)}까지 견줄 지수 종가가 없습니다.")
            else:
                growth *= close / previous
        previous = close
        if isinstance(ours.cumulative, Unknown):
            yield ours.cumulative
        else:
            yield missing or Comparison(ours.day, ours.cumulative, growth - ONE)


def drawdown(returns: Sequence[DayReturn]) -> Drawdown | Unknown:
    """Return the maximum drawdown of the cumulative return. Unknown where the chain is broken or has no day."""
    if not returns:
        return Unknown("수익률을 아는 날이 없습니다.")
    top, peak, worst = ONE, None, Drawdown(Decimal(0), None, None)
    for today in returns:
        if isinstance(today.cumulative, Unknown):
            return today.cumulative
        level = ONE + today.cumulative
        if level > top:
            top, peak = level, today.day
        if level / top - ONE < worst.rate:
            worst = Drawdown(level / top - ONE, peak, today.day)
    return worst


def fall_from_peak(returns: Sequence[DayReturn]) -> Drawdown | Unknown:
    """Return how far the last close is below the highest one, which may be the last itself. Unknown as for `drawdown`."""
    if not returns:
        return Unknown("수익률을 아는 날이 없습니다.")
    top, peak, level = ONE, None, ONE
    for today in returns:
        if isinstance(today.cumulative, Unknown):
            return today.cumulative
        level = ONE + today.cumulative
        if level > top:
            top, peak = level, today.day
    return Drawdown(level / top - ONE, peak, returns[-1].day)


def volatility(rates: Sequence[Decimal]) -> Decimal | Unknown:
    """Return the standard deviation of daily returns over a year of trading days, as a part of one."""
    if len(rates) < FEWEST_RATES:
        return Unknown(f"일 수익률을 아는 날이 {len(rates)}일뿐입니다. {FEWEST_RATES}일부터 변동성을 냅니다.")
    mean = sum(rates, Decimal(0)) / len(rates)
    variance = sum(((rate - mean) ** 2 for rate in rates), Decimal(0)) / (len(rates) - 1)
    return (variance * TRADING_DAYS).sqrt()


def falls(returns: Iterable[DayReturn]) -> tuple[Fall, ...]:
    """Return for each day how far it lies below the highest close up to it, for as long as the chain is unbroken."""
    found, top = [], ONE
    for today in returns:
        if isinstance(today.cumulative, Unknown):
            break
        level = ONE + today.cumulative
        top = max(top, level)
        found.append(Fall(today.day, level / top - ONE))
    return tuple(found)


def in_index(
    days: Sequence[DayValue], closes: Mapping[date, Decimal], *, before: DayValue
) -> tuple[int | Unknown, ...]:
    """Return what an account would be worth each day if its money of `before`, and its flows since, were in an index.

    From the first day on whose flow or close is not known, nobody can say.
    """
    worth: Decimal | Unknown = Decimal(before.value)
    previous = closes.get(before.day)
    found: list[int | Unknown] = []
    for today in days:
        close = closes.get(today.day)
        if isinstance(worth, Decimal):
            if isinstance(today.flow, Unknown):
                worth = today.flow
            elif previous is None or close is None:
                worth = Unknown(f"{korean.day(today.day)}까지 견줄 지수 종가가 없습니다.")
            else:
                worth = (worth + max(today.flow, 0)) * close / previous + min(today.flow, 0)
        previous = close
        found.append(worth if isinstance(worth, Unknown) else round(worth))
    return tuple(found)
