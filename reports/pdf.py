"""Figures → HTML → PDF bytes. The same figures give the same bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from kis.connect import MODE_NAMES
from reports import columns, fonts
from reports.amounts import IN_WON, Amounts
from reports.figures import Broken, Dashboard
from reports.frame import Frame
from reports.layout import SHEET_PAGES, Overview, Page, pages_of
from reports.overview import Scene, blocks, cards
from reports.palette import PRINT
from reports.paper import PAPER
from reports.printing import faces, print_html
from reports.sheet import Sheet
from reports.strip import strip_of


def render_pdf(dashboard: Dashboard, amounts: Amounts = IN_WON) -> bytes:
    """Return the printable dashboard. Raises FontsUnavailable when there is no font to print with."""
    pages = pages_of(dashboard, amounts)
    return print_html(
        _html(dashboard, pages, amounts, {}),
        sheets=_sheets(dashboard, pages, amounts),
        identifier=f"aegis-{dashboard.snapshot_id or f'{dashboard.as_of:%Y%m%d%H%M%S}'}",
        epoch=int(dashboard.generated_at.timestamp()),
    )


def render_html(dashboard: Dashboard, amounts: Amounts = IN_WON) -> str:
    """Return the pages as one HTML document."""
    pages = pages_of(dashboard, amounts)
    return _html(dashboard, pages, amounts, _sheets(dashboard, pages, amounts))


def _sheets(dashboard: Dashboard, pages: Sequence[Page], amounts: Amounts) -> dict[int, list[Sheet]]:
    """Return the frame of each page, and what it draws itself."""
    strip = strip_of(dashboard, is_masked=amounts.is_masked)
    frame = Frame(dashboard, strip, amounts, pages=len(pages))
    return {
        page.number: [
            frame.sheet(kind=page.kind, number=page.number),
            *([page.sheet] if isinstance(page, SHEET_PAGES) else []),
        ]
        for page in pages
    }


def _html(
    dashboard: Dashboard, pages: Sequence[Page], amounts: Amounts, sheets: Mapping[int, Sequence[Sheet]]
) -> str:
    """Return the pages with these sheets as pictures; in print they are drawn below the text, which is much quicker."""
    pictured = [
        (page, [SafeString(sheet.svg(*PAPER)) for sheet in sheets.get(page.number, ())]) for page in pages
    ]
    context = _context(dashboard, pages, amounts) | {"pages": pictured}
    return render_to_string("reports/print/dashboard.html", context)


def _context(dashboard: Dashboard, pages: Sequence[Page], amounts: Amounts) -> dict[str, Any]:
    first = next(page for page in pages if isinstance(page, Overview))
    scene = Scene(dashboard, amounts, first)
    return {
        "d": dashboard,
        "masked": amounts.is_masked,
        "p": PRINT,
        "font_family": fonts.FAMILY,
        "faces": faces(),
        "created": f"{dashboard.generated_at:%Y-%m-%dT%H:%M:%S+09:00}",
        "mode_name": MODE_NAMES[dashboard.mode],
        "is_stale": dashboard.stale_for is not None,
        "cards": cards(scene),
        "blocks": blocks(scene),
        **_lists(scene),
    }


def _lists(scene: Scene) -> dict[str, Any]:
    """Return what the pages with the rest of long lists show; without such a page nothing is needed."""
    fills = scene.d.fills
    if isinstance(fills, Broken):
        return {}
    widths = columns.fill_columns(fills, fee=scene.d.account.fee_today)
    return {
        "when": scene.when,
        "sides": f"매수 {scene.amounts.plain(fills.bought)} · 매도 {scene.amounts.plain(fills.sold)}",
        "fill_columns": list(widths.values()),
        "fill_name_room": widths["name"] - 1.2,
    }
