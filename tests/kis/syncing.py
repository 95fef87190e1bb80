"""What tests of the books share: a connection to the simulator, its hand, and the notices it sends."""

from contextlib import contextmanager
from datetime import datetime
from typing import Any

import requests

from kis.client.auth import MemoryTokenStore
from kis.client.codes import AccountNumber, Environment
from kis.client.realtime_frames import notice_rows
from kis.client.records.realtime import FillNotice
from kis.client.session import Session
from kis.client.throttle import Pacer
from kis.client.transport import HttpTransport
from kis.connect import Connection
from kis.korean import SEOUL
from kis.simulator.realtime_records import notice_fields
from kis.simulator.server import Simulator, SimulatorConfig

TEN = datetime(2026, 11, 20, 10, 0, tzinfo=SEOUL)
TODAY = TEN.date()
SAMSUNG = "005930"


def environment_of(side, mode):
    return Environment(
        mode=mode,
        base_url=side.url,
        ws_url=side.ws,
        app_key=side.app_key,
        app_secret=side.app_secret,
        account=AccountNumber.parse(side.account),
        hts_id=side.hts_id,
    )


@contextmanager
def connection_to(simulator, mode="real"):
    """Open a connection that waits for nothing and asks the simulator for the time."""
    transport = HttpTransport()
    session = Session(
        environment_of(getattr(simulator, mode), mode),
        transport=transport,
        tokens=MemoryTokenStore(),
        budget=Pacer(0),
        sleep=lambda seconds: None,
    )
    try:
        yield Connection(session, simulator.now)
    finally:
        transport.close()


def leave_out_the_market(monkeypatch):
    """Let runs copy snapshot, fills and orders only: the rest is tested elsewhere, and takes its time."""
    leave_out_stocks_and_prices(monkeypatch)
    monkeypatch.setattr("kis.sync.run.copy_days", lambda connection, **how: (), raising=False)


def leave_out_stocks_and_prices(monkeypatch):
    """Let runs copy the books and close their days, which follow from the books alone."""
    monkeypatch.setattr("kis.sync.run.copy_lists", lambda connection, **how: [], raising=False)
    monkeypatch.setattr("kis.sync.run.copy_prices", lambda connection, **how: ())


@contextmanager
def fetched_from_a_simulator(monkeypatch):
    """Let whatever copies an account reach a simulator at ten o'clock."""
    with Simulator(SimulatorConfig(clock=TEN, speed=0, limits=False)) as simulator:

        @contextmanager
        def connect(_mode, _account):
            with connection_to(simulator) as opened:
                yield opened

        monkeypatch.setattr("kis.data_fetch.connect", connect)
        leave_out_the_market(monkeypatch)
        yield simulator


class Broker:
    """The simulator's control plane on one port; everything is asserted to have worked."""

    def __init__(self, url):
        self.url = f"{url}/_sim"

    def get(self, path) -> Any:
        return requests.get(f"{self.url}/{path}", timeout=60).json()

    def post(self, path, body) -> Any:
        response = requests.post(f"{self.url}/{path}", json=body, timeout=60)
        assert response.status_code == 200, response.text
        return response.json()

    def clock(self, moment):
        self.post("clock", {"now": moment.isoformat()})

    def account(self, deposit=100_000_000, **held):
        """Start the account over with cash, and shares by code (`_005930=(10, 60_000)`)."""
        positions = [
            {"code": code.strip("_"), "qty": quantity, "avg": average}
            for code, (quantity, average) in held.items()
        ]
        return self.post("account", {"deposit": deposit, "positions": positions})

    def order(self, number):
        return next(order for order in self.get("orders") if int(order["odno"]) == int(number))

    def fill(self, number, quantity):
        return self.post("fill", {"odno": number, "qty": quantity})

    def fault(self, tr, kind, *, times=1000):
        return self.post("faults", [{"tr": tr, "kind": kind, "times": times}])

    def clear_faults(self):
        assert requests.delete(f"{self.url}/faults", timeout=60).status_code == 200


class Desk:
    """Orders of one account in Samsung through the wire, at a price that waits: a fifth below nothing trades."""

    def __init__(self, broker, caller):
        self.broker = broker
        self.caller = caller
        mine = next(
            account
            for account in broker.get("state")["accounts"]
            if account["account"] == caller.endpoint.account
        )
        self.prices = {position["code"]: position["price"] for position in mine["positions"]}
        self.waiting = self.prices[SAMSUNG] * 4 // 5 // 1000 * 1000

    def buy(self, quantity=10, **changes):
        """Place a buy order that waits, and return its number."""
        reply = self.caller.order("buy", ORD_QTY=str(quantity), ORD_UNPR=str(self.waiting), **changes).json()
        assert reply["rt_cd"] == "0", reply
        return reply["output"]["ODNO"]

    def trade(self, side, quantity, *, code=SAMSUNG, parts=None):
        """Trade at a price out of reach, by hand and in parts, and return the number of the order."""
        price = self.prices[code] * (4 if side == "buy" else 6) // 5 // 1000 * 1000
        reply = self.caller.order(side, PDNO=code, ORD_QTY=str(quantity), ORD_UNPR=str(price)).json()
        assert reply["rt_cd"] == "0", reply
        number = reply["output"]["ODNO"]
        for part in parts or [quantity]:
            self.broker.fill(number, part)
        return number

    def amend(self, number, *, lower=1, **changes):
        """Put all that is left of an order so many thousands lower, and return the new number."""
        price = str(self.waiting - 1000 * lower)
        reply = self.caller.change(number, cancel=False, ORD_UNPR=price, **changes).json()
        assert reply["rt_cd"] == "0", reply
        return reply["output"]["ODNO"]

    def cancel(self, number):
        return self.caller.change(number).json()["output"]["ODNO"]


@contextmanager
def notices_of(simulator, mode="real"):
    """Collect the execution notices of one account as the client reads them off the wire."""
    told: list[FillNotice] = []
    tr_id = "H0STCNI0" if mode == "real" else "H0STCNI9"

    def hear(notice):
        if notice.order.mode != mode:
            return
        name = simulator.exchange.market.listings[notice.order.code].name
        fields = notice_fields(notice, hts_id="owner", name=name, year=2026)
        [row] = notice_rows("^".join(fields), count=1, tr_id=tr_id)
        told.append(FillNotice.from_row(row))

    with simulator.exchange.lock:
        simulator.exchange.on_notice.append(hear)
    try:
        yield told
    finally:
        with simulator.exchange.lock:
            simulator.exchange.on_notice.remove(hear)
