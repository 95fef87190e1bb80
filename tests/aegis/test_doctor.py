"""The doctor: each check in order and out of order, and nothing secret in what it says."""

import http.server
import io
import ipaddress
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections
from django.db.utils import ConnectionHandler
from django_q.models import OrmQ, Schedule, Task

from aegis import health
from aegis.health import account, broker, configuration, database, files, findings, jobs
from aegis.health.case import Case, Check, Status, examine_one, open_case, problem
from kis.client.auth import MemoryTokenStore
from kis.client.codes import TR
from kis.client.errors import KisMisconfigured, KisUnreachable
from kis.client.session import Session
from kis.connect import Connection
from kis.korean import SEOUL
from kis.models import AccessToken, RateBudget, SyncRun, WireFinding
from kis.simulator.server import Simulator, SimulatorConfig
from kis.stores import cipher
from reports import fonts
from tests.factories import sync_run
from tests.kis.scripted import environment

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=SEOUL)
OK, WARNING, PROBLEM, SKIPPED = Status.OK, Status.WARNING, Status.PROBLEM, Status.SKIPPED
APP_KEY, APP_SECRET = "PSkeyOfTheOwner".ljust(36, "k"), "SecretOfTheOwner".ljust(180, "s")
MINE = {
    "app_key": APP_KEY,
    "app_secret": APP_SECRET,
    "account_no": "87654321-01",
    "base_url": "https://openapi.koreainvestment.com:9443",
}


@pytest.fixture(autouse=True)
def no_env_file(monkeypatch, tmp_path):
    """Keep the owner's own file out of the tests."""
    monkeypatch.setenv("AEGIS_ENV_FILE", str(tmp_path / "mine.env"))


@pytest.fixture
def configure(settings):
    """Return a function that configures one mode as an owner would."""
    settings.AEGIS_DEMO = False

    def change(mode="real", **values):
        settings.KIS_ACCOUNTS = settings.KIS_ACCOUNTS | {mode: settings.KIS_ACCOUNTS[mode] | MINE | values}
        return Case(mode, now=lambda: NOON)

    return change


@pytest.fixture(scope="module")
def simulator():
    with Simulator(SimulatorConfig(clock=NOON, limits=False)) as simulator:
        yield simulator


@pytest.fixture
def opened(simulator, configure):
    """Return a function that opens a case for one host of the simulator, configured as if it were the broker."""
    stack = []

    def start(mode="real", **values):
        side = getattr(simulator, mode)
        configure(
            mode,
            **{
                "app_key": side.app_key,
                "app_secret": side.app_secret,
                "account_no": side.account,
                "base_url": side.url,
                "ws_url": side.ws,
                **values,
            },
        )
        context = open_case(mode)
        stack.append(context)
        return context.__enter__()

    yield start
    for context in stack:
        context.__exit__(None, None, None)


def case_at(url, *, mode="real", now=lambda: datetime.now(UTC)):
    """Return a case whose broker is anywhere; nothing is sent yet."""
    session = Session(environment(mode, base_url=url), transport=SimpleNamespace(), tokens=MemoryTokenStore())
    return Case(mode, Connection(session, now), now=now)


def assert_found(result, status, *words):
    """Everything but what is fine or skipped comes with a remedy."""
    assert result.status is status, result
    shown = f"{result.text} → {result.remedy}"
    assert all(word in shown for word in words), shown
    assert bool(result.remedy) is (status in {WARNING, PROBLEM})


# --- settings -------------------------------------------------------------------------------------------------------


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


def test_keys_of_the_demo_are_the_simulators(settings, tmp_path):
    settings.AEGIS_DEMO = True
    settings.DEMO_STATE_FILE = tmp_path / "state.json"
    with open_case("paper") as case:
        assert_found(configuration.keys(case), OK, "시뮬레이터", "5001****-01")
    settings.AEGIS_SIM_MARKET_DIR = str(tmp_path / "nowhere")
    with open_case("real") as case:
        assert_found(configuration.keys(case), PROBLEM, "AEGIS_SIM_MARKET_DIR")


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


