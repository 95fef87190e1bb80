"""Every address for everybody: who may read and who may write there. An address without a row here fails.

Which rows of an allowed table somebody sees is tried in `test_grants.py`, what orders take in `tests/trading/test_api.py`.
"""

import functools
import logging
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.urls import URLPattern, get_resolver
from drf_spectacular.generators import SchemaGenerator
from rest_framework.throttling import UserRateThrottle

from aegis.admin_site import AegisAdminSite
from aegis.alerts.models import Alert
from kis import second_factor
from kis.client.codes import AccountNumber
from kis.client.errors import KisMisconfigured
from kis.grants import grant
from kis.models import AccessToken, FeedLease, RateBudget
from kis.tokens import create_token
from tests.aegis.admin_rows import make
from tests.factories import AT
from tests.kis.api_rows import make_rows
from tests.kis.owning import of_owner, store
from tests.trading.conftest import make_order
from trading import kill_switch
from trading.models import PendingOrder

pytestmark = pytest.mark.django_db
MINE = AccountNumber("12345678", "01")
VERBS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

# --- who there is ----------------------------------------------------------------------------------------------------

#: Nobody; a user of no use here; one who may sign in to the site and was given nothing; the three roles; a superuser
#: without a grant; and two programs with tokens of the trader.
NOBODY, PLAIN, CLERK, VIEWER, TRADER, MANAGER, SUPER, READING, ORDERING = ROLES = (
    *("nobody", "plain", "clerk", "viewer", "trader", "manager", "super", "reading token", "ordering token"),
)
SIGNED_IN = {PLAIN, CLERK, VIEWER, TRADER, MANAGER, SUPER}
STAFF = SIGNED_IN - {PLAIN}
VIEWERS = STAFF - {CLERK}
TRADERS = {TRADER, MANAGER}
TOKENS = {READING, ORDERING}
EVERYBODY = set(ROLES)
NONE: set[str] = set()


@dataclass(frozen=True)
class Row:
    """Who may read at an address, and who may send something to it."""

    read: set[str]
    write: set[str]


# --- the table: tables of the admin ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """Who may look at a table, and who may add, change and delete rows of it."""

    read: set[str]
    add: set[str]
    change: set[str]
    delete: set[str]


BOOKS = Table(VIEWERS, NONE, NONE, NONE)
KEYS = Table({SUPER}, NONE, NONE, NONE)
OWNERS = Table({SUPER}, {SUPER}, {SUPER}, {SUPER})
TABLES = {
    **dict.fromkeys(
        (
            *("kis.KisAccount", "kis.KisHolding", "kis.KisExecution", "kis.KisUnfilledOrder"),
            *("kis.KisOrderDetail", "kis.KisDepositLog", "kis.KisDailySummary", "kis.KisTradeProfit"),
            *("kis.SyncRun", "kis.DailyPrice", "kis.MinPrice", "kis.IndexPrice", "kis.Stock", "kis.PriceGap"),
            *("kis.PriceAdjustment", "kis.PriceHistory", "trading.PendingOrder", "trading.OrderEvent"),
            *("trading.KillSwitch", "reports.PublishedReport", "ai.Diagnosis", "ai.HoldingNote"),
        ),
        BOOKS,
    ),
    "kis.MarketDay": Table(VIEWERS, {SUPER}, {SUPER}, {SUPER}),
    "kis.TargetWeight": Table(VIEWERS, {MANAGER, SUPER}, {MANAGER, SUPER}, {MANAGER, SUPER}),
    "kis.ApiToken": Table(STAFF, STAFF, NONE, STAFF),
    **dict.fromkeys(("kis.AccessToken", "kis.RateBudget", "kis.FeedLease", "kis.WireFinding"), KEYS),
    "kis.SecondFactor": KEYS,
    **dict.fromkeys(("kis.KbHolding", "kis.KbTrade"), KEYS),
    "kis.KbStatement": Table({SUPER}, {SUPER}, NONE, NONE),
    **dict.fromkeys(("kis.BrokerAccount", "kis.AccountGrant", "auth.User", "auth.Group"), OWNERS),
    **dict.fromkeys(
        ("axes.AccessAttempt", "axes.AccessLog", "axes.AccessFailureLog"),
        Table({SUPER}, NONE, {SUPER}, {SUPER}),
    ),
    "alerts.Alert": BOOKS,
    "alerts.AlertRule": OWNERS,
    "django_q.Schedule": OWNERS,
    **dict.fromkeys(
        ("django_q.Success", "django_q.Failure", "django_q.OrmQ"), Table({SUPER}, NONE, {SUPER}, {SUPER})
    ),
}

