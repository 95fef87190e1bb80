"""What other people's clients send and rely on, in wire terms; tests/conformance runs the clients themselves."""

import base64
import json
import socket
from urllib.parse import urlsplit

import pytest
import requests
from websockets.sync.client import connect

from kis.simulator.realtime_hub import Rhythm

MINUTES = "/uapi/domestic-stock/v1/quotations/inquire-time-itemchartprice"
QUICK = Rhythm(look=0.02, tick=0.04, ping=60)


def ask_approval(host, owner):
    """Ask a host for the approval key of an app key."""
    keys = {"appkey": owner.app_key, "secretkey": owner.app_secret}
    body = {"grant_type": "client_credentials", **keys}
    return requests.post(f"{host.url}/oauth2/Approval", json=body, timeout=60)


def registration(approval_key, tr_id, tr_key):
    header = {"approval_key": approval_key, "custtype": "P", "tr_type": "1", "content-type": "utf-8"}
    return json.dumps({"header": header, "body": {"input": {"tr_id": tr_id, "tr_key": tr_key}}})


@pytest.fixture
def simulator(start_simulator):
    return start_simulator(ws_rhythm=QUICK)


def test_paper_host_gives_the_approval_key_of_a_real_app_key(simulator):
    """python-kis with a paper account takes ticks from the real websocket, with a key asked of the paper host."""
    approval_key = ask_approval(simulator.paper, simulator.real).json()["approval_key"]
    with connect(simulator.real.ws, proxy=None) as line:
        line.send(registration(approval_key, "H0STCNT0", "005930"))
        assert json.loads(line.recv(60))["body"]["msg_cd"] == "OPSP0000"
    refused = ask_approval(simulator.real, simulator.paper)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "EGW00103")


def test_frames_without_approval_or_tr_are_answered_and_hurt_nobody(simulator):
    """kis-wrapper opens with a frame that names no TR, and registers without its approval key."""
    approval_key = ask_approval(simulator.real, simulator.real).json()["approval_key"]
    header = {"approval_key": approval_key, "tr_type": "1", "content-type": "utf-8"}
    with connect(simulator.real.ws, proxy=None) as line:
        line.send(json.dumps({"header": header, "body": {"input": {}}}))
        first = json.loads(line.recv(60))["body"]
        assert first["rt_cd"] == "1"
        assert first["msg_cd"].startswith("OPSP")
    with connect(simulator.real.ws, proxy=None) as line:
        line.send(registration("", "H0STCNT0", "005930"))
        assert json.loads(line.recv(60))["body"]["rt_cd"] == "1"
    with connect(simulator.real.ws, proxy=None) as line:
        line.send(registration(approval_key, "H0STCNT0", "005930"))
        assert json.loads(line.recv(60))["body"]["msg_cd"] == "OPSP0000"


