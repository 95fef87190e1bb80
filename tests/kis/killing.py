# ruff: noqa: PLC0415, T201  # Django has to be set up before its modules are loaded; standard output is the result
"""Kill a sync at its statements, one after the other, and look at what is left; started by `tests.kis.many`.

`python killing.py '{"side": …, "mode": …, "scene": …}'` prints one JSON line. The environment says database and keys.
"""

import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")
# What a server that lives on has committed is there, on the disk or not yet; waiting for the disk takes most of the time.
os.environ["PGOPTIONS"] = "-c synchronous_commit=off"

SEOUL = ZoneInfo("Asia/Seoul")
FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=SEOUL)
MONDAY = FRIDAY + timedelta(days=3)
#: When the run that is killed begins; all but the first have a snapshot of Friday at ten before them.
SCENES = {
    "first": FRIDAY,
    "midday": FRIDAY + timedelta(minutes=30),
    "evening": FRIDAY + timedelta(hours=6),
    "morning": MONDAY + timedelta(minutes=30),
}
BETWEEN_SLOTS = timedelta(minutes=30)
#: Until somebody may take a dead run over.
AFTER_THE_LEASE = timedelta(minutes=6)
#: Often enough to read while a run writes, seldom enough to leave it the processor.
SECONDS_BETWEEN_LOOKS = 0.015
#: So that the runs do not wait for their turns.
SECONDS_BETWEEN_CALLS = 0.0001
#: What is not the account's, or says when something was done and not what.
NOT_BOOKS = {"SyncRun", "AccessToken", "RateBudget", "WireFinding", "BrokerAccount"}
OF_THE_MOMENT = {
    *("id", "kis_account", "previous_account", "sync_run", "snapshot_at"),
    *("updated_at", "found_at", "asked_at", "daily_asked_at", "broker_asked_at", "closed_at"),
}
COSTS = {"commission", "tax", "cost_source", "cost_basis"}
SNAPSHOT = ("KisAccount", "KisHolding", "KisUnfilledOrder", "KisExecution", "KisOrderDetail")


# --- the one that is killed ----------------------------------------------------------------------------------------


@dataclass
class Killer:
    """Counts the statements of this process on all its connections, commits included, and kills it at one of them."""

    pipe: int
    at: int = 0
    after: bool = False
    steps: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def watch(self, connection, **signal_):
        """Receive `connection_created`; threads have connections of their own."""
        connection.execute_wrappers.append(
            lambda execute, sql, params, many, context: self.step(
                sql, lambda: execute(sql, params, many, context)
            )
        )
        commit = connection._commit  # noqa: SLF001  # Django has no hook for it
        connection._commit = lambda: self.step("COMMIT", commit)  # noqa: SLF001

    def step(self, sql, action):
        is_now = next(self.steps) == self.at
        if is_now and not self.after:
            self.die(sql)
        result = action()
        if is_now:
            self.die(sql)
        return result

    def die(self, sql):
        os.write(self.pipe, f"{'after' if self.after else 'before'} {sql[:120]}".encode())
        os.kill(os.getpid(), signal.SIGKILL)


def sync(side, mode, at, *, slot=None):
    """Run a slot (that of the moment, unless told) as the job does; return how its run ended, blank if it is not ours."""
    from kis.client.auth import key_id
    from kis.client.session import Session
    from kis.client.transport import HttpTransport
    from kis.connect import Connection
    from kis.drift import DriftLog
    from kis.rate_budget import DatabaseBudget
    from kis.stores import DatabaseTokenStore
    from kis.sync.run import sync_slot
    from tests.kis.syncing import environment_of

    environment = environment_of(side, mode)
    drift = DriftLog(environment, now=lambda: at)
    with closing(HttpTransport()) as transport:
        session = Session(
            environment,
            transport=transport,
            tokens=DatabaseTokenStore(now=lambda: at, sleep=lambda seconds: None),
            budget=DatabaseBudget(key_id(environment), SECONDS_BETWEEN_CALLS),
            on_drift=drift.observe,
            wall_clock=lambda: at,
            sleep=lambda seconds: None,
        )
        run = sync_slot(Connection(session, lambda: at), slot=slot or at)
        drift.save()
    return "" if run is None else f"{run.status} {run.differences} {run.error}".strip()


# --- databases ------------------------------------------------------------------------------------------------------


