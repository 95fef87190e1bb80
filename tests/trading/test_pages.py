"""The order pages: who may order, what every page says, that nothing is sent twice, and what never leaves a page."""

import errno
import logging
import re

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kis import second_factor
from kis.client.codes import AccountNumber
from kis.encryption import encrypt
from kis.grants import grant
from kis.models import SecondFactor
from tests.trading.conftest import PASSWORD, TEN, desk_at, make_order
from tests.trading.pages import REAL, Browser, buying, somebody, text_of
from tests.trading.terminal import configure
from tests.trading.trades import SAMSUNG, arrived, events_of, last_price
from trading import counter, kill_switch, password, showing, views
from trading.models import OrderEvent, PendingOrder, TradingPassword
from trading.states import State
from trading.steps import step

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("with_password", "real_enabled"),
]
BUY, CANCEL = "TTTC0012U", "TTTC0013U"
NOTHING_SENT = "주문은 보내지 않았습니다."


@pytest.fixture(autouse=True)
def site(simulator, settings, clock, posts, monkeypatch):
    """Let the site reach the simulator by the clock of the test."""
    cache.clear()
    configure(settings, simulator, "real")
    monkeypatch.setattr(counter, "open_desk", lambda mode, account: desk_at(simulator, clock, posts, mode))
    monkeypatch.setattr(views, "now", clock.wall)


@pytest.fixture
def trader():
    return Browser(somebody("trader", "trader"))


@pytest.fixture
def price(desk):
    """Return a price that waits: a little below the last one, a valid tick."""
    return last_price(desk) * 98 // 100 // 500 * 500


@pytest.fixture
def waiting(trader, price, clock):
    """Return the page of an order that waits for its code, looked at long enough."""
    page = trader.propose(price)
    clock.go(seconds=5)
    return page


def newest():
    return PendingOrder.objects.latest("pk")


def said(browser, response):
    """Return the words of the page that an answer leads to."""
    assert response.status_code == 302
    return text_of(browser.client.get(response["Location"], follow=True))


# --- an order, from the form to the exchange --------------------------------------------------------------------------


def test_form_leads_to_a_preview_with_the_code_and_nothing_is_sent(trader, broker, price):
    page = trader.propose(f"{price:,}원", quantity="3주", name="삼성전자")
    order = newest()
    assert arrived(broker) == []
    assert (order.state, order.quantity, order.price) == (State.PENDING, 3, price)
    assert (order.source, order.made_by) == ("site", trader.user)
    words = text_of(page)
    for line in order.preview["lines"][1:]:
        assert all(word in words for word in line.split()), line
    assert len(page.context["code"]) == 4
    assert page.context["code"] in words
    assert "12345678" not in page.content.decode()


def test_confirmed_order_is_sent_once_however_often_it_is_asked_for(trader, broker, waiting):
    first = trader.confirm(waiting)
    again = trader.confirm(waiting)
    [at_exchange] = arrived(broker)
    order = newest()
    assert order.state is State.ACCEPTED
    assert order.odno.lstrip("0") == at_exchange["odno"].lstrip("0")
    assert first["Location"] == again["Location"] == f"/orders/{order.pk}/"
    words = said(trader, again)
    assert "다시 내지 마세요" in words
    assert "접수되었습니다" in words
    assert len(arrived(broker)) == 1


def test_going_back_and_refreshing_send_nothing(trader, broker, waiting):
    trader.confirm(waiting)
    order = newest()
    for path in (f"{order.pk}/", "new/", "", f"{order.pk}/settle/", f"{order.pk}/confirm/"):
        trader.get(path)
    assert len(arrived(broker)) == 1
    assert f"/orders/{order.pk}/confirm/" not in trader.get(f"{order.pk}/").content.decode()


def test_order_at_the_market_has_no_price(trader):
    page = trader.propose("", kind="market", side="sell")
    order = newest()
    assert (order.price, order.side) == (0, "SELL")
    assert "시장가" in text_of(page)


