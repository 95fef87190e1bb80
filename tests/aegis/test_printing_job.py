"""The job of every ten minutes: the page straight from the broker, once a slot, and never lost."""

from datetime import timedelta
from pydoc import locate

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from aegis import tasks
from aegis.schedules import PRINT
from kis.calendar import use_days
from kis.client.throttle import SECONDS_BETWEEN_CALLS
from kis.data_fetch import FetchFailed
from kis.models import SyncRun
from kis.runs import Owner, open_slot
from kis.simulator.server import Simulator, SimulatorConfig
from reports import publishing
from reports.fonts import FontsUnavailable
from reports.models import PublishedReport
from tests.kis.fetching import configure
from tests.kis.syncing import TEN, Broker, environment_of

pytestmark = pytest.mark.django_db
#: What a run of the job writes: its own row, that of its file, and what calling the broker takes.
WRITTEN = {"kis_sync_run", "published_report", "kis_access_token", "kis_rate_budget"}


@pytest.fixture
def owner(settings, monkeypatch, tmp_path):
    """Return a simulator that the settings name as the owner's broker, at ten o'clock; its pages are only marks."""
    settings.REPORT_DIR = tmp_path / "Realtime"
    settings.REPORT_SYNC_DIR = ""
    monkeypatch.setitem(SECONDS_BETWEEN_CALLS, "paper", 0.0)
    monkeypatch.setattr("kis.direct.calls_within", lambda session, seconds: 1)
    monkeypatch.setattr(
        publishing,
        "render_apart",
        lambda dashboard, amounts: f"%PDF {dashboard.mode} {dashboard.account.total}".encode(),
    )
    with Simulator(SimulatorConfig(clock=TEN, speed=0, limits=False)) as simulator:
        configure(settings, simulator)
        at(monkeypatch, TEN)
        yield simulator
    use_days({})


def at(monkeypatch, moment):
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)


def run(capsys, **options):
    call_command(PRINT.name, **options)
    return capsys.readouterr().out


def tables():
    return {
        model._meta.db_table: sorted(map(repr, model._base_manager.values_list()))  # noqa: SLF001  # any model has them
        for model in apps.get_models()
    }


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_account_is_printed_and_the_books_stay_as_they_are(owner, settings, capsys):
    before = tables()
    assert run(capsys) == "실전: Kis_Dashboard.pdf, 대사 일치\n모의: Kis_Dashboard_모의.pdf, 대사 일치\n"
    assert names(settings.REPORT_DIR) == ["Kis_Dashboard.pdf", "Kis_Dashboard_모의.pdf"]
    total = Broker(owner.real.url).get("state")["accounts"][0]["total"]
    assert (settings.REPORT_DIR / "Kis_Dashboard.pdf").read_bytes() == f"%PDF real {total}".encode()
    after = tables()
    assert {name for name in after if after[name] != before[name]} <= WRITTEN
    assert set(SyncRun.objects.values_list("job", "slot", "status")) == {(PRINT.name, TEN, "complete")}
    assert set(PublishedReport.objects.values_list("as_of", "snapshot")) == {(TEN, None)}


def test_run_says_what_was_asked_and_how_it_agreed(owner, capsys):
    run(capsys, mode="real")
    row = SyncRun.objects.get()
    assert row.requests > 3
    assert [step["label"] for step in row.steps] == ["조회", "PDF"]


def test_slot_is_printed_once_however_often_it_is_fired(owner, monkeypatch, capsys):
    run(capsys)
    at(monkeypatch, TEN + timedelta(minutes=9))
    assert run(capsys).count("다른 프로세스가 이 시각을 이미 맡았습니다.") == 2
    assert PublishedReport.objects.count() == 2
    at(monkeypatch, TEN + timedelta(minutes=10))
    assert run(capsys).count("대사 일치") == 2
    assert set(SyncRun.objects.values_list("slot", flat=True)) == {TEN, TEN + timedelta(minutes=10)}


