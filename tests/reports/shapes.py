"""What a picture shows, read back from its SVG."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"


def read(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  # our own drawing


@dataclass(frozen=True)
class Drawn:
    """One line, area or dot with its colours."""

    points: tuple[tuple[float, float], ...]
    fill: str
    stroke: str
    width: float
    is_dashed: bool
    is_dot: bool

    @property
    def color(self) -> str:
        return self.stroke if self.fill == "none" else self.fill

    @property
    def left(self) -> float:
        return min(x for x, _ in self.points)

    @property
    def right(self) -> float:
        return max(x for x, _ in self.points)

    @property
    def top(self) -> float:
        return min(y for _, y in self.points)

    @property
    def bottom(self) -> float:
        return max(y for _, y in self.points)

    @property
    def tall(self) -> float:
        return self.bottom - self.top

    @property
    def wide(self) -> float:
        return self.right - self.left


def shapes_of(svg: str) -> list[Drawn]:
    """Return the shapes in the order in which they are painted."""
    found = []
    for path in read(svg).iter(f"{SVG}path"):
        for part in re.findall(r"M([^MZ]+)", path.get("d", "")):
            points = tuple(
                (float(x), float(y)) for x, y in (pair.split() for pair in part.rstrip("Z").split("L"))
            )
            found.append(
                Drawn(
                    points,
                    path.get("fill", ""),
                    path.get("stroke", ""),
                    float(path.get("stroke-width", "0")),
                    is_dashed="stroke-dasharray" in path.attrib,
                    is_dot="stroke-linecap" in path.attrib,
                )
            )
    return found


def texts_of(svg: str) -> list[str]:
    return [text.text or "" for text in read(svg).iter(f"{SVG}text")]
