"""What is certain about an order after its command was stopped by something: row and journal, never hope."""

from django.db import DatabaseError, InterfaceError

from kis.client.codes import AccountNumber
from trading import journal
from trading.errors import NOT_SENT
from trading.models import PendingOrder
from trading.states import State

#: The order is surely not at the broker.
NEVER_LEFT = {State.PENDING, State.LOCKED, State.ABANDONED, State.EXPIRED, State.NOT_SENT}
#: The broker or the exchange does not have it, though it was asked.
REFUSED = {State.REJECTED, State.NOT_PLACED}


def fate(order: PendingOrder) -> tuple[State, str]:
    """Return the state of an order and its number at the broker, as far as anybody can tell. UNKNOWN where nobody can."""
    try:
        order = PendingOrder.objects.get(pk=order.pk)
    except (DatabaseError, InterfaceError):
        return of_journal(order)
    if order.state is State.SENDING:
        return of_journal(order)
    if order.state is State.EXPIRED and order.odno:
        return State.ACCEPTED, order.odno
    return order.state, order.odno


def of_journal(order: PendingOrder) -> tuple[State, str]:
    """Return what the journal says of an order, read as it was when it was claimed."""
    told = journal.last_of(order)
    return (told.state, told.number) if told else (State.UNKNOWN, "")


def said(state: State, number: str, *, look: str, settle: str) -> str:
    """Return the sentences that say whether something was sent, and what to do now. `look`, `settle` are commands."""
    if state is State.PENDING:
        return NOT_SENT
    if state in NEVER_LEFT:
        return f"{NOT_SENT} 확인 코드는 더 쓸 수 없습니다. 주문하려면 처음부터 다시 입력해 주세요."
    if state in REFUSED:
        return f"증권사가 거절했거나 접수되지 않은 주문입니다. 확인: {look}"
    if state in {State.SENDING, State.UNKNOWN}:
        return f"주문이 접수되었을 수 있습니다. 같은 주문을 다시 내지 말고 확인해 주세요: {settle}"
    return f"주문은 접수되었습니다(주문번호 {number.lstrip('0')}). 다시 내지 마세요. 확인: {look}"


def last_sent(account: AccountNumber, *, is_paper: bool) -> PendingOrder | None:
    """Return the order of an account that was last confirmed."""
    mine = PendingOrder.objects.of(account, is_paper=is_paper).filter(claimed_at__isnull=False)
    return mine.order_by("-claimed_at").first()
