"""Password and code in front of an order: counted before they are compared, and never said which of them was wrong."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from trading import audit, codes, hint, password, tripwires
from trading.errors import AlreadyTaken, NotConfirmed, NothingToConfirm, TooEarly
from trading.models import PendingOrder
from trading.models.orders import MOST_TRIES
from trading.states import State
from trading.steps import step

#: Nobody reads a preview faster; a script that does must not order.
SHORTEST_LOOK = timedelta(seconds=2)
CODE_EXPIRED = "확인 코드의 시간이 지났습니다."


def confirm(order: PendingOrder, *, given_password: str, given_code: str, at: datetime) -> None:
    """Return if password and code are right for this very order, as it stands in the database.

    The try is counted first, and both are compared whatever the other one is. Raises NothingToConfirm, TooEarly,
    NotConfirmed, PasswordLocked, PasswordMissing, AlreadyTaken.
    """
    if at < order.made_at + SHORTEST_LOOK:
        raise TooEarly
    password.refuse_if_locked(at=at)
    if not count_try(order, at=at):
        raise NothingToConfirm
    order.refresh_from_db()
    if order.state is not State.PENDING:
        # Somebody else has given the code between the count and here; there is nothing left to compare with.
        raise AlreadyTaken
    right_password = password.matches(given_password, at=at)
    right_code = codes.is_same(given_code, order.code_hash, pk=order.pk, content=order.content)
    if right_password and right_code:
        return
    note_wrong(order, at=at)


def count_try(order: PendingOrder, *, at: datetime) -> bool:
    """Use up one try, in one statement that only an order with tries left passes."""
    open_order = PendingOrder.objects.waiting().filter(
        pk=order.pk, tries__lt=MOST_TRIES, expires_at__gt=at, made_at__lte=at - SHORTEST_LOOK
    )
    with transaction.atomic(durable=True):
        counted = open_order.update(tries=F("tries") + 1)
    return counted == 1


def note_wrong(order: PendingOrder, *, at: datetime) -> None:
    """Record a wrong try and lock the order after the last one. Raises NotConfirmed."""
    with transaction.atomic(durable=True):
        # The order before the history, as everywhere: two that hold one each and want the other would wait for ever.
        PendingOrder.objects.select_for_update().get(pk=order.pk)
        audit.record("wrong_code", at=at, order=order, detail={"tries": order.tries})
        locked = order.tries >= MOST_TRIES and step(order, State.LOCKED, at=at, what="locked")
    if locked:
        hint.clear(order)
    tripwires.check(order, at=at)
    raise NotConfirmed(MOST_TRIES - order.tries)


def take_waiting(orders: "list[PendingOrder]", *, at: datetime) -> PendingOrder:
    """Return the one order that waits for its code. Raises NothingToConfirm; what is too old is marked so."""
    fresh = [order for order in orders if not expire(order, at=at)]
    if len(fresh) != 1:
        raise NothingToConfirm
    return fresh[0]


def expire(order: PendingOrder, *, at: datetime) -> bool:
    """Mark an order whose time is over; returns whether it is."""
    if at < order.expires_at:
        return False
    if step(order, State.EXPIRED, at=at, what="code_expired", values={"reason": CODE_EXPIRED}):
        hint.clear(order)
    return True


def withdraw(order: PendingOrder, *, at: datetime, reason: str) -> None:
    """Give up an order that waits. Raises AlreadyTaken where it does not wait any more."""
    if not step(order, State.ABANDONED, at=at, what="withdrawn", values={"reason": reason}):
        raise AlreadyTaken
    hint.clear(order)
