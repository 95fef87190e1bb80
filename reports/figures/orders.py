"""Orders that wait at the exchange."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from kis.korean import SEOUL
from kis.models import KisHolding, KisUnfilledOrder
from kis.models.books import Side
from reports.figures.shares import percent_of


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that waits; `price` is None for a market order."""

    name: str
    side: Side
    remaining: int
    quantity: int
    price: int | None
    against_price_pct: Decimal | None
    age: timedelta
    number: str


@dataclass(frozen=True, slots=True)
class OpenOrders:
    """Orders that wait, oldest first."""

    rows: tuple[OpenOrder, ...]
    buying: int
    selling: int
    has_market_orders: bool
    oldest: timedelta


def open_orders_of(
    orders: Sequence[KisUnfilledOrder], holdings: Sequence[KisHolding], *, as_of: datetime
) -> OpenOrders:
    prices = {holding.stock_code: holding.prpr for holding in holdings}
    rows = tuple(_open_order(order, price=prices.get(order.stock_code), as_of=as_of) for order in orders)
    return OpenOrders(
        rows=rows,
        buying=sum(row.remaining * (row.price or 0) for row in rows if row.side is Side.BUY),
        selling=sum(row.remaining * (row.price or 0) for row in rows if row.side is Side.SELL),
        has_market_orders=any(row.price is None for row in rows),
        oldest=max((row.age for row in rows), default=timedelta()),
    )


def _open_order(order: KisUnfilledOrder, *, price: int | None, as_of: datetime) -> OpenOrder:
    placed = datetime.combine(order.snapshot_date, _wire_time(order.ord_tmd), SEOUL)
    limit = order.ord_unpr or None
    is_sell = order.sll_buy_dvsn_cd == KisUnfilledOrder.SideCode.SELL
    return OpenOrder(
        name=order.stock_name,
        side=Side.SELL if is_sell else Side.BUY,
        remaining=order.psbl_qty,
        quantity=order.ord_qty,
        price=limit,
        against_price_pct=percent_of(limit - price, price) if limit is not None and price else None,
        age=max(as_of - placed, timedelta()),
        number=order.odno.lstrip("0") or order.odno,
    )


def _wire_time(text: str) -> time:
    return time(int(text[:2]), int(text[2:4]), int(text[4:6]))