class Files:
    """An SQLite database that can be put back to where it was."""

    def __init__(self):
        from django.conf import settings

        self.path = Path(settings.DATABASES["default"]["NAME"])
        self.kept = self.path.with_suffix(".kept")

    def keep(self):
        from django.db import connections

        connections.close_all()
        assert not self.path.with_name(f"{self.path.name}-wal").exists(), (
            "somebody still has the database open"
        )
        shutil.copyfile(self.path, self.kept)

    def put_back(self):
        for end in ("-wal", "-shm"):
            self.path.with_name(f"{self.path.name}{end}").unlink(missing_ok=True)
        shutil.copyfile(self.kept, self.path)

    def drop(self):
        self.kept.unlink()


class Tables:
    """The same on PostgreSQL, in the database of the test: rows are put aside in a schema of their own."""

    def __init__(self):
        from django.apps import apps

        self.names = [model._meta.db_table for model in apps.get_app_config("kis").get_models()]  # noqa: SLF001

    def execute(self, *statements):
        """Run statements as one: references between tables are only looked at in the end."""
        from django.db import connection, transaction

        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def keep(self):
        copies = [f'CREATE TABLE kept."{name}" AS TABLE public."{name}"' for name in self.names]
        self.execute("CREATE SCHEMA kept", *copies)

    def put_back(self):
        self.execute(
            *(f'DELETE FROM public."{name}"' for name in self.names),  # noqa: S608  # our own tables
            *(f'INSERT INTO public."{name}" TABLE kept."{name}"' for name in self.names),
        )

    def drop(self):
        self.execute("DROP SCHEMA kept CASCADE")


# --- what a reader sees ----------------------------------------------------------------------------------------------


def rows_of(model, queryset=None, *, without=frozenset()):
    """Return what the rows of a table say, without what belongs to the moment they were written."""
    names = [name.name for name in model._meta.concrete_fields if name.name not in OF_THE_MOMENT | without]  # noqa: SLF001
    rows = (model.objects.all() if queryset is None else queryset).order_by().values(*names)
    for row in rows:
        if "listed_at" in row.get("raw_json", {}):
            row["raw_json"] = {**row["raw_json"], "listed_at": ""}
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)


def snapshots():
    """Return all that a snapshot is made of, in every row there is; costs and indices are noted on their own."""
    from django.apps import apps

    books = {name: rows_of(apps.get_model("kis", name), without=COSTS | {"indices"}) for name in SNAPSHOT}
    return books | {"moments": moments()}


def moments():
    from kis.models import KisAccount

    return [moment(at) for at in KisAccount.objects.order_by("pk").values_list("snapshot_at", flat=True)]


def moment(at):
    return f"{at.astimezone(SEOUL):%m-%d %H:%M:%S.%f}"


def costs_by_day():
    from kis.models import KisExecution

    days: dict[str, list[str]] = {}
    for day, *values in KisExecution.objects.order_by("pk").values_list("exec_dt", "odno", *sorted(COSTS)):
        days.setdefault(str(day), []).append(str(values))
    return days


def books():
    """Return the newest snapshot, and every other table of the account and of the market."""
    from django.apps import apps

    from kis.models import KisAccount

    newest = KisAccount.objects.newest_first().first()
    of_newest: dict[str, dict[str, Any]] = {
        "KisAccount": {"pk": newest.pk},
        "KisHolding": {"kis_account": newest},
        "KisUnfilledOrder": {"kis_account": newest},
    }
    found = {}
    for model in apps.get_app_config("kis").get_models():
        name = model.__name__
        if name not in NOT_BOOKS:
            found[name] = rows_of(model, model._default_manager.filter(**of_newest.get(name, {})))  # noqa: SLF001
    return found


def look():
    """Read as a page does, and return what does not fit together."""
    from kis.models import KisAccount

    account = KisAccount.objects.newest_first().first()
    if account is None:
        return []
    held = list(account.holdings.all())
    unlike = [
        name
        for name, ours, theirs in (
            ("stock_eval_amt", sum(row.evlu_amt for row in held), account.stock_eval_amt),
            ("total_buy_amt", sum(row.pchs_amt for row in held), account.total_buy_amt),
        )
        if ours != theirs
    ]
    return [
        f"{moment(account.snapshot_at)}: {name} is not the sum of {len(held)} holdings" for name in unlike
    ]


