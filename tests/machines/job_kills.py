# ruff: noqa: PLC0415  # Django has to be set up before its modules are loaded
"""Kill each job of the timetable at its statements, slot after slot, and look at what is left; started by the tests.

`python job_kills.py '{"jobs": …, "kills": …, "home": …}'` prints one JSON line for each job. Nothing is put back in between: the next slot
has to cope with what the dead one has left, as it does in life.
"""

import io
import json
import random
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kis.killing import in_process
from tests.machines.park import TEN, leave_out_the_market

REFRESH, PRINT, FETCH, ORDERS = (
    *("aegis_1min_realtime", "aegis_10min_kis_dashboard", "aegis_30min_data_fetch", "aegis_1min_orders"),
)
#: From a slot to the one after it, and until a dead one may be taken over.
EVERY = {REFRESH: 2, PRINT: 10, FETCH: 30, ORDERS: 1}
LEASE_IS_OVER = timedelta(minutes=6)
RUNS = {FETCH: "sync_kis_data"}


class Clock:
    """The time of all; it stands still while a slot is run."""

    at = TEN

    def __call__(self):
        return self.at


class Slots:
    """A job whose slots are killed by turns; what is not as it has to be goes into `problems`."""

    def __init__(self, job, plan, clock):
        self.job = job
        self.clock = clock
        self.folder = Path(plan["home"]) / "Realtime"
        self.every = timedelta(minutes=EVERY[self.job])
        self.done = "unknown" if job == ORDERS else "complete"
        self.problems: list[str] = []
        self.states: dict[str, int] = {}
        self.order: Any = None
        self.accounts = 0
        self.clock.at += self.every - (self.clock.at - TEN) % self.every

    def fire(self):
        """Do what cron does."""
        from django.core.management import CommandError, call_command

        said = io.StringIO()
        try:
            call_command(self.job, stdout=said)
        except CommandError as error:
            said.write(str(error))
        return said.getvalue()

    def prepare(self):
        """Let there be something to do."""
        if self.job == ORDERS:
            from tests.trading.conftest import make_order
            from trading.states import State
            from trading.steps import step

            at = self.clock() - timedelta(minutes=2)
            # An account has one order that is not known; the broker is asked for the first of them every time.
            number, product = divmod(self.accounts, 99)
            self.accounts += 1
            owner = {"account_no": f"{12345678 + number}", "product_code": f"{product + 1:02}"}
            self.order = make_order(at=at, **owner)
            step(self.order, State.SENDING, at=at, what="claimed", values={"claimed_at": at, "market_at": at})

    def statements(self):
        """Run two slots undisturbed, and return how many statements the second takes: the first asks for a token."""
        for _ in range(2):
            self.clock.at += self.every
            self.prepare()
            count, told = json.loads(in_process(self.fire).told)
            self.expect(self.is_done(), f"undisturbed it says {told!r}")
        return int(count)

    def kill(self, number, *, after):
        """Kill a slot at a statement, fire it again at once and when its lease is over, and let the next one come."""
        self.clock.at += self.every
        slot = self.clock.at
        self.prepare()
        ended = in_process(self.fire, at=number, after=after)
        if not ended.killed:
            return False
        where = f"{number} {ended.told}"
        self.problems += [f"{where}: {text}" for text in ended.seen]
        state = self.state(slot)
        self.states[state] = self.states.get(state, 0) + 1
        self.whole(where)
        in_process(self.fire)
        self.expect(self.state(slot) in {state, self.done}, f"{where}: was {state}, is {self.state(slot)}")
        # A minute later nobody is in the way of the next slot, whatever the dead one holds.
        self.clock.at = slot + max(self.every, LEASE_IS_OVER)
        self.clock.at -= (self.clock.at - TEN) % self.every
        self.prepare()
        told = json.loads(in_process(self.fire).told)[1]
        self.expect(self.is_done(), f"{where}: the next slot says {told!r}")
        self.whole(where)
        self.once(where)
        return True

    def expect(self, is_so, problem):
        if not is_so:
            self.problems.append(problem)

    def runs(self):
        from kis.models import SyncRun

        return SyncRun.objects.filter(job=RUNS.get(self.job, self.job))

    def state(self, slot):
        if self.job == ORDERS:
            self.order.refresh_from_db()
            return str(self.order.status)
        return ",".join(self.runs().filter(slot=slot).values_list("status", flat=True))

    def is_done(self):
        """Whether the slot of now has done what it is for."""
        return self.state(self.clock()) == self.done

    def whole(self, where):
        """Note a report that is neither the one before nor a new one."""
        for file in self.folder.glob("*") if self.folder.exists() else ():
            data = file.read_bytes()
            self.expect(
                file.name.startswith(".") or (data.startswith(b"%PDF ") and len(data) == len("%PDF 10:00")),
                f"{where}: {file.name} is {data!r}",
            )

    def once(self, where):
        """Note whatever is there twice."""
        from django.db.models import Count

        from kis.models import KisAccount, KisExecution
        from reports.models import PublishedReport
        from trading import audit
        from trading.models import OrderEvent

        left = self.runs().filter(status="running").count()
        self.expect(not left, f"{where}: {left} runs are under way for ever")
        for model, names in (
            (KisAccount, ["sync_run"]),
            (KisExecution, ["exec_dt", "odno"]),
            (PublishedReport, ["as_of"]),
        ):
            twice = model.objects.order_by().values(*names).annotate(n=Count("pk")).filter(n__gt=1)
            self.expect(not twice.exists(), f"{where}: twice in {model.__name__}: {list(twice)}")
        steps = OrderEvent.objects.filter(new_status="unknown").order_by().values("order")
        twice = steps.annotate(n=Count("pk")).filter(n__gt=1)
        self.expect(not twice.exists(), f"{where}: an order became unknown twice")
        if self.job == ORDERS:
            self.expect(not audit.verify().problems, f"{where}: the chain of events is broken")


def main():
    plan: dict[str, Any] = json.loads(sys.argv[1])
    clock = Clock()
    from django.utils import timezone

    timezone.now = clock  # before anything takes it for its own
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor == "sqlite":
        call_command("migrate", verbosity=0)
    leave_out_the_market()
    settings.REPORT_DIR = Path(plan["home"]) / "Realtime"
    from kis.calendar import krx_holidays
    from kis.encryption import cipher

    krx_holidays()
    cipher()
    for job in plan["jobs"]:
        print(json.dumps({"job": job, **killed(Slots(job, plan, clock), plan["kills"])}, ensure_ascii=False))


def killed(slots, kills):
    """Kill so many slots, spread over the statements of one."""
    points = [(at, after) for at in range(1, slots.statements() + 1) for after in (False, True)]
    chance = random.Random(20261120)
    kills = min(kills, len(points))
    size = len(points) / kills
    done = 0
    for number in range(kills):
        at, after = points[int(size * number + chance.random() * size)]
        # Enough room for the rest of the kill before the window closes; the next day begins at ten.
        if slots.clock.at.hour >= 14:
            days = 3 if slots.clock.at.weekday() == 4 else 1
            slots.clock.at = slots.clock.at.replace(hour=10, minute=0) + timedelta(days=days)
        # A slot may do with a statement less than the one that was counted.
        while at and not slots.kill(at, after=after):
            at -= 1
        done += at > 0
    return {"points": len(points), "kills": done, "states": slots.states, "problems": slots.problems}


if __name__ == "__main__":
    main()
