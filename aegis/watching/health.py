"""Whether the site answers, may be used, and has data of today: in words for programs, without figures of anybody."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Max, Min
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from aegis.schedules import OURS
from aegis.watching.ages import Books, books_of_accounts
from kis.accounts import lacks_table
from kis.client.errors import KisError
from kis.korean import SEOUL
from kis.models import SyncRun

#: A watcher does not wait longer; a database that takes longer counts as away.
SECONDS: Final = 2.0
#: A tick of the timetable that nobody has taken for so long means that no worker is there, or that it cannot keep up. The
#: longest task may take ten minutes.
WORKER_PATIENCE: Final = timedelta(minutes=15)
#: Older runs of a job are of no interest to whoever watches it.
LATELY: Final = timedelta(days=7)

OK, LATE, UNAVAILABLE, NOT_MIGRATED = "ok", "late", "unavailable", "not migrated"


@dataclass(frozen=True, slots=True)
class Health:
    """What a watcher is told; everything but `ok` is a 503."""

    status: str
    more: Mapping[str, Any]

    @property
    def is_well(self) -> bool:
        return self.status == OK

    def as_json(self) -> dict[str, Any]:
        return {"status": self.status, **self.more}


def alive() -> Health:
    """Say that this process answers; asks nobody else."""
    return Health(OK, {})


def reached() -> Health:
    """Say whether the database answers."""
    return bounded(lambda: Health(OK, {}))


def ready() -> Health:
    """Say whether the site may be sent visitors: the database answers and is as this program knows it."""
    return bounded(lambda: Health(OK if is_migrated() else NOT_MIGRATED, {}))


def fresh() -> Health:
    """Say whether the site does its work: data as young as the timetable has it, and a worker that takes its ticks."""
    return bounded(work_done)


def bounded(look: Callable[[], Health]) -> Health:
    """Look at the database, which must answer soon; trouble is a word, and its reason stays in the log of the database."""
    try:
        with soon(SECONDS):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return look()
    except (DatabaseError, InterfaceError):
        return Health(UNAVAILABLE, {})


@contextmanager
def soon(seconds: float) -> Iterator[None]:
    """Let no statement of this block take longer, where the database can be told so. Readers never wait on SQLite."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(round(seconds * 1000))])
        yield


def is_migrated() -> bool:
    """Return whether every migration this program comes with has been applied; one query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations")
            applied = set(cursor.fetchall())
    except DatabaseError as error:
        if lacks_table(error):
            return False
        raise
    return expected_migrations() <= applied


@cache
def expected_migrations() -> frozenset[tuple[str, str]]:
    """Return the last migrations of all apps, as this process was started with them."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def work_done() -> Health:
    if not is_migrated():
        return Health(NOT_MIGRATED, {})
    now = timezone.now()
    try:
        books = books_of_accounts()
    except KisError:
        return Health(UNAVAILABLE, {})
    worker, is_waiting = worker_at(now)
    is_late = is_waiting or any(row.is_late for row in books)
    more = {"data": ages_by_mode(books), "jobs": last_ends(), "worker": worker}
    return Health(LATE if is_late else OK, more)


def ages_by_mode(books: list[Books]) -> dict[str, Any]:
    """Return for each mode the age of the oldest books; an account without a snapshot has none, and neither has its mode."""
    told: dict[str, Any] = {}
    for mode in dict.fromkeys(row.mode for row in books):
        rows = [row for row in books if row.mode == mode]
        as_of = (
            None if any(row.as_of is None for row in rows) else min(row.as_of for row in rows if row.as_of)
        )
        ages = [row.age for row in rows if row.age is not None]
        told[mode] = {
            "as_of": stamp(as_of),
            "age_seconds": round(max(ages).total_seconds()) if as_of and ages else None,
            "late": any(row.is_late for row in rows),
        }
    return told


def last_ends() -> dict[str, Any]:
    """Return when each job of the timetable was last done, which says nothing of what it has found."""
    done = SyncRun.objects.filter(status=SyncRun.Status.COMPLETE).order_by()
    newest = done.aggregate(newest=Max("started_at"))["newest"]
    rows = done.filter(started_at__gte=newest - LATELY) if newest else done.none()
    ends = dict(rows.values_list("job").annotate(last=Max("finished_at")))
    return {job: stamp(ends[job]) for job in sorted(ends)}


def worker_at(now: datetime) -> tuple[dict[str, Any] | None, bool]:
    """Return how far the worker is behind, None where nothing is left to one, and whether that is too far.

    Its traces count, not its own word: heartbeats stay in the memory of its machine. Every tick of ours is a minute or
    half an hour from the last one, day and night.
    """
    planned = Schedule.objects.filter(name__startswith=OURS).exclude(repeats=0)
    due = planned.aggregate(due=Min("next_run"))["due"]
    oldest = OrmQ.objects.filter(lock__lte=now).aggregate(oldest=Min("lock"))["oldest"]
    behind = [now - moment for moment in (due, oldest) if moment is not None]
    if not behind:
        return None, False
    late = max(*behind, timedelta())
    return {"late_seconds": round(late.total_seconds())}, late > WORKER_PATIENCE


def stamp(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(SEOUL).isoformat(timespec="seconds")
