"""An order whose outcome is not known is told at once where a worker is there; whatever goes wrong stays out of sight."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from tests.trading.conftest import TEN, make_order
from trading.states import State
from trading.steps import step
from trading.telling import tell_soon

pytestmark = pytest.mark.django_db
TELLER = "aegis.tasks.send_alerts"


def unknown():
    order = make_order(at=TEN)
    step(order, State.SENDING, at=TEN, what="claimed", values={"claimed_at": TEN, "market_at": TEN})
    step(order, State.UNKNOWN, at=TEN, what="answered")
    return order


def worker(*, late=timedelta(0), **changes):
    Schedule.objects.create(func=TELLER, name="x", next_run=timezone.now() - late, **changes)


def queued():
    return [(task.key, task.func()) for task in OrmQ.objects.all()]


def test_worker_is_asked_to_tell_of_an_unknown_order():
    worker()
    tell_soon(unknown())
    assert queued() == [("fast", TELLER)]


def test_order_that_is_known_again_is_no_news():
    worker()
    order = unknown()
    values = {"odno": "0000000001", "branch": "00950", "ord_dt": TEN.date()}
    step(order, State.ACCEPTED, at=TEN, what="adopted", values=values)
    tell_soon(order)
    assert queued() == []


def test_nothing_is_left_in_the_queue_of_a_worker_that_is_not_there():
    order = unknown()
    tell_soon(order)
    worker(late=timedelta(minutes=3))
    worker(repeats=0)
    tell_soon(order)
    assert queued() == []


def test_database_that_is_away_is_in_the_log_and_nowhere_else(caplog):
    order = unknown()

    def away(execute, sql, *rest):
        raise OperationalError("gone")

    with connection.execute_wrapper(away):
        tell_soon(order)
    assert f"not asked to tell of order {order.pk}: OperationalError" in caplog.text
