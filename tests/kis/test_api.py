"""What the API says of the books: the rows themselves, to the won, and no account number."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kis.models import KisAccount, KisExecution, KisHolding, KisUnfilledOrder, SyncRun
from tests.factories import AT, Stock, fill, hold, order, snapshot, stocks, sync_run
from tests.kis.api_rows import AGREEING, DIFFERING, MONDAY, ROUTES, make_rows, order_detail, seoul
from tests.kis.owning import store

pytestmark = pytest.mark.django_db

#: What no list shows, and what the account's columns become.
NOT_LISTED = {
    *("raw_json", "request_json", "steps", "lease_until", "wait_until"),
    *("account_key", "meaning", "ordinal"),
}
OWN = {"account", "account_no", "badge", "reason_text", "notes"}


def assert_same(shown, stored):
    """Compare a value of the API with that of the table: not only as much, but the same kind of thing."""
    if isinstance(stored, datetime):
        assert seoul(shown) == stored
    elif isinstance(stored, date | time):
        assert shown == stored.isoformat()
    elif isinstance(stored, Decimal):
        assert isinstance(shown, str)
        assert Decimal(shown) == stored
    else:
        assert (type(shown), shown) == (type(stored), stored)


@pytest.mark.parametrize("route", ROUTES)
def test_list_says_what_the_table_has(api, route):
    make_rows(3)
    model = ROUTES[route]
    fields = {field.name: field for field in model._meta.concrete_fields}  # noqa: SLF001
    stored = {row.pk: row for row in model.objects.all()}
    shown = api.rows(route)
    assert sorted(row["id"] for row in shown) == sorted(stored)
    for row in shown:
        assert set(row) - OWN == set(fields) - NOT_LISTED - OWN
        for name in set(row) - OWN - {"checks"}:
            assert_same(row[name], getattr(stored[row["id"]], fields[name].attname))


@pytest.mark.parametrize("route", ROUTES)
def test_one_row_says_the_same_as_the_list(api, route):
    make_rows(1)
    listed = api.rows(route)[0]
    alone = api.get(f"{route}/{listed['id']}/").json()
    assert {name: alone[name] for name in listed} == listed


@pytest.mark.parametrize("route", ROUTES)
def test_account_numbers_are_masked_wherever_they_stand(api, route):
    make_rows(2)
    number = api.rows(route)[0]["id"]
    for response in (api.get(route), api.get(f"{route}/{number}")):
        assert b"12345678" not in response.content
    assert "12345678" not in api.csv(route)


def test_reply_of_the_broker_is_shown_with_one_row_alone(api):
    account = make_rows(1)
    assert api.get(f"accounts/{account.pk}").json()["raw_json"] == {
        "CANO": "1234****",
        "of": ["1234****-01"],
    }
    detail = api.rows("order-details")[0]["id"]
    assert api.get(f"order-details/{detail}").json()["raw_json"] == {"told": [{"ACNT_NO": "1234****01"}]}


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("route", ROUTES)
def test_list_takes_the_same_number_of_queries_for_more_rows(api, route, form):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            response = api.get(route, format=form)
            content = response.getvalue()
        assert response.status_code == 200
        return len(captured), len(content)

    make_rows(1)
    few, short = queries()
    make_rows(30, at=AT + timedelta(minutes=10), first=1)
    many, long = queries()
    assert (many, long > short) == (few, True)


# --- reconciliation --------------------------------------------------------------------------------------------------


def test_run_says_how_each_comparison_came_out(api):
    sync_run(checks=[AGREEING.as_json(), DIFFERING.as_json()], differences=1)
    run = api.rows("sync-runs")[0]
    assert (run["badge"], run["differences"], run["status"]) == ("차이 1건", 1, "complete")
    assert run["checks"] == [
        {
            "name": "보유 평가금액 합",
            "ours": 12_133_715,
            "broker": 12_133_715,
            "difference": 0,
            "unit": "원",
            "tolerance": 0,
            "row": "",
            "agrees": True,
        },
        {
            "name": "오늘 체결 수량",
            "ours": 10,
            "broker": 13,
            "difference": 3,
            "unit": "주",
            "tolerance": 0,
            "row": "삼성전자 005930",
            "agrees": False,
        },
    ]


def test_run_is_only_green_when_something_was_compared(api):
    runs = {
        "일치": sync_run(checks=[AGREEING.as_json()]),
        "차이 1건": sync_run(checks=[DIFFERING.as_json()], differences=1),
        "대사 없음": sync_run(status=SyncRun.Status.FAILED),
    }
    assert {run["badge"]: run["id"] for run in api.rows("sync-runs")} == {
        badge: run.pk for badge, run in runs.items()
    }
    for word, badge in (("agrees", "일치"), ("differs", "차이 1건"), ("none", "대사 없음")):
        assert [run["badge"] for run in api.rows("sync-runs", agreement=word)] == [badge]


def test_runs_are_found_by_job_and_status(api):
    sync_run(status=SyncRun.Status.FAILED)
    sync_run(job="aegis_1min_realtime", status=SyncRun.Status.FAILED)
    sync_run(job="aegis_1min_realtime")
    found = api.rows("sync-runs", job="aegis_1min_realtime", status="failed")
    assert [(run["job"], run["status"]) for run in found] == [("aegis_1min_realtime", "failed")]


# --- conditions ------------------------------------------------------------------------------------------------------


def test_accounts_are_told_apart_by_label_and_masked_number(api):
    store("연금", "43218765-22")
    store("연습", "50012345-01", mode="paper")
    for number, product, is_paper in (
        ("12345678", "01", False),
        ("43218765", "22", False),
        ("50012345", "01", True),
    ):
        account = snapshot(
            [Stock()], account_no=number, product_code=product, is_paper=is_paper, with_closes=False
        )
        order(account, 1)
        fill(1, account_no=number, product_code=product, is_paper=is_paper)
        sync_run(account_no=number, product_code=product, is_paper=is_paper)
    for route in ("accounts", "holdings", "executions", "unfilled-orders", "sync-runs"):
        assert [row["account"] for row in api.rows(route, ordering=first_order(api, route))] == [
            "실전",
            "연금",
            "연습",
        ]
        for name in ("연금", "4321****-22"):
            rows = api.rows(route, account=name)
            assert [(row["account"], row["account_no"]) for row in rows] == [("연금", "4321****-22")]
        assert [row["account"] for row in api.rows(route, mode="paper")] == ["연습"]
        assert [row["account"] for row in api.rows(route, mode="real", account="실전")] == ["실전"]


def first_order(api, route):
    """Return the order that begins with the oldest row."""
    return api.client.options(f"/api/v1/{route}").json()["default"].removeprefix("-")


def test_account_that_only_the_books_know_is_called_by_its_masked_number(api):
    snapshot(account_no="99998888")
    assert [row["account"] for row in api.rows("accounts", account="9999****-01")] == ["9999****-01"]


def test_days_reach_from_midnight_to_midnight_in_seoul(api):
    midnight = AT.replace(hour=0, minute=0)
    for at in (midnight - timedelta(minutes=1), midnight, midnight + timedelta(days=1, minutes=-1)):
        snapshot([Stock()], at=at, with_closes=False)
    snapshot([Stock()], at=midnight + timedelta(days=1), with_closes=False)
    for route in ("accounts", "holdings"):
        for account in ({}, {"account": "실전"}):
            query = {"from": "2025-06-16", "to": "2025-06-16", **account}
            assert [row["snapshot_at"] for row in api.rows(route, **query)] == [
                "2025-06-16T23:59:00+09:00",
                "2025-06-16T00:00:00+09:00",
            ]


def test_days_of_fills_include_both_ends(api):
    for number in range(4):
        fill(number, at=AT + timedelta(days=number))
    found = api.rows("executions", **{"from": "2025-06-17", "to": "2025-06-18"})
    assert [row["exec_dt"] for row in found] == ["2025-06-18", "2025-06-17"]


def test_latest_is_the_newest_snapshot_of_each_account(api):
    for minute in (0, 10):
        real = snapshot(stocks(2), at=AT + timedelta(minutes=minute))
        paper = snapshot([Stock()], at=AT + timedelta(minutes=minute - 30), is_paper=True)
        order(real, minute)
        order(paper, minute)
    assert {row["id"] for row in api.rows("accounts", latest="true")} == {real.pk, paper.pk}
    assert {row["kis_account"] for row in api.rows("holdings", latest="true")} == {real.pk, paper.pk}
    assert {row["kis_account"] for row in api.rows("unfilled-orders", latest="true")} == {real.pk, paper.pk}
    assert {row["kis_account"] for row in api.rows("holdings", latest="true", account="실전")} == {real.pk}
    assert {row["kis_account"] for row in api.rows("holdings", latest="true", mode="paper")} == {paper.pk}
    assert len(api.rows("accounts", latest="false")) == KisAccount.objects.count() == 4


def test_account_sold_out_has_no_latest_holdings(api):
    snapshot([Stock()])
    snapshot(at=AT + timedelta(minutes=10))
    assert api.rows("holdings", latest="true") == []
    assert len(api.rows("holdings")) == 1


def test_latest_holdings_can_be_sorted_by_value(api):
    snapshot(stocks(5))
    values = list(KisHolding.objects.order_by("-evlu_amt").values_list("evlu_amt", flat=True))
    assert [row["evlu_amt"] for row in api.rows("holdings", latest="true", ordering="-evlu_amt")] == values
    assert [row["evlu_amt"] for row in api.rows("holdings", latest="true", ordering="evlu_amt")] == values[
        ::-1
    ]


def test_stock_is_found_by_its_code(api):
    account = snapshot(stocks(3))
    hold(account, Stock(code="0001A0"))
    fill(1)
    fill(2, stock_code="0001A0")
    order(account, 1, stock_code="0001A0")
    for route in ("holdings", "executions", "unfilled-orders"):
        assert [row["stock_code"] for row in api.rows(route, code="0001A0")] == ["0001A0"]
    assert {row["stock_code"] for row in api.rows("daily-prices", code="010001")} == {"010001"}
    assert api.rows("daily-prices", code="999999") == []


def test_orders_are_found_by_status_side_and_origin(api):
    order_detail(1)
    order_detail(2, status="filled", side="SELL", origin="ours")
    for query in ({"status": "filled"}, {"side": "SELL"}, {"origin": "ours"}):
        assert [row["odno"] for row in api.rows("order-details", **query)] == ["0000000002"]


def test_bars_are_sorted_and_cut_by_day(api):
    make_rows(3)
    found = api.rows(
        "minute-prices", code="005930", ordering="bar_at", **{"from": str(MONDAY), "to": str(MONDAY)}
    )
    assert [row["bar_at"] for row in found] == [f"2025-06-16T14:2{minute}:00+09:00" for minute in range(3)]


def test_unknown_figure_is_null_with_its_reason(api):
    make_rows(1)
    row = api.rows("daily-summaries")[0]
    assert (row["realised_fifo"], row["reasons"]) == (None, {"realised_fifo": "산 날을 알 수 없습니다."})


def test_no_cache_keeps_an_answer(api):
    snapshot([Stock()])
    for response in (api.get("accounts"), api.get("accounts", format="csv"), api.get("accounts/0")):
        assert "no-store" in response["Cache-Control"]


def test_options_say_what_can_be_asked(api):
    said = api.client.options("/api/v1/holdings").json()
    assert said == {
        "parameters": ["account", "mode", "code", "from", "to", "latest"],
        "ordering": {
            "always": ["snapshot_at"],
            "with_latest": ["evlu_amt", "evlu_pfls_amt", "stock_code"],
        },
        "default": "-snapshot_at",
    }


def test_tables_are_untouched_by_reading(api):
    make_rows(2)
    before = [list(model.objects.order_by("pk").values()) for model in (KisExecution, KisUnfilledOrder)]
    for route in ROUTES:
        api.get(route)
    assert before == [
        list(model.objects.order_by("pk").values()) for model in (KisExecution, KisUnfilledOrder)
    ]
