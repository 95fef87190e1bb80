"""The order book of a stock: ten offers, ten bids, and what an auction is expected to trade."""

from collections.abc import Sequence

from kis.client.codes import TR
from kis.simulator import wire
from kis.simulator.auctions import Expected, expected_trade
from kis.simulator.depth import LEVELS, Level
from kis.simulator.market import Quote
from kis.simulator.phases import Phase, phase_of
from kis.simulator.services.base import Answer, Call, Service, ids_of
from kis.simulator.services.quotation import STOCK, change_fields, found, quote_asked

BEFORE_OPENING = {Phase.BEFORE, Phase.OPENING_AUCTION}
TRADING = {Phase.REGULAR, Phase.CLOSING_AUCTION}
TRADES = (
    *("antc_mkop_cls_code", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_sdpr", "antc_cnpr", "antc_vol"),
    *("antc_cntg_vrss_sign", "antc_cntg_vrss", "antc_cntg_prdy_ctrt", "stck_shrn_iscd", "vi_cls_code"),
)


def order_book(call: Call) -> Answer:
    """Answer with both sides of the book; a side at its daily limit is shorter, its places hold 0."""
    quote = quote_asked(call)
    if quote is None:
        return found(output1={}, output2={**dict.fromkeys(TRADES, ""), "stck_prpr": "0"})
    depth = call.exchange.depth(quote.listing.code, call.now)
    asks, bids = (depth.asks, depth.bids) if depth else ((), ())
    expected = expected_trade(call.exchange.market, quote, call.now)
    return found(output1=_sides(call, quote, asks, bids), output2=_trades(quote, expected))


def total(levels: Sequence[Level]) -> int:
    return sum(level.quantity for level in levels)


def expected_change(quote: Quote, expected: Expected) -> wire.Json:
    """Return how far the expected price is from the base price; nowhere while nothing is expected."""
    return change_fields(expected.price or quote.base, quote.base, quote.limits)


def _sides(call: Call, quote: Quote, asks: Sequence[Level], bids: Sequence[Level]) -> wire.Json:
    fields: wire.Json = {"aspr_acpt_hour": f"{quote.at:%H%M%S}"}
    for name, levels in (("askp", asks), ("bidp", bids)):
        for place in range(LEVELS):
            level = levels[place] if place < len(levels) else Level(0, 0)
            fields[f"{name}{place + 1}"] = str(level.price)
            fields[f"{name}_rsqn{place + 1}"] = str(level.quantity)
            fields[f"{name}_rsqn_icdc{place + 1}"] = "0"
    phase = phase_of(call.now)
    return fields | {
        "total_askp_rsqn": str(total(asks)),
        "total_bidp_rsqn": str(total(bids)),
        "total_askp_rsqn_icdc": "0",
        "total_bidp_rsqn_icdc": "0",
        "ovtm_total_askp_icdc": "0",
        "ovtm_total_bidp_icdc": "0",
        "ovtm_total_askp_rsqn": "0",
        "ovtm_total_bidp_rsqn": "0",
        "ntby_aspr_rsqn": str(total(bids) - total(asks)),
        "new_mkop_cls_code": "20" if phase in TRADING else "10" if phase in BEFORE_OPENING else "31",
    }


def _trades(quote: Quote, expected: Expected) -> wire.Json:
    today = quote.today
    change = expected_change(quote, expected)
    return {
        "antc_mkop_cls_code": expected.phase,
        "stck_prpr": str(quote.price),
        "stck_oprc": str(today.open if today else 0),
        "stck_hgpr": str(today.high if today else 0),
        "stck_lwpr": str(today.low if today else 0),
        "stck_sdpr": str(quote.base),
        "antc_cnpr": str(expected.price),
        "antc_cntg_vrss_sign": change["prdy_vrss_sign"],
        "antc_cntg_vrss": change["prdy_vrss"],
        "antc_cntg_prdy_ctrt": change["prdy_ctrt"],
        "antc_vol": str(expected.volume),
        "stck_shrn_iscd": quote.listing.code,
        "vi_cls_code": "N",
    }


SERVICES = (Service(TR.ORDER_BOOK.path, ids_of(TR.ORDER_BOOK), STOCK, order_book, of_account=False),)
