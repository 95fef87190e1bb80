"""The regular session of the Korea Exchange, and how old prices grow in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kis.calendar import hours_of, is_business_day
from kis.korean import SEOUL

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
    hours = hours_of(local.date())
    whole = f"{hours.opens:%H:%M}–{hours.closes:%H:%M}"
    if local.time() < hours.opens:
        return Session("장 시작 전", whole, is_open=False)
    if local.time() >= hours.closes:
        return Session("장 마감", f"{hours.closes:%H:%M}", is_open=False)
    return Session("정규장", whole, is_open=True)


def open_time_between(start: datetime, end: datetime) -> timedelta:
    """How long the exchange was open between two moments: prices outside of it do not grow old."""
    start, end = start.astimezone(SEOUL), end.astimezone(SEOUL)
    total = timedelta()
    day = start.date()
    while day <= end.date():
        if is_business_day(day):
            hours = hours_of(day)
            opened = max(start, datetime.combine(day, hours.opens, SEOUL))
            closed = min(end, datetime.combine(day, hours.closes, SEOUL))
            total += max(closed - opened, timedelta())
        day += timedelta(days=1)
    return total


def age_if_stale(as_of: datetime, moment: datetime) -> timedelta | None:
    """Age of the data if the exchange was open for more than half an hour of it."""
    return moment - as_of if open_time_between(as_of, moment) > STALE_AFTER else None
