"""The one socket of the client, against a server on the loopback that misbehaves on purpose."""

import socket
import threading

import pytest

from kis.client.errors import KisUnreachable
from kis.client.protocol import Request
from kis.client.transport import HttpTransport

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ntr_cont: M\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def serve():
    """Return a function that answers one connection with the given behaviour and returns the address."""
    threads = []
    listeners = []

    def start(behaviour):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(5)
        listeners.append(listener)

        def run():
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(5)
                seen.append(connection.recv(65536))
                behaviour(connection)

        seen: list[bytes] = []
        thread = threading.Thread(target=run)
        threads.append(thread)
        thread.start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}", seen

    yield start
    for thread in threads:
        thread.join(10)
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
    raw = transport.send(get(url), timeout_seconds=5)
    assert (raw.status, raw.body, raw.headers["tr_cont"]) == (200, b"{}", "M")
    assert b"GET /?CANO=12345678" in seen[0]


def test_redirect_is_not_followed(serve, transport):
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    url, _ = serve(lambda connection: connection.sendall(moved))
    assert transport.send(get(url), timeout_seconds=5).status == 307


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
        transport.send(get(url), timeout_seconds=5)
    assert not any(secret in str(caught.value) for secret in ("secret", "12345678", "127.0.0.1"))
    assert caught.value.__cause__ is None


def test_silence_ends_with_the_timeout(serve, transport):
    released = threading.Event()
    url, _ = serve(lambda connection: released.wait(5))
    with pytest.raises(KisUnreachable, match="시간 안에"):
        transport.send(get(url), timeout_seconds=0.2)
    released.set()


def test_slow_drip_ends_with_the_deadline(serve, transport):
    stop = threading.Event()

    def drip(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            while not stop.wait(0.02):
                connection.sendall(b" ")
        except OSError:
            pass  # the client hung up, as it should

    url, _ = serve(drip)
    with pytest.raises(KisUnreachable, match="느립니다"):
        transport.send(get(url), timeout_seconds=0.3)
    stop.set()


def test_nobody_listening_is_no_answer(transport):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(KisUnreachable, match="연결"):
        transport.send(get(f"http://127.0.0.1:{port}"), timeout_seconds=1)


def test_body_without_end_is_cut_off(serve, transport, monkeypatch):
    monkeypatch.setattr("kis.client.transport.MAX_BODY_BYTES", 10)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    url, _ = serve(lambda connection: connection.sendall(head + b" " * 100))
    with pytest.raises(KisUnreachable, match="너무 큽니다"):
        transport.send(get(url), timeout_seconds=5)


def test_https_that_is_none_is_no_answer(serve, transport):
    url, _ = serve(lambda connection: connection.sendall(OK))
    with pytest.raises(KisUnreachable, match="TLS"):
        transport.send(get(url.replace("http://", "https://")), timeout_seconds=5)


def test_address_that_cannot_be_is_no_answer(transport):
    with pytest.raises(KisUnreachable, match="보내지 못했습니다"):
        transport.send(get("http://127.0.0.1:port"), timeout_seconds=5)