# --- the table: everything else --------------------------------------------------------------------------------------

PUBLIC = Row(EVERYBODY, NONE)
OPEN_FORM = Row(EVERYBODY, EVERYBODY)
PAGES = {
    **dict.fromkeys(("healthz", "healthz/live", "healthz/ready", "healthz/data"), PUBLIC),
    "metrics": Row({SUPER}, NONE),  # and whoever has its own token
    "fonts/<str:name>": PUBLIC,
    "login/": OPEN_FORM,
    "logout/": Row(NONE, SIGNED_IN),
    "login/code/": Row(SIGNED_IN, SIGNED_IN),
    "login/again/": Row(SIGNED_IN, SIGNED_IN),
    **dict.fromkeys(
        ("second-factor/start/", "second-factor/finish/", "second-factor/codes/"), Row(NONE, SIGNED_IN)
    ),
    "second-factor/": Row(SIGNED_IN, NONE),
    # What takes more than a role, a second factor and a fresh password, is tried in `tests/trading/test_pages.py`.
    "orders/": Row(VIEWERS, NONE),
    "orders/new/": Row(TRADERS, TRADERS),
    "orders/<int:pk>/": Row(VIEWERS, NONE),
    "orders/<int:pk>/settle/": Row(TRADERS, NONE),
    **dict.fromkeys(
        (f"orders/<int:pk>/{deed}/" for deed in ("confirm", "give-up", "cancel", "look", "word")),
        Row(NONE, TRADERS),
    ),
    "admin/login/": Row(NONE, NONE),  # sends strangers to the one above
    "": Row(VIEWERS, NONE),
    "dashboard.pdf": Row(VIEWERS, NONE),
    "sync/": Row(NONE, VIEWERS),  # whoever may not have it done is told so in a sentence
    "admin/": Row(STAFF, STAFF),
    "admin/jobs/": Row(VIEWERS, NONE),
    "admin/sync/": Row(NONE, VIEWERS),  # whoever may not have it done is told so in a sentence
    "admin/sync/progress/": Row(VIEWERS, NONE),
    "admin/logout/": Row(NONE, STAFF),
    "admin/password_change/": Row(STAFF, STAFF),
    "admin/password_change/done/": Row(STAFF, NONE),
    "admin/autocomplete/": Row(NONE, NONE),
    "admin/jsi18n/": Row(STAFF, NONE),
    "admin/r/<path:content_type_id>/<path:object_id>/": Row(NONE, NONE),
    "admin/(?P<url>.*)$": Row(NONE, NONE),
    "admin/trading/killswitch/turn-on/": Row(NONE, VIEWERS),
    "admin/auth/user/<id>/password/": Row({SUPER}, {SUPER}),
    "api/schema/": Row({*STAFF, *TOKENS}, NONE),
    "api/docs/": Row(STAFF, NONE),
    "api/v1/^dashboard/?$": Row({*VIEWERS, *TOKENS}, NONE),
    "api/v1/": Row(NONE, NONE),
    "^api(/|$)": Row(NONE, NONE),
}
API_LISTS = {
    **dict.fromkeys(
        (
            *("accounts", "holdings", "executions", "unfilled-orders", "order-details", "deposit-logs"),
            *("daily-summaries", "daily-prices", "minute-prices", "sync-runs", "stocks", "diagnoses"),
        ),
        Row({*VIEWERS, *TOKENS}, NONE),
    ),
    **dict.fromkeys(("kb-holdings", "kb-trades"), Row({SUPER}, NONE)),
    "orders": Row({*VIEWERS, *TOKENS}, {ORDERING}),
}
for prefix, row in API_LISTS.items():
    PAGES[f"api/v1/^{prefix}/?$"] = row
    PAGES[f"api/v1/^{prefix}/(?P<pk>[0-9]{{1,18}})/?$"] = Row(row.read, NONE)
for deed in ("confirm", "cancel"):
    PAGES[f"api/v1/^orders/(?P<pk>[0-9]{{1,18}})/{deed}/?$"] = Row(NONE, {ORDERING})

#: What stands for what an address leaves open.
FILLED = {
    "fonts/<str:name>": "fonts/none.css",
    "admin/r/<path:content_type_id>/<path:object_id>/": "admin/r/1/1/",
    "admin/(?P<url>.*)$": "admin/nothing/here/",
    "admin/auth/user/<id>/password/": "admin/auth/user/{user}/password/",
    "api/v1/": "api/v1/nothing",
    "^api(/|$)": "api/v9/",
}


