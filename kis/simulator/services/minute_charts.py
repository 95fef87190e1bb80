"""The minute charts: today's and those of the last year."""

from datetime import date, datetime, time, timedelta

from kis.client.codes import TR
from kis.simulator import wire
from kis.simulator.hours import CLOSING, KST, at
from kis.simulator.market import Quote
from kis.simulator.minutes import MinuteBar, minute_bars
from kis.simulator.services.base import Answer, Call, Service, ids_of
from kis.simulator.services.quotation import STOCK, change_fields, day_or, found, quote_asked

ROWS_OF_TODAY, ROWS_OF_PAST = 30, 120
KEPT = timedelta(days=366)
HEAD = (
    *("prdy_vrss", "prdy_vrss_sign", "prdy_ctrt", "stck_prdy_clpr"),
    *("acml_vol", "acml_tr_pbmn", "hts_kor_isnm"),
)


def todays_minutes(call: Call) -> Answer:
    """At most 30 minutes of the day the price is of, newest first."""
    quote = quote_asked(call)
    return _chart(call, quote, quote.at.date() if quote else call.now.date(), ROWS_OF_TODAY)


def past_minutes(call: Call) -> Answer:
    """At most 120 minutes of one day, newest first; today and a day of the future end now."""
    asked = min(day_or(call.params["FID_INPUT_DATE_1"], call.now.date()), call.now.date())
    return _chart(call, quote_asked(call), asked, ROWS_OF_PAST)


def _chart(call: Call, quote: Quote | None, day: date, count: int) -> Answer:
    rows = [] if quote is None else _bars(call, quote, day, count)
    return found(output1=_head(quote), output2=[_row(bar) for bar in rows])


def _bars(call: Call, quote: Quote, day: date, count: int) -> list[MinuteBar]:
    market, code = call.exchange.market, quote.listing.code
    oldest = call.now.date() - KEPT
    until = _moment(call.params["FID_INPUT_HOUR_1"], day)
    bars: list[MinuteBar] = []
    while day >= oldest:
        bars += minute_bars(market, code, until=until, now=call.now, count=count - len(bars))
        before = market.last_bar_before(code, day) if call.params["FID_PW_DATA_INCU_YN"] == "Y" else None
        if len(bars) >= count or before is None:
            break
        day = before.day
        until = at(day, CLOSING)
    return bars


def _moment(text: str, day: date) -> datetime:
    """Read the time of day that rows end at; midnight and what is no time at all mean the end of the day."""
    try:
        moment = time(int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        moment = time.min
    return datetime.combine(day, moment if moment > time.min else time.max, KST)


def _head(quote: Quote | None) -> wire.Json:
    if quote is None:
        return {**dict.fromkeys(HEAD, ""), "stck_prpr": "0"}
    today = quote.today
    return {
        **change_fields(quote.price, quote.base, quote.limits),
        "stck_prdy_clpr": str(quote.base),
        "acml_vol": str(today.volume if today else 0),
        "acml_tr_pbmn": str(today.turnover if today else 0),
        "hts_kor_isnm": quote.listing.name,
        "stck_prpr": str(quote.price),
    }


def _row(bar: MinuteBar) -> wire.Json:
    return {
        "stck_bsop_date": f"{bar.at:%Y%m%d}",
        "stck_cntg_hour": f"{bar.at:%H%M%S}",
        "stck_prpr": str(bar.close),
        "stck_oprc": str(bar.open),
        "stck_hgpr": str(bar.high),
        "stck_lwpr": str(bar.low),
        "cntg_vol": str(bar.volume),
        "acml_tr_pbmn": str(bar.turnover),
    }


SERVICES = (
    Service(
        TR.TODAY_MINUTES.path,
        ids_of(TR.TODAY_MINUTES),
        (*STOCK, "FID_ETC_CLS_CODE", "FID_INPUT_HOUR_1", "FID_PW_DATA_INCU_YN"),
        todays_minutes,
        of_account=False,
    ),
    Service(
        TR.PAST_MINUTES.path,
        ids_of(TR.PAST_MINUTES),
        (*STOCK, "FID_INPUT_HOUR_1", "FID_INPUT_DATE_1", "FID_PW_DATA_INCU_YN", "FID_FAKE_TICK_INCU_YN"),
        past_minutes,
        of_account=False,
    ),
)
