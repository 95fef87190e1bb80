"""The approval key, which the websocket takes instead of an access token."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kis.client.codes import Environment
from kis.client.protocol import OK, Request, Row, read_json, refusal
from kis.client.transport import Transport

APPROVAL_PATH = "/oauth2/Approval"
APPROVAL_TR = "Approval"
APPROVAL_TIMEOUT_SECONDS = 15.0
APPROVAL_LIFE = timedelta(hours=24)
# Connections outlive their key, so only the next one needs a key that is still good.
RENEW_BEFORE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ApprovalKey:
    """An approval key and the moment it ends; the broker does not print one, so it is counted from the asking."""

    value: str = field(repr=False)
    expires_at: datetime

    def is_fresh(self, at: datetime) -> bool:
        return at < self.expires_at - RENEW_BEFORE


def ask_approval_key(environment: Environment, transport: Transport, *, at: datetime) -> ApprovalKey:
    """Ask the broker for an approval key, good for a day from `at`.

    Raises KisRefused for wrong keys, RateLimited for a second call within a second, KisUnreachable, KisReplyChanged.
    https://apiportal.koreainvestment.com/apiservice/oauth2#L_5c87ba63-740a-4166-93ac-803510bb9c02
    """
    request = Request(
        method="POST",
        url=environment.base_url.rstrip("/") + APPROVAL_PATH,
        tr_id=APPROVAL_TR,
        headers={"content-type": "application/json; charset=utf-8"},
        body={
            "grant_type": "client_credentials",
            "appkey": environment.app_key,
            # Under this name only; as `appsecret` it is refused.
            "secretkey": environment.app_secret,
        },
    )
    raw = transport.send(request, timeout_seconds=APPROVAL_TIMEOUT_SECONDS)
    body = read_json(raw, tr_id=APPROVAL_TR)
    if raw.status != OK or "error_code" in body:
        raise refusal(body, tr_id=APPROVAL_TR, status=raw.status, secrets=environment.secrets)
    value = Row(body, tr_id=APPROVAL_TR).text("approval_key", longest=500)
    return ApprovalKey(value, at + APPROVAL_LIFE)
