"""Bars of a chart."""

from dataclasses import dataclass
from datetime import date

from kis.client.protocol import Row

#: Prices adjusted for a split or rights issue are rounded one by one, so a close may stand a won above its high.
ADJUSTED_ROUNDING = 1


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
        inner = sorted((self.open, self.close))
        return 0 < self.low <= inner[0] + ADJUSTED_ROUNDING and inner[1] <= self.high + ADJUSTED_ROUNDING

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
