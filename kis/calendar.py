"""Business days of the Korea Exchange (KRX), and the hours of those that open late or close early."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING

from kis.korean import SEOUL

if TYPE_CHECKING:
    from holidays import HolidayBase

SATURDAY = 5
ONE_DAY = timedelta(days=1)


OPENING, CLOSING = time(9), time(15, 30)
#: Before the morning and in the evening a day is as any other.
MORNING, NOON, EVENING = time(6), time(12), time(18)
#: The college entrance exam (수능): everything an hour later, so that the roads are free in the morning.
EXAM_DAYS = frozenset({date(2025, 11, 13), date(2026, 11, 19), date(2027, 11, 18)})
LATER = time(10)
FIRST_WEEK = 7


@dataclass(frozen=True, slots=True)
class Hours:
    """The regular session of a day; on nearly all of them that of an ordinary one."""

    opens: time = OPENING
    closes: time = CLOSING


ORDINARY = Hours()


@dataclass(frozen=True, slots=True)
class Day:
    """What is known of a day better than the `holidays` package knows it: does the exchange open, is anything settled.

    `hours` are None where only the estimate says something about them.
    """

    opens: bool
    settles: bool
    hours: Hours | None = None


class Known:
    """Days known better, and every answer given with them. Replaced as a whole, so that no thread mixes old and new."""

    def __init__(self, days: Mapping[date, Day]) -> None:
        self.days = dict(days)
        self.opens: dict[date, bool] = {}
        self.hours: dict[date, Hours] = {}


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


def estimated_hours(day: date) -> Hours:
    """Return the hours that custom gives a day: an hour later for the exam, a late opening on the first of a year."""
    if day in EXAM_DAYS:
        return Hours(LATER, time(16, 30))
    is_first_week = day.month == 1 and day.day <= FIRST_WEEK and is_business_day(day)
    if is_first_week and not any(is_business_day(day.replace(day=before)) for before in range(1, day.day)):
        return Hours(LATER, CLOSING)
    return ORDINARY


def hours_of(day: date) -> Hours:
    """Return when the regular session of a day begins and ends, as if it was a business day."""
    known = _known
    answer = known.hours.get(day)
    if answer is None:
        better = known.days.get(day)
        answer = known.hours[day] = (better.hours if better else None) or estimated_hours(day)
    return answer


def hour_on(day: date, ordinary: time) -> time:
    """Return what a time of an ordinary day is on this one: as far from its opening, after noon from its close.

    Evening and night stay where they are.
    """
    hours = hours_of(day)
    if hours == ORDINARY or not MORNING <= ordinary < EVENING:
        return ordinary
    shifted, usual = (hours.opens, OPENING) if ordinary < NOON else (hours.closes, CLOSING)
    later = datetime.combine(day, shifted) - datetime.combine(day, usual)
    return (datetime.combine(day, ordinary) + later).time()


def moment_on(day: date, ordinary: time) -> datetime:
    """Return the moment, in Seoul, at which a day is as far as an ordinary one is at this time."""
    return datetime.combine(day, hour_on(day, ordinary), SEOUL)


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
