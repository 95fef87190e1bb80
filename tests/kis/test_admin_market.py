"""Stocks and prices in the admin: readable, never editable, and no slower with more rows."""

from datetime import date, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kis.models import MinPrice, PriceAdjustment, PriceGap, PriceHistory, Stock
from tests.factories import AT

pytestmark = pytest.mark.django_db
TABLES = [MinPrice, PriceAdjustment, PriceGap, PriceHistory, Stock]


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def page(model, name, *arguments):
    return reverse(f"admin:kis_{model._meta.model_name}_{name}", args=arguments)  # noqa: SLF001


def make_rows(first, last):
    for number in range(first, last):
        code, moment = f"{number:06}", AT + timedelta(minutes=number)
        MinPrice.objects.create(stock_code=code, bar_at=moment, open=9, high=9, low=9, close=9, volume=1)
        PriceAdjustment.objects.create(
            stock_code=code, after=date(2025, 6, 12), day=date(2025, 6, 13), ratio=5, found_at=AT
        )
        PriceGap.objects.create(
            stock_code=code,
            what=PriceGap.What.MINUTE,
            first_at=moment,
            last_at=moment,
            found_at=AT,
            reason="이유",
        )
        PriceHistory.objects.create(stock_code=code)
        Stock.objects.create(
            code=code, name=f"종목{number}", market="KOSPI", kind="ETF", source="master", updated_at=AT
        )


@pytest.mark.parametrize("model", TABLES)
def test_list_and_row_are_shown_but_nothing_can_be_changed(owner, model):
    make_rows(0, 2)
    row = model.objects.first()
    shown = owner.get(page(model, "changelist"))
    assert shown.status_code == 200
    assert "000001" in shown.content.decode()
    assert owner.get(page(model, "change", row.pk)).status_code == 200
    assert owner.get(page(model, "add")).status_code == 403
    assert owner.post(page(model, "change", row.pk), {}).status_code == 403
    assert owner.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", TABLES)
def test_list_takes_the_same_number_of_queries_for_more_rows(owner, model):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            owner.get(page(model, "changelist"))
        return len(captured)

    make_rows(0, 1)
    queries()  # the first page also fills Django's own caches
    few = queries()
    make_rows(1, 30)
    assert queries() == few


def test_stock_is_found_by_code_and_by_name(owner):
    make_rows(0, 3)
    for text in ("000001", "종목1"):
        assert owner.get(page(Stock, "changelist"), {"q": text}).context["cl"].result_count == 1


def test_holes_that_are_left_can_be_picked(owner):
    make_rows(0, 3)
    PriceGap.objects.filter(stock_code="000001").update(filled_at=AT)
    shown = owner.get(page(PriceGap, "changelist"), {"filled_at__isempty": "1"})
    assert shown.context["cl"].result_count == 2


def test_moments_are_written_in_seoul():
    make_rows(0, 1)
    assert str(MinPrice.objects.get()) == "000000 2025-06-16 14:20 9"
    assert str(PriceGap.objects.get()) == "000000 분봉 2025-06-16 14:20"
