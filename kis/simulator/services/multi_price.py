"""The prices of up to thirty stocks in one call; its fields have names of their own."""

from kis.client.codes import TR
from kis.simulator import wire
from kis.simulator.auctions import expected_trade
from kis.simulator.depth import Level
from kis.simulator.market import Quote
from kis.simulator.phases import Phase, phase_of
from kis.simulator.services.base import Answer, Call, Service, ids_of
from kis.simulator.services.order_book import expected_change, total
from kis.simulator.services.quotation import change_fields, found, quote_of

MOST = 30
NO_LEVEL = Level(0, 0)
FIELDS = (
    *("kospi_kosdaq_cls_name", "mrkt_trtm_cls_name", "hour_cls_code", "inter_kor_isnm", "inter2_prdy_vrss"),
    *("prdy_vrss_sign", "prdy_ctrt", "acml_vol", "inter2_oprc", "inter2_hgpr", "inter2_lwpr", "inter2_llam"),
    *("inter2_mxpr", "inter2_askp", "inter2_bidp", "seln_rsqn", "shnu_rsqn", "total_askp_rsqn"),
    *("total_bidp_rsqn", "acml_tr_pbmn", "inter2_prdy_clpr", "oprc_vrss_hgpr_rate", "intr_antc_cntg_vrss"),
    *("intr_antc_cntg_vrss_sign", "intr_antc_cntg_prdy_ctrt", "intr_antc_vol", "inter2_sdpr"),
)


def multi_price(call: Call) -> Answer:
    """Answer with one row a stock, in the order asked for; empty pairs are passed over."""
    pairs = [
        (call.params[f"FID_COND_MRKT_DIV_CODE_{number}"], call.params[f"FID_INPUT_ISCD_{number}"])
        for number in range(1, MOST + 1)
    ]
    return found(output=[_row(call, board, code) for board, code in pairs if code])


def _row(call: Call, board: str, code: str) -> wire.Json:
    quote = quote_of(call, board, code)
    if quote is None:
        return {**dict.fromkeys(FIELDS, ""), "inter_shrn_iscd": code, "inter2_prpr": "0"}
    change = change_fields(quote.price, quote.base, quote.limits)
    return {
        "kospi_kosdaq_cls_name": quote.listing.market,
        "mrkt_trtm_cls_name": "",
        "hour_cls_code": "B" if phase_of(call.now) is Phase.OPENING_AUCTION else "0",
        "inter_shrn_iscd": code,
        "inter_kor_isnm": quote.listing.name,
        "inter2_prpr": str(quote.price),
        "inter2_prdy_vrss": change["prdy_vrss"],
        "prdy_vrss_sign": change["prdy_vrss_sign"],
        "prdy_ctrt": change["prdy_ctrt"],
        **_day(quote),
        **_waiting(call, quote),
        **_expected(call, quote),
    }


def _day(quote: Quote) -> wire.Json:
    today = quote.today
    lowest, highest = quote.limits
    return {
        "acml_vol": str(today.volume if today else 0),
        "acml_tr_pbmn": str(today.turnover if today else 0),
        "inter2_oprc": str(today.open if today else 0),
        "inter2_hgpr": str(today.high if today else 0),
        "inter2_lwpr": str(today.low if today else 0),
        "inter2_llam": str(lowest),
        "inter2_mxpr": str(highest),
        "inter2_prdy_clpr": str(quote.base),
        "inter2_sdpr": str(quote.base),
        "oprc_vrss_hgpr_rate": wire.fixed(
            wire.percent(today.high - today.open, today.open) if today else 0, 2
        ),
    }


def _waiting(call: Call, quote: Quote) -> wire.Json:
    depth = call.exchange.depth(quote.listing.code, call.now)
    asks, bids = (depth.asks, depth.bids) if depth else ((), ())
    ask, bid = next(iter(asks), NO_LEVEL), next(iter(bids), NO_LEVEL)
    return {
        "inter2_askp": str(ask.price),
        "inter2_bidp": str(bid.price),
        "seln_rsqn": str(ask.quantity),
        "shnu_rsqn": str(bid.quantity),
        "total_askp_rsqn": str(total(asks)),
        "total_bidp_rsqn": str(total(bids)),
    }


def _expected(call: Call, quote: Quote) -> wire.Json:
    expected = expected_trade(call.exchange.market, quote, call.now)
    change = expected_change(quote, expected)
    return {
        "intr_antc_cntg_vrss": change["prdy_vrss"],
        "intr_antc_cntg_vrss_sign": change["prdy_vrss_sign"],
        "intr_antc_cntg_prdy_ctrt": change["prdy_ctrt"],
        "intr_antc_vol": str(expected.volume),
    }


SERVICES = (
    Service(
        TR.MULTI_PRICE.path,
        ids_of(TR.MULTI_PRICE),
        ("FID_COND_MRKT_DIV_CODE_1", "FID_INPUT_ISCD_1"),
        multi_price,
        of_account=False,
    ),
)
