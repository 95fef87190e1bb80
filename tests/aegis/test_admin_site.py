"""The first page of the admin, its button, its header, and the day of the jobs."""

from datetime import date, datetime, time, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags
from django_q.conf import Conf
from django_q.models import Schedule, Task

from aegis.schedules import ALERTS, BACKUP, FETCH, ORDERS, REFRESH, write_schedules
from aegis.tasks import send_alerts
from kis.client.codes import AccountNumber
from kis.client.errors import KisUnreachable
from kis.grants import grant
from kis.korean import SEOUL
from kis.models import KisAccount, SyncRun
from kis.reconciliation import Check
from tests.factories import AT, order, snapshot, stocks, sync_run
from tests.kis.api_rows import diagnosis
from tests.kis.owning import of_owner
from tests.kis.syncing import TEN, fetched_from_a_simulator
from tests.trading.conftest import make_order
from trading import kill_switch
from trading.models import PendingOrder

pytestmark = pytest.mark.django_db
MINE, OTHER = AccountNumber("12345678", "01"), AccountNumber("87654321", "01")
FRIDAY = date(2025, 6, 13)


@pytest.fixture(autouse=True)
def an_owner(settings, monkeypatch):
    cache.clear()
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01", paper="50012345-01")
    for place in ("aegis.admin_cards.market_now", "aegis.job_lanes.market_now"):
        monkeypatch.setattr(place, lambda: AT + timedelta(minutes=3))


