"""Figures → the HTML of the live page: the blocks, letters and charts of the PDF, in the colours of the page's style sheet."""

from decimal import Decimal
from typing import Any, Final

from django.utils.safestring import SafeString

from kis.connect import MODE_NAMES
from reports import charts, composition
from reports.figures import Broken, Dashboard, Slice
from reports.palette import PAGE, PRINT, on_page

DONUT: Final = 30.0
#: One millimetre of a chart is five pixels on the page: its text is then as tall as that of the axis in print.
SPLIT: Final = (40.0, 1.2)


def page_context(dashboard: Dashboard) -> dict[str, Any]:
    differing = dashboard.reconciliation.differing
    checks = dashboard.reconciliation.checks
    slices = _slices(dashboard)
    return {
        "d": dashboard,
        "mode_name": MODE_NAMES[dashboard.mode],
        "is_stale": dashboard.stale_for is not None,
        "is_troubled": bool(dashboard.stale_for is not None or differing or dashboard.failures),
        "worst": differing[0] if differing else None,
        "differences": len(differing),
        "more_differences": max(len(differing) - 1, 0),
        "total_check": next(check for check in checks if check.name == "평가 + D+2 현금"),
        "cash_slice": slices[-1] if slices else None,
        "slices": _colored(slices),
        "share_scale": max((part.weight for part in slices), default=Decimal(0)),
        "weight_scale": max((row.weight for row in dashboard.holdings), default=Decimal(0)),
        "tr_ids": list(dict.fromkeys(source.tr_id for source in dashboard.sources)),
        **_pictures(dashboard),
    }


def _pictures(dashboard: Dashboard) -> dict[str, SafeString]:
    if not dashboard.holdings:
        return {}
    total, (width, height) = dashboard.total, SPLIT
    cash = max(float(dashboard.account.cash), 0.0)
    pictures = {
        "donut": on_page(
            composition.donut(
                [(part.value, color) for part, color, _ in _colored(_slices(dashboard))], diameter=DONUT
            )
        ),
        "stock_cash_bar": charts.split_bar(
            [(float(total.value), PAGE.ramp[0]), (cash, PAGE.paper)], width=width, height=height, palette=PAGE
        ),
        "win_loss_bar": charts.split_bar(
            [(float(total.gained), PAGE.up), (float(total.lost), PAGE.down)],
            width=width,
            height=height,
            palette=PAGE,
        ),
    }
    return {name: SafeString(text) for name, text in pictures.items()}  # our own drawings


def _slices(dashboard: Dashboard) -> tuple[Slice, ...]:
    return () if isinstance(dashboard.composition, Broken) else dashboard.composition.slices


def _colored(parts: tuple[Slice, ...]) -> list[tuple[Slice, str, str]]:
    """Give each part its grey, largest darkest, and the class of its swatch; cash is paper."""
    last = len(PRINT.ramp) - 1
    return [
        (part, PRINT.paper, "cash")
        if part.kind == "cash"
        else (part, PRINT.ramp[min(index, last)], f"ramp{min(index, last) + 1}")
        for index, part in enumerate(parts)
    ]
