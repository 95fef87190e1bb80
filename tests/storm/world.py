"""What a seed plays in: a broker, a database, a folder, and processes that come, are cut short, and go."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from django.db import DatabaseError, OperationalError, connection
from django.test import override_settings

from kis.client.errors import KisError
from kis.client.protocol import Request
from kis.client.session import Session
from kis.client.throttle import SECONDS_BETWEEN_CALLS, Pacer
from kis.connect import Connection
from kis.stores import DatabaseTokenStore
from tests.storm import database, disk
from tests.storm.broker import Broker, Heard, Wire
from tests.storm.clock import Clock
from tests.storm.faults import CALM, Weather
from tests.storm.rules import Row, Rules
from trading import codes, safe_executor
from trading.desk import Desk
from trading.errors import TradingError
from trading.safe_executor import SafeExecutor

PLENTY = 10**12


class Crash(BaseException):
    """The process is killed; nothing of it runs any more, no `finally` either."""


class Interrupted(BaseException):
    """The process is told to stop (Ctrl-C): what is on its way out still runs."""


@dataclass
class Trouble:
    """What strikes a process at the `nth` place of a class: `sql`, `commit`, `disk`, `wire`, `post`.

    Once its order has left they are called `late sql` and so on.
    """

    place: str
    nth: int
    what: str  # kill, interrupt, database, disk, meanwhile
    meanwhile: Callable[[], None] | None = None


@dataclass
class Process:
    """One run of a program of ours. `intent` is the order it is sending, `typed` the one whose code it was given."""

    name: str
    desk: Desk
    executor: SafeExecutor
    heard: Heard
    trouble: Trouble | None = None
    is_dead: bool = False
    was_struck: bool = False
    has_posted: bool = False
    passed: Counter[str] = field(default_factory=Counter)
    intent: int = 0
    typed: int = 0
    # What the checker saw when the process began.
    began: datetime = field(default_factory=lambda: datetime.max.replace(tzinfo=UTC))
    before: dict[int, Row] = field(default_factory=dict)
    placed_before: dict[tuple[str, str], datetime] = field(default_factory=dict)
    shut_at_start: dict[int, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """How an act of a process ended: its value, or the error that it told its user."""

    value: Any = None
    error: BaseException | None = None


class World:
    """Everything of one seed. `trace` is what happened, line by line: the same for the same seed."""

    def __init__(self, seed: int, *, mode: Any, start: datetime, folder: Path) -> None:
        self.seed = seed
        self.dice = Random(seed)
        self.clock = Clock(start)
        self.broker = Broker(self.clock, mode, self.dice)
        self.environment = self.broker.environment()
        self.folder = folder
        self.trace: list[str] = []
        self.stack: list[Process] = []
        self.watching = True
        self.weather: Weather = CALM
        self.free_bytes = PLENTY
        self.may_trade = True
        self.skew_known = True
        self.counts: Counter[str] = Counter()
        self.pacer = self.new_pacer()
        self.rules = Rules(self)

    def note(self, text: str) -> None:
        self.trace.append(f"{self.clock.true:%d %H:%M:%S.%f} {'  ' * len(self.stack)}{text}")

    def count(self, what: str) -> None:
        self.counts[what] += 1

    # --- places where something may come in between ---------------------------------------------------------------

    def point(self, where: str) -> None:
        if not self.watching or not self.stack:
            return
        process = self.stack[-1]
        if process.is_dead:
            raise Crash
        place = where.split(None, 1)[0]
        if process.has_posted and place != "post":
            place = f"late {place}"
        process.passed[place] += 1
        trouble = process.trouble
        if trouble is None or trouble.place != place or process.passed[place] < trouble.nth:
            return
        if trouble.what == "meanwhile" and (connection.in_atomic_block or "commit" in place):
            return  # the other one would wait for the end of this transaction
        if trouble.what in {"disk", "database"} and where.endswith("done"):
            return
        process.trouble = None
        process.was_struck = True
        self.counts[f"{trouble.what} at {place}"] += 1
        self.note(f"! {trouble.what} at {where} ({trouble.nth})")
        self.strike(process, trouble)

    def strike(self, process: Process, trouble: Trouble) -> None:
        if trouble.what == "kill":
            process.is_dead = True
            raise Crash
        if trouble.what == "interrupt":
            raise Interrupted
        if trouble.what == "database":
            raise OperationalError("the storm")
        if trouble.what == "disk":
            raise disk.full()
        if trouble.meanwhile is not None:
            trouble.meanwhile()

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        """Let whoever only looks on do so past all hooks."""
        before, self.watching = self.watching, False
        try:
            yield
        finally:
            self.watching = before

    # --- processes ------------------------------------------------------------------------------------------------

    def new_pacer(self) -> Pacer:
        seconds = SECONDS_BETWEEN_CALLS[self.environment.mode]
        return Pacer(seconds, monotonic=self.clock.monotonic, sleep=self.clock.sleep)

    def new_process(self, name: str, trouble: Trouble | None) -> Process:
        heard = Heard()

        def wire() -> Wire:
            return Wire(
                self.broker,
                weather=lambda: self.weather,
                point=self.point,
                posted=self.posted,
                heard=heard,
                note=self.note,
                count=self.count,
            )

        session = Session(
            self.environment,
            transport=wire(),
            tokens=DatabaseTokenStore(now=self.clock.wall, sleep=self.clock.sleep),
            budget=self.pacer,
            wall_clock=self.clock.wall,
            monotonic=self.clock.monotonic,
            sleep=self.clock.sleep,
        )
        desk = Desk(
            Connection(session, self.clock.wall),
            wall=self.clock.wall,
            monotonic=self.clock.monotonic,
            open_call=wire,
            skew=lambda environment: self.clock.ahead if self.skew_known else None,
            free_bytes=lambda: self.free_bytes,
        )
        executor = SafeExecutor(desk, may_trade=self.may_trade)
        return Process(name, desk, executor, heard, trouble)

    def posted(self, request: Request) -> int:
        """Hear of an order that leaves; returns the intent that it is for."""
        process = self.stack[-1]
        process.has_posted = True
        with self.unwatched():
            self.rules.posted(process, request)
        return process.intent

    def carry_out(
        self, name: str, act: Callable[[Process], Any], *, trouble: Trouble | None = None, typed: int = 0
    ) -> Done:
        """Run one command in a process of its own, and look at everything afterwards."""
        process = self.new_process(name, trouble)
        process.typed = typed
        self.note(f"{name}:")
        with self.unwatched():
            self.rules.begins(process)
        self.stack.append(process)
        done = Done()
        try:
            done = Done(act(process))
        except (Crash, Interrupted) as end:
            done = Done(error=end)
        except (KisError, TradingError) as told:
            done = Done(error=told)
        except (DatabaseError, OSError) as error:
            done = Done(error=error)
            if not process.was_struck:
                self.rules.broken("no_traceback", f"{name}: {error!r}")
        except Exception as error:  # noqa: BLE001  # whatever else reaches the owner is a traceback
            done = Done(error=error)
            self.rules.broken("no_traceback", f"{name}: {error!r}")
        finally:
            self.stack.pop()
            self.clean_up()
        result = type(done.error).__name__ if done.error else "done"
        self.note(f"{name} → {result}")
        self.counts[f"{name} {result}"] += 1
        with self.unwatched():
            self.rules.ends(process, done)
        return done

    def clean_up(self) -> None:
        """Let the connection of whoever has died be as one newly opened."""
        if connection.in_atomic_block or connection.needs_rollback:
            self.rules.broken("harness", "a transaction outlived its process")
            connection.connection.rollback()
            connection.in_atomic_block = False
            connection.needs_rollback = False
            connection.savepoint_ids = []
            connection.set_autocommit(True)


@contextmanager
def world(seed: int, *, mode: Any, start: datetime, parent: Path | None = None) -> Iterator[World]:
    """Set up everything a seed plays in, over an empty database, and take it down again."""
    with tempfile.TemporaryDirectory(dir=parent) as folder, ExitStack() as stack:
        made = World(seed, mode=mode, start=start, folder=Path(folder))
        stack.enter_context(
            override_settings(
                TRADING_DIR=Path(folder),
                REAL_TRADING_ENABLED=True,
                AEGIS_DEMO=False,
                ORDER_MAX_AMOUNT=3_000_000,
                ORDER_DAY_MAX_AMOUNT=6_000_000,
                ORDER_CODE_TTL_SECONDS=180,
                ORDER_PRICE_COLLAR_PERCENT=5,
            )
        )
        stack.enter_context(patch("kis.simulator.gateway.wall_now", made.clock.now))
        stack.enter_context(patch("kis.stores.timezone.now", made.clock.wall))
        stack.enter_context(patch("kis.client.session.random", Random(seed)))
        stack.enter_context(database.watched(made.point))
        stack.enter_context(disk.watched(made.point))
        stack.enter_context(spies(made))
        yield made


@contextmanager
def spies(made: World) -> Iterator[None]:
    """Note whom an order belongs to while it is sent, and every code that is compared; nothing is changed."""
    execute, is_same = safe_executor.execute, codes.is_same

    def noting_execute(order: Any, **how: Any) -> Any:
        made.stack[-1].intent = order.pk
        return execute(order, **how)

    def noting_is_same(code: str, stored: str, *, pk: int, content: str) -> bool:
        with made.unwatched():
            made.rules.compared(pk)
        return is_same(code, stored, pk=pk, content=content)

    with (
        patch.object(safe_executor, "execute", noting_execute),
        patch.object(codes, "is_same", noting_is_same),
    ):
        yield
