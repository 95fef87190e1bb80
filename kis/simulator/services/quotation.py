"""What the quotation transactions have in common: the stock asked for, the fields most of them show."""

from datetime import date, timedelta

from kis.simulator import wire
from kis.simulator.market import Quote
from kis.simulator.prices import Bar, dice
from kis.simulator.services.base import Answer, Call

STOCK = ("FID_COND_MRKT_DIV_CODE", "FID_INPUT_ISCD")
INDEX_BOARD = "U"
NET_SHARE = 0.15  # of a day's volume, bought or sold net by one group of investors


def found(**outputs: object) -> Answer:
    """Return a successful answer."""
    return Answer({**outputs, "rt_cd": "0", "msg_cd": "MCA00000", "msg1": "정상처리 되었습니다."})


def quote_asked(call: Call) -> Quote | None:
    """Return what the stock asked for shows now; None for an unknown code, which is no error."""
    return quote_of(call, call.params["FID_COND_MRKT_DIV_CODE"], call.params["FID_INPUT_ISCD"])


def quote_of(call: Call, board: str, code: str) -> Quote | None:
    return None if board == INDEX_BOARD else call.exchange.market.quote(code, call.now)


def change_fields(price: int, base: int, limits: tuple[int, int]) -> wire.Json:
    """Return difference, sign and percent against the base price."""
    lowest, highest = limits
    change = price - base
    return {
        "prdy_vrss": str(change),
        "prdy_vrss_sign": wire.change_sign(change, at_upper=price == highest, at_lower=price == lowest),
        "prdy_ctrt": wire.fixed(wire.percent(change, base), 2),
    }


def bars_until_now(call: Call, code: str, *, days: int, as_traded: bool = False) -> list[Bar]:
    """Return the bars of the last calendar days, oldest first, today's as far as it has come.

    All are in today's shares, or with `as_traded` in those of their day.
    """
    market, today = call.exchange.market, call.now.date()
    bars = market.bars(code, today - timedelta(days=days), today - timedelta(days=1))
    if not as_traded:
        bars = market.adjusted(code, bars, on=today)
    so_far = market.bar_so_far(code, call.now)
    return bars if so_far is None else [*bars, so_far]


def net_bought(call: Call, group: str, code: str, bar: Bar) -> int:
    """Return the shares that a group of investors bought on a day, less those it sold."""
    share = dice(group, call.exchange.market.seed, code, bar.day).uniform(-NET_SHARE, NET_SHARE)
    return int(bar.volume * share)


def day_or(text: str, today: date) -> date:
    """Read a date; what is none at all lies before or after everything, as text would sort."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return date.min if text < f"{today:%Y%m%d}" else date.max
