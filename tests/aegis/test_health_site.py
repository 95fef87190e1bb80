"""What the doctor says about the installation: settings, database, fonts, folders, jobs, drift."""

import shutil
from dataclasses import replace
from datetime import time, timedelta
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet
from django.db import OperationalError, connections
from django.db.utils import ConnectionHandler
from django_q.models import OrmQ, Schedule, Task

from aegis.health import configuration, database, files, findings, jobs
from aegis.health.case import open_case
from kis.calendar import Day, Hours, use_days
from kis.models import SyncRun
from reports import fonts
from reports.models import PublishedReport
from tests.aegis.examining import (
    APP_KEY,
    APP_SECRET,
    NOON,
    OK,
    PROBLEM,
    SKIPPED,
    WARNING,
    assert_found,
    finding,
)
from tests.factories import AT, sync_run

# --- settings --------------------------------------------------------------------------------------------------------


def test_env_file_of_the_owner_alone_is_fine(configure, tmp_path):
    case, path = configure(), tmp_path / "mine.env"
    assert_found(configuration.env_file(case), SKIPPED, "환경 변수")
    path.write_text("SECRET_KEY=x")
    path.chmod(0o600)
    assert_found(configuration.env_file(case), OK, "mine.env")
    path.chmod(0o644)
    assert_found(configuration.env_file(case), WARNING, "chmod 600 mine.env")


def test_env_file_that_cannot_be_read_is_a_problem(configure, tmp_path):
    case, path = configure(), tmp_path / "mine.env"
    path.write_bytes("앱키".encode("cp949"))
    assert_found(configuration.env_file(case), PROBLEM, "UTF-8")
    path.unlink()
    path.mkdir()
    assert_found(configuration.env_file(case), PROBLEM, "읽을 수 없습니다", "chmod 600")


def test_mode_says_whose_account_it_is(configure, settings):
    assert_found(configuration.mode(configure()), OK, "실전투자")
    assert_found(configuration.mode(configure("paper")), OK, "모의투자")
    local = configure(base_url="http://127.0.0.1:9443")
    assert_found(configuration.mode(local), WARNING, "시뮬레이터", "KIS_REAL_BASE_URL")
    assert_found(configuration.mode(replace(local, demo=True)), WARNING, "데모", "AEGIS_DEMO")
    settings.KIS_ACCOUNTS = {
        mode: dict.fromkeys(values, "") for mode, values in settings.KIS_ACCOUNTS.items()
    }
    assert_found(configuration.mode(replace(local, demo=True)), OK, "데모")


def test_keys_of_the_right_form_are_fine(configure):
    assert_found(configuration.keys(configure()), OK, "36자", "180자", "8765****-01")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"app_key": ""}, ["KIS_REAL_APP_KEY 값이 없습니다"]),
        ({"app_key": APP_KEY[1:]}, ["KIS_REAL_APP_KEY 값이 35자입니다(36자"]),
        ({"app_secret": APP_KEY}, ["KIS_REAL_APP_SECRET 값이 36자입니다(180자"]),
        ({"account_no": ""}, ["KIS_REAL_ACCOUNT_NO 값이 없습니다"]),
        ({"account_no": "8765432-01"}, ["12345678-01 모양"]),
        ({"app_key": "", "app_secret": "", "account_no": ""}, ["APP_KEY", "APP_SECRET", "ACCOUNT_NO"]),
        ({"base_url": "https://openapivts.koreainvestment.com:29443"}, ["모의투자 주소", "KIS_REAL_"]),
        ({"base_url": "http://openapi.koreainvestment.com:9443"}, ["https"]),
        ({"base_url": "https://[openapi"}, ["KIS_REAL_BASE_URL"]),
        ({"base_url": "https://openapi.koreainvestment.com:94430"}, ["KIS_REAL_BASE_URL"]),
    ],
)
def test_wrong_key_is_named_but_never_repeated(configure, values, words):
    result = configuration.keys(configure(**values))
    assert_found(result, PROBLEM, *words)
    shown = result.text + result.remedy
    assert not any(value and value in shown for value in (APP_KEY[:35], APP_SECRET, "8765432"))


