"""Trading days of the Korea Exchange."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from functools import cache

from holidays import financial_holidays

KST = timezone(timedelta(hours=9), "KST")
ONE_DAY = timedelta(days=1)
FRIDAY = 4

OPENING = time(9, 0)
CONTINUOUS_END = time(15, 20)
CLOSING = time(15, 30)


@cache
def closed_days(year: int) -> frozenset[date]:
    """Return the days of a year on which the exchange is closed, weekends aside."""
    return frozenset(financial_holidays("XKRX", years=year))


def is_business_day(day: date) -> bool:
    return day.weekday() <= FRIDAY and day not in closed_days(day.year)


def business_days(start: date, end: date) -> Iterator[date]:
    """Yield the trading days from `start` to `end`, both included, oldest first."""
    day = start
    while day <= end:
        if is_business_day(day):
            yield day
        day += ONE_DAY


def previous_business_day(day: date, count: int = 1) -> date:
    """Return the trading day `count` steps before `day`, which need not be one itself."""
    for _ in range(count):
        day -= ONE_DAY
        while not is_business_day(day):
            day -= ONE_DAY
    return day


def next_business_day(day: date, count: int = 1) -> date:
    """Return the trading day `count` steps after `day`, which need not be one itself."""
    for _ in range(count):
        day += ONE_DAY
        while not is_business_day(day):
            day += ONE_DAY
    return day


def latest_business_day(day: date) -> date:
    """Return `day` itself if the exchange is open on it, the last open day before it otherwise."""
    return day if is_business_day(day) else previous_business_day(day)


def settlement_day(traded_on: date) -> date:
    """Cash and stock of a trade change hands two trading days later."""
    return next_business_day(traded_on, 2)


def at(day: date, moment: time) -> datetime:
    return datetime.combine(day, moment, KST)
