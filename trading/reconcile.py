"""What became of orders that were sent: settled by complete inquiries, never by a guess."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from django.db import IntegrityError, transaction

from kis.calendar import hour_on
from kis.client.endpoints.account import whole_orders
from kis.client.records.orders import OrderRecord, Request, Side
from kis.models.books import Side as ModelSide
from kis.orders import OrderState, Standing, same_number, states, wire_number
from trading import audit, journal, tripwires
from trading.desk import Desk
from trading.errors import CannotAdopt
from trading.models import PendingOrder
from trading.sending import SURELY_OVER, write_outcome
from trading.states import State
from trading.steps import step

#: From then on nothing that was sent in the regular session can still come up, however late the broker's lists are.
DAY_CLOSED = time(16, 0)
LOOKS_NEEDED = 2
BETWEEN_LOOKS = timedelta(minutes=5)
#: What became of an order at the broker, in our states; orders that are as they were are left out.
BECAME = {
    OrderState.PARTIAL: State.PARTIAL,
    OrderState.FILLED: State.FILLED,
    OrderState.CANCELLED: State.CANCELLED,
    OrderState.AMENDED: State.CANCELLED,
    OrderState.REJECTED: State.CANCELLED,
    OrderState.LAPSED: State.EXPIRED,
}
REASONS = {
    OrderState.AMENDED: "다른 곳에서 정정되어 남은 수량은 새 주문번호로 옮겨 갔습니다.",
    OrderState.REJECTED: "거래소가 거절했습니다.",
    OrderState.LAPSED: "장이 끝나 남은 수량이 소멸했습니다.",
}
SETTLED_MEANWHILE = "그 사이에 이 주문이나 주문번호가 다른 곳에서 정리되었습니다. 다시 확인해 주세요."
MODEL_SIDES = {Side.BUY: ModelSide.BUY, Side.SELL: ModelSide.SELL}


@dataclass(frozen=True, slots=True)
class Found:
    """An order of ours after a look, and the broker's orders that it may be while it is UNKNOWN."""

    order: PendingOrder
    candidates: tuple[OrderRecord, ...] = ()


def reconcile(desk: Desk) -> list[Found]:
    """Look at every order of the account that is not over. Raises KisError, and then nothing has changed but leftovers.

    Leftovers of a crash are settled first, without the broker: from the journal where it knows, UNKNOWN otherwise.
    """
    mine = PendingOrder.objects.of(desk.environment.account, is_paper=desk.environment.is_paper)
    pick_up_leftovers(list(mine.filter(status=State.SENDING)), at=desk.wall())
    prove(list(mine.filter(status=State.UNKNOWN)), at=desk.wall())
    open_orders = list(mine.filter(status__in=[State.UNKNOWN, State.ACCEPTED, State.PARTIAL]).order_by("pk"))
    if not open_orders:
        return []
    now = desk.market_now()
    days = [order.ord_dt or order.market_day or now.date() for order in open_orders]
    orders = whole_orders(desk.connection.session, first=min(days), last=now.date())
    return [look(order, orders, desk=desk, now=now) for order in open_orders]


def pick_up_leftovers(orders: Sequence[PendingOrder], *, at: datetime) -> None:
    """Settle orders whose sender died: what the journal says, or UNKNOWN."""
    for order in orders:
        told = journal.last_of(order)
        if told is not None:
            write_outcome(order, told)
            tripwires.check(order, at=at)
        elif order.claimed_at is None or at >= order.claimed_at + SURELY_OVER:
            reason = "보내는 도중에 프로그램이 멈췄습니다. 증권사에 접수되었을 수 있습니다."
            step(order, State.UNKNOWN, at=at, what="left_behind", values={"reason": reason, "ended_at": at})
            tripwires.check(order, at=at)


def prove(orders: Sequence[PendingOrder], *, at: datetime) -> None:
    """Settle UNKNOWN orders whose receipt is in our journal: another machine gave them up before ours came back."""
    for order in orders:
        told = journal.last_of(order)
        if told is not None and told.state is State.ACCEPTED:
            write_outcome(order, replace(told, at=at))


def look(order: PendingOrder, orders: Sequence[OrderRecord], *, desk: Desk, now: datetime) -> Found:
    """Judge one order by a complete list of the broker's orders since its day."""
    if order.state is not State.UNKNOWN:
        follow(order, orders, at=desk.wall(), now=now)
        return Found(order)
    candidates = candidates_of(order, orders)
    if not candidates and is_closed(order, now=now):
        note_absence(order, at=desk.wall())
    return Found(order, tuple(candidates))


def follow(order: PendingOrder, orders: Sequence[OrderRecord], *, at: datetime, now: datetime) -> None:
    """Take over what became of an order whose number is known; one that is not in the list stays as it is."""
    same_day = [row for row in orders if row.ordered_on == order.ord_dt]
    row = next((row for row in same_day if is_number_of(order, row)), None)
    if row is None:
        return
    became = states([Standing.of(each) for each in same_day], now=now)[row.ordered_on, row.branch, row.number]
    new = BECAME.get(became)
    if new is None or new is order.state:
        return
    detail = {"filled": row.filled, "left": row.remaining}
    step(
        order,
        new,
        at=at,
        what="followed",
        detail=detail,
        values={"reason": REASONS.get(became, order.reason), "ended_at": at},
    )


def is_number_of(order: PendingOrder, row: OrderRecord) -> bool:
    return same_number(row.number, order.odno) and (not order.branch or row.branch == order.branch)


