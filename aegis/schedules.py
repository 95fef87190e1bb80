"""The timetable: one list, written to django-q2 by `manage.py sync_schedules` and followed by the commands for cron."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django_q.models import Schedule

from kis.models.runs import PRINTING
from kis.slots import Window

#: Schedules of this name are ours; whatever else stands in the table is the owner's.
OURS = "aegis_"
INTENDED = "intended"


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the timetable. `name` is its command, too; `task` is what the worker calls with window and tick."""

    name: str
    task: str
    window: Window

    @property
    def minutes(self) -> int:
        return self.window.every // timedelta(minutes=1)

    @property
    def columns(self) -> dict[str, Any]:
        """Return the columns of the schedule that are ours to say; the owner may switch it off with `repeats`."""
        arguments = {
            "minutes": self.minutes,
            "opens": f"{self.window.opens:%H:%M}",
            "closes": f"{self.window.closes:%H:%M}",
        }
        return {
            "func": self.task,
            "schedule_type": Schedule.MINUTES,
            "minutes": self.minutes,
            "kwargs": repr(arguments),
            "intended_date_kwarg": INTENDED,
        }


FETCH = Job(
    "aegis_30min_data_fetch",
    "aegis.tasks.fetch_data",
    Window(timedelta(minutes=30), opens=time(8, 30), closes=time(16, 0)),
)
#: From before the opening to the closing print: what the live page shows.
REFRESH = Job(
    "aegis_1min_realtime",
    "kis.tasks.refresh_accounts",
    Window(timedelta(minutes=1), opens=time(8, 55), closes=time(15, 31)),
)
#: From before the opening until the closing print is there.
PRINT = Job(
    PRINTING,
    "aegis.tasks.print_dashboards",
    Window(timedelta(minutes=10), opens=time(8, 55), closes=time(15, 35)),
)
#: Does nothing unless an order's outcome is not known; goes on after the close, when absence begins to prove something.
ORDERS = Job(
    "aegis_1min_orders",
    "aegis.tasks.settle_orders",
    Window(timedelta(minutes=1), opens=time(8, 0), closes=time(20, 30)),
)
SCHEDULES = (FETCH, PRINT, REFRESH, ORDERS)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a schedule of ours, in one Korean word."""

    name: str
    word: str


def write_schedules(jobs: tuple[Job, ...] = SCHEDULES, *, now: datetime) -> list[Written]:
    """Bring the schedules of django-q2 in line with the list; a second time changes nothing.

    Ours that are in the list no more are removed, the owner's own are left alone. The next tick of one that stays is kept.
    """
    with transaction.atomic():
        one_at_a_time()
        known: dict[str, Schedule] = {}
        written = []
        for row in Schedule.objects.filter(name__startswith=OURS).order_by("pk"):
            if row.name in known or row.name not in {job.name for job in jobs}:
                row.delete()
                written.append(Written(row.name, "지움"))
            else:
                known[row.name] = row
        return [*(write(job, known.get(job.name), now=now) for job in jobs), *written]


def write(job: Job, row: Schedule | None, *, now: datetime) -> Written:
    """Write one schedule; its ticks fall on the slots of its window."""
    next_run = job.window.slot_of(now) + job.window.every
    if row is None:
        Schedule.objects.create(name=job.name, next_run=next_run, **job.columns)
        return Written(job.name, "새로 씀")
    changes = {name: value for name, value in job.columns.items() if getattr(row, name) != value}
    if row.next_run is None or job.window.slot_of(row.next_run) != row.next_run:
        changes["next_run"] = next_run
    if changes:
        Schedule.objects.filter(pk=row.pk).update(**changes)
    if row.repeats == 0:
        return Written(job.name, "꺼져 있음")
    return Written(job.name, "고침" if changes else "그대로")


def one_at_a_time() -> None:
    """Wait for others who write schedules: names are not unique there. On SQLite our transactions never write at once."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {Schedule._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")  # noqa: SLF001