@pytest.mark.django_db
def test_keys_of_the_demo_are_the_simulators(settings, tmp_path):
    settings.AEGIS_DEMO = True
    settings.DEMO_STATE_FILE = tmp_path / "state.json"
    with open_case("paper") as case:
        assert_found(configuration.keys(case), OK, "시뮬레이터", "5001****-01")
    settings.AEGIS_SIM_MARKET_DIR = str(tmp_path / "nowhere")
    with open_case("real") as case:
        assert_found(configuration.keys(case), PROBLEM, "AEGIS_SIM_MARKET_DIR")


def test_demo_is_looked_at_even_where_its_books_cannot_be_read(settings, tmp_path, monkeypatch):
    def no_table(*_, **__):
        raise OperationalError("no such table: kis_daily_summary")

    monkeypatch.setattr("kis.demo.has_no_past", no_table)
    settings.AEGIS_DEMO = True
    settings.DEMO_STATE_FILE = tmp_path / "state.json"
    with open_case("paper") as case:
        assert_found(configuration.keys(case), OK, "시뮬레이터", "5001****-01")


def test_secrets_are_guarded(configure, settings):
    case = configure()
    settings.DEBUG = False
    settings.SECRET_KEY = "s" * 50
    assert_found(configuration.secrecy(case), OK, "SECRET_KEY")
    settings.AEGIS_ENCRYPTION_KEY = Fernet.generate_key().decode()
    assert_found(configuration.secrecy(case), OK, "AEGIS_ENCRYPTION_KEY")
    settings.DEBUG = True
    assert_found(configuration.secrecy(case), WARNING, "DEBUG")
    settings.SECRET_KEY = "short"
    assert_found(configuration.secrecy(case), WARNING, "5자", "32자 이상")
    settings.AEGIS_ENCRYPTION_KEY = "no key"
    assert_found(configuration.secrecy(case), PROBLEM, "AEGIS_ENCRYPTION_KEY", ".env.example")


# --- database --------------------------------------------------------------------------------------------------------


@pytest.fixture
def database_at(settings, django_db_blocker):
    """Return a function that opens another database; what was opened is closed."""
    opened = []

    def start(**values):
        default = settings.DATABASES["default"] | {"TEST": {}, "ATOMIC_REQUESTS": False, **values}
        wrapper = ConnectionHandler({"default": default})["default"]
        opened.append(wrapper)
        return wrapper

    with django_db_blocker.unblock():
        yield start
        for wrapper in opened:
            wrapper.close()


SQLITE = {"ENGINE": "django.db.backends.sqlite3", "HOST": "", "PORT": ""}
PRAGMAS = "PRAGMA journal_mode={}; PRAGMA synchronous={};"


@pytest.fixture
def up_to_date(monkeypatch, tmp_path):
    """Take the tables of a database for granted; returns a folder for its file."""
    monkeypatch.setattr(database, "waiting_migrations", lambda wrapper: 0)
    return tmp_path


@pytest.mark.django_db
def test_database_of_the_site_is_in_order(configure):
    assert_found(database.database(configure()), OK, "쓰기 가능", "모두 적용")


def test_database_without_its_tables_is_a_problem(database_at, tmp_path):
    path = tmp_path / "new.sqlite3"
    wrapper = database_at(**SQLITE, NAME=path, OPTIONS={})
    assert_found(database.examine_database(wrapper), PROBLEM, "아직 없습니다", "make setup")
    assert not path.exists()  # looking leaves nothing behind
    path.touch()
    assert_found(database.examine_database(wrapper), PROBLEM, "마이그레이션", "make setup")


