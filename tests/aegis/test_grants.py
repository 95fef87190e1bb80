"""Who gets which account: users see theirs and nothing of anybody else's, wherever rows are shown."""

from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from aegis.alerts.kinds import Kind
from aegis.alerts.models import Alert, AlertDelivery
from kis.access import access_of, may_trade, visible, visible_accounts, way_of
from kis.client.codes import AccountNumber
from kis.grants import grant, group_of
from kis.models import AccountGrant, DailyPrice, KisAccount, KisHolding, TargetWeight
from tests.factories import AT, Stock, fill, order, snapshot, sync_run
from tests.kis.api_rows import error_of, order_detail
from tests.kis.owning import key_of, of_owner, secret_of, store
from tests.trading.conftest import make_order
from trading import audit
from trading.models import OrderEvent, PendingOrder

pytestmark = pytest.mark.django_db

MINE, OTHER = AccountNumber("12345678", "01"), AccountNumber("87654321", "01")
PASSWORD = "correct horse battery"
#: Tables whose rows are of no account: the market's, the site's own, keys, and what belongs to another broker.
NOT_OF_AN_ACCOUNT = {
    *(
        "DailyPrice",
        "IndexPrice",
        "MarketDay",
        "MinPrice",
        "PriceAdjustment",
        "PriceGap",
        "PriceHistory",
        "Stock",
    ),
    *("AccessToken", "ApiToken", "BrokerAccount", "FeedLease", "RateBudget", "WireFinding"),
    *("RecoveryCode", "SecondFactor"),
    *("KbHolding", "KbStatement", "KbTrade"),
    *("AuditHead", "KillSwitch", "TradingPassword"),
    "AlertRule",
}


@pytest.fixture(autouse=True)
def owner_of_two(settings):
    cache.clear()
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")


def user_named(name, *, of=(), role="viewer", **columns):
    user = get_user_model().objects.create_user(name, password=PASSWORD, **columns)
    for account in of:
        grant(user, account, is_paper=False, role=role)
    return user


def books_of(account, number):
    """Save a row of everything that belongs to an account."""
    columns = {"account_no": account.number, "product_code": account.product_code}
    saved = snapshot([Stock(name=f"종목{number}")], run=sync_run(**columns), with_closes=False, **columns)
    order(saved, number)
    fill(number, name=f"종목{number}", **columns)
    order_detail(number, stock_name=f"종목{number}", **columns)
    make_order(account_no=account.number, product_code=account.product_code, stock_name=f"종목{number}")
    alerted(number, **columns)
    return saved


def alerted(number, *, kind=Kind.FILL, **columns):
    """Save an alert that went to a telephone."""
    alert = Alert.objects.create(
        kind=kind, dedup_key=f"{kind}:{number}", title=f"종목{number} 체결", created_at=AT, **columns
    )
    AlertDelivery.objects.create(
        alert=alert, destination="f" * 16, service="tgram", status="sent", due_at=AT, sent_at=AT
    )
    return alert


@pytest.fixture
def books():
    return books_of(MINE, 1), books_of(OTHER, 2)


# --- every table ---------------------------------------------------------------------------------------------------


def test_every_table_says_whose_its_rows_are():
    ours = [
        model
        for label in ("kis", "trading", "reports", "ai", "alerts")
        for model in apps.get_app_config(label).get_models()
    ]
    unsaid = {model.__name__ for model in ours if way_of(model) is None} - NOT_OF_AN_ACCOUNT
    assert not unsaid, (
        f"say how rows of {unsaid} are told by account (kis.access.way_of), or that they are of none"
    )
    gone = NOT_OF_AN_ACCOUNT - {model.__name__ for model in ours}
    assert not gone


