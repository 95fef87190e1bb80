"""What of one stock can be sold now."""

from kis.client.codes import TR
from kis.simulator import wire
from kis.simulator.ledger import Holding
from kis.simulator.services.balance import statement_of
from kis.simulator.services.base import ACCOUNT, Answer, Call, Service, ids_of


def sellable(call: Call) -> Answer:
    """Answer with the holding of one stock and what of it is not in open sell orders; the real host only.

    A stock that is not held has a reply of zeros.
    """
    code = call.params["PDNO"]
    holdings = statement_of(call).holdings
    holding = next((holding for holding in holdings if holding.listing.code == code), None)
    body = {
        "output": _nothing(call, code) if holding is None else _position(holding),
        **wire.envelope(call.mode, more=False, last_message=("KIOK0420", "정상적으로 조회되었습니다")),
    }
    return Answer(body)


def _position(holding: Holding) -> wire.Json:
    lot, sold = holding.lot, holding.today.sold_quantity
    profit = holding.value - lot.cost
    return {
        "pdno": holding.listing.code,
        "prdt_name": holding.listing.name,
        "buy_qty": str(lot.quantity + sold),
        "sll_qty": str(sold),
        "cblc_qty": str(lot.quantity),
        "nsvg_qty": "0",
        "ord_psbl_qty": str(holding.orderable),
        "pchs_avg_pric": wire.fixed(lot.average, 4),
        "pchs_amt": str(lot.cost),
        "now_pric": str(holding.price),
        "evlu_amt": str(holding.value),
        "evlu_pfls_amt": str(profit),
        "evlu_pfls_rt": wire.fixed(wire.percent(profit, lot.cost), 2),
    }


def _nothing(call: Call, code: str) -> wire.Json:
    quote = call.exchange.market.quote(code, call.now)
    return {
        "pdno": code,
        "prdt_name": quote.listing.name if quote else "",
        "buy_qty": "0",
        "sll_qty": "0",
        "cblc_qty": "0",
        "nsvg_qty": "0",
        "ord_psbl_qty": "0",
        "pchs_avg_pric": "0.0000",
        "pchs_amt": "0",
        "now_pric": str(quote.price) if quote else "0",
        "evlu_amt": "0",
        "evlu_pfls_amt": "0",
        "evlu_pfls_rt": "0.00",
    }


SERVICES = (Service(TR.SELLABLE.path, ids_of(TR.SELLABLE), (*ACCOUNT, "PDNO"), sellable),)
