"""The one socket of the client, against a server on the loopback that misbehaves on purpose."""

import ipaddress
import socket
import ssl
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kis.client.errors import KisUnreachable
from kis.client.protocol import Request
from kis.client.transport import DeadlineReader, HttpTransport

#: For what comes at once, and for what has been given up in time, on a busy machine too.
SOON = 30
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ntr_cont: M\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def serve():
    """Return a function that answers one connection with the given behaviour and returns the address."""
    threads = []
    listeners = []

    def start(behaviour, *, tls=None):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(SOON)
        listeners.append(listener)

        def run():
            connection, _ = listener.accept()
            connection.settimeout(SOON)
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
            with connection:
                seen.append(connection.recv(65536))
                # The client hangs up when its time is over, as it should.
                with suppress(OSError):
                    behaviour(connection)

        seen: list[bytes] = []
        thread = threading.Thread(target=run)
        threads.append(thread)
        thread.start()
        scheme = "http" if tls is None else "https"
        return f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", seen

    yield start
    for thread in threads:
        thread.join(SOON)
    for listener in listeners:
        listener.close()


@pytest.fixture
def transport():
    transport = HttpTransport()
    yield transport
    transport.close()


def get(url):
    return Request(
        method="GET",
        url=url,
        tr_id="TTTC8434R",
        headers={"authorization": "Bearer secret"},
        params={"CANO": "12345678"},
    )


def test_reply_comes_with_lower_case_headers(serve, transport):
    url, seen = serve(lambda connection: connection.sendall(OK))
    raw = transport.send(get(url), timeout_seconds=SOON)
    assert (raw.status, raw.body, raw.headers["tr_cont"]) == (200, b"{}", "M")
    assert b"GET /?CANO=12345678" in seen[0]


def test_redirect_is_not_followed(serve, transport):
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    url, _ = serve(lambda connection: connection.sendall(moved))
    assert transport.send(get(url), timeout_seconds=SOON).status == 307


@pytest.mark.parametrize(
    "behaviour",
    [
        lambda connection: None,  # closes without a word
        lambda connection: connection.sendall(OK[:-1]),  # one byte short
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
        lambda connection: connection.sendall(b"no http at all\r\n\r\n"),
    ],
)
def test_broken_answer_is_no_answer(serve, transport, behaviour):
    url, _ = serve(behaviour)
    with pytest.raises(KisUnreachable) as caught:
        transport.send(get(url), timeout_seconds=SOON)
    assert not any(secret in str(caught.value) for secret in ("secret", "12345678", "127.0.0.1"))
    assert caught.value.__cause__ is None


def test_silence_ends_with_the_timeout(serve, transport):
    released = threading.Event()
    url, _ = serve(lambda connection: released.wait(SOON))
    with pytest.raises(KisUnreachable, match="시간 안에"):
        transport.send(get(url), timeout_seconds=0.2)
    released.set()


BEFORE_THE_DRIP = {
    "status line": b"",
    "endless status lines": b"HTTP/1.1 100 Continue\r\n\r\n",
    "headers": b"HTTP/1.1 200 OK\r\nX-Drip: ",
    "body of known length": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
    "body until the end": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n",
}


def drip_after(start, piece=b"H"):
    """Return a behaviour that sends a byte every now and then, for much longer than anyone should wait."""

    def behave(connection):
        connection.sendall(start)
        for _ in range(200):
            time.sleep(0.02)
            connection.sendall(piece)

    return behave


@pytest.mark.parametrize("place", BEFORE_THE_DRIP)
def test_slow_drip_ends_with_the_deadline_wherever_it_is(serve, transport, place):
    start = BEFORE_THE_DRIP[place]
    url, _ = serve(drip_after(start, piece=start if place == "endless status lines" else b"H"))
    started = time.monotonic()
    with pytest.raises(KisUnreachable, match="시간 안에"):
        transport.send(get(url), timeout_seconds=0.3)
    assert 0.25 < time.monotonic() - started < SOON


def test_nothing_is_read_after_the_deadline_even_if_it_is_there():
    ours, theirs = socket.socketpair()
    with ours, theirs, closing(DeadlineReader(ours, time.monotonic() - 1)) as reader:
        theirs.sendall(b"late")
        with pytest.raises(TimeoutError):
            reader.read(4)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Write a certificate for this machine and the key to it into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls(certificate, transport):
    """Return what a server needs for TLS; the transport trusts it."""
    transport.http.verify = str(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_reply_comes_over_tls(serve, transport, tls):
    url, _ = serve(lambda connection: connection.sendall(OK), tls=tls)
    assert transport.send(get(url), timeout_seconds=SOON).body == b"{}"


@pytest.mark.parametrize("place", ["headers", "body until the end"])
def test_slow_drip_over_tls_ends_with_the_deadline(serve, transport, tls, place):
    url, _ = serve(drip_after(BEFORE_THE_DRIP[place]), tls=tls)
    started = time.monotonic()
    with pytest.raises(KisUnreachable, match="시간 안에"):
        transport.send(get(url), timeout_seconds=0.5)
    assert time.monotonic() - started < SOON


def test_silent_handshake_ends_within_the_deadline(serve, transport):
    released = threading.Event()
    url, _ = serve(lambda connection: released.wait(SOON))
    started = time.monotonic()
    with pytest.raises(KisUnreachable, match="시간 안에"):
        transport.send(get(url.replace("http://", "https://")), timeout_seconds=0.4)
    assert time.monotonic() - started < SOON
    released.set()


def test_reply_without_a_length_ends_with_the_connection(serve, transport):
    url, _ = serve(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n{}"))
    assert transport.send(get(url), timeout_seconds=SOON).body == b"{}"


def test_each_call_on_a_kept_connection_has_its_own_time(serve, transport):
    def answer_twice(connection):
        connection.sendall(OK)
        connection.recv(65536)
        time.sleep(0.7)
        connection.sendall(OK)

    url, _ = serve(answer_twice)
    assert transport.send(get(url), timeout_seconds=0.6).body == b"{}"
    assert transport.send(get(url), timeout_seconds=SOON).body == b"{}"


def test_nobody_listening_is_no_answer(transport):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(KisUnreachable, match="연결"):
        transport.send(get(f"http://127.0.0.1:{port}"), timeout_seconds=SOON)


def test_body_without_end_is_cut_off(serve, transport, monkeypatch):
    monkeypatch.setattr("kis.client.transport.MAX_BODY_BYTES", 10)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    url, _ = serve(lambda connection: connection.sendall(head + b" " * 100))
    with pytest.raises(KisUnreachable, match="너무 큽니다"):
        transport.send(get(url), timeout_seconds=SOON)


def test_https_that_is_none_is_no_answer(serve, transport):
    url, _ = serve(lambda connection: connection.sendall(OK))
    with pytest.raises(KisUnreachable, match="TLS"):
        transport.send(get(url.replace("http://", "https://")), timeout_seconds=SOON)


def test_address_that_cannot_be_is_no_answer(transport):
    with pytest.raises(KisUnreachable, match="보내지 못했습니다"):
        transport.send(get("http://127.0.0.1:port"), timeout_seconds=SOON)
