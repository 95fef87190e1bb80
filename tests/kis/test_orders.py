"""Orders at the broker: one POST each, and no more said about it than is certain."""

import ast
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from requests.adapters import HTTPAdapter

from kis.client.auth import MemoryTokenStore
from kis.client.codes import AccountNumber, Environment
from kis.client.endpoints.hashkey import hashkey
from kis.client.endpoints.orders import (
    Amendment,
    Cancellation,
    NewOrder,
    Order,
    order_request,
    send_order,
)
from kis.client.errors import (
    KisRefused,
    KisUnreachable,
    OrderNotSent,
    OrderUnknown,
    RateLimited,
    TokenExpired,
)
from kis.client.protocol import RawReply
from kis.client.records.orders import Side
from kis.client.session import Session
from kis.client.throttle import Pacer
from kis.client.transport import HttpTransport
from tests.kis.scripted import APP_KEY, APP_SECRET, Clock, environment, reply, stored_token

BUY = NewOrder(Side.BUY, "005930", 3, 57_200)
TOKEN = stored_token().token
ACCEPTED = {
    "rt_cd": "0",
    "msg_cd": "APBK0013",
    "msg1": "주문 전송 완료 되었습니다.",
    "output": {"KRX_FWDG_ORD_ORGNO": "06010", "ODNO": "0000117057", "ORD_TMD": "121052"},
}


def body_of(order, env=None):
    """Return what is posted for an order."""
    body = order_request(env or environment(), order, token=TOKEN).body
    assert body is not None
    return body


class OneAnswer:
    """A connection that answers once, and says whether it was thrown away."""

    def __init__(self, answer, clock=None, seconds=0.0):
        self.answer = answer
        self.clock = clock or Clock()
        self.seconds = seconds
        self.sent = []
        self.closed = 0

    def send(self, request, *, timeout_seconds):
        self.sent.append((request, timeout_seconds))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self):
        self.closed += 1


def send(answer, order=BUY, **how):
    line = OneAnswer(reply(answer) if isinstance(answer, dict) else answer)
    receipt = send_order(environment(), order, token=TOKEN, budget=Pacer(0), connect=lambda: line, **how)
    return receipt, line


def outcome(answer):
    """Return the error of an order, after making sure that it was sent exactly once."""
    line = OneAnswer(answer)
    with pytest.raises((KisRefused, OrderUnknown, OrderNotSent)) as caught:
        send_order(environment(), BUY, token=TOKEN, budget=Pacer(0), connect=lambda: line)
    assert (len(line.sent), line.closed) == (1, 1)
    return caught.value


def test_accepted_order_is_known_by_its_number():
    receipt, line = send(ACCEPTED)

    assert (receipt.branch, receipt.number, receipt.ordered_at) == ("06010", "0000117057", time(12, 10, 52))
    assert receipt.message == "주문 전송 완료 되었습니다."
    assert (len(line.sent), line.closed) == (1, 1)


def test_order_says_everything_as_text_in_capitals():
    request = order_request(environment(), BUY, token=TOKEN)

    assert request.method == "POST"
    assert request.url.endswith("/uapi/domestic-stock/v1/trading/order-cash")
    assert request.headers["tr_id"] == "TTTC0012U"
    assert request.headers["custtype"] == "P"
    assert request.body == {
        "CANO": "12345678",
        "ACNT_PRDT_CD": "01",
        "PDNO": "005930",
        "ORD_DVSN": "00",
        "ORD_QTY": "3",
        "ORD_UNPR": "57200",
        "EXCG_ID_DVSN_CD": "KRX",
    }
    assert "hashkey" not in request.headers
    assert order_request(environment(), BUY, token=TOKEN, hashkey="ab").headers["hashkey"] == "ab"


@pytest.mark.parametrize(
    ("mode", "tr_set", "ids"),
    [
        ("real", "current", ["TTTC0012U", "TTTC0011U", "TTTC0013U"]),
        ("real", "legacy", ["TTTC0802U", "TTTC0801U", "TTTC0803U"]),
        ("paper", "current", ["VTTC0012U", "VTTC0011U", "VTTC0013U"]),
        ("paper", "legacy", ["VTTC0802U", "VTTC0801U", "VTTC0803U"]),
    ],
)
def test_the_environment_picks_the_transaction(mode, tr_set, ids):
    orders: list[Order] = [
        BUY,
        NewOrder(Side.SELL, "005930", 1, 0, kind="01"),
        Cancellation("06010", "0000117057"),
    ]
    requests_made = [order_request(environment(mode, tr_set=tr_set), order, token=TOKEN) for order in orders]
    assert [request.tr_id for request in requests_made] == ids