# --- killing ---------------------------------------------------------------------------------------------------------


@dataclass
class Ended:
    """How a process ended: what it said last, whether it was killed, and what a reader made of its work meanwhile."""

    told: str
    killed: bool
    seen: list[str]
    looks: int
    seconds: float


def in_process(work, *, at=0, after=False, kill_after=0.0):
    """Do work in a process of its own, which dies at one of its statements or after some seconds; read meanwhile."""
    from django.db import connections
    from django.db.backends.signals import connection_created

    connections.close_all()  # neither database survives being used on both sides of a fork
    reading, writing = os.pipe()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        killer = Killer(writing, at, after)
        connection_created.connect(killer.watch, weak=False)
        code = 0
        try:
            told = work()
            os.write(writing, json.dumps([next(killer.steps) - 1, told]).encode())
            connections.close_all()
        except BaseException:  # noqa: BLE001  # the parent tells it
            os.write(writing, traceback.format_exc()[-3000:].encode())
            code = 1
        os._exit(code)
    os.close(writing)
    seen: list[str] = []
    looks = 0
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        if kill_after and time.monotonic() - began > kill_after:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        seen += [text for text in look() if text not in seen]
        looks += 1
        time.sleep(SECONDS_BETWEEN_LOOKS)
    seconds = time.monotonic() - began
    # Once more as somebody who had the database open all the while; whoever comes next opens it anew.
    seen += [text for text in look() if text not in seen]
    wait_for_the_server()
    connections.close_all()
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode()
    killed = os.WIFSIGNALED(status)
    if not killed and os.waitstatus_to_exitcode(status):
        raise RuntimeError(told)
    return Ended(told, killed, seen, looks, seconds)


