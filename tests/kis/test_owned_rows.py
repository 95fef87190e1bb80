"""Rows of an account among those of many: found by the index, however many others there are."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kis.client.codes import AccountNumber
from kis.models import KisAccount
from tests.factories import AT, snapshot

pytestmark = pytest.mark.django_db


def test_newest_snapshot_of_each_account_is_that_of_its_number_product_and_mode():
    newest: list[KisAccount] = []
    for columns in (
        {"account_no": "11111111"},
        {"account_no": "11111111", "product_code": "22"},
        {"account_no": "11111111", "is_paper": True},
        {"account_no": "99999999"},
    ):
        snapshot(at=AT, **columns)
        newest.append(snapshot(at=AT + timedelta(minutes=len(newest) + 1), **columns))
        snapshot(at=AT - timedelta(days=1), **columns)
    assert sorted(row.pk for row in KisAccount.objects.newest_of_each()) == [row.pk for row in newest]


def test_newest_snapshots_take_one_query_however_many_accounts_there_are():
    def queries():
        with CaptureQueriesContext(connection) as captured:
            list(KisAccount.objects.newest_of_each())
        return len(captured)

    for minute in range(9):
        snapshot(at=AT + timedelta(minutes=minute))
        snapshot(at=AT + timedelta(minutes=minute), account_no=f"{minute:08}")
    assert queries() == 1


@pytest.mark.parametrize("is_paper", [False, True])
def test_newest_snapshot_of_an_account_is_read_from_the_index_unsorted(is_paper):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads small tables whole, whatever indexes they have")
    rows = KisAccount.objects.of(AccountNumber("12345678", "01"), is_paper=is_paper).order_by("-snapshot_at")
    plan = rows.explain()
    assert "(account_no=? AND is_paper=? AND product_code=?)" in plan
    assert "TEMP B-TREE" not in plan


def test_newest_of_each_reads_no_more_rows_where_there_are_many():
    """SQLite has to look into the index once for each account, and not at each of its snapshots."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads small tables whole, whatever indexes they have")
    with CaptureQueriesContext(connection) as captured:
        list(KisAccount.objects.newest_of_each())
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {captured[0]['sql']}")
        steps = [row[3] for row in cursor.fetchall() if row[3].startswith("SEARCH below")]
    assert [step[step.index("(") :] for step in steps] == [
        "(account_no=? AND is_paper=? AND product_code<?)",
        "(account_no=? AND is_paper<?)",
        "(account_no<?)",
    ]
