"""Trading days and hours of the Korea Exchange."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from functools import cache

from kis import calendar

KST = timezone(timedelta(hours=9), "KST")
ONE_DAY = timedelta(days=1)

OPENING = time(9, 0)
CONTINUOUS_END = time(15, 20)
CLOSING = time(15, 30)


@cache
def is_business_day(day: date) -> bool:
    return calendar.is_business_day(day)


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
