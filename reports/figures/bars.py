"""What the charts of one stock show: the days of two weeks, the minutes of today, and what the owner did in them.

Everything is on the footing of the snapshot: prices of shares before a split count as if they had been split.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from kis.models.books import Side

#: Minutes from the opening at 09:00 to the closing print at 15:30.
SESSION_MINUTES: Final = 390


@dataclass(frozen=True, slots=True)
class Candle:
    """One day. Of a halted day, and of today while its minutes are missing, only the close is known."""

    on: date
    close: int
    open: int | None = None
    high: int | None = None
    low: int | None = None
    volume: int | None = None


@dataclass(frozen=True, slots=True)
class DayTrade:
    """All fills of one side on one day, at their average price."""

    on: date
    side: Side
    price: int


class Minute(NamedTuple):
    """One minute of today, counted from the opening."""

    place: int
    low: int
    high: int
    close: int
    volume: int


class MinuteTrade(NamedTuple):
    """An order of today: its minute, and what it was filled at."""

    place: int
    side: Side
    price: int


@dataclass(frozen=True, slots=True)
class DayBars:
    """Today. A minute that is neither in `minutes` nor in `holes` had no trade; `holes` are missing, both ends included.

    `now` is the minute of the snapshot, None outside of the session; `price` is its price.
    """

    price: int
    previous_close: int | None
    now: int | None = None
    minutes: tuple[Minute, ...] = ()
    holes: tuple[tuple[int, int], ...] = ()
    trades: tuple[MinuteTrade, ...] = ()

    @property
    def tone(self) -> int:
        """The sign of the day: 1, −1, or 0 where it is unknown or nothing has changed."""
        if self.previous_close is None:
            return 0
        return (self.price > self.previous_close) - (self.price < self.previous_close)
