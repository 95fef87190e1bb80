"""What watchers from outside are told: alive, ready, young enough; and the figures for those who may have them."""

from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ, Schedule, Task
from prometheus_client.parser import text_string_to_metric_families

from aegis.alerts.models import Alert, AlertDelivery
from aegis.env import env_secret
from aegis.schedules import write_schedules
from aegis.watching import health
from ai.models import Diagnosis
from kis.korean import SEOUL
from kis.models import SyncRun
from reports.models import PublishedReport
from tests.factories import snapshot, sync_run
from tests.kis.owning import of_owner, store
from tests.trading.conftest import make_order
from trading import kill_switch
from trading.models import PendingOrder

pytestmark = pytest.mark.django_db
#: A Friday that the exchange is open on; the full fetch runs every thirty minutes.
NOW = datetime(2026, 11, 20, 10, 45, tzinfo=SEOUL)
TOKEN = "metrics-of-nobody-else-0123456789"


def at(monkeypatch, moment):
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)


@pytest.fixture(autouse=True)
def owner(settings, monkeypatch, tmp_path):
    """Make the settings those of an owner with a real account and one of paper, on a business day."""
    settings.BACKUP_DIR = str(tmp_path / "backups")
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01", paper="50012345-01")
    settings.METRICS_TOKEN = TOKEN
    at(monkeypatch, NOW)


def ask(client, path):
    response = client.get(path)
    return response.status_code, response.json()


def gone(*_arguments, **_named):
    raise OperationalError("server at 10.0.0.5 is gone")


# --- /healthz --------------------------------------------------------------------------------------------------------


def test_process_answers_without_the_database(client, monkeypatch, caplog):
    monkeypatch.setattr(connection, "cursor", gone)
    assert ask(client, "/healthz/live") == (200, {"status": "ok"})
    for path in ("/healthz", "/healthz/ready", "/healthz/data"):
        assert ask(client, path) == (503, {"status": "unavailable"})
    assert not caplog.records  # whoever asks every few seconds fills no log


def test_site_is_ready_once_its_tables_are_those_of_the_program(client):
    assert ask(client, "/healthz/ready") == (200, {"status": "ok"})
    last = next(name for app, name in health.expected_migrations() if app == "kis")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'kis' AND name = %s", [last])
    assert ask(client, "/healthz/ready") == (503, {"status": "not migrated"})
    assert ask(client, "/healthz/data") == (503, {"status": "not migrated"})
    assert ask(client, "/healthz")[0] == 200


def test_data_is_as_old_as_the_oldest_account_of_its_mode(client):
    store("연금", "87654321-22")
    snapshot(at=NOW - timedelta(minutes=3))
    snapshot(at=NOW - timedelta(minutes=12), account_no="87654321", product_code="22")
    snapshot(at=NOW - timedelta(seconds=40), is_paper=True)
    sync_run(at=NOW - timedelta(minutes=2))
    status, told = ask(client, "/healthz/data")
    assert (status, told["status"]) == (200, "ok")
    assert told["data"] == {
        "real": {"as_of": "2026-11-20T10:33:00+09:00", "age_seconds": 720, "late": False},
        "paper": {"as_of": "2026-11-20T10:44:20+09:00", "age_seconds": 40, "late": False},
    }
    assert told["jobs"] == {"sync_kis_data": "2026-11-20T10:43:00+09:00"}
    assert told["worker"] is None


