"""Words and columns on the terminal: aligned by cell width, coloured where the terminal can, plain elsewhere."""

from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from kis.client.codes import Mode
from kis.korean import SEOUL, clock_time, day

UP, DOWN, WARN, DIM = "#ff6675", "#6ca0ff", "#f2b65a", "#8e96a3"
BADGES = {"real": ("실전", "bold white on #c92c46"), "paper": ("모의", "reverse #8e96a3")}
INDENT = "  "


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Fill up with spaces to a width in cells; Hangul is two cells wide."""
    gap = " " * max(width - cell_len(text), 0)
    return gap + text if right else text + gap


def fitted(text: str, width: int) -> str:
    """Cut to a width in cells, with an ellipsis where something is left out."""
    if cell_len(text) <= width:
        return text
    while cell_len(text) >= width:
        text = text[:-1]
    return f"{text}…"


def line(console: Console, *parts: tuple[str, str] | str) -> None:
    """Print one line of (text, style) parts, never folded: a number must not break in two."""
    text = Text()
    for part in parts:
        text.append(*((part,) if isinstance(part, str) else part))
    console.print(text, soft_wrap=True, highlight=False)


def headline(console: Console, *, mode: Mode, demo: bool, words: Sequence[str], at: datetime) -> None:
    """Print the badge first: is it real money? Then what this is about and its time in Seoul."""
    name, style = BADGES[mode]
    badges: list[tuple[str, str] | str] = [("DEMO", "bold black on #e3a23c"), " "] if demo else []
    local = at.astimezone(SEOUL)
    line(
        console,
        *badges,
        (f" {name} ", style),
        " ",
        "   ".join(words),
        (f"   {day(local.date())} {clock_time(local)} KST", DIM),
    )


def change_style(value: float | None) -> str:
    """Red above zero, blue below."""
    if not value:
        return ""
    return UP if value > 0 else DOWN
