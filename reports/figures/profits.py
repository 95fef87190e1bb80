"""What each stock earned since it was bought."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from reports.figures.holdings import HoldingFigures
from reports.figures.shares import percent_of

PROFIT_ROWS: Final = 20  # lines of the profit chart, without the sum


@dataclass(frozen=True, slots=True)
class ProfitLine:
    """One line of the profit chart; `count` is above 1 where small ones are put together."""

    name: str
    profit: int
    profit_pct: Decimal | None
    count: int = 1


def profit_lines(holdings: Sequence[HoldingFigures]) -> tuple[ProfitLine, ...]:
    """Largest gains first, largest losses last; what does not fit is one line in between."""
    ordered = sorted(holdings, key=lambda holding: (-holding.profit, holding.code))
    if len(ordered) <= PROFIT_ROWS:
        return tuple(_profit_line(holding) for holding in ordered)
    room = PROFIT_ROWS - 1
    winners = sum(holding.profit > 0 for holding in ordered)
    losers = sum(holding.profit < 0 for holding in ordered)
    top = min(winners, max(room // 2, room - losers))
    bottom = room - top
    rest = ordered[top : len(ordered) - bottom]
    profit, cost = sum(holding.profit for holding in rest), sum(holding.cost for holding in rest)
    return (
        *(_profit_line(holding) for holding in ordered[:top]),
        ProfitLine(f"그 밖 {len(rest)}종목", profit, percent_of(profit, cost), len(rest)),
        *(_profit_line(holding) for holding in ordered[len(ordered) - bottom :]),
    )


def _profit_line(holding: HoldingFigures) -> ProfitLine:
    return ProfitLine(holding.name, holding.profit, holding.profit_pct)
