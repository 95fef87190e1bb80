"""Follow the notices of an account as the broker sends them, into its books."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from queue import Empty, SimpleQueue
from random import uniform
from typing import NoReturn, Protocol

from django.db import DataError, IntegrityError
from django.utils import timezone

from kis.accounts import Account, Source
from kis.client.auth import key_id
from kis.client.codes import Environment
from kis.client.errors import KisError, KisMisconfigured
from kis.client.pauses import Pauses
from kis.client.realtime import Patience, RealtimeFeed
from kis.client.realtime_events import Connected, Disconnected, Event, Problem, Reconnected
from kis.client.records.realtime import FillNotice, NoticeKind
from kis.client.transport import HttpTransport
from kis.connect import Connection
from kis.feed_lease import RENEW_SECONDS, FollowedElsewhere, Lease, feed_lease
from kis.korean import SEOUL
from kis.reconnecting import AWAY, drop_dead_connection
from kis.sync.order_news import apply_notice
from kis.sync.order_poll import copy_orders


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the follower does what it does, in seconds.

    A fill heard less than `unsure` before or after the list was read may be in it or not: the list is asked again.
    """

    look: float = 0.5
    renew: float = RENEW_SECONDS
    unsure: float = 5.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    hang_up: float = 2.0


class Watcher(Protocol):
    """Hears what the follower hears, and what it has to say about itself, in Korean."""

    def heard(self, notice: FillNotice) -> None: ...

    def told(self, sentence: str) -> None: ...


# --- who can be followed ------------------------------------------------------------------------------------------


def require_hts_id(account: Account, environment: Environment) -> None:
    """Raise KisMisconfigured where no HTS ID is configured, saying where it belongs."""
    if environment.hts_id:
        return
    where = f".env에 KIS_{environment.mode.upper()}_HTS_ID 값을 넣어 주세요."
    if account.source is Source.DATABASE:
        where = f"관리자 화면의 '연결한 계좌'에서 '{account.label}'에 HTS ID를 넣어 주세요."
    raise KisMisconfigured(f"체결통보를 받으려면 HTS ID가 필요합니다: {where}")


def followable(accounts: Iterable[Account]) -> list[Account]:
    """Return the accounts in use that have an HTS ID, one for each app key; one that cannot be read is left out."""
    found: dict[str, Account] = {}
    for account in accounts:
        if account.unused:
            continue
        try:
            environment = account.environment()
        except KisMisconfigured:
            continue
        if environment.hts_id:
            found.setdefault(key_id(environment), account)
    return list(found.values())


# --- listening ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heard:
    """What the feed said; `at` is the market's time of it and `moment` that of a clock that only goes forward."""

    event: Event | KisError
    at: datetime
    moment: float


class Ear:
    """Keeps the feed alive in a thread of its own, whatever the database or an inquiry takes its time for."""

    def __init__(self, feed: RealtimeFeed, *, now: Callable[[], datetime], look_seconds: float) -> None:
        self.feed = feed
        self.now = now
        self.look_seconds = look_seconds
        self.waiting: SimpleQueue[Heard] = SimpleQueue()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.listen, name="feed", daemon=True)

    def listen(self) -> None:
        """Pass everything on until told to stop, or until the broker will not tell of fills any more."""
        with self.feed:
            while not self.stopping.is_set():
                try:
                    event: Event | KisError | None = self.feed.next_event(timeout_seconds=self.look_seconds)
                except KisError as error:
                    event = error
                if event is None:
                    continue
                if isinstance(event, Problem) and not self.feed.wants_fills:
                    self.pass_on(NotTold(str(event.error)))
                    return
                self.pass_on(event)

    def pass_on(self, event: Event | KisError) -> None:
        self.waiting.put(Heard(event, self.now(), time.monotonic()))

    def next(self) -> Heard | None:
        """Return what was heard next, None if that was nothing for a moment. Raises RuntimeError without an ear."""
        try:
            return self.waiting.get(timeout=self.look_seconds)
        except Empty:
            if self.thread.is_alive():
                return None
        raise RuntimeError("the thread that listens has ended")

    def left(self) -> Iterator[Heard]:
        """Yield what is waiting already."""
        while not self.waiting.empty():
            yield self.waiting.get_nowait()


