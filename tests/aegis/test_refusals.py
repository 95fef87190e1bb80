"""Requests that no page looks at: refused in Korean, with the status that says why, and before anything of them is kept."""

import io
from typing import Any, cast

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import reverse

from aegis.wsgi import application
from kis.admin_statements import FORM_BYTES
from kis.models import KisAccount
from kis.statements.lines import MAX_BYTES
from tests.kis.api_rows import error_of, make_rows

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def owner(client):
    client.raise_request_exception = False
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def assert_page(response, status, *words):
    page = response.content.decode()
    assert response.status_code == status, page
    assert all(word in page for word in ("<!doctype html>", f"오류 {status}", *words)), page


# --- methods -----------------------------------------------------------------------------------------------------------


def test_method_a_page_does_not_take_has_a_page(owner):
    response = owner.post(reverse("dashboard"))
    assert_page(response, 405, "쓸 수 없는 방법")
    assert response["Allow"] == "GET, HEAD"
    assert_page(owner.get(reverse("sync")), 405)
    assert owner.head(reverse("sync")).content == b""


# --- what is too large -------------------------------------------------------------------------------------------------


class Untouched(io.BytesIO):
    """A body that nobody may read."""

    def read(self, *_size):
        raise AssertionError("read")


@pytest.mark.parametrize("path", ["/login/", "/admin/kis/kbstatement/add/", "/nowhere/"])
def test_body_longer_than_anything_here_takes_is_not_read(owner, path):
    length = str(settings.MOST_BYTES_SENT + 1)
    response = owner.generic("POST", path, CONTENT_LENGTH=length, **{"wsgi.input": Untouched()})
    assert_page(response, 413, "너무 큽니다")


def test_body_that_is_too_long_is_an_error_of_the_api(owner):
    response = owner.generic("POST", "/api/v1/orders/", CONTENT_LENGTH="99999999999999999999999")
    assert error_of(response, 413)["code"] == "too_large"


def test_largest_statement_fits():
    assert MAX_BYTES + FORM_BYTES < settings.MOST_BYTES_SENT


@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "１２"])
def test_length_that_is_none_is_refused(owner, length):
    latin = length.encode().decode("latin-1")  # as a server hands it on
    assert_page(owner.generic("POST", "/login/", b"a=1", FORM, CONTENT_LENGTH=latin), 400)
    response = owner.generic("POST", "/api/v1/orders/", b"{}", "application/json", CONTENT_LENGTH=latin)
    assert error_of(response, 400)["code"] == "bad_request"


def test_form_without_files_is_limited(owner):
    form = b"username=" + b"a" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    owner.logout()
    assert_page(owner.generic("POST", "/login/", form, FORM), 413)


def test_number_of_fields_is_limited(owner):
    many = "&".join(f"a{number}=1" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))
    assert error_of(owner.get(f"/api/v1/holdings?{many}"), 400)["code"] == "bad_request"
    owner.logout()
    assert_page(owner.generic("POST", "/login/", many.encode(), FORM), 400)


def test_number_of_files_is_limited(owner):
    files = {f"file{number}": io.BytesIO(b"x") for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FILES + 1)}
    assert_page(owner.post("/admin/kis/kbstatement/add/", files), 400)


def test_list_of_the_admin_can_tick_all_its_rows(owner):
    ticked = [("_selected_action", str(number)) for number in range(200)]
    body = "&".join(f"{name}={value}" for name, value in [("action", ""), *ticked])
    response = owner.generic("POST", reverse("admin:kis_brokeraccount_changelist"), body.encode(), FORM)
    assert response.status_code == 200  # the list again: no action was named


def test_charset_of_a_request_does_not_let_a_long_address_crash_the_server():
    """Django reads such an address before any of its own handlers are there to answer."""
    started = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/login/",
        "QUERY_STRING": "&".join(["a=1"] * 2000),
        "CONTENT_TYPE": "application/json; charset=utf-16",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "HTTP_X_FORWARDED_PROTO": "https",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
    }

    def start(status, _headers, _trouble=None):
        started.append(status)

    body = b"".join(application(environ, cast("Any", start)))
    assert started == ["400 Bad Request"]
    assert "요청을 읽을 수 없습니다" in body.decode()


# --- lists of the admin ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        ("kis_indexprice", "index_code__range=12345"),
        ("kis_indexprice", "trade_date__contained_by=x"),
        ("kis_feedlease", "lease_until=9999-12-31T23:59:59-12:00"),
        ("kis_kisholding", "snapshot_date__exact=0001-01-01&o=1"),
        ("kis_kisaccount", "snapshot_at__gte=0001-01-01T00:00:00%2B09:00"),
    ],
)
def test_condition_no_database_can_follow_is_a_bad_address(owner, asked):
    table, query = asked
    response = owner.get(f"{reverse(f'admin:{table}_changelist')}?{query}", follow=True)
    assert response.status_code in {200, 400}, response.content.decode()[:500]
    if response.status_code == 400:
        assert_page(response, 400, "주소나 보낸 내용이 올바르지 않습니다")


def test_search_as_long_as_an_address_may_be(owner):
    response = owner.get(reverse("admin:kis_kisholding_changelist"), {"q": "9" * 60_000})
    assert response.status_code in {200, 400}  # SQLite cannot look for it, PostgreSQL finds nothing


def test_action_on_a_row_that_can_be_none_is_a_bad_request(owner):
    sent = {"action": "delete_selected", "_selected_action": "http://["}
    assert_page(owner.post(reverse("admin:django_q_schedule_changelist"), sent), 400)


def test_form_that_names_a_row_no_database_can_hold(owner):
    user = get_user_model().objects.get()
    response = owner.post(reverse("admin:auth_user_change", args=[user.pk]), {"groups": str(2**64)})
    assert response.status_code in {200, 400}  # PostgreSQL may say that there is no such group


def test_mistake_in_a_column_of_ours_is_no_mistake_of_whoever_asks(owner, monkeypatch):
    make_rows(1)

    def broken(self):
        raise ValueError("ours")

    monkeypatch.setattr(KisAccount, "masked_no", property(broken), raising=False)
    monkeypatch.setattr("kis.korean.number", broken)
    response = owner.get(reverse("admin:kis_kisaccount_changelist"), {"q": "1", "o": "1"})
    assert_page(response, 500, "처리하지 못했습니다")
