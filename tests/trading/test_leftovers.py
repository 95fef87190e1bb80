"""What crashes leave behind counts as much as what was lost before the sender's eyes."""

import pytest

from tests.trading.conftest import make_order
from trading import kill_switch
from trading.reconcile import reconcile
from trading.sending import claim

pytestmark = pytest.mark.django_db(transaction=True)


def test_orders_that_crashes_have_lost_trip_the_kill_switch(desk, clock):
    claim(make_order(), desk=desk, known_before=[])
    clock.go(seconds=60)
    reconcile(desk)
    assert not kill_switch.read().is_on
    cancel = {"kind": "cancel", "quantity": 0, "price": 0, "amount": 0, "origin_number": "0000000001"}
    claim(make_order(at=clock.now, **cancel), desk=desk, known_before=[])
    clock.go(seconds=60)
    reconcile(desk)
    assert "결과를 알 수 없는 주문이 2건" in kill_switch.read().reason