def test_advisor_waits_for_its_app(configure, settings, monkeypatch):
    case = configure()
    monkeypatch.setattr("aegis.health.configuration.apps.is_installed", lambda name: False)
    assert_found(configuration.advisor(case), SKIPPED, "AI")
    monkeypatch.setattr("aegis.health.configuration.apps.is_installed", lambda name: True)
    settings.GEMINI_API_KEY = ""
    assert_found(configuration.advisor(case), WARNING, "GEMINI_API_KEY")
    settings.GEMINI_API_KEY, settings.GEMINI_MODEL = "g" * 39, "gemini-pro"
    result = configuration.advisor(case)
    assert_found(result, OK, "gemini-pro")
    assert "ggg" not in result.text


# --- database -------------------------------------------------------------------------------------------------------


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
    wrapper = database_at(**SQLITE, NAME=tmp_path / "new.sqlite3", OPTIONS={})
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


def test_postgres_that_does_not_answer_is_a_problem(database_at):
    closed = free_port()
    wrapper = database_at(
        ENGINE="django.db.backends.postgresql",
        NAME="aegis",
        USER="me",
        PASSWORD="geheim",
        HOST="127.0.0.1",
        PORT=closed,
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


# --- the way to the broker ------------------------------------------------------------------------------------------


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_host_that_answers_is_fine():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert_found(broker.host(case_at(f"http://127.0.0.1:{port}")), OK, f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "unknown"), ["DNS", "KIS_REAL_BASE_URL"]),
        (TimeoutError(), ["5초 안에", "9443번 포트"]),
        (ConnectionRefusedError(), ["연결하지 못했습니다", "KIS_REAL_BASE_URL"]),
    ],
)
def test_host_out_of_reach_is_a_problem(monkeypatch, error, words):
    def fail(*address, **how):
        raise error

    monkeypatch.setattr(socket, "create_connection", fail)
    assert_found(broker.host(case_at(MINE["base_url"])), PROBLEM, *words)


