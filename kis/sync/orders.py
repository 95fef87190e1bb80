"""Keep `kis_order_detail` in line with the broker's list of orders."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kis.client.codes import AccountNumber
from kis.client.protocol import Row
from kis.client.records.orders import OrderRecord, Request, Side, UnfilledRecord
from kis.client.records.realtime import NoticeKind
from kis.models import KisOrderDetail
from kis.models.books import Side as ModelSide
from kis.order_sources import NOTHING_TAKEN, Listed, Taken, Told, quantities
from kis.orders import origins, states, wire_number

BATCH = 500
KEY = ("account_no", "is_paper", "product_code", "ord_dt", "ord_gno_brno", "odno")
#: Columns that may change after the row was made.
CHANGING = (
    "ord_tmd",
    "ord_gno_brno",
    "orgn_odno",
    "stock_name",
    "ord_dvsn_cd",
    "exchange",
    "ord_qty",
    "ord_unpr",
    "tot_ccld_qty",
    "avg_prvs",
    "rmn_qty",
    "rjct_qty",
    "cncl_yn",
    "cncl_cfrm_qty",
    "status",
    "origin",
    "raw_json",
)
MODEL_SIDES = {Side.BUY: ModelSide.BUY, Side.SELL: ModelSide.SELL}


@dataclass(frozen=True, slots=True)
class OrderChanges:
    """What became of the orders: new and changed rows, and those whose fills are not what they were made of."""

    new: int
    changed: int
    odd: tuple[str, ...]


# --- what a row was made of ----------------------------------------------------------------------------------------


def listed(row: KisOrderDetail) -> Listed | None:
    """Return the row of the broker's list that an order was last made of; None where only notices told of it."""
    raw = row.raw_json.get("row")
    if raw is None:
        return None
    return Listed(OrderRecord.from_row(Row(raw, tr_id="")), datetime.fromisoformat(row.raw_json["listed_at"]))


def told(row: KisOrderDetail) -> list[Told]:
    return [Told.from_json(value) for value in row.raw_json.get("told", [])]


def taken_by(changes: Iterable[KisOrderDetail]) -> Taken:
    """Return what amendments and cancellations took out of their origin, by the notices that say they took effect."""
    quantity = cancelled = 0
    for change in changes:
        confirmed = [notice.quantity for notice in told(change) if notice.kind is NoticeKind.CONFIRMED]
        quantity += max(confirmed, default=0)
        if change.raw_json.get("request") == Request.CANCEL.value:
            cancelled += max(confirmed, default=0)
    return Taken(quantity, cancelled)


def refresh(
    rows: Sequence[KisOrderDetail], *, now: datetime, waiting: Collection[tuple[str, str]] | None = None
) -> None:
    """Work out quantities and state of all rows of some days anew; what is filled only grows. Saves nothing."""
    changes: dict[int, list[KisOrderDetail]] = {}
    for change, place in zip(rows, origins([row.standing for row in rows]), strict=True):
        if place is not None:
            changes.setdefault(place, []).append(change)
    for place, row in enumerate(rows):
        set_quantities(row, taken_by(changes.get(place, [])))
    found = states([row.standing for row in rows], now=now, waiting=waiting)
    for row in rows:
        row.status = KisOrderDetail.Status(found[row.key].value)


def set_quantities(row: KisOrderDetail, taken: Taken = NOTHING_TAKEN) -> None:
    notices = told(row)
    if row.raw_json.get("request") == Request.CANCEL.value:
        # A cancellation that took effect leaves nothing of itself.
        own = taken_by([row])
        taken = Taken(max(taken.quantity, own.quantity), max(taken.cancelled, own.cancelled))
    found = quantities(row.ord_qty, listed=listed(row), told=notices, taken=taken)
    if found.filled >= row.tot_ccld_qty:
        row.tot_ccld_qty, row.avg_prvs = found.filled, found.average
    row.rmn_qty = max(found.remaining - (row.tot_ccld_qty - found.filled), 0)
    row.rjct_qty, row.cncl_cfrm_qty = found.rejected, found.cancelled


def content(row: KisOrderDetail) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in CHANGING)


# --- the broker's list ----------------------------------------------------------------------------------------------


def waiting_keys(unfilled: Iterable[UnfilledRecord], *, is_paper: bool) -> frozenset[tuple[str, str]] | None:
    """Return the orders that the broker calls open; None on paper, which is not asked but concluded from the list."""
    if is_paper:
        return None
    return frozenset((row.branch, wire_number(row.number)) for row in unfilled)


