# ruff: noqa: PLC0415  # Django has to be set up before its modules are loaded; standard output is the result
"""Several machines on one PostgreSQL, each with folders of its own, by a clock that runs fast; started by the tests.

`python park.py '{"home": …, "minutes": …}'` prints one JSON line. A machine is a process group: two clusters of django-q2
as the product starts them, or a crond that runs the commands. All are forked from here, so that none costs a start of Django.
"""

import contextlib
import io
import json
import multiprocessing
import os
import random
import select
import signal
import socket
import sys
import threading
import time
import traceback
from datetime import datetime, timedelta
from pathlib import Path
from pydoc import locate
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")

TEN = datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("Asia/Seoul"))
MINUTE = timedelta(minutes=1)
#: The files of a machine that say which run it is at, and which ones it has begun.
RUNNING, BEGUN = "running", "begun"
REFRESH = "aegis_1min_realtime"
#: How long the clock waits for them at most. Whoever died in a run holds its account for a minute and a half.
SECONDS_OF_PATIENCE, MINUTES_OF_THE_DEAD = 20, 4


class FastClock:
    """The time of all machines: from so many minutes after ten on, and so many times as fast as ours.

    It stands still where a machine has more to do than there is time for.
    """

    def __init__(self, begin, speed):
        self.begin = TEN + begin * MINUTE
        self.speed = speed
        #: When it began; negative: how many seconds after that it stands still. One number, so that none sees half of it.
        self.cell = multiprocessing.get_context("fork").RawValue("d")
        self.start()

    def start(self):
        self.cell.value = time.time()

    def seconds(self):
        return time.time() - cell if (cell := self.cell.value) > 0 else -cell

    def __call__(self):
        return self.begin + timedelta(seconds=self.seconds() * self.speed)

    def stand_still_until(self, is_so):
        """Let no time pass until something is so, or patience is over."""
        at, ends_at = self.seconds(), time.monotonic() + SECONDS_OF_PATIENCE
        self.cell.value = -at
        while not is_so() and time.monotonic() < ends_at:
            time.sleep(0.02)
        self.cell.value = time.time() - at

    def wait_for(self, minutes):
        """Wait until so many minutes after ten."""
        while (left := (TEN + minutes * MINUTE - self()).total_seconds() / self.speed) > 0:
            time.sleep(min(left, 0.2))


class Often(float):
    """How long the guard of a cluster sleeps; added up it lets the scheduler look every time and not twice a minute."""

    def __radd__(self, other):
        return 30


# --- the wire to the database ----------------------------------------------------------------------------------------


class Wire:
    """Carries connections to PostgreSQL, until it is cut."""

    def __init__(self, parameters):
        self.host, self.port_there = parameters.get("host", "127.0.0.1"), int(parameters.get("port", 5432))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_cut = False
        self.pairs: list[socket.socket] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            if self.is_cut:
                client.close()
                continue
            try:
                server = self.reach()
            except OSError:
                client.close()
                continue
            self.pairs += [client, server]
            threading.Thread(target=self.carry, args=(client, server), daemon=True).start()

    def reach(self):
        if not self.host.startswith("/"):
            return socket.create_connection((self.host, self.port_there))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self.host}/.s.PGSQL.{self.port_there}")
        return server

    def carry(self, client, server):
        with contextlib.suppress(OSError, ValueError), client, server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65_536)
                    if not data:
                        return
                    (server if ready is client else client).sendall(data)

    def cut(self):
        self.is_cut = True
        for end in self.pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.pairs.clear()

    def mend(self):
        self.is_cut = False


# --- machines --------------------------------------------------------------------------------------------------------


