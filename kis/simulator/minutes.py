"""Minute bars of a day: three prints of the market each, and the closing print of 15:30 by itself."""

from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from kis.simulator.hours import CLOSING, OPENING, at
from kis.simulator.market import Market, Print

MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)


class MinuteBar(NamedTuple):
    """One minute of one stock, in won and shares; `turnover` is that of the day so far."""

    at: datetime  # when the minute begins
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int


def minute_bars(market: Market, code: str, *, until: datetime, now: datetime, count: int) -> list[MinuteBar]:
    """Return the last `count` minutes that began on the day of `until`, at it or before; newest first.

    The minute of `now` is the part of it that is over. Between 15:20 and 15:30 nothing is traded, so no bar is there.
    """
    day = until.date()
    opening = at(day, OPENING)
    last = min(until, now, at(day, CLOSING))
    if last < opening:
        return []
    # Prints of the closing auction's ten minutes are missing, so these are looked past.
    first = max(last.replace(second=0, microsecond=0) - MINUTE * (count + 10), opening)
    end = min(last.replace(second=0, microsecond=0) + MINUTE - INSTANT, now, at(day, CLOSING))
    prints = market.prints(code, first - INSTANT, end)
    minutes = [(start, list(inside)) for start, inside in groupby(prints, key=_minute_of)][-count:]
    if not minutes:
        return []
    before = market.bar_so_far(code, minutes[0][0] - INSTANT)
    volume = before.volume if before else 0
    bars: list[MinuteBar] = []
    for start, inside in minutes:
        # Close and volume come from the day so far: that is what a price call showed, and it adds up to the day.
        so_far = market.bar_so_far(code, min(start + MINUTE - INSTANT, now))
        if so_far is not None:
            prices = [so_far.close, *(traded.price for traded in inside)]
            bars.append(
                MinuteBar(
                    at=start,
                    open=inside[0].price,
                    high=max(prices),
                    low=min(prices),
                    close=so_far.close,
                    volume=so_far.volume - volume,
                    turnover=so_far.turnover,
                )
            )
            volume = so_far.volume
    return bars[::-1]


def _minute_of(traded: Print) -> datetime:
    return traded.at.replace(second=0, microsecond=0)
