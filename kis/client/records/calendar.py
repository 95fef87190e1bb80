"""Days of the exchange."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kis.client.protocol import Row


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One calendar day in Korea. `is_open` decides whether orders are taken; the others are the broker's own business."""

    day: date
    is_open: bool
    is_business: bool
    is_trading: bool
    is_settlement: bool
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row) -> "CalendarDay":
        return cls(
            day=row.day("bass_dt"),
            is_open=yes_or_no(row, "opnd_yn"),
            is_business=yes_or_no(row, "bzdy_yn"),
            is_trading=yes_or_no(row, "tr_day_yn"),
            is_settlement=yes_or_no(row, "sttl_day_yn"),
            raw=row.data,
        )


def yes_or_no(row: Row, name: str) -> bool:
    """Read Y or N; a blank is neither, because a day that is open by mistake takes orders."""
    text = row.text(name)
    if text not in {"Y", "N"}:
        raise row.changed(name, "Y도 N도 아닙니다")
    return text == "Y"