def signed_in(name, *, of=(), role="viewer", **columns):
    user = get_user_model().objects.create_user(name, **columns)
    for account in of:
        grant(user, account, is_paper=False, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner():
    return signed_in("owner", is_superuser=True, is_staff=True)


def words(response):
    assert response.status_code == 200
    return " ".join(strip_tags(response.content.decode().replace("<", " <")).split())


# --- the first page --------------------------------------------------------------------------------------------------


def test_first_page_says_how_an_account_stands(owner):
    differing = Check("오늘 체결 수량", 10, 13, unit="주", row="삼성전자 005930")
    run = sync_run(checks=[differing.as_json()], differences=1)
    account = snapshot(stocks(3), run=run)
    order(account, 1)
    diagnosis(account, 1)
    page = words(owner.get("/admin/"))
    assert "▲+2,797,163원" in page
    assert "6/16(월) 14:20:00 3분 전" in page
    assert "대사 차이 1건" in page
    assert "미체결 1건" in page
    assert "점검 경고 1" in page
    assert "1234****-01" in page
    assert "아직 자료가 없습니다" in page  # of the paper account
    assert "12345678" not in page


def test_old_data_and_a_run_that_failed_are_said(owner):
    snapshot(stocks(1), at=AT - timedelta(hours=3))
    sync_run(status=SyncRun.Status.FAILED, error="증권사에 연결하지 못했습니다.\n둘째 줄", finished_at=AT)
    response = owner.get("/admin/")
    page = words(response)
    assert "마지막 동기화 실패" in page
    assert "증권사에 연결하지 못했습니다." in page
    assert "둘째 줄" not in page
    assert '<span class="warn">3시간 전</span>' in response.content.decode()


def test_order_with_unknown_outcome_and_a_stop_are_the_first_things_said(owner):
    snapshot(stocks(1))
    row = make_order()
    for status in ("sending", "unknown"):
        PendingOrder.objects.filter(pk=row.pk).update(status=status, code_hash="", claimed_at=AT)
    kill_switch.turn_on("시험 중", at=AT, by="test")
    page = words(owner.get("/admin/"))
    assert "결과 모름 1건" in page
    assert "주문 중지가 켜져 있습니다. 시험 중" in page


def test_first_page_takes_the_same_number_of_queries_for_more_accounts(owner):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            owner.get("/admin/")
        return len(captured)

    def books_of(number):
        whose = {"account_no": number, "product_code": "01"}
        account = snapshot(stocks(2), run=sync_run(**whose), with_closes=False, **whose)
        diagnosis(account, int(number))
        order(account, 1)

    books_of("12345678")
    queries()
    few = queries()
    for number in range(6):
        books_of(f"7000000{number}")
    assert queries() == few


def test_viewer_sees_cards_of_his_account_alone(owner):
    snapshot(stocks(2))
    snapshot(stocks(3), account_no=OTHER.number)
    page = words(signed_in("viewer", of=[MINE]).get("/admin/"))
    assert "1234****-01" in page
    assert "8765" not in page
    assert "5001" not in page
    assert "지금 동기화" not in page  # looking costs the owner nothing
    assert "8765****-01" in words(owner.get("/admin/"))


def test_whoever_may_see_nothing_gets_nothing():
    snapshot(stocks(2))
    page = words(signed_in("clerk", is_staff=True).get("/admin/"))
    assert "볼 수 있는 계좌가 없습니다" in page
    assert "1234" not in page
    assert "작업 시간표" not in page


def test_first_page_is_there_without_the_figures(owner, monkeypatch):
    def broken(_request):
        raise OperationalError("database is locked")

    monkeypatch.setattr("aegis.admin_site.first_page", broken)
    page = words(owner.get("/admin/"))
    assert "지금은 계좌를 보여 드릴 수 없습니다" in page
    assert "보유 종목" in page


def test_header_says_what_money_it_is_about(owner, settings):
    assert '<span class="site-mode real">실전</span>' in owner.get("/admin/").content.decode()
    viewer = signed_in("viewer", of=[MINE]).get("/admin/").content.decode()
    assert '<span class="site-mode real">실전</span>' in viewer
    assert "site-mode paper" not in viewer
    settings.AEGIS_DEMO = True
    assert '<span class="site-mode demo">DEMO</span>' in owner.get("/admin/jobs/").content.decode()


def test_tables_of_others_have_korean_names(owner):
    page = words(owner.get("/admin/"))
    for name in ("로그인 보호", "로그인 시도", "예약과 작업", "실패한 작업", "사용자와 그룹"):
        assert name in page
    assert "Failed tasks" not in page


def test_compiled_words_are_those_of_the_source():
    import gettext  # noqa: PLC0415  # beside its only use
    import re  # noqa: PLC0415  # same
    from pathlib import Path  # noqa: PLC0415  # same

    folder = Path("aegis/locale/ko/LC_MESSAGES")
    source = re.findall(r'msgid "(.+)"\nmsgstr "(.+)"', (folder / "django.po").read_text(encoding="utf-8"))
    with (folder / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert source
    assert {word: compiled.gettext(word) for word, _ in source} == dict(source)


# --- the button ------------------------------------------------------------------------------------------------------


def push(client, page=None):
    """Push the button of the first account of the first page, and return what is then said."""
    page = page or client.get("/admin/").content.decode()
    key = page.split('name="account" value="')[1].split('"')[0]
    return words(client.post("/admin/sync/", {"account": key}, follow=True))


@pytest.fixture
def market(monkeypatch):
    with fetched_from_a_simulator(monkeypatch) as simulator:
        yield simulator


def test_button_syncs_and_says_so_and_not_again_within_a_minute(owner, market):
    assert "동기화 #" in push(owner)
    assert KisAccount.objects.count() == 1
    assert "60초에 한 번" in push(owner)
    assert KisAccount.objects.count() == 1


def test_button_waits_for_a_run_that_is_under_way(owner, market):
    sync_run(at=TEN, status=SyncRun.Status.RUNNING, lease_until=TEN + timedelta(minutes=5))
    assert "지금 동기화하고 있습니다" in push(owner)
    assert not KisAccount.objects.exists()


@pytest.mark.parametrize("trouble", [KisUnreachable("응답을 받지 못했습니다."), RuntimeError("?")])
def test_broker_in_trouble_is_a_sentence(owner, monkeypatch, trouble):
    def connect(*_arguments):
        raise trouble

    monkeypatch.setattr("kis.data_fetch.connect", connect)
    said = push(owner)
    assert "응답을 받지 못했습니다." in said or "예상하지 못한 오류" in said


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("trader", True), ("admin", True)])
def test_button_is_for_those_who_trade_or_manage_the_account(owner, market, role, may):
    page = owner.get("/admin/").content.decode()
    somebody = signed_in("somebody", of=[MINE], role=role)
    assert ("지금 동기화" in words(somebody.get("/admin/"))) is may
    said = push(somebody, page)
    assert KisAccount.objects.exists() is may
    assert ("권한이 없습니다" in said) is not may