@pytest.mark.parametrize(
    ("pragmas", "status", "words"),
    [
        (("WAL", "FULL"), OK, ["SQLite", "WAL"]),
        (("DELETE", "FULL"), WARNING, ["delete"]),
        (("WAL", "OFF"), WARNING, ["synchronous FULL"]),
    ],
)
def test_sqlite_that_may_lose_what_it_confirmed_is_told(up_to_date, database_at, pragmas, status, words):
    options = {"init_command": PRAGMAS.format(*pragmas), "transaction_mode": "IMMEDIATE"}
    (up_to_date / "site.sqlite3").touch()
    wrapper = database_at(**SQLITE, NAME=up_to_date / "site.sqlite3", OPTIONS=options)
    assert_found(database.examine_database(wrapper), status, *words)


def test_sqlite_that_cannot_be_written_or_is_damaged_is_a_problem(up_to_date, database_at):
    path = up_to_date / "site.sqlite3"
    path.touch()
    options = {"uri": True, "transaction_mode": "IMMEDIATE"}
    wrapper = database_at(**SQLITE, NAME=f"file:{path}?mode=ro", OPTIONS=options)
    assert_found(database.examine_database(wrapper), PROBLEM, "쓸 수 없습니다", "권한")
    path.write_bytes(b"no database at all" * 100)
    wrapper = database_at(**SQLITE, NAME=path, OPTIONS={})
    assert_found(database.examine_database(wrapper), PROBLEM, "손상")


def test_postgres_that_does_not_answer_is_a_problem(database_at, closed_port):
    wrapper = database_at(
        ENGINE="django.db.backends.postgresql",
        NAME="aegis",
        USER="me",
        PASSWORD="geheim",
        HOST="127.0.0.1",
        PORT=closed_port,
        OPTIONS={"connect_timeout": 2},
    )
    result = database.examine_database(wrapper)
    assert_found(result, PROBLEM, "연결하지 못했습니다", "DATABASE_URL")
    assert "geheim" not in result.text + result.remedy


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        ({"SHOW server_version_num": "170002", "SHOW transaction_read_only": "off"}, OK, ["PostgreSQL 17"]),
        (
            {"SHOW server_version_num": "170002", "SHOW transaction_read_only": "on"},
            PROBLEM,
            ["읽기 전용", "standby"],
        ),
        (
            {"SHOW server_version_num": "130015", "SHOW transaction_read_only": "off"},
            WARNING,
            ["13", "14 이상"],
        ),
    ],
)
def test_postgres_is_judged_by_version_and_role(monkeypatch, answers, status, words):
    monkeypatch.setattr(database, "answer", lambda wrapper, question: answers[question])
    assert_found(database.of_postgres(connections["default"]), status, *words)


# --- fonts and folders -----------------------------------------------------------------------------------------------


def test_fonts_are_built_missing_or_damaged(configure, settings, tmp_path):
    case = configure()
    fonts.ensure_fonts()
    assert_found(files.fonts(case), OK, "Noto Sans KR 400·500·700")
    settings.FONT_DIR = tmp_path / "fonts"
    assert_found(files.fonts(case), WARNING, "build_fonts")
    settings.FONT_DIR.mkdir()
    for weight in fonts.WEIGHTS:
        fonts.font_path(weight).write_bytes(b"no font")
    assert_found(files.fonts(case), PROBLEM, "손상", "build_fonts")


def test_folders_are_writable_or_named(configure, settings, tmp_path):
    case = configure()
    settings.VAR_DIR = tmp_path
    settings.REPORT_DIR = tmp_path / "made" / "later"
    assert_found(files.own_folder(case), OK, str(tmp_path), "GB")
    assert_found(files.report_folder(case), OK, "later")
    assert not settings.REPORT_DIR.exists()
    assert list(tmp_path.iterdir()) == []
    settings.VAR_DIR = tmp_path / "gone"
    assert_found(files.own_folder(case), PROBLEM, "폴더 없음", "AEGIS_VAR_DIR")
    (tmp_path / "file").touch()
    settings.REPORT_DIR = tmp_path / "file" / "reports"
    assert_found(files.report_folder(case), PROBLEM, "AEGIS_REPORT_DIR")


