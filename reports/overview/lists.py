"""D and E: what was filled today, and what still waits."""

from collections.abc import Sequence
from typing import TypeVar

from reports import columns
from reports.figures import Fills, OpenOrders
from reports.layout import LIST_ROWS
from reports.overview.scene import Context, Scene

Row = TypeVar("Row")


def fills_block(scene: Scene, fills: Fills) -> Context:
    d, amounts = scene.d, scene.amounts
    widths = columns.fill_columns(fills, fee=d.account.fee_today)
    rows, more = first_of(fills.rows)
    sides = f"매수 {amounts.plain(fills.bought)} · 매도 {amounts.plain(fills.sold)}"
    return {
        "fills": fills,
        "when": scene.when,
        "finding": f"{len(fills.rows)}건" if amounts.is_bare else f"{len(fills.rows)}건 · {sides}",
        "rows": rows,
        "more": more,
        "more_page": scene.page.fills_page,
        "widths": list(widths.values()),
        "name_room": widths["name"] - 1.2,
        "amount": amounts.plain(fills.amount),
        "odd": fills.disagreements[0] if fills.disagreements else None,
        "more_odd": max(len(fills.disagreements) - 1, 0),
    }


def orders_block(scene: Scene, orders: OpenOrders) -> Context:
    rows, more = first_of(orders.rows)
    return {
        "orders": orders,
        "rows": rows,
        "more": more,
        "more_page": scene.page.orders_page,
        "buying": scene.amounts.plain(orders.buying),
        "selling": scene.amounts.plain(orders.selling),
    }


def first_of(rows: Sequence[Row]) -> tuple[Sequence[Row], int]:
    """Return the rows that have room, and how many others there are; these need a line of their own."""
    if len(rows) <= LIST_ROWS:
        return rows, 0
    return rows[: LIST_ROWS - 1], len(rows) - LIST_ROWS + 1