def test_second_form_replaces_the_order_that_waits(trader, broker, waiting, price, clock):
    other_tab = trader.propose(price, quantity="1")
    clock.go(seconds=5)
    assert NOTHING_SENT in said(trader, trader.confirm(waiting)) or arrived(broker) == []
    assert PendingOrder.objects.get(pk=waiting.context["order"].pk).state is State.ABANDONED
    assert arrived(broker) == []
    trader.confirm(other_tab)
    assert [order["qty"] for order in arrived(broker)] == [1]


def test_order_that_came_at_the_same_moment_is_said_to_be_in_the_way(trader, price, monkeypatch):
    monkeypatch.setattr("trading.orders.give_up_waiting", lambda desk: None)
    trader.propose(price)
    response = trader.post("new/", buying(price))
    assert response.status_code == 422
    assert "다른 곳에서 이미 처리한 주문입니다." in text_of(response)


def test_order_is_followed_until_it_is_filled(trader, broker, waiting):
    trader.confirm(waiting)
    order = newest()
    page = trader.get(f"{order.pk}/")
    assert page.context["ask_broker_in"] == 2
    broker.post("fill", {"odno": order.odno, "qty": 1})
    part = trader.post(f"{order.pk}/look/", **{"HX-Request": "true"})
    assert part.templates[0].name == "trading/_order.html"
    assert "일부 체결되었습니다" in text_of(part)
    assert "체결 1주" in text_of(part)
    broker.post("fill", {"odno": order.odno, "qty": 2})
    assert "모두 체결되었습니다" in said(trader, trader.post(f"{order.pk}/look/"))
    assert trader.get(f"{order.pk}/").context["look_again"] is None


def test_page_asks_the_broker_a_few_times_and_then_waits_for_others(trader, waiting, clock):
    trader.confirm(waiting)
    order = newest()
    asked = []
    while (seconds := trader.get(f"{order.pk}/").context["ask_broker_in"]) is not None:
        asked.append(seconds)
        clock.go(seconds=seconds)
    assert asked == [2, 3, 5, 10]
    assert trader.get(f"{order.pk}/").context["look_again"] == showing.LOOK_AGAIN


def test_open_order_is_cancelled_with_a_code_of_its_own(trader, broker, waiting, clock):
    trader.confirm(waiting)
    order = newest()
    wrong = trader.post(f"{order.pk}/cancel/", {"trading_password": "wrong wrong"})
    assert "거래 비밀번호가 다릅니다" in said(trader, wrong)
    response = trader.post(f"{order.pk}/cancel/", {"trading_password": PASSWORD})
    page = trader.client.get(response["Location"])
    assert "남은 수량 전부" in text_of(page)
    clock.go(seconds=5)
    trader.confirm(page)
    assert newest().is_cancel
    assert not broker.order(order.odno)["open"]
    trader.post(f"{order.pk}/look/")
    assert "취소할 수 있는 주문이 아닙니다." in said(
        trader, trader.post(f"{order.pk}/cancel/", {"trading_password": PASSWORD})
    )


def test_waiting_order_is_given_up(trader, broker, waiting):
    order = newest()
    assert "그만둔 주문입니다" in said(trader, trader.post(f"{order.pk}/give-up/"))
    assert "다른 곳에서 이미 처리한" in said(trader, trader.post(f"{order.pk}/give-up/"))
    trader.confirm(waiting)
    assert arrived(broker) == []


def test_order_whose_time_is_over_is_said_to_be_so(trader, broker, waiting, clock):
    clock.go(minutes=10)
    assert "코드의 시간이 지났습니다" in text_of(trader.get(f"{newest().pk}/"))
    trader.confirm(waiting, code="ABCD")
    assert arrived(broker) == []


def test_giving_up_after_the_time_is_over_only_says_so(trader, waiting, clock):
    clock.go(minutes=10)
    trader.post(f"{newest().pk}/give-up/")
    assert newest().state is State.EXPIRED


# --- who may ---------------------------------------------------------------------------------------------------------


