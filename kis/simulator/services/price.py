"""The price of one stock, with the day, the year and the company behind it."""

from collections.abc import Sequence
from datetime import date, timedelta
from operator import attrgetter

from kis.client.codes import TR, Mode
from kis.simulator import wire
from kis.simulator.listings import margin_percent
from kis.simulator.market import Quote
from kis.simulator.prices import Bar, limit_width, tick_size
from kis.simulator.profiles import Profile, profile_of
from kis.simulator.services.balance import COLLATERAL_PERCENT
from kis.simulator.services.base import Answer, Call, Service, ids_of
from kis.simulator.services.quotation import (
    STOCK,
    bars_until_now,
    change_fields,
    found,
    net_bought,
    quote_asked,
)

DAYS_OF_250 = 250
A_YEAR = timedelta(days=364)
LOOK_BACK = 400  # calendar days that hold 250 trading days and 52 weeks
HUNDRED_MILLION = 100_000_000

#: The broker sends no name of the sector for these.
WITHOUT_SECTOR = frozenset(
    {
        *("002170", "002450", "004700", "004970", "007160", "011090", "011330", "013890", "016800"),
        *("030720", "033780", "071950", "079430", "084680", "111380", "134790", "194370", "241590"),
    }
)
NOT_MODELLED = {
    "temp_stop_yn": "N",
    "oprc_rang_cont_yn": "N",
    "clpr_rang_cont_yn": "N",
    "elw_pblc_yn": "N",
    "grmn_rate_cls_code": "40",
    "hts_deal_qty_unit_val": "1",
    "stac_month": "12",
    "whol_loan_rmnd_rate": "0.16",
    "ssts_yn": "Y",
    "apprch_rate": "0.00",
    "last_ssts_cntg_qty": "0",
    "vi_cls_code": "N",
    "ovtm_vi_cls_code": "N",
    "invt_caful_yn": "N",
    "short_over_yn": "N",
    "sltr_yn": "N",
    "mang_issu_cls_code": "N",
    "mrkt_warn_cls_code": "00",
}


def price(call: Call) -> Answer:
    """Answer with everything about a stock; one that nobody knows costs 0 and says nothing else."""
    quote = quote_asked(call)
    return found(output=_blank() if quote is None else _output(call, quote))


def fund_price(call: Call) -> Answer:
    """Answer for an ETF or ETN: its price, and what its assets are worth a share, which here is the same."""
    quote = quote_asked(call)
    if quote is None:
        return found(output=_blank())
    worth = {
        "nav": wire.fixed(quote.price, 2),
        "nav_prdy_vrss": wire.fixed(quote.change, 2),
        "nav_prdy_vrss_sign": wire.change_sign(quote.change),
        "nav_prdy_ctrt": wire.fixed(wire.percent(quote.change, quote.base), 2),
        "trc_errt": "0.00",
        "dprt": "0.00",
    }
    return found(output=_output(call, quote) | worth)


def _output(call: Call, quote: Quote) -> wire.Json:
    market, listing = call.exchange.market, quote.listing
    profile = profile_of(market, listing)
    bars = bars_until_now(call, listing.code, days=LOOK_BACK) or [quote.previous or _flat(quote)]
    output = {
        **NOT_MODELLED,
        "iscd_stat_cls_code": "00" if listing.is_fund else "55",
        "crdt_able_yn": "N" if listing.is_fund else "Y",
        "marg_rate": f"{margin_percent(listing)}.00",
        "rprs_mrkt_kor_name": _market_name(quote, profile),
        "stck_shrn_iscd": listing.code,
        **change_fields(quote.price, quote.base, quote.limits),
        **_day(quote, profile),
        **_rules(quote),
        **_pivots(quote.previous or _flat(quote)),
        **_company(quote, profile),
        **_investors(call, quote, profile),
        **_extremes(bars, quote.price),
    }
    if listing.code not in WITHOUT_SECTOR:
        output["bstp_kor_isnm"] = listing.sector
    record = _record(bars, quote)
    if record:
        output["new_hgpr_lwpr_cls_code"] = record
    return output


