"""A position: the rows that pages and adviser share, in a fixed order and a fixed number of queries."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kis.korean import SEOUL
from kis.models import KisDailySummary, Stock, TargetWeight
from kis.models.days import State
from kis.position import HISTORY, position_of
from tests.factories import AT, fill, order, snapshot, stocks

pytestmark = pytest.mark.django_db


def close(on, *, total=100, **changes):
    """Save a close of the account; what it does not say is unknown."""
    account = snapshot(at=datetime.combine(on, time(16), SEOUL), with_closes=False)
    known = {"total_amt": total, "stock_amt": 0, "cash_amt": total, "cost_amt": 0, "unrealised_broker": 0}
    row = KisDailySummary(
        account_no="12345678",
        product_code="01",
        is_paper=False,
        summary_date=on,
        kis_account=account,
        closed_at=AT,
        state=State.FINAL,
        reasons=dict.fromkeys(set(KisDailySummary.FIGURES) - known.keys(), "모름"),
    )
    for name, value in {**known, **changes}.items():
        setattr(row, name, value)
    row.save()
    return row


def target(code, percent, **changes):
    columns = {"account_no": "12345678", "stock_code": code, "percent": percent, **changes}
    return TargetWeight.objects.create(**columns)


def test_rows_have_the_order_pages_show_them_in():
    account = snapshot(stocks(4))
    for number in (3, 1, 2):
        order(account, number, ord_tmd=f"0930{number:02}")
        fill(number)
    found = position_of(account)
    assert [row.evlu_amt for row in found.holdings] == sorted(
        (row.evlu_amt for row in found.holdings), reverse=True
    )
    assert [row.ord_tmd for row in found.unfilled] == ["093001", "093002", "093003"]
    assert [row.odno[-1] for row in found.executions] == ["3", "2", "1"]


def test_old_page_knows_nothing_of_what_came_later():
    account = snapshot(stocks(1), at=AT)
    early = fill(1, at=AT, exec_tmd=(AT - timedelta(minutes=1)).time())
    fill(2, at=AT, exec_tmd=(AT + timedelta(minutes=1)).time())
    fill(3, at=AT + timedelta(days=1))
    fill(4, at=AT - timedelta(days=1))
    yesterday = close(date(2025, 6, 13))
    close(AT.date())
    close(date(2025, 6, 17))
    found = position_of(account)
    assert list(found.executions) == [early]
    assert list(found.summaries) == [yesterday]


def test_closes_run_from_the_oldest_and_not_beyond_what_a_curve_needs():
    account = snapshot(stocks(1))
    first = AT.date() - HISTORY
    close(first - timedelta(days=1))
    kept = [close(first), close(date(2025, 6, 12)), close(date(2025, 6, 13))]
    assert list(position_of(account).summaries) == kept


def test_other_accounts_have_their_own_rows():
    account = snapshot(stocks(2))
    snapshot(stocks(3), is_paper=True)
    fill(1, is_paper=True)
    fill(2, product_code="22")
    fill(3, account_no="99999999")
    target("000660", 10, is_paper=True)
    target("000660", 20, product_code="22")
    target(TargetWeight.CASH, "5.5")
    found = position_of(account)
    assert len(found.holdings) == 2
    assert list(found.executions) == []
    assert found.targets == {"CASH": Decimal("5.5")}


def test_stocks_are_those_of_all_rows_that_are_on_the_master_list():
    account = snapshot(stocks(1))
    order(account, 1, stock_code="000660")
    fill(1, stock_code="035420")
    for code in ("010000", "000660", "035420", "005380"):
        Stock.objects.create(
            code=code, name=f"이름{code}", market="KOSPI", kind="stock", source="master", updated_at=AT
        )
    assert set(position_of(account).stocks) == {"010000", "000660", "035420"}
    Stock.objects.filter(code="010000").delete()
    assert set(position_of(account).stocks) == {"000660", "035420"}


def test_rows_of_the_broker_take_the_place_of_those_in_the_books():
    account = snapshot(stocks(3))
    order(account, 1)
    fill(1)
    held = list(account.holdings.order_by("evlu_amt"))
    found = position_of(account, holdings=held[:2], unfilled=[], executions=[])
    assert list(found.holdings) == held[1::-1]
    assert (list(found.unfilled), list(found.executions)) == ([], [])


def test_unsaved_account_of_the_broker_has_targets_and_closes_too():
    saved = snapshot(stocks(2))
    held = list(saved.holdings.all())
    saved.pk = None
    target("010000", 30)
    row = close(date(2025, 6, 13))
    found = position_of(saved, holdings=held, unfilled=[], executions=[])
    assert found.targets == {"010000": Decimal(30)}
    assert list(found.summaries) == [row]
    assert len(found.holdings) == 2


@pytest.mark.parametrize("count", [0, 1, 60])
def test_number_of_queries_does_not_grow(count):
    account = snapshot(stocks(count))
    for number in range(count):
        order(account, number)
        fill(number + 1)
        target(f"{number:06}", 1)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        position_of(account)
    assert len(queries) <= 6  # holdings, orders, fills, closes, stocks, targets
