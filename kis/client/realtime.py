"""The realtime feed: prices and our own fills over one websocket that mends itself, patiently."""

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from kis.client.approval import ApprovalKey, ask_approval_key
from kis.client.codes import Environment
from kis.client.errors import KisError, KisMisconfigured, KisReplyChanged, KisUnreachable, RateLimited
from kis.client.pauses import Pauses
from kis.client.protocol import refusal
from kis.client.realtime_events import Connected, Disconnected, Event, Problem, Reconnected
from kis.client.realtime_frames import (
    SUBSCRIBE,
    Answer,
    Ping,
    Registration,
    read_frame,
    request_text,
)
from kis.client.realtime_reader import DataReader
from kis.client.realtime_socket import Channel, WebSocket
from kis.client.registrations import Registrations
from kis.client.transport import Transport

#: Codes of answers, sorted by what to do now (kis-api.md section 11.4); any other refusal ends one registration.
AS_WANTED = frozenset({"OPSP0002", "OPSP0003"})  # already in, already out
KEY_IN_USE = "OPSP8996"
BAD_APPROVAL = frozenset({"OPSP0010", "OPSP0011", "OPSP9994"})
BROKERS_TROUBLE = frozenset({"OPSP0007", "OPSP0009", "OPSP8999", "OPSP9993", "OPSP9995"})
#: So many connections in a row that end with the registration of notices: it is not the line, it is the HTS ID.
DROPS_BEFORE_GIVING_UP = 3


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the feed waits, in seconds.

    The broker shuts out clients that reconnect without end, so pauses grow, and begin anew only after a connection that
    has lasted.
    """

    connect: float = 10.0
    answer: float = 10.0
    silence: float = 45.0  # the broker's PINGPONG comes far more often
    first_pause: float = 1.0
    longest_pause: float = 300.0
    first_pause_if_busy: float = 60.0
    longest_pause_if_busy: float = 900.0
    lasting: float = 60.0


class Connect(Protocol):
    """Opens a connection. Raises KisUnreachable."""

    def __call__(self, url: str, *, timeout_seconds: float) -> Channel: ...


class RealtimeFeed:
    """Trades and notices of one environment, for one thread: whoever reads the events keeps the feed alive.

    The broker allows one connection per app key; while another program holds it, the feed waits. The notices are those
    of `environment.hts_id`: all its accounts, and orders placed elsewhere too.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        transport: Transport,
        connect: Connect = WebSocket,
        patience: Patience = Patience(),
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.environment = environment
        self.transport = transport
        self.connect = connect
        self.patience = patience
        self.wall_clock = wall_clock
        self.monotonic = monotonic
        self.sleep = sleep
        self.registrations = Registrations(environment)
        self.reader = DataReader(self.registrations)
        self.pauses = Pauses(first=patience.first_pause, longest=patience.longest_pause, uniform=uniform)
        self.pauses_if_busy = Pauses(
            first=patience.first_pause_if_busy, longest=patience.longest_pause_if_busy, uniform=uniform
        )
        self.waiting: deque[Event] = deque()
        self.channel: Channel | None = None
        self.approval: ApprovalKey | None = None
        self.has_renewed_approval = False
        self.connect_at = float("-inf")
        self.drops_at_fills = 0
        self.silent_since: datetime | None = None
        self.begin()

    def begin(self) -> None:
        """Forget what belonged to the last connection."""
        self.registrations.granted.clear()
        self.reader.begin()
        self.pending: tuple[Registration, str] | None = None
        self.asked_at = self.heard_at = self.monotonic()
        self.heard_on = self.wall_clock()
        self.live_at: float | None = None

    # --- what the caller does -------------------------------------------------------------------------------

    @property
    def unknown_frames(self) -> Counter[str]:
        """Frames nobody asked for, by TR id."""
        return self.reader.unknown_frames

    def subscribe_prices(self, codes: Iterable[str]) -> None:
        """Hear every trade of these stocks. Raises TooManyRegistrations or KisMisconfigured, and adds none of them."""
        self.registrations.add_prices(codes)

    def unsubscribe_prices(self, codes: Iterable[str]) -> None:
        self.registrations.drop_prices(codes)

    def subscribe_fills(self) -> None:
        """Hear what becomes of orders. Raises KisMisconfigured without an HTS ID, TooManyRegistrations."""
        self.registrations.add_fills()

    @property
    def wants_fills(self) -> bool:
        """Return whether notices are heard, or will be as soon as the line is back; the broker may have refused them."""
        return self.registrations.fills in self.registrations.wanted

    def events(self, *, timeout_seconds: float) -> Iterator[Event]:
        """Yield events until none has come for so long. Raises as `next_event`."""
        while (event := self.next_event(timeout_seconds=timeout_seconds)) is not None:
            yield event

    def next_event(self, *, timeout_seconds: float) -> Event | None:
        """Return the next event, None if there was none in time; connecting may take longer by its own limit.

        Raises KisRefused or KisReplyChanged where the broker gives no approval key: that is for the owner to mend.
        """
        ends_at = self.monotonic() + timeout_seconds
        while not self.waiting:
            left = ends_at - self.monotonic()
            self.go_on(max(left, 0.0))
            if left <= 0 and not self.waiting:
                return None
        return self.waiting.popleft()

    def close(self) -> None:
        """Hang up. Asked for another event, the feed would connect anew."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None
        if self.live_at is not None:
            self.silent_since = self.heard_on
        self.begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- the connection -------------------------------------------------------------------------------------

    def go_on(self, seconds: float) -> None:
        """Do the next thing that is due, or wait for it no longer than `seconds`."""
        pause = self.connect_at - self.monotonic()
        try:
            if self.channel is not None:
                self.ask_next(self.channel)
                self.listen(self.channel, seconds)
            elif not self.registrations.wanted:
                self.sleep(seconds)
            elif pause > 0:
                self.sleep(min(seconds, pause))
            else:
                self.begin()
                self.approval_key()
                self.channel = self.connect(self.environment.ws_url, timeout_seconds=self.patience.connect)
        except KisUnreachable as error:
            self.suspect_hts_id()
            self.hang_up(error.reason)
        except RateLimited as error:
            self.hang_up(error.message)

    def approval_key(self) -> str:
        """Return a key that is still good. Raises a clear no, and holds the feed back, as the owner has to act."""
        if self.approval is None or not self.approval.is_fresh(self.wall_clock()):
            try:
                self.approval = ask_approval_key(self.environment, self.transport, at=self.wall_clock())
            except (KisUnreachable, RateLimited):
                raise
            except KisError:
                self.close()
                self.connect_at = self.monotonic() + self.patience.longest_pause
                raise
        return self.approval.value

    def ask_next(self, channel: Channel) -> None:
        """Send the next request; one at a time, because not every refusal says what it refuses."""
        if self.pending is not None:
            return
        request = self.registrations.next_request()
        if request is None:
            self.announce()
            return
        registration, tr_type = request
        text = request_text(registration, tr_type=tr_type, approval_key=self.approval_key())
        self.pending = request
        self.asked_at = self.monotonic()
        channel.send(text)

    def announce(self) -> None:
        """Tell, once a connection, that everything wanted is registered."""
        if self.live_at is not None:
            return
        self.live_at = self.monotonic()
        at, since = self.wall_clock(), self.silent_since
        self.waiting.append(Connected(at) if since is None else Reconnected(at, since))

    def listen(self, channel: Channel, seconds: float) -> None:
        """Wait for a frame, and hang up where the broker has been silent for too long."""
        silent_at = self.heard_at + self.patience.silence
        late_at = self.asked_at + self.patience.answer if self.pending else silent_at
        now = self.monotonic()
        wait = 0.0 if self.waiting else min(seconds, silent_at - now, late_at - now)
        text = channel.receive(timeout_seconds=max(wait, 0.0))
        now = self.monotonic()
        if text is not None:
            self.heard_at, self.heard_on = now, self.wall_clock()
            self.hear(channel, text)
        elif now >= silent_at:
            self.hang_up("증권사가 아무 말이 없습니다")
        if self.pending is not None and now >= late_at:
            self.hang_up("등록 요청에 답이 없습니다")

    def hang_up(self, reason: str, *, is_busy: bool = False) -> None:
        """End the connection and set the pause before the next one."""
        if self.live_at is not None and self.monotonic() - self.live_at >= self.patience.lasting:
            self.pauses.start_over()
            self.pauses_if_busy.start_over()
        self.close()
        pause = (self.pauses_if_busy if is_busy else self.pauses).next()
        self.connect_at = self.monotonic() + pause
        self.waiting.append(Disconnected(reason, pause))

    def suspect_hts_id(self) -> None:
        """Give the notices up when one connection after the other ends right after asking for them."""
        fills = self.registrations.fills
        if self.pending != (fills, SUBSCRIBE):
            return
        self.drops_at_fills += 1
        if self.drops_at_fills < DROPS_BEFORE_GIVING_UP:
            return
        self.drops_at_fills = 0
        self.registrations.wanted.pop(fills, None)
        problem = (
            "체결통보를 등록할 때마다 연결이 끊겨 그만두었습니다. "
            f"KIS_{self.environment.mode.upper()}_HTS_ID를 확인해 주세요."
        )
        self.waiting.append(Problem(KisMisconfigured(problem)))

    # --- frames ---------------------------------------------------------------------------------------------

    def hear(self, channel: Channel, text: str) -> None:
        """Make events of a frame; one that cannot be read is a Problem, never an exception."""
        try:
            frame = read_frame(text)
        except KisReplyChanged as error:
            self.waiting.append(Problem(error))
            return
        if isinstance(frame, Ping):
            channel.send(frame.text)
        elif isinstance(frame, Answer):
            self.take_answer(frame)
        else:
            self.waiting.extend(self.reader.read(frame))

    def take_answer(self, answer: Answer) -> None:
        if self.pending is None or answer.tr_id not in {"", self.pending[0].tr_id}:
            self.unknown_frames[answer.tr_id] += 1
            return
        (registration, tr_type), self.pending = self.pending, None
        if not answer.is_accepted and answer.msg_cd not in AS_WANTED:
            self.take_refusal(registration, answer)
        elif tr_type == SUBSCRIBE:
            self.grant(registration, answer)
        else:
            self.registrations.granted.discard(registration)

    def grant(self, registration: Registration, answer: Answer) -> None:
        """Keep what was granted, and its key. Notices that cannot be read would be fills lost: hang up instead."""
        if answer.aes is not None:
            self.reader.keys[registration.tr_id] = answer.aes
        self.has_renewed_approval = False
        self.registrations.granted.add(registration)
        if registration != self.registrations.fills:
            return
        self.drops_at_fills = 0
        if registration.tr_id not in self.reader.keys:
            error = KisReplyChanged("output.key", tr_id=registration.tr_id, problem="암호 열쇠가 없습니다")
            self.waiting.append(Problem(error))
            self.hang_up("체결통보의 암호 열쇠를 받지 못했습니다")

    def take_refusal(self, registration: Registration, answer: Answer) -> None:
        """Wait, mend or give up, by what the broker says."""
        secrets = [*self.environment.secrets, *([self.approval.value] if self.approval else [])]
        error = refusal(answer.body, tr_id=registration.tr_id, status=200, secrets=secrets)
        self.waiting.append(Problem(error))
        if answer.msg_cd == KEY_IN_USE:
            self.hang_up("같은 앱키를 다른 프로그램이 쓰고 있습니다", is_busy=True)
        elif answer.msg_cd in BAD_APPROVAL:
            # A fresh key that is refused as well is not a matter of its age.
            self.approval = None
            self.hang_up("실시간 접속키가 받아들여지지 않습니다", is_busy=self.has_renewed_approval)
            self.has_renewed_approval = True
        elif answer.msg_cd in BROKERS_TROUBLE:
            self.hang_up("증권사의 실시간 서버에 문제가 있습니다")
        else:
            self.registrations.wanted.pop(registration, None)
            self.registrations.granted.discard(registration)
