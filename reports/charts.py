"""Small charts as SVG text, drawn in millimetres; one function for print and page. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from reports.palette import PRINT, Palette
from reports.sheet import Box, Layer, Point, Sheet

LINE: Final = 0.25
HAIR: Final = 0.12
DOT: Final = 0.42
HOLE: Final = 0.24
ARROW_ROOM: Final = 2.4  # right of the prices, for the sign that the average lies beyond the edge
AVERAGE_REACH: Final = 0.35  # of the range; an average further away must not flatten the prices
RETURN_LOW, RETURN_HIGH = -47.0, 110.0
STRIPE_PITCH: Final = 5.2
BAR_SHARE: Final = 0.46  # of the row
TICK_SHARE: Final = 0.92
TICK: Final = 0.3


def svg(width: float, height: float, parts: Iterable[str], *, label: str = "") -> str:
    """Wrap shapes in an `<svg>` of this size in millimetres."""
    name = f' role="img" aria-label="{label}"' if label else ' aria-hidden="true"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}mm" height="{_n(height)}mm" '
        f'viewBox="0 0 {_n(width)} {_n(height)}"{name}>{"".join(parts)}</svg>'
    )


def sparkline(
    closes: Sequence[int | None],
    average: Decimal | None,
    *,
    width: float,
    height: float,
    is_stale: bool = False,
    palette: Palette = PRINT,
) -> str:
    """Draw the closes of two weeks as a picture of their own."""
    sheet = Sheet()
    draw_sparkline(sheet, Box(0, 0, width, height), closes, average, is_stale=is_stale, palette=palette)
    return sheet.svg(width, height)


def draw_sparkline(
    sheet: Sheet,
    box: Box,
    closes: Sequence[int | None],
    average: Decimal | None,
    *,
    is_stale: bool = False,
    palette: Palette = PRINT,
) -> None:
    """Draw closes on their own scale, average cost dashed, dots for highest, lowest and now.

    A missing day is a gap. Fewer than two known closes draw nothing.
    """
    known = [(index, close) for index, close in enumerate(closes) if close is not None]
    if len(known) <= 1:
        return
    prices = [close for _, close in known]
    low, high = min(prices), max(prices)
    reach = (high - low) * AVERAGE_REACH
    cost = None if average is None else float(average)
    is_near = cost is not None and low - reach <= cost <= high + reach
    scale_low = min(low, cost) if is_near and cost is not None else low
    scale_high = max(high, cost) if is_near and cost is not None else high
    left, right = box.left + DOT, box.right - ARROW_ROOM
    # An average beyond the edge has the edge for itself.
    margin = 2 * DOT if is_near or cost is None else 2.6 * DOT
    top, bottom = box.top + margin, box.bottom - margin
    step = (right - left) / (len(closes) - 1)

    def spot(index: int, price: float) -> Point:
        span = scale_high - scale_low
        part = (price - scale_low) / span if span else 0.5
        return left + index * step, bottom - part * (bottom - top)

    if cost is not None and is_near:
        y = spot(0, cost)[1]
        sheet.line(((box.left, y), (right + DOT, y)), color=palette.ink3, width=0.18, dash=(0.9, 0.6))
    elif cost is not None:
        _draw_far_average(sheet, box, cost, is_above=cost > high, palette=palette)
    for run in _runs([None if close is None else spot(place, close) for place, close in enumerate(closes)]):
        if len(run) == 1:
            sheet.dot(run[0], radius=LINE, color=palette.ink2, layer=Layer.LINE)
        else:
            sheet.line(run, color=palette.ink2, width=LINE)
    last = known[-1][0]
    marks = {last: palette.ink}
    if low != high:
        marks |= {max(known, key=lambda pair: pair[1])[0]: palette.up}
        marks |= {min(known, key=lambda pair: pair[1])[0]: palette.down}
    by_index = dict(known)
    for index, color in marks.items():
        sheet.dot(spot(index, by_index[index]), radius=DOT, color=color)
    if is_stale:
        sheet.dot(spot(last, by_index[last]), radius=HOLE, color=palette.paper, layer=Layer.HOLE)


def _draw_far_average(sheet: Sheet, box: Box, cost: float, *, is_above: bool, palette: Palette) -> None:
    y = box.top + 0.3 if is_above else box.bottom - 0.3
    right = box.right - ARROW_ROOM
    sheet.line(((box.left, y), (right + DOT, y)), color=palette.ink3, width=0.18, dash=(0.9, 0.6))
    if cost:
        tip, base = (y - 0.05, y + 1.15) if is_above else (y + 0.05, y - 1.15)
        x = right + 1.5
        sheet.polygon(((x - 0.7, base), (x + 0.7, base), (x, tip)), fill=palette.ink3, layer=Layer.MARK)


def return_bar(rate: Decimal, *, width: float, height: float, palette: Palette = PRINT) -> str:
    """Draw a return as a picture of its own."""
    sheet = Sheet()
    draw_return_bar(sheet, Box(0, 0, width, height), rate, palette=palette)
    return sheet.svg(width, height)


def draw_return_bar(sheet: Sheet, box: Box, rate: Decimal, *, palette: Palette = PRINT) -> None:
    """Draw a return on the one scale of its column; beyond the scale the bar is cut, the number beside it is not."""
    zero = box.left + box.width * -RETURN_LOW / (RETURN_HIGH - RETURN_LOW)
    length = (min(max(float(rate), RETURN_LOW), RETURN_HIGH)) * box.width / (RETURN_HIGH - RETURN_LOW)
    thick = box.height * BAR_SHARE
    middle = box.top + box.height / 2
    if rate:
        bar = Box(min(zero, zero + length), middle - thick / 2, abs(length), thick)
        sheet.rect(bar, fill=palette.up if rate > 0 else palette.down, layer=Layer.BODY)
    reach = thick / 2 + 0.5
    sheet.line(
        ((zero, middle - reach), (zero, middle + reach)), color=palette.ink3, width=HAIR, layer=Layer.MARK
    )


def share_bar(part: Decimal, *, scale: Decimal, width: float, height: float, color: str = PRINT.ink3) -> str:
    """Draw a share as a picture of its own."""
    sheet = Sheet()
    draw_share_bar(sheet, Box(0, 0, width, height), part, scale=scale, color=color)
    return sheet.svg(width, height)


def draw_share_bar(sheet: Sheet, box: Box, part: Decimal, *, scale: Decimal, color: str = PRINT.ink3) -> None:
    """Draw a share; `scale` is what fills the whole width."""
    length = max(0.0, min(float(part / scale), 1.0)) * box.width if scale > 0 else 0.0
    thick = box.height * BAR_SHARE
    if length:
        middle = box.top + box.height / 2
        sheet.rect(Box(box.left, middle - thick / 2, length, thick), fill=color, layer=Layer.BODY)


def split_bar(
    parts: Sequence[tuple[float, str]], *, width: float, height: float, palette: Palette = PRINT
) -> str:
    """Draw parts of a whole side by side; a part in the colour of the paper gets an edge."""
    whole = sum(value for value, _ in parts)
    shapes, x = [], 0.0
    for value, color in parts:
        length = width * value / whole if whole > 0 else 0.0
        if length > 0:
            edge = HAIR * 1.5 if color == palette.paper else 0.0
            shapes.append(
                f'<rect x="{_n(x + edge / 2)}" y="{_n(edge / 2)}" width="{_n(max(length - edge - 0.25, 0.1))}" height="{_n(height - edge)}" '
                f'fill="{color}"'
                + (f' stroke="{palette.ink3}" stroke-width="{_n(edge)}"/>' if edge else "/>")
            )
        x += length
    return svg(width, height, shapes)


def stripes(
    *, width: float, height: float, color: str = PRINT.warn_mark, ground: str = PRINT.warn_fill
) -> str:
    """Draw the slanted bar of DEMO as a picture of its own."""
    sheet = Sheet()
    draw_stripes(sheet, Box(0, 0, width, height), color=color, ground=ground)
    return sheet.svg(width, height)


def draw_stripes(
    sheet: Sheet, box: Box, *, color: str = PRINT.warn_mark, ground: str = PRINT.warn_fill
) -> None:
    """Draw the slanted bar of DEMO; what lies beyond its ends is cut off by the page."""
    sheet.rect(box, fill=ground, layer=Layer.GROUND)
    x, half, slant = box.left - box.height, STRIPE_PITCH / 2, box.height
    while x < box.right:
        sheet.polygon(
            ((x, box.bottom), (x + slant, box.top), (x + slant + half, box.top), (x + half, box.bottom)),
            fill=color,
            layer=Layer.GRID,
        )
        x += STRIPE_PITCH


def _runs(spots: Sequence[Point | None]) -> list[list[Point]]:
    """Cut a line where a point is missing: nothing is interpolated."""
    runs: list[list[Point]] = [[]]
    for spot in spots:
        if spot is not None:
            runs[-1].append(spot)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _rect(x: float, y: float, width: float, height: float, color: str) -> str:
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{color}"/>'


def _n(value: float) -> str:
    """Write a length with at most three decimals, the same on every machine."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def target_bar(
    part: Decimal,
    target: Decimal | None,
    *,
    scale: Decimal,
    width: float,
    height: float,
    color: str = "",
    palette: Palette = PRINT,
) -> str:
    """Draw a share with a tick where its owner wants it to be."""
    sheet = Sheet()
    box = Box(0, 0, width, height)
    draw_share_bar(sheet, box, part, scale=scale, color=color or palette.ink3)
    if target is not None:
        _draw_tick(sheet, box, float(target / scale) if scale > 0 else 0.0, palette=palette)
    return sheet.svg(width, height)


def bullet_bar(
    share: Decimal,
    limit: Decimal | None,
    *,
    width: float,
    height: float,
    is_broken: bool = False,
    palette: Palette = PRINT,
) -> str:
    """Draw a part of the whole width with a tick at its limit; amber only where the limit is broken."""
    sheet = Sheet()
    box = Box(0, 0, width, height)
    color = palette.warn_mark if is_broken else palette.ink3
    draw_share_bar(sheet, box, share, scale=Decimal(1), color=color)
    if limit is not None:
        _draw_tick(sheet, box, float(limit), palette=palette)
    return sheet.svg(width, height)


def _draw_tick(sheet: Sheet, box: Box, part: float, *, palette: Palette) -> None:
    x = box.left + min(max(part, 0.0), 1.0) * (box.width - TICK)
    reach = box.height * TICK_SHARE / 2
    middle = box.top + box.height / 2
    sheet.line(
        ((x + TICK / 2, middle - reach), (x + TICK / 2, middle + reach)),
        color=palette.ink,
        width=TICK,
        layer=Layer.MARK,
    )