def save_order_details(
    orders: Sequence[OrderRecord],
    *,
    account: AccountNumber,
    is_paper: bool,
    at: datetime,
    waiting: Collection[tuple[str, str]] | None,
) -> OrderChanges:
    """Bring the table in line with the broker's list, which was complete `at`; inside the caller's transaction.

    A second time changes nothing. `waiting` as in `kis.orders.states`. Rows of these days that the list lacks stay.
    """
    if not orders:
        return OrderChanges(0, 0, ())
    first, last = min(order.ordered_on for order in orders), max(order.ordered_on for order in orders)
    known = list(
        KisOrderDetail.objects.select_for_update()
        .of(account, is_paper=is_paper)
        .filter(ord_dt__gte=first, ord_dt__lte=last)
        .order_by(
            "pk"
        )  # as whoever writes notices: two that lock rows in different order wait for each other
    )
    before = {row.pk: content(row) for row in known}
    stored = {row.pk: row.tot_ccld_qty for row in known}
    odd = {row.pk for row in known if changed_by_hand(row)}
    new = []
    rows_of = Known(known)
    for order in orders:
        row = rows_of.find(order)
        if row is None:
            row = KisOrderDetail(
                account_no=account.number,
                product_code=account.product_code,
                is_paper=is_paper,
                ord_dt=order.ordered_on,
            )
            new.append(row)
        put_listed(row, order, at=at)
    refresh([*known, *new], now=at, waiting=waiting)
    odd |= {
        row.pk
        for row in known
        if stored[row.pk] > quantities(row.ord_qty, listed=listed(row), told=told(row)).filled
    }
    # Another process may have made the same row a moment ago; it stays as it is until the next list.
    KisOrderDetail.objects.bulk_create(
        new, batch_size=BATCH, update_conflicts=True, unique_fields=list(KEY), update_fields=["odno"]
    )
    changed = [row for row in known if content(row) != before[row.pk]]
    KisOrderDetail.objects.bulk_update(changed, CHANGING, batch_size=BATCH)
    return OrderChanges(
        len(new),
        len(changed),
        tuple(f"{row.stock_name} {row.odno}" for row in known if row.pk in odd),
    )


def changed_by_hand(row: KisOrderDetail) -> bool:
    """Return whether what is stored as ordered or filled is not what the row was made of."""
    last = listed(row)
    if last is not None and last.order.quantity != row.ord_qty:
        return True
    return quantities(row.ord_qty, listed=last, told=told(row)).filled != row.tot_ccld_qty


class Known:
    """The rows of some days, to be found by the broker's own."""

    def __init__(self, rows: Sequence[KisOrderDetail]) -> None:
        self.by_key = {row.key: row for row in rows}
        #: Made by a receipt or a notice, whose branch may not be the one that counted the number.
        self.unlisted = {
            (row.ord_dt, row.odno, row.stock_code, row.side): row for row in rows if "row" not in row.raw_json
        }

    def find(self, order: OrderRecord) -> KisOrderDetail | None:
        number = wire_number(order.number)
        unlisted = (order.ordered_on, number, order.code, MODEL_SIDES[order.side])
        row = self.by_key.get((order.ordered_on, order.branch, number))
        if row is None:
            return self.unlisted.pop(unlisted, None)
        if self.unlisted.get(unlisted) is row:
            del self.unlisted[unlisted]
        return row


def put_listed(row: KisOrderDetail, order: OrderRecord, *, at: datetime) -> None:
    """Write what the broker lists into a row; quantities and state are worked out later."""
    number, origin = wire_number(order.number), wire_number(order.origin)
    row.odno, row.orgn_odno = number, "" if origin == number else origin
    row.ord_gno_brno, row.ord_tmd = order.branch, order.ordered_at
    row.stock_code, row.stock_name, row.side = order.code, order.name, MODEL_SIDES[order.side]
    row.ord_dvsn_cd, row.exchange = order.kind, order.exchange
    row.ord_qty, row.ord_unpr = order.quantity, order.price
    row.cncl_yn = "Y" if order.marked_cancelled else ""
    raw = dict(order.raw)
    if row.raw_json.get("row") != raw:
        row.raw_json = {
            **row.raw_json,
            "request": order.request.value,
            "row": raw,
            "listed_at": at.isoformat(),
        }
