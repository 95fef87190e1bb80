"""The days in the admin: what cannot be said says why, nothing can be changed, and no row costs a query."""

from datetime import date, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kis.models import IndexPrice, KisDailySummary, KisDepositLog, KisTradeProfit
from kis.portfolio.unknown import Unknown
from tests.factories import AT, Stock, snapshot

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 16)
TABLES = [KisDailySummary, KisDepositLog, KisTradeProfit, IndexPrice]
WHY = Unknown("11/16(월) 마감 자료가 없습니다.")
SALE = {
    "what": "매도",
    "at": "10:00:00",
    "odno": "0000000007",
    "quantity": 10,
    "amount": 620_000,
    "average": {"cost": 600_000, "profit": 18_673},
    "fifo": {"reason": "산 날을 알 수 없습니다."},
}


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def page(model, name, *arguments):
    return reverse(f"admin:kis_{model._meta.model_name}_{name}", args=arguments)  # noqa: SLF001


def row_of(model, number, **columns):
    """Return a row of a day, all of its figures 1,234,567."""
    row = model(account_no=f"{12345678 + number}", product_code="01", is_paper=False, **columns)
    for name in model.FIGURES:
        row.put(name, 1_234_567)
    return row


def make_days(count, *, since=MONDAY):
    """Save so many days of everything, the last of each table with a figure that cannot be said."""
    account = snapshot([Stock()], at=AT + timedelta(minutes=since.day))
    for number in range(count):
        on = since + timedelta(days=number)
        summary = row_of(KisDailySummary, number, summary_date=on, kis_account=account, closed_at=AT)
        log = row_of(KisDepositLog, number, log_date=on, kis_account=account, d0_cash=1, d1_cash=2, d2_cash=3)
        trade = row_of(
            KisTradeProfit,
            number,
            trade_date=on,
            stock_code="005930",
            stock_name="삼성전자",
            buy_qty=0,
            buy_amt=0,
            sell_qty=10,
            sell_amt=620_000,
            sales=[SALE],
        )
        summary.put("day_return", WHY)
        for name in KisDepositLog.FIGURES:
            log.put(name, WHY)
        trade.put("realised_fifo", WHY)
        for row in (summary, log, trade):
            row.save()
        IndexPrice.objects.create(index_code="0001", trade_date=on, close=2500)


@pytest.mark.parametrize("model", TABLES)
def test_list_and_row_are_shown_but_nothing_can_be_changed(owner, model):
    make_days(2)
    row = model.objects.first()
    assert owner.get(page(model, "changelist")).status_code == 200
    assert owner.get(page(model, "change", row.pk)).status_code == 200
    assert owner.get(page(model, "add")).status_code == 403
    assert owner.post(page(model, "change", row.pk), {}).status_code == 403
    assert owner.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", TABLES)
def test_list_takes_the_same_number_of_queries_for_more_rows(owner, model):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(page(model, "changelist")).status_code == 200
        return len(captured)

    make_days(2)
    few = queries()
    make_days(12, since=date(2026, 11, 18))
    assert queries() == few


@pytest.mark.parametrize("model", [KisDailySummary, KisDepositLog, KisTradeProfit])
def test_figure_that_cannot_be_said_is_no_zero_and_has_its_reason(owner, model):
    make_days(1)
    listed = owner.get(page(model, "changelist")).content.decode()
    assert '<span class="figure" title="11/16(월) 마감 자료가 없습니다.">산출 불가</span>' in listed
    shown = owner.get(page(model, "change", model.objects.get().pk)).content.decode()
    assert "11/16(월) 마감 자료가 없습니다.</li>" in shown
    assert "12345678" not in listed + shown


def test_each_sale_is_shown_with_both_counts(owner):
    make_days(1)
    shown = owner.get(page(KisTradeProfit, "change", KisTradeProfit.objects.get().pk)).content.decode()
    assert "+18,673원" in shown
    assert "선입선출 산출 불가: 산 날을 알 수 없습니다." in shown


def test_list_is_filtered_by_account_without_its_number(owner):
    make_days(3)
    snapshot([Stock()], at=AT, account_no="12345680")
    listed = owner.get(page(KisDailySummary, "changelist"))
    choices = [choice for choice in listed.context["cl"].filter_specs[1].lookup_choices if choice]
    counts = {
        owner.get(page(KisDailySummary, "changelist"), {"account": key}).context["cl"].result_count
        for key, _ in choices
    }
    assert 1 in counts
    assert not any("1234568" in key + name for key, name in choices)


def test_hole_is_shown_like_any_day(owner):
    hole = KisDailySummary(
        account_no="12345678", product_code="01", is_paper=False, summary_date=MONDAY, closed_at=AT
    )
    for name in KisDailySummary.FIGURES:
        hole.put(name, WHY)
    hole.save()
    assert "1234****-01" in owner.get(page(KisDailySummary, "changelist")).content.decode()
    assert "1234****-01" in owner.get(page(KisDailySummary, "change", hole.pk)).content.decode()


def test_list_goes_through_the_days(owner):
    make_days(3)
    found = owner.get(
        page(KisDepositLog, "changelist"),
        {"log_date__year": 2026, "log_date__month": 11, "log_date__day": 17},
    )
    assert found.context["cl"].result_count == 1
