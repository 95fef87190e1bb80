"""One host of the broker over HTTP: its transactions, its control plane, and the trouble that is due."""

import asyncio
import hashlib
import json
import secrets
import socket
import struct
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from kis.client.codes import Mode
from kis.simulator import control, wire
from kis.simulator.errors import ControlRefused
from kis.simulator.faults import TOKEN_SERVICES, Fault, Faults, reshape
from kis.simulator.gateway import Gateway, gateway_refusal
from kis.simulator.master import master_file
from kis.simulator.replies import WireResponse, json_response
from kis.simulator.services import table
from kis.simulator.services.base import Call

if TYPE_CHECKING:
    from kis.simulator.server import Simulator

LOOPBACK = {"127.0.0.1", "::1"}
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: closing sends RST
HANG_MS = 60_000
DRIP_BYTES = 64
DRIP_MS = 50
HTML_PAGE = b"<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head><body>Service Unavailable</body></html>"
HASHKEY = "hashkey"
MASTER_FOLDER, MASTER_ENDING = "/common/master/", ".mst.zip"


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
            if request.method == "GET" and path.startswith(MASTER_FOLDER):
                await self._master(path)(scope, receive, send)
                return
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

    def _master(self, path: str) -> WireResponse:
        """Answer for the public stock lists, which are fetched without any key."""
        name = path.removeprefix(MASTER_FOLDER).removesuffix(MASTER_ENDING)
        with self.exchange.lock:
            packed = master_file(self.exchange.market, name, on=self.simulator.now().date())
        if packed is None or not path.endswith(MASTER_ENDING):
            return WireResponse(b"", status=404, headers={"Content-Type": "text/html"})
        return WireResponse(packed, headers={"Content-Type": "application/zip"})

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
            return self._approval_desk(fields).issue_approval(fields), False
        return self.gateway.revoke_token(fields), False

    def _approval_desk(self, fields: dict[str, str]) -> Gateway:
        """Return who issues an approval key: users of a paper account ask its host for their real one too."""
        real = self.simulator.gateways["real"]
        asks_for_real = fields.get("appkey") == real.credentials.app_key
        return real if self.mode == "paper" and asks_for_real else self.gateway

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
        signed = f"{self.gateway.credentials.app_key}{text}".encode(errors="replace")
        digest = hashlib.sha256(signed).hexdigest()
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
    return wire.Params({name: _text(value) for name, value in given.items()})


def _text(value: object) -> str:
    """Write a value of a body as text; null says the same as a blank."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


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