def test_websocket_opens_with_the_least_of_handshakes(simulator):
    """cluefin-openapi writes five header lines by hand, reads whole text frames and knows no compression."""
    address = urlsplit(simulator.real.ws)
    key = base64.b64encode(b"sixteen  letters").decode()
    lines = [
        "GET /tryitout HTTP/1.1",
        f"Host: {address.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    approval_key = ask_approval(simulator.real, simulator.real).json()["approval_key"]
    text = registration(approval_key, "H0STCNT0", "005930").encode()
    mask = b"\0\0\0\0"
    with socket.create_connection((address.hostname, address.port), timeout=60) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        reader = line.makefile("rb")
        assert b" 101 " in reader.readline()
        head = b"".join(iter(reader.readline, b"\r\n"))
        assert b"permessage-deflate" not in head
        line.sendall(b"\x81\xfe" + len(text).to_bytes(2) + mask + text)
        first, length = reader.read(2)
        assert first == 0x81  # one whole text frame
        size = int.from_bytes(reader.read(2)) if length == 126 else length
        assert json.loads(reader.read(size))["body"]["msg1"] == "SUBSCRIBE SUCCESS"


def test_buying_power_is_asked_on_the_path_of_the_order_list(real):
    """In pykis the TR of one inquiry goes to the path of another; the gateway goes by the TR."""
    number, product = real.endpoint.account.split("-")
    params = {
        "CANO": number,
        "ACNT_PRDT_CD": product,
        "PDNO": "",
        "ORD_UNPR": "0",
        "ORD_DVSN": "02",
        "CMA_EVLU_AMT_ICLD_YN": "Y",
        "OVRS_ICLD_YN": "N",
    }
    path = "/uapi/domestic-stock/v1/trading/inquire-daily-ccld"
    reply = real.get(path, "TTTC8908R", params, Accept="text/plain", charset="UTF-8").json()
    assert reply["rt_cd"] == "0"
    assert int(reply["output"]["ord_psbl_cash"]) > 0


def test_cancel_finds_the_order_whatever_branch_and_quantity_it_names(real):
    """The branch is 06010 and the quantity one share with Y in pykis; none, and all of it with N, in kis-wrapper."""
    positions = real.control("state").json()["accounts"][0]["positions"]
    price = next(position["price"] for position in positions if position["code"] == "005930")
    below = str(price * 9 // 10 // 1_000 * 1_000)
    for changes in (
        {"KRX_FWDG_ORD_ORGNO": "06010", "ORD_QTY": "1", "ORD_UNPR": "1", "QTY_ALL_ORD_YN": "Y"},
        {"KRX_FWDG_ORD_ORGNO": "", "ORD_QTY": "3", "ORD_UNPR": "0", "QTY_ALL_ORD_YN": "N"},
    ):
        number = real.order("buy", ORD_QTY="3", ORD_UNPR=below).json()["output"]["ODNO"]
        assert real.change(number, **changes).json()["rt_cd"] == "0"
        orders = {order["odno"]: order for order in real.control("orders").json()}
        assert (orders[number]["cancelled"], orders[number]["remaining"]) == (3, 0)


def test_minutes_before_the_opening_are_none_but_midnight_means_now(real):
    """python-kis starts at 000000 and pages back until a page is empty or later than the hour asked."""
    asked = {
        "FID_ETC_CLS_CODE": "",
        "FID_COND_MRKT_DIV_CODE": "J",
        "FID_INPUT_ISCD": "005930",
        "FID_PW_DATA_INCU_YN": "N",
    }
    newest = real.get(MINUTES, "FHKST03010200", {**asked, "FID_INPUT_HOUR_1": "000000"}).json()["output2"]
    assert [newest[0]["stck_cntg_hour"], len(newest)] == ["100000", 30]
    before = real.get(MINUTES, "FHKST03010200", {**asked, "FID_INPUT_HOUR_1": "085900"}).json()["output2"]
    assert all(row["stck_cntg_hour"] > "085900" for row in before)


def test_order_reply_is_accepted_by_clients_that_turn_keys_into_names(real):
    """The official samples and pykis make a named tuple of every body: its keys have to be identifiers."""
    replies = [real.ask_token().json(), real.balance().json(), real.order("buy", ORD_DVSN="01").json()]
    assert all(key.isidentifier() for reply in replies for key in reply)


@pytest.mark.parametrize(
    "path",
    ["/uapi/etfetn/v1/quotations/inquire-price", "/uapi/domestic-stock/v1/quotations/inquire-price"],
)
def test_price_of_a_fund_has_an_id_of_its_own(real, path):
    """korea-investment-stock asks for it on the path of the stocks."""
    asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "069500"}
    fund = real.get(path, "FHPST02400000", asked).json()["output"]
    stock = real.get("/uapi/domestic-stock/v1/quotations/inquire-price", "FHKST01010100", asked).json()[
        "output"
    ]
    assert fund["stck_prpr"] == stock["stck_prpr"]
    assert fund["nav"] == f"{stock['stck_prpr']}.00"
