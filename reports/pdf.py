"""Figures → HTML → PDF bytes. The same figures give the same bytes."""

import logging
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from kis.connect import MODE_NAMES
from kis.korean import clock_time, day
from kis.reconciliation import Check
from reports import charts, columns, composition, fonts
from reports.figures import Dashboard, ProfitLine, Slice
from reports.layout import CHECK_ROWS, LIST_ROWS, ROW, HoldingsPage, pages_of
from reports.palette import PRINT
from reports.templatetags.dashboard import brief

if TYPE_CHECKING:
    from weasyprint.urls import URLFetcher

DONUT: Final = 31.0
PROFIT_BAR_MARGIN: Final = 3.0
CARD_BARS: Final = ((44.0, 1.5), (31.4, 1.5))
FINDING_ROOM: Final = 63.0
FINDING_NAME: Final = 12  # letters of a name
UNKNOWN_SIGN: Final = "□"
INVISIBLE: Final = {"Cc", "Cf", "Mn", "Me"}
OUTSIDE_LATIN: Final = re.compile(r"[^\n\x20-\x7e]")


def render_pdf(dashboard: Dashboard) -> bytes:
    """Return the printable dashboard. Raises FontsUnavailable when there is no font to print with."""
    fonts.ensure_fonts()
    html = drawable(render_html(dashboard), fonts.supported_characters())
    with _quiet(), _fixed_time(int(dashboard.generated_at.timestamp())):
        from weasyprint import HTML  # noqa: PLC0415  # needs native libraries and half a second; only for print

        document = HTML(string=html, url_fetcher=_fetcher())
        pdf: bytes = document.write_pdf(pdf_identifier=f"aegis-{dashboard.snapshot_id}".encode())
    return pdf


def render_html(dashboard: Dashboard) -> str:
    """Return the pages as one HTML document."""
    return render_to_string("reports/print/dashboard.html", _context(dashboard))


def drawable(text: str, supported: frozenset[int]) -> str:
    """Replace what our font cannot draw by □, so that nothing falls back to a font of the system.

    Signs without a shape of their own (joiners, direction marks) are dropped.
    """

    def replaced(match: re.Match[str]) -> str:
        sign = match[0]
        if ord(sign) in supported:
            return sign
        return "" if unicodedata.category(sign) in INVISIBLE else UNKNOWN_SIGN

    return OUTSIDE_LATIN.sub(replaced, unicodedata.normalize("NFC", text))


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
        "faces": [{"weight": weight, "url": fonts.font_path(weight).as_uri()} for weight in fonts.WEIGHTS],
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


@cache
def _fetcher() -> "URLFetcher":
    """Return a fetcher that opens our own fonts and nothing else: a name in the books can never load a file."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415

    class FontsOnly(URLFetcher):  # type: ignore[misc]  # no types in WeasyPrint
        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:  # noqa: ARG002  # its signature
            allowed = {fonts.font_path(weight).as_uri(): fonts.font_path(weight) for weight in fonts.WEIGHTS}
            if url not in allowed:
                raise ValueError(f"not one of our fonts: {url}")
            return URLFetcherResponse(url, Path(allowed[url]).read_bytes(), {"Content-Type": "font/ttf"})

    return FontsOnly()


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop one message of WeasyPrint that the owner can do nothing about; every other one is shown."""

    def is_news(record: logging.LogRecord) -> bool:
        return "Using fontTools instead of HarfBuzz-Subset" not in record.getMessage()

    logger = logging.getLogger("weasyprint")
    rule: Callable[[logging.LogRecord], bool] = is_news
    logger.addFilter(rule)
    try:
        yield
    finally:
        logger.removeFilter(rule)


@contextmanager
def _fixed_time(epoch: int) -> Iterator[None]:
    """Let the font subsets carry the time of the report: otherwise no two PDFs would be equal."""
    name = "SOURCE_DATE_EPOCH"
    before = os.environ.get(name)
    os.environ[name] = str(epoch)
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
