"""What an order needs of the world around it; a rehearsal or a test puts another world in its place."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from kis.accounts import Account
from kis.client.codes import Environment, Mode
from kis.client.endpoints.orders import OneCall
from kis.client.transport import HttpTransport
from kis.clock_skew import measure_skew
from kis.connect import Connection, connect
from kis.korean import SEOUL
from kis.market_days import use_market_days


def certain_skew(environment: Environment) -> timedelta | None:
    """Return by how much our clock is ahead of the broker's, as far as that is certain; None where it cannot be told."""
    found = measure_skew(environment, now=timezone.now)
    if found is None:
        return None
    theirs_ahead, trip = found
    # The reply may have been stamped at any moment of its round trip.
    certain = max(abs(theirs_ahead) - trip / 2, 0.0)
    return timedelta(seconds=-certain if theirs_ahead > 0 else certain)


def free_bytes() -> int:
    """Return the bytes left where hint and journal are written."""
    folder = Path(settings.TRADING_DIR)
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class Desk:
    """An account's connection with the clocks and doors of this machine.

    `wall` is the real time, which codes live by; `market_now` that of the exchange, a simulator's where one plays it.
    `open_call` opens a connection for one order. `skew` returns how far our clock is ahead of the
    broker's, None where it cannot be told; `free_bytes` the room left where the journal is written.
    """

    connection: Connection
    wall: Callable[[], datetime] = timezone.now
    monotonic: Callable[[], float] = time.monotonic
    open_call: Callable[[], OneCall] = HttpTransport
    skew: Callable[[Environment], timedelta | None] = certain_skew
    free_bytes: Callable[[], int] = free_bytes

    @property
    def environment(self) -> Environment:
        return self.connection.environment

    def market_now(self) -> datetime:
        return self.connection.now().astimezone(SEOUL)


@contextmanager
def open_desk(mode: Mode, account: Account | str = "") -> Iterator[Desk]:
    """Open the desk of an account of a mode (see `kis.connect.connect`). Raises KisMisconfigured.

    Whether an order may be sent, and whether one is over, goes by the days as they are told at this moment.
    """
    use_market_days()
    with connect(mode, account) as connection:
        yield Desk(connection)
