"""What is known of an order before the broker's list has it: our own receipts, and the stream of notices."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from kis.client.codes import Environment
from kis.client.endpoints.orders import Amendment, Cancellation, NewOrder, Order, OrderReceipt
from kis.client.records.orders import Request
from kis.client.records.realtime import Amendment as NoticeAmendment
from kis.client.records.realtime import FillNotice, NoticeKind
from kis.korean import SEOUL
from kis.models import KisOrderDetail
from kis.order_sources import Told
from kis.orders import wire_number
from kis.sync.orders import CHANGING, KEY, MODEL_SIDES, content, refresh

REQUESTS = {
    NoticeAmendment.NONE: Request.ORDER,
    NoticeAmendment.AMEND: Request.AMEND,
    NoticeAmendment.CANCEL: Request.CANCEL,
}


def record_order(
    environment: Environment, order: Order, receipt: OrderReceipt, *, at: datetime, name: str = ""
) -> KisOrderDetail | None:
    """Store an order of ours that the broker took; `name` is that of the stock. A second time changes nothing.

    The notice of it may have come before: the row is then marked as ours. None where the changed order is in no table of
    ours, so that nobody here knows its stock: the next list brings both.
    """
    local = at.astimezone(SEOUL)
    if isinstance(order, NewOrder):
        made = of_new_order(order, name=name)
    else:
        origin = stored_order(environment, order, on=local.date())
        if origin is None:
            return None
        made = of_change(order, origin)
    made.ord_dt = local.date()
    made.ord_tmd = receipt.ordered_at or local.time().replace(microsecond=0)
    made.ord_gno_brno = receipt.branch or made.ord_gno_brno
    made.odno = wire_number(receipt.number)

    def mark(row: KisOrderDetail) -> None:
        row.origin = KisOrderDetail.Origin.OURS
        row.ord_dvsn_cd, row.exchange = row.ord_dvsn_cd or made.ord_dvsn_cd, row.exchange or made.exchange
        row.raw_json = {**row.raw_json, "receipt": dict(receipt.raw)}

    return update_with(made, environment, mark, now=local)


def apply_notice(environment: Environment, notice: FillNotice, *, at: datetime) -> KisOrderDetail | None:
    """Write what a notice tells into its order; the same notice twice changes nothing. `at` says which day it is.

    A notice that comes before anything else of its order makes the row. None for another account of the HTS ID.
    """
    if notice.account != environment.account:
        return None
    local = at.astimezone(SEOUL)
    news = Told.of(notice).as_json()

    def tell(row: KisOrderDetail) -> None:
        known = row.raw_json.get("told", [])
        if news not in known:
            row.raw_json = {**row.raw_json, "told": [*known, news]}

    return update_with(of_notice(notice, on=local.date()), environment, tell, now=local)


# --- rows to be --------------------------------------------------------------------------------------------------


def of_new_order(order: NewOrder, *, name: str) -> KisOrderDetail:
    return KisOrderDetail(
        stock_code=order.code,
        stock_name=name or order.code,
        side=MODEL_SIDES[order.side],
        ord_dvsn_cd=order.kind,
        exchange=order.exchange,
        ord_qty=order.quantity,
        ord_unpr=order.price,
        raw_json={"request": Request.ORDER.value},
    )


def of_change(order: Amendment | Cancellation, origin: KisOrderDetail) -> KisOrderDetail:
    """Return the row of an amendment or a cancellation, a request with a number of its own."""
    kind, price, request = origin.ord_dvsn_cd, 0, Request.CANCEL
    if isinstance(order, Amendment):
        kind, price, request = order.kind, order.price, Request.AMEND
    return KisOrderDetail(
        ord_gno_brno=order.branch,
        orgn_odno=origin.odno,
        stock_code=origin.stock_code,
        stock_name=origin.stock_name,
        side=origin.side,
        ord_dvsn_cd=kind,
        exchange=order.exchange,
        ord_qty=order.quantity or origin.rmn_qty,
        ord_unpr=price,
        raw_json={"request": request.value},
    )


def of_notice(notice: FillNotice, *, on: date) -> KisOrderDetail:
    """Return the row that a notice alone would make; the kind of the order is left for the list to say."""
    number, origin = wire_number(notice.number), wire_number(notice.origin)
    price = notice.ordered_price
    if price is None:
        price = 0 if notice.kind is NoticeKind.FILLED else notice.price
    return KisOrderDetail(
        ord_dt=on,
        ord_tmd=notice.at,
        ord_gno_brno=notice.branch,
        odno=number,
        orgn_odno="" if origin == number else origin,
        stock_code=notice.code,
        stock_name=notice.name,
        side=MODEL_SIDES[notice.side],
        exchange=notice.exchange,
        ord_qty=notice.ordered_quantity or notice.quantity,
        ord_unpr=price,
        raw_json={"request": REQUESTS[notice.amendment].value},
    )


# --- into the table ----------------------------------------------------------------------------------------------


def stored_order(
    environment: Environment, order: Amendment | Cancellation, *, on: date
) -> KisOrderDetail | None:
    """Return the order that is to be changed, that of its branch if several have its number."""
    rows = KisOrderDetail.objects.of(environment.account, is_paper=environment.is_paper).filter(
        ord_dt=on, odno=wire_number(order.number)
    )
    return min(rows, key=lambda row: (row.ord_gno_brno != order.branch, row.pk), default=None)


def update_with(
    made: KisOrderDetail, environment: Environment, change: Callable[[KisOrderDetail], None], *, now: datetime
) -> KisOrderDetail:
    """Find the order in the table or put it there, change it, and work out what follows for it and its origin."""
    account = environment.account
    made.account_no, made.product_code = account.number, account.product_code
    made.is_paper = environment.is_paper
    made.rmn_qty = made.ord_qty
    with transaction.atomic():
        rows = locked_rows(made)
        row = same_order(made, rows)
        if row is None:
            # Whoever made the same row in this very moment keeps it.
            KisOrderDetail.objects.bulk_create(
                [made], update_conflicts=True, unique_fields=list(KEY), update_fields=["odno"]
            )
            rows = locked_rows(made)
            row = same_order(made, rows)
        assert row is not None  # noqa: S101  # it has just been stored
        before = {other.pk: content(other) for other in rows}
        change(row)
        refresh(rows, now=now)
        for other in rows:
            if content(other) != before[other.pk]:
                other.save(update_fields=CHANGING)
    return row


def locked_rows(made: KisOrderDetail) -> list[KisOrderDetail]:
    """Return the orders of this stock and day, and any other of this number."""
    return list(
        KisOrderDetail.objects.select_for_update()
        .of(made.account, is_paper=made.is_paper)
        .filter(Q(stock_code=made.stock_code) | Q(odno=made.odno), ord_dt=made.ord_dt)
        .order_by("pk")
    )


def same_order(made: KisOrderDetail, rows: Sequence[KisOrderDetail]) -> KisOrderDetail | None:
    """Return the row of this order: by its key, or by number, stock and side under the branch another source gave."""
    named = [row for row in rows if row.odno == made.odno]
    exact = (row for row in named if row.ord_gno_brno == made.ord_gno_brno)
    alike = (row for row in named if (row.stock_code, row.side) == (made.stock_code, made.side))
    return next(exact, None) or next(alike, None)
