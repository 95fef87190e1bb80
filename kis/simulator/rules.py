"""What an order must be before it is taken: kind, hours, price. Cash and shares are the exchange's to check."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kis.simulator.market import Quote
from kis.simulator.orders import LIMIT_ORDER, Side
from kis.simulator.phases import (
    AFTER_MARKET_KINDS,
    CONDITIONAL,
    KINDS,
    PAPER_KINDS,
    SINGLE_PRICE,
    Phase,
    Venue,
    phase_of,
    takes,
)
from kis.simulator.prices import tick_size

Rule = Literal[
    "closed day",
    "before hours",
    "after hours",
    "not in this phase",
    "unknown kind",
    "kind not offered",
    "limit orders only",
    "not traded there",
    "unknown stock",
    "no price",
    "tick",
    "limits",
    "nothing held",
    "too many shares",
    "too little cash",
    "unknown order",
    "nothing to change",
]
#: How far from the close the evening auctions might go; they ended on 2026-09-11.
SINGLE_PRICE_PERCENT = 10
CONTINUOUS_ON_PAPER = frozenset({Phase.REGULAR, Phase.CLOSING_AUCTION})


class Violation(Exception):
    """An order is refused; `rule` says which rule it broke, the text says so in Korean."""

    def __init__(self, rule: Rule, text: str) -> None:
        super().__init__(text)
        self.rule: Rule = rule


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a customer asks for. `price` is 0 where the kind has none of its own."""

    side: Side
    code: str
    quantity: int
    price: int
    kind: str = LIMIT_ORDER
    venue: Venue = "KRX"
    trigger: int = 0

    @property
    def is_stop(self) -> bool:
        return KINDS[self.kind].pricing == "stop"

    @property
    def needs_price(self) -> bool:
        return KINDS[self.kind].pricing in {"limit", "stop"}


def check_phase(ticket: Ticket, now: datetime, *, is_paper: bool) -> None:
    """Raise Violation if this kind of order is not taken at this moment."""
    if ticket.kind not in KINDS:
        raise Violation("unknown kind", f"없는 주문구분입니다: {ticket.kind}")
    if is_paper and (ticket.kind not in PAPER_KINDS or ticket.venue != "KRX"):
        raise Violation("kind not offered", "모의투자에서는 제공하지 않는 주문구분입니다.")
    phase = phase_of(now, ticket.venue)
    if phase_of(now, "KRX") is Phase.CLOSED or phase is Phase.CLOSED:
        raise Violation("closed day", "영업일이 아닙니다.")
    if is_paper and phase not in CONTINUOUS_ON_PAPER:
        early = phase in {Phase.BEFORE, Phase.PRE_MARKET, Phase.OPENING_AUCTION}
        raise Violation(
            "before hours" if early else "after hours", f"주문을 받는 시간이 아닙니다. ({phase.value})"
        )
    if takes(now, ticket.venue, ticket.kind):
        return
    if phase in {Phase.BEFORE, Phase.OVER}:
        raise Violation(
            "before hours" if phase is Phase.BEFORE else "after hours",
            f"주문을 받는 시간이 아닙니다. ({phase.value})",
        )
    if phase is Phase.AFTER_MARKET and ticket.venue == "KRX":
        raise Violation(
            "limit orders only", "애프터마켓에서는 지정가와 최유리·최우선지정가만 낼 수 있습니다."
        )
    raise Violation("not in this phase", f"지금은 낼 수 없는 주문구분입니다. ({phase.value})")


def margin_price(kind: str, price: int, quote: Quote) -> int:
    """Return the most a share of a buy may cost: nobody knows yet what one at the market will."""
    # A conditional order turns into a market order at the close; a price set by hand may lie above every limit.
    return price if price and kind != CONDITIONAL else max(quote.limits[1], quote.price)


def check_limits(ticket: Ticket, quote: Quote) -> None:
    """Raise Violation for a price off the tick or outside the day's limits, or a stock that is not traded there."""
    is_fund = quote.listing.is_fund
    if is_fund and (_goes_to_nextrade(ticket, quote) or ticket.kind in AFTER_MARKET_KINDS):
        raise Violation("not traded there", "이 시장에서 거래할 수 없는 종목입니다.")
    if ticket.needs_price and not ticket.price:
        raise Violation("no price", "주문단가를 입력해 주세요.")
    if ticket.is_stop and not ticket.trigger:
        raise Violation("no price", "스톱지정가의 조건가격을 입력해 주세요.")
    lowest, highest = quote.limits
    if ticket.kind == SINGLE_PRICE:
        near = quote.price * SINGLE_PRICE_PERCENT // 100
        lowest, highest = max(lowest, quote.price - near), min(highest, quote.price + near)
    for price in filter(None, (ticket.price, ticket.trigger)):
        if price % tick_size(price, is_fund=is_fund):
            raise Violation("tick", f"호가단위에 맞지 않는 가격입니다: {price:,}원")
        if not lowest <= price <= highest:
            raise Violation("limits", f"가격은 하한가 {lowest:,}원에서 상한가 {highest:,}원 사이여야 합니다.")


def _goes_to_nextrade(ticket: Ticket, quote: Quote) -> bool:
    """Return whether the second exchange would get this order: smart routing has no other choice before and after."""
    is_alone = phase_of(quote.at, "SOR") in {Phase.PRE_MARKET, Phase.AFTER_MARKET}
    return ticket.venue == "NXT" or (ticket.venue == "SOR" and is_alone)
