"""Which rows belong to a dashboard, and how many queries they cost."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kis.client.codes import AccountNumber
from kis.models import SyncRun
from reports.queries import NoSnapshot, dashboard_rows
from tests.factories import AT, Stock, fill, order, save_minutes, snapshot, stocks, sync_run

pytestmark = pytest.mark.django_db
MINE = AccountNumber("12345678", "01")


def queries_for(count):
    account = snapshot(stocks(count), at=AT + timedelta(seconds=count))
    save_minutes(stocks(count))
    for number in range(count):
        fill(1_000 * count + number)
        order(account, number)
    with CaptureQueriesContext(connection) as captured:
        rows = dashboard_rows(mode="real", account=MINE, at=AT + timedelta(minutes=5))
    assert len(rows.position.holdings) == count
    return len(captured)


def test_dashboard_rows_costs_the_same_for_1_and_30_holdings():
    assert queries_for(1) == queries_for(30) == 17


def test_dashboard_rows_takes_the_last_snapshot_before_the_moment():
    early = snapshot([Stock()], at=AT - timedelta(hours=1))
    late = snapshot([Stock()])
    assert dashboard_rows(mode="real", at=AT).account == late
    assert dashboard_rows(mode="real", at=AT - timedelta(seconds=1), exact=True).account == early


def test_dashboard_rows_keeps_modes_and_accounts_apart():
    real = snapshot([Stock()])
    paper = snapshot([Stock()], is_paper=True)
    assert dashboard_rows(mode="real", at=AT).account == real
    assert dashboard_rows(mode="paper", at=AT).account == paper
    with pytest.raises(NoSnapshot):
        dashboard_rows(mode="real", account=AccountNumber("99999999", "01"), at=AT)


def test_dashboard_rows_picks_none_of_several_accounts():
    snapshot([Stock()])
    pension = snapshot([Stock()], at=AT + timedelta(seconds=1), product_code="22")
    with pytest.raises(NoSnapshot, match="--account"):
        dashboard_rows(mode="real", at=AT + timedelta(minutes=1))
    assert dashboard_rows(mode="real", account=MINE, at=AT + timedelta(minutes=1)).account != pension


def test_dashboard_rows_of_one_product_leave_out_the_fills_and_failures_of_another():
    snapshot([Stock()])
    fill(1, product_code="22")
    mine = fill(1)
    sync_run(at=AT + timedelta(seconds=30), status=SyncRun.Status.FAILED, product_code="22")
    rows = dashboard_rows(mode="real", account=MINE, at=AT + timedelta(minutes=1))
    assert (rows.position.executions, rows.failed_runs) == ([mine], [])


@pytest.mark.parametrize("mode", ["real", "paper"])
def test_no_snapshot_says_what_to_run(mode):
    with pytest.raises(NoSnapshot, match=f"python manage.py sync_kis_data --mode {mode}$"):
        dashboard_rows(mode=mode, at=AT)


def test_no_snapshot_before_a_moment_names_the_moment():
    snapshot([Stock()])
    with pytest.raises(NoSnapshot, match="2025-06-15 14:20:00 이전의 실전 계좌 자료가 없습니다"):
        dashboard_rows(mode="real", at=AT - timedelta(days=1), exact=True)
