"""The curve of the account: its worth beside the same money in the market, and how far it lies below its top. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor, log10
from typing import Final

from reports.charts import DOT, HAIR, HOLE
from reports.palette import PRINT, Palette
from reports.sheet import Box, Layer, Point, Sheet

OWN_WIDTH: Final = 0.42
INDEX_WIDTH: Final = 0.25
DASHED_WIDTH: Final = 0.2
DASH: Final = (0.9, 0.7)
DOTTED: Final = (0.35, 0.55)
TEXT: Final = 2.293  # 6.5 pt
LINE_PITCH: Final = 1.45 * TEXT
AXIS_ROOM: Final = 11.5  # left of the plot, for its figures
END_ROOM: Final = 32.0  # right of it, for the names of the lines
END_GAP: Final = 2.0
BAND: Final = 7.4
MONTH_ROOM: Final = 4.4
FLOW_PITCH: Final = 20.0  # labels of flows nearer than this would lie over each other
MOST_TICKS: Final = 4
PADDING: Final = 0.06  # of the range
ROOM_FOR_FLOWS: Final = 0.18
FIRST_MONTH: Final = 15.0  # its name has the year, too
MONTH: Final = 8.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the curve with what stands at its end; the own account is drawn strongest."""

    name: str
    amount: str
    values: Sequence[float | None]
    is_own: bool = False
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """Money that came or went on a day."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Falls:
    """How far each day lies below the top so far, 0 or less, and what to say of the deepest one and of now."""

    values: Sequence[float | None]
    deepest: int | None
    deepest_text: str
    now_text: str


def asset_curve(
    days: Sequence[date],
    lines: Sequence[Line],
    *,
    flows: Sequence[Flow],
    falls: Falls,
    axis: Callable[[float, float, float], str],
    width: float,
    height: float,
    has_ends: bool = True,
    is_stale: bool = False,
    palette: Palette = PRINT,
    font: str = "",
    label: str = "",
) -> str:
    """Draw the curve; `axis` writes a value of the axis, given the step between two of them and the largest.

    On a narrow page the names of the lines stand elsewhere (no `has_ends`). A missing day is a gap. The axis does not start at 0, so no area is filled.
    """
    sheet = Sheet()
    right = END_ROOM if has_ends else END_GAP
    plot = Box(AXIS_ROOM, 1.0, width - AXIS_ROOM - right, height - BAND - MONTH_ROOM - 4.0)
    band = Box(plot.left, height - MONTH_ROOM - BAND, plot.width, BAND)
    values = [value for line in lines for value in line.values if value is not None]
    low, high = _padded(min(values), max(values), below=ROOM_FOR_FLOWS if flows else PADDING)
    step = plot.width / max(len(days) - 1, 1)

    def x(index: int) -> float:
        return plot.left + index * step

    def y(value: float) -> float:
        return plot.bottom - (value - low) / (high - low) * plot.height

    _draw_grid(sheet, plot, low, high, axis=axis, y=y, palette=palette)
    _draw_months(sheet, days, plot, band, x=x, palette=palette)
    own = next(line for line in lines if line.is_own)
    _draw_flows(sheet, flows, own, plot, x=x, y=y, palette=palette)
    for line in lines:
        _draw_line(sheet, line, x=x, y=y, palette=palette)
    _draw_now(sheet, own, x=x, y=y, is_stale=is_stale, palette=palette)
    if has_ends:
        _draw_ends(sheet, lines, plot, y=y, palette=palette)
    _draw_falls(sheet, falls, band, x=x, has_end=has_ends, palette=palette)
    return sheet.svg(width, height, text_size=TEXT, font=font, label=label)


def round_ticks(low: float, high: float) -> tuple[list[float], float]:
    """Return values a reader would choose between two others, and the step from one to the next."""
    size = 10.0 ** floor(log10((high - low) / MOST_TICKS))
    steps = (part * size for part in (1, 2, 2.5, 5, 10, 20))
    step = next(step for step in steps if floor(high / step) - ceil(low / step) < MOST_TICKS)
    first = ceil(low / step)
    return [number * step for number in range(first, floor(high / step) + 1)], step


def _padded(low: float, high: float, *, below: float) -> tuple[float, float]:
    """Leave a little room, and some for words below; an account that never moved lies in the middle."""
    span = high - low or abs(high) * 0.02 or 1.0
    return low - span * below, high + span * PADDING


def _draw_grid(
    sheet: Sheet,
    plot: Box,
    low: float,
    high: float,
    *,
    axis: Callable[[float, float, float], str],
    y: Callable[[float], float],
    palette: Palette,
) -> None:
    ticks, step = round_ticks(low, high)
    for tick in ticks:
        height = y(tick)
        sheet.line(
            ((plot.left, height), (plot.right, height)), color=palette.hair, width=HAIR, layer=Layer.GRID
        )
        sheet.label((plot.left - 1.4, height), axis(tick, step, ticks[-1]), color=palette.ink3, anchor="end")


def _draw_months(
    sheet: Sheet, days: Sequence[date], plot: Box, band: Box, *, x: Callable[[int], float], palette: Palette
) -> None:
    text_y = band.bottom + MONTH_ROOM - TEXT * 0.62
    starts = [index for index in range(1, len(days)) if days[index].month != days[index - 1].month]
    for index in starts:
        sheet.line(
            ((x(index), plot.top), (x(index), band.bottom)), color=palette.hair, width=HAIR, layer=Layer.GRID
        )
    # A month that has hardly begun gives way to the next one, which then says the year.
    named = starts if starts and x(starts[0]) - plot.left < FIRST_MONTH else [0, *starts]
    free_from = plot.left
    for place, index in enumerate(named):
        day = days[index]
        has_year = place == 0 or day.month == 1
        if x(index) >= free_from:
            name = f"{day.year}년 {day.month}월" if has_year else f"{day.month}월"
            sheet.label((x(index), text_y), name, color=palette.ink3)
            free_from = x(index) + (FIRST_MONTH if has_year else MONTH)


def _draw_flows(
    sheet: Sheet,
    flows: Sequence[Flow],
    own: Line,
    plot: Box,
    *,
    x: Callable[[int], float],
    y: Callable[[float], float],
    palette: Palette,
) -> None:
    """Mark each flow with a dotted tick under the curve; those too close to the one before stay without words."""
    free_from = plot.left
    for flow in flows:
        value, left = own.values[flow.index], x(flow.index)
        top = plot.top if value is None else y(value) + 0.6
        sheet.line(
            ((left, top), (left, plot.bottom)), color=palette.ink3, width=0.18, dash=DOTTED, layer=Layer.GRID
        )
        is_near_end = left > plot.right - FLOW_PITCH
        if left - (FLOW_PITCH if is_near_end else 0) >= free_from:
            at = (left - 0.9 if is_near_end else left + 0.9, plot.bottom - TEXT * 0.5)
            sheet.label(at, flow.text, color=palette.ink2, anchor="end" if is_near_end else "start")
            free_from = left + (0 if is_near_end else FLOW_PITCH)


def _draw_line(
    sheet: Sheet, line: Line, *, x: Callable[[int], float], y: Callable[[float], float], palette: Palette
) -> None:
    color = palette.ink if line.is_own else palette.ink3
    width = OWN_WIDTH if line.is_own else DASHED_WIDTH if line.is_dashed else INDEX_WIDTH
    for run in _runs(
        [None if value is None else (x(place), y(value)) for place, value in enumerate(line.values)]
    ):
        sheet.line(
            run if len(run) > 1 else (run[0], run[0]),
            color=color,
            width=width,
            dash=DASH if line.is_dashed else (),
            layer=Layer.BODY if line.is_own else Layer.LINE,
        )


def _last(line: Line) -> tuple[int, float] | None:
    known = [(place, value) for place, value in enumerate(line.values) if value is not None]
    return known[-1] if known else None


def _draw_now(
    sheet: Sheet,
    own: Line,
    *,
    x: Callable[[int], float],
    y: Callable[[float], float],
    is_stale: bool,
    palette: Palette,
) -> None:
    if (last := _last(own)) is None:
        return
    at = (x(last[0]), y(last[1]))
    sheet.dot(at, radius=DOT * 1.25, color=palette.ink)
    if is_stale:
        sheet.dot(at, radius=HOLE * 1.4, color=palette.paper, layer=Layer.HOLE)


def _draw_ends(
    sheet: Sheet, lines: Sequence[Line], plot: Box, *, y: Callable[[float], float], palette: Palette
) -> None:
    """Write the names of the lines where they end, pushed apart, largest on top."""
    ended = sorted(
        ((y(last[1]), line) for line in lines if (last := _last(line)) is not None), key=lambda end: end[0]
    )
    heights = _apart([height for height, _ in ended], low=plot.top, high=plot.bottom)
    for height, (_, line) in zip(heights, ended, strict=True):
        color = palette.ink if line.is_own else palette.ink2
        sheet.label((plot.right + END_GAP, height), line.name, color=color, is_bold=line.is_own)
        sheet.label(
            (plot.right + END_ROOM, height), line.amount, color=color, anchor="end", is_bold=line.is_own
        )


def _apart(heights: Sequence[float], *, low: float, high: float) -> list[float]:
    """Push heights, sorted, so far apart that texts do not touch, and keep them inside."""
    moved = list(heights)
    for _ in range(20):
        for place in range(1, len(moved)):
            lack = LINE_PITCH - (moved[place] - moved[place - 1])
            if lack > 0:
                moved[place - 1] -= lack / 2
                moved[place] += lack / 2
    if moved:
        over = max(moved[-1] - high, 0.0)
        moved = [height - over for height in moved]
        under = max(low - moved[0], 0.0)
        moved = [height + under for height in moved]
    return moved


def _draw_falls(
    sheet: Sheet, falls: Falls, band: Box, *, x: Callable[[int], float], has_end: bool, palette: Palette
) -> None:
    sheet.label((band.left - 1.4, band.top + TEXT * 0.5), "낙폭", color=palette.ink3, anchor="end")
    sheet.line(
        ((band.left, band.top), (band.right, band.top)), color=palette.line, width=HAIR, layer=Layer.GRID
    )
    if has_end:
        sheet.label((band.right + END_GAP, band.top + TEXT * 0.5), falls.now_text, color=palette.ink2)
    deepest = min((value for value in falls.values if value is not None), default=0.0)
    if not deepest:
        return

    def y(value: float) -> float:
        return band.top + value / deepest * (band.height - 1.0)

    spots = [None if value is None else (x(place), y(value)) for place, value in enumerate(falls.values)]
    for run in _runs(spots):
        sheet.polygon(
            ((run[0][0], band.top), *run, (run[-1][0], band.top)),
            fill=palette.down_tint,
            layer=Layer.GROUND,
        )
        sheet.line(run, color=palette.down, width=DASHED_WIDTH)
    if falls.deepest is not None and (spot := spots[falls.deepest]) is not None:
        sheet.dot(spot, radius=DOT, color=palette.down)
        is_right = spot[0] > band.right - 30.0
        at = (spot[0] - 1.2 if is_right else spot[0] + 1.2, band.bottom - 0.3)
        sheet.label(at, falls.deepest_text, color=palette.down, anchor="end" if is_right else "start")


def _runs(spots: Sequence[Point | None]) -> list[list[Point]]:
    """Cut a line where a point is missing: nothing is interpolated."""
    runs: list[list[Point]] = [[]]
    for spot in spots:
        if spot is not None:
            runs[-1].append(spot)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