def wait_for_the_server():
    """Wait until PostgreSQL has noticed who died: what was under way until then it may still finish or undo."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    for _ in range(6_000):
        with connection.cursor() as cursor:
            cursor.execute(others)
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise RuntimeError("a session outlived its process")


class Scene:
    """A sync that is killed over and over, from the same beginning."""

    def __init__(self, plan):
        from django.db import connection

        from kis.simulator.server import Endpoint

        self.side = Endpoint(**plan["side"])
        self.mode = plan["mode"]
        self.first = plan["scene"] == "first"
        self.moment = SCENES[plan["scene"]]
        self.next_moment = self.moment + BETWEEN_SLOTS
        self.database = Tables() if connection.vendor == "postgresql" else Files()
        self.problems: list[str] = []
        self.looks = 0
        self.left = {"old": 0, "new": 0}
        self.play()
        self.database.keep()
        self.old, self.old_costs = snapshots(), costs_by_day()
        undisturbed = in_process(self.sync)
        self.statements, _ = json.loads(undisturbed.told)
        self.seconds = undisturbed.seconds
        self.new, self.new_costs = snapshots(), costs_by_day()
        assert self.new["moments"] == [*self.old["moments"], moment(self.moment)]
        # In the evening no order waits any more.
        same = {name for name in SNAPSHOT if self.new[name] == self.old[name]} - {"KisUnfilledOrder"}
        assert not same, "nothing happened in between"
        self.database.put_back()
        self.told = json.loads(in_process(self.sync_next).told)[1]
        self.books = books()

    def sync(self):
        return sync(self.side, self.mode, self.moment)

    def sync_next(self):
        return sync(self.side, self.mode, self.next_moment)

    def play(self):
        """Let something happen of everything that a snapshot has, and look at it once in between."""
        from tests.kis.conftest import Caller
        from tests.kis.syncing import Broker, Desk

        broker = Broker(self.side.url)
        broker.clock(FRIDAY)
        broker.account(_005930=(100, 60_000), _000660=(50, 200_000), _035420=(7, 200_000))
        desk = Desk(broker, Caller(self.side))
        desk.trade("buy", 5)
        waiting = desk.buy(9)
        if not self.first:
            in_process(lambda: sync(self.side, self.mode, FRIDAY))
        desk.trade("sell", 3, parts=[1, 2])
        broker.fill(desk.amend(waiting), 4)
        broker.clock(self.moment)
        if self.moment.date() > FRIDAY.date():
            desk = Desk(broker, Caller(self.side))
        if self.moment.hour < 15:  # the market has closed by then
            desk.trade("sell", 7, code="035420")
            desk.buy(2)

    def sync_again(self):
        return sync(self.side, self.mode, self.moment + AFTER_THE_LEASE, slot=self.moment)

    def kill(self, *, at=0, after=False, kill_after=0.0):
        """Kill one run, look at what it left, let the next slot come; return whether there was anything to kill.

        Every other time somebody fires the same slot again before the next one.
        """
        self.database.put_back()
        ended = in_process(self.sync, at=at, after=after, kill_after=kill_after)
        where = f"{at} {ended.told}" if at else f"{kill_after:.4f} s"
        self.looks += ended.looks
        if not ended.killed:
            return False
        found = [*ended.seen, *self.odd_snapshot(), *(self.odd_slot_again() if after else [])]
        found += self.odd_next_slot()
        self.problems += [f"{where}: {text}" for text in found]
        return True

    def odd_snapshot(self):
        """Return what is neither the old snapshot nor the new one."""
        seen, costs = snapshots(), costs_by_day()
        which = next((name for name in ("old", "new") if seen == getattr(self, name)), "")
        if not which:
            unlike = [name for name in seen if seen[name] not in (self.old[name], self.new[name])]
            return [f"neither the old snapshot nor the new one: {', '.join(unlike) or 'a mix'}"]
        self.left[which] += 1
        halves = [
            day
            for day, rows in costs.items()
            if rows not in (self.old_costs.get(day), self.new_costs[day]) and not self.is_estimated(rows)
        ]
        return [f"costs of {day} are neither estimated nor settled" for day in halves]

    def is_estimated(self, rows):
        """Return whether a day's costs are all as they are estimated with the snapshot, before they are settled."""
        return all("estimated" in row for row in rows)

    def states(self, slot):
        from kis.models import SyncRun

        return list(SyncRun.objects.filter(slot=slot).values_list("status", flat=True))

    def odd_slot_again(self):
        """Fire the slot of the dead run once more, and return what is not as if it had run but once."""
        before = self.states(self.moment)
        told = json.loads(in_process(self.sync_again).told)[1]
        wanted = "" if before == ["complete"] else self.told
        found = [] if told == wanted else [f"the slot again says {told!r} and not {wanted!r}"]
        if self.states(self.moment) != ["complete"]:
            found.append(
                f"runs of the slot were {before} and are {self.states(self.moment)} when it came again"
            )
        return found

    def odd_next_slot(self):
        """Run the next slot, and return what is not as if nothing had happened."""
        before = self.states(self.moment)
        told = json.loads(in_process(self.sync_next).told)[1]
        found = [] if told == self.told else [f"the next slot says {told!r} and not {self.told!r}"]
        found += [f"books differ: {name}" for name, rows in books().items() if rows != self.books[name]]
        wanted = ["abandoned" if state == "running" else state for state in before]
        if self.states(self.moment) != wanted or len(before) > 1:
            found.append(f"runs of the slot were {before} and are {self.states(self.moment)}")
        if self.states(self.next_moment) != ["complete"]:
            found.append(f"runs of the next slot are {self.states(self.next_moment)}")
        return found


def warm_up():
    """Load once what every process would load for itself."""
    import kis.drift
    import kis.sync.run  # noqa: F401
    from kis.calendar import krx_holidays
    from kis.encryption import cipher

    krx_holidays()
    cipher()


def main():
    import django

    django.setup()
    warm_up()
    plan: dict[str, Any] = json.loads(sys.argv[1])
    began = time.monotonic()
    scene = Scene(plan)
    chance = random.Random(plan["seed"])
    points = [(at, after) for at in range(1, scene.statements + 1) for after in (False, True)]
    if plan["kills"]:
        # One of each stretch, so that a few are spread over the whole run.
        size = len(points) / plan["kills"]
        points = [points[int(size * number + chance.random() * size)] for number in range(plan["kills"])]
    kills = sum(scene.kill(at=at, after=after) for at, after in points)
    kills += sum(scene.kill(kill_after=chance.random() * scene.seconds) for _ in range(plan["at_any_moment"]))
    scene.database.drop()
    result = {
        "statements": scene.statements,
        "kills": kills,
        "left": scene.left,
        "looks": scene.looks,
        "seconds": round(time.monotonic() - began, 1),
        "next_slot": scene.told,
        "problems": scene.problems,
    }
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
