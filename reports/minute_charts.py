"""Today's minutes of one stock: a small line for the table, and a chart of price and volume. Pure.

The whole session lies on the time axis: what is blank has not happened yet, or is missing. A minute without a trade keeps
the price before it; nothing is interpolated.
"""

from typing import Final

from kis.models.books import Side
from reports.candles import AXIS_ROOM, HAIR, MARK_ROOM, Scale, draw_edge, draw_percent_lines, draw_trade
from reports.figures.bars import SESSION_MINUTES, DayBars
from reports.palette import PRINT, Palette
from reports.sheet import Box, Layer, Point, Sheet, thinned

SPARK: Final = 0.25
PRICE: Final = 0.28
DOT: Final = 0.42
HOLE: Final = 0.24
TICK: Final = 0.3
UNSEEN: Final = 0.03  # millimetres that a line may be off
SPARK_VOLUME: Final = 0.3  # of the height
SPARK_BARS: Final = 39  # of ten minutes
CLOSE_REACH: Final = 0.6  # of the range; a previous close further away lies on the edge
VOLUME_HEIGHT: Final = 4.8
VOLUME_GAP: Final = 1.0


def day_line(
    day: DayBars,
    *,
    width: float,
    height: float,
    is_stale: bool = False,
    label: str = "",
    palette: Palette = PRINT,
) -> str:
    """Draw the small line as a picture of its own."""
    sheet = Sheet()
    draw_day_line(sheet, Box(0, 0, width, height), day, is_stale=is_stale, palette=palette)
    return sheet.svg(width, height, label=label)


def minute_chart(
    day: DayBars,
    *,
    width: float,
    height: float,
    is_stale: bool = False,
    label: str = "",
    palette: Palette = PRINT,
) -> str:
    """Draw the chart as a picture of its own."""
    sheet = Sheet()
    draw_minutes(sheet, Box(0, 0, width, height), day, is_stale=is_stale, palette=palette)
    return sheet.svg(width, height, label=label)


def draw_day_line(
    sheet: Sheet, box: Box, day: DayBars, *, is_stale: bool = False, palette: Palette = PRINT
) -> None:
    """Draw today's price in the colour of the day over its volume, with the previous close as a grey line.

    Without a minute nothing is drawn.
    """
    if not day.minutes:
        return
    inside = Box(box.left + DOT, box.top, box.width - 2 * DOT, box.height)
    volumes = Box(
        inside.left, box.bottom - box.height * SPARK_VOLUME, inside.width, box.height * SPARK_VOLUME
    )
    _draw_spark_volumes(sheet, volumes, day, palette=palette)
    plot = Box(inside.left, box.top + DOT, inside.width, box.height - volumes.height * 0.6 - 2 * DOT)
    closes = [minute.close for minute in day.minutes]
    scale, close = _scale(min(*closes, day.price), max(*closes, day.price), day.previous_close, plot)
    color = _tone(day, palette)
    if close is not None:
        y = scale.y(close)
        sheet.line(((inside.left, y), (inside.right, y)), color=palette.line, width=0.15, layer=Layer.GRID)
    _draw_price(sheet, plot, scale, day, color=color, width=SPARK)
    _draw_now(sheet, plot, scale, day, color=color, is_stale=is_stale, palette=palette)


def draw_minutes(
    sheet: Sheet, box: Box, day: DayBars, *, is_stale: bool = False, palette: Palette = PRINT
) -> None:
    """Draw price and volume of every minute, the average by volume dashed, and the owner's trades.

    The scale is in percent of the previous close. Without a minute nothing is drawn.
    """
    if not day.minutes:
        return
    plot = Box(box.left, box.top, box.width - AXIS_ROOM, box.height - VOLUME_HEIGHT - VOLUME_GAP)
    volumes = Box(plot.left, box.bottom - VOLUME_HEIGHT, plot.width, VOLUME_HEIGHT)
    prices = [price for minute in day.minutes for price in (minute.low, minute.high)]
    prices += (day.price, *(trade.price for trade in day.trades))
    room = Box(plot.left, plot.top + MARK_ROOM, plot.width, plot.height - 2 * MARK_ROOM)
    scale, close = _scale(min(prices), max(prices), day.previous_close, room)
    color = _tone(day, palette)
    base = day.previous_close or day.minutes[0].close
    draw_percent_lines(sheet, plot, scale, base=base, right=box.right, palette=palette)
    if close is not None and close != day.previous_close:
        draw_edge(sheet, plot, is_above=close == scale.high, palette=palette)
    _draw_average(sheet, plot, scale, day, palette=palette)
    _draw_price(sheet, plot, scale, day, color=color, width=PRICE)
    _draw_now(sheet, plot, scale, day, color=color, is_stale=is_stale, palette=palette)
    for trade in day.trades:
        x, y = plot.left + _x(trade.place, plot.width), scale.y(trade.price)
        sheet.line(((x - 0.9, y), (x + 0.9, y)), color=palette.ink, width=TICK, layer=Layer.MARK)
        draw_trade(sheet, (x, y), is_buy=trade.side is Side.BUY, palette=palette)
    _draw_volumes(sheet, volumes, day, palette=palette)


