"""Tell from two readings of the same days whether a stock counts in other shares since; pure."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from kis.client.records.charts import ADJUSTED_ROUNDING

#: Open, high, low and close of a day, in won.
Prices = tuple[int, int, int, int]

CLOSE = 3
#: Splits, mergers and free shares go by small numbers (1 to 5, 10 to 1, 11 to 10); a rights issue may not.
LARGEST_DENOMINATOR = 20
PLACES = Decimal("1E-8")


def unlike_days(old: Mapping[date, Prices], new: Mapping[date, Prices]) -> list[date]:
    """Return the days that both have, with different prices; oldest first."""
    return sorted(day for day in old.keys() & new if old[day] != new[day])


def share_ratio(old: Mapping[date, Prices], new: Mapping[date, Prices]) -> Decimal | None:
    """Return what one share of the old reading is in the new one: 5 after a split 1 to 5.

    None where the closes are the same, or where no single ratio explains them all: then the broker has corrected
    something, and shares still count as before.
    """
    closes = [(old[day][CLOSE], new[day][CLOSE]) for day in sorted(old.keys() & new)]
    if all(before == after for before, after in closes):
        return None
    measured = Fraction(sum(before for before, _ in closes), sum(after for _, after in closes))
    simple = measured.limit_denominator(LARGEST_DENOMINATOR)
    for ratio in (simple, 1 / (1 / measured).limit_denominator(LARGEST_DENOMINATOR), measured):
        if ratio > 0 and ratio != 1 and all(fits(before, after, ratio) for before, after in closes):
            return (Decimal(ratio.numerator) / Decimal(ratio.denominator)).quantize(PLACES)
    return None


def fits(before: int, after: int, ratio: Fraction) -> bool:
    """Return whether a price in old shares is one in new shares; either may have been rounded to the won."""
    return abs(before - after * ratio) <= ADJUSTED_ROUNDING * (ratio + 1)