@pytest.fixture
def secure_host(tmp_path, monkeypatch):
    """Return a function that starts a TLS host on the loopback, trusted or not; returns its address."""
    threads = []

    def start(*, days=90, trusted=True):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        begins = datetime.now(UTC) - timedelta(days=1)
        own_address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(datetime.now(UTC) + timedelta(days=days, hours=1))
            .add_extension(own_address, critical=False)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path / "host.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        if trusted:
            monkeypatch.setattr(broker, "DEFAULT_CA_BUNDLE_PATH", str(file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(10)

        def serve():
            with listener, listener.accept()[0] as plain:
                plain.settimeout(10)
                try:
                    with context.wrap_socket(plain, server_side=True) as secured:
                        secured.recv(1)
                except OSError:
                    pass  # the other side does not trust us

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return f"https://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join(15)


def test_certificate_is_judged_by_trust_and_days_left(secure_host):
    assert_found(broker.certificate(case_at(secure_host(days=90))), OK, "90일 남았습니다")
    assert_found(broker.certificate(case_at(secure_host(days=5))), WARNING, "5일 뒤")


def test_certificate_nobody_vouches_for_is_a_problem(secure_host):
    assert_found(broker.certificate(case_at(secure_host(trusted=False))), PROBLEM, "믿을 수 없습니다", "시계")


def test_certificate_of_no_tls_host_is_a_problem_and_of_plain_http_none():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.close()
        address = "127.0.0.1:9"
    assert_found(broker.certificate(case_at(f"https://{address}")), PROBLEM, "TLS")
    assert_found(broker.certificate(case_at(f"http://{address}")), SKIPPED, "시뮬레이터")


@pytest.fixture
def dated_host():
    """Return a function that starts a host whose clock is so many seconds off; None sends no time at all."""
    servers = []

    def start(seconds):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response_only(404)
                if seconds is not None:
                    self.send_header("Date", self.date_time_string(datetime.now(UTC).timestamp() + seconds))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("seconds", "status", "words"),
    [
        (0, OK, ["2초 안에서"]),
        (1, OK, []),
        (5, WARNING, ["초 느립니다", "set-ntp"]),
        (-5, WARNING, ["초 빠릅니다"]),
        (60, PROBLEM, ["느립니다", "set-ntp"]),
        (-3600, PROBLEM, ["빠릅니다"]),
        (None, SKIPPED, ["비교할 수 없습니다"]),
    ],
)
def test_clock_is_compared_with_the_brokers(dated_host, seconds, status, words):
    assert_found(broker.clock(case_at(dated_host(seconds))), status, *words)


def test_clock_gives_a_slow_network_the_benefit_of_the_doubt(monkeypatch):
    monkeypatch.setattr(broker, "measure_skew", lambda case: (5.0, 8.0))
    assert broker.clock(case_at("http://127.0.0.1:9")).status is OK


def test_clock_of_a_host_that_hangs_up_is_unknown():
    assert_found(broker.clock(case_at(f"http://127.0.0.1:{free_port()}")), SKIPPED, "비교할 수 없습니다")


# --- the account ----------------------------------------------------------------------------------------------------


def keep_token(case, *, hours=20, text=None):
    AccessToken.objects.create(
        key_id=case.session.key_id,
        token_encrypted=text or cipher().encrypt(b"eyJ-stored").decode(),
        expires_at=case.now() + timedelta(hours=hours),
        generation=1,
    )


@pytest.mark.django_db
def test_stored_token_is_used_and_none_asked_for(opened):
    case = opened()
    keep_token(case)
    assert_found(account.token(case), OK, "저장된 토큰")
    assert case.session.requests == 0


@pytest.mark.django_db
def test_token_is_asked_for_once_when_there_is_none_and_the_message_told(opened):
    case = opened()
    assert_found(account.token(case), OK, "토큰이 없어", "알림톡")
    assert_found(account.token(case), OK, "저장된 토큰")
    assert case.session.requests == 1


@pytest.mark.django_db
def test_token_that_ends_soon_or_cannot_be_read_is_replaced(opened):
    case = opened()
    keep_token(case, hours=0)
    assert_found(account.token(case), OK, "곧 끝나", "알림톡")
    AccessToken.objects.all().delete()
    keep_token(case, text=Fernet(Fernet.generate_key()).encrypt(b"x").decode())
    assert_found(account.token(case), WARNING, "풀 수 없어", "AEGIS_ENCRYPTION_KEY")


@pytest.mark.django_db
def test_refused_key_is_a_problem_with_the_brokers_words_and_advice(opened):
    case = opened(app_key="X" * 36)
    assert_found(account.token(case), PROBLEM, "EGW00103", "앱키를 확인해 주세요")


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["real", "paper"])
def test_inquiry_tells_how_long_the_broker_took(opened, mode):
    case = opened(mode)
    inner = case.session.transport
    assert_found(account.inquiry(case), OK, "초 만에")
    assert case.session.transport is inner


@pytest.mark.django_db
def test_inquiry_for_another_account_is_a_problem(opened):
    result = account.inquiry(opened(account_no="87654321-01"))
    assert_found(result, PROBLEM, "OPSQ2000", "계좌번호")


@pytest.mark.django_db
def test_slow_inquiry_is_told(opened, monkeypatch):
    case = opened()
    monkeypatch.setattr(account, "SLOW_SECONDS", -1.0)
    assert_found(account.inquiry(case), WARNING, "초 걸렸습니다")


@pytest.mark.django_db
def test_rate_limit_remembers_refusals(opened):
    case = opened()
    assert_found(account.rate_limit(case), OK, "1초에 18번")
    RateBudget.objects.create(key_id=case.session.key_id, refused_at=case.now() - timedelta(hours=2))
    assert_found(account.rate_limit(case), WARNING, "초과했습니다", "다른 프로그램")
    RateBudget.objects.update(refused_at=case.now() - timedelta(days=3))
    assert_found(account.rate_limit(case), OK)
    sync_run(rate_limited=3)
    sync_run(rate_limited=5, account_no="99999999")
    assert_found(account.rate_limit(case), WARNING, "1번에서", "3번", "3일")


def test_inquiries_that_paper_lacks_are_listed(opened):
    assert_found(account.offered(opened()), OK, "모두 제공")
    result = account.offered(opened("paper"))
    assert_found(result, OK, "모의 미지원", "휴장일", "미체결")
    assert not any(tr.name in result.text for tr in TR)


