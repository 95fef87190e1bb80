"""A world to throw away: its own simulator, database, folder and clock; nothing of the owner's is in it."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.utils import ConnectionHandler
from django.test.utils import override_settings
from django.utils import timezone

from kis.client.auth import MemoryTokenStore
from kis.client.codes import AccountNumber, Environment
from kis.client.session import Session
from kis.client.throttle import Pacer
from kis.client.transport import HttpTransport
from kis.connect import Connection
from kis.simulator.server import Simulator, SimulatorConfig
from kis.sync.stocks import sync_lists
from trading.desk import Desk

SECONDS = 10
#: Limits of the rehearsal, in won, whatever the owner's are.
LIMITS = {"ORDER_MAX_AMOUNT": 5_000_000, "ORDER_DAY_MAX_AMOUNT": 20_000_000, "ORDER_PRICE_COLLAR_PERCENT": 5}

#: What the account begins with: cash in won, some shares, no orders.
ACCOUNT = {"deposit": 10_000_000, "positions": [{"code": "005930", "qty": 10, "avg": 60_000}]}


@dataclass
class World:
    """The desk of the rehearsal's account, and the exchange behind it. `ahead` is how far its wall clock was moved."""

    simulator: Simulator
    connection: Connection
    ahead: timedelta = timedelta()
    posts: list[HttpTransport] = field(default_factory=list)

    @property
    def desk(self) -> Desk:
        return Desk(self.connection, wall=self.wall, open_call=self.open_call)

    def wall(self) -> datetime:
        return timezone.now() + self.ahead

    def wait(self, span: timedelta) -> None:
        """Let time pass that nobody has to sit through."""
        self.ahead += span

    def open_call(self) -> HttpTransport:
        """Open the connection of one order, and count it."""
        post = HttpTransport()
        self.posts.append(post)
        return post

    # --- the exchange, seen from its own side ------------------------------------------------------------------

    def orders(self) -> list[dict[str, Any]]:
        """Return the orders that the exchange has of this account."""
        return [order for order in self.control("GET", "orders") if order["mode"] == "real"]

    def break_next(self, tr: str, kind: str) -> None:
        self.control("POST", "faults", [{"tr": tr, "kind": kind, "times": 1}])

    def go_to(self, moment: datetime) -> None:
        self.control("POST", "clock", {"now": moment.isoformat()})

    def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # JSON
        url = f"{self.simulator.real.url}/_sim/{path}"
        reply = requests.request(method, url, json=body, timeout=SECONDS)
        reply.raise_for_status()
        return reply.json()


@contextmanager
def throwaway_world() -> Iterator[World]:
    """Build a world, and leave nothing of it behind."""
    with (
        TemporaryDirectory(prefix="aegis-rehearsal-") as name,
        override_settings(
            TRADING_DIR=Path(name) / "cache", REAL_TRADING_ENABLED=True, AEGIS_DEMO=False, **LIMITS
        ),
        throwaway_database(Path(name) / "rehearsal.sqlite3"),
        Simulator(SimulatorConfig(limits=False)) as simulator,
        closing(HttpTransport()) as transport,
    ):
        session = Session(
            environment_of(simulator), transport=transport, tokens=MemoryTokenStore(), budget=Pacer(0)
        )
        # Now, and not from a thread that would look for the owner's database.
        sync_lists(session.environment, at=timezone.now())
        world = World(simulator, Connection(session, simulator.now))
        world.control("POST", "account", ACCOUNT)
        yield world


@contextmanager
def throwaway_database(file: Path) -> Iterator[None]:
    """Put an empty SQLite database in the place of the owner's, for this thread."""
    databases: Mapping[str, Any] = {
        DEFAULT_DB_ALIAS: {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(file),
            "OPTIONS": settings.SQLITE_OPTIONS,
        }
    }
    own = connections[DEFAULT_DB_ALIAS]
    theirs = ConnectionHandler(dict(databases))[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = theirs
    try:
        call_command("migrate", interactive=False, verbosity=0)
        yield
    finally:
        theirs.close()
        connections[DEFAULT_DB_ALIAS] = own


def environment_of(simulator: Simulator) -> Environment:
    side = simulator.real
    return Environment(
        mode="real",
        base_url=side.url,
        ws_url=side.ws,
        app_key=side.app_key,
        app_secret=side.app_secret,
        account=AccountNumber.parse(side.account),
        hts_id=side.hts_id,
    )