def deeds(order):
    """Return everything that orders, cancels or settles, with what it would take."""
    return {
        "new/": buying(50_000),
        f"{order.pk}/confirm/": {"code": "XT9W", "trading_password": PASSWORD},
        f"{order.pk}/cancel/": {"trading_password": PASSWORD},
        f"{order.pk}/word/": {"number": "1", "word": "adopt", "trading_password": PASSWORD},
        f"{order.pk}/give-up/": {},
        f"{order.pk}/look/": {},
    }


@pytest.fixture
def no_password_is_compared(monkeypatch):
    def compared(*_arguments, **_named):
        raise AssertionError("a trading password was compared")

    monkeypatch.setattr(password, "matches", compared)


@pytest.mark.usefixtures("no_password_is_compared")
def test_without_grant_or_permission_nothing_is_done(broker):
    ungrouped = somebody("ungrouped", "trader")
    ungrouped.groups.clear()
    ungrouped.user_permissions.set(viewing())
    people = [
        Browser(somebody("viewer", "viewer")),
        Browser(ungrouped),
        Browser(somebody("boss", is_superuser=True, is_staff=True)),
    ]
    for browser in people:
        order = make_order(made_by=browser.user)
        for path, body in deeds(order).items():
            response = browser.post(path, body)
            assert response.status_code == 403, path
            assert "주문할 권한이 없습니다" in text_of(response)
        order.refresh_from_db()
        assert (order.state, order.tries) == (State.PENDING, 0)
        step(order, State.ABANDONED, at=TEN, what="withdrawn")
    assert arrived(broker) == []


def viewing():
    from django.contrib.auth.models import Permission  # noqa: PLC0415  # only here

    return Permission.objects.filter(codename__startswith="view_")


@pytest.mark.usefixtures("no_password_is_compared")
def test_grant_for_another_account_is_none_for_this_one(broker, simulator, settings):
    configure(settings, simulator, "real", "paper")
    user = somebody("other", "viewer")
    grant(user, AccountNumber("50012345", "01"), is_paper=True, role="trader")
    browser = Browser(user)
    order = make_order(made_by=user)
    for path, body in deeds(order).items():
        if path != "new/":
            assert browser.post(path, body).status_code == 403, path
    assert browser.post("new/", buying(50_000)).status_code == 422  # that account is not on the list
    order.refresh_from_db()
    assert (order.state, order.tries, arrived(broker)) == (State.PENDING, 0, [])


@pytest.mark.usefixtures("no_password_is_compared")
def test_order_of_an_account_that_may_not_be_seen_is_not_there(trader):
    other = make_order(account_no="87654321", made_by=trader.user)
    for path, body in deeds(other).items():
        if path != "new/":
            assert trader.post(path, body).status_code == 404, path
    assert trader.get(f"{other.pk}/").status_code == 404
    assert trader.get(f"{other.pk}/settle/").status_code == 404
    assert "87654321"[:4] not in text_of(trader.get())
    assert trader.get(f"{10**40}/").status_code == 404


@pytest.mark.usefixtures("no_password_is_compared")
def test_without_second_factor_nothing_is_done(broker):
    without = Browser(somebody("without", "trader"), verified=False)
    halfway = somebody("halfway", "trader")
    SecondFactor.objects.create(
        user=halfway, confirmed=True, confirmed_at=TEN, secret_encrypted=encrypt("A" * 32)
    )
    for browser, page in ((without, "/second-factor/"), (Browser(halfway, verified=False), "/login/code/")):
        order = make_order(made_by=browser.user)
        for path, body in deeds(order).items():
            response = browser.post(path, body)
            assert response.status_code == 302, path
            assert response["Location"].startswith(page), path
        order.refresh_from_db()
        assert (order.state, order.tries) == (State.PENDING, 0)
        step(order, State.ABANDONED, at=TEN, what="withdrawn")
    assert arrived(broker) == []


