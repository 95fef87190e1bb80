"""The simulator as a whole: market, accounts and both hosts, served in a thread of its own."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from kis.client.codes import Mode
from kis.simulator.clock import Clock, checked, wall_now
from kis.simulator.errors import CannotStart
from kis.simulator.exchange import Exchange
from kis.simulator.gateway import Credentials, Gateway
from kis.simulator.host import Host
from kis.simulator.hours import at
from kis.simulator.ledger import Account
from kis.simulator.listener import Listener, bind
from kis.simulator.market import SESSION_TIME, Market, read_market
from kis.simulator.realtime import Feed, keep_looking
from kis.simulator.realtime_hub import Hub, Rhythm
from kis.simulator.seed import fill_sample_accounts
from kis.simulator.state import read_state, restore, write_state

MODES: tuple[Mode, ...] = ("real", "paper")
Ports = dict[Mode, socket.socket]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """How a simulator is started; port 0 picks a free one, `state_file` None keeps nothing.

    `limits=False` lifts the rates and the minute between token calls. `ws_fields` is the year whose field lists the
    websocket sends (2023, 2025 or 2026); None follows the clock. `accounts` are numbers (`12345678-22`) to serve in
    place of the default ones.
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
    accounts: Mapping[Mode, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one host of the broker is found and what a client needs for it."""

    url: str
    ws: str
    account: str
    app_key: str
    app_secret: str
    hts_id: str


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
        credentials = {mode: Credentials.fixed(mode, config.accounts.get(mode, "")) for mode in MODES}
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
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(bound, ws_bound, ready), name="kis-simulator", daemon=True
        )
        self._thread.start()
        if error := ready.exception():
            self._thread.join()
            self._thread = None
            self._close_sockets()
            raise error
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

    def _run(self, bound: Ports, ws_bound: Ports, ready: "Future[None]") -> None:
        try:
            asyncio.run(self._serve(bound, ws_bound, ready))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)  # whoever starts us waits for a word

    async def _serve(self, bound: Ports, ws_bound: Ports, ready: "Future[None]") -> None:
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
        ready.set_result(None)
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
