"""The job of every minute and the button: a whole snapshot in seconds, once a slot, and not too often by hand."""

from datetime import datetime, time, timedelta

import pytest
from django.db.models import Sum

from kis.calendar import use_days
from kis.client.errors import KisError
from kis.data_fetch import FetchFailed, refresh
from kis.models import IndexPrice, KisAccount, KisHolding, KisUnfilledOrder, MinPrice, SyncRun
from kis.refresh import JOB, AlreadyFresh, refresh_now, refresh_slot
from kis.simulator.server import Simulator, SimulatorConfig
from kis.slots import Window
from kis.sync import sync_account
from kis.tasks import refresh_accounts
from tests.kis.fetching import configure
from tests.kis.syncing import SAMSUNG, TEN, Broker, connection_to, leave_out_the_market

pytestmark = pytest.mark.django_db
EVERY_MINUTE = Window(timedelta(minutes=1), opens=time(8, 55), closes=time(15, 31))


@pytest.fixture(autouse=True)
def estimate_only():
    yield
    use_days({})


@pytest.fixture
def simulator():
    with Simulator(SimulatorConfig(clock=TEN, speed=0, limits=False)) as simulator:
        yield simulator


@pytest.fixture
def broker(simulator):
    return Broker(simulator.real.url)


@pytest.fixture
def real(simulator):
    with connection_to(simulator) as connection:
        yield connection


def minute(number):
    return TEN + timedelta(minutes=number)


def test_refresh_writes_what_the_broker_says_now(real, broker):
    refresh_slot(real, slot=TEN)
    before = KisHolding.objects.get(stock_code=SAMSUNG)
    broker.post("price", {"code": SAMSUNG, "price": before.prpr + 1_000})
    broker.clock(minute(1))
    run = refresh_slot(real, slot=minute(1))
    account = KisAccount.objects.newest_first().first()
    assert (account.sync_run, account.snapshot_at) == (run, minute(1))
    assert account.holdings.get(stock_code=SAMSUNG).prpr == before.prpr + 1_000
    assert account.stock_eval_amt == account.holdings.aggregate(sum=Sum("evlu_amt"))["sum"]
    mine = broker.get("state")["accounts"][0]
    assert account.total_eval_amt == mine["total"]
    assert set(account.indices) == set(IndexPrice.Index.values)  # the day's profit stands beside the market's
    run.refresh_from_db()
    assert (run.job, run.status, run.differences) == (JOB, "complete", 0)
    assert run.checks


def test_refresh_brings_the_minute_bars_of_the_holdings(real, broker):
    refresh_slot(real, slot=TEN)
    broker.clock(minute(2))
    refresh_slot(real, slot=minute(2))
    held = set(KisHolding.objects.values_list("stock_code", flat=True))
    newest = {code: MinPrice.objects.filter(stock_code=code).latest("bar_at").bar_at for code in held}
    assert set(newest.values()) == {minute(1)}  # the minute that is being made is no bar yet


def test_slot_is_done_once(real, broker):
    assert refresh_slot(real, slot=TEN).slot == TEN
    assert refresh_slot(real, slot=TEN) is None
    assert KisAccount.objects.count() == 1


def test_refresh_steps_aside_for_a_sync_that_is_running(real):
    SyncRun.objects.create(
        job="sync_kis_data",
        account_no="12345678",
        product_code="01",
        is_paper=False,
        started_at=TEN,
        lease_until=minute(5),
    )
    with pytest.raises(AlreadyFresh, match="다른 동기화가 진행 중"):
        refresh_slot(real, slot=TEN)
    with pytest.raises(AlreadyFresh, match="지금 동기화하고 있습니다"):
        refresh_now(real)
    assert not KisAccount.objects.exists()


def test_run_that_died_long_ago_holds_up_nobody(real):
    SyncRun.objects.create(
        job="sync_kis_data",
        account_no="12345678",
        product_code="01",
        is_paper=False,
        started_at=TEN - timedelta(hours=1),
        lease_until=TEN - timedelta(minutes=50),
    )
    assert refresh_now(real).status == "complete"


