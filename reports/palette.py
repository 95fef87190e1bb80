"""Colours of print and page; charts take a palette, so the page can hand in `var(--…)` names instead of hex values."""

import re
from dataclasses import dataclass, fields
from typing import Final

HEX: Final = re.compile(r"#[0-9a-fA-F]{6}\b")


@dataclass(frozen=True, slots=True)
class Palette:
    """Grey is the default; red is profit, blue is loss, amber asks for a look. Nothing else has a colour."""

    ink: str = "#15181E"
    ink2: str = "#4A505A"
    ink3: str = "#69707B"
    line: str = "#C9CED6"
    hair: str = "#E2E5EA"
    paper: str = "#FFFFFF"
    up: str = "#D6293E"
    down: str = "#1F5FD0"
    up_tint: str = "#F8DADE"
    down_tint: str = "#D6E3F9"
    warn: str = "#9A5200"
    warn_fill: str = "#FFF0D2"
    warn_mark: str = "#E39A2D"
    real: str = "#A3142A"
    ramp: tuple[str, ...] = (
        "#2B3648",
        "#435066",
        "#5C6A80",
        "#76839A",
        "#909CB0",
        "#A9B4C4",
        "#C0C8D4",
        "#D3D9E2",
        "#E3E7ED",
    )


PRINT = Palette()

#: The page says by its own style sheet what these are in light, in dark, and on paper.
PAGE = Palette(
    ink="var(--ink)",
    ink2="var(--ink2)",
    ink3="var(--ink3)",
    line="var(--line)",
    hair="var(--hair)",
    paper="var(--paper)",
    up="var(--up)",
    down="var(--down)",
    up_tint="var(--up-tint)",
    down_tint="var(--down-tint)",
    warn="var(--warn)",
    warn_fill="var(--warn-fill)",
    warn_mark="var(--warn-mark)",
    real="var(--real)",
    ramp=tuple(f"var(--ramp{number})" for number in range(1, len(PRINT.ramp) + 1)),
)


def on_page(drawing: str) -> str:
    """Give a drawing in the colours of print those of the page: for charts whose library wants to see a real colour."""
    names = dict(zip(_colors(PRINT), _colors(PAGE), strict=True))
    return HEX.sub(lambda match: names.get(match[0].upper(), match[0]), drawing)


def _colors(palette: Palette) -> tuple[str, ...]:
    values = (getattr(palette, field.name) for field in fields(palette))
    return tuple(color for value in values for color in ([value] if isinstance(value, str) else value))
