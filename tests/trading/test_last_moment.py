"""Between the claim of an order and what is written of it: the machine, the disk or the database may let us down."""

import os
from pathlib import Path

import pytest

from tests.trading.conftest import CODE, make_order
from tests.trading.trades import SAMSUNG, arrived, last_price
from trading import hint, journal, kill_switch
from trading.errors import Unsettled
from trading.safe_executor import execute
from trading.sending import claim
from trading.states import State
from trading.stocks import identify

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("real_enabled")]


@pytest.fixture
def order(desk, clock):
    """Return an order that passes the gates and has been looked at."""
    clock.go(seconds=5)
    identify(desk.connection.session, code=SAMSUNG, name="", at=clock.now)
    price = last_price(desk)
    return make_order(CODE, quantity=1, price=price, amount=price)


@pytest.mark.parametrize("seconds", [9.5, 16, 3600])
def test_order_does_not_leave_late_after_a_late_answer_of_the_database(  # noqa: PLR0917  # fixtures
    desk, clock, broker, order, monkeypatch, seconds
):
    plain = kill_switch.read

    def late():
        if order.state is State.SENDING:
            clock.go(seconds=seconds)
        return plain()

    monkeypatch.setattr(kill_switch, "read", late)
    outcome = execute(order, desk=desk, may_trade=True)
    assert (outcome.state, order.state) == (State.NOT_SENT, State.NOT_SENT)
    assert "제한 시간이 지났습니다" in outcome.reason
    assert arrived(broker) == []


def test_hint_that_cannot_be_taken_away_stops_no_claimed_order(desk, broker, order, monkeypatch):
    hint.write(order)

    def refuse(path, **how):
        raise PermissionError(path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        outcome = execute(order, desk=desk, may_trade=True)
    assert outcome.state is State.ACCEPTED
    assert len(arrived(broker)) == 1


def test_journal_that_is_cut_off_by_a_full_disk_is_noticed(desk, order, monkeypatch, caplog):
    plain = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda handle, text: plain(handle, text[:20]))
        outcome = execute(order, desk=desk, may_trade=True)
    assert (outcome.state, order.state) == (State.ACCEPTED, State.ACCEPTED)
    assert "the journal could not be written" in caplog.text
    assert journal.last_of(order) is None
    journal.write(outcome)  # what comes after half a line can be read
    assert journal.last_of(order) == outcome


def test_second_cancellation_of_an_order_is_given_up_while_the_first_is_unknown(desk, broker):
    cancel = {"kind": "cancel", "quantity": 0, "price": 0, "amount": 0, "origin_number": "0000000001"}
    first = make_order(**cancel)
    claim(first, desk=desk, known_before=[])
    second = make_order(**cancel)
    with pytest.raises(Unsettled):
        execute(second, desk=desk, may_trade=True)
    assert second.state is State.ABANDONED
    assert "결과를 확인하지 못한" in second.reason
    assert arrived(broker) == []
