"""What every part of the first page is made from, and how one is made for itself."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from kis.advice import Advice
from reports import fonts
from reports.amounts import Amounts
from reports.figures import Broken, Dashboard, Trend
from reports.figures.broken import or_broken
from reports.layout import Overview
from reports.palette import PRINT, Palette
from reports.strip import day_name

Context = dict[str, Any]
Figures = TypeVar("Figures")

DETAIL: Final = Decimal("0.1")
HUNDREDTH: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Part:
    """A card or block as it is placed: millimetres from the left and, for blocks, from the top of the page."""

    letter: str
    title: str
    html: SafeString | Broken
    left: float
    width: float
    top: float = 0.0

    @property
    def is_broken(self) -> bool:
        return isinstance(self.html, Broken)


@dataclass(frozen=True, slots=True)
class CurveSize:
    """How large the curve of block A is, in millimetres, and whether its lines are named where they end."""

    width: float
    height: float
    has_ends: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """What every part is made from, and for whom: print, or a page with templates and colours of its own."""

    d: Dashboard
    amounts: Amounts
    page: Overview
    folder: str = "reports/print/overview"
    palette: Palette = PRINT
    curves: tuple[CurveSize, ...] = (CurveSize(147.5, 42.0),)
    font: str = fonts.FAMILY  # of texts in charts; none where they have that of the page

    @property
    def is_stale(self) -> bool:
        return self.d.stale_for is not None

    @property
    def trend(self) -> Trend | None:
        return self.d.trend if isinstance(self.d.trend, Trend) else None

    @property
    def when(self) -> str:
        """`오늘`, or on a closed day the one that the figures are of."""
        return day_name(self.d)


def rendered(
    name: str, scene: Scene, figures: Figures | Broken, make: Callable[[Scene, Figures], Context]
) -> SafeString | Broken:
    """Make a part from its figures; where these are broken, or it cannot be drawn, there is a sentence instead."""
    if isinstance(figures, Broken):
        return figures
    known = figures

    def draw() -> SafeString:
        context = {
            "d": scene.d,
            "p": scene.palette,
            "is_stale": scene.is_stale,
            "masked": scene.amounts.is_masked,
            "bare": scene.amounts.is_bare,
        }
        return render_to_string(f"{scene.folder}/{name}.html", {**context, **make(scene, known)})

    return or_broken(name, draw)


def advice_of(d: Dashboard) -> Advice:
    """Return what the adviser said, or nothing: other parts of the page only ask for its limits."""
    return d.advice if isinstance(d.advice, Advice) else Advice()


def tone_color(value: int, palette: Palette) -> str:
    return palette.up if value > 0 else palette.down if value < 0 else palette.ink3


def drawing(text: str) -> SafeString:
    return SafeString(text)  # our own drawing: figures, and names escaped by the sheet
