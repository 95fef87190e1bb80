"""Space out the calls of one app key, so that the broker has no reason to refuse them."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from kis.client.codes import Mode

# kis-api.md section 4: 18 a second real, 1 a second paper, counted by the gateway; a burst at a second boundary fails.
SECONDS_BETWEEN_CALLS: dict[Mode, float] = {"real": 0.0585, "paper": 1.05}


class Budget(Protocol):
    """The right to call, handed out one by one."""

    @property
    def seconds(self) -> float:
        """Seconds between two calls."""

    def wait(self, *, order: bool = False) -> None:
        """Return when this call may leave; an order goes before all reads that wait."""

    def refused(self) -> None:
        """Hold everybody back for a moment: the broker counted more calls than we did."""


class Pacer:
    """A budget within this process: one call every `seconds`; safe between threads."""

    def __init__(
        self,
        seconds: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.seconds = seconds
        self.monotonic = monotonic
        self.sleep = sleep
        self.next_at = float("-inf")
        self.lock = threading.Lock()

    def wait(self, *, order: bool = False) -> None:
        """Sleep until it is this call's turn; in one process nobody waits long enough for an order to pass him."""
        del order
        with self.lock:
            now = self.monotonic()
            turn = max(now, self.next_at)
            self.next_at = turn + self.seconds
        if turn > now:
            self.sleep(turn - now)

    def refused(self) -> None:
        """Leave one turn out."""
        with self.lock:
            self.next_at = max(self.monotonic(), self.next_at) + self.seconds
