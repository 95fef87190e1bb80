"""The grid of a page, in millimetres, and what all pages after the first write alike."""

from decimal import Decimal
from typing import Final

from kis.korean import arrow, percent
from reports.columns import BOLD, cut, text_width
from reports.palette import PRINT, Palette
from reports.sheet import LABEL_SIZE, Layer, Run, Sheet

PAPER: Final = (210.0, 297.0)
LEFT: Final = 12.0
WIDTH: Final = 186.0
TOP: Final = 26.0
END: Final = 281.5
TITLE: Final = 6.6

#: 8.5, 7.5 and 6.5 points, and the share of ▲▼ beside a text.
HEADING: Final = 2.999
BODY: Final = 2.646
SMALL: Final = LABEL_SIZE
ARROW: Final = 0.72

#: A rule above a block, and a hairline between rows.
RULE, HAIR = 0.25, 0.15
TITLE_MIDDLE: Final = 3.5
LETTER_GAP: Final = 1.2
FINDING_GAP: Final = 3.0


def write_title(
    sheet: Sheet,
    letter: str,
    title: str,
    finding: str = "",
    *,
    top: float = TOP,
    left: float = LEFT,
    width: float = WIDTH,
    note: str = "",
    color: str = PRINT.ink2,
) -> None:
    """Write the head of a block: its rule, letter and title, and at the right what it says in one line."""
    sheet.line(((left, top), (left + width, top)), color=PRINT.ink, width=RULE, layer=Layer.GRID)
    y = top + TITLE_MIDDLE
    sheet.write(
        (left, y),
        Run(letter, PRINT.ink3, HEADING),
        Run(title, PRINT.ink, HEADING, is_bold=True, gap=LETTER_GAP),
        Run(note, PRINT.ink3, HEADING, gap=LETTER_GAP),
    )
    room = width - text_width(f"{letter} {title} {note}") * HEADING / BODY - FINDING_GAP
    sheet.label((left + width, y), cut(finding, room), color=color, anchor="end", size=BODY)


def write_change(
    sheet: Sheet, right: float, middle: float, change: Decimal, palette: Palette = PRINT
) -> None:
    """Write a change against the previous close, with ▲ or ▼ in front of it."""
    color, text = tone(change, palette), percent(change)
    sheet.write(
        (right, middle),
        Run(arrow(change), color, BODY * ARROW),
        Run(text, color, BODY, gap=0.25),
        anchor="end",
    )


def tone(value: Decimal | int | None, palette: Palette = PRINT) -> str:
    """Return the colour of a change."""
    if not value:
        return palette.ink3
    return palette.up if value > 0 else palette.down


def small_width(text: str) -> float:
    """Width of a text at 6.5 points."""
    return text_width(text) * SMALL / BODY


def bold_width(text: str) -> float:
    """Width of a bold text at 7.5 points; names are set a little tighter, figures are not wider than this."""
    return text_width(text) * BOLD
