"""Business days of the Korea Exchange (KRX)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

SATURDAY = 5
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """What is known of a day better than the `holidays` package knows it: does the exchange open, is anything settled."""

    opens: bool
    settles: bool


class Known:
    """Days known better, and every answer given with them. Replaced as a whole, so that no thread mixes old and new."""

    def __init__(self, days: Mapping[date, Day]) -> None:
        self.days = dict(days)
        self.opens: dict[date, bool] = {}


_known = Known({})


def use_days(days: Mapping[date, Day]) -> None:
    """Let these days go before the estimate in this process; those of an earlier call are forgotten.

    The books set them from their table (`kis.market_days`); this module stays free of the database for the simulator.
    """
    global _known  # noqa: PLW0603  # one exchange, one calendar
    if days != _known.days:
        _known = Known(days)


@cache
def krx_holidays() -> "HolidayBase":
    """Return the exchange's closed days; years are filled in as they are asked for."""
    from holidays import financial_holidays  # noqa: PLC0415  # a heavy import, only where a day is asked for

    return financial_holidays("XKRX")


def is_estimated_to_open(day: date) -> bool:
    """Return what the `holidays` package says, whatever is known better."""
    return day.weekday() < SATURDAY and day not in krx_holidays()


def is_business_day(day: date) -> bool:
    known = _known
    answer = known.opens.get(day)
    if answer is None:
        better = known.days.get(day)
        answer = known.opens[day] = better.opens if better else is_estimated_to_open(day)
    return answer


def is_settlement_day(day: date) -> bool:
    """Return whether trades are settled on a day; without better knowledge that is every business day."""
    better = _known.days.get(day)
    return better.settles if better else is_business_day(day)


def settlement_day(day: date, *, days: int = 2) -> date:
    """Return the day on which a trade of `day` settles: the n-th later one on which anything is settled."""
    for _ in range(days):
        day += ONE_DAY
        while not is_settlement_day(day):
            day += ONE_DAY
    return day


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
