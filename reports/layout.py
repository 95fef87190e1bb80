"""What stands where: blocks of the first page and the pages after it, in millimetres. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeVar

from reports.figures import Dashboard, Fill, HoldingFigures, OpenOrder

Row = TypeVar("Row")

ROW: Final = 4.3
TITLE: Final = 6.6
HEAD: Final = 4.6
GAP: Final = 8.0
FIRST_TOP: Final = 60.0
EMPTY: Final = 18.0  # pitch of a block that is only a title and one line
DONUT_ROOM: Final = 37.0
LIST_ROWS: Final = 8  # fills and open orders on the first page
CHECK_ROWS: Final = 8
TABLE_ROOM: Final = 230.0
TALLEST_ROW: Final = 7.6
COMPACT_BELOW: Final = 5.6
PAGE_ROWS: Final = 50
COLUMN_ROWS: Final = 52  # fills and open orders per column of an extra page


@dataclass(frozen=True, slots=True)
class Overview:
    """Tops of the blocks of the first page, and where the rest of a long list stands."""

    composition_top: float
    lists_top: float
    checks_top: float
    fills_page: int | None
    orders_page: int | None
    number: int = 1
    kind: str = "overview"


@dataclass(frozen=True, slots=True)
class HoldingsPage:
    """A part of the table of holdings."""

    number: int
    rows: Sequence[HoldingFigures]
    row_height: float
    is_first: bool
    is_last: bool
    kind: str = "holdings"

    @property
    def is_compact(self) -> bool:
        return self.row_height < COMPACT_BELOW

    @property
    def chart_height(self) -> float:
        return min(self.row_height - 0.4, 5.8)

    @property
    def has_room(self) -> bool:
        """Whether a note fits below the last row."""
        return len(self.rows) * self.row_height < TABLE_ROOM - 14


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


Page = Overview | HoldingsPage | FillsPage | OrdersPage


def pages_of(dashboard: Dashboard) -> tuple[Page, ...]:
    """Lay out the dashboard: overview, holdings, then whatever did not fit on the first page."""
    numbers = count(2)
    chunks = _chunks(dashboard.holdings, PAGE_ROWS)
    row_height = min(TALLEST_ROW, TABLE_ROOM / max((len(chunk) for chunk in chunks), default=1))
    holdings = [
        HoldingsPage(
            number=next(numbers),
            rows=chunk,
            row_height=row_height,
            is_first=index == 0,
            is_last=index == len(chunks) - 1,
        )
        for index, chunk in enumerate(chunks)
    ]
    fills: list[FillsPage] = []
    if len(dashboard.fills.rows) > LIST_ROWS:
        parts = _columns(dashboard.fills.rows)
        fills = [FillsPage(next(numbers), part, is_first=part is parts[0]) for part in parts]
    orders: list[OrdersPage] = []
    if len(dashboard.open_orders.rows) > LIST_ROWS:
        waiting = _columns(dashboard.open_orders.rows)
        orders = [OrdersPage(next(numbers), part, is_first=part is waiting[0]) for part in waiting]
    overview = _overview(
        dashboard,
        fills_page=fills[0].number if fills else None,
        orders_page=orders[0].number if orders else None,
    )
    return (overview, *holdings, *fills, *orders)


def _overview(dashboard: Dashboard, *, fills_page: int | None, orders_page: int | None) -> Overview:
    lists_top = FIRST_TOP + EMPTY
    if dashboard.holdings:
        profit_rows = HEAD + (len(dashboard.profits) + 1) * ROW
        share_rows = DONUT_ROOM + HEAD + (len(dashboard.composition) + 1) * ROW
        lists_top = FIRST_TOP + TITLE + max(profit_rows, share_rows) + GAP
    is_quiet = not (dashboard.fills.rows or dashboard.open_orders.rows)
    full = (
        TITLE + HEAD + (LIST_ROWS + 2) * ROW + GAP
    )  # one fill or eight: the blocks below stay where they are
    return Overview(
        composition_top=FIRST_TOP,
        lists_top=lists_top,
        checks_top=lists_top + (EMPTY if is_quiet else full),
        fills_page=fills_page,
        orders_page=orders_page,
    )


def _columns(rows: Sequence[Row]) -> list[list[Sequence[Row]]]:
    columns = _chunks(rows, COLUMN_ROWS)
    return [columns[start : start + 2] for start in range(0, len(columns), 2)]


def _chunks(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
