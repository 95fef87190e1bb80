"""Who listens to what at the simulated websocket, and what each of them is told."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kis.client.codes import Mode
from kis.simulator.clock import Clock
from kis.simulator.exchange import Exchange
from kis.simulator.gateway import Gateway
from kis.simulator.orders import Notice
from kis.simulator.realtime_frames import (
    PINGPONG,
    SUBSCRIBE,
    UNSUBSCRIBE,
    AesKey,
    FeedRefused,
    Registration,
    Request,
    data_frame,
    fields_of_day,
    ping_frame,
    read_request,
    refusal_frame,
    success_frame,
)
from kis.simulator.realtime_records import book_fields, notice_fields, tick_fields
from kis.simulator.realtime_tape import Tape, Trade

MAX_REGISTRATIONS = 41
OUTBOX_FRAMES = 5_000  # a client that reads nothing is dropped, not served from memory for ever
BOTH: frozenset[Mode] = frozenset({"real", "paper"})
REAL: frozenset[Mode] = frozenset({"real"})
TICKS: dict[str, frozenset[Mode]] = {"H0STCNT0": BOTH, "H0UNCNT0": REAL, "H0NXCNT0": REAL}
BOOKS: dict[str, frozenset[Mode]] = {"H0STASP0": BOTH}
NOTICES: dict[Mode, str] = {"real": "H0STCNI0", "paper": "H0STCNI9"}
OVERSEAS_NOTICES: dict[Mode, str] = {"real": "H0GSCNI0", "paper": "H0GSCNI9"}
#: Acknowledged like the others, but nothing ever happens there.
SILENT = frozenset(
    {
        *("H0STANC0", "H0UNANC0", "H0NXANC0", "H0STMKO0", "H0UNMKO0", "H0NXMKO0", "H0STMBC0", "H0UNMBC0"),
        *("H0NXMBC0", "H0STPGM0", "H0UNPGM0", "H0NXPGM0", "H0UNASP0", "H0NXASP0", "H0UPCNT0", "H0UPANC0"),
        *("H0UPPGM0", "H0STNAV0", "H0STOUP0", "H0STOAA0", "H0STOAC0"),
    }
)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often the websocket does what it does, in seconds of real time."""

    look: float = 0.25
    tick: float = 1.0
    ping: float = 10.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame on its way out: `name` is its TR id, by which faults find it."""

    name: str
    text: str = field(repr=False)


@dataclass(eq=False, slots=True)
class Line:
    """One connection of a client. An empty place in the outbox tells it to be dropped without a word."""

    mode: Mode
    outbox: asyncio.Queue[Frame | None]
    pinged_at: float
    aes: AesKey = field(default_factory=AesKey.fresh)
    app_key: str = field(default="", repr=False)
    registrations: dict[Registration, None] = field(default_factory=dict)
    is_dropped: bool = False

    def send(self, name: str, text: str) -> None:
        try:
            self.outbox.put_nowait(Frame(name, text))
        except asyncio.QueueFull:
            self.drop()

    def drop(self) -> None:
        if self.is_dropped:
            return
        self.is_dropped = True
        if self.outbox.full():
            self.outbox.get_nowait()
        self.outbox.put_nowait(None)


class Hub:
    """All connections of both ports. Lives on the event loop; only `notice` may be called from elsewhere."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        clock: Clock,
        gateways: Mapping[Mode, Gateway],
        forced_fields: int | None,
        rhythm: Rhythm,
    ) -> None:
        self.rhythm = rhythm
        self._exchange = exchange
        self._clock = clock
        self._gateways = gateways
        self._forced_fields = forced_fields
        self._tape = Tape(exchange, seconds_between=rhythm.tick)
        self._lines: dict[Line, None] = {}
        self._loop = asyncio.get_running_loop()
        self.has_lines = asyncio.Event()

    # --- connections ----------------------------------------------------------------------------------------

    def join(self, mode: Mode) -> Line:
        line = Line(mode, asyncio.Queue(OUTBOX_FRAMES), time.monotonic())
        self._lines[line] = None
        self.has_lines.set()
        return line

    def leave(self, line: Line) -> None:
        self._lines.pop(line, None)
        if not self._lines:
            self.has_lines.clear()

    def receive(self, line: Line, text: str, *, before: Callable[[str], bool]) -> None:
        """Answer a control frame. `before` is asked once for its TR id; it returns whether to drop the line instead."""
        request = read_request(text)
        if request.is_pong or line.is_dropped:
            return
        if request.tr_type == SUBSCRIBE and request.tr_id:
            self._gateways[line.mode].traffic.count(request.tr_id)
        if before(request.tr_id):
            line.drop()
            return
        is_secret = self._is_secret(line, request.tr_id)
        try:
            is_known = self._carry_out(line, request)
        except FeedRefused as refused:
            line.send(request.tr_id, refusal_frame(request, refused, is_secret=is_secret))
            return
        if not is_known:
            line.drop()
            return
        done = success_frame(request.registration, tr_type=request.tr_type, is_secret=is_secret, aes=line.aes)
        line.send(request.tr_id, done)
        if request.tr_type == SUBSCRIBE:
            self._tell_at_once(line, request.registration)

    def _carry_out(self, line: Line, request: Request) -> bool:
        """Change what the line listens to. Returns False for an HTS ID that is not the customer's."""
        if request.refusal is not None:
            raise request.refusal
        self._admit(line, request)
        wanted = request.registration
        if request.tr_type == UNSUBSCRIBE:
            if wanted not in line.registrations:
                raise FeedRefused("OPSP0003", "UNSUBSCRIBE ERROR : not found!")
            del line.registrations[wanted]
        else:
            if wanted in line.registrations:
                raise FeedRefused("OPSP0002", "ALREADY IN SUBSCRIBE")
            if not self._check_key(line, wanted):
                return False
            if len(line.registrations) >= MAX_REGISTRATIONS:
                raise FeedRefused("OPSP0008", "MAX SUBSCRIBE OVER")
            line.registrations[wanted] = None
        return True

    def _admit(self, line: Line, request: Request) -> None:
        """Check approval key, type and TR id; the first admitted request binds the line to its app key."""
        app_key = next(
            (
                gateway.credentials.app_key
                for gateway in self._gateways.values()
                if gateway.approves(request.approval_key)
            ),
            None,
        )
        if app_key is None:
            raise FeedRefused("OPSP0011", "invalid approval : NOT FOUND")
        if request.tr_type not in {SUBSCRIBE, UNSUBSCRIBE}:
            raise FeedRefused("OPSP8997", "JSON PARSING ERROR : invalid tr_type")
        if any(
            other.app_key == app_key for other in self._lines if other is not line and not other.is_dropped
        ):
            raise FeedRefused("OPSP8996", "ALREADY IN USE appkey")
        if not self._has_tr(line.mode, request.tr_id):
            raise FeedRefused("OPSP8991", "SUBSCRIBE ERROR : invalid tr_id")
        line.app_key = app_key

    def _has_tr(self, mode: Mode, tr_id: str) -> bool:
        if tr_id in {NOTICES[mode], OVERSEAS_NOTICES[mode]}:
            return True
        modes = REAL if tr_id in SILENT else TICKS.get(tr_id) or BOOKS.get(tr_id) or ()
        return mode in modes

    def _is_secret(self, line: Line, tr_id: str) -> bool:
        return tr_id in {NOTICES[line.mode], OVERSEAS_NOTICES[line.mode]}

    def _check_key(self, line: Line, wanted: Registration) -> bool:
        """Refuse an unknown stock. Returns False for an HTS ID that is not the customer's."""
        if self._is_secret(line, wanted.tr_id):
            return wanted.tr_key == self._gateways[line.mode].credentials.hts_id
        if wanted.tr_id not in SILENT and self._exchange.market.listing(wanted.tr_key) is None:
            raise FeedRefused("OPSP8992", "SUBSCRIBE ERROR : invalid tr_key")
        return True

    # --- what they are told ---------------------------------------------------------------------------------

    def notice(self, notice: Notice) -> None:
        """Pass an execution notice on; called under the lock of the exchange, from whatever thread fills orders."""
        mode = notice.order.mode
        listing = self._exchange.market.listing(notice.order.code)
        record = notice_fields(
            notice,
            hts_id=self._gateways[mode].credentials.hts_id,
            name=listing.name if listing else notice.order.code,
            year=fields_of_day(notice.at.date(), self._forced_fields),
        )
        self._loop.call_soon_threadsafe(self._send_notice, mode, record)

    def _send_notice(self, mode: Mode, record: list[str]) -> None:
        wanted = Registration(NOTICES[mode], self._gateways[mode].credentials.hts_id)
        for line in self._lines:
            if line.mode == mode and wanted in line.registrations:
                line.send(wanted.tr_id, data_frame(wanted.tr_id, [record], aes=line.aes))

    def look(self) -> None:
        """Trade what the clock has brought, tell what is new, and keep the connections awake."""
        if not self._lines:
            return
        monotonic = time.monotonic()
        with self._exchange.lock:
            now = self._clock.now()
            self._exchange.advance(now)
            codes = {registration.tr_key for _, registration in self._of_stocks()}
            self._tape.keep(codes)
            told = {code: self._tape.due(code, now, monotonic) for code in codes}
        for line, registration in self._of_stocks():
            self._tell(line, registration, told[registration.tr_key])
        for line in self._lines:
            if monotonic - line.pinged_at >= self.rhythm.ping:
                line.pinged_at = monotonic
                line.send(PINGPONG, ping_frame(now))

    def _of_stocks(self) -> Iterator[tuple[Line, Registration]]:
        for line in self._lines:
            for registration in line.registrations:
                if registration.tr_id in TICKS or registration.tr_id in BOOKS:
                    yield line, registration

    def _tell_at_once(self, line: Line, registration: Registration) -> None:
        """Send a new listener what the stock shows now, if the market trades."""
        if registration.tr_id not in TICKS and registration.tr_id not in BOOKS:
            return
        with self._exchange.lock:
            trade = self._tape.latest(registration.tr_key, self._clock.now(), time.monotonic())
        self._tell(line, registration, [trade] if trade else [])

    def _tell(self, line: Line, registration: Registration, trades: list[Trade]) -> None:
        if not trades:
            return
        if registration.tr_id in BOOKS:
            trades, write = trades[-1:], book_fields
        else:
            write = tick_fields
        records = [write(trade, self._year(trade.at)) for trade in trades]
        line.send(registration.tr_id, data_frame(registration.tr_id, records))

    def _year(self, moment: datetime) -> int:
        return fields_of_day(moment.date(), self._forced_fields)
