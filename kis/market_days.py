"""Let `kis.calendar` follow the days that are stored."""

from datetime import date, time

from kis.calendar import Day, Hours, estimated_hours, use_days
from kis.models import MarketDay


def use_market_days() -> None:
    """Take what the owner and the broker say about days into this process.

    At the start of each job, and wherever rows change; another process follows with its next job.
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
