"""Orders: the only module that calls the order addresses. One POST per order, ever (design.md section 9).

It knows nothing of the session that repeats inquiries: an order that is repeated is an order sent twice.
"""

import dataclasses
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time as time_of_day
from typing import Any, Literal, Protocol

from kis.client.auth import Token
from kis.client.codes import Environment, OrderTR
from kis.client.errors import KisRefused, KisReplyChanged, KisUnreachable, OrderNotSent, OrderUnknown
from kis.client.protocol import CONTROL, OK, RawReply, Request, Row, read_json, refusal
from kis.client.records.orders import Side
from kis.client.throttle import Budget
from kis.client.transport import HttpTransport, Transport

ORDER_DEADLINE_SECONDS = 10.0
#: Less than this left of the deadline is not worth a try: the answer could hardly be read any more.
LEAST_SECONDS = 1.0
LIMIT, MARKET = "00", "01"
Exchange = Literal["KRX", "NXT", "SOR"]

#: The gateway's own refusals come with HTTP 500, before anything is passed on (kis-api.md section 11.1). Every other
#: answer with an HTTP status beyond 200 leaves open what happened behind the gateway.
GATEWAY_REFUSALS = frozenset(
    {
        *(f"EGW{number:05d}" for number in (3, 4, *range(101, 127), 131, 132, 133, 201, 304)),
        *(f"EGW{number:05d}" for number in range(205, 214)),
        "EGW02004",
        "EGW02006",
    }
)


#: What stands between the gateway and the exchange speaks of its own trouble, which may be with the answer alone: the
#: reply could not be put together (IGW00009), the call went wrong (OPSQ0001 … 0011, of which 0002 knows no such service).
MIDDLE_LAYER = re.compile(r"EGW|IGW|OPSQ1|OPSQ00(?!02)")

#: Codes that say the order was taken; beside an `rt_cd` that says no they prove nothing.
ACCEPTED = frozenset({"APBK0013", "APBK2938", "40590000", "40600000", "40610000", "40630000"})


@dataclass(frozen=True, slots=True)
class NewOrder:
    """Buy or sell `quantity` shares; `price` in won a share, 0 where the kind has no price of its own."""

    side: Side
    code: str
    quantity: int
    price: int
    kind: str = LIMIT
    exchange: Exchange = "KRX"

    @property
    def tr(self) -> OrderTR:
        return OrderTR.BUY if self.side is Side.BUY else OrderTR.SELL

    def body(self) -> dict[str, str]:
        return {
            "PDNO": self.code,
            "ORD_DVSN": self.kind,
            "ORD_QTY": str(self.quantity),
            "ORD_UNPR": str(self.price),
            "EXCG_ID_DVSN_CD": self.exchange,
        }


