"""What fails around us, row by row of docs/failures.md: what is recorded, what the owner sees, and that it comes back."""

import errno
import os
import tempfile
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import reverse

from aegis.alerts.kinds import Kind
from aegis.alerts.models import Alert
from aegis.schedules import FETCH, PRINT
from kis.calendar import use_days
from kis.client.session import Session
from kis.client.throttle import SECONDS_BETWEEN_CALLS
from kis.models import KisAccount, SyncRun
from kis.simulator.server import Simulator, SimulatorConfig
from reports import publishing
from reports.models import PublishedReport
from reports.printing_apart import PrintBroken
from reports.shelf import Place
from tests.aegis.alerting import minute
from tests.kis.fetching import configure, leave_out_prices
from tests.kis.syncing import TEN, Broker

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def simulator(settings, monkeypatch, tmp_path):
    """Return the broker of an owner with one account, at ten; reports are only marks."""
    cache.clear()
    settings.REPORT_DIR = tmp_path / "Realtime"
    settings.REPORT_SYNC_DIR = ""
    leave_out_prices(monkeypatch)
    monkeypatch.setitem(SECONDS_BETWEEN_CALLS, "real", 0.0)
    monkeypatch.setattr("kis.direct.calls_within", lambda session, seconds: 1)
    monkeypatch.setattr(publishing, "render_apart", mark)
    with Simulator(SimulatorConfig(clock=TEN, speed=0, limits=False)) as simulator:
        configure(settings, simulator, modes=("real",))
        at(monkeypatch, simulator, TEN)
        yield simulator
    use_days({})


def mark(dashboard, amounts):
    return f"%PDF {dashboard.as_of:%H:%M}".encode()


def at(monkeypatch, simulator, moment):
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
    monkeypatch.setattr("reports.live.market_now", lambda: moment)
    Broker(simulator.real.url).clock(moment)


@pytest.fixture
def printing(simulator, monkeypatch, capsys):
    """Return what runs the print of a moment, and returns whether it went well and what it said."""

    def prints(moment):
        at(monkeypatch, simulator, moment)
        try:
            call_command(PRINT.name)
        except CommandError:
            return False, capsys.readouterr().out
        return True, capsys.readouterr().out

    return prints


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def report():
    """Return the report that lies there, and the one before it."""
    place = Place.named("Kis_Dashboard.pdf")
    return place.read(), place.previous.read()


def last_run():
    return SyncRun.objects.latest("started_at", "pk")


# --- the folder and the print ----------------------------------------------------------------------------------------


def full_disk(monkeypatch):
    """Let every file that is begun lie on a disk without room, as the kernel itself has one."""

    def on_full(**named):
        _, name = plain(**named)
        return os.open("/dev/full", os.O_WRONLY), name

    plain = tempfile.mkstemp
    monkeypatch.setattr(tempfile, "mkstemp", on_full)


def read_only(monkeypatch):
    def refuse(**named):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)


def dying_print(monkeypatch):
    def die(dashboard, amounts):
        raise PrintBroken("PDF를 만들다가 메모리 한도(1536MB)를 넘어 멈췄습니다. 이전 PDF는 그대로입니다.")

    monkeypatch.setattr(publishing, "render_apart", die)


@pytest.mark.parametrize(
    ("breaks", "told"),
    [(full_disk, "남은 공간 없음"), (read_only, "읽기 전용"), (dying_print, "메모리 한도")],
    ids=["disk full", "read-only folder", "print dies"],
)
def test_report_that_cannot_be_made_leaves_the_old_one_and_the_next_slot_makes_one(
    printing, owner, monkeypatch, breaks, told
):
    monkeypatch.setattr(settings, "NOTIFY_JOB_FAILURES", 1)
    assert printing(TEN)[0]
    minute(TEN)
    with monkeypatch.context() as broken:
        breaks(broken)
        went_well, said = printing(TEN + TEN_MINUTES)
    assert (went_well, told in said) == (False, True)
    assert (last_run().status, told in last_run().error) == ("failed", True)
    assert report() == (b"%PDF 10:00", None)
    assert names() == ["Kis_Dashboard.pdf"]
    assert PublishedReport.objects.count() == 1
    page = owner.get(reverse("admin:kis_syncrun_change", args=[last_run().pk])).content.decode()
    assert told in page
    minute(TEN + TEN_MINUTES)
    assert told in Alert.objects.going_on(Kind.JOB).get().text
    assert printing(TEN + 2 * TEN_MINUTES)[0]
    minute(TEN + 2 * TEN_MINUTES)
    assert not Alert.objects.going_on(Kind.JOB).exists()
    assert report() == (b"%PDF 10:20", b"%PDF 10:00")
    assert last_run().status == "complete"


def names():
    return sorted(path.name for path in settings.REPORT_DIR.iterdir())