def test_factor_that_was_taken_away_does_not_count_any_more(trader, broker, waiting):
    second_factor.remove(trader.user)
    assert trader.confirm(waiting)["Location"].startswith("/second-factor/")
    assert arrived(broker) == []


@pytest.mark.usefixtures("no_password_is_compared")
def test_stale_password_is_asked_for_again_and_nothing_is_done(broker):
    browser = Browser(somebody("late", "trader"), fresh=False)
    order = make_order(made_by=browser.user)
    for path, body in deeds(order).items():
        if path.endswith(("look/", "give-up/")):
            continue
        response = browser.post(path, body)
        assert response.status_code == 302
        assert response["Location"].startswith("/login/again/?next=%2Forders%2F"), path
    order.refresh_from_db()
    assert (order.state, order.tries, arrived(broker)) == (State.PENDING, 0, [])


def test_who_types_the_password_again_finds_the_form_as_it_was_but_for_its_password(price):
    browser = Browser(somebody("late", "trader"), fresh=False)
    assert browser.get("new/")["Location"] == "/login/again/?next=%2Forders%2Fnew%2F"
    asked = browser.post("new/", buying(price, quantity="7"))
    assert PASSWORD not in asked["Location"]
    form = browser.client.get(asked["Location"])
    after = form.context["next"]
    back = browser.client.post(
        "/login/again/", {"password": "correct horse battery", "next": after}, follow=True
    )
    assert NOTHING_SENT in text_of(back)
    page = back.content.decode()
    assert 'value="7"' in page
    assert f'value="{price}"' in page
    assert PASSWORD not in page


def test_part_of_a_page_is_told_what_is_missing_without_a_form_in_it(trader, waiting):
    trader.confirm(waiting)
    path = f"{newest().pk}/look/"
    second_factor.remove(trader.user)
    assert trader.post(path, **{"HX-Request": "true"}).status_code == 401
    assert Client().post(f"/orders/{path}", headers={"HX-Request": "true"}).status_code == 401


def test_order_of_somebody_else_waits_for_him(trader, broker, waiting):
    second = Browser(somebody("second", "trader"))
    page = second.get(f"{newest().pk}/")
    assert page.context["code"] == ""
    assert "trader님이 사이트에서 낸 주문입니다" in text_of(page)
    assert "다른 사람이나 다른 곳에서 낸 주문" in said(
        second, second.confirm(waiting, code=waiting.context["code"])
    )
    assert (newest().tries, arrived(broker)) == (0, [])


def test_grant_that_was_taken_away_stops_a_waiting_order(trader, broker, waiting):
    trader.user.account_grants.update(role="viewer")
    assert trader.confirm(waiting).status_code == 403
    grant(trader.user, AccountNumber("87654321", "01"), is_paper=False, role="trader")
    assert trader.confirm(waiting).status_code == 403
    assert arrived(broker) == []


def test_superuser_orders_only_with_a_grant(price):
    boss = Browser(somebody("boss", is_superuser=True, is_staff=True))
    assert boss.get("new/").status_code == 403
    grant(boss.user, REAL, is_paper=False, role="trader")
    assert boss.get("new/").status_code == 200
    assert boss.propose(price).context["code"]


def test_strangers_and_staff_without_a_role_see_nothing(waiting):
    order = newest()
    for path in ("", "new/", f"{order.pk}/", f"{order.pk}/settle/"):
        response = Client().get(f"/orders/{path}")
        assert response["Location"] == f"/login/?next=/orders/{path}"
    assert Client().post(f"/orders/{order.pk}/confirm/")["Location"] == "/login/?next=/orders/"
    clerk = Browser(somebody("clerk", is_staff=True))
    assert clerk.get().status_code == clerk.get(f"{order.pk}/").status_code == 403


def test_nothing_is_taken_without_a_token_of_our_own_page(trader, broker, waiting):
    outside = Client(enforce_csrf_checks=True)
    outside.cookies = trader.client.cookies
    for path, body in deeds(newest()).items():
        assert outside.post(f"/orders/{path}", body).status_code == 403, path
    assert arrived(broker) == []