def test_button_works_once_in_twenty_seconds(real, broker):
    refresh_now(real)
    broker.clock(TEN + timedelta(seconds=19))
    with pytest.raises(AlreadyFresh, match="방금 동기화했습니다"):
        refresh_now(real)
    broker.clock(TEN + timedelta(seconds=20))
    refresh_now(real)
    assert KisAccount.objects.count() == 2


def test_broker_that_fails_leaves_a_failed_run_and_the_snapshot_before(real, broker):
    refresh_slot(real, slot=TEN)
    broker.clock(minute(1))
    broker.fault("TTTC8434R", "drop_field:dnca_tot_amt")
    with pytest.raises(KisError, match="dnca_tot_amt"):
        refresh_slot(real, slot=minute(1))
    assert KisAccount.objects.count() == 1
    assert SyncRun.objects.get(slot=minute(1)).status == "failed"


def test_of_days_that_are_over_the_refreshes_go_but_the_last(real, broker, monkeypatch):
    leave_out_the_market(monkeypatch)
    for number in range(3):
        broker.clock(minute(number))
        refresh_slot(real, slot=minute(number))
    broker.clock(minute(3))
    kept = sync_account(real)
    broker.clock(minute(4))
    refresh_slot(real, slot=minute(4))
    assert KisAccount.objects.count() == 5  # today is whole
    monday = TEN + timedelta(days=3)
    broker.clock(monday)
    refresh_slot(real, slot=monday)
    left = list(KisAccount.objects.order_by("snapshot_at").values_list("snapshot_at", flat=True))
    assert left == [kept.started_at, minute(4), monday]
    assert KisHolding.objects.values("kis_account").distinct().count() == 3
    assert set(KisUnfilledOrder.objects.values_list("kis_account__snapshot_at", flat=True)) <= set(left)


# --- by the timetable ----------------------------------------------------------------------------------------------


@pytest.fixture
def owner(settings, simulator, monkeypatch):
    configure(settings, simulator, modes=("real",))
    monkeypatch.setattr("django.utils.timezone.now", lambda: TEN)
    return settings


def tick(at: datetime) -> str:
    return refresh_accounts(intended=at.isoformat(), minutes=1, opens="08:55", closes="15:31")


def test_tick_of_the_worker_is_done_once_however_often_it_fires(owner):
    assert "완료, 대사 일치" in tick(TEN)
    assert "이 시각을 이미 맡았습니다" in tick(TEN)
    assert [run.slot for run in SyncRun.objects.all()] == [TEN]


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (TEN.replace(hour=8, minute=54), "실행 시간"),
        (TEN.replace(hour=15, minute=32), "실행 시간"),
        (TEN + timedelta(days=1), "거래소가 쉬는 날"),
    ],
)
def test_job_rests_outside_of_the_session(owner, monkeypatch, at, words):
    monkeypatch.setattr("django.utils.timezone.now", lambda: at)
    assert words in tick(at)
    assert not SyncRun.objects.exists()


def test_trouble_fails_the_task_and_says_why(owner, broker):
    broker.fault("TTTC8434R", "http_500_before")
    with pytest.raises(FetchFailed, match="실전"):
        tick(TEN)


def test_demo_follows_the_clock_of_its_market(settings, tmp_path, monkeypatch):
    """The simulator trades on Friday morning while the owner tries the product on a Sunday night."""
    settings.AEGIS_DEMO = True
    settings.DEMO_STATE_FILE = tmp_path / "simulator.json"
    monkeypatch.setattr("kis.demo.give_a_past", lambda broker: None)
    from kis.accounts import configured_accounts  # noqa: PLC0415  # after the settings

    sunday = datetime(2026, 11, 29, 22, 0, tzinfo=TEN.tzinfo)
    [result] = refresh(configured_accounts()[:1], window=EVERY_MINUTE, slot=sunday)
    assert "완료" in result.told
    [account] = KisAccount.objects.all()
    assert account.snapshot_at.astimezone(TEN.tzinfo).time() >= time(10, 0)
