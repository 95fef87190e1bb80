"""Days joined to weeks, months or years."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Protocol, TypeVar

from kis.simulator.prices import Bar


class Dated(Protocol):
    """What has a trading day."""

    @property
    def day(self) -> date: ...


Row = TypeVar("Row", bound=Dated)
LABELS: Mapping[str, Callable[[date], object]] = {
    "W": lambda day: day.isocalendar()[:2],
    "M": lambda day: (day.year, day.month),
    "Y": lambda day: day.year,
}


def _itself(day: date) -> date:
    return day


def grouped(rows: Sequence[Row], period: str) -> list[list[Row]]:
    """Return the rows of each week (W), month (M) or year (Y), oldest first; any other period means days."""
    label = LABELS.get(period, _itself)
    return [list(group) for _, group in groupby(rows, key=lambda row: label(row.day))]


def joined(bars: Sequence[Bar], period: str) -> list[Bar]:
    """Return one bar a period, dated with its first trading day."""
    return [
        Bar(
            part[0].day,
            part[0].open,
            max(bar.high for bar in part),
            min(bar.low for bar in part),
            part[-1].close,
            sum(bar.volume for bar in part),
        )
        for part in grouped(bars, period)
    ]
