"""From a wish to the exchange: what arrives there, and what is known of it afterwards."""

from datetime import timedelta

import pytest

from kis.client.errors import KisError
from kis.client.records.orders import Side
from kis.models import KisOrderDetail
from tests.trading.conftest import PASSWORD
from tests.trading.trades import SAMSUNG, arrived, buy_wish, events_of
from trading import hint, journal, kill_switch
from trading.errors import (
    AlreadyTaken,
    NotConfirmed,
    NothingToConfirm,
    OrderRefused,
    TooEarly,
    UnknownOrder,
    WrongPassword,
    WrongStock,
)
from trading.models import PendingOrder
from trading.parser import CancelWish
from trading.safe_executor import SafeExecutor
from trading.states import State

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("with_password", "real_enabled")]


def test_order_arrives_once_and_exactly_as_shown(desk, clock, broker, posts):
    executor = SafeExecutor(desk)
    proposal = executor.propose(buy_wish(desk, quantity=3), given_password=PASSWORD)
    assert arrived(broker) == []
    assert hint.read() == proposal.order.pk
    clock.go(seconds=5)

    outcome = executor.confirm(proposal.code, given_password=PASSWORD)

    order = PendingOrder.objects.get()
    assert (outcome.state, order.state) == (State.ACCEPTED, State.ACCEPTED)
    [at_exchange] = arrived(broker)
    assert (at_exchange["side"], at_exchange["code"], at_exchange["qty"], at_exchange["price"]) == (
        "buy",
        SAMSUNG,
        3,
        order.price,
    )
    assert int(at_exchange["odno"]) == int(order.odno)
    assert len(posts.calls) == 1
    assert hint.read() is None
    assert journal.last_of(order.pk).number == order.odno
    assert events_of(order) == ["proposed", "claimed", "answered"]
    detail = KisOrderDetail.objects.get()
    assert (detail.odno, detail.origin) == (order.odno, KisOrderDetail.Origin.OURS)


def test_code_works_once(desk, clock, broker):
    executor = SafeExecutor(desk)
    proposal = executor.propose(buy_wish(desk), given_password=PASSWORD)
    clock.go(seconds=5)
    executor.confirm(proposal.code, given_password=PASSWORD)
    with pytest.raises(NothingToConfirm):
        executor.confirm(proposal.code, given_password=PASSWORD)
    assert len(arrived(broker)) == 1
