"""What stands where: blocks of the first page and the pages after it, in millimetres. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeVar

from reports.amounts import IN_WON, Amounts
from reports.books import BooksPage
from reports.chart_pages import ChartPage, chart_pages
from reports.figures import Broken, Dashboard, Fill, OpenOrder
from reports.holdings_pages import HoldingsPage, holdings_pages

Row = TypeVar("Row")

FIRST_TOP: Final = 60.0
TOPS: Final = (FIRST_TOP, 113.5, 178.0, 229.5)  # A; B and C; D and E; F and G
EMPTY: Final = 18.0  # pitch of a block that is only a title and one line
LIST_ROWS: Final = 8  # fills and open orders on the first page
COLUMN_ROWS: Final = 52  # fills and open orders per column of an extra page


@dataclass(frozen=True, slots=True)
class Overview:
    """Tops of the blocks of the first page, and where the rest of a long list stands."""

    trend_top: float
    causes_top: float
    lists_top: float
    advice_top: float
    fills_page: int | None
    orders_page: int | None
    number: int = 1
    kind: str = "overview"


@dataclass(frozen=True, slots=True)
class FillsPage:
    """All fills of a busy day in two columns."""

    number: int
    columns: Sequence[Sequence[Fill]]
    is_first: bool
    kind: str = "fills"


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """All waiting orders of a busy day in two columns."""

    number: int
    columns: Sequence[Sequence[OpenOrder]]
    is_first: bool
    kind: str = "orders"


Page = Overview | HoldingsPage | ChartPage | FillsPage | OrdersPage | BooksPage

#: Pages whose drawing is one sheet.
SHEET_PAGES: Final = (HoldingsPage, BooksPage, ChartPage)


def pages_of(dashboard: Dashboard, amounts: Amounts = IN_WON) -> tuple[Page, ...]:
    """Lay out the dashboard: overview, holdings, then whatever did not fit on the first page.

    Where only weights and returns are shown, neither lists of fills and orders nor charts of prices belong to it.
    """
    numbers = count(2)
    holdings = holdings_pages(dashboard, amounts, numbers)
    fills: list[FillsPage] = []
    filled = () if isinstance(dashboard.fills, Broken) or amounts.is_bare else dashboard.fills.rows
    if len(filled) > LIST_ROWS:
        parts = _columns(filled)
        fills = [FillsPage(next(numbers), part, is_first=part is parts[0]) for part in parts]
    orders: list[OrdersPage] = []
    open_orders = (
        () if isinstance(dashboard.open_orders, Broken) or amounts.is_bare else dashboard.open_orders.rows
    )
    if len(open_orders) > LIST_ROWS:
        waiting = _columns(open_orders)
        orders = [OrdersPage(next(numbers), part, is_first=part is waiting[0]) for part in waiting]
    has_books = dashboard.is_empty or (holdings and holdings[-1].has_books)
    notes = holdings[-1].remarks if holdings and not holdings[-1].notes else ()
    books = [] if has_books else [BooksPage(dashboard, amounts, next(numbers), notes)]
    charts = [] if amounts.is_bare else chart_pages(dashboard, amounts, numbers)
    overview = _overview(
        dashboard,
        fills_page=fills[0].number if fills else None,
        orders_page=orders[0].number if orders else None,
    )
    return (overview, *holdings, *fills, *orders, *books, *charts)


def _overview(dashboard: Dashboard, *, fills_page: int | None, orders_page: int | None) -> Overview:
    """Blocks have places of their own, however much is in them; only an account with nothing yet is shorter."""
    tops = tuple(FIRST_TOP + number * EMPTY for number in range(4)) if dashboard.is_empty else TOPS
    trend, causes, lists, advice = tops
    return Overview(trend, causes, lists, advice, fills_page=fills_page, orders_page=orders_page)


def _columns(rows: Sequence[Row]) -> list[list[Sequence[Row]]]:
    columns = _chunks(rows, COLUMN_ROWS)
    return [columns[start : start + 2] for start in range(0, len(columns), 2)]


def _chunks(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
