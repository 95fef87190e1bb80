"""The timetable in django-q2 and in cron: written once, safe to repeat, and safe to be fired twice."""

from datetime import datetime, time, timedelta
from multiprocessing import Value
from pathlib import Path
from pydoc import locate
from queue import SimpleQueue
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command, get_commands
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage
from django_q.worker import worker

from aegis.schedules import FAST, FETCH, PRINT, REFRESH, REPORTS, SCHEDULES, Job, window_of, write_schedules
from kis.calendar import use_days
from kis.korean import SEOUL
from kis.models import KisAccount, SyncRun
from kis.simulator.server import Simulator, SimulatorConfig
from kis.slots import Window
from tests.kis.fetching import configure, leave_out_prices
from tests.kis.syncing import TEN, Broker

pytestmark = pytest.mark.django_db
#: What django-q2 adds before it ends a worker.
SECONDS_BEFORE_IT_IS_ENDED = 3
ROOT = Path(__file__).resolve().parents[2]
OTHER = Job(
    "aegis_other", "다른 작업", "kis.tasks.other", Window(timedelta(minutes=10), time(9), time(15, 30))
)


def table():
    return list(Schedule.objects.order_by("pk").values())


def words(*jobs, now=TEN):
    return {written.name: written.word for written in write_schedules(jobs or (FETCH,), now=now)}


# --- the table ------------------------------------------------------------------------------------------------------


def test_timetable_is_written_once():
    assert words() == {"aegis_30min_data_fetch": "새로 씀"}
    before = table()
    assert words(now=TEN + timedelta(minutes=12)) == {"aegis_30min_data_fetch": "그대로"}
    assert table() == before
    [row] = before
    assert row["next_run"] == TEN + timedelta(minutes=30)
    assert (row["func"], row["minutes"], row["intended_date_kwarg"]) == (
        "aegis.tasks.fetch_data",
        30,
        "intended",
    )


def test_ours_that_are_no_more_go_and_the_owners_own_stay():
    mine = Schedule.objects.create(name="내 작업", func="math.floor", next_run=TEN)
    nameless = Schedule.objects.create(func="aegis.tasks.fetch_data", next_run=TEN)
    words(FETCH, OTHER)
    double = Schedule.objects.create(name=FETCH.name, func="aegis.tasks.fetch_data", next_run=TEN)
    told = [(written.name, written.word) for written in write_schedules((FETCH,), now=TEN)]
    assert told == [(FETCH.name, "그대로"), (OTHER.name, "지움"), (FETCH.name, "지움")]
    left = set(Schedule.objects.values_list("pk", flat=True))
    assert {mine.pk, nameless.pk} < left
    assert double.pk not in left
    assert len(left) == 3


def test_what_the_list_says_goes_before_changes_by_hand_but_a_switch_stays_off():
    words()
    Schedule.objects.update(minutes=7, kwargs="{}", next_run=TEN + timedelta(minutes=7))
    assert words() == {FETCH.name: "고침"}
    [row] = Schedule.objects.all()
    assert (row.minutes, row.next_run) == (30, TEN + timedelta(minutes=30))
    Schedule.objects.update(repeats=0)
    assert words() == {FETCH.name: "꺼져 있음"}
    assert Schedule.objects.get().repeats == 0


def test_tick_that_is_due_is_not_put_off():
    words()
    Schedule.objects.update(next_run=TEN)
    assert words(now=TEN + timedelta(minutes=5)) == {FETCH.name: "그대로"}
    assert Schedule.objects.get().next_run == TEN


WIDER = "{'minutes': 30, 'opens': '08:00', 'closes': '20:00'}"


