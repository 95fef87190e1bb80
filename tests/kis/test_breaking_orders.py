"""Answers to an order that once were called something they do not prove, and orders that left too late."""

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from kis.client.codes import AccountNumber
from kis.client.endpoints.orders import NewOrder, send_order
from kis.client.errors import KisMisconfigured, KisUnreachable, OrderNotSent, OrderUnknown
from kis.client.protocol import RawReply, Request
from kis.client.records.orders import Side
from kis.client.throttle import Pacer
from kis.client.transport import HttpTransport
from tests.kis.scripted import environment, reply, stored_token

BUY = NewOrder(Side.BUY, "005930", 3, 57_200)
TOKEN = stored_token().token
TAKEN = {"KRX_FWDG_ORD_ORGNO": "06010", "ODNO": "0000117057", "ORD_TMD": "121052"}
ACCEPTED = {"rt_cd": "0", "msg_cd": "APBK0013", "msg1": "주문 전송 완료 되었습니다.", "output": TAKEN}


class OneAnswer:
    """A connection that answers once."""

    def __init__(self, answer):
        self.answer = answer

    def send(self, request, *, timeout_seconds):
        del request, timeout_seconds
        return self.answer

    def close(self):
        pass


def send(answer):
    return send_order(environment(), BUY, token=TOKEN, budget=Pacer(0), connect=lambda: OneAnswer(answer))


@contextmanager
def line_that_answers(raw):
    """Yield the address of a server that takes requests and answers with these bytes, and what it was sent."""
    received = []

    def serve(server):
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                received.append(b"")
                while b"}" not in received[-1] and (part := connection.recv(65536)):
                    received[-1] += part
                connection.sendall(raw)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        try:
            yield server.getsockname()[1], received
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


# --- what an answer proves ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["IGW00009", "OPSQ0001", "OPSQ0008", "OPSQ1002", "EGW00999"])
def test_trouble_between_gateway_and_exchange_is_no_refusal(code):
    """The answer could not be put together, says one of them: the order may be at the exchange."""
    with pytest.raises(OrderUnknown, match=code):
        send(reply({"rt_cd": "1", "msg_cd": code, "msg1": "오류"}))


@pytest.mark.parametrize("status", [200, 500])
def test_refusal_that_names_an_order_number_is_none(status):
    code = "APBK0952" if status == 200 else "EGW00201"
    with pytest.raises(OrderUnknown):
        send(reply({"rt_cd": "7", "msg_cd": code, "msg1": "거부", "output": TAKEN}, status=status))


@pytest.mark.parametrize("odd", [{"rt_cd": ["7"]}, {"msg_cd": {"a": 1}}, {"rt_cd": True}, {"msg_cd": None}])
def test_refusal_in_another_shape_is_none(odd):
    with pytest.raises(OrderUnknown):
        send(reply({"rt_cd": "7", "msg_cd": "APBK0952", "msg1": "거부", **odd}))


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({**ACCEPTED, "rt_cd": 0}).encode(),
        json.dumps({**ACCEPTED, "output": {**TAKEN, "ODNO": 117057}}).encode(),
        json.dumps(ACCEPTED, ensure_ascii=False).encode("cp949"),
        json.dumps(ACCEPTED).replace("APBK0013", "APBK\t13").encode(),
        json.dumps(ACCEPTED).encode("utf-8-sig"),
    ],
    ids=["whole rt_cd", "whole number", "cp949", "tab", "mark in front"],
)
def test_number_is_found_whatever_else_is_odd(body):
    assert int(send(RawReply(200, {}, body)).number) == 117057


@pytest.mark.parametrize("number", ["0000000000", "   ", 0, False, ["0000117057"]])
def test_number_that_is_none_proves_nothing(number):
    with pytest.raises(OrderUnknown):
        send(reply({**ACCEPTED, "output": {**TAKEN, "ODNO": number}}))


# --- over a real line ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("location", [b"\xff\xfe", b"http://[bad", b"http://127.0.0.1:1/elsewhere"])
def test_redirect_is_not_even_looked_at(location):
    raw = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    with line_that_answers(raw) as (port, received):
        env = environment(base_url=f"http://127.0.0.1:{port}")
        with pytest.raises(OrderUnknown):
            send_order(env, BUY, token=TOKEN, budget=Pacer(0), deadline_seconds=60)
    assert len(received) == 1


@pytest.mark.parametrize("dead_addresses", [0, 3])
def test_order_does_not_leave_once_connecting_has_taken_too_long(monkeypatch, dead_addresses):
    """Each address of a host has the whole time to connect, and looking up its name has no limit at all."""
    connect = socket.socket.connect

    def look_up(_host, port, *_how):
        time.sleep(0 if dead_addresses else 0.7)
        addresses = ["127.0.0.2"] * dead_addresses + ["127.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def connect_or_not(self, address):
        if address[0] == "127.0.0.2":
            time.sleep(0.25)
            raise TimeoutError
        return connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", connect_or_not)
    with line_that_answers(b"") as (port, received):
        env = environment(base_url=f"http://localhost:{port}")
        with pytest.raises(OrderNotSent):
            send_order(env, BUY, token=TOKEN, budget=Pacer(0), deadline_seconds=1.2)
    assert b"".join(received) == b""


def test_header_that_cannot_be_written_is_no_answer():
    """A text beyond Latin-1 ended in a bare UnicodeEncodeError."""
    transport = HttpTransport()
    with line_that_answers(b"") as (port, _):
        request = Request("GET", f"http://127.0.0.1:{port}/", "TTTC8434R", {"authorization": "Bearer 가나다"})
        with pytest.raises(KisUnreachable, match="보내지 못했습니다"):
            transport.send(request, timeout_seconds=60)
    transport.close()


@pytest.mark.parametrize("key", ["가" * 36, "a" * 35 + "\n", " " + "a" * 35])
def test_keys_that_no_header_can_carry_are_refused(key):
    with pytest.raises(KisMisconfigured, match="영문, 숫자, 기호"):
        environment(app_key=key)


def test_account_number_of_other_digits_is_refused():
    """They look the same, and no broker knows them."""
    with pytest.raises(KisMisconfigured):
        AccountNumber.parse("１２３４５６７８-01")
