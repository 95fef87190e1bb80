"""`reconcile_orders`: every open order is told with what it may be, and the owner's word settles it."""

from datetime import datetime, time, timedelta

import pytest

from kis.client.errors import KisUnreachable
from kis.korean import SEOUL
from tests.trading.conftest import TEN, make_order
from tests.trading.trades import SAMSUNG, arrived, last_price
from trading import audit
from trading.models import PendingOrder
from trading.states import State
from trading.steps import step

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("with_password", "real_enabled"),
]

BUY_TR = "TTTC0012U"
COMMAND = "reconcile_orders"


@pytest.fixture
def lost(owner, broker, desk):
    """Return an order whose answer was lost after the exchange had taken it."""
    price = last_price(desk) * 98 // 100 // 500 * 500
    code = owner.orders("매수", SAMSUNG, "3주", f"{price}원")
    broker.fault(BUY_TR, "reset_after", times=1)
    owner.types("실전", "확인", code)
    owner.slept.clear()
    order = PendingOrder.objects.get()
    assert order.state is State.UNKNOWN
    return order


@pytest.fixture
def number(lost, broker):
    return arrived(broker)[0]["odno"].lstrip("0")


def sending(at, **changes):
    """Write an order as a process leaves it that died while it was sending."""
    order = make_order(at=at, **changes)
    values = {"claimed_at": at, "market_at": at}
    assert step(order, State.SENDING, at=at, what="claimed", values=values)
    return order


def test_nothing_open_asks_nobody(owner, posts):
    shown = owner.types(COMMAND)
    assert (shown.text, shown.code) == ("결과를 모르는 주문이 없습니다.\n", 0)


def test_unknown_order_is_shown_with_its_candidate(owner, lost, number):
    shown = owner.types(COMMAND)
    assert shown.code == 3
    assert "결과를 모르는 주문이 1건 있습니다." in shown.error
    assert f"#{lost.pk} 매수 삼성전자 005930 3주" in shown.text
    assert f"주문번호 {number}  매수 3주" in shown.text
    assert f"reconcile_orders --adopt {number} --order {lost.pk}" in shown.text


def test_adopting_settles_the_order(owner, lost, number):
    shown = owner.types(COMMAND, adopt=number)
    lost.refresh_from_db()
    assert shown.code == 0, shown.error
    assert (lost.state, lost.odno.lstrip("0")) == (State.ACCEPTED, number)
    assert f"주문번호 {number}을(를) 이 주문으로 적었습니다: #{lost.pk}" in shown.text
    assert "지금 상태: 접수" in shown.text
    assert owner.types(COMMAND).code == 0
    assert audit.verify().problems == ()


def test_disowned_order_is_no_candidate_any_more(owner, lost, number):
    shown = owner.types(COMMAND, disown=number, order=lost.pk, account="실전")
    assert shown.code == 3
    assert "이 주문이 아니라고 적었습니다" in shown.text
    shown = owner.types(COMMAND, mode="real", account="실전")
    assert "--adopt" not in shown.text
    assert "아직 없습니다" in shown.text


def test_the_word_of_the_owner_needs_the_password(owner, lost, number, monkeypatch):
    owner.answers = ["wrong"]
    assert owner.types(COMMAND, adopt=number).error == "거래 비밀번호가 다릅니다."
    monkeypatch.setattr("trading.commands.is_at_terminal", lambda: False)
    assert "터미널" in owner.types(COMMAND, adopt=number).error
    lost.refresh_from_db()
    assert lost.state is State.UNKNOWN


def test_number_that_is_no_candidate(owner, lost):
    shown = owner.types(COMMAND, adopt="999")
    assert shown.code == 1
    assert "후보가 아닙니다" in shown.error


def test_word_about_no_order(owner):
    assert (
        owner.types(COMMAND, adopt="1").error == "결과를 모르는 주문이 없습니다. 아무것도 바꾸지 않았습니다."
    )


def test_word_about_one_of_several_orders(owner, lost, number):
    other = sending(owner.clock.now, is_paper=True, account_no="50012345")
    step(other, State.UNKNOWN, at=owner.clock.now, what="answered")
    shown = owner.types(COMMAND, mode="paper")
    assert f"#{other.pk} 매수" in shown.text
    assert f"#{lost.pk} 매수" not in shown.text
    shown = owner.types(COMMAND, adopt=number)
    assert "--order에 번호를" in shown.error
    assert f"#{other.pk}" in shown.error
    assert owner.types(COMMAND, adopt=number, order=lost.pk).code == 0