def test_cancelling_all_and_a_part():
    whole = body_of(Cancellation("06010", "0000117057"))
    part = body_of(Cancellation("06010", "0000117057", 2))
    assert (whole["RVSE_CNCL_DVSN_CD"], whole["QTY_ALL_ORD_YN"], whole["ORD_QTY"], whole["ORD_UNPR"]) == (
        "02",
        "Y",
        "0",
        "0",
    )
    assert (part["QTY_ALL_ORD_YN"], part["ORD_QTY"], part["ORGN_ODNO"]) == ("N", "2", "0000117057")


def test_amending():
    body = body_of(Amendment("06010", "0000117057", 0, 57_300))
    assert (body["RVSE_CNCL_DVSN_CD"], body["QTY_ALL_ORD_YN"], body["ORD_UNPR"]) == ("01", "Y", "57300")


@pytest.mark.parametrize(
    "output",
    [
        {"ODNO": "0000117057", "ORD_TMD": "", "KRX_FWDG_ORD_ORGNO": None},
        {"ODNO": "0000117057", "ORD_TMD": "999999"},
        {"ODNO": "     117057"},
    ],
)
def test_number_in_hand_is_worth_more_than_the_rest_of_the_reply(output):
    receipt, _ = send({**ACCEPTED, "output": output})
    assert receipt.number.endswith("117057")
    assert receipt.ordered_at is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply({"rt_cd": "7", "msg_cd": "APBK0952", "msg1": "주문가능금액을 초과 했습니다"}), KisRefused),
        (reply({"rt_cd": "1", "msg_cd": "40270000", "msg1": "상/하한가 오류"}), KisRefused),
        (reply({"rt_cd": "2", "msg_cd": "OPSQ2001", "msg1": "ERROR : INPUT"}), KisRefused),
        (reply({"rt_cd": "1", "msg_cd": "EGW00201", "msg1": "초과"}, status=500), RateLimited),
        (reply({"rt_cd": "1", "msg_cd": "EGW00123", "msg1": "만료"}, status=500), TokenExpired),
        (reply({"rt_cd": "1", "msg_cd": "EGW02006", "msg1": "아님"}, status=500), KisRefused),
    ],
)
def test_clear_no_is_a_refusal(answer, kind):
    error = outcome(answer)
    assert type(error) is kind
    assert error.msg_cd in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        KisUnreachable("시간 안에 응답이 없습니다"),
        reply({"rt_cd": "1", "msg_cd": "EGW00301", "msg1": "연결 시간 초과"}, status=500),
        reply({"rt_cd": "1", "msg_cd": "EGW00302", "msg1": "거래 시간 초과"}),
        reply({"rt_cd": "1", "msg_cd": "EGW00002", "msg1": "서버 에러"}, status=500),
        reply({"rt_cd": "1", "msg_cd": "OPSQ1002", "msg1": "세션 연결 오류"}),
        reply({"rt_cd": "1", "msg_cd": "XXXX0000", "msg1": "처음 보는 코드"}, status=500),
        reply({"rt_cd": "1", "msg_cd": "APBK0013", "msg1": "주문 전송 완료"}),
        reply({"rt_cd": "0", "msg_cd": "APBK0013"}, status=500),
        reply({"rt_cd": "0", "msg_cd": "APBK0013", "msg1": "주문번호가 없음"}),
        reply({"rt_cd": "0", "msg_cd": "APBK0013", "output": {"ODNO": ""}}),
        reply({"rt_cd": "0", "msg_cd": "APBK0013", "output": [{"ODNO": "1"}]}),
        reply({"rt_cd": None, "msg_cd": "APBK0952"}),
        reply({"rt_cd": "7"}),
        reply({}),
        reply({"error_code": "EGW00999"}, status=403),
        RawReply(200, {}, b""),
        RawReply(200, {}, b"<html>"),
        RawReply(200, {}, b'{"rt_cd":"0","outp'),
        RawReply(307, {"location": "/"}, b""),
        RawReply(502, {}, b"Bad Gateway"),
    ],
)
def test_everything_else_is_unknown(answer):
    error = outcome(answer)
    assert type(error) is OrderUnknown
    assert "다시 주문하지 마시고" in str(error)


