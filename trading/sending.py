"""The one call of an order: claimed in the database, posted once, its answer kept on disk and then in the database."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, IntegrityError, InterfaceError, connection, transaction
from django.db.models import Q

from kis.client.auth import Token
from kis.client.endpoints.orders import (
    LIMIT,
    MARKET,
    Cancellation,
    NewOrder,
    OneCall,
    Order,
    OrderReceipt,
    send_order,
)
from kis.client.errors import KisRefused, NotOffered, OrderNotSent, OrderUnknown
from kis.client.records.orders import Side
from kis.client.throttle import Budget
from kis.models.books import Side as ModelSide
from kis.orders import wire_number
from kis.sync.order_news import record_order
from trading import hint, journal, kill_switch, tripwires
from trading.desk import Desk
from trading.errors import AlreadyTaken, OtherAccount, Unsettled
from trading.journal import Outcome
from trading.models import PendingOrder
from trading.states import State
from trading.steps import step
from trading.worker_guard import refuse_workers

logger = logging.getLogger(__name__)

CLIENT_SIDES: dict[str, Side] = {ModelSide.BUY.value: Side.BUY, ModelSide.SELL.value: Side.SELL}
#: How a database says that it cannot be used; a connection that was closed is an error of its own kind.
GONE = (DatabaseError, InterfaceError)
#: SQLite is set up to do so always (see the settings), and cannot be told inside a transaction.
DURABLY = {"postgresql": "SET LOCAL synchronous_commit = on", "sqlite": "PRAGMA synchronous"}
#: From the claim to the moment the connection is opened; whoever takes longer does not send any more.
SEND_WITHIN_SECONDS = 15.0
#: When nobody who has claimed an order can still be sending it (see `trading.reconcile`).
SURELY_OVER = timedelta(seconds=60)


def claim(order: PendingOrder, *, desk: Desk, known_before: Sequence[Sequence[str]]) -> None:
    """Make this process the one that sends the order, durably. Raises OtherAccount, AlreadyTaken or Unsettled."""
    refuse_other_account(order, desk=desk)
    at, market_at = desk.wall(), desk.market_now()
    try:
        with transaction.atomic(durable=True):
            wait_for_the_disk()
            taken = step(
                order,
                State.SENDING,
                at=at,
                what="claimed",
                only_if=Q(expires_at__gt=at, claimed_at__isnull=True),
                detail={"content": order.content, "market_at": market_at.isoformat()},
                values={
                    "claimed_at": at,
                    "market_at": market_at,
                    "known_before": [list(key) for key in known_before],
                },
            )
    except IntegrityError:
        raise Unsettled from None
    if not taken:
        raise AlreadyTaken
    hint.clear(order)


def refuse_other_account(order: PendingOrder, *, desk: Desk) -> None:
    """Raise OtherAccount where the order is not of the account, or not of the host, that this desk is connected to."""
    environment = desk.environment
    if (order.account, order.is_paper) != (environment.account, environment.is_paper):
        raise OtherAccount


def wait_for_the_disk() -> None:
    """Let the commit of this transaction return only when it is on the disk, whatever the server's setting is."""
    with connection.cursor() as cursor:
        cursor.execute(DURABLY[connection.vendor])


def send(order: PendingOrder, *, desk: Desk, token: Token, budget: Budget) -> Outcome:
    """Send an order that this process has claimed a moment ago, once, and write down what is certain.

    Every way out but a clear answer leaves it UNKNOWN, also that of an exception, which goes on to the caller.
    """
    refuse_workers()
    refuse_other_account(order, desk=desk)
    door = Door(order, desk=desk)
    claimed = desk.monotonic()
    outcome = journal.outcome(order, State.UNKNOWN, at=desk.wall(), reason="보내는 도중에 멈췄습니다.")
    receipt: OrderReceipt | None = None
    try:
        receipt = send_order(
            desk.environment,
            wire_order(order),
            token=token,
            budget=budget,
            connect=lambda: door.open(claimed=claimed),
            monotonic=desk.monotonic,
        )
        outcome = of_receipt(order, receipt, at=desk.wall())
    except (OrderNotSent, NotOffered) as error:
        outcome = journal.outcome(order, State.NOT_SENT, at=desk.wall(), reason=str(error))
    except KisRefused as error:
        outcome = journal.outcome(order, State.REJECTED, at=desk.wall(), reason=str(error))
    except OrderUnknown as error:
        outcome = journal.outcome(order, State.UNKNOWN, at=desk.wall(), reason=str(error))
    except BaseException:
        if not door.was_opened:
            outcome = journal.outcome(order, State.NOT_SENT, at=desk.wall(), reason="보내기 전에 멈췄습니다.")
        raise
    finally:
        keep(order, outcome, desk=desk)
    if receipt is not None:
        tell_the_books(order, receipt, desk=desk)
    return outcome