@pytest.mark.parametrize(
    ("free", "status", "words"),
    [(5_000_000_000, OK, ["5.0GB"]), (500_000_000, WARNING, ["0.5GB"]), (1_000, PROBLEM, ["0.0GB", "공간"])],
)
def test_little_room_is_told_in_time(configure, monkeypatch, free, status, words):
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    assert_found(files.own_folder(configure()), status, *words)


def test_folders_of_others_are_examined_only_where_set(configure, settings, tmp_path):
    case = configure()
    settings.REPORT_SYNC_DIR = settings.KB_IMPORT_DIR = ""
    assert_found(files.sync_folder(case), SKIPPED, "REPORT_SYNC_DIR")
    assert_found(files.import_folder(case), SKIPPED, "KB_IMPORT_DIR")
    settings.REPORT_SYNC_DIR = settings.KB_IMPORT_DIR = str(tmp_path)
    assert_found(files.sync_folder(case), OK, str(tmp_path))
    (tmp_path / "trades.csv").touch()
    assert_found(files.import_folder(case), OK, "파일 1개")
    settings.REPORT_SYNC_DIR = settings.KB_IMPORT_DIR = str(tmp_path / "gone")
    assert_found(files.sync_folder(case), PROBLEM, "폴더 없음", "REPORT_SYNC_DIR")
    assert_found(files.import_folder(case), PROBLEM, "폴더 없음", "KB_IMPORT_DIR")
    settings.REPORT_SYNC_DIR = "-e x"
    assert_found(files.sync_folder(case), PROBLEM, "REPORT_SYNC_DIR")


@pytest.mark.django_db
def test_folder_of_another_computer_is_known_from_the_last_report(configure, settings):
    case = configure()
    settings.REPORT_SYNC_DIR = "me@nas:reports"
    assert_found(files.sync_folder(case), SKIPPED, "다른 컴퓨터")
    row = PublishedReport.objects.create(
        published_at=AT,
        file_name="a.pdf",
        account_no="12345678",
        product_code="01",
        is_paper=False,
        as_of=AT,
        size=1,
        sha256="0",
        target="nas:reports",
        status="sent",
    )
    assert_found(files.sync_folder(case), OK, "06-16 14:20", "nas:reports", "보냄")
    PublishedReport.objects.filter(pk=row.pk).update(status="failed", reason="컴퓨터가 대답하지 않음")
    assert_found(files.sync_folder(case), PROBLEM, "컴퓨터가 대답하지 않음")


# --- jobs ------------------------------------------------------------------------------------------------------------


def plan(case, *, minutes):
    return Schedule.objects.create(
        func="kis.sync.sync_account", next_run=case.now() + timedelta(minutes=minutes), name=f"job {minutes}"
    )


@pytest.mark.django_db
def test_schedules_are_there_and_on_time(configure, monkeypatch):
    case = configure()
    assert_found(jobs.schedules(case), WARNING, "예약된 작업이 없습니다")
    monkeypatch.setattr(jobs, "get_commands", dict)
    assert_found(jobs.schedules(case), WARNING, "cron", "sync_kis_data --mode real")
    plan(case, minutes=5)
    Schedule.objects.create(func="once", repeats=0, next_run=case.now() - timedelta(days=9))
    assert_found(jobs.schedules(case), OK, "예약 1개")
    plan(case, minutes=-30)
    assert_found(jobs.schedules(case), PROBLEM, "2개 가운데 1개", "make run")
    assert_found(jobs.schedules(replace(case, demo=True)), SKIPPED, "데모")


