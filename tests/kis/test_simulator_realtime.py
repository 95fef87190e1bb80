"""The websocket of the simulated broker, as any client of it sees it: plain frames, loopback, no code of ours."""

import base64
import json
import time
from datetime import datetime, timedelta

import pytest
import requests
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.sync.client import connect

from kis.simulator import gateway as gateway_module
from kis.simulator.clock import wall_now
from kis.simulator.hours import KST
from kis.simulator.realtime_hub import Rhythm

QUICK = Rhythm(look=0.02, tick=0.04, ping=60)
SOON = 60.0  # seconds in which something that comes at once has certainly come, on a busy machine too
QUIET = 0.15  # seconds without a frame that prove there is none


def approval_of(endpoint, **changes):
    keys = {"appkey": endpoint.app_key, "secretkey": endpoint.app_secret}
    body = {"grant_type": "client_credentials", **keys, **changes}
    return requests.post(f"{endpoint.url}/oauth2/Approval", json=body, timeout=60)


class Ear:
    """One connection of a client that knows nothing but the documentation."""

    def __init__(self, endpoint, *, path="", approval_key=None):
        self.endpoint = endpoint
        self.approval_key = approval_key or approval_of(endpoint).json()["approval_key"]
        self.context = connect(endpoint.ws + path, compression=None, proxy=None, close_timeout=0.2)
        self.line = self.context.__enter__()
        self.aes = {}

    def close(self):
        self.context.__exit__(None, None, None)

    def hear(self, seconds=SOON):
        return self.line.recv(seconds, decode=True)

    def say(self, header, body):
        self.line.send(json.dumps({"header": header, "body": body}))

    def ask(self, tr_id, tr_key, *, tr_type="1", **header):
        """Send a request and return its answer; frames of data in between are passed over."""
        self.request(tr_id, tr_key, tr_type=tr_type, **header)
        return self.answer()

    def request(self, tr_id, tr_key, *, tr_type="1", **header):
        header = {"approval_key": self.approval_key, "custtype": "P", "tr_type": tr_type, **header}
        self.say(header, {"input": {"tr_id": tr_id, "tr_key": tr_key}})

    def answer(self):
        while not (text := self.hear()).startswith("{") or "PINGPONG" in text:
            pass
        answer = json.loads(text)
        if answer["body"]["rt_cd"] == "0":
            self.aes = answer["body"]["output"]
        return answer

    def code(self, *request, **how):
        return self.ask(*request, **how)["body"]["msg_cd"]

    def data(self, tr_id="H0STCNT0"):
        """Return the records of the next frame of a TR."""
        while True:
            mark, name, count, payload = self.hear().split("|")
            if name != tr_id:
                continue
            if mark == "1":
                payload = self.decrypt(payload)
            fields = payload.split("^")
            width = len(fields) // int(count)
            assert len(fields) == width * int(count)
            return [fields[start : start + width] for start in range(0, len(fields), width)]

    def decrypt(self, payload):
        cipher = Cipher(algorithms.AES(self.aes["key"].encode()), modes.CBC(self.aes["iv"].encode()))
        decryptor, unpadder = cipher.decryptor(), PKCS7(128).unpadder()
        padded = decryptor.update(base64.b64decode(payload)) + decryptor.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode()

    def notices(self, count, tr_id="H0STCNI0"):
        return [self.data(tr_id)[0] for _ in range(count)]

    def assert_quiet(self):
        with pytest.raises(TimeoutError):
            self.hear(QUIET)

    def assert_dropped(self):
        """Read until the connection ends without a close frame."""
        with pytest.raises(ConnectionClosedError) as closed:
            self.read_on()
        assert closed.value.rcvd is None

    def read_on(self, seconds=SOON, *, without="\0"):
        """Read until nothing comes for so long, or the connection ends; both are errors of the library."""
        while True:
            assert without not in self.hear(seconds)


