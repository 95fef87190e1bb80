"""How a page writes amounts: in won, or as parts of the account where they are nobody else's business. Pure."""

import re
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from kis import korean

HUNDREDTH: Final = Decimal("0.01")
HUNDRED: Final = Decimal(100)
#: A number with its unit, or one too long to be anything else; prices in sentences go the same way.
AMOUNT: Final = re.compile(
    r"\d[\d,.]*\s*(조|억|[천백]?만|천|백)?\s*(원|주(?!일|간|식|년))|\d\s*(조|억|[천백]?만)|\d,\d{3}"
)
#: From here on a heading takes less room.
BRIEF_FROM: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Amounts:
    """Writes won; with `whole` it writes percent of that many won instead, and no amount at all where that is nothing.

    `is_bare` says that a page should show weights and returns, and nothing else.
    """

    whole: int | None = None
    is_bare: bool = False

    @property
    def is_masked(self) -> bool:
        return self.whole is not None

    def plain(self, value: int | None) -> str:
        return korean.number(value) if self.whole is None else self._part(value, is_signed=False)

    def signed(self, value: int | None) -> str:
        return korean.signed(value) if self.whole is None else self._part(value, is_signed=True)

    def estimate(self, value: int | None, *, is_estimated: bool = True) -> str:
        """`12337` → `~12,337` where it is not the broker's final figure."""
        text = self.plain(value)
        return f"~{text}" if is_estimated and value else text

    def heading(self, value: int) -> str:
        """`1억 7,702만`; the unit won goes without saying beside another amount."""
        return korean.heading_text(value).removesuffix("원") if self.whole is None else self.plain(value)

    def of(self, whole: int) -> "Amounts":
        """Return the same writer with parts counted from another whole."""
        return self if self.whole is None else replace(self, whole=whole)

    def _part(self, value: int | None, *, is_signed: bool) -> str:
        if value is None or not self.whole or self.whole < 0:
            return korean.MISSING
        part = Decimal(value) * HUNDRED / self.whole
        if is_signed:
            return korean.percent(part)
        return f"{part.quantize(HUNDREDTH, ROUND_HALF_UP)}%".replace("-", korean.MINUS)


IN_WON: Final = Amounts()


def names_amounts(text: str) -> bool:
    """Whether a sentence names won or a number of shares."""
    return bool(AMOUNT.search(text))
