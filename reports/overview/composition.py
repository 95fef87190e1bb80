"""C: what the account consists of."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from kis import korean
from kis.advice import Finding
from kis.korean import share
from reports import charts, columns, composition
from reports.figures import Composition, Dashboard, Sector, Slice
from reports.overview.scene import DETAIL, Context, Scene, advice_of, drawing
from reports.palette import PRINT, Palette, on_page

CONCENTRATION: Final = "stock_concentration"
DONUT: Final = 25.0
ROW: Final = 3.75
BAR_GAP: Final = 1.0
WITH_TARGETS: Final = {"swatch": 2.9, "name": 23.6, "bar": 14.5, "weight": 9.0, "last": 10.5}
WITHOUT: Final = {"swatch": 2.9, "name": 23.6, "bar": 11.0, "weight": 8.0, "last": 15.0}
SECTOR_BAR: Final = (89.0, 2.9)
SECTOR_TEXT: Final = 6.5 / 7.5  # of the widths that are measured at 7.5 pt
SHORT_NAME: Final = 9.0  # so much of a sector is shown even where its part of the bar is shorter
LEAST_SECTOR: Final = 3.0
LABEL_GAP: Final = 1.2


def composition_block(scene: Scene, parts: Composition) -> Context:
    d = scene.d
    if not d.holdings:
        return {"parts": None}
    colored = colored_slices(parts.slices, scene.palette)
    targets = [part.target for part in parts.slices if part.target is not None]
    scale = max([part.weight for part in parts.slices] + targets)
    # matplotlib wants to see real colours.
    donut = composition.donut(
        [(part.value, color) for part, color in colored_slices(parts.slices, PRINT)], diameter=DONUT
    )
    lasts = [
        off_target(part) if parts.has_targets else scene.amounts.plain(part.value) for part in parts.slices
    ]
    base = WITH_TARGETS if parts.has_targets else WITHOUT
    widths = columns.fitted(base, {"last": lasts}, gives_way={"bar": 5.0, "name": 16.0})
    over = over_limit(d)
    return {
        "parts": parts,
        "rows": [
            (
                part,
                color,
                drawing(
                    charts.target_bar(
                        part.weight,
                        part.target,
                        scale=scale,
                        width=widths["bar"] - BAR_GAP,
                        height=ROW,
                        palette=scene.palette,
                    )
                ),
                last,
            )
            for (part, color), last in zip(colored, lasts, strict=True)
        ],
        "donut": drawing(donut if scene.palette == PRINT else on_page(donut)),
        "finding": composition_finding(d, over),
        "is_over": over is not None,
        "widths": list(widths.values()),
        "name_room": widths["name"] - 0.8,
        "sector_bar": drawing(_sector_bar(parts.sectors, scene.palette)),
        "sectors": sector_labels(parts.sectors),
        "row_height": ROW,
    }


def colored_slices(slices: Sequence[Slice], palette: Palette) -> list[tuple[Slice, str]]:
    """Give each part its grey, largest darkest; cash is white."""
    last = len(palette.ramp) - 1
    return [
        (
            part,
            palette.paper
            if part.kind == "cash"
            else palette.ramp[last if part.kind == "rest" else min(index, last)],
        )
        for index, part in enumerate(slices)
    ]


def off_target(part: Slice) -> str:
    """`+1.3`, in points; zero has no sign."""
    if part.off_target is None:
        return korean.MISSING
    rounded = part.off_target.quantize(DETAIL, ROUND_HALF_UP)
    return f"{rounded:+}".replace("-", korean.MINUS) if rounded else "0.0"


def over_limit(d: Dashboard) -> Finding | None:
    """Return what the rules say of the largest stock, if it is too large: they know which limit is its own."""
    return next(
        (
            finding
            for finding in advice_of(d).findings
            if finding.rule == CONCENTRATION and finding.stock_code == d.holdings[0].code
        ),
        None,
    )


def composition_finding(d: Dashboard, over: Finding | None) -> str:
    largest = d.holdings[0]
    name = f"{columns.cut(largest.name, 30.0)} {share(largest.weight)}%"
    if over is not None:
        return f"{name}, {over.limit} 넘음"
    return f"{name}, 상위 5종목 {share(d.total.top_weight)}%"


def _sector_bar(sectors: Sequence[Sector], palette: Palette) -> str:
    width, height = SECTOR_BAR
    last = len(palette.ramp) - 1
    parts = [
        (
            max(float(sector.weight), 0.0),
            palette.paper
            if sector.kind == "cash"
            else palette.ramp[last if sector.kind == "rest" else min(index, last)],
        )
        for index, sector in enumerate(sectors)
    ]
    return charts.split_bar(parts, width=width, height=height, palette=palette)


def sector_labels(sectors: Sequence[Sector]) -> list[tuple[float, str, str]]:
    """Return where each name stands below the bar, the name, and the weight; those without room are left out."""
    width = SECTOR_BAR[0]
    whole = float(sum(max(sector.weight, Decimal(0)) for sector in sectors)) or 1.0
    starts, left = [], 0.0
    for sector in sectors:
        own = max(float(sector.weight), 0.0) / whole * width
        starts.append((left, own, sector))
        left += own
    labels: list[tuple[float, float, str, str]] = []
    for start, own, sector in sorted(starts, key=lambda part: -part[1]):
        weight = f"{share(sector.weight)}%"
        room = max(own, columns.text_width(weight) * SECTOR_TEXT + 1.0)
        name = columns.cut(sector.name, max(room, SHORT_NAME) / SECTOR_TEXT)
        need = max(columns.text_width(name), columns.text_width(weight)) * SECTOR_TEXT
        is_free = all(start >= end + LABEL_GAP or start + need + LABEL_GAP <= at for at, end, _, _ in labels)
        if is_free and start + need <= width and own >= LEAST_SECTOR:
            labels.append((start, start + need, name, weight))
    return [(round(start, 2), name, weight) for start, _, name, weight in sorted(labels)]