@pytest.fixture
def listen():
    """Open connections that are closed at the end."""
    ears = []

    def start(endpoint, **how):
        ears.append(Ear(endpoint, **how))
        return ears[-1]

    yield start
    for ear in ears:
        ear.close()


@pytest.fixture
def simulator(start_simulator):
    return start_simulator(ws_rhythm=QUICK)


@pytest.fixture
def ear(simulator, listen):
    return listen(simulator.real)


def kst(text):
    return datetime.fromisoformat(text).replace(tzinfo=KST)


# --- approval keys ----------------------------------------------------------------------------------------------


def test_approval_key_is_given_for_the_keys_of_the_host(simulator):
    reply = approval_of(simulator.real)
    assert (reply.status_code, list(reply.json())) == (200, ["approval_key"])
    assert isinstance(reply.json()["approval_key"], str)
    counts = requests.get(f"{simulator.real.url}/_sim/requests", timeout=60).json()["counts"]
    assert counts == {"Approval": 1}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"appkey": "x"}, "EGW00103"),
        ({"secretkey": "x"}, "EGW00105"),
        ({"secretkey": "", "appsecret": "x"}, "EGW00104"),
        ({"grant_type": ""}, "EGW00112"),
    ],
)
def test_approval_with_wrong_keys_is_403_with_two_fields(simulator, changes, code):
    reply = approval_of(simulator.real, **changes)
    assert (reply.status_code, reply.json()["error_code"]) == (403, code)
    assert set(reply.json()) == {"error_code", "error_description"}


def test_approval_is_limited_to_one_a_second(start_simulator, monkeypatch):
    simulator = start_simulator(limits=True)
    now = [wall_now()]
    monkeypatch.setattr(gateway_module, "wall_now", lambda: now[-1])
    assert approval_of(simulator.paper).status_code == 200
    reply = approval_of(simulator.paper)
    assert (reply.status_code, reply.json()["msg_cd"]) == (500, "EGW00201")
    now.append(now[-1] + timedelta(seconds=1))
    assert approval_of(simulator.paper).status_code == 200


def test_approval_key_survives_a_restart(start_simulator, listen, tmp_path):
    first = start_simulator(state_file=tmp_path / "state.json")
    approval_key = approval_of(first.real).json()["approval_key"]
    first.stop()
    second = start_simulator(state_file=tmp_path / "state.json")
    assert listen(second.real, approval_key=approval_key).code("H0STCNT0", "005930") == "OPSP0000"


def test_approval_key_of_either_host_opens_either_port_for_prices(simulator, listen):
    """A client in paper mode may take its prices from the real port."""
    approval_key = approval_of(simulator.paper).json()["approval_key"]
    assert listen(simulator.real, approval_key=approval_key).code("H0STCNT0", "005930") == "OPSP0000"


# --- control frames ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/", "/tryitout", "/tryitout/H0STCNT0"])
def test_any_path_is_taken(simulator, listen, path):
    assert listen(simulator.real, path=path).code("H0STCNT0", "005930") == "OPSP0000"


@pytest.mark.parametrize(
    ("tr_id", "encrypt"), [("H0STCNT0", "N"), ("H0STASP0", "N"), ("H0STCNI0", "Y"), ("H0GSCNI0", "Y")]
)
def test_every_acknowledgement_names_its_tr_and_brings_key_and_iv(ear, tr_id, encrypt):
    tr_key = "005930" if encrypt == "N" else ear.endpoint.hts_id
    answer = ear.ask(tr_id, tr_key)
    assert answer["header"] == {"tr_id": tr_id, "tr_key": tr_key, "encrypt": encrypt}
    output = answer["body"].pop("output")
    assert answer["body"] == {"rt_cd": "0", "msg_cd": "OPSP0000", "msg1": "SUBSCRIBE SUCCESS"}
    assert (len(output["iv"]), len(output["key"])) == (16, 32)


@pytest.mark.parametrize(
    "header", [{"content-type": "utf-8"}, {"content_type": "utf-8"}, {"personalseckey": "1", "x": [1]}]
)
def test_unknown_header_fields_are_ignored(ear, header):
    assert ear.code("H0STCNT0", "005930", **header) == "OPSP0000"


