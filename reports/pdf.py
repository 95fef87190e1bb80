"""Figures → HTML → PDF bytes. The same figures give the same bytes."""

from collections.abc import Sequence
from typing import Any

from django.template.loader import render_to_string

from kis.connect import MODE_NAMES
from reports import columns, fonts
from reports.amounts import IN_WON, Amounts
from reports.figures import Broken, Dashboard
from reports.layout import SHEET_PAGES, Overview, Page, pages_of
from reports.overview import Scene, blocks, cards
from reports.palette import PRINT
from reports.printing import faces, print_html
from reports.strip import generated, strip_of


def render_pdf(dashboard: Dashboard, amounts: Amounts = IN_WON) -> bytes:
    """Return the printable dashboard. Raises FontsUnavailable when there is no font to print with."""
    pages = pages_of(dashboard, amounts)
    return print_html(
        _html(dashboard, pages, amounts, with_sheets=False),
        sheets={page.number: page.sheet for page in pages if isinstance(page, SHEET_PAGES)},
        identifier=f"aegis-{dashboard.snapshot_id or f'{dashboard.as_of:%Y%m%d%H%M%S}'}",
        epoch=int(dashboard.generated_at.timestamp()),
    )


def render_html(dashboard: Dashboard, amounts: Amounts = IN_WON) -> str:
    """Return the pages as one HTML document."""
    return _html(dashboard, pages_of(dashboard, amounts), amounts, with_sheets=True)


def _html(dashboard: Dashboard, pages: Sequence[Page], amounts: Amounts, *, with_sheets: bool) -> str:
    """Return the pages; in print their sheets are drawn below the text, which is much quicker than reading SVG."""
    context = _context(dashboard, pages, amounts) | {"with_sheets": with_sheets}
    return render_to_string("reports/print/dashboard.html", context)


def _context(dashboard: Dashboard, pages: Sequence[Page], amounts: Amounts) -> dict[str, Any]:
    first = next(page for page in pages if isinstance(page, Overview))
    scene = Scene(dashboard, amounts, first)
    strip = strip_of(dashboard, is_masked=amounts.is_masked)
    return {
        "d": dashboard,
        "p": PRINT,
        "pages": pages,
        "font_family": fonts.FAMILY,
        "faces": faces(),
        "created": f"{dashboard.generated_at:%Y-%m-%dT%H:%M:%S+09:00}",
        "generated": generated(dashboard),
        "mode_name": MODE_NAMES[dashboard.mode],
        "masked": amounts.is_masked,
        "is_stale": dashboard.stale_for is not None,
        "strip": strip,
        "strip_items": strip.fitting(),
        "cards": cards(scene),
        "blocks": blocks(scene),
        **_lists(scene),
        "tr_ids": list(dict.fromkeys(source.tr_id for source in dashboard.sources)),
    }


def _lists(scene: Scene) -> dict[str, Any]:
    """Return what the pages with the rest of long lists show; without such a page nothing is needed."""
    fills = scene.d.fills
    if isinstance(fills, Broken):
        return {}
    widths = columns.fill_columns(fills, fee=scene.d.account.fee_today)
    return {
        "when": scene.when,
        "fill_columns": list(widths.values()),
        "fill_name_room": widths["name"] - 1.2,
    }
