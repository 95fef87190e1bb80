"""Shapes of many charts on one sheet, in millimetres: written as SVG for pages and screens, as PDF operators for print.

Shapes are kept together by how they are painted, so that a whole page of charts is a handful of paths. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from html import escape
from math import cos, pi, sin
from typing import Final, Literal, NamedTuple

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]

#: How far the line that letters stand on lies below their middle, in parts of their size.
BASELINE: Final = 0.36
#: 6.5 points: the size of a label that has none of its own.
LABEL_SIZE: Final = 2.293
CORNER_STEPS: Final = 6
#: PDF points in a millimetre.
POINTS: Final = 72 / 25.4


class Layer(IntEnum):
    """What lies over what, wherever it stands on the sheet."""

    GROUND = 0
    GRID = 1
    VOLUME = 2
    LINE = 3
    BODY = 4
    MARK = 5
    DOT = 6
    HOLE = 7  # in the colour of the paper, which makes a dot hollow


class Paint(NamedTuple):
    """How a shape is painted; no colour means no fill, no width means no stroke."""

    layer: Layer
    fill: str = ""
    stroke: str = ""
    width: float = 0.0
    dash: tuple[float, ...] = ()
    is_round: bool = False


class Shape(NamedTuple):
    points: Sequence[Point]
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the sheet."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


@dataclass(frozen=True, slots=True)
class Run:
    """A part of a line of text that looks alike; `gap` is the room before it."""

    text: str
    color: str
    size: float = 0.0  # in millimetres; without one it is that of the whole sheet
    is_bold: bool = False
    gap: float = 0.0


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text, centred on its height; runs of different sizes stand on one line."""

    at: Point
    runs: tuple[Run, ...]
    anchor: Anchor = "start"

    @property
    def text(self) -> str:
        return " ".join(run.text for run in self.runs)

    @property
    def color(self) -> str:
        return self.runs[0].color


class Sheet:
    """Collects shapes and labels."""

    def __init__(self) -> None:
        self.labels: list[Label] = []
        self._shapes: dict[Paint, list[Shape]] = {}

    def line(
        self,
        points: Sequence[Point],
        *,
        color: str,
        width: float,
        layer: Layer = Layer.LINE,
        dash: tuple[float, ...] = (),
    ) -> None:
        self._add(Paint(layer, stroke=color, width=width, dash=dash), points)

    def polygon(
        self, points: Sequence[Point], *, fill: str = "", edge: str = "", width: float = 0.0, layer: Layer
    ) -> None:
        self._add(Paint(layer, fill=fill, stroke=edge, width=width), points, is_closed=True)

    def rect(self, box: Box, *, fill: str = "", edge: str = "", width: float = 0.0, layer: Layer) -> None:
        corners = ((box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom))
        self.polygon(corners, fill=fill, edge=edge, width=width, layer=layer)

    def rounded(
        self,
        box: Box,
        radius: float,
        *,
        fill: str = "",
        edge: str = "",
        width: float = 0.0,
        layer: Layer = Layer.BODY,
    ) -> None:
        """Draw a box with round corners; each is made of short lines nobody can tell from a curve."""
        inner = Box(box.left + radius, box.top + radius, box.width - 2 * radius, box.height - 2 * radius)
        corners = (
            (inner.right, inner.bottom),
            (inner.left, inner.bottom),
            (inner.left, inner.top),
            (inner.right, inner.top),
        )
        points = [
            (x + radius * cos(angle), y + radius * sin(angle))
            for quarter, (x, y) in enumerate(corners)
            for angle in (pi / 2 * (quarter + step / CORNER_STEPS) for step in range(CORNER_STEPS + 1))
        ]
        self.polygon(points, fill=fill, edge=edge, width=width, layer=layer)

    def dot(self, at: Point, *, radius: float, color: str, layer: Layer = Layer.DOT) -> None:
        # A round cap is a circle without curves.
        self._add(Paint(layer, stroke=color, width=2 * radius, is_round=True), (at, at))

    def label(
        self,
        at: Point,
        text: str,
        *,
        color: str,
        anchor: Anchor = "start",
        is_bold: bool = False,
        size: float = 0.0,
    ) -> None:
        self.write(at, Run(text, color, size, is_bold), anchor=anchor)

    def write(self, at: Point, *runs: Run, anchor: Anchor = "start") -> None:
        """Write a line of text; runs without text are left out."""
        written = tuple(run for run in runs if run.text)
        if written:
            self.labels.append(Label(at, written, anchor))

    def svg(
        self, width: float, height: float, *, label: str = "", text_size: float = LABEL_SIZE, font: str = ""
    ) -> str:
        """Return an `<svg>` of this size; with a label it is a picture to screen readers, without one decoration.

        Print has to name the font of the labels; on a page they have that of the page.
        """
        family = f' font-family="{font}"' if font else ""
        name = f' role="img" aria-label="{escape(label)}"' if label else ' aria-hidden="true"'
        shapes = "".join(_svg_path(paint, shapes) for paint, shapes in self._in_order())
        texts = "".join(_svg_text(label, text_size) for label in self.labels)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}mm" height="{_n(height)}mm" '
            f'viewBox="0 0 {_n(width)} {_n(height)}"{family}{name}>{shapes}{texts}</svg>'
        )

    def operators(self, *, page_height: float, texts: str = "") -> bytes:
        """Return the shapes as a PDF content stream, and on top of them the labels as somebody has already written them."""
        if not self._shapes and not texts:
            return b""
        scale = f"{POINTS:.6f} 0 0 {-POINTS:.6f} 0 {page_height * POINTS:.4f} cm 1 j"
        paths = "\n".join(_pdf_path(paint, shapes) for paint, shapes in self._in_order())
        return f"q {scale}\n{paths}\n{texts}\nQ".encode("ascii")

    def _add(self, paint: Paint, points: Sequence[Point], *, is_closed: bool = False) -> None:
        self._shapes.setdefault(paint, []).append(Shape(points, is_closed))

    def _in_order(self) -> list[tuple[Paint, list[Shape]]]:
        return sorted(self._shapes.items())