@pytest.mark.parametrize(
    ("now", "as_of", "is_late"),
    [
        # By 10:45 the slot of 10:30 is due, and the one of 10:00 must be there.
        (NOW, NOW.replace(hour=10, minute=0, second=2), False),
        (NOW, NOW.replace(hour=9, minute=59), True),
        # In the evening the last slots count, and over the weekend those of Friday.
        (NOW.replace(hour=21), NOW.replace(hour=15, minute=31), False),
        (NOW.replace(hour=21), NOW.replace(hour=15, minute=20), True),
        (NOW + timedelta(days=2), NOW.replace(hour=15, minute=31), False),
        # The first slot of Monday may fail as well.
        (datetime(2026, 11, 23, 8, 59, tzinfo=SEOUL), NOW.replace(hour=16, minute=0, second=4), False),
        (datetime(2026, 11, 23, 9, 11, tzinfo=SEOUL), NOW.replace(hour=16, minute=0, second=4), True),
    ],
)
def test_data_is_late_by_the_timetable(client, monkeypatch, now, as_of, is_late):
    at(monkeypatch, now)
    snapshot(at=as_of)
    snapshot(at=as_of, is_paper=True)
    status, told = ask(client, "/healthz/data")
    assert told["data"]["real"]["late"] is is_late
    assert (status, told["status"]) == ((503, "late") if is_late else (200, "ok"))


def test_account_without_a_snapshot_has_no_age(client):
    snapshot(at=NOW)
    status, told = ask(client, "/healthz/data")
    assert status == 503
    assert told["data"]["paper"] == {"as_of": None, "age_seconds": None, "late": True}


def test_worker_that_takes_no_tick_is_missed(client, monkeypatch, settings):
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")
    write_schedules(now=NOW)
    snapshot(at=NOW)
    assert ask(client, "/healthz/data")[1]["worker"] == {"late_seconds": 0}
    Schedule.objects.filter(name="aegis_1min_orders").update(next_run=NOW - timedelta(minutes=16))
    status, told = ask(client, "/healthz/data")
    assert (status, told["status"], told["worker"]) == (503, "late", {"late_seconds": 960})
    Schedule.objects.filter(name="aegis_1min_orders").update(repeats=0)  # switched off by the owner
    assert ask(client, "/healthz/data")[0] == 200
    OrmQ.objects.create(key="aegis", payload="x", lock=NOW - timedelta(minutes=20))
    assert ask(client, "/healthz/data")[1]["worker"] == {"late_seconds": 1200}


def test_strangers_learn_no_number_and_no_amount(client):
    snapshot(at=NOW, cash=98_765_432)
    sync_run(at=NOW, status=SyncRun.Status.FAILED, error="비밀 이유")
    text = client.get("/healthz/data").content.decode()
    for secret in ("1234", "5001", "98765432", "비밀", "error"):
        assert secret not in text
    assert client.get("/metrics").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_database_that_does_not_answer_in_time_counts_as_away(client, monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("readers never wait on SQLite")
    other = connection.copy()
    other.set_autocommit(False)
    try:
        other.cursor().execute("LOCK TABLE kis_account IN ACCESS EXCLUSIVE MODE")
        with monkeypatch.context() as patches:
            patches.setattr("aegis.watching.health.SECONDS", 0.2)
            patches.setattr("aegis.watching.views.SECONDS", 0.2)
            asked_at = monotonic()
            assert ask(client, "/healthz/data") == (503, {"status": "unavailable"})
            response = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
            assert response.status_code == 503
            assert monotonic() - asked_at < 60
        monkeypatch.setattr("aegis.watching.health.SECONDS", 60.0)  # the lock would last for longer
        assert ask(client, "/healthz/ready")[0] == 200
    finally:
        other.rollback()
        other.close()


# --- /metrics --------------------------------------------------------------------------------------------------------


def read(client):
    """Return all samples as a dictionary: ("aegis_orders", mode="real", …) → value."""
    response = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name.removeprefix("aegis_"), *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", "Bearer nothing", f"Basic {TOKEN}", f"Bearer {TOKEN}x"]
)
def test_figures_are_for_those_with_the_token(client, shown):
    response = client.get("/metrics", headers={"authorization": shown})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert b"aegis_" not in response.content


def test_without_a_token_in_the_settings_nobody_has_it(client, settings):
    settings.METRICS_TOKEN = ""
    for shown in ("Bearer ", "Bearer None", ""):
        assert client.get("/metrics", headers={"authorization": shown}).status_code == 401


