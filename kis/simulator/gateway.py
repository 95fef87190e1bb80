"""The door of the broker: keys, tokens, rate limits. Lives on real time, like the clients it lets in."""

import base64
import hashlib
import json
import secrets
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

from kis.client.codes import APP_KEY_LENGTH, APP_SECRET_LENGTH, Mode
from kis.simulator.clock import wall_now
from kis.simulator.wire import Json, Refused

TOKEN_LIFE = timedelta(hours=24)
SAME_TOKEN_FOR = timedelta(hours=6)
BETWEEN_TOKEN_CALLS = timedelta(minutes=1)
BETWEEN_APPROVALS = timedelta(seconds=0.98)
RATE_WINDOW_SECONDS = 0.98  # calls sent exactly a second apart may arrive a little closer together
BURST_WINDOW_SECONDS = 1.0
REAL_ONLY_FIRST_LETTERS = frozenset("TCJ")
BEARER = "Bearer "
CHARACTERS_OF_A_DIGEST = 103  # of 64 bytes in base 32

DEFAULT_ACCOUNTS: dict[Mode, str] = {"real": "12345678-01", "paper": "50012345-01"}
HTS_IDS: dict[Mode, str] = {"real": "aegisreal", "paper": "aegispaper"}


def fixed_text(purpose: str, length: int) -> str:
    """Return letters and digits that are the same in every run."""
    wanted = length // CHARACTERS_OF_A_DIGEST + 1
    digits = (hashlib.sha512(f"{purpose} {count}".encode()).digest() for count in range(wanted))
    text = "".join(base64.b32encode(digest).decode().rstrip("=") for digest in digits)
    return text[:length]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client of one host needs."""

    mode: Mode
    account: str
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    hts_id: str

    @classmethod
    def fixed(cls, mode: Mode, account: str = "") -> "Credentials":
        """Return those of the default account, or of another one, which has keys of its own."""
        owner = f"{mode} {account}" if account else mode
        return cls(
            mode=mode,
            account=account or DEFAULT_ACCOUNTS[mode],
            app_key="PS" + fixed_text(f"{owner} key", APP_KEY_LENGTH - 2),
            app_secret=fixed_text(f"{owner} secret", APP_SECRET_LENGTH),
            hts_id=HTS_IDS[mode],
        )


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, or the approval key of a websocket, and its life on the real clock."""

    text: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime


@dataclass(slots=True)
class Traffic:
    """What came in, for the control plane."""

    counts: Counter[str] = field(default_factory=Counter)
    rate_limited: int = 0
    tokens_issued: int = 0
    longest_burst: int = 0
    _recent: deque[float] = field(default_factory=deque)

    def count(self, name: str) -> None:
        self.counts[name] += 1

    def note_arrival(self, moment: float) -> None:
        self._recent.append(moment)
        while self._recent[0] <= moment - BURST_WINDOW_SECONDS:
            self._recent.popleft()
        self.longest_burst = max(self.longest_burst, len(self._recent))


