"""One time for everybody in a storm: it passes only when somebody waits, calls, or is told to let it pass."""

from datetime import datetime, timedelta


class Clock:
    """`now` is the true time at the exchange; the wall clock of our machine is `ahead` of it, and may be set."""

    def __init__(self, start: datetime) -> None:
        self.began = start
        self.true = start
        self.ahead = timedelta()

    def now(self) -> datetime:
        return self.true

    def wall(self) -> datetime:
        return self.true + self.ahead

    def monotonic(self) -> float:
        return (self.true - self.began).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.true += timedelta(seconds=seconds)
