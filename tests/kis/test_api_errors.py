"""What the API refuses: always in one shape, with a code to rely on and a Korean sentence."""

import re
from base64 import b64encode
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.http import QueryDict
from django.test import Client
from rest_framework.throttling import UserRateThrottle

from kis.api import views
from kis.api.errors import MESSAGES
from tests.factories import Stock, fill, snapshot
from tests.kis.api_rows import ROUTES, error_of
from tests.kis.owning import store

pytestmark = pytest.mark.django_db
HANGUL = re.compile("[가-힣]")


@pytest.mark.parametrize(
    ("route", "field", "value"),
    [
        ("accounts", "mode", "demo"),
        ("accounts", "mode", "REAL"),
        ("accounts", "latest", "1"),
        ("accounts", "account", "없는 계좌"),
        ("accounts", "account", "1234****-99"),
        ("accounts", "account", "12345678-01"),
        ("accounts", "account", "1234567801"),
        ("accounts", "account", "\0"),
        ("accounts", "from", "2025-02-30"),
        ("accounts", "from", "20250616"),
        ("accounts", "from", "0001-01-01"),
        ("accounts", "to", "9999-12-31"),
        ("accounts", "to", "2025-06-16T10:00:00"),
        ("accounts", "to", "٢٠٢٥-06-16"),
        ("holdings", "code", "삼성전자"),
        ("holdings", "code", "005930'--"),
        ("holdings", "code", "00593\0"),
        ("holdings", "ordering", "raw_json"),
        ("holdings", "ordering", "--snapshot_at"),
        ("holdings", "ordering", "kis_account__account_no"),
        ("holdings", "ordering", "-evlu_amt"),
        ("holdings", "limit", "0"),
        ("holdings", "limit", "501"),
        ("holdings", "limit", "-1"),
        ("holdings", "limit", "1e2"),
        ("holdings", "limit", "9" * 5_000),
        ("holdings", "cursor", "x"),
        ("holdings", "cursor", b64encode(b'{"order": ""}').decode()),
        ("holdings", "format", "xml"),
        ("holdings", "format", "api"),
        ("order-details", "status", "unknown"),
        ("daily-summaries", "state", "추정"),
        ("sync-runs", "agreement", "yes"),
        ("sync-runs", "job", "'; --"),
        ("stocks", "market", "NASDAQ"),
        ("kb-trades", "kind", "gift"),
        ("kb-trades", "account", "123456789-01"),
        ("kb-trades", "account", "\0"),
    ],
)
def test_bad_value_is_refused_with_the_name_of_its_parameter(api, route, field, value):
    snapshot([Stock()])
    error = api.error(route, 400, **{field: value})
    assert (error["code"], error["detail"]) == ("bad_parameter", {"field": field})
    assert HANGUL.search(error["message"])


@pytest.mark.parametrize("name", ["from", "account", "code", "limit", "ordering", "cursor", "format"])
def test_empty_and_repeated_parameters_are_refused(api, name):
    for address in (f"?{name}=", f"?{name}=a&{name}=b"):
        response = api.client.get(f"/api/v1/holdings{address}")
        assert error_of(response, 400)["detail"] == {"field": name}


@pytest.mark.parametrize("route", ROUTES)
def test_unknown_parameter_is_refused_never_ignored(api, route):
    error = api.error(route, 400, odno="1")
    assert (error["code"], error["detail"]) == ("unknown_parameter", {"field": "odno"})
    assert "ordering" in error["message"]
    assert api.error(route, 400, **{"<script>": "1"})["detail"] == {"field": "?"}


def test_one_row_takes_no_conditions(api):
    account = snapshot()
    assert api.error(f"accounts/{account.pk}", 400, mode="real")["code"] == "unknown_parameter"
    assert api.error(f"accounts/{account.pk}", 400, format="csv")["detail"] == {"field": "format"}


def test_days_the_wrong_way_round_are_refused(api):
    query = {"from": "2025-06-17", "to": "2025-06-16"}
    assert api.error("executions", 400, **query)["detail"] == {"field": "from"}


def test_account_of_the_other_mode_is_refused_not_empty(api):
    assert api.error("executions", 400, account="실전", mode="paper")["detail"] == {"field": "mode"}