def test_only_a_connection_that_never_came_about_proves_that_nothing_was_sent():
    assert type(outcome(KisUnreachable("연결하지 못함", never_sent=True))) is OrderNotSent


def test_order_whose_turn_comes_too_late_is_not_sent():
    clock = Clock()
    line = OneAnswer(reply(ACCEPTED))
    slow = Pacer(9.5, monotonic=clock.monotonic, sleep=clock.sleep)
    slow.wait()

    with pytest.raises(OrderNotSent):
        send_order(
            environment(), BUY, token=TOKEN, budget=slow, connect=lambda: line, monotonic=clock.monotonic
        )

    assert line.sent == []


def test_order_asks_for_its_turn_as_an_order_and_gets_what_is_left_of_the_deadline():
    asked = []

    class Watched(Pacer):
        def wait(self, *, order=False):
            asked.append(order)

    line = OneAnswer(reply(ACCEPTED))
    send_order(environment(), BUY, token=TOKEN, budget=Watched(0), connect=lambda: line, deadline_seconds=90)

    assert asked == [True]
    assert 60 < line.sent[0][1] <= 90


def test_secrets_the_broker_repeats_are_hidden():
    echo = {"rt_cd": "7", "msg_cd": "APBK0400", "msg1": f"{APP_KEY} {APP_SECRET} 12345678 {TOKEN.value}"}
    for text in (str(outcome(reply(echo))), repr(order_request(environment(), BUY, token=TOKEN))):
        for secret in (APP_KEY, APP_SECRET, "12345678", TOKEN.value):
            assert secret not in text


# --- over a real line ---------------------------------------------------------------------------------------------


def environment_of(endpoint, mode="real", **changes):
    values = {
        "mode": mode,
        "base_url": endpoint.url,
        "ws_url": endpoint.ws,
        "app_key": endpoint.app_key,
        "app_secret": endpoint.app_secret,
        "account": AccountNumber.parse(endpoint.account),
    }
    return Environment(**values | changes)


@pytest.fixture
def broker(simulator, real):
    """Return a function that sends an order to the simulator, and the caller that looks at it."""
    env = environment_of(simulator.real)
    transport = HttpTransport()
    token = Session(env, transport=transport, tokens=MemoryTokenStore()).token()
    transport.close()

    def send_it(order=BUY, **how):
        return send_order(env, order, token=token, budget=Pacer(0), **how)

    return send_it


def orders_at(real):
    return {order["odno"]: order for order in real.control("orders").json()}


def test_buy_amend_and_cancel_arrive_as_they_are(broker, real, simulator):
    before = orders_at(real)
    price = simulator.exchange.market.quote("005930", simulator.now()).price - 2_000

    placed = broker(NewOrder(Side.BUY, "005930", 5, price))
    amended = broker(Amendment(placed.branch, placed.number, 0, price + 500))
    cancelled = broker(Cancellation(amended.branch, amended.number))

    new = {number: order for number, order in orders_at(real).items() if number not in before}
    assert [(o["side"], o["code"], o["qty"], o["price"], o["cancelled"]) for o in new.values()] == [
        ("buy", "005930", 5, price, 0),
        ("buy", "005930", 5, price + 500, 5),
    ]
    assert cancelled.number not in new
    assert placed.ordered_at == time(10, 0)


def test_paper_order(simulator, paper):
    env = environment_of(simulator.paper, "paper")
    token = Session(env, transport=HttpTransport(), tokens=MemoryTokenStore()).token()
    receipt = send_order(env, NewOrder(Side.SELL, "005930", 1, 0, kind="01"), token=token, budget=Pacer(0))
    assert receipt.branch == "00950"
    with pytest.raises(KisRefused, match="40270000"):
        send_order(env, NewOrder(Side.BUY, "005930", 1, 1_000), token=token, budget=Pacer(0))


