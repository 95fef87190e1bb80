"""Hours of the exchange, and the day a trade settles."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from kis.calendar import business_day_after, moment_on

KST = ZoneInfo("Asia/Seoul")

OPENING = time(9, 0)
CONTINUOUS_END = time(15, 20)
CLOSING = time(15, 30)


def settlement_day(traded_on: date) -> date:
    """Cash and stock of a trade change hands two business days later."""
    return business_day_after(traded_on, days=2)


def at(day: date, moment: time) -> datetime:
    """Return a moment of a day; `moment` is that of an ordinary one, and later or earlier where the session is."""
    return moment_on(day, moment)
