"""Bars of a chart."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from kis.client.auth import SEOUL
from kis.client.protocol import Row

#: Prices adjusted for a split or rights issue are rounded one by one, so a close may stand a won above its high.
ADJUSTED_ROUNDING = 1
MINUTE = timedelta(minutes=1)
Number = TypeVar("Number", int, Decimal)


def fit(opening: Number, high: Number, low: Number, close: Number, *, slack: int = 0) -> bool:
    """Return whether four prices can belong to one bar, give or take `slack` won."""
    return 0 < low <= min(opening, close) + slack and max(opening, close) <= high + slack


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One trading day in won and shares, adjusted for splits; open, high and low are 0 on a halted day."""

    day: date
    open: int
    high: int
    low: int
    close: int
    volume: int

    @property
    def is_sane(self) -> bool:
        """Whether the four prices can belong to one day."""
        if (self.open, self.high, self.low, self.volume) == (0, 0, 0, 0):
            return self.close > 0
        return fit(self.open, self.high, self.low, self.close, slack=ADJUSTED_ROUNDING)

    @classmethod
    def from_row(cls, row: Row) -> "DailyBar":
        bar = cls(
            day=row.day("stck_bsop_date"),
            open=row.quantity("stck_oprc"),
            high=row.quantity("stck_hgpr"),
            low=row.quantity("stck_lwpr"),
            close=row.quantity("stck_clpr"),
            volume=row.integer("acml_vol", low=0),
        )
        if not bar.is_sane:
            raise row.changed("output2", f"{bar.day} 시가·고가·저가·종가가 서로 맞지 않습니다")
        return bar


@dataclass(frozen=True, slots=True)
class DailyChart:
    """The bars that could be read, oldest first, and a sentence for each that could not."""

    bars: tuple[DailyBar, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MinuteBar:
    """One minute in won and shares. `at` is its beginning in Korea; a bar that is `forming` will still change."""

    at: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int
    forming: bool

    @classmethod
    def from_row(cls, row: Row, *, now: datetime) -> "MinuteBar":
        clock = row.clock("stck_cntg_hour").replace(second=0)
        at = datetime.combine(row.day("stck_bsop_date"), clock, SEOUL)
        bar = cls(
            at=at,
            open=row.quantity("stck_oprc"),
            high=row.quantity("stck_hgpr"),
            low=row.quantity("stck_lwpr"),
            close=row.quantity("stck_prpr"),
            volume=row.integer("cntg_vol", low=0),
            forming=at + MINUTE > now,
        )
        if not fit(bar.open, bar.high, bar.low, bar.close):
            raise row.changed("output2", f"{at:%H:%M} 분봉의 시가·고가·저가·종가가 서로 맞지 않습니다")
        return bar


@dataclass(frozen=True, slots=True)
class MinuteChart:
    """The minutes that could be read, oldest first, and a sentence for each that could not."""

    bars: tuple[MinuteBar, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexBar:
    """One trading day of an index in points; `volume` in the broker's own unit."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int

    @property
    def is_placeholder(self) -> bool:
        """Whether nothing was traded: so the broker shows today before the market opens."""
        return not self.volume and self.open == self.high == self.low == self.close

    @classmethod
    def from_row(cls, row: Row) -> "IndexBar":
        bar = cls(
            day=row.day("stck_bsop_date"),
            open=row.decimal("bstp_nmix_oprc"),
            high=row.decimal("bstp_nmix_hgpr"),
            low=row.decimal("bstp_nmix_lwpr"),
            close=row.decimal("bstp_nmix_prpr"),
            volume=row.integer("acml_vol", low=0),
        )
        if not fit(bar.open, bar.high, bar.low, bar.close):
            raise row.changed("output2", f"{bar.day} 지수의 시가·고가·저가·종가가 서로 맞지 않습니다")
        return bar


@dataclass(frozen=True, slots=True)
class IndexChart:
    """The bars that could be read, oldest first, and a sentence for each that could not."""

    bars: tuple[IndexBar, ...]
    problems: tuple[str, ...]