# --- its code --------------------------------------------------------------------------------------------------------


def test_code_is_in_no_table_no_log_no_address_and_on_no_other_page(trader, waiting, caplog):
    caplog.set_level(logging.DEBUG)
    code, order = waiting.context["code"], newest()
    reader = Browser(somebody("reader", "viewer"))
    for browser in (trader, reader):
        assert code not in browser.get().content.decode()
    assert code not in reader.get(f"{order.pk}/").content.decode()
    assert code in trader.get(f"{order.pk}/").content.decode()  # going back to it shows it again, here
    trader.confirm(waiting)
    assert code not in trader.get(f"{order.pk}/").content.decode()
    assert code not in caplog.text
    assert PASSWORD not in caplog.text
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # names of our own tables
            rows = str(cursor.fetchall())
            assert not re.search(rf"\b{code}\b", rows), table
            assert PASSWORD not in rows, table


def test_code_travels_encrypted_and_for_its_own_page_only(trader, price):
    response = trader.post("new/", buying(price))
    [(name, cookie)] = [pair for pair in response.cookies.items() if pair[0].startswith("aegis_code")]
    page = trader.client.get(response["Location"])
    assert page.context["code"] not in cookie.value
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (response["Location"], True, "Strict")
    assert cookie["max-age"] == 180
    order = newest()
    for wrong in ("", "x", encrypt("x"), encrypt(f"{order.pk}:0:ABCD"), encrypt(f"0:{trader.user.pk}:ABCD")):
        trader.client.cookies[name] = wrong
        shown = trader.get(f"{order.pk}/")
        assert shown.context["code"] == ""
        assert "이 브라우저에는 이 주문의 확인 코드가 없습니다" in text_of(shown)


def test_cookie_of_a_code_is_taken_away_with_the_order(trader, waiting):
    name = f"aegis_code_{newest().pk}"
    wrong = trader.confirm(waiting, code="0000")
    assert name not in wrong.cookies
    assert trader.confirm(waiting).cookies[name]["max-age"] == 0


# --- what stops an order ---------------------------------------------------------------------------------------------


def test_three_wrong_codes_lock_the_order_and_say_so_each_time(trader, broker, waiting):
    left = ["2번 더 입력할 수 있습니다", "1번 더 입력할 수 있습니다", "이 주문은 잠겼습니다"]
    for wrong, words in zip(("0000", "1111", "2222"), left, strict=True):
        assert words in said(trader, trader.confirm(waiting, code=wrong))
    assert newest().state is State.LOCKED
    trader.confirm(waiting)
    assert arrived(broker) == []


def test_code_sooner_than_anybody_can_read_is_too_early(trader, price):
    page = trader.propose(price)
    assert "잠시 뒤에 다시 확인해 주세요" in said(trader, trader.confirm(page))
    assert newest().state is State.PENDING


def test_wrong_password_is_counted_and_said_in_the_form(trader, price):
    for _ in range(5):
        response = trader.post("new/", buying(price, trading_password="wrong wrong"))
        assert response.status_code == 422
        assert "거래 비밀번호가 다릅니다." in text_of(response)
        assert "wrong wrong" not in response.content.decode()
    assert "15분 뒤에 다시 시도해 주세요" in text_of(trader.post("new/", buying(price)))
    assert not PendingOrder.objects.exists()


def test_every_shut_gate_is_named_in_the_form(trader, price):
    kill_switch.turn_on("시험", at=TEN, by="test")
    assert "주문 중지가 켜져 있습니다" in text_of(trader.get("new/"))
    response = trader.post("new/", buying(price, quantity="10,000"))
    assert response.status_code == 422
    shown = response.context["form"].non_field_errors()[0]
    assert len(shown.splitlines()) >= 2
    assert NOTHING_SENT in shown
    assert "10,000" in response.content.decode()
    assert "manage.py" not in text_of(response)


