"""What the account consists of."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.figures.holdings import HoldingFigures
from reports.figures.shares import HUNDRED

NAMED_SLICES: Final = 8


@dataclass(frozen=True, slots=True)
class Slice:
    """One line of the composition: a stock, the rest, or cash."""

    name: str
    value: int
    weight: Decimal
    kind: str  # "stock", "rest" or "cash"


def composition_of(holdings: Sequence[HoldingFigures], *, cash: int) -> tuple[Slice, ...]:
    """Name the largest stocks; whatever follows is one slice, unless it is a single stock with a name of its own."""
    named = len(holdings) if len(holdings) <= NAMED_SLICES + 1 else NAMED_SLICES
    slices = [Slice(holding.name, holding.value, holding.weight, "stock") for holding in holdings[:named]]
    rest = holdings[named:]
    if rest:
        weight = sum((holding.weight for holding in rest), Decimal(0))
        slices.append(Slice(f"그 밖 {len(rest)}종목", sum(holding.value for holding in rest), weight, "rest"))
    whole = sum(holding.value for holding in holdings) + cash
    weight = HUNDRED - sum((part.weight for part in slices), Decimal(0)) if whole > 0 else Decimal("0.0")
    return (*slices, Slice("현금 D+2", cash, weight, "cash"))