# --- fonts and folders ----------------------------------------------------------------------------------------------


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
    settings.REPORT_SYNC_DIR = "me@nas:reports"
    assert_found(files.sync_folder(case), SKIPPED, "다른 컴퓨터")


# --- jobs -----------------------------------------------------------------------------------------------------------


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


# --- drift ----------------------------------------------------------------------------------------------------------


def finding(case, field, *, days=0, **changes):
    return WireFinding.objects.create(
        **{
            "is_paper": False,
            "tr": "TTTC8434R",
            "section": "output1",
            "field": field,
            "kind": "unknown",
            "example": "숫자 7자리",
            "times": 3,
            "first_seen": case.now() - timedelta(days=days + 2),
            "last_seen": case.now() - timedelta(days=days),
            **changes,
        }
    )


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


# --- the whole ------------------------------------------------------------------------------------------------------


@pytest.fixture
def demo(settings, tmp_path):
    settings.AEGIS_DEMO = True
    settings.DEMO_STATE_FILE = tmp_path / "state.json"


def examined(*arguments):
    """Run the command; return what it wrote and how it ended."""
    out = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["real", "paper"])
def test_demo_is_in_order(demo, mode):
    shown, error = examined("--mode", mode)
    assert (error, "문제" in shown, "DEMO" in shown) == ("", False, True)
    assert all(check.name in shown for check in health.CHECKS)
    columns = {
        line.index(name) for line in shown.splitlines() for name in (" 모드 ", " 글꼴 ") if name in line
    }
    assert len(columns) == 1  # aligned


@pytest.mark.django_db
def test_json_says_the_same_to_machines(demo):
    shown, _ = examined("--json")
    told = json.loads(shown)
    assert (told["mode"], told["demo"], told["ok"]) == ("real", True, True)
    assert [check["name"] for check in told["checks"]] == [check.name for check in health.CHECKS]
    assert {check["status"] for check in told["checks"]} <= {"ok", "warning", "problem", "skipped"}
    assert datetime.fromisoformat(told["at"]).utcoffset() == timedelta(hours=9)


@pytest.mark.django_db
def test_problem_ends_the_command_with_an_error_and_its_followers_are_skipped(configure):
    configure(app_key="short")
    shown, error = examined("--mode", "real", "--json")
    told = json.loads(shown)
    by_name = {check["name"]: check for check in told["checks"]}
    assert ("문제가 1건" in error, told["ok"]) == (True, False)
    assert by_name["키와 계좌"]["status"] == "problem"
    assert by_name["증권사 연결"] | {"name": ""} == {
        "name": "",
        "status": "skipped",
        "text": "먼저 해결할 것: 키와 계좌",
        "remedy": "",
        "details": [],
    }
    assert by_name["계좌 조회"]["text"] == "먼저 해결할 것: 접근 토큰"  # the nearest reason
    assert by_name["글꼴"]["status"] != "skipped"
    assert "→ 해결: KIS Developers에서 다시 복사해" in examined("--mode", "real")[0]


@pytest.mark.django_db
def test_findings_and_remedies_are_printed(demo):
    finding(Case("real"), "fresh")
    shown, _ = examined()
    assert "→ 해결: 숫자가 이상하지 않은지" in shown
    assert "TTTC8434R output1.fresh" in shown


def test_check_that_breaks_is_a_problem_and_hides_no_other(configure):
    def broken(case):
        raise LookupError(f"{APP_SECRET} 87654321-01")

    line = examine_one(Check("검사", broken), configure())
    assert_found(line, PROBLEM, "LookupError", "개발자")
    assert APP_SECRET not in line.text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("no such table: kis_sync_run"), ["make setup"]),
        (PermissionError(13, "denied", "/var/x"), ["/var/x", "권한"]),
        (KisUnreachable("연결이 끊겼습니다"), ["연결이 끊겼습니다", "점검"]),
        (KisMisconfigured("계좌번호는 12345678-01 모양이어야 합니다."), ["모양", "설정"]),
    ],
)
def test_known_trouble_within_a_check_has_its_remedy(configure, error, words):
    def broken(case):
        raise error

    assert_found(examine_one(Check("검사", broken), configure()), PROBLEM, *words)


