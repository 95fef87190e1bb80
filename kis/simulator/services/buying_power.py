"""Buying power: the cash for new orders, and what it buys."""

import re
from decimal import Decimal

from kis.client.codes import TR
from kis.simulator import wire
from kis.simulator.listings import margin_percent
from kis.simulator.market import Quote
from kis.simulator.orders import MARKET_ORDER
from kis.simulator.phases import KINDS
from kis.simulator.rules import margin_price
from kis.simulator.services.base import ACCOUNT, Answer, Call, Service, ids_of

PRICE = re.compile(r"([0-9]{1,12}(\.[0-9]*)?)?")


def buying_power(call: Call) -> Answer:
    """Cash for new orders and the quantity it buys; the quantity of market orders at the upper limit price."""
    params = call.params
    power = call.exchange.buying_power(call.account, call.now)
    quote = call.exchange.market.quote(params["PDNO"], call.now) if params["PDNO"] else None
    price, leverage = 0, Decimal(1)
    if quote is not None:
        price = quote.limits[1]
        leverage = Decimal(100) / margin_percent(quote.listing)
        if params["ORD_DVSN"] != MARKET_ORDER:
            price = _price_of(params["ORD_DVSN"], _asked_price(params["ORD_UNPR"]), quote)
            leverage = Decimal(1)
    most = int(power.amount * leverage)
    body = {
        "output": {
            "ord_psbl_cash": str(power.cash),
            "ord_psbl_sbst": "0",
            "ruse_psbl_amt": str(power.reusable),
            "fund_rpch_chgs": "0",
            "psbl_qty_calc_unpr": str(price),
            "nrcvb_buy_amt": str(power.amount),
            "nrcvb_buy_qty": str(power.amount // price if price else 0),
            "max_buy_amt": str(most),
            "max_buy_qty": str(most // price if price else 0),
            "cma_evlu_amt": "0",
            "ovrs_re_use_amt_wcrc": "0",
            "ord_psbl_frcr_amt_wcrc": "0",
        },
        **wire.envelope(call.mode, more=False),
    }
    return Answer(body)


def _price_of(kind: str, asked: int, quote: Quote) -> int:
    """Return what a share is counted at: what an order of this kind would be held against."""
    has_own_price = kind not in KINDS or KINDS[kind].pricing in {"limit", "stop"}
    return margin_price(kind, (asked or quote.price) if has_own_price else 0, quote)


def _asked_price(text: str) -> int:
    if not PRICE.fullmatch(text):
        raise wire.invalid_field("ORD_UNPR")
    return int(text.partition(".")[0] or "0")


SERVICES = (
    Service(
        TR.BUYING_POWER.path,
        ids_of(TR.BUYING_POWER),
        (*ACCOUNT, "PDNO", "ORD_UNPR", "ORD_DVSN", "CMA_EVLU_AMT_ICLD_YN", "OVRS_ICLD_YN"),
        buying_power,
    ),
)
