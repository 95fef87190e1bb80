"""The real simulator's exchange in this process, behind a wire that loses, spoils and delays."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from random import Random
from unittest.mock import patch

from kis.client.codes import TR, AccountNumber, Environment, Mode, OrderTR
from kis.client.errors import KisUnreachable
from kis.client.protocol import RawReply, Request
from kis.simulator.exchange import Exchange
from kis.simulator.faults import STAGES, Fault
from kis.simulator.gateway import Credentials, gateway_refusal
from kis.simulator.host import HTML_PAGE, Host, Trip
from kis.simulator.ledger import Account, Lot
from kis.simulator.market import Market
from kis.simulator.orders import Order
from kis.simulator.replies import WireResponse, json_response
from kis.simulator.server import Simulator, SimulatorConfig
from tests.storm import faults
from tests.storm.clock import Clock

MARKET = Market(seed=1)
ADDRESS = "http://127.0.0.1:1"
TRIP_SECONDS = 0.04
DRIP_SECONDS = (2.0, 20.0)
#: Longer than any list of orders lags behind.
LONGEST_HIDDEN = timedelta(minutes=11)
LATE_SECONDS = (1.0, 5.0, 20.0, 45.0)
ORDER_PATHS = frozenset(tr.path for tr in OrderTR)
LIST_PATH = TR.DAILY_ORDERS.path
REFUSALS = (
    ("7", "APBK0952", "주문가능금액을 초과 했습니다"),
    ("7", "APBK0400", "주문 가능한 수량을 초과했습니다."),
)
BREAKS = {
    "reset_before": "연결하지 못했거나 연결이 끊겼습니다",
    "reset_after": "연결하지 못했거나 연결이 끊겼습니다",
    "truncate": "응답이 중간에 끊겼습니다",
}
NO_CONNECTION = {
    "refuse_connection": "연결하지 못했거나 연결이 끊겼습니다",
    "dns": "연결하지 못했거나 연결이 끊겼습니다",
    "connect_timeout": "시간 안에 응답이 없습니다",
}


class Keys:
    """The keys of the default accounts, made once."""

    fixed = staticmethod(cache(Credentials.fixed))


@dataclass(frozen=True, slots=True)
class Later:
    """An order on its way: it reaches the exchange at a moment of its own."""

    at: datetime
    trip: Trip
    intent: int


@dataclass
class Heard:
    """What one process was told of the list of orders: numbers by day, and whether young ones were kept from it."""

    numbers: set[tuple[str, str]] = field(default_factory=set)
    hidden_for: timedelta = timedelta()


class Broker:
    """Gateway, services and exchange of one account. `made` says which intent's POST made an order."""

    def __init__(self, clock: Clock, mode: Mode, dice: Random) -> None:
        self.clock = clock
        self.mode: Mode = mode
        self.dice = dice
        with patch.multiple("kis.simulator.server", Market=lambda **how: MARKET, Credentials=Keys):
            self.simulator = Simulator(SimulatorConfig(clock=clock.true, sample_accounts=False))
        self.simulator.clock = clock  # type: ignore[assignment]  # it tells the time, and nobody sets it
        self.host = Host(self.simulator, mode, latency_ms=0)
        self.made: dict[tuple[str, int], int] = {}
        self.on_the_way: list[Later] = []

    @property
    def exchange(self) -> Exchange:
        return self.simulator.exchange

    @property
    def account(self) -> Account:
        return self.exchange.accounts[self.mode]

    def environment(self) -> Environment:
        """Return what a client needs to know; the address is one at which nobody listens."""
        keys = self.simulator.gateways[self.mode].credentials
        return Environment(
            mode=self.mode,
            base_url=ADDRESS,
            ws_url=ADDRESS.replace("http", "ws"),
            app_key=keys.app_key,
            app_secret=keys.app_secret,
            account=AccountNumber.parse(keys.account),
        )

    def endow(self, cash: int, **held: int) -> None:
        lots = {code.strip("_"): Lot(count, count * 50_000) for code, count in held.items()}
        self.exchange.replace_account(self.account, cash=cash, lots=lots, now=self.clock.true)

    def orders_of(self, intent: int) -> list[Order]:
        return [order for order in self.account.orders if self.made.get(key_of(order)) == intent]

    # --- answering ----------------------------------------------------------------------------------------------

    def answer(self, trip: Trip, *, intent: int = 0) -> WireResponse:
        """Let the gateway and the exchange deal with a request, and note what came of it."""
        self.deliver()
        before = len(self.account.orders)
        response = self.host._answer(trip)  # noqa: SLF001  # all of the host but its sockets
        for order in self.account.orders[before:]:
            self.made[key_of(order)] = intent
        return response

    def deliver(self) -> None:
        """Let arrive what was on its way."""
        due = [later for later in self.on_the_way if later.at <= self.clock.true]
        self.on_the_way = [later for later in self.on_the_way if later.at > self.clock.true]
        for later in due:
            before = len(self.account.orders)
            self.host._answer(later.trip)  # noqa: SLF001
            for order in self.account.orders[before:]:
                self.made[key_of(order)] = later.intent

    def move_on(self) -> None:
        """Let arrive what is due, and resting orders trade."""
        self.deliver()
        with self.exchange.lock:
            self.exchange.advance(self.clock.true)


