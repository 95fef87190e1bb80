"""The access token: ask for one, read its answer, keep it where every user of the app key finds it."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from kis.client.codes import Environment
from kis.client.errors import KisReplyChanged
from kis.client.protocol import OK, Request, Row, read_json, refusal
from kis.client.transport import Transport

SEOUL = ZoneInfo("Asia/Seoul")
TOKEN_PATH = "/oauth2/tokenP"  # noqa: S105  # an address
TOKEN_TR = "tokenP"  # noqa: S105  # a name for messages
TOKEN_TIMEOUT_SECONDS = 15.0
# Renewed this long before the broker's own expiry, so that no call starts with a dying token.
RENEW_BEFORE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. `generation` counts the tokens of one app key, so that a refusal renews each only once."""

    value: str = field(repr=False)
    expires_at: datetime
    generation: int = 0

    def is_fresh(self, at: datetime) -> bool:
        return at < self.expires_at - RENEW_BEFORE


class TokenStore(Protocol):
    """Where the token of an app key lives."""

    def current(self, key_id: str) -> Token | None:
        """Return the stored token, fresh or not, or None."""

    def renew(self, key_id: str, *, seen: int, ask: Callable[[], Token]) -> Token:
        """Return a token of a later generation than `seen`; whoever comes first calls `ask`, the others wait."""


class MemoryTokenStore:
    """Keeps tokens in this process, for tests and single scripts."""

    def __init__(self) -> None:
        self.tokens: dict[str, Token] = {}
        self.asking = threading.Lock()

    def current(self, key_id: str) -> Token | None:
        return self.tokens.get(key_id)

    def renew(self, key_id: str, *, seen: int, ask: Callable[[], Token]) -> Token:
        with self.asking:
            stored = self.tokens.get(key_id)
            if stored is None or stored.generation <= seen:
                token = ask()
                stored = Token(token.value, token.expires_at, seen + 1)
                self.tokens[key_id] = stored
            return stored


def key_id(environment: Environment) -> str:
    """Name an app key without giving it away; a key belongs to one host family, whatever its address of the day."""
    return hashlib.sha256(f"{environment.mode}|{environment.app_key}".encode()).hexdigest()


def ask_token(environment: Environment, transport: Transport) -> Token:
    """Ask the broker for a token; each new one messages the owner's phone.

    Raises TokenTooSoon within a minute of the last one, KisRefused for wrong keys, KisUnreachable, KisReplyChanged.
    https://apiportal.koreainvestment.com/apiservice/oauth2#L_fa778c98-f68d-451e-8fff-b1c6bfe5cd30
    """
    request = Request(
        method="POST",
        url=environment.base_url.rstrip("/") + TOKEN_PATH,
        tr_id=TOKEN_TR,
        headers={"content-type": "application/json; charset=utf-8"},
        body={
            "grant_type": "client_credentials",
            "appkey": environment.app_key,
            "appsecret": environment.app_secret,
        },
    )
    raw = transport.send(request, timeout_seconds=TOKEN_TIMEOUT_SECONDS)
    body = read_json(raw, tr_id=TOKEN_TR)
    if raw.status != OK or "error_code" in body:
        raise refusal(body, tr_id=TOKEN_TR, status=raw.status, secrets=environment.secrets)
    row = Row(body, tr_id=TOKEN_TR)
    value = row.text("access_token", longest=2000)
    # `expires_in` is unreliable on a re-issued token (kis-api.md section 3); this one is the truth, in Korean time.
    printed = row.text("access_token_token_expired")
    try:
        expires_at = datetime.strptime(printed, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SEOUL)
    except ValueError:
        raise KisReplyChanged(
            "access_token_token_expired", tr_id=TOKEN_TR, problem="만료 시각을 읽을 수 없습니다"
        ) from None
    return Token(value, expires_at)