class NotTold(KisError):
    """The broker refuses to tell of fills; nothing will be heard any more."""


# --- following ----------------------------------------------------------------------------------------------------


def follow_fills(connection: Connection, *, watcher: Watcher) -> NoReturn:
    """Write each notice of an account into its orders until interrupted, and poll the orders after each (re)connect.

    A database that is locked or gone is waited for, with the notices in hand. Raises FollowedElsewhere while another
    process listens with this app key, KisMisconfigured without an HTS ID, and KisError where the broker refuses.
    """
    with following(connection, watcher=watcher) as follower:
        while True:
            follower.go_on()


@contextmanager
def following(
    connection: Connection, *, watcher: Watcher, patience: Patience | None = None, pace: Pace = Pace()
) -> Iterator["Follower"]:
    """Listen for as long as the caller goes on; raises as `follow_fills`."""
    environment = connection.environment
    with closing(HttpTransport()) as transport, feed_lease(key_id(environment)) as lease:
        feed = RealtimeFeed(
            environment, transport=transport, patience=patience or Patience(), wall_clock=connection.now
        )
        feed.subscribe_fills()
        ear = Ear(feed, now=connection.now, look_seconds=pace.look)
        ear.thread.start()
        follower = Follower(connection, ear, lease=lease, watcher=watcher, pace=pace)
        try:
            yield follower
        finally:
            ear.stopping.set()
            ear.thread.join(pace.hang_up)
            follower.finish()


