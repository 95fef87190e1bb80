"""The door of the simulated broker: tokens, keys, rates, and the look of replies on the socket."""

import itertools
import re
import socket
from datetime import datetime, timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from kis.simulator import gateway as gateway_module
from kis.simulator.clock import wall_now
from kis.simulator.hours import KST


def code_of(reply):
    return reply.status_code, reply.json()["msg_cd"]


def oauth_code_of(reply):
    body = reply.json()
    assert set(body) == {"error_code", "error_description"}
    return reply.status_code, body["error_code"]


@pytest.fixture
def wall(monkeypatch):
    """Let time stand still for the gateway, but where a test lets it pass."""
    moments = [wall_now()]
    monkeypatch.setattr(gateway_module, "wall_now", lambda: moments[-1])
    return lambda **more: moments.append(moments[-1] + timedelta(**more))


@pytest.fixture
def within_a_second(monkeypatch):
    """Let all requests arrive within a second, however long they take here."""
    arrivals = itertools.count(1_000.0, 0.01)
    monkeypatch.setattr("kis.simulator.host.time", SimpleNamespace(monotonic=lambda: next(arrivals)))


def test_token_is_believable_by_the_real_clock_of_the_client(real):
    body = real.ask_token().json()
    expires_at = datetime.strptime(body["access_token_token_expired"], "%Y-%m-%d %H:%M:%S").replace(
        tzinfo=KST
    )
    left = expires_at - datetime.now(KST)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    assert body["expires_in"] == 86400
    assert body["token_type"] == "Bearer"
    assert len(body["access_token"]) <= 350


def test_second_token_call_within_a_minute_is_refused(start_simulator, wall, client_of):
    client = client_of(start_simulator(limits=True).real)
    first = client.ask_token().json()["access_token"]
    wall(seconds=59)
    assert oauth_code_of(client.ask_token()) == (403, "EGW00133")
    wall(seconds=2)
    assert client.ask_token().json()["access_token"] == first


def test_token_stays_the_same_for_six_hours_only(start_simulator, wall, client_of):
    client = client_of(start_simulator(limits=True).real)
    first = client.ask_token().json()["access_token"]
    wall(hours=5, minutes=59)
    assert client.ask_token().json()["access_token"] == first
    wall(minutes=2)
    second = client.ask_token().json()["access_token"]
    assert second != first
    client.token = first
    assert client.balance().json()["rt_cd"] == "0"


def test_token_expires_after_a_day(start_simulator, wall, client_of):
    client = client_of(start_simulator(limits=True).real)
    assert client.balance().status_code == 200
    wall(hours=24, seconds=1)
    reply = client.balance()
    assert code_of(reply) == (500, "EGW00123")
    assert reply.json()["msg1"] == "기간이 만료된 token 입니다."


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"appkey": "x" * 36}, "EGW00103"),
        ({"appsecret": "x" * 180}, "EGW00105"),
        ({"appkey": ""}, "EGW00102"),
        ({"appsecret": ""}, "EGW00104"),
        ({"grant_type": ""}, "EGW00112"),
        ({"grant_type": "password"}, "EGW00113"),
        ({"appkey": ["list"]}, "EGW00102"),
    ],
)
def test_token_call_with_wrong_keys_is_refused_with_the_two_key_body(real, changes, code):
    assert oauth_code_of(real.ask_token(**changes)) == (403, code)


def test_revoked_token_is_refused_and_another_is_issued(real):
    assert real.balance().status_code == 200
    revoked = real.token
    keys = {"appkey": real.endpoint.app_key, "appsecret": real.endpoint.app_secret, "token": revoked}
    assert real.post("/oauth2/revokeP", keys).json() == {
        "code": 200,
        "message": "접근토큰 폐기에 성공하였습니다",
    }
    assert code_of(real.balance()) == (500, "EGW00121")
    assert real.ask_token().json()["access_token"] != revoked


def test_keys_of_the_other_host_are_refused(simulator, real, paper, client_of):
    crossed = client_of(simulator.real, token="t")
    headers = {"appkey": simulator.paper.app_key, "appsecret": simulator.paper.app_secret}
    assert code_of(crossed.get("/uapi/x", "TTTC8434R", {}, **headers)) == (500, "EGW02004")
    crossed = client_of(simulator.paper, token="t")
    headers = {"appkey": simulator.real.app_key, "appsecret": simulator.real.app_secret}
    assert code_of(crossed.get("/uapi/x", "VTTC8434R", {}, **headers)) == (500, "EGW00103")
    assert oauth_code_of(real.ask_token(appkey=simulator.paper.app_key)) == (403, "EGW00103")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"authorization": ""}, "EGW00205"),
        ({"authorization": "token-without-bearer"}, "EGW00205"),
        ({"authorization": "Bearer nonsense"}, "EGW00121"),
        ({"appkey": "nobody"}, "EGW00103"),
        ({"appsecret": "wrong"}, "EGW00304"),
    ],
)
def test_bad_credentials_on_a_transaction_are_http_500_with_json(real, changes, code):
    path = "/uapi/domestic-stock/v1/trading/inquire-balance"
    assert code_of(real.get(path, "TTTC8434R", {}, **changes)) == (500, code)


