"""Rules that hold whoever writes: by constraints and triggers of the database itself."""

import pytest
from django.db import IntegrityError, connection, transaction

from tests.trading.conftest import TEN, make_order
from trading.models import OrderEvent, PendingOrder
from trading.states import STEPS, State
from trading.steps import step

pytestmark = pytest.mark.django_db

WAYS = {
    State.PENDING: [],
    State.SENDING: [State.SENDING],
    State.UNKNOWN: [State.SENDING, State.UNKNOWN],
    State.ACCEPTED: [State.SENDING, State.ACCEPTED],
    State.PARTIAL: [State.SENDING, State.ACCEPTED, State.PARTIAL],
    State.FILLED: [State.SENDING, State.ACCEPTED, State.FILLED],
    State.CANCELLED: [State.SENDING, State.ACCEPTED, State.CANCELLED],
    State.EXPIRED: [State.EXPIRED],
    State.LOCKED: [State.LOCKED],
    State.ABANDONED: [State.ABANDONED],
    State.REJECTED: [State.SENDING, State.REJECTED],
    State.NOT_SENT: [State.SENDING, State.NOT_SENT],
    State.NOT_PLACED: [State.SENDING, State.UNKNOWN, State.NOT_PLACED],
}
SENT = {"claimed_at": TEN, "market_at": TEN}
NUMBERED = {"branch": "06010", "odno": "0000000123", "ord_dt": TEN.date()}


def brought_to(state):
    order = make_order()
    for new in WAYS[state]:
        values = {**(SENT if new is State.SENDING else {}), **(NUMBERED if new is State.ACCEPTED else {})}
        assert step(order, new, at=TEN, what="test", values=values)
    return order


def write(order, **values):
    """Write past all of our code."""
    with transaction.atomic():
        PendingOrder.objects.filter(pk=order.pk).update(**values)


def test_every_state_can_be_reached():
    assert set(WAYS) == set(State)


@pytest.mark.parametrize("old", list(State))
def test_database_lets_only_legal_steps_happen(old):
    order = brought_to(old)
    legal = STEPS.get(old, frozenset())
    for new in set(State) - legal - {old}:
        with pytest.raises(IntegrityError):
            write(order, status=new, code_hash="", **SENT, **NUMBERED)
    order.refresh_from_db()
    assert order.state is old


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 11},
        {"price": 1},
        {"side": "SELL"},
        {"stock_code": "000660"},
        {"account_no": "87654321"},
        {"is_paper": True},
        {"exchange": "NXT"},
        {"amount": 1},
        {"origin_number": "1"},
        {"expires_at": TEN},
    ],
)
def test_what_was_confirmed_cannot_be_changed(change):
    order = make_order()
    with pytest.raises(IntegrityError):
        write(order, **change)


def test_order_begins_pending_and_is_never_deleted():
    with pytest.raises(IntegrityError), transaction.atomic():
        make_order(status=State.ACCEPTED, code_hash="", **SENT, **NUMBERED)
    order = make_order()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM trading_order WHERE id = %s", [order.pk])


@pytest.mark.parametrize(
    "sql", ["UPDATE trading_order_event SET what = 'x'", "DELETE FROM trading_order_event"]
)
def test_history_is_only_added_to(sql):
    make_order()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert OrderEvent.objects.get().what == "proposed"


@pytest.mark.parametrize("first", [State.SENDING, State.UNKNOWN])
def test_account_has_one_order_that_is_not_settled(first):
    brought_to(first)
    other = make_order()
    with pytest.raises(IntegrityError):
        step(other, State.SENDING, at=TEN, what="test", values=SENT)


def test_unsettled_order_of_another_account_is_not_in_the_way():
    brought_to(State.UNKNOWN)
    for other in ({"product_code": "22"}, {"is_paper": True}):
        assert step(make_order(**other), State.SENDING, at=TEN, what="test", values=SENT)


def test_cancellation_leaves_while_an_order_is_unknown_but_once():
    brought_to(State.UNKNOWN)
    cancel = {"kind": "cancel", "quantity": 0, "price": 0, "origin_branch": "06010", "origin_number": "7"}
    assert step(make_order(**cancel), State.SENDING, at=TEN, what="test", values=SENT)
    again = make_order(**cancel)
    with pytest.raises(IntegrityError), transaction.atomic():
        step(again, State.SENDING, at=TEN, what="test", values=SENT)


def test_one_order_waits_for_a_code():
    make_order()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_order()


def test_number_of_the_broker_is_that_of_one_order():
    brought_to(State.ACCEPTED)
    other = make_order()
    step(other, State.SENDING, at=TEN, what="test", values=SENT)
    with pytest.raises(IntegrityError), transaction.atomic():
        step(other, State.ACCEPTED, at=TEN, what="test", values=NUMBERED)


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 0},
        {"side": "HOLD"},
        {"amount": -1},
        {"tries": 4},
        {"code_hash": ""},
        {"kind": "cancel"},
        {"claimed_at": TEN},
        {"odno": "5", "status": State.ACCEPTED},
    ],
)
def test_order_that_cannot_be_is_refused(change):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_order(**change)


def test_step_to_where_an_order_is_already_does_nothing():
    order = brought_to(State.ACCEPTED)
    events = OrderEvent.objects.count()
    assert not step(order, State.ACCEPTED, at=TEN, what="answered", values={"reason": "again"})
    assert OrderEvent.objects.count() == events
    assert PendingOrder.objects.get().reason == ""


def test_step_from_a_state_that_is_over_does_nothing():
    order = make_order()
    late = PendingOrder.objects.get(pk=order.pk)
    assert step(order, State.ABANDONED, at=TEN, what="withdrawn")
    assert not step(late, State.SENDING, at=TEN, what="claimed", values=SENT)
    assert [event.new_status for event in OrderEvent.objects.order_by("number")] == ["pending", "abandoned"]
