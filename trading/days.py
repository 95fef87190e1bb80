"""The trading day of an account: Korean days, whatever zone a machine is in."""

from datetime import datetime, time, timedelta

from kis.korean import SEOUL


def day_around(at: datetime) -> tuple[datetime, datetime]:
    """Return the first moment of the Korean day of `at`, and that of the next one."""
    first = datetime.combine(at.astimezone(SEOUL).date(), time.min, SEOUL)
    return first, first + timedelta(days=1)
