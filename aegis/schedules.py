"""The timetable: one list, written to django-q2 by `manage.py sync_schedules` and followed by the commands for cron.

The list says how often, and when at first; from when to when is then the owner's to say, in the schedule itself.
"""

import ast
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django_q.models import Schedule

from kis.models.runs import PRINTING
from kis.refresh import JOB as REFRESHING
from kis.slots import Window
from kis.sync.run import JOB as COPYING

#: Schedules of this name are ours; whatever else stands in the table is the owner's.
OURS = "aegis_"
INTENDED = "intended"
#: The queues: what is done every minute waits for nothing that takes long.
FAST, REPORTS = "fast", "reports"


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the timetable. `name` is its command, too; `task` is what the worker calls with window and tick.

    `label` is what the owner calls it, `kind` the name of its runs: blank where it leaves none.
    """

    name: str
    label: str
    task: str
    window: Window
    #: Which cluster of the worker takes it; the owner may choose the other one in the schedule.
    queue: str = FAST
    #: On days on which the exchange rests, too.
    every_day: bool = False
    kind: str = ""

    @property
    def minutes(self) -> int:
        return self.window.minutes

    def columns(self, window: Window, *, queue: str | None = None) -> dict[str, Any]:
        """Return the columns of the schedule that are ours to say; the owner may switch it off with `repeats`."""
        arguments = {
            "minutes": self.minutes,
            "opens": f"{window.opens:%H:%M}",
            "closes": f"{window.closes:%H:%M}",
        }
        return {
            "func": self.task,
            "schedule_type": Schedule.MINUTES,
            "minutes": self.minutes,
            "kwargs": repr(arguments),
            "intended_date_kwarg": INTENDED,
            "cluster": queue if queue in settings.QUEUES else self.queue,
        }


FETCH = Job(
    "aegis_30min_data_fetch",
    "30분 전체 동기화",
    "aegis.tasks.fetch_data",
    Window(timedelta(minutes=30), opens=time(8, 30), closes=time(16, 0)),
    REPORTS,
    kind=COPYING,
)
#: From before the opening to the closing print: what the live page shows.
REFRESH = Job(
    "aegis_1min_realtime",
    "1분 갱신",
    "aegis.tasks.refresh_accounts",
    Window(timedelta(minutes=1), opens=time(8, 55), closes=time(15, 31)),
    kind=REFRESHING,
)
#: From before the opening until the closing print is there.
PRINT = Job(
    PRINTING,
    "10분 대시보드",
    "aegis.tasks.print_dashboards",
    Window(timedelta(minutes=10), opens=time(8, 55), closes=time(15, 35)),
    REPORTS,
    kind=PRINTING,
)
#: Does nothing unless an order's outcome is not known; goes on after the close, when absence begins to prove something.
ORDERS = Job(
    "aegis_1min_orders",
    "1분 주문 확인",
    "aegis.tasks.settle_orders",
    Window(timedelta(minutes=1), opens=time(8, 0), closes=time(20, 30)),
)
#: Around the clock and on every day: orders are stopped at night, too, and quiet hours end in the morning.
ALERTS = Job(
    "aegis_1min_alerts",
    "1분 알림",
    "aegis.tasks.send_alerts",
    Window(timedelta(minutes=1), opens=time(0, 0), closes=time(23, 59)),
    every_day=True,
)
SCHEDULES = (FETCH, PRINT, REFRESH, ORDERS, ALERTS)
#: Every day of the week, and no business of the market's: at midnight, where there is a folder for it.
BACKUP = Job(
    "aegis_daily_backup",
    "하루 백업",
    "aegis.tasks.back_up",
    Window(timedelta(days=1), opens=time(0, 0), closes=time(0, 0)),
    REPORTS,
    every_day=True,
)
#: All there is, whether this site does it or not.
TIMETABLE = (*SCHEDULES, BACKUP)


def planned() -> tuple[Job, ...]:
    """Return the jobs that this site does: backups only where there is a folder for them."""
    return TIMETABLE if settings.BACKUP_DIR else SCHEDULES


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a schedule of ours, in one Korean word."""

    name: str
    word: str
    window: Window | None = None


def window_of(job: Job) -> Window:
    """Return the window that the schedule of a job says; ours where there is none, or none that can be read."""
    row = Schedule.objects.filter(name=job.name).order_by("pk").first()
    try:
        return read_window(row.kwargs, job) if row else job.window
    except ValueError:
        return job.window


def read_window(text: str | None, job: Job) -> Window:
    """Read the window of a schedule's arguments. Raises ValueError, in Korean."""
    try:
        given = ast.literal_eval(text or "")
        window = Window.parse(minutes=given["minutes"], opens=given["opens"], closes=given["closes"])
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise ValueError(f"다음과 같이 적어 주세요: {job.columns(job.window)['kwargs']}") from None
    if window.every != job.window.every:
        raise ValueError(f"이 작업의 minutes는 {job.minutes}입니다. 실행 시간은 opens와 closes로 바꿉니다.")
    if window.opens > window.closes:
        raise ValueError("opens는 closes보다 늦을 수 없습니다.")
    return window


def write_schedules(
    jobs: tuple[Job, ...] | None = None, *, now: datetime, defaults: bool = False
) -> list[Written]:
    """Bring the schedules of django-q2 in line with the list; a second time changes nothing.

    Ours that are in the list no more are removed, the owner's own are left alone. The next tick of one that stays is kept,
    and so is the window the owner gave it, unless they want the `defaults` back.
    """
    jobs = planned() if jobs is None else jobs
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
        return [*(write(job, known.get(job.name), now=now, defaults=defaults) for job in jobs), *written]


def write(job: Job, row: Schedule | None, *, now: datetime, defaults: bool) -> Written:
    """Write one schedule; its ticks fall on the slots of its window."""
    window = job.window if row is None or defaults else window_of(job)
    columns = job.columns(window, queue=row.cluster if row and not defaults else None)
    next_run = window.slot_of(now) + window.every
    if row is None:
        Schedule.objects.create(name=job.name, next_run=next_run, **columns)
        return Written(job.name, "새로 씀", window)
    changes = {name: value for name, value in columns.items() if getattr(row, name) != value}
    if row.next_run is None or window.slot_of(row.next_run) != row.next_run:
        changes["next_run"] = next_run
    if changes:
        Schedule.objects.filter(pk=row.pk).update(**changes)
    if row.repeats == 0:
        return Written(job.name, "꺼져 있음", window)
    return Written(job.name, "고침" if changes else "그대로", window)


def one_at_a_time() -> None:
    """Wait for others who write schedules: names are not unique there. On SQLite our transactions never write at once."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {Schedule._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")  # noqa: SLF001
