"""Orders over the API: who may send them, what each answer says, and what reaches the exchange."""

import errno
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from kis.access import visible_accounts
from kis.client.codes import AccountNumber
from kis.grants import grant
from kis.models import ApiToken
from kis.tokens import create_token
from tests.kis.api_rows import error_of
from tests.trading.conftest import CODE, PASSWORD, TEN, desk_at, make_order
from tests.trading.terminal import configure
from tests.trading.trades import SAMSUNG, arrived, last_price
from trading import api, counter, kill_switch, password
from trading.models import OrderEvent, PendingOrder
from trading.states import State
from trading.steps import step

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("with_password", "real_enabled"),
]
REAL = AccountNumber("12345678", "01")


class Program:
    """Somebody's program with a token of his."""

    def __init__(self, user, scope="trade"):
        self.user = user
        _, self.text = create_token(user, name="script", scope=scope)

    def post(self, path, body=None, **headers):
        return Client().post(
            f"/api/v1/orders{path}",
            json.dumps({} if body is None else body),
            content_type="application/json",
            headers={"authorization": f"Bearer {self.text}", **headers},
        )

    def get(self, path=""):
        return Client().get(f"/api/v1/orders{path}", headers={"authorization": f"Bearer {self.text}"})


@pytest.fixture(autouse=True)
def site(simulator, settings, clock, posts, monkeypatch):
    """Let the site reach the simulator by the clock of the test."""
    cache.clear()
    configure(settings, simulator, "real")
    monkeypatch.setattr(counter, "open_desk", lambda mode, account: desk_at(simulator, clock, posts, mode))
    monkeypatch.setattr(api, "now", clock.wall)


def somebody(name, role=None, **columns):
    user = get_user_model().objects.create_user(name, **columns)
    if role:
        grant(user, REAL, is_paper=False, role=role)
    return user


@pytest.fixture
def trader():
    return Program(somebody("trader", "trader"))


@pytest.fixture
def price(desk):
    """Return a price that waits: a little below the last one, a valid tick."""
    return last_price(desk) * 98 // 100 // 500 * 500


def buying(asked, /, **changes):
    return {
        "account": "실전",
        "side": "BUY",
        "stock_code": SAMSUNG,
        "quantity": 3,
        "price": asked,
        "trading_password": PASSWORD,
        **changes,
    }


def proposed(program, price, **changes):
    response = program.post("", buying(price, **changes))
    assert response.status_code == 201, response.content.decode()
    return response.json()


def sent(program, price, clock):
    """Propose and confirm an order; return it as it was answered."""
    told = proposed(program, price)
    clock.go(seconds=5)
    body = {"code": told["code"], "trading_password": PASSWORD}
    response = program.post(f"/{told['order']['id']}/confirm/", body)
    assert response.status_code == 200, response.content.decode()
    return response.json()


# --- an order, from its words to the exchange -------------------------------------------------------------------------


def test_order_is_shown_with_its_code_and_nothing_is_sent(trader, broker, price):
    told = proposed(trader, price)
    order = told["order"]
    assert arrived(broker) == []
    assert (order["status"], order["quantity"], order["price"]) == ("pending", 3, price)
    assert (order["account"], order["account_no"], order["made_by"]) == ("실전", "1234****-01", "trader")
    assert order["source"] == "api"
    assert any(f"{price:,}원" in line for line in order["preview"])
    assert len(told["code"]) == 4
    assert "12345678" not in json.dumps(told)


def test_code_is_shown_once_and_to_nobody_else(trader, price, caplog):
    caplog.set_level(logging.DEBUG)
    told = proposed(trader, price)
    row = PendingOrder.objects.get()
    reader = Program(somebody("boss", is_superuser=True, is_staff=True), scope="read")
    for program in (trader, reader):
        for path in ("", f"/{row.pk}", "?format=csv"):
            response = program.get(path)
            text = response.getvalue().decode() if response.streaming else response.content.decode()
            assert told["code"] not in text
            assert row.code_hash not in text
    assert told["code"] not in caplog.text
    assert PASSWORD not in caplog.text
    with connection.cursor() as cursor:
        for statement in ("SELECT * FROM trading_order", "SELECT * FROM trading_order_event"):
            cursor.execute(statement)
            assert told["code"] not in str(cursor.fetchall())