def _blank() -> wire.Json:
    """Return the reply for an unknown code: every field, none of them filled."""
    names = [
        *NOT_MODELLED,
        *("iscd_stat_cls_code", "crdt_able_yn", "marg_rate", "rprs_mrkt_kor_name", "bstp_kor_isnm"),
        *("prdy_vrss", "prdy_vrss_sign", "prdy_ctrt", "acml_tr_pbmn", "acml_vol", "prdy_vrss_vol_rate"),
        *("stck_oprc", "stck_hgpr", "stck_lwpr", "wghn_avrg_stck_prc", "vol_tnrt", "stck_shrn_iscd"),
        *("stck_mxpr", "stck_llam", "stck_sdpr", "rstc_wdth_prc", "aspr_unit", "stck_sspr"),
        *PIVOTS,
        *("cpfn", "cpfn_cnnm", "stck_fcam", "fcam_cnnm", "lstn_stcn", "hts_avls", "per", "pbr", "eps", "bps"),
        *("hts_frgn_ehrt", "frgn_hldn_qty", "frgn_ntby_qty", "pgtr_ntby_qty"),
        *(name for names in SPANS for name in names),
    ]
    return {**dict.fromkeys(names, ""), "stck_prpr": "0"}


def _flat(quote: Quote) -> Bar:
    return Bar(quote.at.date(), quote.base, quote.base, quote.base, quote.base, 0)


def _market_name(quote: Quote, profile: Profile) -> str:
    listing = quote.listing
    if listing.is_fund:
        return listing.sector
    if listing.market == "KOSPI":
        return "KOSPI200" if profile.is_large else "KOSPI"
    return "KSQ150" if profile.is_large else "KOSDAQ"


def _day(quote: Quote, profile: Profile) -> wire.Json:
    today, previous = quote.today, quote.previous
    volume, turnover = (today.volume, today.turnover) if today else (0, 0)
    average = wire.percent(turnover, volume * 100)
    return {
        "stck_prpr": str(quote.price),
        "acml_vol": str(volume),
        "acml_tr_pbmn": str(turnover),
        "prdy_vrss_vol_rate": wire.fixed(wire.percent(volume, previous.volume if previous else 0), 2),
        "stck_oprc": str(today.open if today else 0),
        "stck_hgpr": str(today.high if today else 0),
        "stck_lwpr": str(today.low if today else 0),
        "wghn_avrg_stck_prc": wire.fixed(average, 2),
        "vol_tnrt": wire.fixed(wire.percent(volume, profile.shares), 2),
    }


