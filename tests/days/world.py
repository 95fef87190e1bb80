"""One machine of an owner in a time that can be made to pass: settings, clocks, and everything that fires a job."""

import io
import logging
import os
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import Value as SharedValue
from queue import SimpleQueue
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models import DateTimeField, Value
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage
from django_q.worker import worker

from aegis.schedules import SCHEDULES, Job, window_of
from kis import connect, rate_budget
from kis.client.codes import Mode
from kis.client.session import Session
from kis.client.transport import HttpTransport
from kis.rate_budget import DatabaseBudget
from kis.stores import DatabaseTokenStore
from kis.sync import pool
from reports import publishing
from tests.days.broker import Broker
from tests.days.clock import SharedClock, fork
from tests.days.phone import Phone

#: What a call takes besides its turn.
LATENCY = 0.02
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Firing:
    """One tick of one job as something fired it, and what was said about it."""

    by: str
    job: str
    slot: datetime
    told: str


class Errors(logging.Handler):
    """Keeps what the product complained of as an error: nothing of the kind is expected in any trouble of a run."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.seen.append(f"{record.name}: {record.getMessage()}\n{trace}")


class World:
    """The machine. `busy` counts the calls that its transport has sent."""

    def __init__(self, clock: SharedClock, broker: Broker, phone: Phone) -> None:
        self.phone = phone
        self.clock = clock
        self.broker = broker
        self.errors = Errors()
        self.done: Counter[str] = Counter()
        self.fired: list[Firing] = []
        self.calls = 0
        self.kill_at: int | None = None
        self.prints = False

    # --- time and what lives by it ------------------------------------------------------------------------------------

    @contextmanager
    def in_its_time(self) -> Iterator[None]:
        """Let the product live by the shared time, with a broker that is the simulator."""
        clock = self.clock
        live: dict[str, Any] = {"monotonic": clock.monotonic, "sleep": clock.sleep}
        send, printed = HttpTransport.send, publishing.printed
        last: list[bytes] = []

        def counted(transport: HttpTransport, request: Any, *, timeout_seconds: float) -> Any:
            self.calls += 1
            if self.kill_at is not None and self.calls >= self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            clock.sleep(LATENCY)
            return send(transport, request, timeout_seconds=timeout_seconds)

        def sparingly(*arguments: Any, **how: Any) -> bytes:
            """Print; on days that are not for it only once, and then take that page again."""
            if self.prints or not last:
                last[:] = [printed(*arguments, **how)]
                self.done["pages printed"] += 1
            return last[0]

        with ExitStack() as stack:
            put = stack.enter_context
            put(patch("django.utils.timezone.now", lambda: clock.wall().astimezone(UTC)))
            put(patch.object(connect, "Session", partial(Session, wall_clock=clock.wall, **live)))
            put(
                patch.object(
                    connect,
                    "DatabaseTokenStore",
                    partial(DatabaseTokenStore, now=clock.wall, sleep=clock.sleep),
                )
            )
            put(patch.object(connect, "DatabaseBudget", partial(DatabaseBudget, **live)))
            put(
                patch.object(
                    rate_budget, "ClockTimestamp", lambda: Value(clock.wall(), output_field=DateTimeField())
                )
            )
            # Their sleeps would overtake each other: time is one for all, and passes by whoever waits.
            put(patch.object(pool, "WORKERS", 1))
            put(patch.object(HttpTransport, "send", counted))
            put(patch.object(publishing, "printed", sparingly))
            logging.getLogger().addHandler(self.errors)
            stack.callback(logging.getLogger().removeHandler, self.errors)
            yield

    def use_accounts(self, *modes: Mode) -> None:
        accounts = {mode: dict.fromkeys(account, "") for mode, account in settings.KIS_ACCOUNTS.items()}
        for mode in modes:
            side = asdict(self.broker.sides[mode])
            accounts[mode] = {
                "app_key": side["app_key"],
                "app_secret": side["app_secret"],
                "account_no": side["account"],
                "base_url": side["url"],
                "ws_url": side["ws"],
                "hts_id": side["hts_id"],
            }
        settings.KIS_ACCOUNTS = accounts
        self.modes = modes

    # --- what fires a job -----------------------------------------------------------------------------------------------

    def fire(self, by: str, job: Job, slot: datetime) -> str:
        """Fire one tick of a job the way it is fired by `by`."""
        told = self.ways[by](self, job, slot)
        self.fired.append(Firing(by, job.name, slot, told))
        return told

    def by_task(self, job: Job, slot: datetime) -> str:
        """Do what a worker does with a tick that was handed to it."""
        package = {"id": "0", "name": job.name, "func": job.task, "args": (), "started": self.clock.wall()}
        window = window_of(job)
        return self.work({**package, "kwargs": {**eval_columns(job, window), "intended": slot.isoformat()}})

    def by_cron(self, job: Job, slot: datetime) -> str:
        del slot  # a cron says nothing about it
        out = io.StringIO()
        try:
            call_command(job.name, stdout=out)
        except CommandError as error:
            out.write(str(error))
        return out.getvalue()

    def by_both(self, job: Job, slot: datetime) -> str:
        return f"{self.by_task(job, slot)}\n{self.by_cron(job, slot)}"

    ways: dict[str, Callable[["World", Job, datetime], str]] = {
        "task": by_task,
        "cron": by_cron,
        "both": by_both,
    }

    def work(self, package: dict[str, Any]) -> str:
        """Let a worker of django-q2 do one task in this process; returns its result."""
        todo: SimpleQueue[Any] = SimpleQueue()
        done: SimpleQueue[Any] = SimpleQueue()
        todo.put(package)
        todo.put("STOP")
        worker(todo, done, SharedValue("f", -1), timeout=Conf.TIMEOUT)
        return str(done.get()["result"])

    def scheduled(self) -> int:
        """Do what a cluster does when it looks: queue what is due, and let the worker do it; returns how many it was."""
        for queue in settings.QUEUES:
            with patch.object(Conf, "CLUSTER_NAME", queue):
                scheduler(broker=get_broker())
        count = 0
        for row in OrmQ.objects.order_by("pk"):
            package = SignedPackage.loads(row.payload)
            row.delete()
            count += 1
            job = next(job for job in SCHEDULES if job.task == package["func"])
            slot = window_of(job).slot_of(datetime.fromisoformat(package["kwargs"]["intended"]))
            self.fired.append(Firing("scheduler", job.name, slot, self.work(package)))
        return count

    def skip_the_past(self) -> None:
        """Let the schedules go on from now, as those of a machine that was looking all the time."""
        for job in SCHEDULES:
            window = window_of(job)
            Schedule.objects.filter(name=job.name).update(
                next_run=window.slot_of(self.clock.wall()) + window.every
            )

    def skip_to(self, minute: datetime, jobs: Iterable[Job]) -> None:
        """Let the minutes that a coarse run leaves out not have been."""
        for job in jobs:
            Schedule.objects.filter(name=job.name).update(next_run=minute)

    def killed(self, job: Job, slot: datetime, *, after: int) -> bool:
        """Let a worker be killed in a job, after so many calls to the broker; returns whether it came so far."""
        connections.close_all()
        child = fork.Process(target=self.die, args=(job, slot, after))
        child.start()
        child.join(120)
        self.done["workers killed"] += child.exitcode == -signal.SIGKILL
        return child.exitcode == -signal.SIGKILL

    def die(self, job: Job, slot: datetime, after: int) -> None:
        self.kill_at = self.calls + after
        self.by_task(job, slot)
        os._exit(0)


def eval_columns(job: Job, window: Any) -> dict[str, Any]:
    import ast  # noqa: PLC0415

    return dict(ast.literal_eval(job.columns(window)["kwargs"]))
