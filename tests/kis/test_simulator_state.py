"""Starting, stopping and starting again: state file, ports, the command."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kis.simulator.errors import CannotStart
from kis.simulator.hours import KST
from kis.simulator.listener import Listener, bind
from kis.simulator.market import Market
from kis.simulator.server import Simulator, SimulatorConfig
from tests.programs import running

TEN_ON_FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=KST)
ROOT = Path(__file__).parents[2]


def test_restart_goes_on_where_it_stopped(start_simulator, tmp_path, client_of):
    state_file = tmp_path / "state.json"
    first = start_simulator(state_file=state_file, limits=True)
    client = client_of(first.real)
    client.control("external-order", {"side": "buy", "code": "005930", "qty": 3})
    client.control("price", {"code": "000660", "price": 250_000})
    client.control(
        "account", {"deposit": 1, "positions": [{"code": "ZZZZ01", "qty": 1, "avg": 1}]}, method="GET"
    )
    client_of(first.paper).control(
        "account", {"deposit": 9, "positions": [{"code": "ZZZZ01", "qty": 2, "avg": 5}]}
    )
    client.control("deposit", {"amount": 1_234_567})
    client.control("clock", {"now": "2026-11-20T10:30:00+09:00"})
    before = (client.balance().json(), client.orders().json(), client.control("state").json())
    first.stop()
    again = client_of(start_simulator(state_file=state_file, limits=True).real, token=client.token)
    assert (again.balance().json(), again.orders().json(), again.control("state").json()) == before
    assert again.ask_token().json()["error_code"] == "EGW00133"
    assert again.control("requests").json()["counts"]["TTTC8434R"] == 2


def test_state_is_for_the_owner_only_and_never_half_written(start_simulator, tmp_path, client_of):
    state_file = tmp_path / "state.json"
    simulator = start_simulator(state_file=state_file)
    client_of(simulator.real).ask_token()
    assert stat.S_IMODE(state_file.stat().st_mode) == 0o600
    assert json.loads(state_file.read_text())["gateways"]["real"]["tokens"]
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 99}', "\x00"])
def test_damaged_state_is_refused_and_left_alone(tmp_path, text):
    state_file = tmp_path / "state.json"
    state_file.write_text(text)
    with pytest.raises(CannotStart, match="상태 파일"):
        Simulator(SimulatorConfig(state_file=state_file))
    assert state_file.read_text() == text


@pytest.mark.parametrize("number", ["Infinity", "1e400", '"x"', "[]", "null"])
def test_state_with_a_number_that_is_none_is_refused(start_simulator, tmp_path, number):
    state_file = tmp_path / "state.json"
    start_simulator(state_file=state_file).stop()
    whole = json.loads(state_file.read_text())
    whole["accounts"]["real"]["opening_cash"] = "?"
    state_file.write_text(json.dumps(whole).replace('"?"', number))
    with pytest.raises(CannotStart, match="상태 파일"):
        Simulator(SimulatorConfig(state_file=state_file))


def test_state_of_another_market_is_refused(start_simulator, tmp_path):
    state_file = tmp_path / "state.json"
    start_simulator(state_file=state_file).stop()
    with pytest.raises(CannotStart, match="다른 시세나 시드"):
        Simulator(SimulatorConfig(state_file=state_file, seed=2))


def test_later_session_lapses_orders_and_settles_cash(start_simulator, tmp_path, client_of):
    state_file = tmp_path / "state.json"
    first = start_simulator(state_file=state_file)
    total = client_of(first.real).balance().json()["output2"][0]["prvs_rcdl_excc_amt"]
    first.stop()
    saved = json.loads(state_file.read_text())
    for order in saved["accounts"]["real"]["orders"]:
        order["quantity"] = (
            order["quantity"] if not order["fills"] else sum(fill[1] for fill in order["fills"])
        )
    state_file.write_text(json.dumps(saved))
    later = client_of(start_simulator(state_file=state_file, clock=TEN_ON_FRIDAY + timedelta(days=4)).real)
    assert later.open_orders().json()["output"] == []
    cash = later.balance().json()["output2"][0]
    assert cash["dnca_tot_amt"] == cash["prvs_rcdl_excc_amt"] == str(int(total) + traded_since(later))


def traded_since(caller):
    """Return the cash of sample orders that still met their price on the day they were placed."""
    cash = 0
    for order in caller.control("orders").json():
        if order["mode"] == "real" and order["at"] >= "2026-11-20T09:54" and order["filled"]:
            cash += order["amount"] if order["side"] == "sell" else -order["amount"]
    return cash


def test_clock_does_not_go_back_on_restart(start_simulator, tmp_path):
    state_file = tmp_path / "state.json"
    start_simulator(state_file=state_file, clock=TEN_ON_FRIDAY + timedelta(hours=2)).stop()
    assert start_simulator(state_file=state_file).now() == TEN_ON_FRIDAY + timedelta(hours=2)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-20T10:00", "2026-11-20"),
        ("2026-11-20T09:59", "2026-11-19"),
        ("2026-11-22T23:00", "2026-11-20"),
        ("2026-11-23T02:00", "2026-11-20"),
        ("2026-10-05T12:00", "2026-10-02"),
        ("2027-01-01T12:00", "2026-12-30"),
    ],
)
def test_session_is_the_last_business_day_that_is_not_in_the_future(now, day):
    moment = datetime.fromisoformat(now).replace(tzinfo=KST)
    assert Market().session_start(moment).isoformat() == day


def test_many_simulators_leave_nothing_behind(start_simulator, client_of):
    before = threading.enumerate()  # those of other tests may end meanwhile
    for _ in range(5):
        simulator = start_simulator()
        client_of(simulator.real).balance()
        simulator.stop()
    assert [thread for thread in threading.enumerate() if thread not in before] == []


def test_stop_does_not_wait_for_a_hanging_reply(start_simulator, client_of):
    simulator = start_simulator()
    client = client_of(simulator.real)
    client.headers("")
    client.fault("hang_after", tr="FHKST03010100")
    with socket.create_connection(("127.0.0.1", int(simulator.real.url.rsplit(":", 1)[1]))) as connection:
        headers = "".join(f"{name}: {value}\r\n" for name, value in client.headers("FHKST03010100").items())
        connection.sendall(f"GET /uapi/x HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        simulator.stop()
        connection.settimeout(60)
        with contextlib.suppress(ConnectionError):
            assert connection.recv(10) == b""


def test_busy_port_is_one_sentence(start_simulator):
    port = int(start_simulator().real.url.rsplit(":", 1)[1])
    with pytest.raises(CannotStart, match=f"{port}번 포트"):
        Simulator(SimulatorConfig(real_port=port)).start()


def test_start_that_fails_says_so_and_leaves_the_ports(start_simulator, monkeypatch):
    def broken(*arguments, **more):
        raise ZeroDivisionError

    simulator = Simulator(SimulatorConfig(clock=TEN_ON_FRIDAY))
    with monkeypatch.context() as patches:
        patches.setattr("kis.simulator.server.Host", broken)
        with pytest.raises(ZeroDivisionError):
            simulator.start()
    simulator.stop()
    start_simulator(real_port=int(simulator.real.url.rsplit(":", 1)[1]))


@pytest.mark.parametrize("steps", range(6))
def test_port_refuses_however_far_it_was_in_opening_again(steps):
    """One that was told so while it opened went on listening, and could never be told again."""

    async def nobody(scope, receive, send):
        raise AssertionError("nobody is answered")

    async def scenario():
        bound = bind("127.0.0.1", 0)
        address = bound.getsockname()
        listener = Listener(nobody, bound, ws="none")
        await listener.open()
        listener.refuse_for(0)
        for _ in range(steps):
            await asyncio.sleep(0)
        listener.refuse_for(60)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=60)
        await listener.close()

    # Not in this thread: where a browser is open, its loop runs here, and there is one to a thread.
    with ThreadPoolExecutor(1) as another:
        another.submit(lambda: asyncio.run(scenario())).result()


def run_command(*arguments):
    ports = ["--real-port=0", "--paper-port=0", "--real-ws-port=0", "--paper-ws-port=0"]
    return running(
        ["manage.py", "kis_simulator", *arguments, *ports],
        environment=os.environ | {"PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_prints_one_line_and_ends_on_a_signal(tmp_path, number):
    state_file = tmp_path / "state.json"
    with run_command("--clock=2026-11-20T10:00:00+09:00", f"--state={state_file}") as process:
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"real", "paper", "clock"}
        assert set(ready["real"]) == {"url", "ws", "account", "app_key", "app_secret", "hts_id"}
        assert ready["clock"].startswith("2026-11-20T10:00:0")
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (0, "", "")
    assert json.loads(state_file.read_text())["clock"] > "2026-11-20T10:00:00"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--speed=fast"],
        ["--clock=yesterday"],
        ["--clock=1066-10-14T09:00"],
        ["--no-such-option"],
        ["--market-dir=/nowhere"],
        ["--host=256.1.1.1"],
        ["--ws-fields=1999"],
        ["--seed=-1"],
        ["--state=/proc/nowhere/state.json"],
    ],
)
def test_command_refuses_in_one_korean_sentence(arguments):
    with run_command(*arguments) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert any("가" <= letter <= "힣" for letter in err)
    assert "Traceback" not in err