def test_rows_of_one_account_are_all_that_its_viewer_sees(books):
    viewer, stranger = user_named("viewer", of=[MINE]), user_named("stranger")
    for label in ("kis", "trading", "alerts"):
        for model in apps.get_app_config(label).get_models():
            rows = model._default_manager.all()  # noqa: SLF001
            way = way_of(model)
            if way is None or model is AccountGrant or not rows.exists():
                continue
            seen = list(visible(rows, viewer).values_list(f"{way}account_no", flat=True))
            assert set(seen) == {MINE.number}, model
            assert not visible(rows, stranger).exists(), model


def test_prices_are_everybodys():
    snapshot([Stock()])
    assert visible(DailyPrice.objects.all(), None).exists()
    assert not visible(KisHolding.objects.all(), None).exists()


def test_access_takes_one_query_for_the_grants_however_many_there_are(books):
    def queries():
        user = get_user_model().objects.get(username="viewer")
        with CaptureQueriesContext(connection) as captured:
            list(visible(KisAccount.objects.all(), user))
        return len(captured)

    viewer = user_named("viewer", of=[MINE])
    few = queries()
    for number in range(5):
        grant(viewer, AccountNumber("12345678", f"2{number}"), is_paper=False, role="viewer")
    assert queries() == few


def test_alerts_are_for_those_who_may_see_the_account(client, books):
    of_nobody = alerted(3, kind=Kind.KILL)
    mine, foreign = (Alert.objects.get(account_no=account.number) for account in (MINE, OTHER))
    client.force_login(user_named("viewer", of=[MINE]))
    page = client.get("/admin/alerts/alert/").content.decode()
    assert "종목1 체결" in page
    assert not [word for word in ("종목2", "종목3", "tgram") if word in page]
    file = client.get("/admin/alerts/alert/?export=csv").getvalue().decode()
    assert "종목1" in file
    assert "종목2" not in file
    address = "/admin/alerts/alert/{}/change/"
    read = client.get(address.format(mine.pk))
    assert "종목1 체결" in read.content.decode()
    assert "tgram" not in read.content.decode()
    assert client.post(address.format(mine.pk), {"title": "고침"}).status_code == 403
    for other in (foreign, of_nobody):
        assert client.get(address.format(other.pk)).status_code == 302  # as if there was none
    assert client.get("/admin/alerts/alertrule/").status_code == 403
    client.force_login(user_named("owner", is_superuser=True, is_staff=True))
    assert client.get("/admin/alerts/alert/").content.decode().count("tgram") == 3


def test_groups_of_before_may_look_at_alerts_too():
    viewers = group_of("viewer")
    look = Permission.objects.get(content_type__app_label="alerts", codename="view_alert")
    viewers.permissions.remove(look)
    import_module("aegis.alerts.migrations.0003_shown_to_readers_of_the_account").let_groups_look(apps, None)
    assert look in viewers.permissions.all()


# --- the API -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "route", ["accounts", "holdings", "unfilled-orders", "executions", "order-details", "sync-runs"]
)
def test_viewer_of_one_account_meets_no_other_in_the_api(client, books, route):
    client.force_login(user_named("viewer", of=[MINE]))
    response = client.get(f"/api/v1/{route}")
    rows = response.json()["results"]
    assert {row["account"] for row in rows} == {"실전"}
    filed = client.get(f"/api/v1/{route}?format=csv").getvalue().decode()
    assert "8765****" not in filed
    numbers = {row["id"] for row in rows}
    client.force_login(get_user_model().objects.create_superuser("owner"))
    everything = {row["id"] for row in client.get(f"/api/v1/{route}").json()["results"]}
    [other] = everything - numbers
    client.force_login(get_user_model().objects.get(username="viewer"))
    assert error_of(client.get(f"/api/v1/{route}/{other}"), 404)["code"] == "not_found"