def test_numbers_are_taken_for_text_and_bytes_too(ear):
    header = {"approval_key": ear.approval_key, "tr_type": 1}
    ear.line.send(
        json.dumps({"header": header, "body": {"input": {"tr_id": "H0STCNT0", "tr_key": "005930"}}}).encode()
    )
    assert ear.answer()["body"]["msg_cd"] == "OPSP0000"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hello", "OPSP9999"),
        ("[1]", "OPSP9999"),
        ("[" * 100_00, "OPSP9999"),
        ("{}", "OPSP9998"),
        ('{"header":{}}', "OPSP9992"),
        ('{"header":{},"body":{}}', "OPSP9991"),
        ('{"header":{},"body":{"input":{"tr_id":"H0STCNT0"}}}', "OPSP9990"),
    ],
)
def test_frame_that_is_no_request_is_told_so(ear, text, code):
    ear.line.send(text)
    answer = ear.answer()
    assert (answer["body"]["rt_cd"], answer["body"]["msg_cd"]) == ("1", code)
    assert "output" not in answer["body"]
    assert ear.code("H0STCNT0", "005930") == "OPSP0000"


@pytest.mark.parametrize(
    ("request_", "header", "code"),
    [
        (("H0STCNT0", "005930"), {"approval_key": "nobody's"}, "OPSP0011"),
        (("H0STCNT0", "005930"), {"approval_key": ""}, "OPSP0011"),
        (("H0STCNT0", "005930"), {"tr_type": "0"}, "OPSP8997"),
        (("H0STCNT9", "005930"), {}, "OPSP8991"),
        (("H0STCNI9", "aegispaper"), {}, "OPSP8991"),
        (("H0STCNT0", "999999"), {}, "OPSP8992"),
        (("H0STCNT0", "005930"), {"tr_type": "2"}, "OPSP0003"),
    ],
)
def test_refused_request_names_code_and_registers_nothing(ear, request_, header, code):
    answer = ear.ask(*request_, **header)
    assert (answer["body"]["rt_cd"], answer["body"]["msg_cd"]) == ("1", code)
    assert answer["header"]["tr_key"] == request_[1]
    assert "output" not in answer["body"]
    ear.assert_quiet()


@pytest.mark.parametrize("tr_id", ["H0STCNI0", "H0UNCNT0", "H0NXCNT0", "H0GSCNI0"])
def test_paper_port_refuses_what_only_the_real_one_has(simulator, listen, tr_id):
    key = simulator.paper.hts_id if "CNI" in tr_id else "005930"
    assert listen(simulator.paper).code(tr_id, key) == "OPSP8991"


def test_documented_tr_without_events_is_acknowledged(ear):
    assert ear.code("H0STMKO0", "005930") == "OPSP0000"
    ear.assert_quiet()


def test_registering_twice_is_refused_and_leaving_ends_it(ear):
    assert ear.code("H0STCNT0", "005930") == "OPSP0000"
    answer = ear.ask("H0STCNT0", "005930")
    assert (answer["body"]["rt_cd"], answer["body"]["msg_cd"]) == ("1", "OPSP0002")
    assert "output" not in answer["body"]
    left = ear.ask("H0STCNT0", "005930", tr_type="2")["body"]
    assert (left["rt_cd"], left["msg_cd"]) == ("0", "OPSP0001")
    ear.assert_quiet()
    assert ear.code("H0STCNT0", "005930", tr_type="2") == "OPSP0003"


def test_forty_second_registration_is_one_too_many(simulator, ear):
    codes = list(simulator.exchange.market.listings)[:41]
    wanted = [("H0STCNI0", ear.endpoint.hts_id), *(("H0STASP0", code) for code in codes)]
    given = [ear.code(*registration) for registration in wanted]
    assert given == ["OPSP0000"] * 41 + ["OPSP0008"]
    assert ear.code("H0STASP0", codes[0], tr_type="2") == "OPSP0001"
    assert ear.code(*wanted[-1]) == "OPSP0000"


