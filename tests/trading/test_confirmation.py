"""What it takes to confirm an order, and how little a guess gets."""

from datetime import timedelta

import pytest

from tests.trading.conftest import CODE, PASSWORD, TEN, make_order
from tests.trading.test_audit import without_triggers
from trading import codes, confirmation, hint, kill_switch, password
from trading.confirmation import confirm, expire, take_waiting, withdraw
from trading.errors import (
    AlreadyTaken,
    NotConfirmed,
    NothingToConfirm,
    PasswordLocked,
    PasswordMissing,
    TooEarly,
)
from trading.models import PendingOrder, TradingPassword
from trading.states import State
from trading.steps import step

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("with_password")]
SOON = TEN + timedelta(seconds=5)


def give(order, code=CODE, secret=PASSWORD, at=SOON):
    confirm(order, given_password=secret, given_code=code, at=at)


def test_right_password_and_code_are_let_through():
    order = make_order()
    give(order)
    assert (order.tries, order.state) == (1, State.PENDING)


@pytest.mark.parametrize("typed", ["xt9w", " XT9W ", "ＸＴ９Ｗ"])
def test_code_is_understood_however_it_is_typed(typed):
    give(make_order(), typed)


def test_nobody_learns_which_of_the_two_was_wrong():
    told = []
    for code, secret in (("AAAA", PASSWORD), (CODE, "wrong"), ("AAAA", "wrong")):
        order = make_order()
        with pytest.raises(NotConfirmed) as caught:
            give(order, code, secret)
        told.append(str(caught.value))
        withdraw(order, at=SOON, reason="test")
    assert len(set(told)) == 1
    assert "2번 더" in told[0]
    assert "보내지 않았습니다" in told[0]


def test_third_wrong_code_locks_the_order_for_good():
    order = make_order()
    hint.write(order)
    for left in (2, 1, 0):
        with pytest.raises(NotConfirmed) as caught:
            give(order, "AAAA")
        assert caught.value.left == left
    assert order.state is State.LOCKED
    assert hint.read() is None
    with pytest.raises(NothingToConfirm):
        give(PendingOrder.objects.get())


def test_code_comes_too_early_or_too_late():
    order = make_order()
    with pytest.raises(TooEarly):
        give(order, at=TEN + timedelta(seconds=1))
    with pytest.raises(NothingToConfirm):
        give(order, at=order.expires_at)
    assert PendingOrder.objects.get().tries == 0


def test_code_of_another_order_does_not_fit():
    first = make_order()
    withdraw(first, at=SOON, reason="test")
    second = make_order()
    PendingOrder.objects.filter(pk=second.pk).update(
        code_hash=codes.hash_of(CODE, pk=first.pk, content=first.content)
    )
    with pytest.raises(NotConfirmed):
        give(second)


@pytest.mark.parametrize(
    "change",
    [
        {"account_no": "87654321"},
        {"product_code": "22"},
        {"is_paper": True},
        {"kind": "cancel"},
        {"side": "SELL"},
        {"stock_code": "000660"},
        {"quantity": 11},
        {"price": 50_100},
        {"exchange": "NXT"},
        {"origin_branch": "06010"},
        {"origin_number": "7"},
    ],
)
def test_code_is_bound_to_everything_the_broker_is_told(change):
    order = make_order()
    for name, value in change.items():
        setattr(order, name, value)
    assert not codes.is_same(CODE, order.code_hash, pk=order.pk, content=order.content)


def test_order_changed_by_hand_is_not_what_the_code_was_for():
    order = make_order()
    without_triggers("UPDATE trading_order SET quantity = 1000")
    with pytest.raises(NotConfirmed):
        give(order)


def test_locked_password_costs_the_order_no_try():
    order = make_order()
    for _ in range(password.MOST_FAILURES):
        password.matches("wrong", at=SOON)
    with pytest.raises(PasswordLocked):
        give(order)
    assert PendingOrder.objects.get().tries == 0


def test_ten_wrong_ones_a_day_trip_the_switch():
    for count in range(10):
        order = make_order()
        with pytest.raises(NotConfirmed):
            give(order, "AAAA")
        assert kill_switch.read().is_on == (count == 9)
        withdraw(order, at=SOON, reason="test")


def test_waiting_order_is_the_only_one_that_is_not_too_old():
    with pytest.raises(NothingToConfirm):
        take_waiting([], at=SOON)
    order = make_order()
    assert take_waiting([order], at=SOON) is order
    hint.write(order)
    with pytest.raises(NothingToConfirm):
        take_waiting([order], at=order.expires_at)
    assert order.state is State.EXPIRED
    assert hint.read() is None


def test_order_that_somebody_else_took_is_left_alone():
    order = make_order()
    late = PendingOrder.objects.get()
    withdraw(order, at=SOON, reason="그만")
    with pytest.raises(AlreadyTaken):
        withdraw(late, at=SOON, reason="그만")
    assert expire(late, at=late.expires_at)
    assert PendingOrder.objects.get().state is State.ABANDONED


def test_codes_come_from_symbols_that_cannot_be_confused():
    assert len(set(codes.SYMBOLS)) == 32
    assert not set("01IO") & set(codes.SYMBOLS)
    made = {codes.new_code() for _ in range(200)}
    assert len(made) > 190
    assert all(len(code) == 4 and set(code) <= set(codes.SYMBOLS) for code in made)


def test_without_a_password_nothing_can_be_confirmed():
    order = make_order()
    TradingPassword.objects.all().delete()
    with pytest.raises(PasswordMissing):
        give(order)


@pytest.mark.parametrize("tries_before", [0, 2])
def test_code_that_comes_second_is_not_called_wrong(monkeypatch, tries_before):
    order = make_order()
    PendingOrder.objects.update(tries=tries_before)
    counted = confirmation.count_try

    def claimed_right_after(order, *, at):
        assert counted(order, at=at)
        rival = PendingOrder.objects.get(pk=order.pk)
        return step(rival, State.SENDING, at=at, what="claimed", values={"claimed_at": at, "market_at": at})

    monkeypatch.setattr(confirmation, "count_try", claimed_right_after)
    with pytest.raises(AlreadyTaken):
        give(order)
    assert [event.what for event in order.events.order_by("number")] == ["proposed", "claimed"]