def test_switch_that_is_turned_on_in_between_stops_the_order(trader, broker, waiting):
    kill_switch.turn_on("시험", at=TEN, by="test")
    assert "주문 중지" in said(trader, trader.confirm(waiting))
    assert (newest().state, arrived(broker)) == (State.ABANDONED, [])
    page = text_of(trader.get(f"{newest().pk}/"))
    assert "까닭과 끄는 방법은 관리 화면의 ‘주문 중지’에 있습니다." in page
    assert "manage.py" not in page


UNFIT: tuple[tuple[dict[str, str | None], str], ...] = (
    ({"account": "없는 계좌"}, "목록에 있는 것을 골라 주세요."),
    ({"account": "12345678-01"}, "목록에 있는 것을 골라 주세요."),
    ({"side": None}, "매수와 매도 가운데 골라 주세요."),
    ({"code": "5930"}, "여섯 자리입니다."),
    ({"code": ""}, "종목코드를 적어 주세요."),
    ({"quantity": "0"}, "1주 이상이어야"),
    ({"quantity": "1.5"}, "소수점 없이"),
    ({"quantity": "열"}, "숫자로만"),
    ({"quantity": "9" * 15}, "너무 큽니다"),
    ({"quantity": ""}, "수량을 적어 주세요."),
    ({"price": ""}, "지정가에는 가격이 필요합니다."),
    ({"price": "-1"}, "1원 이상이어야"),
    ({"kind": "market"}, "시장가에는 가격을 적지 않습니다."),
    ({"kind": None, "price": None}, "지정가와 시장가 가운데"),
    ({"trading_password": ""}, "거래 비밀번호를 적어 주세요."),
    ({"name": "대원전선"}, "005930의 종목명은 삼성전자입니다."),
)


def test_what_cannot_be_an_order_is_said_beside_what_was_typed(trader, price):
    for changes, words in UNFIT:
        response = trader.post("new/", buying(price, **changes))
        assert response.status_code == 422, changes
        assert words in text_of(response), changes
    assert not PendingOrder.objects.exists()


def test_form_says_that_there_is_no_trading_password(trader):
    assert "set_trading_password" not in text_of(trader.get("new/"))
    TradingPassword.objects.all().delete()
    assert "manage.py set_trading_password" in text_of(trader.get("new/"))


def test_silent_broker_is_said_to_be_silent(trader, broker, price):
    broker.fault("FHKST01010100", "reset_before", times=9)
    response = trader.post("new/", buying(price))
    assert response.status_code == 422
    assert NOTHING_SENT in text_of(response)


def test_refusal_of_the_broker_is_the_outcome(trader, broker, waiting):
    broker.fault(BUY, "rate_limited", times=1)
    words = said(trader, trader.confirm(waiting))
    assert "증권사가 거절했습니다" in words
    assert newest().reason in words
    assert arrived(broker) == []


def test_database_that_is_gone_after_the_claim_is_no_licence_to_repeat(trader, clock, waiting, monkeypatch):
    def sent_and_lost(order, **_how):
        step(order, State.SENDING, at=clock.now, what="claimed", values={"claimed_at": clock.now})
        raise OperationalError("gone")

    monkeypatch.setattr("trading.safe_executor.execute", sent_and_lost)
    words = said(trader, trader.confirm(waiting))
    assert "같은 주문을 다시 내지 말고" in words
    assert "보내는 중입니다" in words


def test_folder_that_cannot_be_written_is_told_as_such(trader, waiting, monkeypatch):
    def full(*_arguments, **_how):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("trading.safe_executor.execute", full)
    words = said(trader, trader.confirm(waiting))
    assert "디스크가 가득" in words
    assert "No space" not in words


# --- an answer that was lost -----------------------------------------------------------------------------------------


@pytest.fixture
def lost(trader, broker, waiting):
    """Return an order that the exchange has, and whose answer was lost."""
    broker.fault(BUY, "reset_after")
    trader.confirm(waiting)
    order = newest()
    assert order.state is State.UNKNOWN
    return order


