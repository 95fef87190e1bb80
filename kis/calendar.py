"""Business days of the Korea Exchange (KRX)."""

from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

SATURDAY = 5


@cache
def krx_holidays() -> "HolidayBase":
    """Return the exchange's closed days; years are filled in as they are asked for."""
    from holidays import financial_holidays  # noqa: PLC0415  # a heavy import, only where a day is asked for

    return financial_holidays("XKRX")


def is_business_day(day: date) -> bool:
    return day.weekday() < SATURDAY and day not in krx_holidays()


def business_day_after(day: date, *, days: int = 1) -> date:
    """Return the n-th business day after `day`: 2 is the settlement day of a trade."""
    for _ in range(days):
        day += timedelta(days=1)
        while not is_business_day(day):
            day += timedelta(days=1)
    return day


def business_day_before(day: date) -> date:
    day -= timedelta(days=1)
    while not is_business_day(day):
        day -= timedelta(days=1)
    return day