@pytest.mark.parametrize("tr_id", ["TTTC8434R", "TTTC0084R", "CTCA0903R"])
def test_real_transaction_on_the_paper_host_is_refused(paper, tr_id):
    reply = paper.balance(tr_id=tr_id)
    assert code_of(reply) == (500, "EGW02006")


@pytest.mark.parametrize(
    ("path", "tr_id"),
    [
        ("/uapi/domestic-stock/v1/trading/inquire-balance", "VTTC8434R"),
        ("/uapi/domestic-stock/v1/trading/inquire-balance", ""),
        ("/uapi/domestic-stock/v1/trading/order-cash", "TTTC0012U"),
        ("/uapi/domestic-stock/v1/nothing", "TTTC8434R"),
        ("/", "TTTC8434R"),
        ("/oauth2/tokenP", "TTTC8434R"),
    ],
)
def test_unknown_service_is_answered_never_404(real, path, tr_id):
    reply = real.get(path, tr_id, {})
    assert (reply.status_code, reply.json()["rt_cd"], reply.json()["msg_cd"]) == (200, "1", "OPSQ0002")


def test_paper_does_not_know_open_orders(paper):
    assert paper.open_orders(tr_id="VTTC0084R").json()["msg_cd"] == "OPSQ0002"


@pytest.mark.usefixtures("within_a_second")
def test_nineteenth_call_of_a_second_is_refused_and_counted(start_simulator, client_of):
    client = client_of(start_simulator(limits=True).real)
    client.headers("x")
    codes = [code_of(client.chart(start="20261120"))[1] for _ in range(19)]
    assert codes == ["MCA00000"] * 18 + ["EGW00201"]
    seen = client.control("requests").json()
    assert seen["rate_limited"] == 1
    assert seen["counts"]["FHKST03010100"] == 19
    assert seen["longest_burst"][client.endpoint.app_key] == 19


@pytest.mark.usefixtures("within_a_second")
def test_paper_takes_one_call_a_second(start_simulator, client_of):
    client = client_of(start_simulator(limits=True).paper)
    assert client.balance(tr_id="VTTC8434R").status_code == 200
    reply = client.balance(tr_id="VTTC8434R")
    assert code_of(reply) == (500, "EGW00201")
    assert reply.json() == {"rt_cd": "1", "msg_cd": "EGW00201", "msg1": "초당 거래건수를 초과하였습니다."}


def raw_exchange(url, head):
    """Send bytes and return the head of the reply as it was on the socket."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(head.encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
    return received.partition(b"\r\n\r\n")[0].decode()


def test_header_names_keep_their_case_on_the_socket(real):
    headers = "".join(f"{name.upper()}: {value}\r\n" for name, value in real.headers("FHKST03010100").items())
    head = raw_exchange(
        real.endpoint.url, f"GET //uapi/domestic-stock/v1/x HTTP/1.1\r\nHost: x\r\n{headers}\r\n"
    )
    names = [line.partition(":")[0] for line in head.split("\r\n")[1:]]
    assert names == ["Content-Type", "Content-Length", "Date", "tr_id", "tr_cont", "gt_uid"]
    assert "Content-Type: application/json; charset=utf-8" in head
    assert "tr_cont: D" in head
    assert re.search(r"^gt_uid: \w{32}$", head.replace("\r", ""), re.MULTILINE)


def test_header_names_of_the_client_may_have_any_case(real):
    token = real.headers("")["authorization"]
    head = (
        "GET /uapi/domestic-stock/v1/quotations/inquire-daily-itemchartprice?fid_cond_mrkt_div_code=J HTTP/1.1\r\n"
        f"Host: x\r\nAuthorization: {token}\r\nappKey: {real.endpoint.app_key}\r\n"
        f"appSecret: {real.endpoint.app_secret}\r\nTR_ID: FHKST03010100\r\n\r\n"
    )
    assert "200 OK" in raw_exchange(real.endpoint.url, head)


def test_keys_have_the_lengths_clients_insist_on(simulator):
    for endpoint in (simulator.real, simulator.paper):
        assert (len(endpoint.app_key), len(endpoint.app_secret)) == (36, 180)
    assert (simulator.real.account, simulator.paper.account) == ("12345678-01", "50012345-01")