def test_lost_answer_says_what_is_known_and_what_to_do(trader, broker, lost, price):
    words = text_of(trader.get(f"{lost.pk}/"))
    assert "결과를 모릅니다. 접수되었을 수도, 아닐 수도 있습니다." in words
    assert "같은 주문을 다시 내지 말고" in words
    assert "2026-11-20 10:00" in words
    assert "결과를 모르는 주문이 있어 새 주문을 막았습니다" in text_of(trader.post("new/", buying(price)))
    assert "모름" in text_of(trader.get())
    assert len(arrived(broker)) == 1


def test_refreshing_a_lost_answer_sends_nothing(trader, broker, lost):
    for _ in range(3):
        trader.get(f"{lost.pk}/")
        trader.get(f"{lost.pk}/settle/")
        trader.post(f"{lost.pk}/look/")
        trader.post(f"{lost.pk}/confirm/", {"code": "XT9W", "trading_password": PASSWORD})
    assert len(arrived(broker)) == 1


def test_lost_order_is_adopted_on_the_owners_word(trader, broker, lost):
    number = arrived(broker)[0]["odno"].lstrip("0")
    page = trader.client.get(trader.post(f"{lost.pk}/look/")["Location"])
    [candidate] = page.context["candidates"]
    assert (candidate.number, candidate.is_alike) == (number, True)
    body = {"number": number, "word": "adopt", "trading_password": PASSWORD}
    wrong = trader.post(f"{lost.pk}/word/", {**body, "trading_password": "wrong wrong"})
    assert "아무것도 바꾸지 않았습니다" in said(trader, wrong)
    lost.refresh_from_db()
    assert lost.state is State.UNKNOWN
    assert "이 주문으로 적었습니다" in said(trader, trader.post(f"{lost.pk}/word/", body))
    lost.refresh_from_db()
    assert (lost.state, lost.odno.lstrip("0")) == (State.ACCEPTED, number)
    event = OrderEvent.objects.get(what="adopted")
    assert event.detail["by"] == "trader (사이트)"
    assert "결과를 모르는 주문이 아닙니다" in said(trader, trader.post(f"{lost.pk}/word/", body))
    assert trader.get(f"{lost.pk}/settle/")["Location"] == f"/orders/{lost.pk}/"


def test_order_of_another_program_is_disowned(trader, broker, lost, price):
    other = broker.post("external-order", {"code": SAMSUNG, "side": "buy", "qty": 9, "price": price})["odno"]
    page = trader.get(f"{lost.pk}/settle/")
    assert [each.is_alike for each in page.context["candidates"]] == [True, False]
    body = {"number": other.lstrip("0"), "word": "disown", "trading_password": PASSWORD}
    words = said(trader, trader.post(f"{lost.pk}/word/", body))
    assert "이 주문이 아니라고 적었습니다" in words
    assert "disowned" in events_of(lost)
    assert len(trader.get(f"{lost.pk}/settle/").context["candidates"]) == 1
    lost.refresh_from_db()
    assert lost.state is State.UNKNOWN


def test_number_that_is_no_candidate_is_refused(trader, broker, lost):
    body = {"number": "999999", "word": "adopt", "trading_password": PASSWORD}
    assert "후보가 아닙니다. ‘다시 확인’을 눌러 주세요." in said(
        trader, trader.post(f"{lost.pk}/word/", body)
    )
    lost.refresh_from_db()
    assert lost.state is State.UNKNOWN


def test_broker_that_cannot_be_asked_leaves_everything_as_it_is(trader, broker, lost):
    for tr in ("TTTC0081R", "TTTC8001R"):
        broker.fault(tr, "reset_before", times=50)
    assert "증권사에 확인하지 못했습니다" in said(trader, trader.post(f"{lost.pk}/look/"))
    page = trader.get(f"{lost.pk}/settle/")
    assert page.status_code == 503
    assert "아무것도 바꾸지 않았습니다" in text_of(page)
    part = trader.post(f"{lost.pk}/look/", **{"HX-Request": "true"})
    assert "결과를 모릅니다" in text_of(part)
    lost.refresh_from_db()
    assert lost.state is State.UNKNOWN