def test_account_of_somebody_else_is_not_even_known_by_name(client, books):
    store("아이", "87654321-01")
    client.force_login(user_named("viewer", of=[MINE]))
    messages = {
        error_of(client.get("/api/v1/accounts", {"account": name}), 400)["message"]
        for name in ("아이", "8765****-01", "없는 계좌")
    }
    assert messages == {"이 별칭이나 번호의 계좌가 없습니다."}
    assert client.get("/api/v1/accounts", {"account": "실전"}).status_code == 200


# --- the admin -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *(
            "kis_kisaccount",
            "kis_kisholding",
            "kis_kisexecution",
            "kis_kisunfilledorder",
            "kis_kisorderdetail",
        ),
        *("kis_syncrun", "trading_pendingorder", "trading_orderevent"),
    ],
)
def test_viewer_of_one_account_meets_no_other_in_the_admin(client, books, name):
    store("아이", "87654321-01")
    client.force_login(user_named("viewer", of=[MINE]))
    response = client.get(reverse(f"admin:{name}_changelist"))
    assert response.context["cl"].result_count == 1
    text = response.content.decode()
    assert "8765" not in text
    assert "아이" not in text
    assert "종목2" not in text
    app, model = name.split("_")
    way = way_of(apps.get_model(app, model))
    others = apps.get_model(app, model).objects.filter(**{f"{way}account_no": OTHER.number})
    for page in ("change", "history"):
        address = reverse(f"admin:{name}_{page}", args=[others.get().pk])
        assert client.get(address).status_code in {302, 404}


def test_steps_of_the_switch_are_for_superusers():
    viewer, owner = user_named("viewer", of=[MINE]), get_user_model().objects.create_superuser("owner")
    audit.record("kill_switch_on", at=make_order().made_at)
    assert not visible(OrderEvent.objects.filter(what="kill_switch_on"), viewer).exists()
    assert visible(OrderEvent.objects.filter(what="kill_switch_on"), owner).exists()


def test_targets_are_set_by_who_manages_the_account(client):
    typed = {"account_no": OTHER.number, "product_code": "01", "stock_code": "005930", "percent": "10"}
    client.force_login(user_named("manager", of=[MINE], role="admin"))
    refused = client.post(reverse("admin:kis_targetweight_add"), typed)
    assert "관리할 권한이 없습니다" in refused.content.decode()
    assert (
        client.post(reverse("admin:kis_targetweight_add"), {**typed, "account_no": MINE.number}).status_code
        == 302
    )
    row = TargetWeight.objects.get()
    client.force_login(user_named("viewer", of=[MINE]))
    assert client.get(reverse("admin:kis_targetweight_changelist")).status_code == 200
    assert client.post(reverse("admin:kis_targetweight_change", args=[row.pk]), typed).status_code == 403
    assert (
        client.post(reverse("admin:kis_targetweight_delete", args=[row.pk]), {"post": "yes"}).status_code
        == 403
    )


# --- orders --------------------------------------------------------------------------------------------------------


def test_orders_take_a_grant_and_the_permission_and_no_rank():
    owner = get_user_model().objects.create_superuser("owner")
    assert not may_trade(owner, MINE, is_paper=False)
    grant(owner, MINE, is_paper=False, role="trader")
    assert may_trade(owner, MINE, is_paper=False)
    assert not may_trade(owner, MINE, is_paper=True)
    assert not may_trade(owner, OTHER, is_paper=False)

    trader = user_named("trader", of=[MINE], role="trader")
    assert may_trade(trader, MINE, is_paper=False)
    trader.groups.clear()
    trader = get_user_model().objects.get(pk=trader.pk)
    assert not may_trade(trader, MINE, is_paper=False)

    viewer = user_named("viewer", of=[MINE])
    assert not may_trade(viewer, MINE, is_paper=False)
    assert not may_trade(None, MINE, is_paper=False)


def test_user_who_was_shut_out_sees_and_orders_nothing(books):
    trader = user_named("trader", of=[MINE], role="trader")
    trader.is_active = False
    trader.save()
    trader = get_user_model().objects.get(pk=trader.pk)
    assert not may_trade(trader, MINE, is_paper=False)
    assert not visible(PendingOrder.objects.all(), trader).exists()
    assert visible_accounts(trader) == []