def test_confirmed_order_is_sent_once(trader, broker, price, clock):
    told = proposed(trader, price)
    clock.go(seconds=5)
    body = {"code": told["code"], "trading_password": PASSWORD}
    address = f"/{told['order']['id']}/confirm/"
    response = trader.post(address, body)
    [at_exchange] = arrived(broker)
    assert (response.status_code, response.json()["status"]) == (200, "accepted")
    assert response.json()["odno"].lstrip("0") == at_exchange["odno"].lstrip("0")
    again = error_of(trader.post(address, body), 409)
    assert again["code"] == "nothing_to_confirm"
    assert "다시 내지 마세요" in again["message"]
    assert len(arrived(broker)) == 1


def test_order_at_the_market_has_no_price(trader, price):
    body = buying(price)
    del body["price"]
    assert trader.post("", body).json()["order"]["price"] == 0
    assert trader.post("", {**body, "price": None}).json()["order"]["price"] == 0


def test_answer_that_was_lost_is_unknown_and_said_so(trader, broker, price, clock):
    told = proposed(trader, price)
    clock.go(seconds=5)
    broker.fault("TTTC0012U", "reset_after")
    Schedule.objects.create(func="aegis.tasks.send_alerts", next_run=timezone.now())
    response = trader.post(
        f"/{told['order']['id']}/confirm/", {"code": told["code"], "trading_password": PASSWORD}
    )
    assert (response.status_code, response.json()["status"]) == (200, "unknown")
    assert OrmQ.objects.count() == 1  # the worker is asked to tell, wherever the owner is
    assert response.json()["reason"]
    refused = error_of(trader.post("", buying(price)), 422)
    assert [reason["gate"] for reason in refused["detail"]["reasons"]] == ["unsettled"]


def test_refusal_of_the_broker_is_the_outcome(trader, broker, price, clock):
    told = proposed(trader, price)
    clock.go(seconds=5)
    broker.fault("TTTC0012U", "rate_limited", times=1)
    response = trader.post(
        f"/{told['order']['id']}/confirm/", {"code": told["code"], "trading_password": PASSWORD}
    )
    assert (response.status_code, response.json()["status"]) == (200, "rejected")
    assert "거절했습니다" in response.json()["reason"]
    assert arrived(broker) == []


def test_waiting_order_is_given_up(trader, broker, price, clock):
    told = proposed(trader, price)
    address = f"/{told['order']['id']}"
    assert trader.post(f"{address}/cancel/").json()["status"] == "abandoned"
    clock.go(seconds=5)
    body = {"code": told["code"], "trading_password": PASSWORD}
    assert error_of(trader.post(f"{address}/confirm/", body), 409)["code"] == "nothing_to_confirm"
    assert error_of(trader.post(f"{address}/cancel/"), 409)["code"] == "nothing_to_cancel"
    assert arrived(broker) == []


def test_waiting_order_whose_time_is_over_is_said_to_be_so(trader, price, clock):
    told = proposed(trader, price)
    clock.go(minutes=10)
    assert trader.post(f"/{told['order']['id']}/cancel/").json()["status"] == "expired"


