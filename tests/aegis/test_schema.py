"""How the API describes itself: all of it, in Korean, to those who may sign in, with files of ours alone."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.management import call_command

from aegis.api import router
from kis.api.errors import MESSAGES
from tests.aegis.test_headers import INLINE
from tests.kis.api_rows import error_of
from trading.api import REFUSALS

pytestmark = pytest.mark.django_db
HANGUL = re.compile("[가-힣]")


@pytest.fixture(autouse=True)
def fresh_count():
    cache.clear()


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


@pytest.fixture
def schema(owner):
    return owner.get("/api/schema/?format=json").json()


def operations(schema):
    return [
        (path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_strangers_learn_nothing_of_it(client):
    assert error_of(client.get("/api/schema/"), 401)["code"] == "not_authenticated"
    response = client.get("/api/docs/")
    assert (response.status_code, response.url) == (302, "/login/?next=/api/docs/")
    client.force_login(get_user_model().objects.create_user("reader"))
    for address in ("/api/schema/", "/api/docs/"):
        assert error_of(client.get(address), 403)["code"] == "permission_denied"


def test_every_route_is_described(schema):
    described = {path.split("/")[3] for path in schema["paths"]}
    assert described == {prefix for prefix, _, _ in router.registry} | {"dashboard"}
    written = {path for path, method, _ in operations(schema) if method == "post"}
    assert written == {
        *("/api/v1/orders/", "/api/v1/orders/{id}/confirm/", "/api/v1/orders/{id}/cancel/"),
    }


def test_every_list_describes_what_it_takes(schema, owner):
    views: dict[str, Any] = {prefix: view for prefix, view, _ in router.registry}
    for prefix, view in views.items():
        listed = schema["paths"][f"/api/v1/{prefix}/"]["get"]
        names = {parameter["name"] for parameter in listed["parameters"]}
        assert names == {*view.parameters, "ordering", "cursor", "limit", "format"}
        assert names - {"cursor", "limit", "format"} == {
            *owner.options(f"/api/v1/{prefix}").json()["parameters"],
            "ordering",
        }
        assert set(listed["responses"]["200"]["content"]) == {"application/json", "text/csv"}


def test_description_is_korean(schema):
    for path, method, operation in operations(schema):
        assert HANGUL.search(operation["description"]), (path, method)
        for status, answer in operation["responses"].items():
            assert status in {"200", "201"} or HANGUL.search(answer["description"])


def test_orders_are_written_by_tokens_alone(schema):
    for path, method, operation in operations(schema):
        ways = {name for way in operation["security"] for name in way}
        assert ways == ({"토큰"} if method == "post" else {"토큰", "로그인"}), path


def test_body_of_an_order_is_described_to_the_letter(schema):
    body = schema["components"]["schemas"]["NewOrder"]
    assert body["additionalProperties"] is False
    assert set(body["required"]) == {"account", "side", "stock_code", "quantity", "trading_password"}
    assert body["properties"]["trading_password"]["writeOnly"] is True
    # A code is text of ours: there is no example of one to be copied.
    assert "example" not in str(schema).lower()


def test_schema_is_sound(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))


def test_page_is_made_of_our_own_files(owner):
    text = owner.get("/api/docs/").content.decode()
    assert not INLINE.search(text)
    sources = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(sources) >= 6
    for source in sources:
        assert source.startswith("/")
        response = owner.get(source.replace("&amp;", "&"))
        assert response.status_code == 200, source
        response.getvalue()  # read to its end, so that the client closes it without the connection


def test_codes_of_refusals_are_said_once():
    codes = [code for code, _ in REFUSALS.values()]
    assert not set(codes) & set(MESSAGES)
