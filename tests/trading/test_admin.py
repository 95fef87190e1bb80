"""Orders in the admin: what is shown, what is masked, that nothing can be changed, and that no row costs a query."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.trading.conftest import TEN, make_order
from trading import audit, kill_switch
from trading.models import KillSwitch, OrderEvent, PendingOrder
from trading.states import State
from trading.steps import step

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def page(model, name, *arguments):
    return reverse(f"admin:trading_{model._meta.model_name}_{name}", args=arguments)  # noqa: SLF001


def unknown(**changes):
    order = make_order(preview={"lines": ["실전  1234****-01", "  매수  삼성전자"]}, **changes)
    at = order.made_at
    detail = {"content": order.content}
    values = {"claimed_at": at, "market_at": at}
    step(order, State.SENDING, at=at, what="claimed", detail=detail, values=values)
    step(order, State.UNKNOWN, at=at, what="answered", values={"reason": "답이 없습니다."})
    return order


def test_list_shows_the_order_masked(owner):
    unknown()
    text = owner.get(page(PendingOrder, "changelist")).content.decode()
    assert "매수 삼성전자 005930 10주 50,000원" in text
    assert "1234****-01" in text
    assert "12345678" not in text
    assert '<span class="state unsettled">모름</span>' in text


def test_list_leads_to_what_the_broker_has_of_an_order(owner):
    order = unknown()
    at = order.made_at
    accepted = {"odno": "0000117943", "branch": "06010", "ord_dt": TEN.date()}
    step(order, State.ACCEPTED, at=at, what="adopted", values=accepted)
    text = owner.get(page(PendingOrder, "changelist")).content.decode()
    [address] = re.findall(r'href="([^"]*/kisorderdetail/[^"]*)"', text)
    assert "q=0000117943" in address
    assert "12345678" not in address
    assert owner.get(unescape(address)).status_code == 200


def test_page_of_an_order_has_its_history_and_no_secret(owner):
    order = unknown()
    waiting = make_order(account_no="87654321")
    for row in (order, waiting):
        text = owner.get(page(PendingOrder, "change", row.pk)).content.decode()
        assert row.account_no not in text
        assert "code_hash" not in text
        assert waiting.code_hash not in text
    text = owner.get(page(PendingOrder, "change", order.pk)).content.decode()
    assert "확인 대기 → 보내는 중" in text
    assert "보내는 중 → 모름" in text
    assert "  매수  삼성전자" in text
    assert "_save" not in text


def test_events_are_shown_masked(owner):
    order = unknown()
    kill_switch.turn_on("시험", at=TEN, by="시험")
    audit.record("something_new", at=TEN)
    text = owner.get(page(OrderEvent, "changelist")).content.decode()
    assert "보내기 시작" in text
    assert "주문 중지 켬" in text
    assert "something_new" in text
    for event in OrderEvent.objects.all():
        text = owner.get(page(OrderEvent, "change", event.pk)).content.decode()
        assert order.account_no not in text
        assert event.digest in text


@pytest.mark.parametrize("model", [PendingOrder, OrderEvent, KillSwitch])
def test_nothing_can_be_changed(owner, model):
    order = unknown()
    kill_switch.turn_on("시험", at=TEN, by="시험")
    row = model.objects.first()
    assert owner.get(page(model, "add")).status_code == 403
    assert owner.post(page(model, "change", row.pk), {"status": "pending"}).status_code == 403
    assert owner.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    order.refresh_from_db()
    assert order.state is State.UNKNOWN


@pytest.mark.parametrize("model", [PendingOrder, OrderEvent])
def test_no_query_per_row(owner, model):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert owner.get(page(model, "changelist")).status_code == 200
        return len(captured)

    unknown()
    few = queries()
    for number in range(5):
        unknown(account_no=f"{20_000_000 + number}", at=TEN + timedelta(minutes=number))
    assert queries() == few


def test_page_of_an_order_costs_no_query_per_event(owner):
    order = make_order()

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(page(PendingOrder, "change", order.pk)).status_code == 200
        return len(captured)

    queries()  # the first page asks for the types of contents
    few = queries()
    for _ in range(5):
        audit.record("wrong_code", at=TEN, order=order)
    assert queries() == few


# --- the kill switch --------------------------------------------------------------------------------------------------


def test_switch_is_turned_on_by_a_button(owner):
    url = reverse("admin:trading_killswitch_turn_on")
    text = owner.get(page(KillSwitch, "changelist")).content.decode()
    assert "모든 주문 중지" in text
    assert owner.get(url).status_code == 405
    assert not kill_switch.read().is_on
    answer = owner.post(url, follow=True).content.decode()
    assert kill_switch.read().is_on
    assert "주문 중지를 켰습니다." in answer
    assert "manage.py kill_switch off" in answer
    assert "모든 주문 중지" not in answer
    assert OrderEvent.objects.get(what="kill_switch_on").detail["by"] == "owner (관리자 화면)"


def test_switch_of_a_file_alone_shows_on(owner):
    kill_switch.write_file("손으로")
    text = owner.get(page(KillSwitch, "changelist")).content.decode()
    assert "주문 중지가 켜져 있습니다." in text


def test_button_is_for_the_staff(client):
    url = reverse("admin:trading_killswitch_turn_on")
    assert client.post(url).status_code == 302  # to the sign-in
    assert not kill_switch.read().is_on
    reader = get_user_model().objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_pendingorder"))
    client.force_login(reader)
    assert client.post(url).status_code == 403
    assert not kill_switch.read().is_on