class Follower:
    """What has been heard of one account and is not in its books yet."""

    def __init__(
        self, connection: Connection, ear: Ear, *, lease: Lease, watcher: Watcher, pace: Pace
    ) -> None:
        self.connection = connection
        self.ear = ear
        self.lease = lease
        self.watcher = watcher
        self.pace = pace
        self.unwritten: deque[tuple[FillNotice, datetime]] = deque()
        self.fills: set[FillNotice] = set()
        self.fills_on: date | None = None
        self.was_live = False
        #: Orders to be asked for: from which day, and not before which moment.
        self.ask_since: date | None = None
        self.ask_at = 0.0
        self.asked_until = self.filled_at = float("-inf")
        self.renew_at = time.monotonic() + pace.renew
        self.database_at = 0.0
        self.database_is_away = False
        self.pauses = Pauses(first=pace.first_pause, longest=pace.longest_pause, uniform=uniform)
        self.database_pauses = Pauses(first=pace.first_pause, longest=pace.longest_pause, uniform=uniform)

    def go_on(self) -> None:
        """Take what was heard next, and write what can be written; takes about `look` seconds where nothing is told."""
        heard = self.ear.next()
        if heard is not None:
            self.take(heard)
        self.keep_books()

    def finish(self) -> None:
        """Write what has been heard before the end; what the database does not take now is polled at the next start."""
        for heard in self.ear.left():
            if isinstance(heard.event, FillNotice):
                self.take_notice(heard.event, heard)
        try:
            self.write_notices()
        except AWAY:
            self.watcher.told(
                f"통보 {len(self.unwritten)}건을 적지 못했습니다. 다시 시작하면 주문 조회로 채웁니다."
            )

    # --- what was heard -------------------------------------------------------------------------------------

    def take(self, heard: Heard) -> None:
        """Keep a notice to be written, or tell what became of the line. Raises KisError where listening is over."""
        event, today = heard.event, heard.at.astimezone(SEOUL).date()
        if isinstance(event, FillNotice):
            self.take_notice(event, heard)
        elif isinstance(event, Connected | Reconnected):
            self.was_live = True
            silent_since = event.silent_since if isinstance(event, Reconnected) else heard.at
            again = "다시 " if isinstance(event, Reconnected) else ""
            self.watcher.told(f"체결통보에 {again}연결했습니다.")
            self.ask_orders(min(silent_since.astimezone(SEOUL).date(), today))
        elif isinstance(event, Disconnected):
            self.watcher.told(f"{event.reason}. {event.retry_seconds:.0f}초 뒤에 다시 연결합니다.")
        elif isinstance(event, Problem):
            self.watcher.told(str(event.error))
            self.ask_orders(today)
        elif isinstance(event, NotTold) or (isinstance(event, KisError) and not self.was_live):
            raise event
        elif isinstance(event, KisError):
            # The line has worked before, and the feed tries again by itself after its longest pause.
            self.watcher.told(str(event))

    def take_notice(self, notice: FillNotice, heard: Heard) -> None:
        """Keep a notice of this account; those of other accounts of the HTS ID are not ours to write."""
        if notice.account != self.connection.environment.account:
            return
        self.unwritten.append((notice, heard.at))  # first: whoever reads of it may end us at once
        self.watcher.heard(notice)
        if notice.kind is not NoticeKind.FILLED:
            return
        today = heard.at.astimezone(SEOUL).date()
        if today != self.fills_on:
            self.fills, self.fills_on = set(), today
        # The same words twice: a repetition, or two fills alike within a second. Only the list can tell.
        is_doubtful = notice in self.fills or heard.moment < self.asked_until + self.pace.unsure
        self.fills.add(notice)
        self.filled_at = heard.moment
        if is_doubtful:
            self.ask_orders(today, after=self.pace.unsure)

    def ask_orders(self, since: date, *, after: float = 0.0) -> None:
        """Plan to read the broker's list; what is planned already is not put off."""
        at = time.monotonic() + after
        self.ask_at = at if self.ask_since is None else min(self.ask_at, at)
        self.ask_since = since if self.ask_since is None else min(self.ask_since, since)

    # --- into the books -------------------------------------------------------------------------------------

    def keep_books(self) -> None:
        """Do what is due in the database. Raises FollowedElsewhere once another process has taken the lease over."""
        if time.monotonic() < self.database_at:
            return
        drop_dead_connection()
        try:
            self.write_notices()
            self.renew_lease()
            self.poll_orders()
        except AWAY:
            pause = self.database_pauses.next()
            self.database_at = time.monotonic() + pause
            if not self.database_is_away:
                self.database_is_away = True
                self.watcher.told("데이터베이스를 쓸 수 없습니다. 받은 통보를 쥐고 기다립니다.")
            return
        if self.database_is_away:
            self.database_is_away = False
            self.database_pauses.start_over()
            self.watcher.told("데이터베이스를 다시 쓸 수 있습니다. 쥐고 있던 통보를 모두 적었습니다.")

    def write_notices(self) -> None:
        while self.unwritten:
            notice, at = self.unwritten[0]
            try:
                apply_notice(self.connection.environment, notice, at=at)
            except (IntegrityError, DataError):
                self.watcher.told(f"주문 {notice.number}의 통보를 장부에 적지 못해 주문을 조회합니다.")
                self.ask_orders(at.astimezone(SEOUL).date())
            self.unwritten.popleft()

    def renew_lease(self) -> None:
        if time.monotonic() < self.renew_at:
            return
        if not self.lease.take(now=timezone.now()):
            raise FollowedElsewhere
        self.renew_at = time.monotonic() + self.pace.renew

    def poll_orders(self) -> None:
        """Read the broker's list where that is planned; one that cannot be had is asked for again later."""
        if self.ask_since is None or time.monotonic() < self.ask_at:
            return
        began, since = time.monotonic(), self.ask_since
        try:
            changes = copy_orders(self.connection, first=since)
        except KisError as error:
            self.ask_at = time.monotonic() + self.pauses.next()
            self.watcher.told(f"주문을 조회하지 못했습니다. {error}")
            return
        self.pauses.start_over()
        self.ask_since, self.asked_until = None, time.monotonic()
        if self.filled_at > began - self.pace.unsure:
            self.ask_orders(since, after=self.pace.unsure)
        if changes.new or changes.changed:
            self.watcher.told(f"주문 조회: 새 {changes.new}건, 바뀜 {changes.changed}건")