def test_figures_are_for_superusers_who_are_signed_in(client):
    users = get_user_model().objects
    client.force_login(users.create_user("clerk", is_staff=True))
    assert client.get("/metrics").status_code == 401
    client.force_login(users.create_superuser("owner"))
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    assert "no-store" in response["Cache-Control"]


def test_token_that_could_be_guessed_stops_the_start(monkeypatch):
    monkeypatch.setenv("METRICS_TOKEN", "secret")
    with pytest.raises(ImproperlyConfigured, match="METRICS_TOKEN 값은 20자 이상"):
        env_secret("METRICS_TOKEN")
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    assert env_secret("METRICS_TOKEN") == TOKEN


def test_database_that_is_away_is_a_sentence(client, monkeypatch):
    monkeypatch.setattr(connection, "cursor", gone)
    response = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert (response.status_code, response.content.decode()) == (503, "데이터베이스를 읽을 수 없습니다.\n")
    assert client.get("/metrics").status_code == 401


def published(**columns):
    return PublishedReport.objects.create(
        **{
            "published_at": NOW - timedelta(minutes=5),
            "file_name": "Kis_Dashboard.pdf",
            "account_no": "12345678",
            "product_code": "01",
            "is_paper": False,
            "as_of": NOW,
            "size": 1000,
            "sha256": "0" * 64,
            **columns,
        }
    )


def a_day_of_work():
    """Fill the tables with a day's work; the numbers are those that `test_figures` expects."""
    account = snapshot(at=NOW - timedelta(minutes=2), cash=98_765_432)
    snapshot(at=NOW - timedelta(minutes=7), is_paper=True)
    took = {
        "started_at": NOW - timedelta(minutes=9),
        "finished_at": NOW - timedelta(minutes=9) + timedelta(seconds=12),
    }
    agreeing = [{"name": "보유", "ours": 1, "broker": 1, "unit": "원", "row": "", "difference": 0}]
    sync_run(at=NOW - timedelta(days=1), requests=1000)  # yesterday's
    sync_run(requests=40, rate_limited=2, checks=agreeing, differences=3, **took)
    sync_run(requests=2, status=SyncRun.Status.FAILED, **took)
    sync_run(
        at=NOW - timedelta(minutes=30),
        job="aegis_10min_kis_dashboard",
        steps=[{"name": "print", "seconds": 0.61}],
    )
    make_order(at=NOW)
    lost = PendingOrder.objects.filter(pk=make_order(at=NOW, is_paper=True, account_no="50012345").pk)
    lost.update(status="sending", code_hash="", claimed_at=NOW - timedelta(seconds=90))
    lost.update(status="unknown")
    kill_switch.turn_on("시험", at=NOW, by="test")
    write_schedules(now=NOW)
    Schedule.objects.filter(name="aegis_1min_orders").update(next_run=NOW - timedelta(seconds=45))
    OrmQ.objects.create(key="fast", payload="x", lock=NOW - timedelta(seconds=30))
    OrmQ.objects.create(key="fast", payload="x", lock=NOW + timedelta(seconds=600))
    alert = Alert.objects.create(
        kind="difference", dedup_key="a", title="차이", text="삼성", created_at=NOW, is_lasting=True
    )
    sent: dict[str, Any] = {"alert": alert, "service": "tgram", "due_at": NOW - timedelta(seconds=20)}
    AlertDelivery.objects.create(destination="a", **sent)
    AlertDelivery.objects.create(destination="b", status="failed", error="거절", **sent)
    Task.objects.create(
        id="1", name="n", func="aegis.tasks.fetch_data", started=NOW, stopped=NOW, success=False
    )
    published()
    published(
        published_at=NOW - timedelta(minutes=3),
        status="failed",
        target="/media",
        reason="가득 참",
        seconds=2.5,
    )
    Diagnosis.objects.create(
        kis_account=account,
        account_no="12345678",
        product_code="01",
        is_paper=False,
        content_hash="0" * 64,
        written_at=NOW,
        asked_at=NOW,
        status="complete",
        model="m",
        tokens_in=1200,
        tokens_out=300,
    )


