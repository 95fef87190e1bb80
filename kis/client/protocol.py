"""Build requests and read replies of the KIS wire; pure, no socket, no clock (kis-api.md section 2)."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any

from kis.client.codes import TR, Environment
from kis.client.errors import (
    KisRefused,
    KisReplyChanged,
    KisUnreachable,
    RateLimited,
    TokenExpired,
    TokenTooSoon,
)

OK = 200
MORE, LAST = frozenset("FM"), frozenset("DE")
TOKEN_REFUSED = frozenset({"EGW00121", "EGW00122", "EGW00123"})
# The gateway or the system behind it is in trouble: nothing was decided, a read may be tried again.
GATEWAY_TROUBLE = frozenset(
    {"EGW00001", "EGW00002", "EGW00202", "EGW00203", "EGW00300", "EGW00301", "EGW00302", "OPSQ1002"}
)
# Not \d: it also takes the digits of other scripts.
INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,12})?")
DAY = re.compile(r"[0-9]{8}")
CLOCK = re.compile(r"[0-9]{6}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP call. Headers and body hold keys, so they never show up in a repr."""

    method: str
    url: str
    tr_id: str
    headers: Mapping[str, str] = field(repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RawReply:
    """What came back: header names in lower case, body not yet read."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page starts, without the wire's padding."""

    fk: str = ""
    nk: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.nk


class Row:
    """One object of a reply; every reader raises KisReplyChanged rather than guess."""

    __slots__ = ("data", "tr_id")

    def __init__(self, data: Mapping[str, Any], *, tr_id: str) -> None:
        self.data = data
        self.tr_id = tr_id

    def changed(self, name: str, problem: str) -> KisReplyChanged:
        return KisReplyChanged(name, tr_id=self.tr_id, problem=problem)

    def text(self, name: str, *, required: bool = True, longest: int = 100) -> str:
        """Return the text without padding. A missing key always fails, a blank one only if required."""
        value = self.data.get(name)
        if not isinstance(value, str):
            raise self.changed(name, "필요한 항목이 없습니다")
        value = value.strip()
        if len(value) > longest or CONTROL.search(value):
            raise self.changed(name, "글을 읽을 수 없습니다")
        if required and not value:
            raise self.changed(name, "필요한 항목이 비어 있습니다")
        return value

    def integer(self, name: str, *, low: int = -(10**18), high: int = 10**18) -> int:
        """Return a whole number between `low` and `high`; a blank is an error, never 0."""
        text = self.text(name)
        if not INTEGER.fullmatch(text):
            raise self.changed(name, "숫자를 읽을 수 없습니다")
        value = int(text)
        if not low <= value <= high:
            raise self.changed(name, "숫자가 있을 수 없는 크기입니다")
        return value

    def quantity(self, name: str) -> int:
        """Shares: not negative, and within the 32 bits of the tables."""
        return self.integer(name, low=0, high=2**31 - 1)

    def decimal(self, name: str) -> Decimal:
        """Return a number with decimals as sent; a blank is an error."""
        value = self.optional_decimal(name)
        if value is None:
            raise self.changed(name, "필요한 항목이 비어 있습니다")
        return value

    def optional_decimal(self, name: str) -> Decimal | None:
        """Return the number, or None where the broker left the field blank; the key itself must be there."""
        text = self.text(name, required=False)
        if not text:
            return None
        if not DECIMAL.fullmatch(text):
            raise self.changed(name, "숫자를 읽을 수 없습니다")
        return Decimal(text)

    def day(self, name: str) -> date:
        """Return a date from `YYYYMMDD`."""
        text = self.text(name)
        try:
            if DAY.fullmatch(text):
                return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            pass  # a 31st of February: as unreadable as no date
        raise self.changed(name, "날짜를 읽을 수 없습니다")

    def clock(self, name: str) -> time:
        """Return a time of day in Korea from `HHMMSS`."""
        text = self.text(name)
        try:
            if CLOCK.fullmatch(text):
                return time(int(text[:2]), int(text[2:4]), int(text[4:]))
        except ValueError:
            pass  # 25 o'clock: as unreadable as no time
        raise self.changed(name, "시각을 읽을 수 없습니다")


@dataclass(frozen=True, slots=True)
class Reply:
    """An accepted reply: `rt_cd` was 0. `tr_cont` says whether another page follows."""

    tr_id: str
    tr_cont: str
    cursor: Cursor
    body: Mapping[str, Any]

    @property
    def more(self) -> bool:
        return self.tr_cont in MORE

    def rows(self, name: str) -> list[Row]:
        """Return the rows of an array; empty objects, which the broker sends now and then, are left out."""
        value = self.body.get(name)
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise KisReplyChanged(name, tr_id=self.tr_id, problem="목록이 없습니다")
        return [Row(row, tr_id=self.tr_id) for row in value if row]

    def one(self, name: str) -> Row:
        """Return an object, also where the wire wraps a single one in an array (balance)."""
        value = self.body.get(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, dict) or not value:
            raise KisReplyChanged(name, tr_id=self.tr_id, problem="필요한 항목이 없습니다")
        return Row(value, tr_id=self.tr_id)


def read_request(
    environment: Environment, tr: TR, params: Mapping[str, str], *, token: str, cursor: Cursor | None
) -> Request:
    """Build an inquiry; with a cursor it asks for the next page. Raises NotOffered where paper lacks the TR."""
    tr_id = environment.tr_id(tr)
    return Request(
        method="GET",
        url=environment.base_url.rstrip("/") + tr.path,
        tr_id=tr_id,
        headers={
            "content-type": "application/json; charset=utf-8",
            "authorization": f"Bearer {token}",
            "appkey": environment.app_key,
            "appsecret": environment.app_secret,
            "tr_id": tr_id,
            "tr_cont": "N" if cursor else "",
            "custtype": "P",
        },
        params={**params, "CTX_AREA_FK100": cursor.fk, "CTX_AREA_NK100": cursor.nk} if cursor else params,
    )


def read_json(raw: RawReply, *, tr_id: str) -> dict[str, Any]:
    """Return the JSON object of a body. Raises KisUnreachable for anything else: such an answer proves nothing."""
    if 300 <= raw.status < 400:  # noqa: PLR2004  # redirects are never followed: keys would go elsewhere
        raise KisUnreachable("다른 주소로 넘기는 응답", tr_id=tr_id, status=raw.status)
    try:
        body = json.loads(raw.body, parse_constant=refuse_constant)
        if b"\\u0000" in raw.body or ESCAPED_SURROGATE.search(raw.body):
            refuse_undrawable(body)
    except (ValueError, RecursionError):
        is_page = raw.body.lstrip().startswith(b"<")
        reason = "웹 페이지가 왔습니다" if is_page else "읽을 수 없는 내용이 왔습니다"
        raise KisUnreachable(reason, tr_id=tr_id, status=raw.status) from None
    if not isinstance(body, dict):
        raise KisUnreachable("읽을 수 없는 내용이 왔습니다", tr_id=tr_id, status=raw.status)
    return body


def refuse_constant(name: str) -> None:
    """NaN and Infinity are no JSON, and no database keeps them."""
    raise ValueError(name)


def refuse_undrawable(body: object) -> None:
    """Raise ValueError for a NUL or half a surrogate pair anywhere in a body: no database keeps them."""
    text = json.dumps(body, ensure_ascii=False)
    text.encode()
    if "\\u0000" in text:
        raise ValueError("NUL")


def refusal(
    body: Mapping[str, Any], *, tr_id: str, status: int, secrets: Iterable[str] = ()
) -> KisRefused | KisUnreachable:
    """Turn an error body, of a TR or of the token address, into the error that says what to do.

    The broker's text is repeated to the owner, so `secrets` it might echo are hidden.
    """
    code = str(body.get("msg_cd") or body.get("error_code") or "")
    message = str(body.get("msg1") or body.get("error_description") or "이유를 알 수 없음")
    for secret in secrets:
        message = message.replace(secret, "****")
    message = CONTROL.sub(" ", message)[:200]
    if code in GATEWAY_TROUBLE:
        return KisUnreachable(f"{message.strip().rstrip('.')} ({code})", tr_id=tr_id, status=status)
    kind = KisRefused
    if code in TOKEN_REFUSED:
        kind = TokenExpired
    elif code == "EGW00201":
        kind = RateLimited
    elif code == "EGW00133":
        kind = TokenTooSoon
    return kind(
        rt_cd=str(body.get("rt_cd") or ""),
        msg_cd=code or "코드 없음",
        message=message,
        tr_id=tr_id,
        status=status,
    )


def read_reply(raw: RawReply, *, tr_id: str, secrets: Iterable[str] = ()) -> Reply:
    """Read the reply of an inquiry.

    Raises TokenExpired, RateLimited or KisRefused for a clear no, KisUnreachable for an answer that proves nothing,
    KisReplyChanged when the envelope is not the documented one.
    """
    body = read_json(raw, tr_id=tr_id)
    rt_cd = body.get("rt_cd")
    if rt_cd is None and raw.status == OK:
        raise KisReplyChanged("rt_cd", tr_id=tr_id, problem="필요한 항목이 없습니다")
    if str(rt_cd).strip() != "0" or raw.status != OK:
        if not body.get("msg_cd") and not body.get("error_code"):
            raise KisUnreachable(f"HTTP {raw.status} 오류", tr_id=tr_id, status=raw.status)
        raise refusal(body, tr_id=tr_id, status=raw.status, secrets=secrets)
    return Reply(
        tr_id=tr_id,
        tr_cont=raw.headers.get("tr_cont", "").strip(),
        cursor=Cursor(
            str(body.get("ctx_area_fk100") or "").strip(), str(body.get("ctx_area_nk100") or "").strip()
        ),
        body=body,
    )
