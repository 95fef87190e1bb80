"""Orders as the broker lists them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any

from kis.client.protocol import Row
from kis.client.records.fields import exchange, flag, stock_name


class Side(Enum):
    """Side of an order and its wire code."""

    SELL = "01"
    BUY = "02"

    @classmethod
    def from_row(cls, row: Row, name: str) -> "Side":
        try:
            return cls(row.text(name))
        except ValueError:
            raise row.changed(name, "매수인지 매도인지 알 수 없습니다") from None


class Request(Enum):
    """What a row of the orders asked for: an order, or a change of another order."""

    ORDER = "order"
    AMEND = "amend"
    CANCEL = "cancel"


def origin_of(row: Row) -> str:
    """Return the number of the order that a row changes; blank or zeros mean none."""
    text = row.text("orgn_odno", required=False, longest=20)
    return text if text.strip("0") else ""


def request_of(row: Row) -> Request:
    """Tell an amendment from a cancellation.

    Only texts say which it is (매수정정*, 지정가정정*, 매수취소*). Without them a change that is wholly cancelled and has no
    price of its own is a cancellation.
    """
    if not origin_of(row):
        return Request.ORDER
    texts = f"{row.data.get('sll_buy_dvsn_cd_name', '')} {row.data.get('ord_dvsn_name', '')}"
    said = [request for word, request in (("취소", Request.CANCEL), ("정정", Request.AMEND)) if word in texts]
    if len(said) == 1:
        return said[0]
    quantity, cancelled = row.quantity("ord_qty"), row.quantity("cncl_cfrm_qty")
    is_cancellation = quantity == cancelled and not row.quantity("ord_unpr")
    return Request.CANCEL if is_cancellation else Request.AMEND


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """One order of the daily inquiry with what has been filled so far. `price` is 0 for a market order.

    `ordered_at` is when it was placed; this inquiry never says when it was filled. `origin` is the number of the order
    that this one amends or cancels, blank for an order of its own; `kind` is how it trades (ORD_DVSN).
    `marked_cancelled` is often not set on orders that are (kis-api.md section 6.4).
    """

    ordered_on: date
    ordered_at: time
    branch: str
    number: str
    origin: str
    request: Request
    kind: str
    side: Side
    code: str
    name: str
    quantity: int
    price: int
    filled: int
    filled_amount: int
    average: Decimal | None
    remaining: int
    rejected: int
    cancelled: int
    marked_cancelled: bool
    exchange: str
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def key(self) -> tuple[date, str, str]:
        """The order number starts again each day and counts per branch."""
        return self.ordered_on, self.branch, self.number

    @property
    def fill_price(self) -> int:
        """Won a share, rounded half up: the broker's average, or amount by quantity where it left the average blank."""
        average = self.average or Decimal(self.filled_amount) / self.filled
        return int(average.quantize(Decimal(1), ROUND_HALF_UP))

    @classmethod
    def from_row(cls, row: Row) -> "OrderRecord":
        """Read a row. Raises KisReplyChanged also where quantity, amount and average of a fill do not belong together."""
        order = cls(
            ordered_on=row.day("ord_dt"),
            ordered_at=row.clock("ord_tmd"),
            branch=row.text("ord_gno_brno", longest=10),
            number=row.text("odno", longest=20),
            origin=origin_of(row),
            request=request_of(row),
            kind=row.text("ord_dvsn_cd", required=False, longest=2),
            side=Side.from_row(row, "sll_buy_dvsn_cd"),
            code=row.text("pdno", longest=10),
            name=stock_name(row),
            quantity=row.quantity("ord_qty"),
            price=row.quantity("ord_unpr"),
            filled=row.quantity("tot_ccld_qty"),
            filled_amount=row.integer("tot_ccld_amt", low=0),
            average=row.optional_decimal("avg_prvs"),
            remaining=row.quantity("rmn_qty"),
            rejected=row.quantity("rjct_qty"),
            cancelled=row.quantity("cncl_cfrm_qty"),
            marked_cancelled=flag(row, "cncl_yn"),
            exchange=exchange(row),
            raw=row.data,
        )
        if order.filled:
            order.refuse_odd_fill(row)
        return order

    def refuse_odd_fill(self, row: Row) -> None:
        """Raise KisReplyChanged for a fill without amount, or with an average that is not amount by quantity."""
        if not 0 < self.filled_amount <= self.filled * (2**31 - 1):
            raise row.changed("tot_ccld_amt", f"주문 {self.number}의 체결금액이 있을 수 없는 값입니다")
        # The average may be rounded to a won, so it may be half a won a share away.
        if self.average and abs(self.average * self.filled - self.filled_amount) > self.filled:
            raise row.changed("avg_prvs", f"주문 {self.number}의 체결단가와 체결금액이 서로 맞지 않습니다")


@dataclass(frozen=True, slots=True)
class UnfilledRecord:
    """An order still waiting. `changeable` is what can be amended or cancelled."""

    branch: str
    number: str
    side: Side
    code: str
    name: str
    quantity: int
    price: int
    ordered_at: str
    changeable: int
    filled: int
    exchange: str
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row) -> "UnfilledRecord":
        quantity = row.quantity("ord_qty")
        if not quantity:
            raise row.changed("ord_qty", "주문수량이 0입니다")
        return cls(
            branch=row.text("ord_gno_brno", longest=10),
            number=row.text("odno", longest=20),
            side=Side.from_row(row, "sll_buy_dvsn_cd"),
            code=row.text("pdno", longest=10),
            name=stock_name(row),
            quantity=quantity,
            price=row.quantity("ord_unpr"),
            ordered_at=f"{row.clock('ord_tmd'):%H%M%S}",
            changeable=row.quantity("psbl_qty"),
            filled=row.quantity("tot_ccld_qty"),
            exchange=exchange(row),
            raw=row.data,
        )

    @classmethod
    def from_order(cls, order: OrderRecord) -> "UnfilledRecord":
        """Paper has no inquiry of open orders; the daily inquiry says the same."""
        return cls(
            branch=order.branch,
            number=order.number,
            side=order.side,
            code=order.code,
            name=order.name,
            quantity=order.quantity,
            price=order.price,
            ordered_at=f"{order.ordered_at:%H%M%S}",
            changeable=order.remaining,
            filled=order.filled,
            exchange=order.exchange,
            raw=order.raw,
        )
