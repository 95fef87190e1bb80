"""Two weeks of one stock as candles: price, volume, average cost and the owner's own trades. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from kis.models.books import Side
from reports.figures.bars import Candle, DayTrade
from reports.palette import PRINT, Palette
from reports.sheet import Box, Layer, Sheet

AXIS_ROOM: Final = 8.7  # right of the days, for the scale
VOLUME_HEIGHT: Final = 4.8
VOLUME_GAP: Final = 1.0
MARK_ROOM: Final = 2.0  # above the highest and below the lowest price
BODY_SHARE: Final = 0.56  # of a day's room
THINNEST_BODY: Final = 0.2
EDGE: Final = 0.2
HAIR: Final = 0.12
TICK: Final = 0.3
AVERAGE_REACH: Final = 0.35  # of the range; an average further away must not flatten the prices
MOST_LINES: Final = 3
STEPS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


@dataclass(frozen=True, slots=True)
class Scale:
    """Prices against heights."""

    low: float
    high: float
    top: float
    bottom: float

    def y(self, price: float) -> float:
        part = (price - self.low) / (self.high - self.low)
        return self.bottom - part * (self.bottom - self.top)


def candle_chart(
    candles: Sequence[Candle | None],
    trades: Sequence[DayTrade],
    average: Decimal | None,
    *,
    width: float,
    height: float,
    label: str = "",
    palette: Palette = PRINT,
) -> str:
    """Draw one chart as a picture of its own."""
    sheet = Sheet()
    draw_candles(sheet, Box(0, 0, width, height), candles, trades, average, palette=palette)
    return sheet.svg(width, height, label=label)


def draw_candles(
    sheet: Sheet,
    box: Box,
    candles: Sequence[Candle | None],
    trades: Sequence[DayTrade],
    average: Decimal | None,
    *,
    palette: Palette = PRINT,
) -> None:
    """Draw the days, oldest first. The scale is in percent of the first known close; without a close nothing is drawn."""
    known = [candle for candle in candles if candle is not None]
    if not known:
        return
    plot = Box(box.left, box.top, box.width - AXIS_ROOM, box.height - VOLUME_HEIGHT - VOLUME_GAP)
    cost = float(average) if average else None
    scale, is_near = scale_of(known, trades, cost, plot)
    draw_percent_lines(sheet, plot, scale, base=known[0].close, right=box.right, palette=palette)
    if cost is not None:
        draw_average(sheet, plot, scale, cost, is_near=is_near, palette=palette)
    room = plot.width / len(candles)
    middles = {
        candle.on: plot.left + (place + 0.5) * room
        for place, candle in enumerate(candles)
        if candle is not None
    }
    for candle in known:
        draw_candle(sheet, scale, candle, x=middles[candle.on], width=room * BODY_SHARE, palette=palette)
    volumes = Box(plot.left, box.bottom - VOLUME_HEIGHT, plot.width, VOLUME_HEIGHT)
    draw_volumes(sheet, volumes, known, middles, width=room * BODY_SHARE, palette=palette)
    lows = {candle.on: candle.close if candle.low is None else candle.low for candle in known}
    highs = {candle.on: candle.close if candle.high is None else candle.high for candle in known}
    for trade in trades:
        if trade.on in middles:
            x, y = middles[trade.on], scale.y(trade.price)
            sheet.line(
                ((x - room * 0.42, y), (x + room * 0.42, y)), color=palette.ink, width=TICK, layer=Layer.MARK
            )
            bought = trade.side is Side.BUY
            edge = min(lows[trade.on], trade.price) if bought else max(highs[trade.on], trade.price)
            draw_trade(sheet, (x, scale.y(edge)), is_buy=bought, palette=palette)


def scale_of(
    known: Sequence[Candle], trades: Sequence[DayTrade], cost: float | None, plot: Box
) -> tuple[Scale, bool]:
    """Return the scale of the prices, and whether the average cost is near enough to belong to it."""
    days = {candle.on for candle in known}
    prices: list[float] = [trade.price for trade in trades if trade.on in days]
    for candle in known:
        prices += (
            price for price in (candle.close, candle.open, candle.high, candle.low) if price is not None
        )
    low, high = min(prices), max(prices)
    if low == high:
        low, high = low * 0.99, high * 1.01
    reach = (high - low) * AVERAGE_REACH
    is_near = cost is not None and low - reach <= cost <= high + reach
    if is_near and cost is not None:
        low, high = min(low, cost), max(high, cost)
    return Scale(low, high, plot.top + MARK_ROOM, plot.bottom - MARK_ROOM), is_near


def draw_percent_lines(
    sheet: Sheet, plot: Box, scale: Scale, *, base: float, right: float, palette: Palette
) -> None:
    """Draw the grid in percent of a price; the line of the price itself is a little darker."""
    for percent, text in percent_lines(scale.low, scale.high, base=base):
        y = scale.y(base * (1 + percent / 100))
        color = palette.hair if percent else palette.line
        sheet.line(((plot.left, y), (plot.right, y)), color=color, width=HAIR, layer=Layer.GRID)
        sheet.label((right, y), text, color=palette.ink3, anchor="end")


def percent_lines(low: float, high: float, *, base: float) -> list[tuple[float, str]]:
    """Return round percents of a price that lie in a range, at most three, with their texts."""
    first, last = (round((price / base - 1) * 100, 6) for price in (low, high))
    for step in STEPS:
        places = range(-int(-first // step), int(last // step) + 1)
        if len(places) <= MOST_LINES:
            return [(place * step, _percent(place * step)) for place in places]
    return []


def draw_average(
    sheet: Sheet, plot: Box, scale: Scale, cost: float, *, is_near: bool, palette: Palette
) -> None:
    """Draw the average cost dashed; one far away lies on the edge, with a triangle that says where it is."""
    if not is_near:
        draw_edge(sheet, plot, is_above=cost > scale.high, palette=palette)
        return
    y = scale.y(cost)
    sheet.line(((plot.left, y), (plot.right, y)), color=palette.ink2, width=0.2, dash=(0.9, 0.6))


def draw_edge(sheet: Sheet, plot: Box, *, is_above: bool, palette: Palette) -> None:
    """Draw the line of a price beyond the scale on the edge of the plot, with a triangle that points at it."""
    y, tip = (plot.top + 0.3, -0.55) if is_above else (plot.bottom - 0.3, 0.55)
    sheet.line(((plot.left, y), (plot.right - 1.8, y)), color=palette.ink3, width=0.2, dash=(0.9, 0.6))
    x = plot.right - 0.8
    sheet.polygon(((x - 0.7, y - tip), (x + 0.7, y - tip), (x, y + tip)), fill=palette.ink3, layer=Layer.MARK)


def draw_candle(
    sheet: Sheet, scale: Scale, candle: Candle, *, x: float, width: float, palette: Palette
) -> None:
    """Draw one day: rising is a red edge and light, falling solid blue, so that print without colours tells them apart."""
    close = scale.y(candle.close)
    if candle.open is None or candle.high is None or candle.low is None:
        sheet.line(
            ((x - width / 2, close), (x + width / 2, close)), color=palette.ink3, width=EDGE, layer=Layer.BODY
        )
        return
    opened, high, low = scale.y(candle.open), scale.y(candle.high), scale.y(candle.low)
    color = palette.up if candle.close > candle.open else palette.down
    if candle.close == candle.open:
        color = palette.ink3
    sheet.line(((x, high), (x, low)), color=color, width=EDGE)
    if candle.close == candle.open:
        sheet.line(
            ((x - width / 2, close), (x + width / 2, close)), color=color, width=EDGE, layer=Layer.BODY
        )
        return
    top, thick = min(opened, close), max(abs(opened - close), THINNEST_BODY)
    body = Box(x - width / 2, top, width, thick)
    if candle.close > candle.open:
        sheet.rect(body, fill=palette.up_tint, edge=color, width=EDGE, layer=Layer.BODY)
    else:
        sheet.rect(body, fill=color, edge=color, width=EDGE, layer=Layer.BODY)


def draw_volumes(
    sheet: Sheet,
    box: Box,
    candles: Sequence[Candle],
    middles: dict[date, float],
    *,
    width: float,
    palette: Palette,
) -> None:
    sheet.line(
        ((box.left, box.bottom), (box.right, box.bottom)), color=palette.line, width=HAIR, layer=Layer.GRID
    )
    largest = max((candle.volume or 0 for candle in candles), default=0)
    for candle in candles:
        if candle.volume:
            tall = candle.volume / largest * box.height
            x = middles[candle.on] - width / 2
            sheet.rect(Box(x, box.bottom - tall, width, tall), fill=palette.line, layer=Layer.VOLUME)


def draw_trade(sheet: Sheet, at: tuple[float, float], *, is_buy: bool, palette: Palette) -> None:
    """Draw ▲ below a point for a purchase, ▼ above it for a sale."""
    x, y = at
    near, far = (y + 0.5, y + 1.7) if is_buy else (y - 0.5, y - 1.7)
    sheet.polygon(
        ((x - 0.75, far), (x + 0.75, far), (x, near)),
        fill=palette.up if is_buy else palette.down,
        layer=Layer.MARK,
    )


def _percent(value: float) -> str:
    text = f"{value:+.1f}".removesuffix(".0").replace("-", "−") if value else "0"
    return f"{text}%"