def test_window_that_the_owner_widened_stays_and_is_told(settings, capsys):
    settings.AEGIS_DEMO = False
    words()
    Schedule.objects.update(kwargs=WIDER)
    assert words() == {FETCH.name: "그대로"}
    call_command("sync_schedules")
    assert f"{FETCH.name}: 그대로  30분마다 08:00–20:00, 거래일" in capsys.readouterr().out
    assert Schedule.objects.get(name=FETCH.name).kwargs == WIDER
    call_command("sync_schedules", "--defaults")
    assert f"{FETCH.name}: 고침  30분마다 08:30–16:00, 거래일" in capsys.readouterr().out


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "{",
        "7",
        "{'minutes': 30, 'opens': '8시', 'closes': '20:00'}",
        WIDER.replace("30", "5"),
        WIDER.replace("08", "21"),
    ],
)
def test_window_that_cannot_be_read_is_ours_again(garbage):
    words()
    Schedule.objects.update(kwargs=garbage)
    assert window_of(FETCH) == FETCH.window
    assert words() == {FETCH.name: "고침"}
    assert Schedule.objects.get().kwargs == repr({"minutes": 30, "opens": "08:30", "closes": "16:00"})


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        (WIDER, None),
        (
            "{'minutes': 30}",
            "다음과 같이 적어 주세요: {&#x27;minutes&#x27;: 30, &#x27;opens&#x27;: &#x27;08:30&#x27;",
        ),
        (WIDER.replace("30", "10"), "이 작업의 minutes는 30입니다."),
        (WIDER.replace("08", "21"), "opens는 closes보다 늦을 수 없습니다."),
    ],
)
def test_window_is_checked_where_the_owner_changes_it(admin_client, kwargs, told):
    words()
    row = Schedule.objects.get()
    given = {
        "name": row.name,
        "func": row.func,
        "schedule_type": row.schedule_type,
        "minutes": 30,
        "repeats": -1,
        "next_run_0": "2026-11-20",
        "next_run_1": "10:30",
        "intended_date_kwarg": "intended",
        "kwargs": kwargs,
        "cluster": "reports",
    }
    page = admin_client.post(f"/admin/django_q/schedule/{row.pk}/change/", given)
    assert page.status_code == (200 if told else 302)
    if told:
        assert told in page.content.decode()
    assert window_of(FETCH) == (
        FETCH.window if told else Window.parse(minutes=30, opens="08:00", closes="20:00")
    )


def test_command_says_what_it_wrote(settings, capsys):
    settings.AEGIS_DEMO = False
    call_command("sync_schedules")
    assert "aegis_30min_data_fetch: 새로 씀  30분마다 08:30–16:00, 거래일" in capsys.readouterr().out
    settings.AEGIS_DEMO = True
    Schedule.objects.all().delete()
    call_command("sync_schedules")
    assert "데모에서는 예약하지 않습니다." in capsys.readouterr().out
    assert not Schedule.objects.exists()


@pytest.mark.parametrize("job", SCHEDULES, ids=[job.name for job in SCHEDULES])
def test_every_job_has_its_task_and_its_command(job):
    assert callable(locate(job.task))
    assert get_commands()[job.name] == "aegis"


# --- cron -----------------------------------------------------------------------------------------------------------


def ticks_of(field, most):
    """Spell out a field of a crontab: `0,30` or `9-15`."""
    for part in field.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
        assert int(last or first) <= most


def test_crontab_fires_every_tick_that_a_window_may_have():
    fired: dict[str, set[time]] = {}
    for line in (ROOT / "deploy" / "crontab").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or "manage.py" not in line:
            continue
        minutes, hours, *days = line.split()[:5]
        name = line.split()[-1]
        [job] = [job for job in SCHEDULES if job.name == name]
        assert days == ["*", "*", "*" if job.every_day else "1-5"]
        fired.setdefault(name, set()).update(
            time(hour, minute) for hour in ticks_of(hours, 23) for minute in ticks_of(minutes, 59)
        )
    midnight = datetime(2026, 11, 20, tzinfo=SEOUL)
    for job in SCHEDULES:
        ticks = {(midnight + job.window.every * count).time() for count in range(24 * 60 // job.minutes)}
        # Of these the window in force leaves what it will; an owner may widen it to all of the market's hours.
        meant = {tick for tick in ticks if job.every_day or time(8) <= tick <= time(20, 59)}
        assert fired.pop(job.name) == meant
    assert not fired


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def owner(settings, monkeypatch):
    """Return a simulator that the settings name as the owner's broker, at ten o'clock on a business day."""
    with Simulator(SimulatorConfig(clock=TEN, speed=0, limits=False)) as simulator:
        configure(settings, simulator)
        leave_out_prices(monkeypatch)
        at(monkeypatch, TEN)
        yield simulator
    use_days({})


def at(monkeypatch, moment):
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)


def fetch(capsys, **options):
    call_command(FETCH.name, **options)
    return capsys.readouterr().out


def test_command_copies_every_account_for_its_slot(owner, monkeypatch, capsys):
    at(monkeypatch, TEN + timedelta(seconds=3))
    assert fetch(capsys).count("완료, 대사 일치") == 2
    assert set(SyncRun.objects.values_list("slot", flat=True)) == {TEN}
    assert fetch(capsys).count("다른 프로세스가 이 시각을 이미 맡았습니다.") == 2
    assert KisAccount.objects.count() == 2


def test_command_follows_the_window_that_the_owner_widened(owner, monkeypatch, capsys):
    evening = TEN.replace(hour=19, minute=30)
    at(monkeypatch, evening)
    Broker(owner.real.url).clock(evening)
    assert "19:30은(는) 실행 시간(08:30–16:00)이 아니라" in fetch(capsys)
    words()
    Schedule.objects.update(kwargs=WIDER)
    assert fetch(capsys, mode="real").startswith("실전: 동기화")
    assert SyncRun.objects.get().slot == evening


@pytest.mark.parametrize("job", [REFRESH, PRINT], ids=["every minute", "every ten minutes"])
def test_every_job_of_cron_follows_the_window_in_force(owner, monkeypatch, capsys, job):
    words(job)
    Schedule.objects.update(kwargs=repr({"minutes": job.minutes, "opens": "12:00", "closes": "20:00"}))
    call_command(job.name, mode="real")
    assert "10:00은(는) 실행 시간(12:00–20:00)이 아니라" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)  # the worker closes its connections
