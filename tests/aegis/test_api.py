"""Who may read what: every address of the API, for strangers, for users, for staff with and without the permission."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.urls import get_resolver, reverse

from aegis.api import router
from kis.models import AccountGrant
from tests.kis.api_rows import ROUTES, error_of, make_rows
from trading.models import PendingOrder

pytestmark = pytest.mark.django_db
ADDRESSES = ["{}", "{}/", "{}/1", "{}?format=csv", "{}?format=xml", "{}?nothing=1"]
METHODS = ["get", "head", "options", "post", "put", "patch", "delete"]


@pytest.fixture(autouse=True)
def fresh_count():
    cache.clear()


def staff(route=None, **columns):
    """Return a user of the admin who may view the table of one route."""
    user = get_user_model().objects.create_user("reader", **{"is_staff": True, **columns})
    if route:
        name = ROUTES[route]._meta.model_name  # noqa: SLF001
        user.user_permissions.add(Permission.objects.get(codename=f"view_{name}"))
    return user


def test_every_route_is_in_the_table():
    registered: dict[str, Any] = {prefix: view for prefix, view, _ in router.registry}
    assert {prefix: view.model for prefix, view in registered.items()} == {**ROUTES, "orders": PendingOrder}
    assert reverse("accounts-list") == "/api/v1/accounts"
    assert [str(entry.pattern) for entry in get_resolver().url_patterns][-2:] == ["api/v1/", "^api(/|$)"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("route", [*ROUTES, "orders", "orders/1/confirm", "orders/1/cancel", "nothing"])
def test_stranger_gets_nothing(client, route, method):
    for address in ADDRESSES:
        response = getattr(client, method)(f"/api/v1/{address.format(route)}")
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
        if method != "head":
            assert error_of(response, 401)["code"] == "not_authenticated"


@pytest.mark.parametrize("route", ROUTES)
def test_staff_sees_the_table_it_may_view_and_no_other(client, route):
    make_rows(1)
    user = staff(route)
    # The permission alone opens the table; which rows of it, the accounts of the user say.
    AccountGrant.objects.create(
        user=user, account_no="12345678", product_code="01", is_paper=False, role="viewer"
    )
    client.force_login(user)
    for other in ROUTES:
        number = ROUTES[other].objects.values_list("pk", flat=True).first()
        for address in (other, f"{other}?format=csv", f"{other}/{number}"):
            response = client.get(f"/api/v1/{address}")
            if other == route:
                assert response.status_code == 200
            else:
                assert error_of(response, 403)["code"] == "permission_denied"


@pytest.mark.parametrize("route", ROUTES)
def test_permission_without_the_admin_is_not_enough(client, route):
    client.force_login(staff(route, is_staff=False))
    assert error_of(client.get(f"/api/v1/{route}"), 403)["code"] == "permission_denied"


def test_user_who_was_shut_out_is_a_stranger(client):
    user = staff("accounts")
    client.force_login(user)
    assert client.get("/api/v1/accounts").status_code == 200
    user.is_active = False
    user.save()
    assert error_of(client.get("/api/v1/accounts"), 401)["code"] == "not_authenticated"


def test_password_in_a_header_opens_nothing(client):
    get_user_model().objects.create_superuser("owner", password="correct horse battery")
    response = client.get("/api/v1/accounts", headers={"authorization": "Basic b3duZXI6Y29ycmVjdCBob3JzZQ=="})
    assert error_of(response, 401)["code"] == "not_authenticated"
