"""The daily chart: bars of a stock by day, week, month or year."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from kis.client.codes import TR
from kis.simulator import wire
from kis.simulator.market import Quote
from kis.simulator.periods import joined
from kis.simulator.prices import Bar
from kis.simulator.profiles import profile_of
from kis.simulator.services.base import Answer, Call, Service, ids_of
from kis.simulator.services.quotation import day_or
from kis.simulator.wire import change_sign

CHART_ROWS = 100
AS_TRADED = "1"  # FID_ORG_ADJ_PRC: 원주가
HUNDRED_MILLION = 100_000_000


def daily_chart(call: Call) -> Answer:
    """At most 100 bars of a stock, newest first, by day, week, month or year; adjusted for splits unless told otherwise."""
    params = call.params
    market = call.exchange.market
    code = params["FID_INPUT_ISCD"]
    quote = None if params["FID_COND_MRKT_DIV_CODE"] == "U" else market.quote(code, call.now)
    rows: list[wire.Json] = []
    if quote is not None:
        start, end = (day_or(params[f"FID_INPUT_DATE_{number}"], call.now.date()) for number in (1, 2))
        bars = _bars_until_now(call, code, start, end)
        before = market.last_bar_before(code, bars[0].day) if bars else None
        bars = [before, *bars] if before else bars
        if params["FID_ORG_ADJ_PRC"].lstrip("0") != AS_TRADED:
            bars = market.adjusted(code, bars, on=call.now.date())
        close_before = bars.pop(0).close if before else 0
        rows = _chart_rows(joined(bars, params["FID_PERIOD_DIV_CODE"]), close_before)
    body: wire.Json = {
        "output1": _chart_head(call, quote, code),
        "output2": rows[:CHART_ROWS],
        "rt_cd": "0",
        "msg_cd": "MCA00000",
        "msg1": "정상처리 되었습니다.",
    }
    return Answer(body)


def _bars_until_now(call: Call, code: str, start: date, end: date) -> list[Bar]:
    """Return the bars of the range that exist at this moment, today's as far as it has come."""
    market, today = call.exchange.market, call.now.date()
    bars = market.bars(code, start, min(end, today - timedelta(days=1)))
    if start <= today <= end and (so_far := market.bar_so_far(code, call.now)) is not None:
        bars = [*bars, so_far]
    return bars


def _chart_rows(bars: Sequence[Bar], close_before: int) -> list[wire.Json]:
    rows: list[wire.Json] = []
    previous = close_before
    for bar in bars:
        change = bar.close - previous if previous else 0
        rows.append(
            {
                "stck_bsop_date": f"{bar.day:%Y%m%d}",
                "stck_clpr": str(bar.close),
                "stck_oprc": str(bar.open),
                "stck_hgpr": str(bar.high),
                "stck_lwpr": str(bar.low),
                "acml_vol": str(bar.volume),
                "acml_tr_pbmn": str(bar.turnover),
                "flng_cls_code": "00",
                "prtt_rate": "0.00",
                "mod_yn": "N",
                "prdy_vrss_sign": change_sign(change),
                "prdy_vrss": str(change),
                "revl_issu_reas": "",
            }
        )
        previous = bar.close
    return rows[::-1]


CHART_HEAD = [
    "prdy_vrss",
    "prdy_vrss_sign",
    "prdy_ctrt",
    "stck_prdy_clpr",
    "acml_vol",
    "acml_tr_pbmn",
    "hts_kor_isnm",
    "stck_prpr",
    "stck_shrn_iscd",
    "prdy_vol",
    "stck_mxpr",
    "stck_llam",
    "stck_oprc",
    "stck_hgpr",
    "stck_lwpr",
    "stck_prdy_oprc",
    "stck_prdy_hgpr",
    "stck_prdy_lwpr",
    "askp",
    "bidp",
    "prdy_vrss_vol",
    "vol_tnrt",
    "stck_fcam",
    "lstn_stcn",
    "cpfn",
    "hts_avls",
    "per",
    "eps",
    "pbr",
    "itewhol_loan_rmnd_ratem",
]
CHART_HEAD_TEXTS = {"hts_kor_isnm", "stck_shrn_iscd"}


def _chart_head(call: Call, quote: Quote | None, code: str) -> wire.Json:
    head: wire.Json = {name: "" if name in CHART_HEAD_TEXTS else "0" for name in CHART_HEAD}
    if quote is None:
        return head
    lowest, highest = quote.limits
    today, previous = quote.today, quote.previous
    volume = today.volume if today else 0
    previous_volume = previous.volume if previous else 0
    profile = profile_of(call.exchange.market, quote.listing)
    depth = call.exchange.depth(code, call.now)
    head |= {
        "prdy_vrss": str(quote.change),
        "prdy_vrss_sign": change_sign(
            quote.change, at_upper=quote.price == highest, at_lower=quote.price == lowest
        ),
        "prdy_ctrt": wire.fixed(wire.percent(quote.change, quote.base), 2),
        "stck_prdy_clpr": str(quote.base),
        "acml_vol": str(volume),
        "acml_tr_pbmn": str(today.turnover if today else 0),
        "hts_kor_isnm": quote.listing.name,
        "stck_prpr": str(quote.price),
        "stck_shrn_iscd": code,
        "prdy_vol": str(previous_volume),
        "stck_mxpr": str(highest),
        "stck_llam": str(lowest),
        "prdy_vrss_vol": str(volume - previous_volume),
        "vol_tnrt": wire.fixed(wire.percent(volume, profile.shares), 2),
        "stck_fcam": str(profile.face_value),
        "lstn_stcn": str(profile.shares),
        "cpfn": str(profile.capital // HUNDRED_MILLION),
        "hts_avls": str(profile.shares * quote.price // HUNDRED_MILLION),
        "per": wire.fixed(Decimal(quote.price) / profile.eps if profile.eps else 0, 2),
        "eps": wire.fixed(profile.eps, 2),
        "pbr": wire.fixed(Decimal(quote.price) / profile.bps if profile.bps else 0, 2),
        "itewhol_loan_rmnd_ratem": "0.00",
        "askp": str(depth.asks[0].price if depth and depth.asks else 0),
        "bidp": str(depth.bids[0].price if depth and depth.bids else 0),
    }
    if today is not None:
        head |= {"stck_oprc": str(today.open), "stck_hgpr": str(today.high), "stck_lwpr": str(today.low)}
    if previous is not None:
        head |= {
            "stck_prdy_oprc": str(previous.open),
            "stck_prdy_hgpr": str(previous.high),
            "stck_prdy_lwpr": str(previous.low),
        }
    return head


SERVICES = (
    Service(
        TR.DAILY_CHART.path,
        ids_of(TR.DAILY_CHART),
        (
            "FID_COND_MRKT_DIV_CODE",
            "FID_INPUT_ISCD",
            "FID_INPUT_DATE_1",
            "FID_INPUT_DATE_2",
            "FID_PERIOD_DIV_CODE",
            "FID_ORG_ADJ_PRC",
        ),
        daily_chart,
        of_account=False,
    ),
)
