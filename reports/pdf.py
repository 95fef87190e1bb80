"""Figures → HTML → PDF bytes. The same figures give the same bytes."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django.template.loader import render_to_string

from kis.connect import MODE_NAMES
from kis.reconciliation import Check
from reports import columns, fonts
from reports.amounts import Amounts
from reports.figures import Broken, Dashboard
from reports.layout import CHECK_ROWS, HoldingsPage, Overview, pages_of
from reports.overview import Scene, blocks, cards
from reports.palette import PRINT
from reports.printing import faces, print_html
from reports.strip import generated, strip_of

IN_WON: Final = Amounts()


def render_pdf(dashboard: Dashboard) -> bytes:
    """Return the printable dashboard. Raises FontsUnavailable when there is no font to print with."""
    return print_html(
        render_html(dashboard),
        identifier=f"aegis-{dashboard.snapshot_id or f'{dashboard.as_of:%Y%m%d%H%M%S}'}",
        epoch=int(dashboard.generated_at.timestamp()),
    )


def render_html(dashboard: Dashboard, amounts: Amounts = IN_WON) -> str:
    """Return the pages as one HTML document."""
    return render_to_string("reports/print/dashboard.html", _context(dashboard, amounts))


def _fitting(checks: Sequence[Check]) -> list[Check]:
    """Return as many comparisons as there is room for, those that differ first; one with a reason takes two lines."""
    shown: list[Check] = []
    lines = 0
    for check in sorted(checks, key=lambda check: not check.difference):
        lines += 2 if check.row else 1
        if lines > CHECK_ROWS and shown:
            break
        shown.append(check)
    return shown


def _context(dashboard: Dashboard, amounts: Amounts) -> dict[str, Any]:
    pages = pages_of(dashboard)
    checks = dashboard.reconciliation.checks
    differing = dashboard.reconciliation.differing
    shown = _fitting(checks)
    holdings = columns.holding_columns(dashboard)
    largest = max((row.weight for row in dashboard.holdings), default=Decimal(0))
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
        "worst": differing[0] if differing else None,
        "differences": len(differing),
        "checks": shown,
        "more_checks": len(checks) - len(shown),
        "weight_scale": max(largest, Decimal(25)),
        "holding_columns": list(holdings.values()),
        "check_columns": list(columns.check_columns(checks).values()),
        "holding_name_room": holdings["name"] - 1.2,
        "shortened": columns.shortened(
            ((row.code, row.name) for row in dashboard.holdings),
            holdings["name"] - 1.2,
            is_compact=any(page.is_compact for page in pages if isinstance(page, HoldingsPage)),
        ),
        "spark_width": holdings["chart"] - 3.2,
        "weight_bar_width": holdings["weight_bar"] - 2.0,
        "return_bar_width": holdings["return_bar"] - 1.0,
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
