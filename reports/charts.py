"""Small charts as SVG text, drawn in millimetres; one function for print and page. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from reports.palette import PRINT, Palette

LINE: Final = 0.25
HAIR: Final = 0.12
DOT: Final = 0.42
ARROW_ROOM: Final = 2.4  # right of the prices, for the sign that the average lies beyond the edge
AVERAGE_REACH: Final = 0.35  # of the range; an average further away must not flatten the prices
RETURN_LOW, RETURN_HIGH = -47.0, 110.0
BAR_SHARE: Final = 0.46  # of the row

Point = tuple[float, float]


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
    """Draw closes on their own scale, average cost dashed, dots for highest, lowest and now.

    A missing day is a gap. Fewer than two known closes draw nothing.
    """
    known = [(index, close) for index, close in enumerate(closes) if close is not None]
    if len(known) <= 1:
        return svg(width, height, [])
    prices = [close for _, close in known]
    low, high = min(prices), max(prices)
    reach = (high - low) * AVERAGE_REACH
    cost = None if average is None else float(average)
    is_near = cost is not None and low - reach <= cost <= high + reach
    scale_low = min(low, cost) if is_near and cost is not None else low
    scale_high = max(high, cost) if is_near and cost is not None else high
    left, right = DOT, width - ARROW_ROOM
    # An average beyond the edge has the edge for itself.
    margin = 2 * DOT if is_near or cost is None else 2.6 * DOT
    top, bottom = margin, height - margin
    step = (right - left) / (len(closes) - 1)

    def spot(index: int, price: float) -> Point:
        span = scale_high - scale_low
        part = (price - scale_low) / span if span else 0.5
        return left + index * step, bottom - part * (bottom - top)

    parts = []
    if cost is not None:
        parts += _average(
            cost,
            spot(0, cost)[1],
            is_near=is_near,
            is_above=cost > high,
            size=(right, height),
            palette=palette,
        )
    parts += [
        _path(run, color=palette.ink2)
        for run in _runs(
            [None if close is None else spot(index, close) for index, close in enumerate(closes)]
        )
    ]
    marks = {index: palette.ink for index, _ in known[-1:]}
    marks |= {max(known, key=lambda pair: pair[1])[0]: palette.up}
    marks |= {min(known, key=lambda pair: pair[1])[0]: palette.down}
    if low == high:
        marks = {known[-1][0]: palette.ink}
    by_index = dict(known)
    last = known[-1][0]
    parts += [
        _dot(spot(index, by_index[index]), color=color, is_hollow=is_stale and index == last, palette=palette)
        for index, color in marks.items()
    ]
    return svg(width, height, parts)


def _average(
    cost: float, y: float, *, is_near: bool, is_above: bool, size: tuple[float, float], palette: Palette
) -> list[str]:
    right, height = size
    if not is_near:
        y = 0.3 if is_above else height - 0.3
    line = (
        f'<path d="M0 {_n(y)}H{_n(right + DOT)}" fill="none" stroke="{palette.ink3}" stroke-width="0.18" '
        'stroke-dasharray="0.9 0.6"/>'
    )
    if is_near or not cost:
        return [line]
    tip, base = (y - 0.05, y + 1.15) if is_above else (y + 0.05, y - 1.15)
    x = right + 1.5
    return [
        line,
        f'<path d="M{_n(x - 0.7)} {_n(base)}H{_n(x + 0.7)}L{_n(x)} {_n(tip)}Z" fill="{palette.ink3}"/>',
    ]


def return_bar(rate: Decimal, *, width: float, height: float, palette: Palette = PRINT) -> str:
    """Draw a return on the one scale of its column; beyond the scale the bar is cut, the number beside it is not."""
    zero = width * -RETURN_LOW / (RETURN_HIGH - RETURN_LOW)
    length = (min(max(float(rate), RETURN_LOW), RETURN_HIGH)) * width / (RETURN_HIGH - RETURN_LOW)
    thick = height * BAR_SHARE
    bar = _rect(
        min(zero, zero + length),
        (height - thick) / 2,
        abs(length),
        thick,
        palette.up if rate > 0 else palette.down,
    )
    axis = f'<path d="M{_n(zero)} {_n((height - thick) / 2 - 0.5)}V{_n((height + thick) / 2 + 0.5)}" stroke="{palette.ink3}" stroke-width="{HAIR}"/>'
    return svg(width, height, [bar if rate else "", axis])


def share_bar(part: Decimal, *, scale: Decimal, width: float, height: float, color: str = PRINT.ink3) -> str:
    """Draw a share; `scale` is what fills the whole width."""
    length = max(0.0, min(float(part / scale), 1.0)) * width if scale > 0 else 0.0
    thick = height * BAR_SHARE
    return svg(width, height, [_rect(0, (height - thick) / 2, length, thick, color)])


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
    """Draw the slanted bar of DEMO."""
    pitch, x = 5.2, -height
    shapes = [_rect(0, 0, width, height, ground)]
    while x < width:
        shapes.append(
            f'<path d="M{_n(x)} {_n(height)}L{_n(x + height)} 0h{_n(pitch / 2)}l{_n(-height)} {_n(height)}Z" fill="{color}"/>'
        )
        x += pitch
    return svg(width, height, shapes)


def _runs(spots: Sequence[Point | None]) -> list[list[Point]]:
    """Cut a line where a point is missing: nothing is interpolated."""
    runs: list[list[Point]] = [[]]
    for spot in spots:
        if spot is not None:
            runs[-1].append(spot)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _path(run: Sequence[Point], *, color: str) -> str:
    if len(run) == 1:
        return f'<circle cx="{_n(run[0][0])}" cy="{_n(run[0][1])}" r="{LINE}" fill="{color}"/>'
    points = "L".join(f"{_n(x)} {_n(y)}" for x, y in run)
    return f'<path d="M{points}" fill="none" stroke="{color}" stroke-width="{LINE}" stroke-linejoin="round"/>'


def _dot(spot: Point, *, color: str, is_hollow: bool, palette: Palette) -> str:
    fill, edge = (palette.paper, f' stroke="{color}" stroke-width="0.2"') if is_hollow else (color, "")
    return f'<circle cx="{_n(spot[0])}" cy="{_n(spot[1])}" r="{DOT}" fill="{fill}"{edge}/>'


def _rect(x: float, y: float, width: float, height: float, color: str) -> str:
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{color}"/>'


def _n(value: float) -> str:
    """Write a length with at most three decimals, the same on every machine."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