def test_order_at_the_broker_is_cancelled_the_same_way(trader, broker, price, clock):
    order = sent(trader, price, clock)
    bare = error_of(trader.post(f"/{order['id']}/cancel/"), 400)
    assert bare["detail"] == {"field": "trading_password"}
    response = trader.post(f"/{order['id']}/cancel/", {"trading_password": PASSWORD})
    assert response.status_code == 201
    told = response.json()
    assert (told["order"]["kind"], told["order"]["origin_number"]) == ("cancel", order["odno"])
    clock.go(seconds=5)
    body = {"code": told["code"], "trading_password": PASSWORD}
    assert trader.post(f"/{told['order']['id']}/confirm/", body).status_code == 200
    assert not broker.order(order["odno"])["open"]


# --- who may ---------------------------------------------------------------------------------------------------------


def paths(order):
    return {
        "": buying(50_000),
        f"/{order.pk}/confirm/": {"code": CODE, "trading_password": PASSWORD},
        f"/{order.pk}/cancel/": {},
    }


@pytest.fixture
def no_password_is_compared(monkeypatch):
    def compared(*_arguments, **_named):
        raise AssertionError("a trading password was compared")

    monkeypatch.setattr(password, "matches", compared)


@pytest.mark.usefixtures("no_password_is_compared")
def test_only_a_trading_token_of_somebody_who_may_writes(trader, broker):
    order = make_order(made_by=trader.user)
    both = somebody("both", "trader")
    ungrouped = somebody("ungrouped", "trader")
    ungrouped.groups.clear()
    viewers = [
        Program(both, scope="read"),
        Program(ungrouped),
        Program(somebody("viewer", "viewer")),
        Program(somebody("boss", is_superuser=True, is_staff=True)),
    ]
    for program in viewers:
        for path, body in paths(order).items():
            code = error_of(program.post(path, body), 403)["code"]
            assert code in {"permission_denied", "may_not_order"}
    order.refresh_from_db()
    assert (order.state, order.tries, arrived(broker)) == (State.PENDING, 0, [])


def test_sign_in_of_a_browser_orders_nothing(trader, client):
    client.force_login(trader.user)
    for path, body in paths(make_order(made_by=trader.user)).items():
        response = client.post(f"/api/v1/orders{path}", json.dumps(body), content_type="application/json")
        assert error_of(response, 403)["code"] == "permission_denied"
    assert client.get("/api/v1/orders").status_code == 200


def test_superuser_orders_only_with_a_grant(broker, price):
    boss = somebody("boss", is_superuser=True, is_staff=True)
    assert error_of(Program(boss).post("", buying(price)), 403)["code"] == "may_not_order"
    grant(boss, REAL, is_paper=False, role="trader")
    assert Program(boss).post("", buying(price)).status_code == 201


def test_order_of_another_account_is_not_there(trader):
    other = make_order(account_no="87654321")
    for path, body in paths(other).items():
        if path:
            assert error_of(trader.post(path, body), 404)["code"] == "not_found"
    assert error_of(trader.get(f"/{other.pk}"), 404)["code"] == "not_found"


def test_order_is_confirmed_by_whoever_proposed_it(trader, price, clock):
    told = proposed(trader, price)
    clock.go(seconds=5)
    second = Program(somebody("second", "trader"))
    body = {"code": told["code"], "trading_password": PASSWORD}
    address = f"/{told['order']['id']}/confirm/"
    assert error_of(second.post(address, body), 403)["code"] == "not_your_order"
    assert PendingOrder.objects.get().tries == 0
    assert trader.post(address, body).status_code == 200


def test_grant_that_was_taken_away_stops_a_waiting_order(trader, broker, price, clock):
    told = proposed(trader, price)
    clock.go(seconds=5)
    trader.user.account_grants.update(role="viewer")
    body = {"code": told["code"], "trading_password": PASSWORD}
    response = trader.post(f"/{told['order']['id']}/confirm/", body)
    assert error_of(response, 403)["code"] == "may_not_order"
    assert arrived(broker) == []


# --- what stops an order ---------------------------------------------------------------------------------------------


