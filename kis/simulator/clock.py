"""The simulated clock, and the real one that tokens and rate limits live by."""

import time
from datetime import datetime, timedelta

from kis.simulator.errors import ControlRefused
from kis.simulator.hours import KST

FIRST_YEAR, LAST_YEAR = 2000, 2100


def wall_now() -> datetime:
    """Return the real time: a client compares the life of its token with its own clock."""
    return datetime.now(KST)


def checked(moment: datetime) -> datetime:
    """Return a moment in KST; without a zone it is meant so. Raises ControlRefused far outside of any market data."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ControlRefused(f"시각은 {FIRST_YEAR}년에서 {LAST_YEAR}년 사이여야 합니다.")
    return moment.astimezone(KST) if moment.tzinfo else moment.replace(tzinfo=KST)


class Clock:
    """Runs on from its start at `speed` times real time; 0 stands still. Never goes back."""

    def __init__(self, start: datetime, *, speed: float = 1.0) -> None:
        self._start = checked(start)
        self._speed = speed
        self._since = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._since) * self._speed)

    def set(self, moment: datetime) -> None:
        """Jump forward. Raises ControlRefused for a moment already past."""
        start = checked(moment)
        if start < self.now():
            raise ControlRefused("시뮬레이터의 시계는 뒤로 돌릴 수 없습니다.")
        self._start = start
        self._since = time.monotonic()
