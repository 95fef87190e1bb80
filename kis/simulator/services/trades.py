"""The last trades of a stock, tick by tick and day by day."""

from collections import deque
from datetime import datetime, time, timedelta
from decimal import Decimal

from kis.client.codes import QUOTATIONS
from kis.simulator import wire
from kis.simulator.hours import at
from kis.simulator.market import Market, Print, Quote
from kis.simulator.periods import joined
from kis.simulator.prices import Bar, daily_limits
from kis.simulator.profiles import profile_of
from kis.simulator.services.base import Answer, Call, Service
from kis.simulator.services.quotation import (
    STOCK,
    bars_until_now,
    change_fields,
    found,
    net_bought,
    quote_asked,
)

ROWS = 30
ADJUSTED = "1"  # FID_ORG_ADJ_PRC, the other way round than in the chart
LOOK_BACK = (timedelta(minutes=15), timedelta(hours=1), timedelta(days=1))
WEAKEST, STRONGEST = 20, 500  # percent
#: Calendar days that hold more than 30 rows of a period.
DAYS_OF_ROWS = {"D": 70, "W": 7 * 34, "M": 31 * 33}


def ticks(call: Call) -> Answer:
    """At most 30 trades of today, newest first; none before the opening."""
    quote = quote_asked(call)
    if quote is None or quote.today is None:
        return found(output=[])
    rows = [_tick(quote, traded) for traded in _last_prints(call.exchange.market, quote)]
    return found(output=rows[::-1])


def _last_prints(market: Market, quote: Quote) -> list[Print]:
    """Return the last 30 trades of the day; most of the time they are found in its last minutes."""
    prints: deque[Print] = deque(maxlen=ROWS)
    midnight = at(quote.at.date(), time.min)
    for back in LOOK_BACK:
        since: datetime = max(quote.at - back, midnight)
        prints.clear()
        prints.extend(
            traded for traded in market.prints(quote.listing.code, since, quote.at) if traded.volume
        )
        if len(prints) == ROWS:
            break
    return list(prints)


def _tick(quote: Quote, traded: Print) -> wire.Json:
    return {
        "stck_cntg_hour": f"{traded.at:%H%M%S}",
        "stck_prpr": str(traded.price),
        **change_fields(traded.price, quote.base, quote.limits),
        "cntg_vol": str(traded.volume),
        "tday_rltv": wire.fixed(_strength(quote, traded.price), 2),
    }


def _strength(quote: Quote, price: int) -> Decimal:
    """Return buyers against sellers in percent: above 100 while the price is above the opening's."""
    opening = quote.today.open if quote.today else quote.base
    return min(max(100 + wire.percent(price - opening, opening) * 10, Decimal(WEAKEST)), Decimal(STRONGEST))


def daily_prices(call: Call) -> Answer:
    """At most 30 days, weeks or months of a stock, newest first."""
    quote = quote_asked(call)
    if quote is None:
        return found(output=[])
    period = call.params["FID_PERIOD_DIV_CODE"]
    days = DAYS_OF_ROWS.get(period, DAYS_OF_ROWS["D"])
    as_traded = call.params["FID_ORG_ADJ_PRC"].lstrip("0") != ADJUSTED
    bars = joined(bars_until_now(call, quote.listing.code, days=days, as_traded=as_traded), period)
    rows = [_row(call, quote, bar, before) for before, bar in zip([None, *bars], bars, strict=False)]
    return found(output=rows[-ROWS:][::-1])


def _row(call: Call, quote: Quote, bar: Bar, before: Bar | None) -> wire.Json:
    base = before.close if before else bar.open
    listing = quote.listing
    profile = profile_of(call.exchange.market, listing)
    grown = wire.percent(bar.volume - before.volume, before.volume) if before else 0
    return {
        "stck_bsop_date": f"{bar.day:%Y%m%d}",
        "stck_oprc": str(bar.open),
        "stck_hgpr": str(bar.high),
        "stck_lwpr": str(bar.low),
        "stck_clpr": str(bar.close),
        "acml_vol": str(bar.volume),
        "prdy_vrss_vol_rate": wire.fixed(grown, 2),
        **change_fields(bar.close, base, daily_limits(base, is_fund=listing.is_fund)),
        "hts_frgn_ehrt": wire.fixed(profile.foreign_percent, 2),
        "frgn_ntby_qty": str(net_bought(call, "foreign", listing.code, bar)),
        "flng_cls_code": "00",
        "acml_prtt_rate": "0.00",
    }


SERVICES = (
    Service(
        f"{QUOTATIONS}/inquire-ccnl",
        {"real": ("FHKST01010300",), "paper": ("FHKST01010300",)},
        STOCK,
        ticks,
        of_account=False,
    ),
    Service(
        f"{QUOTATIONS}/inquire-daily-price",
        {"real": ("FHKST01010400",), "paper": ("FHKST01010400",)},
        (*STOCK, "FID_PERIOD_DIV_CODE", "FID_ORG_ADJ_PRC"),
        daily_prices,
        of_account=False,
    ),
)