def test_lost_cancellation_says_that_the_order_may_still_be_filled(trader, broker, waiting, clock):
    trader.confirm(waiting)
    order = newest()
    page = trader.client.get(trader.post(f"{order.pk}/cancel/", {"trading_password": PASSWORD})["Location"])
    clock.go(seconds=5)
    broker.fault(CANCEL, "reset_after")
    words = said(trader, trader.confirm(page))
    assert "원주문은 아직 체결될 수 있습니다" in words
    [candidate] = trader.get(f"{newest().pk}/settle/").context["candidates"]
    assert candidate.what == f"원주문번호 {order.odno.lstrip('0')} 취소"


# --- what is shown ---------------------------------------------------------------------------------------------------


def sent_order(trader):
    order = make_order(made_by=trader.user)
    step(order, State.SENDING, at=TEN, what="claimed", values={"claimed_at": TEN, "market_at": TEN})
    return order


def test_every_end_of_an_order_has_its_page(trader):
    for state, words in (
        (State.REJECTED, "증권사가 거절했습니다"),
        (State.NOT_SENT, "보내지 않았습니다"),
        (State.UNKNOWN, "결과를 모릅니다"),
    ):
        order = sent_order(trader)
        assert "보내는 중입니다" in text_of(trader.get(f"{order.pk}/"))
        step(order, state, at=TEN, what="answered", values={"reason": "시험"})
        assert words in text_of(trader.get(f"{order.pk}/"))
    step(order, State.NOT_PLACED, at=TEN, what="not_placed")
    assert "접수되지 않은 것으로 확인했습니다" in text_of(trader.get(f"{order.pk}/"))


def test_every_state_at_the_broker_has_its_page(trader):
    for odno, (state, words) in enumerate(
        (
            (State.PARTIAL, "일부 체결되었습니다"),
            (State.FILLED, "모두 체결되었습니다"),
            (State.CANCELLED, "취소되었습니다"),
            (State.EXPIRED, "장이 끝나 남은 수량이 소멸했습니다"),
        ),
        1,
    ):
        order = sent_order(trader)
        number = {"odno": f"{odno:010}", "branch": "06010", "ord_dt": TEN.date()}
        step(order, State.ACCEPTED, at=TEN, what="answered", values=number)
        step(order, state, at=TEN, what="followed", detail={"filled": 4, "left": 6})
        page = text_of(trader.get(f"{order.pk}/"))
        assert words in page
        assert "체결 4주" in page


def test_names_of_stocks_are_text_and_nothing_else(trader):
    hostile = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    order = make_order(
        stock_name=hostile,
        made_by=trader.user,
        preview={"lines": ["실전", f"  매수  {hostile}  005930 KOSPI"]},
        reason=hostile,
    )
    trader.user.username = "<b>boss</b>"
    trader.user.save()
    for path in ("", f"{order.pk}/"):
        page = trader.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>boss" not in page
    page = trader.get("new/?code=%3Cscript%3Ealert(1)%3C/script%3E&account=%22%3E%3Cb%3E").content.decode()
    assert "<script>alert" not in page


def test_list_takes_as_many_queries_for_a_page_as_for_one_order(trader):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            page = trader.get()
        return len(captured), page

    def add_one():
        order = make_order(made_by=trader.user)
        step(order, State.ABANDONED, at=TEN, what="withdrawn")

    add_one()
    queries()
    first, _ = queries()
    for _ in range(views.ROWS + 5):
        add_one()
    many, page = queries()
    assert many == first
    assert len(page.context["page"]) == views.ROWS
    assert "1 / 2" in text_of(page)
    assert len(trader.get("?page=2").context["page"]) == 6
    for odd in ("x", "99", "-1"):
        assert trader.get(f"?page={odd}").status_code == 200
