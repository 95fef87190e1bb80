"""Figures → HTML → PDF bytes. The same figures give the same bytes."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from kis.connect import MODE_NAMES
from kis.korean import clock_time, day
from kis.reconciliation import Check
from reports import charts, columns, composition, fonts
from reports.figures import Dashboard, ProfitLine, Slice
from reports.layout import CHECK_ROWS, LIST_ROWS, ROW, HoldingsPage, pages_of
from reports.palette import PRINT
from reports.printing import faces, print_html
from reports.templatetags.dashboard import brief

DONUT: Final = 31.0
PROFIT_BAR_MARGIN: Final = 3.0
CARD_BARS: Final = ((44.0, 1.5), (31.4, 1.5))
FINDING_ROOM: Final = 63.0
FINDING_NAME: Final = 12  # letters of a name


def render_pdf(dashboard: Dashboard) -> bytes:
    """Return the printable dashboard. Raises FontsUnavailable when there is no font to print with."""
    return print_html(
        render_html(dashboard),
        identifier=f"aegis-{dashboard.snapshot_id}",
        epoch=int(dashboard.generated_at.timestamp()),
    )


def render_html(dashboard: Dashboard) -> str:
    """Return the pages as one HTML document."""
    return render_to_string("reports/print/dashboard.html", _context(dashboard))


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


def _context(dashboard: Dashboard) -> dict[str, Any]:
    pages = pages_of(dashboard)
    checks = dashboard.reconciliation.checks
    differing = dashboard.reconciliation.differing
    shown = _fitting(checks)
    slices = _colored(dashboard.composition)
    holdings, profit_table = columns.holding_columns(dashboard), columns.profit_columns(dashboard)
    fills, orders = dashboard.fills.rows, dashboard.open_orders.rows
    largest = max((row.weight for row in dashboard.holdings), default=Decimal(0))
    return {
        "d": dashboard,
        "p": PRINT,
        "pages": pages,
        "font_family": fonts.FAMILY,
        "faces": faces(),
        "created": f"{dashboard.generated_at:%Y-%m-%dT%H:%M:%S+09:00}",
        "generated": _generated(dashboard),
        "mode_name": MODE_NAMES[dashboard.mode],
        "is_stale": dashboard.stale_for is not None,
        "is_troubled": bool(dashboard.stale_for is not None or differing or dashboard.failures),
        "worst": differing[0] if differing else None,
        "differences": len(differing),
        "more_differences": max(len(differing) - 1, 0),
        "total_check": next(check for check in checks if check.name == "평가 + D+2 현금"),
        "checks": shown,
        "more_checks": len(checks) - len(shown),
        "cash_slice": dashboard.composition[-1],
        "slices": slices,
        "share_scale": max((part.weight for part in dashboard.composition), default=Decimal(0)),
        "weight_scale": max(largest, Decimal(25)),
        "holding_columns": list(holdings.values()),
        "profit_columns": list(profit_table.values()),
        "fill_columns": list(columns.fill_columns(dashboard).values()),
        "check_columns": list(columns.check_columns(checks).values()),
        "holding_name_room": holdings["name"] - 1.2,
        "shortened": columns.shortened(
            ((row.code, row.name) for row in dashboard.holdings),
            holdings["name"] - 1.2,
            is_compact=any(page.is_compact for page in pages if isinstance(page, HoldingsPage)),
        ),
        "profit_name_room": profit_table["name"] - 0.6,
        "fill_name_room": columns.fill_columns(dashboard)["name"] - 1.2,
        "spark_width": holdings["chart"] - 3.2,
        "weight_bar_width": holdings["weight_bar"] - 2.0,
        "return_bar_width": holdings["return_bar"] - 1.0,
        "profit_bars_left": profit_table["name"] + 1.0,
        "extremes": _extremes(dashboard),
        "first_fills": fills[:LIST_ROWS],
        "more_fills": max(len(fills) - LIST_ROWS, 0),
        "first_orders": orders[:LIST_ROWS],
        "more_orders": max(len(orders) - LIST_ROWS, 0),
        "tr_ids": list(dict.fromkeys(source.tr_id for source in dashboard.sources)),
        **_pictures(dashboard, slices, profit_bars_width=profit_table["bar"] - PROFIT_BAR_MARGIN),
    }


def _pictures(
    dashboard: Dashboard, slices: list[tuple[Slice, str]], *, profit_bars_width: float
) -> dict[str, SafeString]:
    if not dashboard.holdings:
        return {}
    total = dashboard.total
    (total_width, total_height), (profit_width, profit_height) = CARD_BARS
    cash = max(float(dashboard.account.cash), 0.0)
    pictures: dict[str, str] = {
        "donut": composition.donut([(part.value, color) for part, color in slices], diameter=DONUT),
        "profit_bars": composition.profit_bars(
            [line.profit for line in dashboard.profits], width=profit_bars_width, row_height=ROW
        ),
        "stock_cash_bar": charts.split_bar(
            [(float(total.value), PRINT.ramp[0]), (cash, PRINT.paper)], width=total_width, height=total_height
        ),
        "win_loss_bar": charts.split_bar(
            [(float(total.gained), PRINT.up), (float(total.lost), PRINT.down)],
            width=profit_width,
            height=profit_height,
        ),
    }
    return {name: SafeString(text) for name, text in pictures.items()}


def _colored(parts: tuple[Slice, ...]) -> list[tuple[Slice, str]]:
    """Give each part its grey, largest darkest; cash is white."""
    return [
        (part, PRINT.paper if part.kind == "cash" else PRINT.ramp[min(index, len(PRINT.ramp) - 1)])
        for index, part in enumerate(parts)
    ]


def _extremes(dashboard: Dashboard) -> list[ProfitLine]:
    """Return the largest gain and the largest loss, as far as both fit beside the title."""
    lines = [line for line in dashboard.profits[:1] if line.profit > 0]
    lines += [line for line in dashboard.profits[-1:] if line.profit < 0]
    while len(lines) > 1 and sum(_finding_width(line) for line in lines) > FINDING_ROOM:
        lines.pop()
    return lines


def _finding_width(line: ProfitLine) -> float:
    return columns.text_width(f" {line.name[:FINDING_NAME]} {brief(line.profit)} ")


def _generated(dashboard: Dashboard) -> str:
    """Return the time of creation, with its day where it is another one than the data's."""
    text = clock_time(dashboard.generated_at)
    if dashboard.generated_at.date() == dashboard.as_of.date():
        return text
    return f"{day(dashboard.generated_at.date())} {text}"
