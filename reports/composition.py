"""The chart of the first page that matplotlib draws: what the account consists of.

Text is never part of the picture: names and figures stand beside it as HTML, in our font and selectable.
"""

import os
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings

from reports.palette import PRINT, Palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MM: Final = 25.4  # per inch
NOISE: Final = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL
)
STYLE: Final = re.compile(r'style="([^"]*)"')
GROUP_ID: Final = re.compile(r'(<g) id="[^"]*"')  # figure_1, axes_1: the same in every picture of a page


def donut(parts: Sequence[tuple[int, str]], *, diameter: float, palette: Palette = PRINT) -> str:
    """Draw parts (won, colour) clockwise from the top; a part in the colour of the paper gets a grey edge."""
    drawn = [(value, color) for value, color in parts if value > 0]
    figure = _figure(diameter, diameter)
    axes = figure.add_axes((0, 0, 1, 1))
    if drawn:
        wedges = axes.pie(
            [float(value) for value, _ in drawn],
            colors=[color for _, color in drawn],
            startangle=90,
            counterclock=False,
            radius=1.0,
            wedgeprops={"width": 0.42, "edgecolor": palette.paper, "linewidth": 0.6 if len(drawn) > 1 else 0},
        )[0]
        for wedge, (_, color) in zip(wedges, drawn, strict=True):
            if color == palette.paper:
                wedge.set(edgecolor=palette.ink3, linewidth=0.5, zorder=3)
    axes.set(xlim=(-1.01, 1.01), ylim=(-1.01, 1.01))
    return _svg_text(figure, salt="donut")


def _figure(width: float, height: float) -> "Figure":
    """Return an empty figure of this size in millimetres."""
    # Its font list and caches belong to us, not to the home of whoever runs the service.
    os.environ.setdefault("MPLCONFIGDIR", str(Path(settings.VAR_DIR) / "matplotlib"))
    from matplotlib.figure import Figure  # noqa: PLC0415  # half a second of imports, only for a chart

    return Figure(figsize=(width / MM, height / MM))


def _svg_text(figure: "Figure", *, salt: str) -> str:
    """Return the figure as an `<svg>` element for use inside HTML, the same text for the same numbers."""
    from matplotlib import rc_context  # noqa: PLC0415

    text = StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with rc_context({"svg.hashsalt": salt, "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    plain = GROUP_ID.sub(r"\1", NOISE.sub("", text.getvalue())).strip()
    return STYLE.sub(_attributes, plain)


def _attributes(style: re.Match[str]) -> str:
    """Turn `style="fill: #fff"` into `fill="#fff"`: pages with a strict content policy refuse style attributes."""
    pairs = (pair.split(":") for pair in style[1].split(";"))
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, value in pairs)
