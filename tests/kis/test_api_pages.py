"""Pages of the API: each row once, whatever is added meanwhile, and by an index."""

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kis.models import DailyPrice, KisExecution
from tests.factories import AT, fill, snapshot, stocks
from tests.kis.api_rows import ROUTES, make_rows

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("route", ROUTES)
def test_walk_over_all_pages_sees_each_row_once(api, route, turned):
    make_rows(7)
    usual = api.client.options(f"/api/v1/{route}").json()["default"]
    other = usual.removeprefix("-") if usual.startswith("-") else f"-{usual}"
    whole = [row["id"] for row in api.rows(route, limit=500, ordering=other if turned else usual)]
    walked = [
        [row["id"] for row in page] for page in api.pages(route, limit=2, ordering=other if turned else usual)
    ]
    assert [number for page in walked for number in page] == whole
    assert sorted(whole) == sorted(ROUTES[route].objects.values_list("pk", flat=True))
    assert {len(page) for page in walked[:-1]} <= {2}


@pytest.mark.parametrize("query", [{}, {"account": "실전"}, {"code": "010001"}, {"ordering": "snapshot_at"}])
def test_rows_that_are_added_meanwhile_neither_repeat_nor_hide_any(api, query):
    for minute in range(5):
        snapshot(stocks(3), at=AT + timedelta(minutes=minute), with_closes=False)
    there = {row["id"] for row in api.rows("holdings", limit=500, **query)}
    seen = []
    for number, page in enumerate(api.pages("holdings", limit=2, **query)):
        seen += [row["id"] for row in page]
        if number < 5:  # newer ones and older ones
            for minute in (10 + number, -10 - number):
                snapshot(stocks(3), at=AT + timedelta(minutes=minute), with_closes=False)
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


def test_rows_of_the_same_moment_are_told_apart(api):
    for number in range(9):
        fill(number, exec_tmd=time(9, 30))
    walked = [row["id"] for page in api.pages("executions", limit=2) for row in page]
    assert walked == list(KisExecution.objects.order_by("-id").values_list("pk", flat=True))


def test_latest_holdings_of_the_same_value_are_told_apart(api):
    account = snapshot(stocks(6))
    account.holdings.update(evlu_amt=1_000_000)
    query = {"latest": "true", "ordering": "evlu_amt"}
    walked = [row["id"] for page in api.pages("holdings", limit=4, **query) for row in page]
    assert walked == sorted(account.holdings.values_list("pk", flat=True))


def test_next_page_keeps_the_conditions(api):
    for number in range(6):
        fill(number, stock_code="005930" if number % 2 else "000660")
    pages = list(api.pages("executions", limit=2, code="000660"))
    assert [[row["stock_code"] for row in page] for page in pages] == [["000660"] * 2, ["000660"]]


def test_page_that_is_just_full_has_no_next(api):
    for number in range(4):
        fill(number)
    assert api.get("executions", limit=4).json()["next"] is None
    assert [len(page) for page in api.pages("executions", limit=2)] == [2, 2]


def test_page_has_a_hundred_rows_unless_asked_otherwise(api):
    snapshot(stocks(13))  # ten bars each
    assert [len(page) for page in api.pages("daily-prices")] == [100, 30]
    assert len(api.rows("daily-prices", limit=500)) == DailyPrice.objects.count() == 130


def test_last_page_costs_no_more_queries_than_the_first(api):
    def queries(address):
        with CaptureQueriesContext(connection) as captured:
            response = api.client.get(address)
        return len(captured), response.json()["next"]

    snapshot(stocks(12))
    counts, address = [], "/api/v1/daily-prices?limit=30"
    while address:
        count, address = queries(address)
        counts.append(count)
    assert len(counts) == 4
    assert len(set(counts)) == 1


# --- how the rows are found ------------------------------------------------------------------------------------------

#: Every way the big tables may be asked.
READS = [
    *(f"accounts?{query}" for query in ("", "mode=real", "mode=paper", "account=실전")),
    *(
        f"holdings?{query}"
        for query in ("", "mode=real", "code=010001", "code=010001&mode=real", "account=실전")
    ),
    *(
        f"holdings?{query}"
        for query in ("account=실전&code=010001", "latest=true", "latest=true&account=실전")
    ),
    *(
        f"executions?{query}"
        for query in ("", "mode=real", "code=005930", "account=실전", "code=005930&mode=real")
    ),
    *(f"minute-prices?{query}" for query in ("", "code=005930")),
    *(f"daily-prices?{query}" for query in ("", "code=010001")),
    "sync-runs?",
]
#: The longest list there is of what belongs to a day or a snapshot may be sorted; a whole table may not.
SORTS_EVERYTHING = "USE TEMP B-TREE FOR ORDER BY"
#: What finding the newest snapshot of each account walks through: as many rows as there are accounts.
NEWEST, OF_NEWEST = "WITH RECURSIVE newest", {"SCAN CONSTANT ROW", "SCAN newest"}


@pytest.mark.parametrize("span", ["", "&from=2025-06-01&to=2025-06-30"])
@pytest.mark.parametrize("read", READS)
def test_no_page_reads_or_sorts_a_whole_table(api, read, span):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads small tables whole, whatever indexes they have")
    make_rows(3)
    response = api.client.get(f"/api/v1/{read}{span}&limit=1")
    address = response.json()["next"] or f"/api/v1/{read}{span}&limit=1"
    with CaptureQueriesContext(connection) as captured:
        assert api.client.get(address).status_code == 200
    plans = [(query["sql"], plan_of(query["sql"])) for query in captured if "LIMIT" in query["sql"]]
    assert plans
    for sql, plan in plans:
        scans = {step for step in plan if step.startswith("SCAN") and " INDEX " not in step}
        assert scans <= (OF_NEWEST if NEWEST in sql else set()), sql
        assert "latest" in read or NEWEST in sql or SORTS_EVERYTHING not in plan, (sql, plan)


def plan_of(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql.replace('%', '%%')}")
        return [row[3] for row in cursor.fetchall()]
