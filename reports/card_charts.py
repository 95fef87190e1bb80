"""The small charts of the five cards, on a common base. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from kis.calendar import CLOSING, OPENING, hours_of
from reports.charts import DOT, HAIR, HOLE, LINE
from reports.palette import PRINT, Palette
from reports.sheet import Box, Layer, Point, Sheet

MINUTES: Final = (CLOSING.hour - OPENING.hour) * 60 + CLOSING.minute - OPENING.minute
#: Two moments further apart than this are not joined.
LONGEST_PAUSE: Final = timedelta(minutes=45)
BAR: Final = 0.68  # of the room a day has
WIDEST_BAR: Final = 2.2


def trend_line(
    values: Sequence[int | None],
    *,
    width: float,
    height: float,
    color: str,
    low_color: str = "",
    is_stale: bool = False,
    palette: Palette = PRINT,
) -> str:
    """Draw the days up to now with a dot on the last one, and one on the lowest where that has a colour of its own."""
    sheet = Sheet()
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) > 1:
        amounts = [value for _, value in known]
        low, span = min(amounts), max(amounts) - min(amounts) or 1
        step = (width - 2 * DOT) / (len(values) - 1)

        def spot(place: int, value: int) -> Point:
            return DOT + place * step, height - 2 * DOT - (value - low) / span * (height - 4 * DOT)

        run: list[Point] = []
        for place, value in enumerate(values):
            if value is not None:
                run.append(spot(place, value))
            if run and (value is None or place == len(values) - 1):
                sheet.line(run if len(run) > 1 else (run[0], run[0]), color=color, width=LINE)
                run = []
        if low_color:
            sheet.dot(spot(*min(known, key=lambda pair: pair[1])), radius=DOT, color=low_color)
        _draw_now(sheet, spot(*known[-1]), color=color, is_stale=is_stale, palette=palette)
    return sheet.svg(width, height)


def day_line(
    moments: Sequence[tuple[datetime, int]],
    *,
    width: float,
    height: float,
    color: str,
    is_stale: bool = False,
    palette: Palette = PRINT,
) -> str:
    """Draw a day's change over the whole session: what has not come yet, or nobody saw, stays blank.

    The grey line is the close before.
    """
    sheet = Sheet()
    amounts = [amount for _, amount in moments]
    low, high = min([0, *amounts]), max([0, *amounts])
    span = high - low or 1

    def spot(at: datetime, amount: int) -> Point:
        opens = hours_of(at.date()).opens
        minutes = (at.hour - opens.hour) * 60 + at.minute - opens.minute + at.second / 60
        part = min(max(minutes / MINUTES, 0.0), 1.0)
        return DOT + part * (width - 2 * DOT), height - 2 * DOT - (amount - low) / span * (height - 4 * DOT)

    zero = height - 2 * DOT + low / span * (height - 4 * DOT)
    sheet.line(((0, zero), (width, zero)), color=palette.line, width=0.18, layer=Layer.GRID)
    run: list[Point] = []
    for place, (at, amount) in enumerate(moments):
        run.append(spot(at, amount))
        is_last = place == len(moments) - 1
        if is_last or moments[place + 1][0] - at > LONGEST_PAUSE:
            sheet.line(run if len(run) > 1 else (run[0], run[0]), color=color, width=LINE)
            run = []
    if moments:
        _draw_now(sheet, spot(*moments[-1]), color=color, is_stale=is_stale, palette=palette)
    return sheet.svg(width, height)


def day_bars(amounts: Sequence[int | None], *, width: float, height: float, palette: Palette = PRINT) -> str:
    """Draw a bar for each day, up or down from a line of its own; a day nobody knows has none."""
    sheet = Sheet()
    known = [amount for amount in amounts if amount is not None]
    low, high = min([0, *known]), max([0, *known])
    span = high - low or 1
    zero = height + low / span * height
    room = width / max(len(amounts), 1)
    thick = min(room * BAR, WIDEST_BAR)
    for place, amount in enumerate(amounts):
        if amount:
            length = abs(amount) / span * height
            left = (place + 0.5) * room - thick / 2
            top = zero - length if amount > 0 else zero
            color = palette.up if amount > 0 else palette.down
            sheet.rect(Box(left, top, thick, length), fill=color, layer=Layer.BODY)
    sheet.line(((0, zero), (width, zero)), color=palette.ink3, width=HAIR, layer=Layer.MARK)
    return sheet.svg(width, height)


def _draw_now(sheet: Sheet, at: Point, *, color: str, is_stale: bool, palette: Palette) -> None:
    sheet.dot(at, radius=DOT * 1.15, color=color)
    if is_stale:
        sheet.dot(at, radius=HOLE * 1.3, color=palette.paper, layer=Layer.HOLE)
