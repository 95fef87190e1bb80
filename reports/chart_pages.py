"""Pages of charts: blocks of cells in a grid, one after the other, over as many pages as they need."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from reports.amounts import Amounts
from reports.chart_blocks import CandleBlock, ChartBlock, MinuteBlock
from reports.figures import Dashboard, HoldingFigures
from reports.palette import PRINT
from reports.paper import END, LEFT, SMALL, TOP
from reports.sheet import Box, Sheet

COLUMNS: Final = 4
CELL_WIDTH: Final = 43.5
COLUMN_GAP: Final = 4.0
ROW_GAP: Final = 5.4
BLOCK_HEAD: Final = 7.4
BLOCK_GAP: Final = 8.0
LARGE_CELL, SMALL_CELL = 43.4, 35.5
MOST_LARGE: Final = 20  # cells; more are small
FOOT_GAP: Final = 4.0


@dataclass(frozen=True, slots=True)
class Part:
    """As much of a block as one page has room for."""

    block: ChartBlock
    rows: Sequence[HoldingFigures]
    top: float
    cell_height: float
    is_first: bool
    is_last: bool

    @property
    def bottom(self) -> float:
        lines = -(-len(self.rows) // COLUMNS)
        return self.top + BLOCK_HEAD + lines * (self.cell_height + ROW_GAP) - ROW_GAP

    def write(self, sheet: Sheet) -> None:
        self.block.write_title(sheet, self.top, is_first=self.is_first)
        for place, holding in enumerate(self.rows):
            line, column = divmod(place, COLUMNS)
            left = LEFT + column * (CELL_WIDTH + COLUMN_GAP)
            top = self.top + BLOCK_HEAD + line * (self.cell_height + ROW_GAP)
            self.block.fill(sheet, Box(left, top, CELL_WIDTH, self.cell_height), holding)
        if self.is_last:
            sheet.label((LEFT, self.bottom + FOOT_GAP), self.block.foot, color=PRINT.ink3, size=SMALL)


@dataclass(frozen=True)
class ChartPage:
    """A page of charts."""

    number: int
    parts: Sequence[Part]

    @property
    def kind(self) -> str:
        kinds = {part.block.kind for part in self.parts}
        return kinds.pop() if len(kinds) == 1 else "charts"

    @cached_property
    def sheet(self) -> Sheet:
        sheet = Sheet()
        for part in self.parts:
            part.write(sheet)
        return sheet


def chart_pages(dashboard: Dashboard, amounts: Amounts, numbers: Iterator[int]) -> list[ChartPage]:
    """Lay out the charts of all stocks; a kind of which nothing is known has no block."""
    blocks: list[ChartBlock] = []
    if dashboard.chart_days:
        blocks.append(CandleBlock(dashboard, amounts))
    if not dashboard.no_minutes:
        blocks.append(MinuteBlock(dashboard, amounts))
    return [ChartPage(next(numbers), parts) for parts in _laid_out(blocks, dashboard.holdings)]


def _laid_out(blocks: Sequence[ChartBlock], rows: Sequence[HoldingFigures]) -> Iterator[Sequence[Part]]:
    """Yield the parts of each page. A block that fits on a page is not torn apart."""
    height = LARGE_CELL if len(rows) <= MOST_LARGE else SMALL_CELL
    whole = _room(TOP, height)
    parts: list[Part] = []
    top = TOP
    for block in blocks:
        start = 0
        while start < len(rows):
            room = _room(top, height)
            if top > TOP and (not room or room < len(rows) - start <= whole):
                yield parts
                parts, top = [], TOP
                continue
            chunk = rows[start : start + room]
            is_last = start + len(chunk) == len(rows)
            parts.append(Part(block, chunk, top, height, is_first=start == 0, is_last=is_last))
            start += len(chunk)
            top = parts[-1].bottom + BLOCK_GAP
    if parts:
        yield parts


def _room(top: float, height: float) -> int:
    """Return how many cells fit below a height."""
    lines = int((END - top - BLOCK_HEAD + ROW_GAP) / (height + ROW_GAP))
    return max(lines, 0) * COLUMNS