def test_second_connection_of_an_app_key_is_refused_until_the_first_is_gone(simulator, listen, ear):
    assert ear.code("H0STCNT0", "005930") == "OPSP0000"
    other = listen(simulator.real)
    assert other.code("H0STCNT0", "000660") == "OPSP8996"
    assert listen(simulator.paper).code("H0STCNT0", "000660") == "OPSP0000"
    ear.close()
    ends_at = time.monotonic() + SOON
    while (code := other.code("H0STCNT0", "000660")) != "OPSP0000":
        assert (code, time.monotonic() < ends_at) == ("OPSP8996", True)


def test_wrong_hts_id_drops_the_connection_without_a_word(ear):
    assert ear.code("H0STCNT0", "005930") == "OPSP0000"
    ear.request("H0STCNI0", "somebody")
    ear.assert_dropped()


def test_registrations_are_counted_under_their_tr(simulator, ear):
    for code in ("005930", "000660"):
        ear.ask("H0STCNT0", code)
    ear.ask("H0STCNT0", "005930", tr_type="2")
    counts = requests.get(f"{simulator.real.url}/_sim/requests", timeout=60).json()["counts"]
    assert counts == {"Approval": 1, "H0STCNT0": 2}


def test_latency_holds_for_each_request_by_itself(start_simulator, listen):
    simulator = start_simulator(latency_ms=300)
    ear, codes = listen(simulator.real), list(simulator.exchange.market.listings)[:40]
    began = time.monotonic()
    for code in codes:
        ear.request("H0STASP0", code)
    for _ in codes:
        ear.answer()
    assert 0.3 <= time.monotonic() - began < 10  # one after the other it would be twelve


def test_plain_http_is_no_websocket(simulator):
    assert requests.get(simulator.real.ws.replace("ws://", "http://"), timeout=60).status_code == 426


# --- prices -----------------------------------------------------------------------------------------------------


def test_first_tick_comes_at_once_and_agrees_with_the_balance(ear, real):
    ear.ask("H0STCNT0", "005930")
    (tick,) = ear.data()
    held = next(row for row in real.balance().json()["output1"] if row["pdno"] == "005930")
    assert tick[:3] == ["005930", "100000", held["prpr"]]
    assert tick[33:36] == ["20261120", "20", "N"]
    assert int(tick[9]) <= int(tick[2]) <= int(tick[8])
    assert int(tick[11]) < int(tick[10])
    assert "" not in tick


@pytest.mark.parametrize(
    ("clock", "forced", "widths"),
    [
        ("2025-02-28T10:00", None, (46, 59, 23)),
        ("2025-03-04T10:00", None, (46, 59, 26)),
        ("2026-09-11T10:00", None, (46, 59, 26)),
        ("2026-09-14T10:00", None, (47, 60, 26)),
        ("2026-11-20T10:00", 2023, (46, 59, 23)),
        ("2026-11-20T10:00", 2025, (46, 59, 26)),
        ("2023-11-20T10:00", 2026, (47, 60, 26)),
    ],
)
def test_widths_follow_the_date_unless_forced(start_simulator, listen, clock, forced, widths):
    simulator = start_simulator(clock=kst(clock), ws_fields=forced, ws_rhythm=QUICK)
    ear = listen(simulator.real)
    ear.ask("H0STCNT0", "005930")
    tick = ear.data()[0]
    ear.ask("H0STASP0", "005930")
    book = ear.data("H0STASP0")[0]
    ear.ask("H0STCNI0", simulator.real.hts_id)
    order = {"side": "buy", "code": "005930", "qty": 1}
    requests.post(f"{simulator.real.url}/_sim/external-order", json=order, timeout=60)
    notice = ear.data("H0STCNI0")[0]
    assert (len(tick), len(book), len(notice)) == widths
    if widths[0] == 47:
        assert tick[-1] == book[-1] == "2"


