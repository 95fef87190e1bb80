# ruff: noqa: PLC0415  # Django has to be set up before its modules are loaded
"""What a script of `scenes.py` finds: a database, an account at a simulator that plays in another process, and orders."""

import os
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

SEOUL = timezone(timedelta(hours=9))
#: The simulator stands still at this moment; codes and claims live by the real clock.
TEN = datetime(2026, 11, 20, 10, 0, tzinfo=SEOUL)
CLOSED = TEN.replace(hour=16, minute=30)
SAMSUNG = "005930"
PASSWORD = "tree-9-candle-river"
CODE = "XT9W"
BUY = "TTTC0012U"
#: Seconds until a process that says nothing is given up.
PATIENCE = 120


def set_up():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")
    import django

    django.setup()
    from kis.client.throttle import SECONDS_BETWEEN_CALLS

    SECONDS_BETWEEN_CALLS["real"] = (
        0.0  # the simulator counts none, and turns are still taken in the database
    )


def prepare():
    """Set a password and know the stock, on a migrated database; return a price of an order that waits at the exchange."""
    from kis.client.endpoints.quotes import price
    from trading import password
    from trading.stocks import identify

    password.set_password(PASSWORD, at=now())
    with desk() as opened:
        session = opened.connection.session
        identify(session, code=SAMSUNG, name="", at=now())
        session.token()
        quote = price(session, code=SAMSUNG)
        return quote.price * 97 // 100 // quote.tick * quote.tick


def close_database():
    """Let no connection cross a fork: its processes would read each other's answers."""
    from django.db import connection

    connection.close()


def now():
    return datetime.now(SEOUL)


@contextmanager
def desk(*, ahead=timedelta(0), market=TEN):
    """Open the desk as commands do; only the market's time is that of the simulator, and ours may be set ahead."""
    from kis.connect import Connection, connect
    from trading.desk import Desk

    with connect("real") as opened:
        yield Desk(
            Connection(opened.session, lambda: market),
            wall=lambda: now() + ahead,
            skew=lambda environment: timedelta(0),
        )


def said(work, *arguments):
    """Do it and return the answer, or the name of the error."""
    try:
        return work(*arguments)
    except Exception as error:  # noqa: BLE001  # whatever went wrong is what the test wants to read
        return f"{type(error).__name__}" if is_ours(error) else f"{type(error).__name__}: {error}"


def is_ours(error):
    from trading.errors import TradingError

    return isinstance(error, TradingError)


def broker():
    from tests.kis.syncing import Broker

    return Broker(os.environ["KIS_REAL_BASE_URL"])


def at_exchange():
    """Return the orders that the exchange has from our account."""
    from tests.trading.trades import arrived

    return arrived(broker())


def posts():
    """Return how many orders to buy have been posted, whatever came of them."""
    return broker().get("requests")["counts"].get(BUY, 0)


def branch_of(number):
    from kis.client.endpoints.account import daily_orders
    from kis.orders import same_number

    with desk() as opened:
        orders = daily_orders(opened.connection.session, first=TEN.date(), last=TEN.date())
    return next(order.branch for order in orders if same_number(order.number, number))


# --- orders --------------------------------------------------------------------------------------------------------


def new_order(price=0, *, quantity=1, **changes):
    """Write an order that waits for its code, and has been looked at long enough."""
    from tests.trading.conftest import make_order

    content = {"price": price, "quantity": quantity, "amount": price * quantity, **changes}
    return make_order(CODE, at=now() - timedelta(seconds=5), **content)


def claimed(order):
    """Claim an order as a process does that dies right afterwards."""
    from trading.sending import claim

    with desk() as opened:
        claim(order, desk=opened, known_before=[])
    return order


def unknown(order):
    from trading.states import State
    from trading.steps import step

    assert step(order, State.UNKNOWN, at=now(), what="left_behind")


def sent(price, *, quantity, forget=False):
    """Send an order; `forget` leaves its answer in the journal alone."""
    from trading import sending
    from trading.safe_executor import execute

    order = new_order(price, quantity=quantity)
    plain = sending.write_outcome
    if forget:
        sending.write_outcome = lambda order, outcome: False
    try:
        with desk() as opened:
            execute(order, desk=opened, may_trade=True)
    finally:
        sending.write_outcome = plain
    return order


def someone_elses_order(price):
    """Place an order as another program of the owner does, and return its number."""
    return broker().post("external-order", {"code": SAMSUNG, "side": "buy", "qty": 1, "price": price})["odno"]
