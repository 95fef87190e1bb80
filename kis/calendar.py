"""Business days of the Korea Exchange (KRX)."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

SATURDAY = 5
ONE_DAY = timedelta(days=1)


@cache
def krx_holidays() -> "HolidayBase":
    """Return the exchange's closed days; years are filled in as they are asked for."""
    from holidays import financial_holidays  # noqa: PLC0415  # a heavy import, only where a day is asked for

    return financial_holidays("XKRX")


@cache
def is_business_day(day: date) -> bool:
    return day.weekday() < SATURDAY and day not in krx_holidays()


def business_days(start: date, end: date) -> Iterator[date]:
    """Yield the business days from `start` to `end`, both included, oldest first."""
    day = start
    while day <= end:
        if is_business_day(day):
            yield day
        day += ONE_DAY


def business_day_after(day: date, *, days: int = 1) -> date:
    """Return the n-th business day after `day`: 2 is the settlement day of a trade."""
    for _ in range(days):
        day += ONE_DAY
        while not is_business_day(day):
            day += ONE_DAY
    return day


def business_day_before(day: date, *, days: int = 1) -> date:
    """Return the n-th business day before `day`, which need not be one itself."""
    for _ in range(days):
        day -= ONE_DAY
        while not is_business_day(day):
            day -= ONE_DAY
    return day


def latest_business_day(day: date) -> date:
    """Return `day` itself if the exchange is open on it, the last open day before it otherwise."""
    return day if is_business_day(day) else business_day_before(day)