def test_book_shows_ten_prices_a_side_around_the_last(ear):
    ear.ask("H0STCNT0", "005930")
    (tick,) = ear.data()
    ear.ask("H0STASP0", "005930")
    (book,) = ear.data("H0STASP0")
    assert book[:3] == ["005930", "100000", "0"]
    asks, bids = [int(text) for text in book[3:13]], [int(text) for text in book[13:23]]
    assert asks == sorted(asks)
    assert bids == sorted(bids, reverse=True)
    assert bids[0] < asks[0]
    assert int(tick[2]) in {asks[0], bids[0]}
    assert (int(book[43]), int(book[44])) == (sum(map(int, book[23:33])), sum(map(int, book[33:43])))
    assert "" not in book


def test_price_set_by_hand_is_told_at_once_to_those_who_listen(simulator, listen, ear, real):
    other = listen(simulator.paper)
    ear.ask("H0STCNT0", "005930")
    other.ask("H0STCNT0", "000660")
    ear.data(), other.data()
    for price in (70_000, 70_100, 70_100):
        real.control("price", {"code": "005930", "price": price})
        (tick,) = ear.data()
        assert (tick[0], tick[2]) == ("005930", str(price))
    ear.assert_quiet()
    other.assert_quiet()


def test_prices_of_both_exchanges_together_are_offered_on_the_real_port(ear):
    for tr_id in ("H0UNCNT0", "H0NXCNT0"):
        assert ear.code(tr_id, "005930") == "OPSP0000"
        assert ear.data(tr_id)[0][0] == "005930"


def test_ticks_go_on_with_the_clock_and_their_volumes_add_up(start_simulator, listen):
    simulator = start_simulator(speed=60, ws_rhythm=QUICK)
    ear = listen(simulator.real)
    ear.ask("H0STCNT0", "005930")
    sizes: set[int] = set()
    total = int(ear.data()[0][13])
    while sizes != {1, 2, 3}:
        records = ear.data()
        sizes.add(len(records))
        for tick in records:
            assert int(tick[13]) == total + int(tick[12])
            total = int(tick[13])


def test_clock_that_stands_still_brings_nothing_new(ear):
    ear.ask("H0STCNT0", "005930")
    ear.data()
    ear.assert_quiet()


@pytest.mark.parametrize(
    ("clock", "code", "is_told"),
    [
        ("2026-11-20T08:00", "005930", False),
        ("2026-11-20T15:25", "005930", False),
        ("2026-11-20T17:00", "005930", True),
        ("2026-11-20T17:00", "069500", False),
        ("2026-09-11T17:00", "005930", False),
        ("2026-11-20T20:30", "005930", False),
        ("2026-11-21T10:00", "005930", False),
    ],
)
def test_ticks_keep_the_hours_of_the_market(start_simulator, listen, clock, code, is_told):
    ear = listen(start_simulator(clock=kst(clock), ws_rhythm=QUICK).real)
    ear.ask("H0STCNT0", code)
    if is_told:
        tick = ear.data()[0]
        assert (tick[1], tick[34][0], tick[43], tick[46]) == ("170000", "3", "A", "3")
    else:
        ear.assert_quiet()


def test_close_is_printed_when_the_auction_is_over(start_simulator, listen, client_of):
    simulator = start_simulator(clock=kst("2026-11-20T15:19:59"), ws_rhythm=QUICK)
    ear, client = listen(simulator.real), client_of(simulator.real)
    ear.ask("H0STCNT0", "005930")
    before = ear.data()[0]
    client.control("clock", {"now": "2026-11-20T15:31:00"})
    close = client.chart(start="20261120").json()["output2"][0]["stck_clpr"]
    tick = ear.data()[0]
    assert (tick[1], tick[2]) == ("153000", close)
    assert int(tick[13]) > int(before[13])
    ear.assert_quiet()


# --- execution notices ------------------------------------------------------------------------------------------


