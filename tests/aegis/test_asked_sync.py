"""The button of the admin with a worker behind it: left to him once, watched from a page, done here where he is not there."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Task

from aegis.asked_sync import somebody_works
from kis.client.codes import AccountNumber
from kis.client.errors import KisUnreachable
from kis.grants import grant
from kis.models import AccountGrant, KisAccount, SyncRun
from tests.factories import sync_run
from tests.kis.owning import of_owner
from tests.kis.syncing import TEN, fetched_from_a_simulator
from tests.trading.pages import text_of

pytestmark = pytest.mark.django_db
MINE, OTHER = AccountNumber("12345678", "01"), AccountNumber("87654321", "01")
REFRESHING = 'http-equiv="refresh"'


@pytest.fixture(autouse=True)
def an_owner(settings, monkeypatch):
    cache.clear()
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")
    for place in ("aegis.admin_cards.market_now", "aegis.asked_sync.market_now"):
        monkeypatch.setattr(place, lambda: TEN)


@pytest.fixture
def market(monkeypatch):
    with fetched_from_a_simulator(monkeypatch) as simulator:
        yield simulator


@pytest.fixture
def silent(monkeypatch):
    """Let the broker give no answer, which takes no market."""

    def connect(*_arguments):
        raise KisUnreachable("응답을 받지 못했습니다.")

    monkeypatch.setattr("kis.data_fetch.connect", connect)


def trace(*, ago=timedelta(seconds=30), cluster="fast"):
    """Leave what a worker leaves that has done something."""
    at = timezone.now() - ago
    Task.objects.create(
        id=f"{Task.objects.count():032x}",
        name="n",
        func="f",
        started=at,
        stopped=at,
        success=True,
        cluster=cluster,
    )


@pytest.fixture
def worker():
    """Let there be a worker; called, it does what has been left to it, as a cluster does it and writes it down."""
    trace()

    def work():
        for row in OrmQ.objects.order_by("pk"):
            task = row.task
            try:
                result, success = import_string(task["func"])(**task["kwargs"]), True
            except RuntimeError as error:
                result, success = f"{error} : Traceback (most recent call last)", False
            kept = {name: task[name] for name in ("id", "name", "func", "args", "kwargs", "started")}
            ended = {"result": result, "success": success, "stopped": timezone.now(), "cluster": "fast"}
            Task.objects.create(**kept, **ended)
            row.delete()

    return work


def signed_in(name, *, of=MINE, role="trader"):
    user = get_user_model().objects.create_user(name)
    grant(user, of, is_paper=False, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def trader():
    return signed_in("trader")


def key_on(client):
    return client.get("/admin/").content.decode().split('name="account" value="')[1].split('"')[0]


def push(client, key=None, **more):
    """Push the button, and return the address of the page that it leads to."""
    response = client.post("/admin/sync/", {"account": key or key_on(client), **more})
    assert response.status_code == 302
    return response["Location"]


def waited(seconds):
    OrmQ.objects.update(lock=timezone.now() - timedelta(seconds=seconds))


# --- left to the worker ----------------------------------------------------------------------------------------------


def test_worker_does_it_and_the_page_says_how_it_ended(trader, market, worker):
    address = push(trader)
    assert address.startswith("/admin/sync/progress/?account=")
    waiting = trader.get(address)
    assert "작업자를 기다리고 있습니다" in text_of(waiting)
    assert REFRESHING in waiting.content.decode()
    assert not KisAccount.objects.exists()
    left = OrmQ.objects.get()
    assert left.key == "fast"
    assert "12345678" not in str(left.task)
    left.lock = timezone.now() + timedelta(minutes=7)
    left.save()
    assert "작업자가 시작합니다" in text_of(trader.get(address))
    running = sync_run(
        job="refresh_by_hand", status="running", at=TEN, lease_until=TEN + timedelta(minutes=1)
    )
    assert "동기화하고 있습니다" in text_of(trader.get(address))
    running.delete()
    worker()
    over = trader.get(address)
    run = SyncRun.objects.get()
    assert KisAccount.objects.count() == 1
    assert f"동기화 #{run.pk} 완료, 대사 일치" in text_of(over)
    assert f"/admin/kis/syncrun/{run.pk}/change/" in over.content.decode()
    assert REFRESHING not in over.content.decode()


def test_button_that_is_pushed_twice_is_one_sync(trader, market, worker):
    key = key_on(trader)
    assert push(trader, key) == push(trader, key)
    assert OrmQ.objects.count() == 1
    friend = signed_in("friend", role="admin")
    of_friend = push(friend)  # his own wish, of the same account
    worker()
    assert KisAccount.objects.count() == SyncRun.objects.count() == 1
    said = text_of(friend.get(of_friend))
    assert "새로 하지 않았습니다" in said
    assert "60초에 한 번" in said


@pytest.mark.parametrize("trouble", [KisUnreachable("응답을 받지 못했습니다."), RuntimeError("?")])
def test_broker_in_trouble_is_a_sentence_of_the_page(trader, worker, monkeypatch, trouble):
    def connect(*_arguments):
        raise trouble

    monkeypatch.setattr("kis.data_fetch.connect", connect)
    address = push(trader)
    worker()
    page = text_of(trader.get(address))
    assert "동기화하지 못했습니다" in page
    assert "응답을 받지 못했습니다." in page or "예상하지 못한 오류" in page
    assert REFRESHING not in trader.get(address).content.decode()


def test_worker_that_breaks_shows_nothing_for_programmers(trader, worker, monkeypatch):
    def broken(**_arguments):
        raise RuntimeError("secret of a program")

    monkeypatch.setattr("aegis.asked_sync.sync_asked_for", broken)
    address = push(trader)
    worker()
    page = text_of(trader.get(address))
    assert "작업자가 예상하지 못한 오류로 멈췄습니다." in page
    assert "secret" not in page
    assert "Traceback" not in page


def test_grant_that_is_taken_away_meanwhile_stops_it(trader, silent, worker):
    address = push(trader)
    AccountGrant.objects.update(role="viewer")
    worker()
    assert "동기화할 권한이 없습니다" in text_of(trader.get(address))


# --- done here, which `test_admin_site` tries without a worker ---------------------------------------------------------


def nobody_ever():
    pass


def somebody_long_ago():
    trace(ago=timedelta(minutes=4))


def one_of_the_other_queue():
    trace(cluster="reports")


def one_that_leaves_things_lying():
    trace()
    OrmQ.objects.create(key="fast", payload="x", lock=timezone.now() - timedelta(seconds=25))


@pytest.mark.parametrize(
    "there_is", [nobody_ever, somebody_long_ago, one_of_the_other_queue, one_that_leaves_things_lying]
)
def test_nothing_is_left_to_a_worker_who_would_not_take_it(there_is):
    there_is()
    assert not somebody_works(at=timezone.now())
    OrmQ.objects.all().delete()
    trace()
    OrmQ.objects.create(key="fast", payload="x", lock=timezone.now() - timedelta(seconds=5))
    assert somebody_works(at=timezone.now())


def test_what_nobody_takes_can_be_done_here_and_is_done_once(trader, market, worker):
    address = push(trader)
    waited(seconds=21)
    page = trader.get(address)
    assert "작업자가 아직 가져가지 않았습니다" in text_of(page)
    assert REFRESHING not in page.content.decode()
    assert 'name="here" value="1"' in page.content.decode()
    push(trader, page.context["progress"].key, here="1")
    assert KisAccount.objects.count() == 1
    worker()
    assert KisAccount.objects.count() == 1
    assert "60초에 한 번" in text_of(trader.get(address))


# --- whose page ------------------------------------------------------------------------------------------------------


def test_page_is_for_those_who_may_see_the_account(trader, silent, worker):
    address = push(trader)
    viewer, stranger = signed_in("viewer", role="viewer"), signed_in("stranger", of=OTHER)
    for done in (False, True):
        if done:
            worker()
        assert viewer.get(address).status_code == 200
        assert "결과를 찾을 수 없습니다" in text_of(stranger.get(address, follow=True))
    number = address.partition("task=")[2]
    for odd in (f"account=x&task={number}", f"task={number}", address.partition("?")[2][:-1], "task=%00", ""):
        said = text_of(trader.get(f"/admin/sync/progress/?{odd}", follow=True))
        assert "결과를 찾을 수 없습니다" in said, odd


def test_task_of_somebody_else_is_no_sync(trader):
    trace()
    address = f"/admin/sync/progress/?account={key_on(trader)}&task={Task.objects.get().pk}"
    assert "결과를 찾을 수 없습니다" in text_of(trader.get(address, follow=True))
