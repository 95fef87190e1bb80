"""Ask the broker for one consistent picture of an account; no database here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from time import monotonic

from kis.client.codes import TR
from kis.client.endpoints.account import balance, daily_orders, orderable_cash, unfilled_orders
from kis.client.errors import KisRefused, KisReplyChanged
from kis.client.records import Balance, OrderRecord, UnfilledRecord
from kis.client.session import Session

OPEN_ORDER_ATTEMPTS = 3
#: Between these times no order lapses, so the two lists of open orders must agree.
CONTINUOUS_TRADING = (time(9, 0), time(15, 20))


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything one snapshot needs, fetched and validated. `fetched_at` is the moment before the first call."""

    fetched_at: datetime
    balance: Balance
    orderable_cash: int | None
    unfilled: tuple[UnfilledRecord, ...]
    orders: tuple[OrderRecord, ...]


def fetch_balance(session: Session) -> tuple[Balance, int | None]:
    """Return the balance and the orderable cash; the latter is None where the broker refuses to say."""
    whole = balance(session)
    try:
        return whole, orderable_cash(session)
    except (KisRefused, KisReplyChanged):
        return whole, None  # shown as "–"; the snapshot does not hang on it


def fetch_unfilled_orders(session: Session, *, today: date) -> tuple[UnfilledRecord, ...]:
    return unfilled_orders(session, today=today)


def fetch_executions(session: Session, *, first: date, today: date) -> tuple[OrderRecord, ...]:
    """Return all orders since `first`; those with fills become `kis_execution`."""
    return daily_orders(session, first=first, last=today)


def disagreeing_orders(
    unfilled: Sequence[UnfilledRecord], orders: Sequence[OrderRecord], *, at: datetime
) -> set[str]:
    """Return numbers of orders that one inquiry calls open and the other does not know.

    An open order must stand in the day's list. The reverse holds only while nothing lapses: after the close the day's
    list keeps the rest of a lapsed order.
    """
    todays = {(order.branch, order.number): order for order in orders if order.ordered_on == at.date()}
    open_now = {(row.branch, row.number) for row in unfilled}
    strangers = open_now - todays.keys()
    if CONTINUOUS_TRADING[0] <= at.time() < CONTINUOUS_TRADING[1]:
        strangers |= {key for key, order in todays.items() if order.remaining} - open_now
    return {number for _, number in strangers}


@dataclass(frozen=True, slots=True)
class OrderLists:
    """Open orders and all orders, and the seconds that fetching each of them took."""

    unfilled: tuple[UnfilledRecord, ...]
    orders: tuple[OrderRecord, ...]
    unfilled_seconds: float
    orders_seconds: float


def fetch_orders(session: Session, *, first: date, at: datetime) -> OrderLists:
    """Return open orders and orders since `first` that agree with each other.

    A fill between the two inquiries makes them disagree for a moment; they are then asked again. Raises KisReplyChanged
    when they keep disagreeing: one of them has lost a page.
    """
    for _ in range(OPEN_ORDER_ATTEMPTS):
        begun = monotonic()
        unfilled = fetch_unfilled_orders(session, today=at.date())
        between = monotonic()
        orders = fetch_executions(session, first=first, today=at.date())
        unlike = disagreeing_orders(unfilled, orders, at=at)
        if not unlike:
            return OrderLists(unfilled, orders, between - begun, monotonic() - between)
    numbers = ", ".join(sorted(unlike)[:3])
    raise KisReplyChanged(
        "odno",
        tr_id=session.environment.tr_id(TR.DAILY_ORDERS),
        problem=f"미체결 조회와 주문 조회가 서로 다릅니다. 주문번호 {numbers}",
    )
