"""The bars beside the causes of a day's change: each begins where the one above it ended. Pure."""

from collections.abc import Sequence
from typing import Final

from reports.charts import HAIR
from reports.palette import PRINT, Palette
from reports.sheet import Box, Layer, Sheet

BAR: Final = 0.6  # of the row
CONNECTOR: Final = 0.1


def waterfall(
    amounts: Sequence[int | None],
    *,
    width: float,
    row_height: float,
    sum_height: float,
    odd: int | None = None,
    palette: Palette = PRINT,
) -> str:
    """Draw one bar a row, the sum in ink below; `odd` is the row that should not be there. An unknown amount has no bar."""
    sheet = Sheet()
    steps = [amount or 0 for amount in amounts]
    edges = [0]
    for step in steps:
        edges.append(edges[-1] + step)
    low, high = min(edges), max(edges)
    scale = (width - 0.4) / (high - low or 1)

    def x(value: int) -> float:
        return 0.2 + (value - low) * scale

    for place, step in enumerate(steps):
        middle = (place + 0.5) * row_height
        start, end = x(edges[place]), x(edges[place + 1])
        if step:
            color = palette.warn_mark if place == odd else palette.up if step > 0 else palette.down
            thick = row_height * BAR
            bar = Box(min(start, end), middle - thick / 2, max(abs(end - start), HAIR), thick)
            sheet.rect(bar, fill=color, layer=Layer.BODY)
        below = middle + row_height if place + 1 < len(steps) else len(steps) * row_height + sum_height / 2
        sheet.line(((end, middle), (end, below)), color=palette.ink3, width=CONNECTOR, layer=Layer.LINE)
    thick = sum_height * 0.52
    start, end = x(0), x(edges[-1])
    middle = len(steps) * row_height + sum_height / 2
    sheet.rect(
        Box(min(start, end), middle - thick / 2, max(abs(end - start), HAIR), thick),
        fill=palette.ink,
        layer=Layer.MARK,
    )
    return sheet.svg(width, len(steps) * row_height + sum_height)