def test_masked_number_of_two_accounts_is_refused(api):
    store("둘째", "12349999-01")
    error = api.error("accounts", 400, account="1234****-01")
    assert error["detail"] == {"field": "account"}
    assert "실전, 둘째" in error["message"]


def test_account_number_is_not_repeated(api):
    for name in ("98765432-01", "9876543201"):
        assert "98765432" not in str(api.error("accounts", 400, account=name))


def test_cursor_of_another_order_or_list_is_refused(api):
    snapshot([Stock(), Stock(code="000660")])
    fill(1)
    fill(2)
    address = api.get("holdings", limit=1).json()["next"]
    held = QueryDict(urlsplit(address).query)["cursor"]
    assert api.error("holdings", 400, cursor=held, ordering="snapshot_at")["detail"] == {"field": "cursor"}
    assert api.error("executions", 400, cursor=held)["detail"] == {"field": "cursor"}
    assert api.error("holdings", 400, cursor=held[:-1])["detail"] == {"field": "cursor"}


def test_too_many_parameters_are_refused(api):
    response = api.client.get("/api/v1/accounts?" + "&".join(f"p{number}=1" for number in range(1_100)))
    assert error_of(response, 400)["code"] == "bad_request"


@pytest.mark.parametrize(
    "path",
    ["", "nothing", "accounts/0", "accounts/999999999999999999", "accounts/x", "accounts/-1", "accounts/1/2"],
)
def test_nothing_there_is_said_in_the_same_shape(api, path):
    assert api.error(path, 404)["code"] == "not_found"
    for address in ("/api", "/api/", "/api/v2/accounts"):
        assert error_of(api.client.get(address), 404)["code"] == "not_found"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
@pytest.mark.parametrize("path", ["accounts", "accounts/1"])
def test_nothing_can_be_written(api, path, method):
    response = getattr(api.client, method)(f"/api/v1/{path}")
    assert error_of(response, 405)["code"] == "method_not_allowed"


def test_writing_without_a_token_is_refused_in_the_same_shape():
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.create_superuser("owner"))
    assert error_of(client.post("/api/v1/accounts"), 403)["code"] == "permission_denied"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*"])
def test_other_forms_are_not_offered(api, accept):
    response = api.client.get("/api/v1/accounts", headers={"accept": accept})
    assert error_of(response, 406)["code"] == "not_acceptable"


def test_browser_that_takes_anything_gets_json(api):
    response = api.client.get(
        "/api/v1/accounts", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    )
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


def test_asking_too_often_says_when_to_come_back(api, monkeypatch):
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "2/min"})
    for _ in range(2):
        assert api.get("accounts").status_code == 200
    response = api.get("accounts")
    error = error_of(response, 429)
    assert error["code"] == "throttled"
    assert 1 <= error["detail"]["retry_after"] <= 60
    assert response["Retry-After"] == str(error["detail"]["retry_after"])


def test_trouble_of_ours_is_logged_and_not_shown(api, monkeypatch, caplog):
    def broken(*_arguments, **_named):
        raise ZeroDivisionError("account 12 of 10.0.0.5")

    monkeypatch.setattr(views, "page_of", broken)
    response = api.get("accounts")
    assert error_of(response, 500)["code"] == "server_error"
    assert b"10.0.0.5" not in response.content
    assert "API request failed" in caplog.text
    assert "of 10.0.0.5" in caplog.text


def test_database_that_is_away_is_said_with_when_to_come_back(api, monkeypatch, caplog):
    def gone(*_arguments, **_named):
        raise OperationalError("server at 10.0.0.5 is gone")

    monkeypatch.setattr(views, "page_of", gone)
    response = api.get("accounts")
    error = error_of(response, 503)
    assert (error["code"], error["detail"]) == ("database_unavailable", {"retry_after": 30})
    assert "데이터베이스에 연결하지 못했습니다" in error["message"]
    assert response["Retry-After"] == "30"
    assert b"10.0.0.5" not in response.content
    assert "server at 10.0.0.5 is gone" in caplog.text


def test_request_for_another_host_is_refused_in_the_same_shape(client):
    response = client.get("/api/v1/accounts", headers={"host": "evil.example"})
    assert error_of(response, 400)["code"] == "bad_request"
    assert client.get("/admin/", headers={"host": "evil.example"})["Content-Type"].startswith("text/html")


def test_every_code_has_a_korean_sentence():
    assert all(HANGUL.search(message) for message in MESSAGES.values())
