"""Figures → the HTML of the live page: the blocks, letters and charts of the PDF, in the colours of the page's style sheet."""

from decimal import Decimal
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from kis.connect import MODE_NAMES
from reports.amounts import Amounts
from reports.figures import Broken, Dashboard
from reports.figures.broken import or_broken
from reports.layout import Overview, pages_of
from reports.overview import Part, Scene, blocks, cards
from reports.overview.scene import CurveSize
from reports.palette import PAGE
from reports.strip import strip_of

#: Of the charts of single stocks, so many: the largest.
CHARTED: Final = 10
#: What the page says in its own way: how old the data is, and when it looks again.
OF_PRINT: Final = ("생성", "다음 갱신", "다음 시도")
TEMPLATES: Final = "reports/page/overview"
#: A millimetre is five pixels, on a desk and on a phone.
CURVES: Final = (CurveSize(126.0, 42.0), CurveSize(71.6, 40.0, has_ends=False))


def page_context(dashboard: Dashboard) -> dict[str, Any]:
    first = next(page for page in pages_of(dashboard) if isinstance(page, Overview))
    scene = Scene(dashboard, Amounts(), first, folder=TEMPLATES, palette=PAGE, curves=CURVES, font="")
    strip = strip_of(dashboard)
    return {
        "d": dashboard,
        "mode_name": MODE_NAMES[dashboard.mode],
        "is_stale": scene.is_stale,
        "is_troubled": strip.is_troubled,
        "strip_items": [item for item in strip.items if item.label not in OF_PRINT],
        "cards": cards(scene),
        "blocks": [*blocks(scene), *stock_blocks(scene)],
        "tr_ids": list(dict.fromkeys(source.tr_id for source in dashboard.sources)),
    }


def stock_blocks(scene: Scene) -> list[Part]:
    """Return the blocks that print gives pages of their own."""
    d = scene.d
    charted = d.holdings[:CHARTED]
    parts = [block("H", "보유 종목", "holdings", scene)]
    if charted:
        parts.append(block("K", "2주 차트", "candles", scene, rows=charted))
        if not d.no_minutes:
            parts.append(block("M", "1분 차트", "minutes", scene, rows=charted))
    parts.append(block("J", "대사", "checks", scene))
    if d.sources:
        parts.append(block("L", "조회 기록", "sources", scene))
    return parts


def block(letter: str, title: str, name: str, scene: Scene, **context: object) -> Part:
    """Make a block for itself; one that cannot be drawn is a sentence."""
    d = scene.d
    differing = d.reconciliation.differing
    values = {
        "d": d,
        "is_stale": scene.is_stale,
        "weight_scale": max((row.weight for row in d.holdings), default=Decimal(0)),
        "worst": differing[0] if differing else None,
        "differences": len(differing),
        **context,
    }

    def draw() -> SafeString:
        return render_to_string(f"{TEMPLATES}/{name}.html", values)

    html: SafeString | Broken = or_broken(title, draw)
    return Part(letter, title, html, 0.0, 0.0)
