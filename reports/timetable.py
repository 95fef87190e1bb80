"""When there will be something new: the schedules of the worker, as they stand in its table."""

from ast import literal_eval
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django_q.models import Schedule

from kis.models import SyncRun
from kis.slots import Window

#: The jobs that print the dashboard, or bring the snapshot for it.
PRINTING: Final = ("aegis_10min_kis_dashboard", "aegis_30min_data_fetch")
#: Those and the one that renews the live page.
RENEWING: Final = (*PRINTING, "aegis_1min_realtime")
SWITCHED_OFF: Final = 0
#: The exchange never rests for longer: whose cron works has done a slot since.
LONGEST_REST: Final = timedelta(days=12)


def next_update(after: datetime, *, jobs: Iterable[str] = PRINTING) -> datetime | None:
    """Return the next tick of these jobs; None where nobody has written a timetable, or all of it is switched off."""
    rows = Schedule.objects.filter(name__in=list(jobs)).exclude(repeats=SWITCHED_OFF)
    windows = (_window(row.kwargs) for row in rows)
    return min((window.next_slot(after) for window in windows if window is not None), default=None)


def is_unscheduled(at: datetime) -> bool:
    """Return whether nothing will be renewed by itself: neither a schedule of the worker's nor, by what it has done, a cron.

    A demo comes with the slots of a past that nobody's cron has done.
    """
    if Schedule.objects.filter(name__in=RENEWING).exclude(repeats=SWITCHED_OFF).exists():
        return False
    return (
        bool(settings.AEGIS_DEMO)
        or not SyncRun.objects.filter(slot__isnull=False, started_at__gte=at - LONGEST_REST).exists()
    )


def _window(arguments: str | None) -> Window | None:
    """Read the window of a schedule; one that the owner has rewritten may say anything."""
    try:
        found = literal_eval(arguments or "")
        return Window.parse(minutes=found["minutes"], opens=found["opens"], closes=found["closes"])
    except (ValueError, SyntaxError, TypeError, KeyError):
        return None