def test_button_does_not_know_accounts_of_others(owner, market, settings):
    page = owner.get("/admin/").content.decode()
    assert "찾을 수 없습니다" in push(signed_in("stranger", of=[OTHER], role="admin"), page)
    assert not KisAccount.objects.exists()


def test_button_wants_a_post_and_a_token_of_the_page(owner):
    assert owner.get("/admin/sync/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.get(username="owner"))
    assert strict.post("/admin/sync/", {"account": "x"}).status_code == 403


# --- the day of the jobs ---------------------------------------------------------------------------------------------


def slot_run(at, *, job="sync_kis_data", **changes):
    return sync_run(at=at, job=job, slot=at, finished_at=at + timedelta(seconds=9), **changes)


def on_friday(hour, minute=0):
    return datetime.combine(FRIDAY, time(hour, minute), SEOUL)


def test_day_shows_each_slot_and_what_became_of_it(owner):
    good = slot_run(on_friday(9))
    bad = slot_run(on_friday(9, 30), status=SyncRun.Status.FAILED, error="한도를 넘었습니다.")
    response = owner.get("/admin/jobs/", {"day": str(FRIDAY)})
    page = words(response)
    assert "2025-06-13(금)" in page
    assert "완료 1 · 실패 1 · 기록 없음 14" in page  # of the sixteen of a day
    assert "한도를 넘었습니다." in page
    for run in (good, bad):
        assert f"/admin/kis/syncrun/{run.pk}/change/" in response.content.decode()


def test_day_says_when_a_job_runs_next_as_the_owner_has_it(owner):
    write_schedules(now=AT)
    Schedule.objects.filter(name=FETCH.name).update(
        kwargs="{'minutes': 30, 'opens': '08:00', 'closes': '20:00'}"
    )
    Schedule.objects.filter(name=REFRESH.name).update(repeats=0)
    page = words(owner.get("/admin/jobs/"))
    assert "08:00–20:00 30분마다 · 다음 06-16 14:30" in page
    assert "08:55–15:31 1분마다 · 예약이 꺼져 있음" in page
    assert "30분 전체 동기화 실행한 적 없음 다음 06-16 14:30" in words(owner.get("/admin/"))


def test_slots_to_come_are_not_missing(owner):
    write_schedules(now=AT)
    shown = owner.get("/admin/jobs/").context["page"]
    lane = shown.jobs[0].lanes[0]
    assert (lane.done, lane.missed) == (0, 11)  # 08:30 to 13:30: that of 14:00 may still be on its way
    assert sum(1 for bar in lane.bars if bar.state == "due") == 5


def test_holiday_has_no_slots(owner):
    write_schedules(now=AT)
    response = owner.get("/admin/jobs/", {"day": "2025-06-15"})
    assert "거래소가 쉬는 날입니다" in words(response)
    assert not response.context["page"].jobs[0].lanes


def ticked(job, at, *, seconds=0.0, error=""):
    """Return a task of the worker as it has ended."""
    return Task.objects.create(
        id=f"{Task.objects.count():032}",
        name="tick",
        func=job.task,
        group=job.name,
        started=at,
        stopped=at + timedelta(seconds=seconds),
        success=not error,
        result=error or None,
    )


def test_worker_is_shown_with_what_failed_in_it_to_those_who_may(owner):
    ticked(ORDERS, on_friday(10))
    ticked(ORDERS, on_friday(10, 1), error="KisError: 8765****-01을 조회하지 못했습니다.\nTraceback")
    page = words(owner.get("/admin/jobs/", {"day": str(FRIDAY)}))
    assert "8765****-01을 조회하지 못했습니다." in page
    assert "Traceback" not in page
    page = words(signed_in("viewer", of=[MINE]).get("/admin/jobs/", {"day": str(FRIDAY)}))
    assert "8765" not in page


def test_jobs_around_the_clock_are_counted_by_night_and_do_not_stretch_the_day(owner, settings, tmp_path):
    settings.BACKUP_DIR = str(tmp_path)
    (tmp_path / "aegis-20250613-000012.tar").touch()
    write_schedules(now=AT)
    ticked(BACKUP, on_friday(0), seconds=12)
    for hour, seconds in ((3, 0.5), (10, 1.5), (23, 1)):
        ticked(ALERTS, on_friday(hour), seconds=seconds)
    response = owner.get("/admin/jobs/", {"day": str(FRIDAY)})
    shown = {job.command: job for job in response.context["page"].jobs}
    (lane,) = shown[ALERTS.name].lanes
    assert (lane.done, len(lane.bars)) == (3, 1)
    assert response.context["page"].hours == [f"{hour:02}" for hour in range(8, 17)]
    page = words(response)
    assert "매일 1분마다 · 다음 06-16 14:24" in page
    assert "완료 3 평균 1.0초, 최장 1.5초" in page
    assert "매일 00:00 · 마지막 백업 06-13 00:00 · 다음 06-17 00:00" in page
    assert "완료 1 12.0초" in page


def test_first_page_says_how_each_job_went_the_last_time(owner):
    slot_run(AT - timedelta(minutes=20), status=SyncRun.Status.FAILED)
    ticked(ORDERS, AT - timedelta(minutes=1), error="KisError: 응답을 받지 못했습니다.")
    ticked(ORDERS, AT)
    ticked(ALERTS, AT, error="OSError: 자리가 없습니다.")
    page = words(owner.get("/admin/"))
    assert "30분 전체 동기화 6/16(월) 13:59:57 실패" in page
    assert "1분 주문 확인 6/16(월) 14:20:00 완료" in page
    assert "1분 알림 6/16(월) 14:20:00 실패" in page
    assert "10분 대시보드 실행한 적 없음" in page


def test_worker_remembers_two_weeks_whatever_else_it_does(monkeypatch):
    noon = on_friday(12)
    for days in (15, 13):
        ticked(ORDERS, noon - timedelta(days=days))
        ticked(ALERTS, noon - timedelta(days=days), error="OSError: 자리가 없습니다.")
    for minute in (59, 0):
        monkeypatch.setattr("aegis.tasks.timezone.now", lambda: noon.replace(minute=minute))  # noqa: B023  # used at once
        send_alerts()
        assert Task.objects.count() == (4 if minute else 2)
    assert not Task.objects.filter(started__lt=noon - timedelta(days=14)).exists()
    assert not Conf.SAVE_LIMIT, "by number, the busiest job would drive out what the others did"


def test_alerts_that_have_left_are_no_failure_where_old_tasks_stay(monkeypatch, caplog):
    def locked(**when):
        raise OperationalError("database is locked")

    monkeypatch.setattr("aegis.tasks.forget_old", locked)
    monkeypatch.setattr("aegis.tasks.timezone.now", lambda: on_friday(12))
    assert send_alerts()
    assert "Old tasks could not be removed" in caplog.text


def test_viewer_sees_runs_of_his_account_alone():
    slot_run(on_friday(9), error="내 오류", status=SyncRun.Status.FAILED)
    slot_run(on_friday(9), error="남의 오류", status=SyncRun.Status.FAILED, account_no=OTHER.number)
    page = words(signed_in("viewer", of=[MINE]).get("/admin/jobs/", {"day": str(FRIDAY)}))
    assert "내 오류" in page
    assert "남의 오류" not in page
    assert "8765" not in page


def test_day_takes_the_same_number_of_queries_for_many_runs(owner):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            owner.get("/admin/jobs/", {"day": str(FRIDAY)})
        return len(captured)

    slot_run(on_friday(9))
    queries()
    few = queries()
    for minute in range(50):
        slot_run(on_friday(10, minute), job="aegis_1min_realtime", status=SyncRun.Status.FAILED, error="x")
        slot_run(on_friday(10, minute), job="aegis_1min_realtime", account_no=OTHER.number)
    assert queries() == few


@pytest.mark.parametrize("day", ["2025-13-01", "gestern", "0001-01-01", "9999-12-31"])
def test_odd_day_is_no_error(owner, day):
    assert owner.get("/admin/jobs/", {"day": day}, follow=True).status_code == 200