def every_address(patterns=None, before=""):
    """Return the pattern of every address of the site."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield here
        else:
            yield from every_address(pattern.url_patterns, here)


def table_addresses(label):
    """Return the addresses of a table of the admin, with who may read and write at each."""
    model = apps.get_model(label)
    base = f"admin/{model._meta.app_label}/{model._meta.model_name}/"  # noqa: SLF001
    table = TABLES[label]
    return {
        base: Row(table.read, table.read),  # sending what is ticked there does nothing without an action
        f"{base}add/": Row(table.add, table.add),
        f"{base}<path:object_id>/history/": Row(table.read, table.read),
        f"{base}<path:object_id>/delete/": Row(table.delete, table.delete),
        f"{base}<path:object_id>/change/": Row(table.read, table.change),
        f"{base}<path:object_id>/": Row(STAFF, STAFF),  # only leads to the one before
    }


def app_list():
    """Return the address of the lists of apps, which names them all."""
    return next(address for address in every_address() if "app_label" in address)


def test_every_address_has_a_row():
    rows = {*PAGES, app_list(), *(address for label in TABLES for address in table_addresses(label))}
    there = set(every_address())
    assert not there - rows, "say who may read and write there"
    assert not rows - there, "these are gone"
    assert {model._meta.label for model in admin.site._registry} == set(TABLES)  # noqa: SLF001


# --- trying it -------------------------------------------------------------------------------------------------------


@pytest.fixture
def people(settings, monkeypatch, caplog):
    """Return a client for each role, on a site with a row of nearly everything."""
    if connection.vendor != "sqlite":
        pytest.skip("which door is open to whom is no question of the database")
    cache.clear()
    # Who is let in is said before a page is written; writing thousands of them would say nothing more.
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    monkeypatch.setattr(AegisAdminSite, "each_context", lambda site, request: {})
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda generator, **how: {})
    # Nobody here is given anything on the way: each is looked up once, with what he may.
    look_up = ModelBackend.get_user
    known = functools.cache(lambda pk: look_up(ModelBackend(), pk))
    monkeypatch.setattr(ModelBackend, "get_user", lambda backend, pk: known(pk))
    monkeypatch.setattr(second_factor, "factor_of", lambda user: None)
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    caplog.set_level(logging.CRITICAL, "django.request")  # a line for each of them that is turned away
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": None, "orders": None})
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")
    make_rows(1)
    make_order()
    make(Alert, 1)
    create_token(get_user_model().objects.create_user("other"), name="other", scope="read")

    def silent(*_arguments):
        raise KisMisconfigured("시험에는 증권사가 없습니다.")

    for place in ("reports.views.connect", "kis.data_fetch.connect"):
        monkeypatch.setattr(place, silent)
    monkeypatch.setattr("reports.views.pdf_response", lambda request, figures: HttpResponse(b"%PDF"))
    store("연금", "43218765-22")
    kill_switch.turn_on("시험", at=AT, by="test")
    for model in (AccessToken, RateBudget):
        model.objects.create(key_id="f" * 64)
    FeedLease.objects.create(key_id="f" * 64, lease_until=AT)
    return {role: client_of(role) for role in ROLES}


def client_of(role):
    client = Client(raise_request_exception=False)
    if role == NOBODY:
        return client
    if role in TOKENS:
        user = get_user_model().objects.get(username=TRADER)
        _, text = create_token(user, name=role, scope="trade" if role == ORDERING else "read")
        return Client(raise_request_exception=False, headers={"authorization": f"Bearer {text}"})
    user = get_user_model().objects.create_user(
        role, is_superuser=role == SUPER, is_staff=role in {CLERK, SUPER}
    )
    grants = {VIEWER: "viewer", TRADER: "trader", MANAGER: "admin"}
    if role in grants:
        grant(user, MINE, is_paper=False, role=grants[role])
        create_token(user, name="own", scope="read")
    client.force_login(user)
    return client


def asked(client, verb, path):
    body = {"data": "{}", "content_type": "application/json"} if path.startswith("api/") else {}
    response: Any = client.generic(verb, f"/{path}", **(body if verb in {"POST", "PUT", "PATCH"} else {}))
    if response.streaming:
        response.close()
    return response


def is_refused(response):
    """Return whether somebody was turned away: as a stranger, as one who may not, or as if there was nothing."""
    if response.status_code == 302:
        return "login/?next=" in response["Location"] or response["Location"] == "/admin/"
    return response.status_code in {401, 403, 404, 405}


def assert_kept(people, path, row, *, look=None, verbs=VERBS):
    """Ask as everybody with every verb; whoever may not must be refused, and `look` see the same as before."""
    for role in [role for role in ROLES if role not in row.read | row.write]:
        before = look() if look else None
        for verb in verbs:
            response = asked(people[role], verb, path)
            says_verbs = verb == "OPTIONS" and role in STAFF | TOKENS and b"1234" not in response.content
            assert is_refused(response) or says_verbs, (role, verb, path, response.status_code)
        assert before == (look() if look else None), (role, path)
    for role in row.read | row.write:
        for verb in sorted(verbs, key="POST".__eq__):
            response = asked(people[role], verb, path)
            assert response.status_code < 500, (role, verb, path, response.status_code)
            if verb in {"GET", "HEAD"}:
                assert is_refused(response) != (role in row.read), (role, verb, path, response.status_code)
            if verb == "POST":
                assert is_refused(response) != (role in row.write), (role, verb, path, response.status_code)


def in_parts(names, size):
    """Return the names a few at a time: a site for each of them would take longer than trying it."""
    names = sorted(names)
    return [names[first : first + size] for first in range(0, len(names), size)]


@pytest.mark.parametrize("patterns", in_parts(PAGES, 6), ids="|".join)
def test_pages_are_for_those_in_their_rows(people, patterns):
    for pattern in patterns:
        try_page(people, pattern)


def try_page(people, pattern):
    user = get_user_model().objects.get(username=PLAIN)
    path = FILLED.get(pattern, pattern).replace("{user}", str(user.pk))
    path = path.replace("<int:pk>", str(PendingOrder.objects.latest("pk").pk))
    if pattern.startswith("api/v1/^"):
        model = model_of(pattern)
        row = model.objects.first() if model else None
        path = (
            pattern.replace("^", "")
            .replace("/?$", "/")
            .replace("(?P<pk>[0-9]{1,18})", str(row.pk if row else 1))
        )
    if pattern == "fonts/<str:name>":
        assert all(
            asked(people[role], "GET", path).status_code == 404 for role in ROLES
        )  # no such font, for anybody
        return
    if pattern == "healthz/data":  # says to everybody alike that this site does no work
        assert {asked(people[role], "GET", path).json()["status"] for role in ROLES} == {"late"}
        assert {asked(people[role], "POST", path).status_code for role in ROLES} == {405}
        return
    assert_kept(people, path, PAGES[pattern])
    if "logout" in pattern:
        for role in SIGNED_IN:
            people[role].force_login(get_user_model().objects.get(username=role))


def model_of(pattern):
    from aegis.api import router  # noqa: PLC0415  # reads all views

    views: dict[str, Any] = {prefix: view for prefix, view, _ in router.registry}
    view = views.get(pattern.removeprefix("api/v1/^").split("/")[0])
    return view.model if view else None


def test_files_are_for_those_who_may_read_the_lists(people):
    for prefix, row in API_LISTS.items():
        assert_kept(people, f"api/v1/{prefix}?format=csv", Row(row.read, NONE), verbs=("GET", "HEAD"))
    for label, table in TABLES.items():
        path = f"admin/{label.lower().replace('.', '/')}/?export=csv"
        if hasattr(admin.site.get_model_admin(apps.get_model(label)), "as_file"):
            assert_kept(people, path, Row(table.read, NONE), verbs=("GET",))


def where_there_are_rows(label, pattern, who, row):
    """Return who may what at the page of a row that may not be there, or may be somebody's own."""
    if "object_id>/" not in pattern or pattern.endswith("<path:object_id>/"):
        return who
    if row is None:
        return Row(NONE, NONE)
    return Row(who.read & {SUPER}, who.write & {SUPER}) if label == "kis.ApiToken" else who


@pytest.mark.parametrize("labels", in_parts(TABLES, 6), ids="|".join)
def test_tables_are_for_those_in_their_rows(people, labels):
    for label in labels:
        try_table(people, label)


def try_table(people, label):
    model = apps.get_model(label)
    row = model._default_manager.order_by("pk").first()  # noqa: SLF001
    if label == "kis.ApiToken":
        row = model._default_manager.get(user__username="other")  # noqa: SLF001

    def look():
        return sorted(map(str, model._default_manager.values_list()))  # noqa: SLF001

    for pattern, who in table_addresses(label).items():
        path = pattern.replace("<path:object_id>", str(row.pk) if row else "1")
        assert_kept(people, path, where_there_are_rows(label, pattern, who, row), look=look)


def test_lists_of_apps_are_for_those_who_see_something_there(people):
    for label in ("kis", "trading", "reports", "ai", "alerts"):
        seen = STAFF if label == "kis" else VIEWERS  # everybody there has tokens of his own
        assert_kept(people, f"admin/{label}/", Row(seen, seen))
    for label in ("axes", "django_q", "auth"):
        assert_kept(people, f"admin/{label}/", Row({SUPER}, {SUPER}))
