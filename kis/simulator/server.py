"""The simulator over HTTP: one server per host of the broker, in a thread of its own."""

import asyncio
import contextlib
import gzip
import hashlib
import json
import secrets
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qsl

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from kis.client.codes import Mode
from kis.simulator import control, wire
from kis.simulator.clock import Clock, checked, wall_now
from kis.simulator.errors import CannotStart, ControlRefused
from kis.simulator.exchange import Exchange
from kis.simulator.faults import TOKEN_SERVICES, Fault, Faults, reshape
from kis.simulator.gateway import Credentials, Gateway, gateway_refusal
from kis.simulator.hours import at
from kis.simulator.ledger import Account
from kis.simulator.market import SESSION_TIME, Market, read_market
from kis.simulator.realtime import Feed, keep_looking
from kis.simulator.realtime_hub import Hub, Rhythm
from kis.simulator.seed import fill_sample_accounts
from kis.simulator.services import table
from kis.simulator.services.base import Call
from kis.simulator.state import read_state, restore, write_state

MODES: tuple[Mode, ...] = ("real", "paper")
Ports = dict[Mode, socket.socket]
LOOPBACK = {"127.0.0.1", "::1"}
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: closing sends RST
HANG_MS = 60_000
ROUNDS_TO_CLOSE = 12
LONGEST_MESSAGE = 65_536
WORTH_ZIPPING = 1_000
DRIP_BYTES = 64
DRIP_MS = 50
HTML_PAGE = b"<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head><body>Service Unavailable</body></html>"
JSON_TYPE = "application/json; charset=utf-8"
HASHKEY = "hashkey"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """How a simulator is started; port 0 picks a free one, `state_file` None keeps nothing.

    `limits=False` lifts the rates and the minute between token calls. `ws_fields` is the year whose field lists the
    websocket sends (2023, 2025 or 2026); None follows the clock.
    """

    host: str = "127.0.0.1"
    real_port: int = 0
    paper_port: int = 0
    real_ws_port: int = 0
    paper_ws_port: int = 0
    state_file: Path | None = None
    clock: datetime | Literal["session"] = "session"
    speed: float = 1.0
    latency_ms: int = 0
    seed: int = 1
    market_dir: Path | None = None
    rate_real: int = 18
    rate_paper: int = 1
    limits: bool = True
    ws_fields: int | None = None
    ws_rhythm: Rhythm = field(default_factory=Rhythm)
    sample_accounts: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one host of the broker is found and what a client needs for it."""

    url: str
    ws: str
    account: str
    app_key: str
    app_secret: str
    hts_id: str


class WireResponse(Response):
    """A reply whose header names keep their case: Title-Case with a hyphen, lower case without.

    The official sample turns lower-case header names into identifiers and breaks on a hyphen.
    """

    def __init__(self, body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        named = {"Content-Type": JSON_TYPE, "Content-Length": str(len(body)), **(headers or {})}
        self.raw_headers = [
            (name.encode(), value.encode("latin-1", "replace")) for name, value in named.items()
        ]

    def zipped(self) -> "WireResponse":
        """Return the same reply compressed, where that is worth it."""
        if len(self.body) < WORTH_ZIPPING:
            return self
        headers = {name.decode(): value.decode("latin-1") for name, value in self.raw_headers}
        del headers["Content-Length"]
        body = gzip.compress(bytes(self.body), compresslevel=1)
        return WireResponse(body, status=self.status_code, headers={**headers, "Content-Encoding": "gzip"})


def json_response(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> WireResponse:
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return WireResponse(raw, status=status, headers=headers)


@dataclass(frozen=True, slots=True)
class Trip:
    """One request of a client: what it is called in counts and faults, and what came with it."""

    name: str  # a TR id, tokenP, revokeP or Approval
    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: bytes
    method: str
    arrived: float  # seconds of the monotonic clock

    @property
    def takes_gzip(self) -> bool:
        return "gzip" in self.headers.get("accept-encoding", "")


class Host:
    """The ASGI application of one host."""

    def __init__(self, simulator: "Simulator", mode: Mode, *, latency_ms: int) -> None:
        self.simulator = simulator
        self.mode: Mode = mode
        self.gateway = simulator.gateways[mode]
        self.exchange = simulator.exchange
        self.faults = Faults()
        self.latency = latency_ms / 1000
        self.desk = control.Desk(
            mode=mode,
            exchange=simulator.exchange,
            clock=simulator.clock,
            gateways=simulator.gateways,
            faults=self.faults,
            refuse_for=lambda seconds: simulator.refuse_for(mode, seconds),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            raw = await request.body()
            path = "/" + request.url.path.strip("/").replace("//", "/")
            if path.startswith("/_sim/"):
                response = self._control(request, path.removeprefix("/_sim/"), raw)
                self.simulator.hub.look()
                self.simulator.save_if_changed()
                await response(scope, receive, send)
            else:
                await self._serve(_trip(request, path, raw), scope, receive, send)
        except ClientDisconnect:
            pass
        except asyncio.CancelledError:
            # The simulator stops: drop the connection, or the server would still answer it with an error of its own.
            scope["state"]["transport"].abort()
            await asyncio.sleep(0)

    def _control(self, request: Request, name: str, raw: bytes) -> WireResponse:
        if request.client is None or request.client.host not in LOOPBACK:
            return json_response({"error": "제어는 같은 컴퓨터에서만 할 수 있습니다."}, status=403)
        if (request.method, name) not in control.ACTIONS:
            return json_response({"error": f"없는 제어 요청입니다: {request.method} {name}"}, status=404)
        try:
            return json_response(control.handle(self.desk, request.method, name, raw))
        except ControlRefused as refused:
            return json_response({"error": str(refused)}, status=400)

    async def _serve(self, trip: Trip, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of a client, with whatever trouble is due."""
        self.gateway.traffic.count(trip.name)
        transport = scope["state"]["transport"]
        await asyncio.sleep(self.latency)
        before = self.faults.take(trip.name, "before")
        if before is not None:
            await asyncio.sleep(before.delay_seconds())
            if before.kind == "reset_before":
                await _reset(transport, receive)
                return
            response = self._trouble_before(before, trip)
        else:
            response = self._answer(trip)
        self.simulator.save_if_changed()
        after = self.faults.take(trip.name, "after")
        if after is None:
            await (response.zipped() if trip.takes_gzip else response)(scope, receive, send)
        else:
            await self._trouble_after(after, response, transport, (scope, receive, send))

    def _answer(self, trip: Trip) -> WireResponse:
        """Execute a request and write its reply."""
        try:
            with self.exchange.lock:
                body, more = (
                    self._token_service(trip) if trip.name in TOKEN_SERVICES else self._transaction(trip)
                )
        except wire.Refused as refused:
            return self._reply(trip, refused.body, status=refused.status)
        return self._reply(trip, body, more=more)

    def _reply(self, trip: Trip, body: wire.Json, *, status: int = 200, more: bool = False) -> WireResponse:
        shaped = reshape(body, self.faults.take_all(trip.name, "shape"))
        headers: dict[str, str] = {}
        if trip.name not in TOKEN_SERVICES:
            headers = {
                "tr_id": trip.headers.get("tr_id", ""),
                "tr_cont": "M" if more else "D",
                "gt_uid": trip.headers.get("gt_uid") or secrets.token_hex(16),
            }
        return json_response(shaped, status=status, headers=headers)

    def _token_service(self, trip: Trip) -> tuple[wire.Json, bool]:
        try:
            given = json.loads(trip.body or b"{}")
        except (ValueError, RecursionError):
            given = {}
        fields = (
            {name: value for name, value in given.items() if isinstance(value, str)}
            if isinstance(given, dict)
            else {}
        )
        if trip.name == "tokenP":
            return self.gateway.issue_token(fields), False
        if trip.name == "Approval":
            return self.gateway.issue_approval(fields), False
        return self.gateway.revoke_token(fields), False

    def _transaction(self, trip: Trip) -> tuple[wire.Json, bool]:
        if not trip.path.startswith("/uapi/"):
            raise wire.unknown_service()
        if trip.name == HASHKEY:
            return self._hashkey(trip), False
        self.gateway.admit(trip.headers, arrived=trip.arrived)
        tr_id = trip.headers.get("tr_id", "")
        self.gateway.check_tr_of_host(tr_id)
        service = table.find_service(self.mode, trip.method, trip.path, tr_id)
        if service is None:
            raise wire.unknown_service()
        now = self.simulator.clock.now()
        self.exchange.advance(now)
        late = self.faults.take(trip.name, "view")
        call = Call(
            mode=self.mode,
            tr_id=tr_id,
            params=_body_params(trip.body) if trip.method == "POST" else wire.Params(trip.query),
            exchange=self.exchange,
            now=now,
            hidden_for=timedelta(seconds=int(late.arguments[0])) if late else timedelta(0),
            disturb=lambda: fault.kind if (fault := self.faults.take(trip.name, "page")) else "",
        )
        answer = table.answer(service, call)
        return answer.body, answer.more

    def _hashkey(self, trip: Trip) -> wire.Json:
        """Sign a body. How the broker does it is not known; ours is at least the same for the same content."""
        self.gateway.check_key_headers(trip.headers)
        given = _json_object(trip.body)
        text = json.dumps(given, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(f"{self.gateway.credentials.app_key}{text}".encode()).hexdigest()
        return {"BODY": given, "HASH": digest}

    def _trouble_before(self, fault: Fault, trip: Trip) -> WireResponse:
        """Return the reply of a request that was not executed."""
        if fault.kind == "html_page":
            return WireResponse(HTML_PAGE, headers={"Content-Type": "text/html; charset=utf-8"})
        if fault.kind == "redirect_307":
            return WireResponse(b"", status=307, headers={"Location": trip.path})
        if fault.kind == "token_expired":
            self.gateway.age_tokens()
            refused = gateway_refusal("EGW00123", "기간이 만료된 token 입니다.")
        elif fault.kind == "rate_limited":
            refused = self.gateway.over_rate()
        elif fault.kind == "maintenance":
            # Maintenance ends tokens before the time printed on them.
            self.gateway.age_tokens()
            refused = gateway_refusal("EGW00002", "서버 에러가 발생했습니다. (시스템 점검 중)")
        else:
            refused = gateway_refusal("EGW00001", "일시적 오류가 발생했습니다.")
        return self._reply(trip, refused.body, status=refused.status)

    async def _trouble_after(
        self,
        fault: Fault,
        response: WireResponse,
        transport: asyncio.Transport,
        asgi: tuple[Scope, Receive, Send],
    ) -> None:
        """Spoil the reply of a request that has been executed."""
        scope, receive, send = asgi
        if fault.kind == "hang_after":
            await asyncio.sleep(fault.delay_seconds(default_ms=HANG_MS))
            await _reset(transport, receive)
            return
        if fault.kind == "slow_drip":
            await _drip(response, send, pause=fault.delay_seconds(default_ms=DRIP_MS))
            return
        await asyncio.sleep(fault.delay_seconds())
        if fault.kind == "reset_after":
            await _reset(transport, receive)
        elif fault.kind == "truncate":
            await _start(response, send)
            half = bytes(response.body)[: len(response.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            transport.close()
            await _closed(receive)
        elif fault.kind == "bad_json":
            body = bytes(response.body)[: len(response.body) // 2]
            headers = {name.decode(): value.decode() for name, value in response.raw_headers}
            del headers["Content-Length"]
            await WireResponse(body, status=response.status_code, headers=headers)(scope, receive, send)
        else:
            refused = gateway_refusal("EGW00001", "일시적 오류가 발생했습니다.")
            await json_response(refused.body, status=refused.status)(scope, receive, send)


def _trip(request: Request, path: str, raw: bytes) -> Trip:
    headers = dict(request.headers)
    name = headers.get("tr_id", "") or path
    if request.method == "POST" and path == "/uapi/hashkey":
        name = HASHKEY
    service = path.removeprefix("/oauth2/")
    if request.method == "POST" and service != path and service in TOKEN_SERVICES:
        name = service
    query = dict(parse_qsl(request.url.query, keep_blank_values=True))
    return Trip(name, path, headers, query, raw, request.method, time.monotonic())


def _json_object(raw: bytes) -> dict[str, object]:
    try:
        given = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise wire.Refused("OPSQ9995", "ERROR : JSON BODY FORMAT", rt_cd="2")
    return given


def _body_params(raw: bytes) -> wire.Params:
    """Read the body of an order; clients send numbers as text or as numbers."""
    given = _json_object(raw)
    return wire.Params(
        {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    )


async def _start(response: WireResponse, send: Send) -> None:
    await send(
        {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )


async def _drip(response: WireResponse, send: Send, *, pause: float) -> None:
    await _start(response, send)
    body = bytes(response.body)
    for start in range(0, len(body), DRIP_BYTES):
        await send(
            {"type": "http.response.body", "body": body[start : start + DRIP_BYTES], "more_body": True}
        )
        await asyncio.sleep(pause)
    await send({"type": "http.response.body", "body": b""})


async def _reset(transport: asyncio.Transport, receive: Receive) -> None:
    """Drop the connection so that the client sees it reset."""
    connection = transport.get_extra_info("socket")
    if connection is not None and not transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    transport.abort()
    await _closed(receive)


async def _closed(receive: Receive) -> None:
    """Wait until the server has noticed that the connection is gone; it would answer for us otherwise."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Connection(H11Protocol):
    """Uvicorn's HTTP/1.1 protocol, which hands its transport to the application for faults on the line."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        self.app_state = {"transport": transport}
        super().connection_made(transport)


class Listener:
    """One listening port on the running event loop, which can stop and go on listening."""

    def __init__(
        self, app: ASGIApp, bound: socket.socket, *, ws: Literal["none", "websockets-sansio"]
    ) -> None:
        self._config = uvicorn.Config(
            app,
            http="h11",
            ws=ws,
            # The broker has its own PINGPONG, and compresses nothing.
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            ws_max_size=LONGEST_MESSAGE,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        self._config.load()
        self._state = ServerState()
        self._bound = bound
        self._address = bound.getsockname()
        self._server: asyncio.Server | None = None
        self._reopening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(config=self._config, server_state=self._state, app_state={}),
            sock=self._bound,
            backlog=self._config.backlog,
        )

    def refuse_for(self, seconds: float) -> None:
        """Stop listening: the system refuses connections to this port until it listens again."""
        if self._reopening is not None:
            self._reopening.cancel()
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._state.connections):
            connection.shutdown()  # the running request still gets its answer
        self._reopening = asyncio.get_running_loop().create_task(self._reopen(seconds))

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._bound = bind(self._address[0], self._address[1])
        await self.open()

    async def close(self) -> None:
        """Close the port and every connection; requests still running are given up."""
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.gather(self._reopening, return_exceptions=True)
        listening = self._server.sockets if self._server is not None else ()
        for bound in listening:
            asyncio.get_running_loop().remove_reader(bound.fileno())
        # A connection accepted a moment ago shows up only in the next rounds of the loop, and is lost without a
        # word if the server is closed before.
        for _ in range(ROUNDS_TO_CLOSE):
            for connection in list(self._state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
            tasks = list(self._state.tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()


def bind(host: str, port: int) -> socket.socket:
    """Take a port; who calls it waits until somebody serves it. Raises CannotStart."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns off Nagle only then; every reply would wait 40 ms for an ACK.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        # Until one of them listens, two sockets may share a port that may be used again.
        bound.listen()
    except (OSError, OverflowError) as error:
        bound.close()
        raise CannotStart(_why_not_bound(host, port, error)) from None
    return bound


def _why_not_bound(host: str, port: int, error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"--host 주소를 알 수 없습니다: {host}"
    if isinstance(error, PermissionError):
        return f"{port}번 포트를 열 권한이 없습니다. 1024 이상의 포트를 지정해 주세요."
    return f"{host}의 {port}번 포트를 쓸 수 없습니다. 이미 쓰이고 있는지 확인하시거나 다른 포트(0은 자동)를 지정해 주세요."


class Simulator:
    """The broker in this process: `with Simulator(config) as simulator: simulator.real.url`.

    `exchange`, `clock` and `gateways` may be used directly; take `exchange.lock` to change what requests read.
    """

    real: Endpoint
    paper: Endpoint
    hub: Hub

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        """Load market, accounts and state. Raises CannotStart; nothing is opened before `start`."""
        self.config = config or SimulatorConfig()
        config = self.config
        market = (
            Market(seed=config.seed)
            if config.market_dir is None
            else read_market(config.market_dir, seed=config.seed)
        )
        credentials = {mode: Credentials.fixed(mode) for mode in MODES}
        self.exchange = Exchange(market, [Account(mode, credentials[mode].account) for mode in MODES])
        rates: dict[Mode, int] = {"real": config.rate_real, "paper": config.rate_paper}
        others: dict[Mode, Mode] = {"real": "paper", "paper": "real"}
        self.gateways: dict[Mode, Gateway] = {
            mode: Gateway(
                credentials[mode],
                other_app_key=credentials[others[mode]].app_key,
                rate=rates[mode] if config.limits else None,
            )
            for mode in MODES
        }
        start = (
            at(market.session_start(wall_now()), SESSION_TIME)
            if config.clock == "session"
            else checked(config.clock)
        )
        saved = read_state(config.state_file) if config.state_file else None
        if saved is not None and config.state_file is not None:
            remembered = restore(saved, config.state_file, exchange=self.exchange, gateways=self.gateways)
            start = max(start, remembered)
        elif config.sample_accounts:
            fill_sample_accounts(self.exchange, start)
        self.clock = Clock(start, speed=config.speed)
        self.listeners: dict[Mode, Listener] = {}
        self._saved_revision = -1
        self._sockets: list[socket.socket] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def now(self) -> datetime:
        """Return the simulated time, in KST."""
        return self.clock.now()

    def start(self) -> Self:
        """Open the ports and serve in the background. Raises CannotStart."""
        config = self.config
        bound: Ports = {}
        ws_bound: Ports = {}
        ports: dict[Mode, tuple[int, int]] = {
            "real": (config.real_port, config.real_ws_port),
            "paper": (config.paper_port, config.paper_ws_port),
        }
        try:
            for mode in MODES:
                port, ws_port = ports[mode]
                bound[mode] = bind(config.host, port)
                self._sockets.append(bound[mode])
                ws_bound[mode] = bind(config.host, ws_port)
                self._sockets.append(ws_bound[mode])
            self.save_if_changed()
        except CannotStart:
            self._close_sockets()
            raise
        self.real, self.paper = (self._endpoint(mode, bound[mode], ws_bound[mode]) for mode in MODES)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(bound, ws_bound, ready), name="kis-simulator", daemon=True
        )
        self._thread.start()
        ready.wait()
        return self

    def stop(self) -> None:
        """Close everything and save."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None
        self._close_sockets()
        self._save()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def refuse_for(self, mode: Mode, seconds: float) -> None:
        """Let the system refuse connections to one host for a while."""
        self.listeners[mode].refuse_for(seconds)

    def save_if_changed(self) -> None:
        """Write the state file if anything worth keeping has changed. Raises CannotStart if it cannot be written."""
        revision = self.exchange.revision + sum(gateway.revision for gateway in self.gateways.values())
        if revision != self._saved_revision:
            self._save()
            self._saved_revision = revision

    def _save(self) -> None:
        path = self.config.state_file
        if path is None:
            return
        try:
            with self.exchange.lock:
                write_state(path, exchange=self.exchange, gateways=self.gateways, now=self.now())
        except OSError:
            raise CannotStart(f"상태 파일을 쓸 수 없습니다: {path}") from None

    def _endpoint(self, mode: Mode, bound: socket.socket, ws_bound: socket.socket) -> Endpoint:
        credentials = self.gateways[mode].credentials
        host = {"0.0.0.0": "127.0.0.1"}.get(self.config.host, self.config.host)  # noqa: S104  # an address to call, not to open
        host = f"[{host}]" if ":" in host else host
        return Endpoint(
            url=f"http://{host}:{bound.getsockname()[1]}",
            ws=f"ws://{host}:{ws_bound.getsockname()[1]}",
            account=credentials.account,
            app_key=credentials.app_key,
            app_secret=credentials.app_secret,
            hts_id=credentials.hts_id,
        )

    def _run(self, bound: Ports, ws_bound: Ports, ready: threading.Event) -> None:
        asyncio.run(self._serve(bound, ws_bound, ready))

    async def _serve(self, bound: Ports, ws_bound: Ports, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.hub = Hub(
            exchange=self.exchange,
            clock=self.clock,
            gateways=self.gateways,
            forced_fields=self.config.ws_fields,
            rhythm=self.config.ws_rhythm,
        )
        feeds = []
        for mode in MODES:
            host = Host(self, mode, latency_ms=self.config.latency_ms)
            feed = Feed(self.hub, mode, gateway=self.gateways[mode], faults=host.faults, latency=host.latency)
            self.listeners[mode] = Listener(host, bound[mode], ws="none")
            await self.listeners[mode].open()
            feeds.append(Listener(feed, ws_bound[mode], ws="websockets-sansio"))
            await feeds[-1].open()
        with self.exchange.lock:
            self.exchange.on_notice.append(self.hub.notice)
        looking = asyncio.create_task(keep_looking(self.hub, save=self.save_if_changed))
        ready.set()
        await self._stop.wait()
        with self.exchange.lock:
            self.exchange.on_notice.remove(self.hub.notice)
        looking.cancel()
        for listener in (*self.listeners.values(), *feeds):
            await listener.close()
        with contextlib.suppress(asyncio.CancelledError):
            await looking

    def _close_sockets(self) -> None:
        for opened in self._sockets:
            opened.close()
        self._sockets.clear()
