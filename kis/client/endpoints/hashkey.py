"""The signature the broker makes of a body, to go with the order of the same body (kis-api.md section 3)."""

from collections.abc import Mapping

from kis.client.codes import Environment
from kis.client.protocol import OK, Request, Row, read_json, refusal
from kis.client.transport import Transport

HASHKEY_PATH = "/uapi/hashkey"
HASHKEY_TR = "hashkey"
HASHKEY_TIMEOUT_SECONDS = 5.0


def hashkey(environment: Environment, body: Mapping[str, str], transport: Transport) -> str:
    """Return the signature of a body; asking moves no money and may be repeated.

    Raises KisUnreachable, KisRefused, KisReplyChanged.
    """
    request = Request(
        method="POST",
        url=environment.base_url.rstrip("/") + HASHKEY_PATH,
        tr_id=HASHKEY_TR,
        headers={
            "content-type": "application/json; charset=utf-8",
            "appkey": environment.app_key,
            "appsecret": environment.app_secret,
        },
        body=body,
    )
    raw = transport.send(request, timeout_seconds=HASHKEY_TIMEOUT_SECONDS)
    reply = read_json(raw, tr_id=HASHKEY_TR)
    if raw.status != OK or "HASH" not in reply:
        raise refusal(reply, tr_id=HASHKEY_TR, status=raw.status, secrets=environment.secrets)
    return Row(reply, tr_id=HASHKEY_TR).text("HASH", longest=200)