def test_whatever_a_check_says_nothing_secret_is_printed(configure, settings, monkeypatch):
    settings.SECRET_KEY, settings.AEGIS_ENCRYPTION_KEY = "site-secret-of-mine", "encryption-of-mine"
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "geheim")
    case = replace(configure(), connection=case_at("http://127.0.0.1:9").connection)
    keys = case.environment
    secrets = [
        APP_KEY,
        APP_SECRET,
        "87654321",
        *keys.secrets,
        settings.SECRET_KEY,
        "encryption-of-mine",
        "geheim",
    ]

    def chatty(case):
        return problem(" ".join(secrets), " ".join(secrets))

    line = examine_one(Check("검사", chatty), case)
    assert not any(secret in line.text + line.remedy for secret in secrets)


def test_doctor_survives_what_cannot_even_be_opened_or_closed(monkeypatch, configure, caplog):
    def fail(mode):
        raise ZeroDivisionError

    configure()
    monkeypatch.setattr("aegis.health.case.connect", fail)
    with open_case("real") as case:
        assert_found(configuration.keys(case), PROBLEM, "ZeroDivisionError")
    monkeypatch.setattr("aegis.health.case.connect", lambda mode: Unclosable())
    with open_case("real") as case:
        assert case.trouble == ""
    assert "ZeroDivisionError" in caplog.text


class Unclosable:
    def __enter__(self):
        return case_at("http://127.0.0.1:9").connection

    def __exit__(self, *error):
        raise ZeroDivisionError


# --- from the command line ------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the command in a process of its own, with folders of its own."""

    def command(*arguments, **variables):
        own = {
            "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
            "AEGIS_VAR_DIR": str(tmp_path / "var"),
            "AEGIS_FONT_DIR": str(ROOT / "var" / "fonts"),
            "AEGIS_REPORT_DIR": str(tmp_path / "reports"),
            "DATABASE_URL": "",
        }
        return subprocess.run(
            [sys.executable, "manage.py", "doctor", *arguments],
            cwd=ROOT,
            env={**os.environ, **own, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return command


def test_new_clone_is_told_to_set_itself_up(run):
    result = run()
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert "문제" in result.stdout
    assert "→ 해결: make setup" in result.stdout
    assert len(result.stderr.strip().splitlines()) == 1


def test_without_network_and_database_it_still_tells_what_it_can(run):
    closed = free_port()
    result = run(
        "--mode",
        "real",
        DATABASE_URL=f"postgres://me:geheim@127.0.0.1:{closed}/aegis?connect_timeout=2",
        KIS_REAL_APP_KEY=APP_KEY,
        KIS_REAL_APP_SECRET=APP_SECRET,
        KIS_REAL_ACCOUNT_NO="87654321-01",
        KIS_REAL_BASE_URL=f"http://127.0.0.1:{closed}",
    )
    everything = result.stdout + result.stderr
    assert (result.returncode, "Traceback" in everything) == (1, False)
    for name, words in {
        "데이터베이스": ["문제", "DATABASE_URL"],
        "증권사 연결": ["문제", "KIS_REAL_BASE_URL"],
        "접근 토큰": ["먼저 해결할 것: 데이터베이스"],
        "키와 계좌": ["정상", "8765****-01"],
        "글꼴": ["Noto Sans KR"],
    }.items():
        line = next(line for line in result.stdout.splitlines() if f"  {name}  " in line)
        assert all(word in line for word in words), line
    assert not any(secret in everything for secret in (APP_KEY, APP_SECRET, "87654321", "geheim"))


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (["--mode", "rael"], {}, ["rael"]),
        ([], {"DATABASE_URL": "mysql://me:geheim@here/x", "KIS_REAL_APP_KEY": APP_KEY}, ["DATABASE_URL"]),
    ],
)
def test_what_cannot_start_says_why_in_one_sentence(run, arguments, variables, words):
    result = run(*arguments, **variables)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert all(word in result.stderr for word in words)
    assert "geheim" not in result.stderr
