"""The one call of an order: what stops it at the last moment, and what is left when things go wrong around it."""

import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, InterfaceError

from kis.client.endpoints.orders import Cancellation, NewOrder
from kis.client.protocol import RawReply
from kis.client.records.orders import Side
from kis.models import KisOrderDetail
from tests.trading.conftest import TEN, make_order
from tests.trading.trades import events_of
from trading import journal, kill_switch, sending
from trading.errors import AlreadyTaken, NotFromWorker, OtherAccount
from trading.models import PendingOrder
from trading.sending import claim, send, wire_order, write_outcome
from trading.states import State
from trading.worker_guard import enter_task, leave_task, refuse_workers

pytestmark = pytest.mark.django_db(transaction=True)


class Answer:
    """Stands for the connection of one order: it counts what is sent, and answers."""

    def __init__(self, body=None, *, error=None, number="0000000123"):
        receipt = {"KRX_FWDG_ORD_ORGNO": "06010", "ODNO": number, "ORD_TMD": "100005"}
        self.body = body or {"rt_cd": "0", "msg_cd": "APBK0013", "msg1": "주문 전송 완료", "output": receipt}
        self.error = error
        self.sent = []
        self.closed = 0

    def __call__(self):
        return self

    def send(self, request, *, timeout_seconds):
        self.sent.append(request)
        if self.error:
            raise self.error
        return RawReply(status=200, headers={}, body=json.dumps(self.body).encode())

    def close(self):
        self.closed += 1


@pytest.fixture
def answer(posts):
    posts.make = Answer()
    return posts.make


def claimed(desk, **changes):
    order = make_order(**changes)
    claim(order, desk=desk, known_before=[("06010", "0000000001")])
    return order


def post(order, desk):
    session = desk.connection.session
    return send(order, desk=desk, token=session.token(), budget=session.budget)


def stored(order):
    return PendingOrder.objects.get(pk=order.pk)


def test_claim_says_what_is_about_to_be_sent(desk):
    order = claimed(desk)
    event = order.events.get(what="claimed")
    assert event.detail["content"] == order.content
    row = stored(order)
    assert (row.state, row.claimed_at, row.known_before) == (State.SENDING, TEN, [["06010", "0000000001"]])
    assert row.code_hash == ""


def test_second_claim_fails(desk):
    order = make_order()
    late = stored(order)
    claim(order, desk=desk, known_before=[])
    with pytest.raises(AlreadyTaken):
        claim(late, desk=desk, known_before=[])


def test_claim_after_the_code_has_expired_fails(desk, clock):
    order = make_order()
    clock.go(minutes=3)
    with pytest.raises(AlreadyTaken):
        claim(order, desk=desk, known_before=[])


@pytest.mark.parametrize("other", [{"is_paper": True}, {"account_no": "87654321"}, {"product_code": "22"}])
def test_order_of_another_account_meets_no_connection(desk, other, answer):
    order = make_order(**other)
    with pytest.raises(OtherAccount):
        claim(order, desk=desk, known_before=[])
    with pytest.raises(OtherAccount):
        post(order, desk)
    assert answer.sent == []


def test_posted_bytes_are_those_of_the_row(desk, answer):
    post(claimed(desk), desk)
    [request] = answer.sent
    assert request.tr_id == "TTTC0012U"
    assert dict(request.body) == {
        "CANO": "12345678",
        "ACNT_PRDT_CD": "01",
        "PDNO": "005930",
        "ORD_DVSN": "00",
        "ORD_QTY": "10",
        "ORD_UNPR": "50000",
        "EXCG_ID_DVSN_CD": "KRX",
    }
    assert answer.closed == 1


def test_wire_order_of_every_kind():
    cancel = {"kind": "cancel", "quantity": 0, "price": 0, "origin_branch": "06010", "origin_number": "7"}
    assert wire_order(make_order(side="SELL", price=0, amount=0)) == NewOrder(
        Side.SELL, "005930", 10, 0, kind="01"
    )
    PendingOrder.objects.update(status=State.ABANDONED, code_hash="")
    assert wire_order(make_order(**cancel, exchange="NXT")) == Cancellation("06010", "7", exchange="NXT")


# --- the last moment -------------------------------------------------------------------------------------------------


def test_order_that_waited_too_long_does_not_leave(desk, clock, answer):
    """The clock of a machine that slept in between may have stopped; the other one has not."""
    order = claimed(desk)
    clock.now += timedelta(seconds=16)
    assert post(order, desk).state is State.NOT_SENT
    assert answer.sent == []


def test_switch_that_was_turned_on_a_moment_ago_stops_it(desk, answer):
    order = claimed(desk)
    kill_switch.write_file("손으로")
    outcome = post(order, desk)
    assert outcome.state is State.NOT_SENT
    assert "주문 중지" in outcome.reason
    assert answer.sent == []


