"""Parts of a whole."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Final

HUNDRED: Final = Decimal(100)
TENTH: Final = Decimal("0.1")


def shares(parts: Sequence[int]) -> tuple[Decimal, ...]:
    """Percent of the sum with one decimal, so rounded that they add up to 100.0 (largest remainder)."""
    whole = sum(parts)
    if whole <= 0:
        return tuple(Decimal("0.0") for _ in parts)
    exact = [Decimal(part) * HUNDRED / whole for part in parts]
    floors = [value.quantize(TENTH, ROUND_FLOOR) for value in exact]
    missing = int((HUNDRED - sum(floors)) / TENTH)
    by_remainder = sorted(
        range(len(parts)), key=lambda index: (floors[index] - exact[index], -abs(parts[index]), index)
    )
    raised = set(by_remainder[:missing])
    return tuple(floor + TENTH if index in raised else floor for index, floor in enumerate(floors))


def percent_of(part: int, whole: int) -> Decimal | None:
    return Decimal(part) * HUNDRED / whole if whole > 0 else None
