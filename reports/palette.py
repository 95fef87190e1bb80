"""Colours of print and page; charts take a palette, so the page can hand in `var(--…)` names instead of hex values."""

from dataclasses import dataclass


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