def test_figures(client, tmp_path):
    a_day_of_work()
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "aegis-20261120-004500.tar").touch()
    found = read(client)
    expected = {
        ("snapshot_age_seconds", "1", "real"): 120,
        ("snapshot_age_seconds", "1", "paper"): 420,
        ("snapshot_late", "1", "real"): 0,
        ("runs_total", "complete", "real", "sync_kis_data"): 1,
        ("runs_total", "failed", "real", "sync_kis_data"): 1,
        ("run_seconds_sum", "complete", "real", "sync_kis_data"): 12,
        ("run_longest_seconds", "complete", "real", "sync_kis_data"): 12,
        ("broker_requests_total", "real", "sync_kis_data"): 42,
        ("broker_rate_limited_total", "real", "sync_kis_data"): 2,
        ("reconciliation_differences", "1", "real", "sync_kis_data"): 3,
        ("pdf_render_seconds", "1", "real"): 0.61,
        ("pdf_age_seconds", "1", "real"): 180,
        ("published_total", "real", "written"): 1,
        ("published_total", "failed", "real"): 1,
        ("publishing_seconds_total", "failed", "real"): 2.5,
        ("orders", "pending", "real"): 1,
        ("orders", "paper", "unknown"): 1,
        ("orders", "real", "unknown"): 0,
        ("order_unknown_age_seconds", "paper"): 90,
        ("order_unknown_age_seconds", "real"): 0,
        ("kill_switch",): 1,
        ("queue_tasks", "fast", "waiting"): 1,
        ("queue_tasks", "fast", "taken"): 1,
        ("queue_tasks", "reports", "waiting"): 0,
        ("queue_oldest_seconds", "fast"): 30,
        ("schedule_late_seconds", "aegis_1min_orders"): 45,
        ("schedule_late_seconds", "aegis_30min_data_fetch"): 0,
        ("task_failures_total", "aegis.tasks.fetch_data"): 1,
        ("alert_deliveries", "waiting"): 1,
        ("alert_deliveries", "failed"): 1,
        ("alert_deliveries", "unknown"): 0,
        ("alert_late_seconds",): 20,
        ("alerts_going_on", "difference"): 1,
        ("backup_age_seconds",): 36_000,
        ("ai_tokens_total", "in"): 1200,
        ("ai_tokens_total", "out"): 300,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert found["database_size_bytes",] > 100_000


def test_figures_tell_no_number_no_amount_and_no_name(client):
    a_day_of_work()
    response = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    text = response.content.decode()
    for secret in ("12345678", "50012345", "98765432", "005930", "삼성", "가득", "실전"):
        assert secret not in text


def test_what_counts_up_starts_anew_at_midnight(client, monkeypatch):
    a_day_of_work()
    at(monkeypatch, NOW.replace(hour=0, minute=1) + timedelta(days=1))
    found = read(client)
    assert found["runs_total", "complete", "real", "sync_kis_data"] == 0
    assert found["broker_requests_total", "real", "sync_kis_data"] == 0
    assert found["published_total", "failed", "real"] == 0
    assert found["ai_tokens_total", "in"] == 0
    assert found["reconciliation_differences", "1", "real", "sync_kis_data"] == 3  # what was found last


def test_what_nobody_knows_has_no_sample(client):
    found = read(client)
    assert not [
        key for key in found if key[0].startswith(("snapshot_age", "pdf_", "reconciliation", "backup"))
    ]


def test_more_of_everything_takes_no_more_queries(client):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            read(client)
        return len(asked)

    queries()
    before = queries()
    a_day_of_work()
    for number in range(3):
        store(f"계좌{number}", f"8765432{number}-01")
        snapshot(at=NOW, account_no=f"8765432{number}")
        sync_run(at=NOW, account_no=f"8765432{number}", job="aegis_1min_realtime")
        published(account_no=f"8765432{number}")
    assert queries() == before <= 20
