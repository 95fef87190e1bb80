"""What each line of business is worth, and what it has earned."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from kis.models import Stock
from reports.figures.holdings import HoldingFigures
from reports.figures.shares import percent_of, shares

NO_SECTOR: Final = "업종 미상"
FUNDS: Final = {Stock.Kind.ETF, Stock.Kind.ETN}


@dataclass(frozen=True, slots=True)
class SectorLine:
    """The stocks of one line of business together; `names` is above 1 where small ones are put together."""

    name: str
    count: int
    weight: Decimal
    value: int
    cost: int
    profit: int
    names: int = 1
    profit_pct: Decimal | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "profit_pct", percent_of(self.profit, self.cost))

    @property
    def is_known(self) -> bool:
        """Whether it is one line of business, which a limit may apply to."""
        return self.names == 1 and self.name != NO_SECTOR and self.name not in FUND_NAMES


FUND_NAMES: Final = {kind.label for kind in FUNDS}


def sector_lines(
    holdings: Sequence[HoldingFigures], *, cash: int, stocks: Mapping[str, Stock]
) -> tuple[SectorLine, ...]:
    """Return all of them, largest first; what nobody knows the sector of is last, as it is no sector."""
    groups: defaultdict[str, list[HoldingFigures]] = defaultdict(list)
    for row in holdings:
        groups[sector_of(stocks.get(row.code))].append(row)
    values = {name: sum(row.value for row in rows) for name, rows in groups.items()}
    ordered = sorted(values, key=lambda name: (name == NO_SECTOR, -values[name], name))
    weights = shares([*(values[name] for name in ordered), cash], keep={len(ordered)})
    return tuple(
        SectorLine(
            name=name,
            count=len(groups[name]),
            weight=weight,
            value=values[name],
            cost=sum(row.cost for row in groups[name]),
            profit=sum(row.profit for row in groups[name]),
        )
        for name, weight in zip(ordered, weights, strict=False)
    )


def first_sectors(lines: Sequence[SectorLine], count: int) -> tuple[SectorLine, ...]:
    """Return so many lines, the last of them being the rest where not all have room."""
    if len(lines) <= count:
        return tuple(lines)
    named, rest = lines[: count - 1], lines[count - 1 :]
    together = SectorLine(
        name=f"그 밖 {len(rest)}개",
        count=sum(line.count for line in rest),
        weight=sum((line.weight for line in rest), Decimal("0.0")),
        value=sum(line.value for line in rest),
        cost=sum(line.cost for line in rest),
        profit=sum(line.profit for line in rest),
        names=len(rest),
    )
    return (*named, together)


def sector_of(stock: Stock | None) -> str:
    """Name the line of business of a stock; a fund is in none."""
    if stock is None:
        return NO_SECTOR
    return stock.get_kind_display() if stock.kind in FUNDS else stock.sector or NO_SECTOR
