"""What the doctor says about the broker: host, certificate, clock, token, rate, and what paper lacks."""

import http.server
import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from aegis.health import account, broker
from kis.client.codes import TR
from kis.encryption import encrypt
from kis.models import AccessToken, RateBudget
from tests.aegis.examining import (
    MINE,
    OK,
    PROBLEM,
    SKIPPED,
    WARNING,
    assert_found,
    case_at,
)
from tests.factories import sync_run

# --- the way ---------------------------------------------------------------------------------------------------------


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
    monkeypatch.setattr(broker, "measure_skew", lambda environment, now: (5.0, 8.0))
    assert broker.clock(case_at("http://127.0.0.1:9")).status is OK


def test_clock_of_a_host_that_hangs_up_is_unknown(closed_port):
    assert_found(broker.clock(case_at(f"http://127.0.0.1:{closed_port}")), SKIPPED, "비교할 수 없습니다")


# --- the account -----------------------------------------------------------------------------------------------------


def keep_token(case, *, hours=20, text=None):
    AccessToken.objects.create(
        key_id=case.session.key_id,
        token_encrypted=text or encrypt("eyJ-stored"),
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
    assert_found(account.approval(case), PROBLEM, "EGW00103")


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["real", "paper"])
def test_inquiry_tells_how_long_the_broker_took(opened, mode):
    case = opened(mode)
    inner = case.session.transport
    assert_found(account.inquiry(case), OK, "초 만에")
    assert case.session.transport is inner
    assert_found(account.approval(case), OK, f"KIS_{mode.upper()}_HTS_ID가 없어")
    assert_found(account.approval(opened(mode, hts_id="me")), OK, "체결통보에 접속할 수 있습니다")


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