def test_followed_order_tells_its_way(owner, broker, lost, number):
    owner.types(COMMAND, adopt=number)
    broker.fill(number, 3)
    shown = owner.types(COMMAND)
    assert shown.code == 0
    assert f"주문번호 {number}  접수 → 체결" in shown.text


def test_order_that_was_never_placed(owner, broker, desk, clock):
    price = last_price(desk) * 98 // 100 // 500 * 500
    code = owner.orders("매수", SAMSUNG, "3주", f"{price}원")
    broker.fault(BUY_TR, "reset_before", times=1)
    owner.types("실전", "확인", code)
    broker.clock(datetime.combine(TEN.date(), time(16, 5), SEOUL))
    assert owner.types(COMMAND).code == 3
    clock.go(minutes=6)
    shown = owner.types(COMMAND)
    assert shown.code == 0
    assert "모름 → 접수되지 않음" in shown.text


def test_watching_ends_when_all_is_known(owner, lost, number, monkeypatch):
    def sleep(seconds):
        owner.slept.append(seconds)
        if len(owner.slept) == 5:
            assert owner.types(COMMAND, adopt=number).code == 0

    monkeypatch.setattr("trading.management.commands.reconcile_orders.sleep", sleep)
    shown = owner.types(COMMAND, watch=True)
    assert shown.code == 0, shown.error
    assert owner.slept == [2.0, 5.0, 10.0, 30.0, 60.0]
    assert "2초 뒤에 다시 확인합니다." in shown.text


def test_watching_outlives_silence(owner, lost, number, monkeypatch):
    trouble = [KisUnreachable("시간이 지났습니다")]
    straight = owner.open_desk

    def open_desk(mode, account=""):
        if trouble:
            raise trouble.pop()
        return straight(mode, account)

    monkeypatch.setattr("trading.management.commands.reconcile_orders.open_desk", open_desk)
    monkeypatch.setattr(
        "trading.management.commands.reconcile_orders.sleep",
        lambda seconds: owner.types(COMMAND, adopt=number),
    )
    shown = owner.types(COMMAND, watch=True)
    assert shown.code == 0, shown.error
    assert "실전: 증권사의 응답을 받지 못했습니다" in shown.text


def test_account_that_cannot_be_asked_is_named(owner, lost, monkeypatch):
    def refuse(mode, account=""):
        raise KisUnreachable("시간이 지났습니다")

    monkeypatch.setattr("trading.management.commands.reconcile_orders.open_desk", refuse)
    shown = owner.types(COMMAND)
    assert shown.code == 3
    assert shown.error.startswith("실전: 증권사의 응답을 받지 못했습니다")
    lost.refresh_from_db()
    assert lost.state is State.UNKNOWN


def test_order_of_an_account_that_is_gone(owner):
    order = sending(owner.clock.now, account_no="99999999")
    step(order, State.UNKNOWN, at=owner.clock.now, what="answered")
    shown = owner.types(COMMAND)
    assert shown.code == 3
    assert f"#{order.pk}" in shown.error
    assert "계좌 설정이 없어 확인하지 못했습니다." in shown.error
    assert "99999999" not in shown.all


def test_silence_about_an_order_that_is_known(owner, lost, number, monkeypatch):
    owner.types(COMMAND, adopt=number)

    def refuse(mode, account=""):
        raise KisUnreachable("시간이 지났습니다")

    monkeypatch.setattr("trading.management.commands.reconcile_orders.open_desk", refuse)
    assert owner.types(COMMAND).code == 1


def test_leftover_of_a_crash_becomes_unknown_after_a_minute(owner, monkeypatch):
    now = owner.clock.now
    order = sending(now)
    monkeypatch.setattr(
        "trading.management.commands.reconcile_orders.timezone.now", lambda: now + timedelta(seconds=5)
    )
    shown = owner.types(COMMAND)
    assert shown.code == 3
    assert "보내다 멈췄습니다" in shown.text
    owner.clock.go(minutes=2)
    monkeypatch.setattr("trading.management.commands.reconcile_orders.timezone.now", owner.clock.wall)
    shown = owner.types(COMMAND)
    order.refresh_from_db()
    assert order.state is State.UNKNOWN
    assert "증권사에 접수되었을 수 있습니다" in shown.text
