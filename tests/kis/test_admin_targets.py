"""Targets as the owner writes them down in the admin."""

from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from kis.models import TargetWeight

pytestmark = pytest.mark.django_db

ADD = reverse("admin:kis_targetweight_add")
LIST = reverse("admin:kis_targetweight_changelist")


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def typed(**changes):
    return {
        "account_no": "12345678",
        "product_code": "01",
        "stock_code": "005930",
        "percent": "20",
        **changes,
    }


def add(owner, **changes):
    """Send the form; return what the page says where it refuses, nothing where it saved."""
    response = owner.post(ADD, typed(**changes))
    return "" if response.status_code == 302 else response.content.decode()


def saved():
    return {(row.stock_code, row.percent) for row in TargetWeight.objects.all()}


def test_stock_etn_and_cash_can_have_a_target(owner):
    for code, percent in (("005930", "20"), ("0009K0", "3.25"), ("Q500001", "0"), ("cash", "5")):
        assert add(owner, stock_code=code, percent=percent) == ""
    assert saved() == {
        ("005930", Decimal(20)),
        ("0009K0", Decimal("3.25")),
        ("Q500001", Decimal(0)),
        ("CASH", Decimal(5)),
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stock_code": "5930"}, "종목코드는 6자리"),
        ({"stock_code": "삼성전자"}, "종목코드는 6자리"),
        ({"stock_code": "<b>x</b>"}, "종목코드는 6자리"),
        ({"account_no": "12345678-01"}, "앞 8자리"),
        ({"account_no": "１２３４５６７８"}, "앞 8자리"),
        ({"account_no": ""}, "필수"),
        ({"percent": "-1"}, "0"),
        ({"percent": "100.01"}, "100"),
        ({"percent": "1.234"}, "2"),
        ({"percent": "많이"}, "숫자"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(owner, changes, words):
    page = add(owner, **changes)
    assert 'class="errorlist"' in page
    assert words in page[page.index('class="errorlist"') :][:400]
    assert saved() == set()


def test_targets_of_an_account_are_at_most_the_whole(owner):
    add(owner, percent="60")
    assert add(owner, stock_code="CASH", percent="40") == ""
    assert "100.01%" in add(owner, stock_code="000660", percent="0.01")
    # Another account, another product and the paper account of the same number have a whole of their own.
    for changes in ({"account_no": "99999999"}, {"product_code": "22"}, {"is_paper": "on"}):
        assert add(owner, percent="100", **changes) == ""
    assert TargetWeight.objects.count() == 5


def test_changing_a_target_does_not_count_it_twice(owner):
    add(owner, percent="60")
    add(owner, stock_code="CASH", percent="40")
    row = TargetWeight.objects.get(stock_code="005930")
    page = reverse("admin:kis_targetweight_change", args=[row.pk])
    assert owner.post(page, typed(percent="55")).status_code == 302
    assert "105" in owner.post(page, typed(percent="65")).content.decode()
    row.refresh_from_db()
    assert row.percent == 55


def test_second_target_of_a_stock_points_to_the_first(owner):
    add(owner)
    assert "이미 목표가 있습니다" in add(owner, percent="5")
    assert saved() == {("005930", Decimal(20))}


def test_list_shows_no_account_number(owner):
    add(owner)
    page = owner.get(LIST).content.decode()
    assert "1234****-01" in page
    assert "실전" in page
    assert "12345678" not in page


def test_owner_alone_may_write_targets(client):
    client.force_login(get_user_model().objects.create_user("guest", is_staff=True))
    assert client.post(ADD, typed()).status_code == 403
    assert saved() == set()