def key_of(order: Order) -> tuple[str, int]:
    return f"{order.day:%Y%m%d}", order.number


def trip_of(request: Request, *, arrived: float) -> Trip:
    path = request.url.removeprefix(ADDRESS)
    name = request.headers.get("tr_id", "") or path.removeprefix("/oauth2/")
    body = json.dumps(request.body).encode() if request.body is not None else b""
    query = {name: value.strip() for name, value in request.params.items()}
    return Trip(name, path, dict(request.headers), query, body, request.method, arrived)


def reply_of(response: WireResponse) -> RawReply:
    headers = {name.decode().lower(): value.decode() for name, value in response.raw_headers}
    return RawReply(response.status_code, headers, bytes(response.body))


class Wire:
    """A transport without sockets: one request in, one reply or one error out, as `HttpTransport` would say it.

    `point` is called before and after every call: whoever wants to come in between does it there. `posted` hears of
    every order that leaves, whatever becomes of it.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        weather: Callable[[], faults.Weather],
        point: Callable[[str], None],
        posted: Callable[[Request], int],
        heard: Heard,
        note: Callable[[str], None],
        count: Callable[[str], None],
    ) -> None:
        self.broker = broker
        self.clock = broker.clock
        self.dice = broker.dice
        self.weather = weather
        self.point = point
        self.posted = posted
        self.heard = heard
        self.note = note
        self.count = count

    def close(self) -> None:
        """Nothing is open."""

    def send(self, request: Request, *, timeout_seconds: float) -> RawReply:
        trip = trip_of(request, arrived=self.clock.monotonic())
        is_order, is_list = trip.path in ORDER_PATHS, trip.path == LIST_PATH
        place = "post" if is_order else "wire"
        self.point(f"{place} {request.tr_id} goes")
        fault = self.weather().fault(self.dice, name=trip.name, is_order=is_order, is_list=is_list)
        intent = self.posted(request) if is_order else 0
        self.note(f"{trip.name} {fault}".strip())
        if fault or is_order:
            self.count(f"{'order' if is_order else 'list' if is_list else 'read'}: {fault or 'no fault'}")
        self.clock.sleep(TRIP_SECONDS)
        try:
            reply = self.reply(trip, fault, intent=intent, timeout_seconds=timeout_seconds)
        finally:
            self.point(f"{place} {request.tr_id} came")
        if is_list and reply.status == 200:
            self.hear(reply, fault)
        return reply

    def reply(self, trip: Trip, fault: str, *, intent: int, timeout_seconds: float) -> RawReply:
        kind, *_ = fault.split(":")
        if kind in NO_CONNECTION:
            if kind == "connect_timeout":
                self.clock.sleep(timeout_seconds / 2)
            raise self.broken(trip, NO_CONNECTION[kind], never_sent=True)
        if kind == "reset_before":
            raise self.broken(trip, BREAKS[kind])
        if kind == "late_execution":
            at = self.clock.true + timedelta(seconds=self.dice.choice(LATE_SECONDS))
            self.broker.on_the_way.append(Later(at, trip, intent))
            self.clock.sleep(timeout_seconds)
            raise self.broken(trip, "시간 안에 응답이 없습니다")
        if kind == "refusal":
            rt_cd, code, text = self.dice.choice(REFUSALS)
            return reply_of(json_response({"rt_cd": rt_cd, "msg_cd": code, "msg1": text}))
        if STAGES.get(kind) == "before":
            trouble = Fault(trip.name, kind, (), 1, None)
            return reply_of(self.broker.host._trouble_before(trouble, trip))  # noqa: SLF001
        return self.spoilt(trip, fault, self.answer(trip, fault, intent), timeout_seconds)

    def answer(self, trip: Trip, fault: str, intent: int) -> WireResponse:
        """Have it executed; the simulator itself spoils pages, fields and what is visible."""
        kind, *arguments = fault.split(":")
        waiting = self.broker.host.faults.waiting
        if STAGES.get(kind) in {"view", "page", "shape"}:
            waiting.append(Fault(trip.name, kind, tuple(arguments), 1, None))
        response = self.broker.answer(trip, intent=intent)
        waiting.clear()
        return response

    def spoilt(self, trip: Trip, fault: str, response: WireResponse, timeout_seconds: float) -> RawReply:
        if fault in BREAKS:
            raise self.broken(trip, BREAKS[fault])
        if fault == "hang_after":
            self.clock.sleep(timeout_seconds)
            raise self.broken(trip, "시간 안에 응답이 없습니다")
        if fault == "slow_drip":
            seconds = self.dice.choice(DRIP_SECONDS)
            self.clock.sleep(min(seconds, timeout_seconds))
            if seconds > timeout_seconds:
                raise self.broken(trip, "시간 안에 응답이 없습니다")
        if fault == "http_500_after":
            refused = gateway_refusal("EGW00001", "일시적 오류가 발생했습니다.")
            return reply_of(json_response(refused.body, status=refused.status))
        if fault == "html_after":
            return reply_of(WireResponse(HTML_PAGE, status=502))
        if fault == "middle_layer":
            return reply_of(json_response({"rt_cd": "1", "msg_cd": "IGW00009", "msg1": "응답 오류"}))
        if fault == "bad_json":
            whole = reply_of(response)
            return RawReply(whole.status, whole.headers, whole.body[: len(whole.body) // 2])
        if fault in {"old_number", "blank_number"}:
            return self.renumbered(response, blank=fault == "blank_number")
        return reply_of(response)

    def renumbered(self, response: WireResponse, *, blank: bool) -> RawReply:
        """Answer with a number that was there before, or with none."""
        whole = reply_of(response)
        body = json.loads(whole.body)
        if isinstance(body.get("output"), dict):
            # A number that no list has shown yet could not be told from a new one by anybody.
            shown_by_now = self.clock.true - LONGEST_HIDDEN
            old = [
                order.number
                for order in self.broker.account.orders
                if order.day == self.clock.true.date() and order.placed_at < shown_by_now
            ]
            if blank or old:
                body["output"]["ODNO"] = "" if blank else f"{self.dice.choice(old):010d}"
        return RawReply(whole.status, whole.headers, json.dumps(body).encode())

    def hear(self, reply: RawReply, fault: str) -> None:
        """Note which orders a process has been told of."""
        try:
            body = json.loads(reply.body)
        except ValueError:
            return
        if body.get("rt_cd") != "0":
            return
        if fault.startswith("late_visible"):
            hidden = timedelta(seconds=int(fault.partition(":")[2]))
            self.heard.hidden_for = max(self.heard.hidden_for, hidden)
        rows = body.get("output1") or []
        self.heard.numbers |= {
            (row["ord_dt"], row["odno"]) for row in rows if "odno" in row and "ord_dt" in row
        }

    def broken(self, trip: Trip, reason: str, *, never_sent: bool = False) -> KisUnreachable:
        return KisUnreachable(reason, tr_id=trip.name, never_sent=never_sent)
