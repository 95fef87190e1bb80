"""Wishes that pass every gate at the simulator, and what came of them."""

from kis.client.endpoints.quotes import price
from kis.client.records.orders import Side
from trading.parser import OrderWish

SAMSUNG = "005930"


def last_price(desk):
    return price(desk.connection.session, code=SAMSUNG).price


def buy_wish(desk, *, quantity=1, off=0, name=""):
    """Buy Samsung at its last price, or so many percent of it away."""
    tick = price(desk.connection.session, code=SAMSUNG).tick
    asked = last_price(desk) * (100 + off) // 100 // tick * tick
    return OrderWish(Side.BUY, SAMSUNG, name, quantity, asked)


def arrived(broker, mode="real"):
    """Return the orders that the exchange has accepted from this account."""
    return [order for order in broker.get("orders") if order["mode"] == mode]


def events_of(order):
    return [event.what for event in order.events.order_by("number")]