def test_wrong_password_is_counted_and_said(trader, price):
    body = buying(price, trading_password="wrong wrong")
    assert error_of(trader.post("", body), 403)["code"] == "wrong_password"
    for _ in range(4):
        trader.post("", body)
    locked = error_of(trader.post("", buying(price)), 423)
    assert (locked["code"], locked["detail"]) == ("password_locked", {"retry_after": 900})


def test_wrong_code_is_counted_and_not_told_from_a_wrong_password(trader, broker, price, clock):
    told = proposed(trader, price)
    clock.go(seconds=5)
    address = f"/{told['order']['id']}/confirm/"
    wrong_code = trader.post(address, {"code": "0000", "trading_password": PASSWORD})
    wrong_password = trader.post(address, {"code": told["code"], "trading_password": "wrong wrong"})
    first, second = error_of(wrong_code, 403), error_of(wrong_password, 403)
    assert (first["code"], first["detail"]) == ("not_confirmed", {"tries_left": 2})
    assert (second["code"], second["detail"]) == ("not_confirmed", {"tries_left": 1})
    assert arrived(broker) == []


def test_code_sooner_than_anybody_can_read_is_too_early(trader, price):
    told = proposed(trader, price)
    body = {"code": told["code"], "trading_password": PASSWORD}
    assert error_of(trader.post(f"/{told['order']['id']}/confirm/", body), 409)["code"] == "too_early"


def test_shut_gates_are_named(trader, price):
    kill_switch.turn_on("시험", at=TEN, by="test")
    error = error_of(trader.post("", buying(price, quantity=10_000)), 422)
    assert error["code"] == "order_refused"
    gates = [reason["gate"] for reason in error["detail"]["reasons"]]
    assert gates[0] == "kill_switch"
    assert "order_amount" in gates
    assert all(reason["message"] for reason in error["detail"]["reasons"])
    assert "manage.py" not in str(error)


def test_name_that_is_not_that_of_the_code_is_refused(trader, price):
    error = error_of(trader.post("", buying(price, stock_name="대원전선")), 422)
    assert error["code"] == "wrong_stock"
    assert "삼성전자" in error["message"]


def test_silent_broker_is_said_to_be_silent(trader, broker, price):
    broker.fault("FHKST01010100", "reset_before", times=9)
    error = error_of(trader.post("", buying(price)), 503)
    assert error["code"] == "broker_unreachable"
    assert "주문은 보내지 않았습니다." in error["message"]


def test_database_that_is_gone_after_the_claim_is_no_licence_to_repeat(
    trader, broker, price, clock, monkeypatch
):
    told = proposed(trader, price)
    clock.go(seconds=5)

    def sent_and_lost(order, **_how):
        step(order, State.SENDING, at=clock.now, what="claimed", values={"claimed_at": clock.now})
        raise OperationalError("gone")

    monkeypatch.setattr("trading.safe_executor.execute", sent_and_lost)
    body = {"code": told["code"], "trading_password": PASSWORD}
    error = error_of(trader.post(f"/{told['order']['id']}/confirm/", body), 503)
    assert error["code"] == "storage_failed"
    assert "같은 주문을 다시 내지 말고" in error["message"]


def test_folder_that_cannot_be_written_is_told_as_such(trader, broker, price, clock, monkeypatch):
    told = proposed(trader, price)
    clock.go(seconds=5)

    def full(*_args, **_how):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("trading.safe_executor.execute", full)
    body = {"code": told["code"], "trading_password": PASSWORD}
    error = error_of(trader.post(f"/{told['order']['id']}/confirm/", body), 503)
    assert error["code"] == "storage_failed"
    assert "No space" not in error["message"]


def test_order_of_an_account_that_is_connected_no_more_is_not_found(
    trader, broker, price, clock, monkeypatch
):
    told = proposed(trader, price)
    other = SimpleNamespace(number=AccountNumber("99999999", "01"), is_paper=False)
    monkeypatch.setattr(counter, "visible_accounts", lambda _user: [other])
    body = {"code": told["code"], "trading_password": PASSWORD}
    error_of(trader.post(f"/{told['order']['id']}/confirm/", body), 404)