@pytest.mark.parametrize(
    ("kind", "error", "taken"),
    [
        ("reset_before", OrderUnknown, 0),
        ("reset_after", OrderUnknown, 1),
        ("hang_after", OrderUnknown, 1),
        ("truncate", OrderUnknown, 1),
        ("http_500_before", OrderUnknown, 0),
        ("http_500_after", OrderUnknown, 1),
        ("html_page", OrderUnknown, 0),
        ("redirect_307", OrderUnknown, 0),
        ("bad_json", OrderUnknown, 1),
        ("drop_field:ODNO", OrderUnknown, 1),
        ("rename_field:ODNO:odno", OrderUnknown, 1),
        ("drop_field:rt_cd", OrderUnknown, 1),
        ("rate_limited", RateLimited, 0),
        ("token_expired", TokenExpired, 0),
        ("maintenance", OrderUnknown, 0),
        ("slow_drip", OrderUnknown, 1),
    ],
)
def test_whatever_goes_wrong_the_order_is_sent_once_and_never_called_failed(broker, real, kind, error, taken):
    before = len(orders_at(real))
    is_slow = kind in {"slow_drip", "hang_after"}
    real.fault(kind, tr="TTTC0012U", times=5, **({"delay_ms": 1500} if is_slow else {}))

    with pytest.raises(error):
        broker(deadline_seconds=1.2 if is_slow else 60)

    assert real.control("requests").json()["counts"]["TTTC0012U"] == 1
    assert len(orders_at(real)) == before + taken


def test_refused_connection_is_not_sent(broker, real, simulator):
    before = len(list(simulator.exchange.orders()))
    real.control("faults", {"kind": "refuse_connection", "delay_ms": 60_000})
    with pytest.raises(OrderNotSent, match="아무것도 전달되지 않았습니다"):
        broker()
    assert len(list(simulator.exchange.orders())) == before


def test_connection_that_never_opens_is_not_sent(monkeypatch):
    def never(*_args, **_options):
        raise TimeoutError

    monkeypatch.setattr(socket.socket, "connect", never)
    with pytest.raises(OrderNotSent):
        send_order(environment(), BUY, token=TOKEN, budget=Pacer(0))


def test_server_with_a_wrong_certificate_gets_nothing(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)

        def serve():
            connection, _ = server.accept()
            with connection, suppress(OSError):
                context.wrap_socket(connection, server_side=True)

        thread = threading.Thread(target=serve)
        thread.start()
        env = environment(base_url=f"https://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(OrderNotSent, match="TLS"):
            send_order(env, BUY, token=TOKEN, budget=Pacer(0))
        thread.join()


def test_name_that_does_not_exist_is_not_sent(monkeypatch):
    def nowhere(*_args, **_options):
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    env = environment(base_url="http://localhost:1")
    with pytest.raises(OrderNotSent):
        send_order(env, BUY, token=TOKEN, budget=Pacer(0))


def test_server_that_takes_the_order_and_closes_leaves_it_unknown():
    """A connection that was closed after the request is no proof, however quick it was."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        received = []

        def serve():
            connection, _ = server.accept()
            with connection:
                received.append(connection.recv(65536))

        thread = threading.Thread(target=serve)
        thread.start()
        env = environment(base_url=f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(OrderUnknown):
            send_order(env, BUY, token=TOKEN, budget=Pacer(0))
        thread.join()
    assert received[0].startswith(b"POST /uapi/domestic-stock/v1/trading/order-cash")


def test_every_order_has_a_connection_of_its_own(broker, real, simulator):
    price = simulator.exchange.market.quote("005930", simulator.now()).price - 2_000
    opened = []

    def connect():
        opened.append(HttpTransport())
        return opened[-1]

    for _ in range(2):
        broker(NewOrder(Side.BUY, "005930", 1, price), connect=connect)

    assert len(opened) == 2
    adapters = [line.http.get_adapter(simulator.real.url) for line in opened]
    assert all(isinstance(adapter, HTTPAdapter) and not adapter.poolmanager.pools for adapter in adapters)


def test_hashkey_signs_the_body(simulator):
    env = environment_of(simulator.real)
    transport = HttpTransport()
    body = body_of(BUY, env)

    assert len(hashkey(env, body, transport)) == 64
    with pytest.raises(KisRefused, match="EGW00103"):
        hashkey(environment_of(simulator.real, app_key="X" * 36), body, transport)
    transport.close()


def test_orders_cannot_reach_the_path_that_repeats():
    root = Path(__file__).resolve().parents[2]
    tree = ast.parse((root / "kis/client/endpoints/orders.py").read_text(encoding="utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "kis.client.session" not in names
    source = (root / "kis/client/session.py").read_text(encoding="utf-8")
    assert "POST" not in source
    assert "OrderTR" not in source


def test_order_transport_of_requests_never_retries():
    line = HttpTransport()
    adapter = line.http.get_adapter("https://127.0.0.1")
    assert isinstance(adapter, HTTPAdapter)
    assert adapter.max_retries.total == 0
    line.close()
