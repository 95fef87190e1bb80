"""The regular session of the Korea Exchange, and how old prices grow in it."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from kis.calendar import is_business_day
from kis.korean import SEOUL

OPENS: Final = time(9, 0)
CLOSES: Final = time(15, 30)
#: Prices that the market has moved on from for so long are no basis for a decision.
STALE_AFTER: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Session:
    """What the exchange is doing at a moment, in words for the owner."""

    name: str
    hours: str
    is_open: bool


def session_at(at: datetime) -> Session:
    """Name the session of a moment."""
    local = at.astimezone(SEOUL)
    if not is_business_day(local.date()):
        return Session("휴장", "", is_open=False)
    if local.time() < OPENS:
        return Session("장 시작 전", "09:00–15:30", is_open=False)
    if local.time() >= CLOSES:
        return Session("장 마감", "15:30", is_open=False)
    return Session("정규장", "09:00–15:30", is_open=True)


def open_time_between(start: datetime, end: datetime) -> timedelta:
    """How long the exchange was open between two moments: prices outside of it do not grow old."""
    start, end = start.astimezone(SEOUL), end.astimezone(SEOUL)
    total = timedelta()
    day = start.date()
    while day <= end.date():
        if is_business_day(day):
            opened = max(start, datetime.combine(day, OPENS, SEOUL))
            closed = min(end, datetime.combine(day, CLOSES, SEOUL))
            total += max(closed - opened, timedelta())
        day += timedelta(days=1)
    return total


def age_if_stale(as_of: datetime, moment: datetime) -> timedelta | None:
    """Age of the data if the exchange was open for more than half an hour of it."""
    return moment - as_of if open_time_between(as_of, moment) > STALE_AFTER else None
