"""Parts of a whole."""

from collections.abc import Collection, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

HUNDRED: Final = Decimal(100)
TENTH: Final = Decimal("0.1")


def shares(parts: Sequence[int], *, keep: Collection[int] = ()) -> tuple[Decimal, ...]:
    """Percent of the sum with one decimal, each rounded as usual but for a few that give way: they add up to 100.0.

    Small ones give way first, and those in `keep` last, as whoever rounds a large one for himself shall see the same.
    None is off by as much as a tenth.
    """
    whole = sum(parts)
    if whole <= 0:
        return tuple(Decimal("0.0") for _ in parts)
    exact = [Decimal(part) * HUNDRED / whole for part in parts]
    found = [value.quantize(TENTH, ROUND_HALF_UP) for value in exact]
    missing = HUNDRED - sum(found)
    step = TENTH.copy_sign(missing)
    # Only one that was rounded the other way has room for a step.
    ready = [index for index, value in enumerate(exact) if (value - found[index]) * step > 0]
    ready.sort(key=lambda index: (index in keep, abs(parts[index]), index))
    for index in ready[: int(missing / step)]:
        found[index] += step
    return tuple(found)


def percent_of(part: int, whole: int) -> Decimal | None:
    return Decimal(part) * HUNDRED / whole if whole > 0 else None
