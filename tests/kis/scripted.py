"""A session whose broker plays a script, with a clock that moves only when told."""

import json
from datetime import UTC, datetime, timedelta

from kis.client.auth import MemoryTokenStore, Token
from kis.client.codes import AccountNumber, Environment
from kis.client.errors import KisUnreachable
from kis.client.protocol import RawReply
from kis.client.session import Session
from kis.client.throttle import Pacer

NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
APP_KEY, APP_SECRET = "K" * 36, "S" * 180


class Clock:
    """A clock that moves only when somebody sleeps or a call takes its time."""

    def __init__(self):
        self.seconds = 0.0

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        assert seconds >= 0
        self.seconds += seconds

    def wall(self):
        return NOON + timedelta(seconds=self.seconds)


class Script:
    """Answers the calls one after the other; an exception is raised, a dict becomes a reply."""

    def __init__(self, clock, *answers, call_seconds=0.1):
        self.clock = clock
        self.answers = list(answers)
        self.call_seconds = call_seconds
        self.sent = []

    def send(self, request, *, timeout_seconds):
        self.sent.append(request)
        self.clock.seconds += min(self.call_seconds, timeout_seconds)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, RawReply):
            return answer
        return reply(answer)


def reply(body, *, status=200, tr_cont="D"):
    return RawReply(status=status, headers={"tr_cont": tr_cont}, body=json.dumps(body).encode())


def token_reply(value="token-1", expires="2026-11-21 12:00:00"):
    return reply(
        {
            "access_token": value,
            "token_type": "Bearer",
            "expires_in": 86400,
            "access_token_token_expired": expires,
        }
    )


def error(code, *, status=500, rt_cd="1"):
    return reply({"rt_cd": rt_cd, "msg_cd": code, "msg1": "안 됩니다"}, status=status)


FINE = {"rt_cd": "0", "output": {"nrcvb_buy_amt": "1"}}
LOST = KisUnreachable("시간 안에 응답이 없습니다")


def environment(mode="real", **changes):
    values = {
        "mode": mode,
        "base_url": "http://127.0.0.1:9443",
        "ws_url": "ws://127.0.0.1:21000",
        "app_key": APP_KEY,
        "app_secret": APP_SECRET,
        "account": AccountNumber.parse("12345678-01"),
        **changes,
    }
    return Environment(**values)


def make_session(*answers, mode="real", tokens=None, call_seconds=0.1, **changes):
    clock = Clock()
    script = Script(clock, *answers, call_seconds=call_seconds)
    session = Session(
        environment(mode, **changes),
        transport=script,
        tokens=tokens or stored_token(),
        budget=Pacer(0.0625, monotonic=clock.monotonic, sleep=clock.sleep),
        wall_clock=clock.wall,
        monotonic=clock.monotonic,
        sleep=clock.sleep,
    )
    return session, script, clock


class SharedTokens(MemoryTokenStore):
    """One stored token, whatever the key."""

    def __init__(self, token=None):
        super().__init__()
        self.token = token

    def current(self, key_id):
        return self.tokens.get(key_id, self.token)


def stored_token(*, expires_at=NOON + timedelta(hours=20)):
    return SharedTokens(Token("stored", expires_at, generation=1))
