"""Let `kis.calendar` follow the days that are stored."""

from contextlib import suppress
from datetime import date, time
from time import monotonic

from django.db import DatabaseError, InterfaceError

from kis.calendar import Day, Hours, estimated_hours, use_days
from kis.models import MarketDay

#: Seconds after which a process that only reads looks at the days again.
LOOK_AGAIN = 60.0

_looked_at = -LOOK_AGAIN


def follow_market_days() -> None:
    """Take the stored days into a process that answers a request or runs a command, once a minute at most.

    A database that cannot be asked leaves what is known, and is asked again the next time; whoever asks it next says
    what is wrong with it. Orders do not go by this: their desk takes the days or is not opened.
    """
    global _looked_at  # noqa: PLW0603  # one process, one calendar
    now = monotonic()
    if now - _looked_at < LOOK_AGAIN:
        return
    with suppress(DatabaseError, InterfaceError):
        use_market_days()
        _looked_at = now


def use_market_days() -> None:
    """Take what the owner and the broker say about days into this process.

    At the start of each job, and wherever rows change; who only reads calls `follow_market_days`.
    """
    rows = MarketDay.objects.exclude(source=MarketDay.Source.ESTIMATE).in_force()
    told = rows.values_list("day", "opens", "settles", "opens_at", "closes_at")
    use_days({day: Day(opens, settles, hours_told(day, *hours)) for day, opens, settles, *hours in told})


def hours_told(day: date, opens: time | None, closes: time | None) -> Hours | None:
    """Return the hours that a row gives a day; an end it does not speak of is as usual."""
    if opens is None and closes is None:
        return None
    usual = estimated_hours(day)
    return Hours(opens or usual.opens, closes or usual.closes)
