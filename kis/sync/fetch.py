"""Ask the broker for one consistent picture of an account; no database here."""

from dataclasses import dataclass
from datetime import date, datetime, time
from time import monotonic

from kis.calendar import hour_on
from kis.client.codes import TR
from kis.client.endpoints.account import (
    ORDERS_PAGE,
    UNFILLED_PAGE,
    balance,
    daily_orders,
    orderable_cash,
    unfilled_orders,
)
from kis.client.errors import KisRefused, KisReplyChanged, RateLimited, TokenExpired
from kis.client.records.balance import Balance
from kis.client.records.orders import OrderRecord, UnfilledRecord
from kis.client.session import Session

ORDER_ATTEMPTS = 3
SECONDS_BETWEEN_ATTEMPTS = 1.5
#: Regular orders placed from the opening on live until the close, on NXT until its own. Where a smart-routed order (SOR)
#: waits is not told: after the close it may live on or not.
OPENING = time(9, 0)
CLOSING = time(15, 30)
NXT_CLOSING = time(20, 0)


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything one snapshot needs, fetched and validated, between a moment before the first call and one after the last.

    `orders` are all orders since the day `orders_from`.
    """

    fetched_at: datetime
    complete_at: datetime
    balance: Balance
    orderable_cash: int | None
    unfilled: tuple[UnfilledRecord, ...]
    orders: tuple[OrderRecord, ...]
    orders_from: date

    @property
    def todays_orders(self) -> list[OrderRecord]:
        return [order for order in self.orders if order.ordered_on == self.fetched_at.date()]


def fetch_balance(session: Session) -> tuple[Balance, int | None]:
    """Return the balance and the orderable cash; the latter is None where the broker refuses to say."""
    whole = balance(session)
    try:
        return whole, orderable_cash(session)
    except (TokenExpired, RateLimited):
        raise
    except (KisRefused, KisReplyChanged):
        return whole, None  # shown as "–"; the snapshot does not hang on it


def fetch_unfilled_orders(session: Session, *, at: datetime) -> tuple[UnfilledRecord, ...]:
    """Return the orders that wait at the exchange. Paper trades the regular session only and lists lapsed rests too."""
    rows = unfilled_orders(session, today=at.date())
    if session.environment.is_paper and at.time() >= hour_on(at.date(), CLOSING):
        return ()
    return rows


def fetch_executions(session: Session, *, first: date, today: date) -> tuple[OrderRecord, ...]:
    """Return all orders since `first`; those with fills become `kis_execution`."""
    return daily_orders(session, first=first, last=today)


@dataclass(frozen=True, slots=True)
class OrderLists:
    """Open orders and all orders, and the seconds that fetching each of them took."""

    unfilled: tuple[UnfilledRecord, ...]
    orders: tuple[OrderRecord, ...]
    unfilled_seconds: float
    orders_seconds: float

    @property
    def unknown(self) -> list[UnfilledRecord]:
        """Open orders that the list of all orders does not have."""
        known = {(order.branch, order.number) for order in self.orders}
        return [row for row in self.unfilled if (row.branch, row.number) not in known]

    @property
    def unlike(self) -> list[UnfilledRecord]:
        """Open orders of which the list of all orders says something else: a fill more or less, or fewer shares left.

        Less than the rest may be open to changes (psbl_qty), while one is under way.
        """
        # Numbers begin anew every day: of the same ones the last day's.
        known = {
            (order.branch, order.number): order
            for order in sorted(self.orders, key=lambda order: order.ordered_on)
        }
        pairs = [(row, known.get((row.branch, row.number))) for row in self.unfilled]
        return [row for row, order in pairs if order is not None and not is_same(row, order)]

    def missing(self, *, at: datetime) -> list[OrderRecord]:
        """Orders with a rest that the list of open orders does not have.

        Asked only of orders that cannot have lapsed: after the close the list of all orders keeps their rest.
        """
        waiting = {(row.branch, row.number) for row in self.unfilled}
        return [
            order
            for order in self.orders
            if order.remaining and (order.branch, order.number) not in waiting and still_alive(order, at=at)
        ]


def is_same(row: UnfilledRecord, order: OrderRecord) -> bool:
    """Whether both lists say the same of an order."""
    same = (row.code, row.side, row.filled) == (order.code, order.side, order.filled)
    return same and row.changeable <= order.remaining


def still_alive(order: OrderRecord, *, at: datetime) -> bool:
    """Whether the unfilled rest of an order must still wait at the exchange."""
    day = at.date()
    closing = NXT_CLOSING if order.exchange == "NXT" else hour_on(day, CLOSING)
    return (
        order.ordered_on == day
        and order.ordered_at >= hour_on(day, OPENING)
        and not order.rejected
        and at.time() < closing
    )


def fetch_orders(session: Session, *, first: date, at: datetime) -> OrderLists:
    """Return open orders and orders since `first`.

    A fill between the two inquiries makes them disagree for a moment; they are then asked again. Raises KisReplyChanged
    when they keep disagreeing and one of them is long enough to have lost a page; a disagreement of short lists is not
    the wire's doing and is left to the reconciliation to show.
    """
    for attempt in range(ORDER_ATTEMPTS):
        if attempt:
            session.sleep(SECONDS_BETWEEN_ATTEMPTS)
        begun = monotonic()
        unfilled = fetch_unfilled_orders(session, at=at)
        between = monotonic()
        orders = fetch_executions(session, first=first, today=at.date())
        lists = OrderLists(unfilled, orders, between - begun, monotonic() - between)
        unknown, missing = lists.unknown, lists.missing(at=at)
        if not (unknown or missing or lists.unlike):
            return lists
    mode = session.environment.mode
    unfilled_page = (ORDERS_PAGE if session.environment.is_paper else UNFILLED_PAGE)[mode]
    if (unknown and len(orders) >= ORDERS_PAGE[mode]) or (missing and len(unfilled) >= unfilled_page):
        numbers = ", ".join([*(row.number for row in unknown), *(order.number for order in missing)][:3])
        raise KisReplyChanged(
            "odno",
            tr_id=session.environment.tr_id(TR.DAILY_ORDERS),
            problem=f"미체결 조회와 주문 조회가 서로 다릅니다. 빠진 쪽이 있을 수 있습니다. 주문번호 {numbers}",
        )
    return lists