def test_orders_are_asked_for_at_a_human_pace(trader, monkeypatch):
    monkeypatch.setattr(api.OrderRate, "THROTTLE_RATES", {"orders": "2/min"})
    for _ in range(2):
        trader.post("", {})
    response = trader.post("", {})
    assert error_of(response, 429)["code"] == "throttled"
    assert trader.get().status_code == 200


# --- what is sent ----------------------------------------------------------------------------------------------------


UNFIT: dict[str, tuple[Any, ...]] = {
    "account": ("", "없는 계좌", "12345678-01", 1, None, ["실전"], "\0", "\ud800"),
    "side": ("buy", "", None, 1, [], {}),
    "stock_code": ("5930", "005930\n", " 005930", "００５９３０", 5930, None),
    "stock_name": (1, None, "가" * 51, "\0"),
    "quantity": (0, -1, "3", 1.5, True, None, 10**30, []),
    "price": (0, -1, "71000", 0.5, False, 10**30),
    "trading_password": ("", 1, None, "x" * 129),
    "code": (CODE,),
    "is_paper": (True,),
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in UNFIT.items() for value in values]
)
def test_value_that_cannot_be_is_refused_with_its_name(trader, field, value):
    error = error_of(trader.post("", buying(50_000, **{field: value})), 400)
    assert (error["code"], error["detail"]) == ("bad_parameter", {"field": field})
    assert not PendingOrder.objects.exists()


@pytest.mark.parametrize("field", ["account", "side", "stock_code", "quantity", "trading_password"])
def test_missing_value_is_named(trader, field):
    body = buying(50_000)
    del body[field]
    assert error_of(trader.post("", body), 400)["detail"] == {"field": field}


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b'"x"', b"null", b"\xff", b'{"a": NaN}', b"[" * 20_000, b"9" * 5_000),
        *(b" " * 20_000 + b"{}", '{"side": "BUY"}'.encode("utf-16")),
    ],
)
def test_body_that_is_no_order_is_refused(trader, body):
    for path in ("", "/1/confirm/", "/1/cancel/"):
        response = Client().generic(
            "POST",
            f"/api/v1/orders{path}",
            body,
            content_type="application/json; charset=base64",
            headers={"authorization": f"Bearer {trader.text}"},
        )
        assert response.status_code in {400, 404}
        assert error_of(response, response.status_code)


def test_other_forms_of_a_body_are_not_taken(trader):
    response = Client().post(
        "/api/v1/orders", {"side": "BUY"}, headers={"authorization": f"Bearer {trader.text}"}
    )
    assert error_of(response, 415)["code"] == "unsupported_media_type"


def test_conditions_have_no_place_behind_an_order(trader):
    assert error_of(trader.post("?account=실전", buying(50_000)), 400)["code"] == "unknown_parameter"


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_orders_are_listed_and_narrowed(trader):
    first, second = make_order(stock_code="000660"), make_order(account_no="87654321")
    step(first, State.ABANDONED, at=first.made_at, what="withdrawn")
    assert [row["id"] for row in trader.get().json()["results"]] == [first.pk]
    assert trader.get("?status=pending").json()["results"] == []
    assert [row["id"] for row in trader.get("?code=000660&kind=order").json()["results"]] == [first.pk]
    assert "preview" not in trader.get().json()["results"][0]
    assert second.pk not in [row["id"] for row in trader.get().json()["results"]]


def test_history_says_who_ordered(trader, price):
    proposed(trader, price)
    assert PendingOrder.objects.get().made_by == trader.user
    assert OrderEvent.objects.get(what="proposed").detail["source"] == "api"
    assert [account.label for account in visible_accounts(trader.user)] == ["실전"]
    assert ApiToken.objects.get().used_at is not None
