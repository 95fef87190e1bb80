"""One time for all processes of a run: it passes only when somebody waits, calls the broker, or is told to let it pass."""

import multiprocessing
from datetime import datetime, timedelta
from typing import Any

from kis.korean import SEOUL

fork = multiprocessing.get_context("fork")


class SharedClock:
    """The true time, as the broker has it; the wall clock of our machine is `ahead` of it, and may be set."""

    def __init__(self, start: datetime) -> None:
        self.cells: Any = fork.RawArray("d", [start.timestamp(), 0.0])
        self.lock = fork.Lock()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.cells[0], SEOUL)

    def wall(self) -> datetime:
        return datetime.fromtimestamp(self.cells[0] + self.cells[1], SEOUL)

    def monotonic(self) -> float:
        return float(self.cells[0])

    def sleep(self, seconds: float) -> None:
        until = self.cells[0] + seconds
        with self.lock:
            self.cells[0] = max(self.cells[0], until)

    def set(self, moment: datetime) -> None:
        """Go on to a moment; never back."""
        with self.lock:
            self.cells[0] = max(self.cells[0], moment.timestamp())

    @property
    def ahead(self) -> timedelta:
        return timedelta(seconds=self.cells[1])

    @ahead.setter
    def ahead(self, step: timedelta) -> None:
        self.cells[1] = step.total_seconds()