def test_worker_follows_the_window_that_the_owner_widened(owner, monkeypatch):
    evening = TEN.replace(hour=19, minute=30)
    Broker(owner.real.url).clock(evening)
    words(now=evening - timedelta(minutes=1))
    Schedule.objects.update(kwargs=WIDER)
    at(monkeypatch, evening + timedelta(seconds=2))
    fire()
    [task] = work(*delivered())
    assert task["result"].count("완료") == 2
    assert set(SyncRun.objects.values_list("slot", flat=True)) == {evening}


def test_command_copies_only_what_was_asked_for(owner, capsys):
    assert fetch(capsys, mode="paper").startswith("모의: 동기화")
    assert fetch(capsys, account="실전").startswith("실전: 동기화")
    assert list(SyncRun.objects.order_by("pk").values_list("is_paper", flat=True)) == [True, False]


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (TEN.replace(hour=20), "20:00은(는) 실행 시간(08:30–16:00)이 아니라"),
        (TEN + timedelta(days=1), "2026-11-21(토)은(는) 거래소가 쉬는 날"),
    ],
)
def test_command_rests_with_one_line_and_is_run_by_hand(owner, monkeypatch, capsys, moment, told):
    at(monkeypatch, moment)
    Broker(owner.real.url).clock(moment)
    shown = fetch(capsys)
    assert shown.startswith(told)
    assert shown.count("\n") == 1
    assert not SyncRun.objects.exists()
    assert fetch(capsys, mode="real", now=True).startswith("실전: 동기화")
    assert SyncRun.objects.get().slot is None


def test_command_fails_where_an_account_fails_and_copies_the_other(owner, capsys):
    Broker(owner.real.url).fault("TTTC8434R", "drop_field:dnca_tot_amt")
    with pytest.raises(CommandError, match="마치지 못한 것이 있습니다: 실전"):
        call_command(FETCH.name)
    shown = capsys.readouterr().out
    assert "실전: 증권사" in shown
    assert "모의: 동기화" in shown


# --- the worker -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("queue", ["fast", "reports"])
def test_cluster_settings_suit_tasks_that_are_delivered_at_least_once(settings, queue):
    shared = {**settings.Q_CLUSTER}
    cluster = {**shared, **shared.pop("ALT_CLUSTERS").get(queue, {})}
    assert cluster["retry"] > cluster["timeout"] + SECONDS_BEFORE_IT_IS_ENDED
    assert (cluster["max_attempts"], cluster["ack_failures"], cluster["catch_up"]) == (1, True, False)
    # Neither works at its tasks for longer than until somebody else is handed them, however many it has taken.
    assert cluster["queue_limit"] == 1
    assert Conf.RETRY > Conf.TIMEOUT


def test_every_queue_is_served_and_the_owners_own_schedules_are_too(settings):
    assert {job.queue for job in SCHEDULES} == set(settings.QUEUES) == {FAST, REPORTS}
    assert settings.Q_CLUSTER["name"] in settings.QUEUES, "schedules without a queue would wait for ever"


