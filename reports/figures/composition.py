"""What the account consists of, next to what its owner wants it to, and by sector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from kis.models import Stock, TargetWeight
from reports.figures.holdings import HoldingFigures
from reports.figures.sectors import sector_lines
from reports.figures.shares import HUNDRED

NAMED_SLICES: Final = 8
NAMED_SECTORS: Final = 6


@dataclass(frozen=True, slots=True)
class Slice:
    """One line of the composition: a stock, the rest, or cash. Weights and targets are percent of the whole."""

    name: str
    value: int
    weight: Decimal
    kind: str  # "stock", "rest" or "cash"
    target: Decimal | None = None
    code: str = ""
    off_target: Decimal | None = field(init=False)

    def __post_init__(self) -> None:
        apart = None if self.target is None else self.weight - self.target
        object.__setattr__(self, "off_target", apart)


@dataclass(frozen=True, slots=True)
class Sector:
    """A line of business and its share of the whole; `count` is above 1 where small ones are put together."""

    name: str
    weight: Decimal
    kind: str  # "sector", "rest" or "cash"
    count: int = 1


@dataclass(frozen=True, slots=True)
class Composition:
    """Slices largest first, then the rest and cash; sectors likewise. `has_targets` says whether any target is set."""

    slices: tuple[Slice, ...]
    sectors: tuple[Sector, ...]
    has_targets: bool

    @property
    def cash(self) -> Slice:
        return self.slices[-1]


def composition_of(
    holdings: Sequence[HoldingFigures],
    *,
    cash: int,
    targets: Mapping[str, Decimal],
    stocks: Mapping[str, Stock],
) -> Composition:
    return Composition(
        slices=_slices(holdings, cash=cash, targets=targets),
        sectors=_sectors(holdings, cash=cash, stocks=stocks),
        has_targets=bool(targets),
    )


def _slices(
    holdings: Sequence[HoldingFigures], *, cash: int, targets: Mapping[str, Decimal]
) -> tuple[Slice, ...]:
    """Name the largest stocks; whatever follows is one slice, unless it is a single stock with a name of its own.

    What is wanted of stocks that are not held belongs to the rest, so that the differences say where the money is to go.
    """
    named = len(holdings) if len(holdings) <= NAMED_SLICES + 1 else NAMED_SLICES
    slices = [
        Slice(row.name, row.value, row.weight, "stock", targets.get(row.code), row.code)
        for row in holdings[:named]
    ]
    rest = holdings[named:]
    shown = {row.code for row in holdings[:named]} | {TargetWeight.CASH}
    wanted = {code: percent for code, percent in targets.items() if code not in shown}
    # Without a target for each, there is none for all, unless the targets are of the whole account.
    is_whole = all(row.code in wanted for row in rest) or sum(targets.values()) >= HUNDRED
    if rest or any(wanted.values()):
        slices.append(
            Slice(
                f"그 밖 {len(rest)}종목" if rest else "아직 없는 종목",
                sum(row.value for row in rest),
                sum((row.weight for row in rest), Decimal("0.0")),
                "rest",
                sum(wanted.values(), Decimal(0)) if targets and is_whole else None,
            )
        )
    return (
        *slices,
        Slice("현금 D+2", cash, _cash_weight(holdings, cash), "cash", targets.get(TargetWeight.CASH)),
    )


def _cash_weight(holdings: Sequence[HoldingFigures], cash: int) -> Decimal:
    if sum(row.value for row in holdings) + cash <= 0:
        return Decimal("0.0")
    return HUNDRED - sum((row.weight for row in holdings), Decimal(0))


def _sectors(
    holdings: Sequence[HoldingFigures], *, cash: int, stocks: Mapping[str, Stock]
) -> tuple[Sector, ...]:
    found = sector_lines(holdings, cash=cash, stocks=stocks)
    if not found:
        return ()
    values = [*(line.value for line in found), cash]
    lines = [Sector(line.name, line.weight, "sector") for line in found]
    rest = lines[NAMED_SECTORS:]
    if len(rest) > 1:
        weight = sum((line.weight for line in rest), Decimal(0))
        lines = [*lines[:NAMED_SECTORS], Sector(f"그 밖 {len(rest)}개", weight, "rest", len(rest))]
    weight = HUNDRED - sum((line.weight for line in found), Decimal(0)) if sum(values) > 0 else Decimal("0.0")
    return (*lines, Sector("현금", weight, "cash"))