def test_order_is_noticed_when_it_is_taken_and_with_each_fill(ear, real):
    ear.ask("H0STCNI0", ear.endpoint.hts_id)
    order = {"side": "sell", "code": "005930", "qty": 3, "price": 60_000}
    number = real.control("external-order", order).json()["odno"]
    real.control("fill", {"odno": number, "qty": 1})
    real.control("fill", {"odno": number, "qty": 2})
    taken, first, second = ear.notices(3)
    head = ["aegisreal", "1234567801", number, "", "01", "0", "00", "0", "005930"]
    assert taken[:18] == [*head, "3", "60000", "100000", "0", "1", "1", "06010", "3", "홍길동"]
    assert taken[18:] == ["0", "1", "N", "", "0", "", "삼성전자", "60000"]
    assert first[:18] == [*head, "1", "60000", "100000", "0", "2", "2", "06010", "3", "홍길동"]
    assert (second[9], second[13]) == ("2", "2")


def test_amendment_and_cancellation_are_taken_and_confirmed(ear, real):
    ear.ask("H0STCNI0", ear.endpoint.hts_id)
    number = real.order("buy", ORD_QTY="2", ORD_UNPR="50000").json()["output"]["ODNO"]
    amended = real.change(number, cancel=False, ORD_UNPR="50100").json()["output"]["ODNO"]
    cancelled = real.change(amended).json()["output"]["ODNO"]
    notices = ear.notices(5)
    assert [(notice[2], notice[3], notice[5], notice[14]) for notice in notices] == [
        (number, "", "0", "1"),
        (amended, number, "1", "1"),
        (amended, number, "1", "2"),
        (cancelled, amended, "2", "1"),
        (cancelled, amended, "2", "2"),
    ]
    assert {notice[13] for notice in notices} == {"1"}


def test_notices_of_paper_have_a_tr_of_their_own_and_stay_on_their_port(simulator, listen, ear, paper):
    ear.ask("H0STCNI0", ear.endpoint.hts_id)
    mock = listen(simulator.paper)
    mock.ask("H0STCNI9", simulator.paper.hts_id)
    paper.control("external-order", {"side": "buy", "code": "005930", "qty": 1})
    taken, filled = mock.notices(2, "H0STCNI9")
    assert (taken[0], taken[1], taken[13], filled[13]) == ("aegispaper", "5001234501", "1", "2")
    ear.assert_quiet()


def test_resting_order_fills_and_is_saved_without_any_request(start_simulator, listen, tmp_path, client_of):
    simulator = start_simulator(ws_rhythm=QUICK, state_file=tmp_path / "state.json")
    ear, client = listen(simulator.real), client_of(simulator.real)
    ear.ask("H0STCNI0", simulator.real.hts_id)
    bars = client.chart(start="20261120").json()["output2"][0]
    low = int(bars["stck_lwpr"])
    order = {"side": "buy", "code": "005930", "qty": 1, "price": low - low % 500 - 2_000}
    number = client.control("external-order", order).json()["odno"]
    assert ear.data("H0STCNI0")[0][13] == "1"
    with simulator.exchange.lock:
        moment = simulator.now() + timedelta(seconds=30)
        simulator.exchange.market.override_price("005930", order["price"], moment=moment)
        simulator.clock.set(moment + timedelta(minutes=1))
    filled = next(notice for notice in iter(lambda: ear.data("H0STCNI0")[0], None) if notice[2] == number)
    assert (filled[9], filled[10], filled[13]) == ("1", str(order["price"]), "2")
    ends_at = time.monotonic() + SOON
    while time.monotonic() < ends_at:
        saved = json.loads((tmp_path / "state.json").read_text())["accounts"]["real"]["orders"]
        if next(saved_order for saved_order in saved if saved_order["number"] == int(number))["fills"]:
            break
        time.sleep(0.01)
    else:
        pytest.fail("the fill was not saved")


