"""Space out the calls of one app key, so that the broker has no reason to refuse them."""

import threading
import time
from collections.abc import Callable

from kis.client.codes import Mode

# kis-api.md section 4: 18 a second real, 1 a second paper, counted by the gateway; a burst at a second boundary fails.
SECONDS_BETWEEN_CALLS: dict[Mode, float] = {"real": 0.0625, "paper": 1.1}


class Pacer:
    """Lets one call through every `seconds`; safe between threads."""

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

    def wait(self) -> None:
        """Sleep until it is this call's turn."""
        with self.lock:
            now = self.monotonic()
            turn = max(now, self.next_at)
            self.next_at = turn + self.seconds
        if turn > now:
            self.sleep(turn - now)