@dataclass(frozen=True, slots=True)
class Amendment:
    """Give `quantity` shares of an open order (0 for all that is left) another price; they get a new number."""

    branch: str
    number: str
    quantity: int
    price: int
    kind: str = LIMIT
    exchange: Exchange = "KRX"

    @property
    def tr(self) -> OrderTR:
        return OrderTR.AMEND_OR_CANCEL

    def body(self) -> dict[str, str]:
        return change_body(self, action="01", kind=self.kind, price=self.price)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Take `quantity` shares (0 for all that is left) out of an open order."""

    branch: str
    number: str
    quantity: int = 0
    exchange: Exchange = "KRX"

    @property
    def tr(self) -> OrderTR:
        return OrderTR.AMEND_OR_CANCEL

    def body(self) -> dict[str, str]:
        return change_body(self, action="02", kind=LIMIT, price=0)


class OneCall(Transport, Protocol):
    """A connection for one order, thrown away afterwards."""

    def close(self) -> None:
        """Drop the connection."""


Order = NewOrder | Amendment | Cancellation


def change_body(change: Amendment | Cancellation, *, action: str, kind: str, price: int) -> dict[str, str]:
    return {
        "KRX_FWDG_ORD_ORGNO": change.branch,
        "ORGN_ODNO": change.number,
        "ORD_DVSN": kind,
        "RVSE_CNCL_DVSN_CD": action,
        "ORD_QTY": str(change.quantity),
        "ORD_UNPR": str(price),
        "QTY_ALL_ORD_YN": "N" if change.quantity else "Y",
        "EXCG_ID_DVSN_CD": change.exchange,
    }


@dataclass(frozen=True, slots=True)
class OrderReceipt:
    """The broker took the order: accepted, not filled. `ordered_at` is the time of day in Korea, if it was readable."""

    branch: str
    number: str
    ordered_at: time_of_day | None
    message: str
    raw: Mapping[str, Any] = field(repr=False)


def order_request(environment: Environment, order: Order, *, token: Token, hashkey: str = "") -> Request:
    """Build the POST of an order; pure. Raises NotOffered where the host lacks the transaction."""
    tr_id = environment.tr_id(order.tr)
    return Request(
        method="POST",
        url=environment.base_url.rstrip("/") + order.tr.path,
        tr_id=tr_id,
        headers={
            "content-type": "application/json; charset=utf-8",
            "authorization": f"Bearer {token.value}",
            "appkey": environment.app_key,
            "appsecret": environment.app_secret,
            "tr_id": tr_id,
            "custtype": "P",
            "connection": "close",
            **({"hashkey": hashkey} if hashkey else {}),
        },
        body={**environment.account.params(), **order.body()},
    )


def send_order(
    environment: Environment,
    order: Order,
    *,
    token: Token,
    budget: Budget,
    hashkey: str = "",
    deadline_seconds: float = ORDER_DEADLINE_SECONDS,
    connect: Callable[[], OneCall] = HttpTransport,
    monotonic: Callable[[], float] = time.monotonic,
) -> OrderReceipt:
    """Send one order once, over a connection of its own, and say what is certain about it.

    Returns only when the broker named an order number. Raises OrderNotSent when not a byte can have left, KisRefused
    for a clear no, OrderUnknown for everything else: a lost, broken or undocumented answer. NotOffered before all that.
    """
    ends_at = monotonic() + deadline_seconds
    request = order_request(environment, order, token=token, hashkey=hashkey)
    budget.wait(order=True)
    transport = connect()
    try:
        # Looked at last: whoever opens the connection may have to ask a database whether he still should.
        remaining = ends_at - monotonic()
        if remaining < LEAST_SECONDS:
            raise OrderNotSent("보낼 차례가 오기 전에 제한 시간이 지났습니다")
        raw = transport.send(request, timeout_seconds=remaining)
        return read_receipt(raw, tr_id=request.tr_id, secrets=(*environment.secrets, token.value))
    except KisUnreachable as error:
        if error.never_sent:
            raise OrderNotSent(error.reason) from None
        raise OrderUnknown(error.reason, tr_id=request.tr_id, status=error.status) from None
    except KisReplyChanged as error:
        raise OrderUnknown(error.problem, tr_id=request.tr_id, status=OK) from None
    finally:
        transport.close()


def read_receipt(raw: RawReply, *, tr_id: str, secrets: tuple[str, ...]) -> OrderReceipt:
    """Read the answer to an order.

    Raises KisRefused for a clear no, and KisUnreachable or KisReplyChanged where the answer proves nothing.
    """
    body = read_json(legible(raw), tr_id=tr_id)
    rt_cd, code = text_of(body.get("rt_cd")), text_of(body.get("msg_cd"))
    output = body.get("output")
    given = output if isinstance(output, dict) else {}
    # Zeros are what the wire writes for none.
    number = text if (text := text_of(given.get("ODNO"))).strip("0") else ""
    if rt_cd == "0" and raw.status == OK:
        row = Row({**given, "ODNO": number}, tr_id=tr_id)
        return OrderReceipt(
            number=row.text("ODNO", longest=20),
            # With a number in hand the order is known; what else is wrong with the reply must not hide that.
            branch=str(given.get("KRX_FWDG_ORD_ORGNO") or "").strip()[:10],
            ordered_at=readable_clock(row, "ORD_TMD"),
            message=str(body.get("msg1") or "").strip(),
            raw=body,
        )
    refused = refusal(body, tr_id=tr_id, status=raw.status, secrets=secrets)
    is_from_exchange = raw.status == OK and bool(rt_cd and code) and not MIDDLE_LAYER.match(code)
    is_clear = (is_from_exchange or code in GATEWAY_REFUSALS) and code not in ACCEPTED
    # A number beside a no contradicts it.
    if is_clear and not number and isinstance(refused, KisRefused):
        raise refused
    raise KisUnreachable(f"HTTP {raw.status} {code}".strip(), tr_id=tr_id, status=raw.status)


def legible(raw: RawReply) -> RawReply:
    """Return an answer without the bytes that are no text: a spoilt remark must not hide an order number."""
    text = CONTROL.sub(" ", raw.body.decode("utf-8-sig", "replace"))
    return dataclasses.replace(raw, body=text.encode())


def text_of(value: object) -> str:
    """Return what is documented as text, or was sent as a number instead; anything else says nothing."""
    is_plain = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).strip() if is_plain else ""


def readable_clock(row: Row, name: str) -> time_of_day | None:
    try:
        return row.clock(name)
    except KisReplyChanged:
        return None
