"""A database that goes away while an order is on its way: the journal has the answer, and the next look brings it."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
from django.db import OperationalError, connection

from kis.client.transport import HttpTransport
from tests.trading.conftest import CODE, make_order
from tests.trading.trades import SAMSUNG, arrived, last_price
from trading import audit
from trading.models import PendingOrder
from trading.reconcile import reconcile
from trading.safe_executor import execute
from trading.states import State
from trading.stocks import identify

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("real_enabled")]


class CutOff:
    """A call that, once its answer is here, finds the database gone."""

    def __init__(self, cut):
        self.call = HttpTransport()
        self.cut = cut

    def send(self, request, *, timeout_seconds):
        reply = self.call.send(request, timeout_seconds=timeout_seconds)
        self.cut()
        return reply

    def close(self):
        self.call.close()


def cut_connection():
    """End our session at the server, as a restart of it does, and wait until it has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 60000)", [pid])
    other.close()


@pytest.fixture
def order(desk, clock):
    clock.go(seconds=5)
    identify(desk.connection.session, code=SAMSUNG, name="", at=clock.now)
    price = last_price(desk)
    return make_order(CODE, quantity=1, price=price, amount=price)


def away(execute_sql, sql, params, many, context):
    raise OperationalError("the database is away")


def held_against_the_exchange(order, broker):
    """Return the row's state; its number has to be that of the one order at the exchange."""
    [at_exchange] = arrived(broker)
    after = PendingOrder.objects.get(pk=order.pk)
    assert int(after.odno) == int(at_exchange["odno"])
    assert audit.verify().problems == ()
    return after.state


def test_answer_is_kept_when_the_database_is_gone_for_half_a_minute(desk, clock, broker, order):
    with ExitStack() as outage:
        cut = CutOff(lambda: outage.enter_context(connection.execute_wrapper(away)))
        outcome = execute(order, desk=replace(desk, open_call=lambda: cut), may_trade=True)
    assert outcome.state is State.ACCEPTED
    assert PendingOrder.objects.get().state is State.SENDING
    clock.go(seconds=30)
    reconcile(desk)
    assert held_against_the_exchange(order, broker) in {State.ACCEPTED, State.FILLED}


def test_process_whose_session_was_ended_finds_the_database_again(desk, broker, order):
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: SQLite has no server that could end a session")
    outcome = execute(order, desk=replace(desk, open_call=lambda: CutOff(cut_connection)), may_trade=True)
    assert outcome.state is State.ACCEPTED
    reconcile(desk)
    assert held_against_the_exchange(order, broker) in {State.ACCEPTED, State.FILLED}