def test_target_that_is_missing_is_on_record_and_is_found_again(printing, owner, settings, tmp_path):
    drive = tmp_path / "no" / "drive"
    minute(TEN - TEN_MINUTES)
    settings.REPORT_SYNC_DIR = str(drive)
    went_well, said = printing(TEN)
    assert (went_well, "폴더가 없음" in said) == (True, True)
    assert (last_run().status, "폴더가 없음" in last_run().error) == ("complete", True)
    row = PublishedReport.objects.get()
    assert (row.status, "폴더가 없음" in row.reason) == ("failed", True)
    assert report()[0] == b"%PDF 10:00"
    page = owner.get(reverse("admin:reports_publishedreport_changelist")).content.decode()
    assert "못 보냄" in page
    minute(TEN)
    assert "폴더가 없음" in Alert.objects.going_on(Kind.PUBLISH).get().text
    drive.mkdir(parents=True)
    assert "보냄" in printing(TEN + TEN_MINUTES)[1]
    assert PublishedReport.objects.latest("pk").status == "sent"
    assert (drive / "Kis_Dashboard.pdf").read_bytes() == b"%PDF 10:10"
    assert last_run().error == ""
    minute(TEN + TEN_MINUTES)
    assert not Alert.objects.going_on(Kind.PUBLISH).exists()


# --- the broker ------------------------------------------------------------------------------------------------------


def fetches():
    try:
        call_command(FETCH.name)
    except CommandError:
        return False
    return True


def test_broker_that_is_down_all_day_is_told_and_comes_back_by_itself(
    simulator, owner, monkeypatch, settings, capsys
):
    assert fetches()
    minute(TEN)
    url = settings.KIS_ACCOUNTS["real"]["base_url"]
    monkeypatch.setattr("kis.connect.Session", partial(Session, sleep=lambda seconds: None))
    settings.KIS_ACCOUNTS["real"]["base_url"] = "http://127.0.0.1:9"  # nobody listens there
    slots = [TEN + timedelta(minutes=30) * count for count in range(1, 13)]
    for slot in slots:
        at(monkeypatch, simulator, slot)
        assert not fetches()
        minute(slot)
    assert {alert.kind for alert in Alert.objects.filter(is_lasting=True)} == {Kind.JOB, Kind.STALE}
    assert Alert.objects.filter(is_lasting=True).count() == 2, "a day's trouble is told once"
    failed = SyncRun.objects.filter(status="failed", slot__in=slots)
    assert failed.count() == len(slots), "a slot each, no more and no less"
    assert all("연결" in run.error for run in failed)
    assert KisAccount.objects.count() == 1
    page = owner.get("/").content.decode()
    assert f"10:30부터 {len(slots)}회" in page
    assert "지난 자료입니다" in page
    settings.KIS_ACCOUNTS["real"]["base_url"] = url
    morning = TEN + timedelta(days=3)
    at(monkeypatch, simulator, morning)
    capsys.readouterr()
    assert fetches(), capsys.readouterr().out
    page = owner.get("/").content.decode()
    assert "동기화 실패" not in page
    assert "지난 자료입니다" not in page
    minute(morning)
    assert not Alert.objects.filter(is_lasting=True, ended_at__isnull=True).exists()


# --- the database ----------------------------------------------------------------------------------------------------


def lost(*_arguments, **_named):
    raise OperationalError('connection to server at "10.0.0.5", port 5432 failed: password=hunter2')


@pytest.mark.parametrize("address", ["/", "/admin/", "/dashboard.pdf", "/login/", "/api/v1/accounts"])
def test_site_whose_database_is_away_says_so_and_is_there_again(client, monkeypatch, address):
    """The row of the session cannot be read, either: whoever comes is told the same."""
    client.force_login(get_user_model().objects.create_superuser("owner"))
    client.raise_request_exception = False
    cache.clear()
    with monkeypatch.context() as broken:
        broken.setattr(BaseDatabaseWrapper, "cursor", lost)
        response = client.get(address)
    shown = response.content.decode()
    assert response.status_code == 503, shown
    assert response["Retry-After"] == "30"
    assert "데이터베이스에 연결하지 못했습니다" in shown
    assert not any(secret in shown for secret in ("10.0.0.5", "hunter2", "Traceback"))
    assert client.get("/admin/").status_code == 200


def test_slot_without_a_database_is_a_sentence_and_the_next_one_is_run(simulator, monkeypatch, capsys):
    assert fetches()
    at(monkeypatch, simulator, TEN + timedelta(minutes=30))
    with monkeypatch.context() as broken:
        broken.setattr("kis.runs.open_slot", lost)
        broken.setattr("kis.sync.run.open_slot", lost)
        capsys.readouterr()
        assert not fetches()
    assert "데이터베이스에 연결하지 못했습니다" in (said := capsys.readouterr().out)
    assert "hunter2" not in said
    at(monkeypatch, simulator, TEN + timedelta(minutes=60))
    assert fetches()
    assert [run.slot for run in SyncRun.objects.order_by("slot")] == [TEN, TEN + timedelta(minutes=60)]


# --- the document ----------------------------------------------------------------------------------------------------


def test_every_failure_has_its_row_in_the_document():
    text = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    for words in (
        "남은 공간 없음",
        "읽기 전용",
        "메모리 한도",
        "폴더가 없음",
        "데이터베이스를 기다립니다",
        "동기화 실패",
    ):
        assert words in text, words