# --- how grants come about -------------------------------------------------------------------------------------------


def first_run():
    out = StringIO()
    call_command("create_owner", stdout=out)
    return out.getvalue()


def test_first_owner_gets_every_account_there_is():
    store("연금", "43218765-22")
    said = first_run()
    owner = get_user_model().objects.get()
    assert said.count(owner.username) == 1
    granted = {(row.account, row.role) for row in AccountGrant.objects.all()}
    assert granted == {(MINE, "admin"), (AccountNumber("43218765", "22"), "admin")}
    assert may_trade(owner, MINE, is_paper=False)


def test_account_that_comes_later_goes_to_the_owner_and_to_no_other_superuser():
    first_run()
    second = get_user_model().objects.create_superuser("second")
    store("연금", "43218765-22")
    assert first_run() == ""
    owner = get_user_model().objects.get(username="owner")
    assert may_trade(owner, AccountNumber("43218765", "22"), is_paper=False)
    assert not AccountGrant.objects.filter(user=second).exists()


def test_site_from_before_the_grants_gives_its_accounts_to_the_first_superuser():
    get_user_model().objects.create_user("reader")
    old = get_user_model().objects.create_superuser("old")
    get_user_model().objects.create_superuser("new")
    first_run()
    assert [row.user for row in AccountGrant.objects.all()] == [old]


def test_account_with_a_manager_is_left_to_him():
    other = get_user_model().objects.create_superuser("other")
    grant(other, MINE, is_paper=False, role="admin")
    get_user_model().objects.create_superuser("owner")
    first_run()
    assert [row.user for row in AccountGrant.objects.all()] == [other]


def test_whoever_registers_an_account_manages_it(client):
    user = get_user_model().objects.create_superuser("owner")
    client.force_login(user)
    typed = {
        "label": "연금",
        "mode": "real",
        "enabled": "on",
        "account_no": "43218765-22",
        "app_key": key_of("typed"),
        "app_secret": secret_of("typed"),
        "hts_id": "",
        "base_url": "",
        "ws_url": "",
        "tr_set": "",
        "commission": "",
    }
    assert client.post(reverse("admin:kis_brokeraccount_add"), typed).status_code == 302
    assert access_of(user).manages(AccountNumber("43218765", "22"), is_paper=False)
    assert may_trade(user, AccountNumber("43218765", "22"), is_paper=False)


def test_owner_grants_an_account_by_its_name(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    friend = get_user_model().objects.create_user("friend", password=PASSWORD)
    page = client.get(reverse("admin:kis_accountgrant_add"))
    assert "12345678" not in page.content.decode()
    [(key, label)] = page.context["adminform"].form.fields["account"].choices
    assert label == "실전 1234****-01"
    typed = {"user": friend.pk, "account": key, "role": "viewer"}
    assert client.post(reverse("admin:kis_accountgrant_add"), typed).status_code == 302
    row = AccountGrant.objects.get()
    assert (row.user, row.account, row.is_paper, row.role) == (friend, MINE, False, "viewer")
    twice = client.post(reverse("admin:kis_accountgrant_add"), typed)
    assert "이미 있습니다" in twice.content.decode()
    change = reverse("admin:kis_accountgrant_change", args=[row.pk])
    assert client.post(change, {"role": "trader"}).status_code == 302
    friend = get_user_model().objects.get(pk=friend.pk)
    assert friend.is_staff
    assert may_trade(friend, MINE, is_paper=False)


def test_grants_are_for_superusers_to_give(client):
    client.force_login(user_named("manager", of=[MINE], role="admin"))
    for address in (reverse("admin:kis_accountgrant_changelist"), reverse("admin:kis_accountgrant_add")):
        assert client.get(address).status_code == 403
