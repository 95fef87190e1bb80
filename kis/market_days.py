"""Let `kis.calendar` follow the days that are stored."""

from kis.calendar import Day, use_days
from kis.models import MarketDay


def use_market_days() -> None:
    """Take what the owner and the broker say about days into this process.

    At the start of each job, and wherever rows change; another process follows with its next job.
    """
    rows = MarketDay.objects.exclude(source=MarketDay.Source.ESTIMATE).in_force()
    use_days(
        {day: Day(opens, settles) for day, opens, settles in rows.values_list("day", "opens", "settles")}
    )