def thinned(points: Sequence[Point], *, tolerance: float) -> list[Point]:
    """Leave out points that lie on the line between those kept, give or take a width nobody can see.

    From left to right, or straight up and down. A kept point is always one of those given.
    """
    if len(points) <= 2:  # noqa: PLR2004  # a line
        return list(points)
    kept = [points[0]]
    low, high = float("-inf"), float("inf")
    before = points[0]
    for point in points[1:]:
        x, y = kept[-1]
        run = point[0] - x
        if point[0] <= before[0]:  # straight up or down
            if before != kept[-1]:
                kept.append(before)
            kept.append(point)
            low, high = float("-inf"), float("inf")
        else:
            if not low <= (point[1] - y) / run <= high:
                kept.append(before)
                x, y = before
                run = point[0] - x
                low, high = float("-inf"), float("inf")
            low = max(low, (point[1] - tolerance - y) / run)
            high = min(high, (point[1] + tolerance - y) / run)
        before = point
    if before != kept[-1]:
        kept.append(before)
    return kept


def baseline_of(label: Label, text_size: float) -> float:
    """Return the height that the letters of a line stand on; the largest of them are centred."""
    return label.at[1] + max(run.size or text_size for run in label.runs) * BASELINE


def _svg_text(label: Label, text_size: float) -> str:
    start = f'x="{_n(label.at[0])}" y="{_n(baseline_of(label, text_size))}" text-anchor="{label.anchor}"'
    looks = [
        f'font-size="{_n(run.size or text_size)}" fill="{run.color}"'
        + (' font-weight="700"' if run.is_bold else "")
        for run in label.runs
    ]
    if len(label.runs) == 1:
        return f"<text {start} {looks[0]}>{escape(label.runs[0].text)}</text>"
    parts = (
        f'<tspan {look} dx="{_n(run.gap if place else 0.0)}">{escape(run.text)}</tspan>'
        for place, (run, look) in enumerate(zip(label.runs, looks, strict=True))
    )
    return f"<text {start}>{''.join(parts)}</text>"


def _svg_path(paint: Paint, shapes: Sequence[Shape]) -> str:
    drawing = "".join(
        "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in shape.points) + ("Z" if shape.is_closed else "")
        for shape in shapes
    )
    look = f'fill="{paint.fill or "none"}"'
    if paint.width:
        look += f' stroke="{paint.stroke}" stroke-width="{_n(paint.width)}" stroke-linejoin="round"'
    if paint.dash:
        look += f' stroke-dasharray="{" ".join(_n(part) for part in paint.dash)}"'
    if paint.is_round:
        look += ' stroke-linecap="round"'
    return f'<path d="{drawing}" {look}/>'


def _pdf_path(paint: Paint, shapes: Sequence[Shape]) -> str:
    look = []
    if paint.fill:
        look.append(f"{rgb(paint.fill)} rg")
    if paint.width:
        look.append(f"{rgb(paint.stroke)} RG {_n(paint.width)} w {int(paint.is_round)} J")
        look.append(f"[{' '.join(_n(part) for part in paint.dash)}] 0 d")
    # A page has thousands of points: rounding them is most of the work.
    drawing = [
        " ".join([f"{x:.2f} {y:.2f} l" for x, y in shape.points]).replace("l", "m", 1)
        + (" h" if shape.is_closed else "")
        for shape in shapes
    ]
    end = "B" if paint.fill and paint.width else "f" if paint.fill else "S"
    return "\n".join([*look, *drawing, end])


def rgb(color: str) -> str:
    """`#D6293E` as PDF has it; print knows no names of colours."""
    parts = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return " ".join(f"{part:.3f}" for part in parts)


def _n(value: float) -> str:
    """Write a length to the hundredth of a millimetre, the same on every machine."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