def _scale(low: float, high: float, close: int | None, plot: Box) -> tuple[Scale, float | None]:
    """Return the scale of the prices, and the previous close: on the edge where it would flatten the day."""
    if close is None:
        return Scale(*_apart(low, high), plot.top, plot.bottom), None
    reach = (high - low) * CLOSE_REACH
    if low - reach <= close <= high + reach or low == high:
        low, high = _apart(min(low, close), max(high, close))
        return Scale(low, high, plot.top, plot.bottom), close
    scale = Scale(low, high, plot.top, plot.bottom)
    return scale, low if close < low else high


def _apart(low: float, high: float) -> tuple[float, float]:
    return (low, high) if low < high else (low * 0.995, high * 1.005)


def _x(place: float, width: float) -> float:
    return place / SESSION_MINUTES * width


def _runs(day: DayBars) -> list[list[tuple[int, int]]]:
    """Return minute and price of the lines to draw: cut where minutes are missing, level where nothing was traded."""
    runs: list[list[tuple[int, int]]] = []
    before: tuple[int, int] | None = None
    for minute in day.minutes:
        here = (minute.place, minute.close)
        if before is None or any(before[0] < first < here[0] for first, _ in day.holes):
            runs.append([here])
        else:
            if here[0] - before[0] > 1:
                runs[-1].append((here[0] - 1, before[1]))
            runs[-1].append(here)
        before = here
    return runs


def _draw_price(sheet: Sheet, plot: Box, scale: Scale, day: DayBars, *, color: str, width: float) -> None:
    for run in _runs(day):
        points: list[Point] = [(plot.left + _x(place, plot.width), scale.y(price)) for place, price in run]
        if len(points) == 1:
            sheet.dot(points[0], radius=width / 2, color=color, layer=Layer.LINE)
        else:
            sheet.line(thinned(points, tolerance=UNSEEN), color=color, width=width)


def _draw_average(sheet: Sheet, plot: Box, scale: Scale, day: DayBars, *, palette: Palette) -> None:
    """Draw what a share has cost on average since the opening, by volume."""
    volume = amount = 0
    points: list[Point] = []
    for minute in day.minutes:
        volume += minute.volume
        amount += minute.volume * minute.close
        if volume:
            points.append((plot.left + _x(minute.place, plot.width), scale.y(amount / volume)))
    if len(points) > 1:
        sheet.line(
            thinned(points, tolerance=UNSEEN),
            color=palette.ink3,
            width=0.18,
            layer=Layer.GRID,
            dash=(0.4, 0.4),
        )


def _draw_now(
    sheet: Sheet, plot: Box, scale: Scale, day: DayBars, *, color: str, is_stale: bool, palette: Palette
) -> None:
    """Draw a dot at the price of the snapshot; hollow where the data has grown old."""
    place = SESSION_MINUTES if day.now is None else day.now
    at = (plot.left + _x(place, plot.width), scale.y(day.price))
    sheet.dot(at, radius=DOT, color=color)
    if is_stale:
        sheet.dot(at, radius=HOLE, color=palette.paper, layer=Layer.HOLE)


def _draw_spark_volumes(sheet: Sheet, box: Box, day: DayBars, *, palette: Palette) -> None:
    length = SESSION_MINUTES // SPARK_BARS
    volumes = [0] * (SPARK_BARS + 1)
    for minute in day.minutes:
        volumes[minute.place // length] += minute.volume
    volumes[-2] += volumes.pop()  # the closing print
    largest = max(volumes)
    room = box.width / SPARK_BARS
    for place, volume in enumerate(volumes):
        if volume:
            x = box.left + (place + 0.5) * room
            sheet.line(
                ((x, box.bottom), (x, box.bottom - volume / largest * box.height)),
                color=palette.hair,
                width=room * 0.75,
                layer=Layer.VOLUME,
            )


def _draw_volumes(sheet: Sheet, box: Box, day: DayBars, *, palette: Palette) -> None:
    sheet.line(
        ((box.left, box.bottom), (box.right, box.bottom)), color=palette.line, width=HAIR, layer=Layer.GRID
    )
    # The auctions at both ends would flatten everything between them.
    trading = [minute.volume for minute in day.minutes if 0 < minute.place < SESSION_MINUTES]
    largest = max(trading, default=0) or max(minute.volume for minute in day.minutes)
    # A minute is a tenth of a millimetre: peaks joined to an area look like bars, and are half as many points.
    points: list[Point] = []
    before = None
    for minute in day.minutes:
        if before is None or minute.place - before > 1:
            points += ((box.left + _x(place, box.width), box.bottom) for place in _ends(before, minute.place))
        before = minute.place
        tall = min(minute.volume / largest, 1.0) * box.height if largest else 0.0
        points.append((box.left + _x(before, box.width), box.bottom - tall))
    points.append((points[-1][0], box.bottom))
    sheet.polygon(thinned(points, tolerance=UNSEEN), fill=palette.ramp[5], layer=Layer.VOLUME)


def _ends(before: int | None, place: int) -> tuple[float, ...]:
    """Return where the area touches the ground on both sides of minutes without a trade."""
    return (max(place - 0.5, 0.0),) if before is None else (before + 0.5, place - 0.5)


def _tone(day: DayBars, palette: Palette) -> str:
    return {1: palette.up, -1: palette.down}.get(day.tone, palette.ink3)
