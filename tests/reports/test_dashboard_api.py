"""The dashboard as JSON: the figures of page and PDF, with the errors and permissions of the other addresses."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kis.client.codes import AccountNumber
from kis.grants import grant
from tests.factories import AT, fill, order, snapshot, stocks, sync_run
from tests.kis.api_rows import error_of
from tests.kis.owning import of_owner

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/dashboard"


@pytest.fixture(autouse=True)
def owner_with_both_modes(settings, monkeypatch):
    cache.clear()
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01", paper="50012345-01")
    monkeypatch.setattr("reports.live.market_now", lambda: AT + timedelta(seconds=12))


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def usual(**changes):
    account = snapshot(stocks(20), run=sync_run(), today_fee=12_337, **changes)
    for number in range(3):
        fill(number)
        order(account, number)
    return account


def body(response):
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def test_figures_are_those_of_the_books(owner):
    account = usual()
    told = body(owner.get(ADDRESS))
    assert (told["name"], told["mode"], told["account_no"]) == ("실전", "real", "1234****-01")
    assert told["as_of"] == "2025-06-16T14:20:00+09:00"
    assert told["generated_at"] == "2025-06-16T14:20:12+09:00"
    figures = told["account"]
    assert figures["total"] == account.total_eval_amt
    assert figures["profit"] == account.total_profit_loss
    assert {row["code"]: row["value"] for row in told["holdings"]} == {
        row.stock_code: row.evlu_amt for row in account.holdings.all()
    }
    assert sum(row["value"] for row in told["holdings"]) == told["total"]["value"]


def test_won_is_a_number_and_rates_are_text_with_the_decimals_that_are_shown(owner):
    usual()
    told = body(owner.get(ADDRESS))
    [first, *_] = told["holdings"]
    assert isinstance(first["value"], int)
    assert len(first["weight"].split(".")[1]) == 1
    assert len(first["profit_pct"].split(".")[1]) == 2
    assert len(told["account"]["profit_pct"].split(".")[1]) == 2
    assert told["open_orders"]["rows"][0]["age"] >= 0

    def walk(value, path=""):
        assert not isinstance(value, float), path
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(item, dict | list):
                walk(item, f"{path}/{key}")
            assert not isinstance(item, float), f"{path}/{key}"

    walk(told)
    assert "12345678" not in json.dumps(told)


def test_page_and_json_say_the_same_numbers(owner):
    usual()
    told, page = body(owner.get(ADDRESS)), owner.get("/").content.decode()
    assert f"{told['account']['total']:,}원" in page
    for row in told["holdings"]:
        assert f"{row['value']:,}" in page
        assert f">{row['weight']}<" in page


def test_what_is_unknown_is_null(owner):
    snapshot(cash=10, run=None, previous_assets=0, orderable_cash=None)
    told = body(owner.get(ADDRESS))
    assert told["account"]["day_change"] is None
    assert told["account"]["orderable"] is None
    assert told["sync_run_id"] is None
    assert told["realised"]["today"] is None or isinstance(told["realised"]["today"], int)


def test_part_that_could_not_be_made_is_an_error_of_its_own(owner, monkeypatch):
    usual()

    def broken(*_arguments, **_named):
        raise ZeroDivisionError

    monkeypatch.setattr("reports.figures.dashboard.trend_of", broken)
    told = body(owner.get(ADDRESS))
    assert told["trend"] == {"error": "오류가 나서 이 칸만 비워 두었습니다."}
    assert told["account"]["total"]


def test_unchanged_figures_are_not_sent_again(owner):
    usual()
    first = owner.get(ADDRESS)
    second = owner.get(ADDRESS, headers={"If-None-Match": first["ETag"]})
    assert (second.status_code, second.content, second["ETag"]) == (304, b"", first["ETag"])
    snapshot(stocks(2), at=AT + timedelta(seconds=5), run=sync_run())
    assert owner.get(ADDRESS, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_accounts_modes_and_moments_can_be_named(owner):
    usual()
    snapshot(cash=77_000_000, is_paper=True)
    snapshot(cash=1_000_000, at=AT - timedelta(days=3), with_closes=False)
    assert body(owner.get(f"{ADDRESS}?mode=paper"))["account"]["total"] == 77_000_000
    assert body(owner.get(f"{ADDRESS}/?account=모의"))["mode"] == "paper"
    assert body(owner.get(f"{ADDRESS}?as_of=2025-06-14"))["account"]["total"] == 1_000_000


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?account=없는계좌", 400, "bad_parameter"),
        ("?account=12345678-01", 400, "bad_parameter"),
        ("?account=실전&mode=paper", 400, "bad_parameter"),
        ("?mode=demo", 400, "bad_parameter"),
        ("?as_of=yesterday", 400, "bad_parameter"),
        ("?as_of=2025-01-01", 404, "not_found"),
        ("?latest=true", 400, "unknown_parameter"),
        ("?format=csv", 400, "bad_parameter"),
    ],
)
def test_mistakes_are_told_as_everywhere(owner, query, status, code):
    usual()
    assert error_of(owner.get(ADDRESS + query), status)["code"] == code


def test_strangers_and_readers_of_nothing_are_refused(client):
    usual()
    assert error_of(client.get(ADDRESS), 401)["code"] == "not_authenticated"
    user = get_user_model().objects.create_user("reader", is_staff=True)
    client.force_login(user)
    assert error_of(client.get(ADDRESS), 403)["code"] == "permission_denied"
    assert error_of(client.post(ADDRESS), 403)["code"] == "permission_denied"


def test_viewer_gets_granted_accounts_only(client):
    usual()
    snapshot(cash=77_000_000, is_paper=True)
    user = get_user_model().objects.create_user("reader")
    grant(user, AccountNumber("50012345", "01"), is_paper=True, role="viewer")
    client.force_login(user)
    assert body(client.get(ADDRESS))["account"]["total"] == 77_000_000
    assert error_of(client.get(f"{ADDRESS}?account=실전"), 400)["code"] == "bad_parameter"
    assert error_of(client.get(f"{ADDRESS}?mode=real"), 404)["code"] == "not_found"


def test_queries_do_not_grow_with_the_holdings(owner):
    def count_for(number):
        account = snapshot(stocks(number), run=sync_run(), at=AT - timedelta(seconds=60 - number))
        for index in range(number):
            order(account, index)
        with CaptureQueriesContext(connection) as captured:
            body(owner.get(ADDRESS))
        return len(captured)

    owner.get(ADDRESS)
    assert count_for(1) == count_for(40)