def _rules(quote: Quote) -> wire.Json:
    lowest, highest = quote.limits
    is_fund = quote.listing.is_fund
    return {
        "stck_mxpr": str(highest),
        "stck_llam": str(lowest),
        "stck_sdpr": str(quote.base),
        "rstc_wdth_prc": str(limit_width(quote.base, is_fund=is_fund)),
        "aspr_unit": str(tick_size(quote.price, is_fund=is_fund)),
        "stck_sspr": str(quote.base * COLLATERAL_PERCENT // 1000 * 10),
    }


PIVOTS = (
    "pvt_scnd_dmrs_prc",
    "pvt_frst_dmrs_prc",
    "pvt_pont_val",
    "pvt_frst_dmsp_prc",
    "pvt_scnd_dmsp_prc",
    "dmrs_val",
    "dmsp_val",
)


def _pivots(bar: Bar) -> wire.Json:
    """Return yesterday's pivot with two resistances and supports, and DeMark's pair after them."""
    pivot = (bar.high + bar.low + bar.close) // 3
    if bar.close == bar.open:
        demark = bar.high + bar.low + 2 * bar.close
    else:
        demark = bar.high + bar.low + bar.close + (bar.high if bar.close > bar.open else bar.low)
    spread = bar.high - bar.low
    values = (
        pivot + spread,
        2 * pivot - bar.low,
        pivot,
        2 * pivot - bar.high,
        pivot - spread,
        demark // 2 - bar.low,
        demark // 2 - bar.high,
    )
    return dict(zip(PIVOTS, map(str, values), strict=True))


def _company(quote: Quote, profile: Profile) -> wire.Json:
    capital = profile.capital // HUNDRED_MILLION
    return {
        "cpfn": str(capital),
        "cpfn_cnnm": f"{capital:,} 억",
        "stck_fcam": str(profile.face_value),
        "fcam_cnnm": f"{profile.face_value:,}",
        "lstn_stcn": str(profile.shares),
        "hts_avls": str(profile.shares * quote.price // HUNDRED_MILLION),
        "per": wire.fixed(wire.percent(quote.price, profile.eps * 100), 2),
        "pbr": wire.fixed(wire.percent(quote.price, profile.bps * 100), 2),
        "eps": f"{profile.eps}.00",
        "bps": f"{profile.bps}.00",
    }


def _investors(call: Call, quote: Quote, profile: Profile) -> wire.Json:
    today = quote.today or _flat(quote)
    return {
        "hts_frgn_ehrt": wire.fixed(profile.foreign_percent, 2),
        "frgn_hldn_qty": str(profile.foreign_shares),
        "frgn_ntby_qty": str(net_bought(call, "foreign", quote.listing.code, today)),
        "pgtr_ntby_qty": str(net_bought(call, "program", quote.listing.code, today)),
    }


#: High, its day, its distance; low, its day, its distance.
SPANS = (
    (
        *("d250_hgpr", "d250_hgpr_date", "d250_hgpr_vrss_prpr_rate"),
        *("d250_lwpr", "d250_lwpr_date", "d250_lwpr_vrss_prpr_rate"),
    ),
    (
        *("stck_dryy_hgpr", "dryy_hgpr_date", "dryy_hgpr_vrss_prpr_rate"),
        *("stck_dryy_lwpr", "dryy_lwpr_date", "dryy_lwpr_vrss_prpr_rate"),
    ),
    (
        *("w52_hgpr", "w52_hgpr_date", "w52_hgpr_vrss_prpr_ctrt"),
        *("w52_lwpr", "w52_lwpr_date", "w52_lwpr_vrss_prpr_ctrt"),
    ),
)


def _extremes(bars: Sequence[Bar], current: int) -> wire.Json:
    """Return the highest and lowest price of 250 days, of this year, of 52 weeks."""
    last = bars[-1].day
    parts = (bars[-DAYS_OF_250:], _since(bars, date(last.year, 1, 1)), _since(bars, last - A_YEAR))
    fields: wire.Json = {}
    for names, part in zip(SPANS, parts, strict=True):
        high, low = max(part, key=attrgetter("high")), min(part, key=attrgetter("low"))
        values = (
            *(str(high.high), f"{high.day:%Y%m%d}", _distance(current, high.high)),
            *(str(low.low), f"{low.day:%Y%m%d}", _distance(current, low.low)),
        )
        fields.update(zip(names, values, strict=True))
    return fields


def _since(bars: Sequence[Bar], first: date) -> Sequence[Bar]:
    return [bar for bar in bars if bar.day >= first]


def _distance(current: int, extreme: int) -> str:
    return wire.fixed(wire.percent(current - extreme, extreme), 2)


def _record(bars: Sequence[Bar], quote: Quote) -> str:
    """Say whether today brought a new high or low of 52 weeks; blank if not."""
    before = [bar for bar in _since(bars, quote.at.date() - A_YEAR) if bar.day < quote.at.date()]
    if quote.today is None or not before:
        return ""
    if quote.today.high > max(bar.high for bar in before):
        return "신고가"
    return "신저가" if quote.today.low < min(bar.low for bar in before) else ""


FUND_IDS: dict[Mode, tuple[str, ...]] = {"real": ("FHPST02400000",), "paper": ("FHPST02400000",)}
SERVICES = (
    Service(TR.PRICE.path, ids_of(TR.PRICE), STOCK, price, of_account=False),
    Service("/uapi/etfetn/v1/quotations/inquire-price", FUND_IDS, STOCK, fund_price, of_account=False),
)