class Machine:
    """A process group with folders of its own; `work` are the functions of its processes."""

    def __init__(self, name, home, *work):
        self.name = name
        self.home = home / name
        self.work = work
        self.leaders: list[int] = []

    def start(self):
        from django.db import connections

        connections.close_all()
        for work in self.work:
            pid = os.fork()
            if pid == 0:
                self.live(work)
            self.leaders.append(pid)

    def live(self, work):
        """Be a process of this machine, to its end."""
        code = 1
        try:
            os.setsid()
            self.move_in()
            work(self)
            code = 0
        except BaseException:  # noqa: BLE001  # told in its log
            (self.home / "died").write_text(traceback.format_exc(), encoding="utf-8")
        os._exit(code)

    def move_in(self):
        """Have no folder in common with the others."""
        from django.conf import settings

        self.home.mkdir(exist_ok=True)
        log = os.open(self.home / f"log.{os.getpid()}", os.O_WRONLY | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.environ["HOME"] = str(self.home)
        settings.VAR_DIR = self.home / "var"
        settings.REPORT_DIR = self.home / "Realtime"
        settings.TRADING_DIR = self.home / ".cache"

    def mark_runs(self):
        """Leave a file while a run of ours is under way."""
        mark = self.home / RUNNING
        for module in ("kis.refresh", "kis.sync.run", "aegis.printing_job"):
            patch(f"{module}.open_slot", marking(locate(f"{module}.open_slot"), mark)).start()
        patch("kis.sync.run.end_run", unmarking(locate("kis.sync.run.end_run"), mark)).start()

    def kill(self):
        """Pull the plug."""
        for pid in self.leaders:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.leaders.clear()


def marking(open_slot, mark):
    def marked(owner, **how):
        run = open_slot(owner, **how)
        if run is not None:
            told = f"{owner.job} {run.slot.astimezone(TEN.tzinfo):%H:%M}"
            mark.write_text(told, encoding="utf-8")
            with mark.with_name(BEGUN).open("a", encoding="utf-8") as begun:
                begun.write(f"{told}\n")
        return run

    return marked


def unmarking(end_run, mark):
    def unmarked(*arguments, **how):
        ended = end_run(*arguments, **how)
        mark.unlink(missing_ok=True)
        return ended

    return unmarked


def cluster(queue):
    """Return what serves a queue, as `qcluster` does."""

    def serve(machine):
        from django.conf import settings
        from django_q.cluster import Cluster
        from django_q.conf import Conf

        Conf.CLUSTER_NAME = queue
        alternatives: Any = settings.Q_CLUSTER["ALT_CLUSTERS"]
        alternative = alternatives.get(queue, {})
        Conf.TIMEOUT = alternative.get("timeout", Conf.TIMEOUT)
        Conf.RETRY = alternative.get("retry", Conf.RETRY)
        Conf.WORKERS = 1
        Conf.GUARD_CYCLE, Conf.POLL = Often(0.1), 0.05
        machine.mark_runs()
        serving = Cluster()
        serving.start()
        serving.sentinel.join()

    return serve


def crond(clock, begin, minutes):
    """Return what fires every tick of the timetable, as deploy/crontab does."""

    def fire(machine):
        from django.core.management import CommandError, call_command
        from django.utils import timezone

        machine.mark_runs()
        chance = random.Random(3)
        for minute in range(begin + 1, minutes + 1):
            # As long as a command takes to start: sometimes a worker is quicker.
            clock.wait_for(minute + chance.random() / 4)
            for every, name in (
                (1, "aegis_1min_realtime"),
                (10, "aegis_10min_kis_dashboard"),
                (30, "aegis_30min_data_fetch"),
            ):
                if minute % every:
                    continue
                said = io.StringIO()
                try:
                    call_command(name, stdout=said)
                except CommandError as error:
                    said.write(str(error))
                except Exception as error:  # noqa: BLE001  # cron mails it and goes on
                    said.write(f"{type(error).__name__}")
                print(f"{timezone.now():%H:%M} {name} {said.getvalue()!r}", flush=True)

    return fire


# --- the product, without what takes its time ------------------------------------------------------------------------


def leave_out_the_market():
    from kis.client.throttle import SECONDS_BETWEEN_CALLS

    SECONDS_BETWEEN_CALLS["real"] = 0.0
    for name, answer in (
        ("kis.sync.run.copy_lists", []),
        ("kis.sync.run.copy_prices", ()),
        ("kis.sync.run.copy_days", ()),
        ("kis.data_fetch.copy_minutes", None),
        ("kis.refresh.copy_minutes", None),
        ("kis.refresh.note_indices", []),
    ):
        patch(name, lambda *_, _answer=answer, **__: _answer).start()
    patch("kis.direct.calls_within", lambda session, seconds: 1).start()
    patch(
        "reports.publishing.render_apart", lambda page, amounts: f"%PDF {page.as_of:%H:%M}".encode()
    ).start()


# --- the play --------------------------------------------------------------------------------------------------------


class Play:
    """What happens, minute by minute: at `kills` a worker dies in the middle of a run; a minute later it is started again."""

    def __init__(self, plan, clock, wire):
        self.plan = plan
        self.clock = clock
        self.wire = wire
        self.chance = random.Random(plan.get("seed", 7))
        home = Path(plan["home"])
        self.workers = [Machine(name, home, cluster("fast"), cluster("reports")) for name in plan["workers"]]
        self.cron = (
            [Machine("cron", home, crond(clock, plan.get("begin", 0), plan["minutes"]))]
            if plan.get("cron")
            else []
        )
        self.killed: list[dict[str, Any]] = []

    def run(self):
        machines = [*self.workers, *self.cron]
        try:
            for machine in machines:
                machine.start()
            for minute in range(self.plan.get("begin", 0) + 1, self.plan["minutes"] + 1):
                self.clock.wait_for(minute)
                self.happen(minute)
                self.clock.wait_for(minute + 0.9)
                self.clock.stand_still_until(lambda: self.is_done(minute))  # noqa: B023  # asked at once
            # What the last tick has begun needs its time, too.
            self.clock.wait_for(self.plan["minutes"] + 1.5)
        finally:
            for machine in machines:
                machine.kill()

    def is_done(self, minute):
        """Whether nobody is in a run, and the one of the minute has been begun if anybody can."""
        homes = [machine.home for machine in (*self.workers, *self.cron)]
        if any((home / RUNNING).exists() for home in homes):
            return False
        troubles = [*self.plan["kills"], *range(*self.plan.get("outage", (0, 0)))]
        if minute % 30 == 0 or any(
            trouble <= minute <= trouble + MINUTES_OF_THE_DEAD for trouble in troubles
        ):
            return True
        told = f"{REFRESH} {TEN + minute * MINUTE:%H:%M}\n"
        return any(
            told in (home / BEGUN).read_text(encoding="utf-8") for home in homes if (home / BEGUN).exists()
        )

    def happen(self, minute):
        first, last = self.plan.get("outage", (0, 0))
        if minute == first:
            self.wire.cut()
        if minute == last:
            self.wire.mend()
        for machine in self.workers:
            if not machine.leaders:
                machine.start()
        if minute in self.plan["kills"]:
            victim = self.in_a_run() or self.chance.choice(self.workers)
            victim.kill()
            mark = victim.home / RUNNING
            broken = mark.read_text(encoding="utf-8") if mark.exists() else ""
            mark.unlink(missing_ok=True)
            self.killed.append({"minute": minute, "machine": victim.name, "run": broken})

    def in_a_run(self):
        """Wait until one of the workers is in the middle of a run, for two minutes at most."""
        until = self.clock() + 2 * MINUTE
        while self.clock() < until:
            for machine in self.workers:
                if (machine.home / RUNNING).exists():
                    return machine
            time.sleep(0.002)
        return None


def main():
    plan: dict[str, Any] = json.loads(sys.argv[1])
    clock = FastClock(plan.get("begin", 0), plan["speed"])
    from django.utils import timezone

    timezone.now = clock  # before anything takes it for its own
    import django

    django.setup()
    from django.db import connection, connections

    leave_out_the_market()
    from aegis.schedules import write_schedules
    from kis.calendar import krx_holidays
    from kis.encryption import cipher

    krx_holidays()
    cipher()
    wire = Wire(connection.get_connection_params())
    clock.start()
    write_schedules(now=clock())
    connections.close_all()
    # From here on everybody goes over the wire; forked, they inherit it.
    connection.settings_dict["OPTIONS"].update(host="127.0.0.1", port=wire.port)
    play = Play(plan, clock, wire)
    play.run()
    print(json.dumps({"killed": play.killed, "until": clock().isoformat()}))


if __name__ == "__main__":
    main()