# --- staying connected ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["text", "pong", "none"])
def test_pingpong_comes_again_however_it_is_answered(start_simulator, listen, answer):
    ear = listen(start_simulator(ws_rhythm=Rhythm(look=0.02, tick=60, ping=0.05)).real)
    for _ in range(3):
        text = ear.hear()
        assert json.loads(text) == {"header": {"tr_id": "PINGPONG", "datetime": "20261120100000"}}
        if answer == "text":
            ear.line.send(text)
        elif answer == "pong":
            ear.line.pong(text)


def test_fault_resets_the_connection_after_the_next_frame(ear, real):
    ear.ask("H0STCNT0", "005930")
    ear.data()
    real.fault("reset_after", tr="H0STCNT0")
    real.control("price", {"code": "005930", "price": 70_000})
    assert ear.data()[0][2] == "70000"
    ear.assert_dropped()


def test_fault_drops_a_request_before_it_is_carried_out(simulator, ear, real):
    real.fault("reset_before", tr="H0STCNT0")
    ear.request("H0STCNT0", "005930")
    ear.assert_dropped()


def test_fault_cuts_a_frame_or_turns_it_into_garbage(ear, real):
    ear.ask("H0STCNT0", "005930")
    whole = ear.hear()
    real.fault("truncate", tr="H0STCNT0")
    real.control("price", {"code": "005930", "price": 70_000})
    cut = ear.hear()
    assert cut.startswith("0|H0STCNT0|001|005930^")
    assert len(cut) < len(whole) * 0.6
    real.fault("bad_json", tr="H0STCNT0")
    real.control("price", {"code": "005930", "price": 70_100})
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(ear.hear())
    real.control("price", {"code": "005930", "price": 70_200})
    assert ear.data()[0][2] == "70200"


def test_fault_leaves_the_connection_open_and_silent(start_simulator, listen, client_of):
    simulator = start_simulator(ws_rhythm=Rhythm(look=0.02, tick=60, ping=0.05))
    ear, client = listen(simulator.real), client_of(simulator.real)
    ear.ask("H0STCNT0", "005930")
    client.fault("hang_after", tr="H0STCNT0", delay_ms=1_200)
    client.control("price", {"code": "005930", "price": 70_000})
    with pytest.raises(TimeoutError):
        ear.read_on(QUIET, without="^70000^")
    ear.assert_dropped()


def test_fault_lets_the_approval_key_expire(ear, real):
    real.fault("token_expired", tr="H0STCNT0")
    assert ear.code("H0STCNT0", "005930") == "OPSP0011"
    ear.approval_key = approval_of(ear.endpoint).json()["approval_key"]
    assert ear.code("H0STCNT0", "005930") == "OPSP0000"


def test_fault_takes_a_field_out_of_an_acknowledgement(ear, real):
    real.fault("drop_field:iv", tr="H0STCNI0")
    assert list(ear.ask("H0STCNI0", ear.endpoint.hts_id)["body"]["output"]) == ["key"]


def test_star_leaves_the_websocket_alone(ear, real):
    real.fault("reset_after", tr="*")
    ear.ask("H0STCNT0", "005930")
    assert ear.data()
    assert len(real.control("faults").json()) == 1
    real.control("faults", method="DELETE")
    real.fault("reset_after", tr="H0*")
    ear.request("H0STASP0", "005930")
    ear.assert_dropped()


@pytest.mark.parametrize(
    "kind", ["html_page", "http_500_after", "drop_page", "slow_drip", "refuse_connection"]
)
def test_fault_that_means_nothing_to_a_websocket_is_refused(real, kind):
    assert real.control("faults", {"tr": "H0STCNT0", "kind": kind}).status_code == 400


def test_stopping_ends_open_connections(start_simulator, listen):
    simulator = start_simulator(ws_rhythm=QUICK, speed=1)
    ear = listen(simulator.real)
    ear.ask("H0STCNT0", "005930")
    simulator.stop()
    with pytest.raises(ConnectionClosed):
        ear.read_on()