def test_slot_of_a_process_that_died_is_taken_over(owner, monkeypatch, capsys):
    environment = environment_of(owner.real, "real")
    assert open_slot(Owner.of(PRINT.name, environment), now=TEN, slot=TEN)
    assert "이미 맡았습니다" in run(capsys, mode="real")
    SyncRun.objects.update(lease_until=TEN - timedelta(minutes=1))
    assert "대사 일치" in run(capsys, mode="real")


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (TEN.replace(hour=16), "16:00은(는) 실행 시간(08:55–15:35)이 아니라"),
        (TEN.replace(hour=15, minute=40), "15:40은(는) 실행 시간"),
        (TEN + timedelta(days=1), "2026-11-21(토)은(는) 거래소가 쉬는 날"),
    ],
)
def test_job_rests_outside_its_window_and_is_run_by_hand(owner, monkeypatch, capsys, moment, told):
    at(monkeypatch, moment)
    Broker(owner.real.url).clock(moment)
    assert told in run(capsys, mode="real")
    assert not SyncRun.objects.exists()
    assert not PublishedReport.objects.exists()
    assert "Kis_Dashboard.pdf" in run(capsys, mode="real", now=True)
    assert SyncRun.objects.get().slot is None


def test_file_is_sent_on(owner, settings, tmp_path, capsys):
    settings.REPORT_SYNC_DIR = str(tmp_path)
    assert f"보냄 {tmp_path}" in run(capsys, mode="real")
    assert (tmp_path / "Kis_Dashboard.pdf").read_bytes() == (
        settings.REPORT_DIR / "Kis_Dashboard.pdf"
    ).read_bytes()


def test_file_that_cannot_be_sent_is_a_warning_and_no_failure(owner, settings, tmp_path, capsys):
    settings.REPORT_SYNC_DIR = str(tmp_path / "no" / "drive")
    assert "폴더가 없음" in run(capsys, mode="real")
    assert (settings.REPORT_DIR / "Kis_Dashboard.pdf").exists()
    row = SyncRun.objects.get()
    assert (row.status, "폴더가 없음" in row.error) == ("complete", True)


def test_account_that_fails_keeps_its_old_file_and_leaves_the_others_alone(
    owner, settings, monkeypatch, capsys
):
    run(capsys)
    old = (settings.REPORT_DIR / "Kis_Dashboard.pdf").read_bytes()
    Broker(owner.real.url).fault("TTTC8434R", "drop_field:dnca_tot_amt")
    at(monkeypatch, TEN + timedelta(minutes=10))
    with pytest.raises(CommandError, match="마치지 못한 것이 있습니다: 실전"):
        call_command(PRINT.name)
    shown = capsys.readouterr().out
    assert "실전: 증권사" in shown
    assert "모의: Kis_Dashboard_모의.pdf" in shown
    assert (settings.REPORT_DIR / "Kis_Dashboard.pdf").read_bytes() == old
    assert SyncRun.objects.filter(status="failed").get().error.startswith("증권사")


def test_page_that_cannot_be_made_is_told_in_its_own_words(owner, monkeypatch, capsys):
    def broken(dashboard, amounts):
        raise FontsUnavailable("글꼴이 없습니다.")

    monkeypatch.setattr(publishing, "render_apart", broken)
    with pytest.raises(CommandError):
        call_command(PRINT.name, mode="real")
    assert "실전: 글꼴이 없습니다." in capsys.readouterr().out
    assert SyncRun.objects.get().error == "글꼴이 없습니다."


def test_task_of_the_worker_does_the_same(owner):
    def fired(moment):
        return tasks.print_dashboards(intended=moment.isoformat(), minutes=10, opens="08:55", closes="15:35")

    assert locate(PRINT.task) is tasks.print_dashboards
    assert fired(TEN).count("대사 일치") == 2
    assert fired(TEN).count("이미 맡았습니다") == 2
    Broker(owner.paper.url).fault("VTTC8434R", "html_page")
    with pytest.raises(FetchFailed, match="모의: "):
        fired(TEN + timedelta(minutes=10))


def test_runs_of_the_job_are_no_sync_of_the_account(owner, capsys):
    run(capsys)
    assert SyncRun.objects.count() == 2
    assert not SyncRun.objects.copying().exists()