class Door:
    """Opens the connection of one order, unless at the last moment something speaks against it."""

    def __init__(self, order: PendingOrder, *, desk: Desk) -> None:
        self.order = order
        self.desk = desk
        self.was_opened = False

    def open(self, *, claimed: float) -> OneCall:
        """Return the connection. Raises OrderNotSent: nothing has left then."""
        if not self.order.is_cancel and kill_switch.read().is_on:
            raise OrderNotSent("주문 중지가 켜졌습니다")
        if not PendingOrder.objects.filter(pk=self.order.pk, status=State.SENDING).exists():
            raise OrderNotSent("다른 곳에서 이 주문을 정리했습니다")
        # Last of all: a database that let us wait for these answers has let time pass.
        since = self.desk.wall() - (self.order.claimed_at or self.desk.wall())
        # Two clocks: a machine that slept in between may have stopped one of them, and the other may have been set.
        waited = max(self.desk.monotonic() - claimed, since.total_seconds())
        if waited > SEND_WITHIN_SECONDS:
            raise OrderNotSent("보낼 차례가 오기 전에 제한 시간이 지났습니다")
        self.was_opened = True
        return self.desk.open_call()


def wire_order(order: PendingOrder) -> Order:
    """Return what is posted; nothing of it comes from anywhere but the row."""
    exchange = order.wire_exchange
    if order.is_cancel:
        return Cancellation(branch=order.origin_branch, number=order.origin_number, exchange=exchange)
    side = CLIENT_SIDES[order.side]
    kind = LIMIT if order.price else MARKET
    return NewOrder(side, order.stock_code, order.quantity, order.price, kind=kind, exchange=exchange)


def of_receipt(order: PendingOrder, receipt: OrderReceipt, *, at: datetime) -> Outcome:
    """Return what a receipt proves: nothing, where its number was there before the order was sent."""
    number = wire_number(receipt.number)
    if [receipt.branch, number] in order.known_before:
        reason = f"증권사가 이미 있던 주문번호 {number}로 답했습니다."
        return journal.outcome(order, State.UNKNOWN, at=at, reason=reason)
    return journal.outcome(
        order, State.ACCEPTED, at=at, reason=receipt.message, branch=receipt.branch, number=number
    )


def keep(order: PendingOrder, outcome: Outcome, *, desk: Desk) -> None:
    """Write an outcome to the disk and to the database, each even if the other one cannot be written.

    What is not in the database is found in the journal by the next reconciliation; the order stays SENDING until then.
    """
    try:
        journal.write(outcome)
    except OSError:
        logger.exception("Order %s: the journal could not be written", order.pk)
    try:
        write_outcome(order, outcome)
        tripwires.check(order, at=desk.wall())
    except GONE:
        logger.exception("Order %s: the outcome could not be stored, see the journal", order.pk)


def write_outcome(order: PendingOrder, outcome: Outcome) -> bool:
    """Write an outcome into the row of an order; false where it is not any more where it was read.

    A number that another order of ours has proves nothing: the order is UNKNOWN then.
    """
    values: dict[str, Any] = {"reason": outcome.reason, "ended_at": outcome.at}
    if outcome.state is State.ACCEPTED:
        values |= {"branch": outcome.branch, "odno": outcome.number, "ord_dt": order.market_day}
    detail = {"reason": outcome.reason, "branch": outcome.branch, "number": outcome.number}
    try:
        return step(order, outcome.state, at=outcome.at, what="answered", detail=detail, values=values)
    except IntegrityError:
        reason = f"증권사가 다른 주문의 번호 {outcome.number}로 답했습니다."
        unknown = {"reason": reason, "ended_at": outcome.at}
        if order.state is State.UNKNOWN:
            return False
        return step(order, State.UNKNOWN, at=outcome.at, what="answered", detail=detail, values=unknown)


def tell_the_books(order: PendingOrder, receipt: OrderReceipt, *, desk: Desk) -> None:
    """Put the order into the table of orders at once; the next sync brings it in any case."""
    try:
        record_order(
            desk.environment, wire_order(order), receipt, at=desk.market_now(), name=order.stock_name
        )
    except GONE:
        logger.exception("Order %s: the books do not have it yet, the next sync brings it", order.pk)
