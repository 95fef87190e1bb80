"""The orders of today on the terminal: those of the broker, and those of ours that it does not have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from kis.balance_report import cells, print_heads
from kis.client.endpoints.account import daily_orders
from kis.client.records.orders import OrderRecord, Request, Side
from kis.korean import MISSING, SEOUL, clock_time, number
from kis.models import KisOrderDetail
from kis.orders import OrderState, Standing, states, wire_number
from kis.terminal import DIM, DOWN, INDENT, UP, WARN, line
from trading.confirmation import expire
from trading.days import day_around
from trading.desk import Desk
from trading.models import PendingOrder
from trading.reconcile import candidates_of
from trading.states import NAMES, State
from trading.terminal import bare

HEADS = (
    ("종목", 20),
    ("코드", 8),
    ("구분", 10),
    ("시각", 10),
    ("주문번호", 12),
    ("수량", 9),
    ("체결", 9),
    ("가격", 12),
    ("상태", 14),
    ("낸 곳", 8),
)
#: Ours that the broker has no row of.
WITHOUT_ROW = [State.PENDING, State.SENDING, State.UNKNOWN, State.NOT_SENT, State.REJECTED, State.NOT_PLACED]
#: The answer to one of ours was lost, and this may be it.
MAYBE_OURS = "AEGIS?"
OPEN = {OrderState.ACCEPTED, OrderState.PARTIAL}


@dataclass(frozen=True, slots=True)
class Row:
    """One order as it is shown; `at` is the market's time, `needs_care` where the owner has something to do."""

    name: str
    code: str
    side: str
    at: str
    number: str
    quantity: str
    filled: str
    price: str
    state: str
    origin: str
    needs_care: bool = False
    is_open: bool = False
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class OrderList:
    """Today's orders, oldest first; `ours` are those without a number at the broker."""

    rows: tuple[Row, ...]
    ours: tuple[PendingOrder, ...]

    @property
    def is_unsettled(self) -> bool:
        return any(order.state in {State.SENDING, State.UNKNOWN} for order in self.ours)


def look_at_orders(desk: Desk) -> OrderList:
    """Ask for today's orders. Raises KisError."""
    now = desk.market_now()
    orders = daily_orders(desk.connection.session, first=now.date(), last=now.date())
    became = states([Standing.of(order) for order in orders], now=now)
    mine = PendingOrder.objects.of(desk.environment.account, is_paper=desk.environment.is_paper)
    numbers = set(mine.filter(ord_dt=now.date()).exclude(odno="").values_list("branch", "odno"))
    ours = without_row(desk)
    lost = [order for order in ours if order.state is State.UNKNOWN]
    perhaps = {row.key for order in lost for row in candidates_of(order, orders)}
    rows = [
        of_broker(
            order,
            became[order.key],
            is_ours=(order.branch, wire_number(order.number)) in numbers,
            is_perhaps=order.key in perhaps,
        )
        for order in orders
    ]
    rows += [of_ours(order) for order in ours]
    return OrderList(tuple(sorted(rows, key=lambda row: row.at)), tuple(ours))


def without_row(desk: Desk) -> list[PendingOrder]:
    """Return our orders of today that the broker has not, and those of any day whose outcome is not known."""
    mine = PendingOrder.objects.of(desk.environment.account, is_paper=desk.environment.is_paper)
    first, after = day_around(desk.wall())
    today = mine.filter(status__in=WITHOUT_ROW, made_at__gte=first, made_at__lt=after)
    orders = (today | mine.unsettled()).order_by("made_at", "pk")
    return [
        order for order in orders if order.state is not State.PENDING or not expire(order, at=desk.wall())
    ]


def of_broker(order: OrderRecord, state: OrderState, *, is_ours: bool, is_perhaps: bool) -> Row:
    side = "매수" if order.side is Side.BUY else "매도"
    origin = KisOrderDetail.Origin.OURS if is_ours else KisOrderDetail.Origin.EXTERNAL
    suffix = {Request.ORDER: "", Request.AMEND: "정정", Request.CANCEL: "취소"}[order.request]
    return Row(
        name=order.name,
        code=order.code,
        side=side + suffix,
        at=f"{order.ordered_at:%H:%M:%S}",
        number=bare(order.number),
        quantity=number(order.quantity),
        filled=number(order.filled),
        price=MISSING if order.request is Request.CANCEL else price_text(order.price),
        state=KisOrderDetail.Status(state.value).label,
        origin=MAYBE_OURS if is_perhaps else str(origin.label),
        is_open=state in OPEN and order.request is not Request.CANCEL,
        is_ours=is_ours,
    )


def of_ours(order: PendingOrder) -> Row:
    side = order.get_side_display()
    at: datetime = (order.market_at or order.made_at).astimezone(SEOUL)
    return Row(
        name=order.stock_name,
        code=order.stock_code,
        side=f"{side}취소" if order.is_cancel else side,
        at=clock_time(at),
        number=MISSING,
        quantity=MISSING if order.is_cancel else number(order.quantity),
        filled=MISSING,
        price=MISSING if order.is_cancel else price_text(order.price),
        state=NAMES[order.state],
        origin=KisOrderDetail.Origin.OURS.label,
        needs_care=order.state in {State.SENDING, State.UNKNOWN, State.PENDING},
    )


def price_text(price: int) -> str:
    return f"{price:,}" if price else "시장가"


def print_orders(console: Console, rows: Sequence[Row]) -> None:
    if not rows:
        line(console, INDENT, "오늘 주문 없음")
        return
    print_heads(console, HEADS)
    for row in rows:
        texts = [
            row.name,
            row.code,
            row.side,
            row.at,
            row.number,
            row.quantity,
            row.filled,
            row.price,
            row.state,
            row.origin,
        ]
        side = UP if row.side.startswith("매수") else DOWN
        styles = ["", DIM, side, DIM, "", "", "", "", f"bold {WARN}" if row.needs_care else "", DIM]
        line(console, INDENT, *zip(cells(texts, HEADS), styles, strict=True))