@pytest.mark.django_db
def test_worker_is_seen_by_its_heartbeat_or_its_traces(configure, monkeypatch):
    case = configure()
    assert_found(jobs.worker(case), SKIPPED, "맡긴 작업이 없습니다")
    plan(case, minutes=5)
    assert_found(jobs.worker(case), WARNING, "make run")
    moment = {"started": case.now(), "stopped": case.now() - timedelta(minutes=7)}
    Task.objects.create(id="1", name="a", func="f", success=True, **moment)
    assert_found(jobs.worker(case), OK, "7분 전")
    OrmQ.objects.create(key="aegis", payload="", lock=case.now() - timedelta(hours=3))
    assert_found(jobs.worker(case), PROBLEM, "3시간 전", "make run")
    monkeypatch.setattr("aegis.health.jobs.Stat.get_all", lambda: ["a cluster"])
    assert_found(jobs.worker(case), OK, "작업자 1개")


def kept_run(case, at, **changes):
    number = case.environment.account.number
    return sync_run(at=at, account_no=number, is_paper=case.mode == "paper", **changes)


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["real", "paper"])
@pytest.mark.parametrize(
    ("age", "status", "words"),
    [
        (timedelta(minutes=20), OK, ["20분 전"]),
        (timedelta(hours=2), WARNING, ["장중", "2시간 전"]),
        (timedelta(days=1), WARNING, ["24시간 전"]),
        (timedelta(days=2), PROBLEM, ["2일 전", "sync_kis_data --mode"]),
    ],
)
def test_books_are_as_young_as_the_day_allows(opened, mode, age, status, words):
    case = trading_at(opened(mode), NOON)
    kept_run(case, NOON - age)
    assert_found(jobs.last_sync(case), status, *words)


def trading_at(case, at):
    return replace(case, connection=replace(case.connection, now=lambda: at))


@pytest.mark.django_db
@pytest.mark.parametrize(("clock", "status"), [((10, 15), OK), ((10, 45), WARNING), ((16, 15), WARNING)])
def test_books_are_as_young_as_a_later_session_allows(opened, clock, status):
    use_days({NOON.date(): Day(opens=True, settles=True, hours=Hours(time(10), time(16, 30)))})
    at = NOON.replace(hour=clock[0], minute=clock[1])
    case = trading_at(opened(), at)
    kept_run(case, at - timedelta(hours=2))
    assert_found(jobs.last_sync(case), status, "2시간 전")


@pytest.mark.django_db
def test_books_of_friday_are_good_until_monday_opens(opened):
    case = opened()
    kept_run(case, NOON + timedelta(hours=3))
    sunday, tuesday = NOON + timedelta(days=2), NOON + timedelta(days=4)
    assert_found(jobs.last_sync(trading_at(case, sunday)), OK, "45시간 전")
    assert_found(jobs.last_sync(trading_at(case, tuesday)), PROBLEM, "3일 전")


@pytest.mark.django_db
def test_failed_sync_is_a_problem_with_its_reason(opened):
    case = trading_at(opened(), NOON)
    assert_found(jobs.last_sync(case), WARNING, "아직", "sync_kis_data --mode real")
    kept_run(case, NOON - timedelta(minutes=9))
    kept_run(case, NOON, status=SyncRun.Status.FAILED, error="증권사가 거절했습니다\n둘째 줄")
    assert_found(jobs.last_sync(case), PROBLEM, "실패", "증권사가 거절했습니다", "원인을 고친 뒤")
    assert "둘째 줄" not in jobs.last_sync(case).text
    kept_run(case, NOON + timedelta(minutes=1))
    assert_found(jobs.last_sync(case), OK)


# --- drift -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_drift_of_the_last_days_is_listed(configure):
    case = configure()
    finding(case, "old", days=8)
    finding(case, "paper", is_paper=True)
    assert_found(findings.drift(case), OK, "7일")
    finding(case, "fresh")
    result = findings.drift(case)
    assert_found(result, WARNING, "1가지", "응답 변화")
    assert result.details == ("TTTC8434R output1.fresh 모르는 항목 (숫자 7자리) 2026-11-18(수)부터 3번",)
    for number in range(30):
        finding(case, f"f{number:02}")
    assert findings.drift(case).details[-1] == "… 외 11건"