def test_order_that_was_settled_meanwhile_does_not_leave(desk, answer):
    order = claimed(desk)
    PendingOrder.objects.filter(pk=order.pk).update(status=State.UNKNOWN)
    assert post(order, desk).state is State.NOT_SENT
    assert answer.sent == []
    assert stored(order).state is State.UNKNOWN


def test_no_order_leaves_from_a_task(desk, answer):
    order = claimed(desk)
    enter_task()
    try:
        with pytest.raises(NotFromWorker):
            post(order, desk)
    finally:
        leave_task()
    refuse_workers()
    assert answer.sent == []
    leave_task()  # one more end than beginnings leaves it as it is
    refuse_workers()


# --- trouble around it -----------------------------------------------------------------------------------------------


def test_program_that_is_stopped_while_it_waits_for_the_answer(desk, answer):
    order = claimed(desk)
    answer.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        post(order, desk)
    assert stored(order).state is State.UNKNOWN
    assert journal.last_of(order).state is State.UNKNOWN


def test_program_that_is_stopped_before_the_connection(desk, monkeypatch):
    order = claimed(desk)

    class Stopped:
        seconds = 0.0

        def wait(self, *, order=False):
            raise KeyboardInterrupt

        def refused(self):
            raise AssertionError

    with pytest.raises(KeyboardInterrupt):
        send(order, desk=desk, token=desk.connection.session.token(), budget=Stopped())
    assert stored(order).state is State.NOT_SENT


def test_number_that_was_there_before_proves_nothing(desk, posts):
    order = claimed(desk)
    posts.make = Answer(number="1")
    assert post(order, desk).state is State.UNKNOWN
    assert "이미 있던" in stored(order).reason


def test_number_of_another_order_of_ours_proves_nothing(desk, posts):
    posts.make = Answer(number="500")
    post(claimed(desk), desk)
    second = claimed(desk)
    post(second, desk)
    row = stored(second)
    assert (row.state, row.odno) == (State.UNKNOWN, "")
    assert "다른 주문의 번호" in row.reason


def test_outcome_is_in_the_database_even_if_the_disk_is_full(desk, answer, monkeypatch, caplog):
    order = claimed(desk)

    def full(outcome):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "write", full)
    post(order, desk)
    assert stored(order).state is State.ACCEPTED
    assert "journal" in caplog.text


@pytest.mark.parametrize("error", [DatabaseError, InterfaceError])
def test_outcome_is_on_the_disk_even_if_the_database_is_gone(desk, answer, monkeypatch, caplog, error):
    order = claimed(desk)

    def gone(*args, **how):
        raise error("gone")

    monkeypatch.setattr(sending, "step", gone)
    outcome = post(order, desk)
    assert outcome.state is State.ACCEPTED
    assert stored(order).state is State.SENDING
    assert journal.last_of(order) == outcome
    assert "see the journal" in caplog.text


@pytest.mark.parametrize("error", [DatabaseError, InterfaceError])
def test_books_that_cannot_be_written_do_not_hide_the_receipt(desk, answer, monkeypatch, caplog, error):
    order = claimed(desk)

    def gone(*args, **how):
        raise error("gone")

    monkeypatch.setattr(sending, "record_order", gone)
    assert post(order, desk).state is State.ACCEPTED
    assert stored(order).state is State.ACCEPTED
    assert not KisOrderDetail.objects.exists()
    assert "the next sync" in caplog.text


def test_outcome_of_an_order_that_is_settled_changes_nothing(desk, answer):
    order = claimed(desk)
    outcome = post(order, desk)
    again = stored(order)
    before = events_of(order)
    PendingOrder.objects.filter(pk=order.pk).update(status=State.FILLED)
    again.status = State.SENDING
    assert not write_outcome(again, outcome)
    assert events_of(order) == before


# --- the journal -----------------------------------------------------------------------------------------------------


def test_journal_survives_what_a_crash_leaves_of_a_line(desk, answer):
    outcome = post(claimed(desk), desk)
    with journal.file().open("a") as file:
        file.write('{"order": 5, "state": "acc')
    journal.write(outcome)
    with journal.file().open("a") as file:
        file.write(
            '\n{"order": "x"}\n[]\n{"order": 1, "state": "pending", "at": "2026-11-20T10:00:00+09:00", '
            '"reason": "", "branch": "", "number": ""}\n'
        )
    assert list(journal.read()) == [outcome, outcome]
    assert journal.file().stat().st_mode & 0o777 == 0o600
    assert journal.last_of(make_order()) is None


def test_journal_that_is_not_there_says_nothing():
    assert list(journal.read()) == []