# --- orders whose answer was lost ----------------------------------------------------------------------------------


def candidates_of(order: PendingOrder, orders: Sequence[OrderRecord]) -> list[OrderRecord]:
    """Return the orders that this one may be, the likeliest first.

    Those that were there before it was sent, that are known to be others of ours, and that the owner has called somebody
    else's are none. Whatever else came up in the stock since is, even with other figures: it may have been amended.
    """
    excluded = {tuple(key) for key in [*order.known_before, *order.not_ours]} | numbers_of_others(order)
    new = [
        row
        for row in orders
        if row.ordered_on == order.market_day
        and (row.branch, wire_number(row.number)) not in excluded
        and may_be(order, row)
    ]
    return sorted(new, key=lambda row: (not is_alike(order, row), row.ordered_at, row.number))


def numbers_of_others(order: PendingOrder) -> set[tuple[str, ...]]:
    others = PendingOrder.objects.of(order.account, is_paper=order.is_paper).exclude(odno="")
    return set(others.filter(ord_dt=order.market_day).values_list("branch", "odno"))


def may_be(order: PendingOrder, row: OrderRecord) -> bool:
    if order.is_cancel:
        return row.request is Request.CANCEL and same_number(row.origin, order.origin_number)
    return (
        row.request is Request.ORDER
        and row.code.lstrip("Q") == order.stock_code.lstrip("Q")
        and MODEL_SIDES[row.side] == order.side
    )


def is_alike(order: PendingOrder, row: OrderRecord) -> bool:
    """Return whether quantity and price are those of the order."""
    return order.is_cancel or (row.quantity, row.price) == (order.quantity, order.price)


def is_closed(order: PendingOrder, *, now: datetime) -> bool:
    """Return whether the order's day is over at the exchange."""
    day = order.market_day
    return day is not None and (
        now.date() > day or (now.date() == day and now.time() >= hour_on(day, DAY_CLOSED))
    )


def note_absence(order: PendingOrder, *, at: datetime) -> None:
    """Count a complete look without the order after its day has closed; after two of them it was never placed."""
    looks = [datetime.fromisoformat(look) for look in order.closed_looks]
    if looks and at - looks[-1] < BETWEEN_LOOKS:
        return
    seen = [*order.closed_looks, at.isoformat()]
    if len(seen) >= LOOKS_NEEDED:
        reason = "장이 끝난 뒤 두 번의 조회에 없어 접수되지 않은 것으로 확인했습니다."
        step(
            order, State.NOT_PLACED, at=at, what="not_placed", values={"reason": reason, "closed_looks": seen}
        )
    elif PendingOrder.objects.filter(pk=order.pk, status=State.UNKNOWN).update(closed_looks=seen):
        order.closed_looks = seen


# --- the owner's word ----------------------------------------------------------------------------------------------


def adopt(order: PendingOrder, number: str, *, desk: Desk, by: str) -> None:
    """Take an order of the broker's for this one, on the owner's word. Raises CannotAdopt, KisError."""
    row = candidate(order, number, desk=desk)
    values = {
        "branch": row.branch,
        "odno": wire_number(row.number),
        "ord_dt": row.ordered_on,
        "reason": "소유자가 이 주문의 것으로 확인했습니다.",
    }
    detail = {"by": by, "branch": row.branch, "number": wire_number(row.number)}
    try:
        adopted = step(order, State.ACCEPTED, at=desk.wall(), what="adopted", detail=detail, values=values)
    except IntegrityError:
        adopted = False
    if not adopted:
        raise CannotAdopt(SETTLED_MEANWHILE)


def disown(order: PendingOrder, number: str, *, desk: Desk, by: str) -> None:
    """Note that an order of the broker's is not this one, on the owner's word. Raises CannotAdopt, KisError."""
    row = candidate(order, number, desk=desk)
    key = [row.branch, wire_number(row.number)]
    with transaction.atomic():
        # No key: an event that names the order, about to be committed, must not wait for this.
        held = PendingOrder.objects.select_for_update(no_key=True).get(pk=order.pk)
        if held.state is not State.UNKNOWN:
            raise CannotAdopt(SETTLED_MEANWHILE)
        held.not_ours = [*held.not_ours, key]
        held.save(update_fields=["not_ours"])
        detail = {"by": by, "branch": row.branch, "number": key[1]}
        audit.record("disowned", at=desk.wall(), order=held, detail=detail)
    order.not_ours = held.not_ours


def candidate(order: PendingOrder, number: str, *, desk: Desk) -> OrderRecord:
    """Return the candidate of this number from a complete inquiry. Raises CannotAdopt, KisError."""
    found = [row for row in look_for(order, desk=desk) if same_number(row.number, number)]
    if len(found) != 1:
        raise CannotAdopt(
            f"주문번호 {number}은(는) 이 주문의 후보가 아닙니다. manage.py reconcile_orders로 확인해 주세요."
        )
    return found[0]


def look_for(order: PendingOrder, *, desk: Desk) -> list[OrderRecord]:
    """Return what an UNKNOWN order may be, from a complete inquiry; nothing is written. Raises CannotAdopt, KisError."""
    if order.state is not State.UNKNOWN or order.market_day is None:
        raise CannotAdopt("결과를 모르는 주문이 아닙니다. 주문내역을 확인해 주세요.")
    orders = whole_orders(desk.connection.session, first=order.market_day, last=desk.market_now().date())
    return candidates_of(order, orders)
