"""Who changes an order takes its row first and the end of the history second, so that nobody waits in a circle."""

import threading
import time

import pytest
from django.db import connection, transaction

from tests.trading.conftest import TEN, make_order
from trading import audit
from trading.confirmation import note_wrong
from trading.errors import NotConfirmed
from trading.models import PendingOrder

pytestmark = pytest.mark.django_db(transaction=True)
#: How many wait for us, and not for a test beside this one on the same server.
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


def guess_in_a_thread(order, answers):
    try:
        note_wrong(order, at=TEN)
    except Exception as error:  # noqa: BLE001  # shown by the assertion
        answers.append(error)
    finally:
        connection.close()


def wait_until_somebody_waits():
    with connection.cursor() as cursor:
        ends_at = time.monotonic() + 60
        while time.monotonic() < ends_at:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    pytest.fail("nobody waited for the row")


def test_wrong_code_and_a_step_of_the_same_order_do_not_wait_for_each_other():
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: SQLite lets one writer in at a time")
    order = make_order()
    PendingOrder.objects.update(tries=3)
    order.refresh_from_db()
    answers: list[Exception] = []
    guess = threading.Thread(target=guess_in_a_thread, args=(order, answers), daemon=True)
    with transaction.atomic():
        PendingOrder.objects.filter(pk=order.pk).update(reason="held")
        guess.start()
        wait_until_somebody_waits()
        audit.record("told", at=TEN, order=order)
    guess.join(60)
    assert [type(answer) for answer in answers] == [NotConfirmed]
    assert [event.what for event in order.events.order_by("number")] == [
        "proposed",
        "told",
        "wrong_code",
        "locked",
    ]