def test_schedules_carry_their_queue_and_the_owner_may_choose_the_other():
    words(FETCH, REFRESH)
    assert dict(Schedule.objects.values_list("name", "cluster")) == {
        FETCH.name: "reports",
        REFRESH.name: "fast",
    }
    Schedule.objects.filter(name=FETCH.name).update(cluster="fast")
    Schedule.objects.filter(name=REFRESH.name).update(cluster="nobody")
    assert words(FETCH, REFRESH) == {FETCH.name: "그대로", REFRESH.name: "고침"}
    assert set(Schedule.objects.values_list("cluster", flat=True)) == {"fast"}


@pytest.mark.django_db(transaction=True)  # the scheduler closes its connections
def test_cluster_of_a_queue_leaves_the_others_their_schedules(monkeypatch):
    Schedule.objects.create(name="내 작업", func="math.floor", next_run=TEN, schedule_type=Schedule.MINUTES)
    words(FETCH, REFRESH, now=TEN - timedelta(minutes=30))
    at(monkeypatch, TEN + timedelta(minutes=1))
    fire(REPORTS)
    assert [(row.key, row.name()) for row in OrmQ.objects.all()] == [("reports", delivered()[0]["name"])]
    assert [task["group"] for task in delivered()] == [FETCH.name]
    fire(FAST)
    assert sorted(task["group"] for task in delivered()) == sorted([FETCH.name, REFRESH.name, "내 작업"])
    assert sorted(OrmQ.objects.values_list("key", flat=True)) == ["fast", "fast", "reports"]


def delivered():
    """Return the tasks that wait for a worker, as it unpacks them."""
    return [SignedPackage.loads(row.payload) for row in OrmQ.objects.order_by("pk")]


def fire(queue=REPORTS):
    """Let the scheduler of a queue's cluster look once what is due."""
    with patch.object(Conf, "CLUSTER_NAME", queue):
        scheduler(broker=get_broker())


def work(*tasks):
    """Let a worker of django-q2 do tasks in this process; returns them with their results."""
    todo: SimpleQueue[Any] = SimpleQueue()
    done: SimpleQueue[Any] = SimpleQueue()
    for task in (*tasks, "STOP"):
        todo.put(task)
    with patch.object(
        Conf, "MAX_RSS", None
    ):  # this process has run other tests and may be larger than a worker gets
        worker(todo, done, Value("f", -1), timeout=Conf.TIMEOUT)
    return [done.get_nowait() for _ in tasks]


@pytest.mark.django_db(transaction=True)  # the worker closes its connections
def test_task_that_is_delivered_twice_runs_its_slot_once(owner, monkeypatch):
    words(now=TEN - timedelta(minutes=1))
    at(monkeypatch, TEN + timedelta(minutes=11))
    fire()
    [task] = delivered()
    assert (task["func"], task["kwargs"]["intended"]) == (
        "aegis.tasks.fetch_data",
        "2026-11-20T01:00:00+00:00",
    )
    first, second = work(dict(task), dict(task))
    assert (first["success"], second["success"]) == (True, True), (first["result"], second["result"])
    assert first["result"].count("완료") == 2
    assert second["result"].count("이미 맡았습니다") == 2
    assert set(SyncRun.objects.values_list("slot", "status")) == {(TEN, "complete")}
    assert KisAccount.objects.count() == 2


@pytest.mark.django_db(transaction=True)  # the worker closes its connections
def test_ticks_that_were_missed_are_not_replayed(owner, monkeypatch):
    words(now=TEN - timedelta(minutes=61))
    at(monkeypatch, TEN + timedelta(minutes=5))
    for _ in range(3):
        fire()
    assert len(delivered()) == 1
    assert Schedule.objects.get().next_run == TEN + timedelta(minutes=30)


@pytest.mark.django_db(transaction=True)  # the worker closes its connections
def test_task_that_fails_is_a_failed_task_with_its_reason(owner, monkeypatch):
    Broker(owner.real.url).fault("TTTC8434R", "drop_field:dnca_tot_amt")
    words(now=TEN - timedelta(minutes=1))
    at(monkeypatch, TEN + timedelta(seconds=2))
    fire()
    [task] = work(*delivered())
    assert not task["success"]
    assert "실전: 증권사 응답을 믿을 수 없어" in task["result"]
    assert list(SyncRun.objects.order_by("pk").values_list("status", flat=True)) == ["failed", "complete"]
