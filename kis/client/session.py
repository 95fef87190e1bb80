"""Reads of one account: token, pace, retries and pages around the protocol."""

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import count

from kis.client.auth import Token, TokenStore, ask_token, key_id
from kis.client.codes import TR, Environment
from kis.client.drift import Observer, watch
from kis.client.errors import KisReplyChanged, KisUnreachable, RateLimited, TokenExpired
from kis.client.protocol import LAST, Cursor, Reply, read_reply, read_request
from kis.client.throttle import SECONDS_BETWEEN_CALLS, Budget, Pacer
from kis.client.transport import Transport

CALL_TIMEOUT_SECONDS = 10.0
READ_DEADLINE_SECONDS = 30.0
MAX_ATTEMPTS = 5
BACKOFF_BASE_SECONDS = 0.4
BACKOFF_CAP_SECONDS = 6.0
MAX_PAGES = 200

#: The cursor of an account's inquiry begins with its number: `12345678^01^…`, or with `!^` between (kis-api.md section 6).
ACCOUNT_IN_CURSOR = re.compile(r"([0-9]{8})!?\^")


class Session:
    """Inquiries of one environment. Only reads go through here, because a read may be repeated and an order may not.

    `wall_clock` is the real time (tokens expire by it), whatever day a simulator plays. `on_drift` hears of replies that
    are not as documented.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        transport: Transport,
        tokens: TokenStore,
        budget: Budget | None = None,
        on_drift: Observer | None = None,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.environment = environment
        self.transport = transport
        self.tokens = tokens
        self.budget = budget or Pacer(SECONDS_BETWEEN_CALLS[environment.mode], sleep=sleep)
        self.on_drift = on_drift
        self.wall_clock = wall_clock
        self.monotonic = monotonic
        self.sleep = sleep
        self.key_id = key_id(environment)
        #: Calls sent, and how many of them the broker refused for their number.
        self.requests = 0
        self.rate_limited = 0

    def read(self, tr: TR, params: Mapping[str, str], *, cursor: Cursor | None = None) -> Reply:
        """Ask once, or again where that is safe, within a total deadline.

        Raises NotOffered, KisRefused, KisReplyChanged at once, KisUnreachable or RateLimited when repeating did not
        help.
        """
        self.environment.tr_id(tr)  # what the host lacks must not cost a token
        ends_at = self.monotonic() + READ_DEADLINE_SECONDS
        token = self.token()
        renewed = False
        for attempt in count(1):  # pragma: no branch  # ends by returning or raising
            try:
                return self.call(tr, params, token=token, cursor=cursor, ends_at=ends_at)
            except TokenExpired:
                # Tokens die early in the broker's maintenance; a second refusal is not about the token's age.
                if renewed:
                    raise
                token = self.token(refused=token)
                renewed = True
            except (KisUnreachable, RateLimited) as error:
                if isinstance(error, RateLimited):
                    self.rate_limited += 1
                    self.budget.refused()
                pause = self.pause(attempt, error)
                if attempt == MAX_ATTEMPTS or self.monotonic() + pause >= ends_at:
                    raise
                self.sleep(pause)
        raise AssertionError("endless")  # pragma: no cover  # the last attempt returns or raises

    def pages(self, tr: TR, params: Mapping[str, str]) -> Iterator[Reply]:
        """Yield every page of an inquiry in order. Raises KisReplyChanged when the cursors do not lead to an end."""
        cursor: Cursor | None = None
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            first = {"CTX_AREA_FK100": "", "CTX_AREA_NK100": ""} if cursor is None else {}
            reply = self.read(tr, {**params, **first}, cursor=cursor)
            refuse_other_account(reply, params)
            yield reply
            # "F" on a last page has been seen; its cursor was blank (kis-api.md section 2.2). "M" never means that.
            if reply.tr_cont in LAST or (reply.cursor.is_blank and reply.tr_cont != "M"):
                return
            if not reply.more:
                # A header lost on the way must not pass for a last page: the cursor says that more follows.
                raise KisReplyChanged("tr_cont", tr_id=reply.tr_id, problem="다음 쪽이 있는지 알 수 없습니다")
            if reply.cursor.is_blank:
                raise KisReplyChanged(
                    "ctx_area_nk100", tr_id=reply.tr_id, problem="다음 쪽을 찾을 수 없습니다"
                )
            if reply.cursor.nk in seen:
                raise KisReplyChanged("ctx_area_nk100", tr_id=reply.tr_id, problem="같은 쪽이 되풀이됩니다")
            seen.add(reply.cursor.nk)
            cursor = reply.cursor
        raise KisReplyChanged("tr_cont", tr_id=self.environment.tr_id(tr), problem="조회가 끝나지 않습니다")

    def call(
        self, tr: TR, params: Mapping[str, str], *, token: Token, cursor: Cursor | None, ends_at: float
    ) -> Reply:
        request = read_request(self.environment, tr, params, token=token.value, cursor=cursor)
        self.budget.wait()
        remaining = ends_at - self.monotonic()
        if remaining <= 0:
            raise KisUnreachable("시간 안에 응답이 없습니다", tr_id=request.tr_id)
        self.requests += 1
        raw = self.transport.send(request, timeout_seconds=min(CALL_TIMEOUT_SECONDS, remaining))
        secrets = (*self.environment.secrets, token.value)
        return watch(read_reply(raw, tr_id=request.tr_id, secrets=secrets), self.on_drift)

    def token(self, *, refused: Token | None = None) -> Token:
        """Return a token the broker has not refused yet, asking for a new one only when there is none."""
        stored = self.tokens.current(self.key_id)
        if refused is None and stored and stored.is_fresh(self.wall_clock()):
            return stored
        seen = refused.generation if refused else stored.generation if stored else 0
        return self.tokens.renew(self.key_id, seen=seen, ask=self.ask_token)

    def ask_token(self) -> Token:
        self.requests += 1
        return ask_token(self.environment, self.transport)

    def pause(self, attempt: int, error: KisUnreachable | RateLimited) -> float:
        """Return seconds to wait: full jitter, and after a rate refusal at least until the next second's budget."""
        jitter = random.uniform(0, min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2**attempt))  # noqa: S311
        if isinstance(error, RateLimited):
            return max(self.budget.seconds, 0.1) + jitter
        return jitter


def refuse_other_account(reply: Reply, params: Mapping[str, str]) -> None:
    """Raise KisReplyChanged where the conditions that the cursor repeats are of another account than was asked for."""
    of_account = ACCOUNT_IN_CURSOR.match(reply.cursor.fk)
    if of_account and of_account[1] != params.get("CANO", of_account[1]):
        raise KisReplyChanged("ctx_area_fk100", tr_id=reply.tr_id, problem="다른 계좌의 자료가 왔습니다")