class OauthRefused(Refused):
    """A refusal of the token service, which has its own two keys and HTTP 403."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description, status=403)
        self.body = {"error_description": description, "error_code": code}


def gateway_refusal(code: str, text: str) -> Refused:
    """Return a refusal of the gateway on a TR call: HTTP 500 with a JSON body."""
    return Refused(code, text, status=500)


class Gateway:
    """One host's door. `rate` is calls per second; None lifts it and the minute between token calls."""

    def __init__(self, credentials: Credentials, *, other_app_key: str, rate: int | None) -> None:
        self.credentials = credentials
        self.traffic = Traffic()
        self.tokens: list[Token] = []
        self.approvals: list[Token] = []
        self.last_token_call: datetime | None = None
        self.revision = 0
        self._other_app_key = other_app_key
        self._rate = rate
        self._admitted: deque[float] = deque()

    # --- tokens ---------------------------------------------------------------------------------------------

    def issue_token(self, body: Mapping[str, str]) -> Json:
        """Answer /oauth2/tokenP: the same token for six hours, and one call a minute."""
        self._check_keys(body)
        _check_grant(body)
        now = wall_now()
        last = self.last_token_call
        # The minute counts from the last token handed out. It is kept with the state, so a restart neither lifts
        # nor prolongs it; a client that lost its token gets the same one back as soon as the minute is over.
        if self._rate is not None and last is not None and last <= now < last + BETWEEN_TOKEN_CALLS:
            raise OauthRefused("EGW00133", "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)")
        token = self.tokens[-1] if self.tokens else None
        if token is None or not now < min(token.issued_at + SAME_TOKEN_FOR, token.expires_at):
            token = Token(_token_text(self.credentials.app_key, now), now, now + TOKEN_LIFE)
            self.tokens = [old for old in self.tokens if old.expires_at > now - TOKEN_LIFE] + [token]
            self.traffic.tokens_issued += 1
        self.last_token_call = now
        self.revision += 1
        return {
            "access_token": token.text,
            "access_token_token_expired": f"{token.expires_at:%Y-%m-%d %H:%M:%S}",
            "token_type": "Bearer",
            "expires_in": int(TOKEN_LIFE.total_seconds()),
        }

    def revoke_token(self, body: Mapping[str, str]) -> Json:
        """Answer /oauth2/revokeP."""
        self._check_keys(body)
        left = [token for token in self.tokens if token.text != body.get("token")]
        if len(left) == len(self.tokens):
            raise OauthRefused("EGW00121", "유효하지 않은 token 입니다.")
        self.tokens = left
        self.revision += 1
        return {"code": 200, "message": "접근토큰 폐기에 성공하였습니다"}

    def issue_approval(self, body: Mapping[str, str]) -> Json:
        """Answer /oauth2/Approval: the key to subscribe with, good for a day; the secret has another name here."""
        self._check_keys({**body, "appsecret": body.get("secretkey", "")})
        _check_grant(body)
        now = wall_now()
        last = self.approvals[-1].issued_at if self.approvals else None
        if self._rate is not None and last is not None and last <= now < last + BETWEEN_APPROVALS:
            raise self.over_rate()
        approval = Token(str(uuid4()), now, now + TOKEN_LIFE)
        self.approvals = [old for old in self.approvals if old.expires_at > now] + [approval]
        self.revision += 1
        return {"approval_key": approval.text}

    def approves(self, key: str) -> bool:
        """Return whether this is an approval key of this host that has not expired."""
        now = wall_now()
        return any(approval.text == key and now < approval.expires_at for approval in self.approvals)

    def age_approvals(self) -> None:
        """Let every approval key expire; open connections survive that."""
        past = wall_now() - TOKEN_LIFE
        self.approvals = [
            replace(old, issued_at=past - TOKEN_LIFE, expires_at=past) for old in self.approvals
        ]
        self.revision += 1

    def age_tokens(self) -> None:
        """Make every token as if it was issued more than a day ago: expired, and a new one may be asked for."""
        past = wall_now() - TOKEN_LIFE
        self.tokens = [replace(token, issued_at=past - TOKEN_LIFE, expires_at=past) for token in self.tokens]
        self.last_token_call = None
        self.revision += 1

    def _check_keys(self, body: Mapping[str, str]) -> None:
        app_key, app_secret = body.get("appkey", ""), body.get("appsecret", "")
        if not app_key:
            raise OauthRefused("EGW00102", "AppKey는 필수입니다.")
        if not app_secret:
            raise OauthRefused("EGW00104", "AppSecret은 필수입니다.")
        if app_key != self.credentials.app_key:
            raise OauthRefused("EGW00103", "유효하지 않은 AppKey입니다.")
        if app_secret != self.credentials.app_secret:
            raise OauthRefused("EGW00105", "유효하지 않은 AppSecret입니다.")

    # --- transactions ---------------------------------------------------------------------------------------

    def admit(self, headers: Mapping[str, str], *, arrived: float) -> None:
        """Let a transaction in or raise Refused. A call over the rate has not been executed.

        `arrived` is when the request came in, in seconds of the monotonic clock: the rate is counted at the door.
        """
        authorization = headers.get("authorization", "")
        if not authorization.startswith(BEARER):
            raise gateway_refusal("EGW00205", "credentials_type이 유효하지 않습니다.(Bearer)")
        self.check_key_headers(headers)
        self._admit_rate(arrived)
        text = authorization.removeprefix(BEARER).strip()
        token = next((token for token in self.tokens if token.text == text), None)
        if token is None:
            raise gateway_refusal("EGW00121", "유효하지 않은 token 입니다.")
        if token.expires_at <= wall_now():
            raise gateway_refusal("EGW00123", "기간이 만료된 token 입니다.")

    def check_key_headers(self, headers: Mapping[str, str]) -> None:
        """Refuse the keys of another host, and unknown ones."""
        app_key = headers.get("appkey", "")
        if app_key != self.credentials.app_key:
            if app_key == self._other_app_key and self.credentials.mode == "real":
                raise gateway_refusal("EGW02004", "실전투자 도메인에 모의투자 AppKey를 사용할 수 없습니다.")
            raise gateway_refusal("EGW00103", "유효하지 않은 AppKey입니다.")
        if headers.get("appsecret", "") != self.credentials.app_secret:
            raise gateway_refusal("EGW00304", "고객식별키(개인 appSecret)가 유효하지 않습니다.")

    def check_tr_of_host(self, tr_id: str) -> None:
        """Refuse the ids of the real host on the paper host."""
        if self.credentials.mode == "paper" and tr_id[:1] in REAL_ONLY_FIRST_LETTERS:
            raise gateway_refusal("EGW02006", "모의투자 TR  이 아닙니다.")

    def over_rate(self) -> Refused:
        """Count and return the refusal of a call too many."""
        self.traffic.rate_limited += 1
        return gateway_refusal("EGW00201", "초당 거래건수를 초과하였습니다.")

    def _admit_rate(self, now: float) -> None:
        self.traffic.note_arrival(now)
        if self._rate is None:
            return
        while self._admitted and self._admitted[0] <= now - RATE_WINDOW_SECONDS:
            self._admitted.popleft()
        if len(self._admitted) >= self._rate:
            raise self.over_rate()
        self._admitted.append(now)


def _check_grant(body: Mapping[str, str]) -> None:
    if not body.get("grant_type"):
        raise OauthRefused("EGW00112", "grant_type은 필수입니다.")
    if body["grant_type"] != "client_credentials":
        raise OauthRefused("EGW00113", "지원하지 않는 grant_type 입니다.")


def _token_text(app_key: str, now: datetime) -> str:
    """Return something that looks like the JWT it stands for."""
    claims = {"sub": "token", "iss": "unogw", "iat": int(now.timestamp()), "jti": app_key}
    parts = (b'{"typ":"JWT","alg":"HS512"}', json.dumps(claims).encode(), secrets.token_bytes(64))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
