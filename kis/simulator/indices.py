"""Levels of the stock indices: the value of their members, chained from day to day."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from weakref import WeakKeyDictionary

from kis.calendar import ONE_DAY, latest_business_day
from kis.simulator.hours import CLOSING, at
from kis.simulator.listings import MarketName
from kis.simulator.market import Market
from kis.simulator.prices import Bar, daily_limits
from kis.simulator.profiles import profile_at_first
from kis.simulator.splits import adjusted

HUNDREDTH = Decimal("0.01")
THOUSAND, MILLION = 1_000, 1_000_000


@dataclass(frozen=True, slots=True)
class IndexName:
    """Which stocks an index follows, and where it stood when the market began."""

    code: str
    name: str
    market: MarketName
    start: Decimal
    only_large: bool = False


NAMES = {
    index.code: index
    for index in (
        IndexName("0001", "종합", "KOSPI", Decimal("2500.00")),
        IndexName("1001", "KOSDAQ", "KOSDAQ", Decimal("780.00")),
        IndexName("2001", "KOSPI200", "KOSPI", Decimal("330.00"), only_large=True),
    )
}


class Level(NamedTuple):
    """One day of an index. High and low are those its members would make together."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int  # thousands of shares
    turnover: int  # millions of won


@dataclass(slots=True)
class Breadth:
    """How many members rose and fell, those at their daily limit included."""

    up: int = 0
    at_upper: int = 0
    even: int = 0
    down: int = 0
    at_lower: int = 0


class Index:
    """An index of one market. Its past is worked out once, as far as it is asked for; time never goes back."""

    def __init__(self, market: Market, name: IndexName) -> None:
        self.name = name
        listed = [
            listing
            for code, listing in market.listings.items()
            # A stock that the control plane lists later must not rewrite the past.
            if listing.market == name.market and not listing.is_fund and code not in market.added
        ]
        profiles = {listing.code: profile_at_first(market, listing) for listing in listed}
        large = {code: profile for code, profile in profiles.items() if profile.is_large}
        members = large if name.only_large and large else profiles
        self._shares = {code: profile.shares for code, profile in members.items()}
        self._closes: dict[str, int] = {}
        self._levels: list[Level] = []
        self._known_until = date.min

    def days_before(self, market: Market, day: date) -> list[Level]:
        """Return the levels of all days before `day`, oldest first."""
        first, last = self._known_until + ONE_DAY, day - ONE_DAY
        bars: defaultdict[date, dict[str, Bar]] = defaultdict(dict)
        for code in self._shares if first <= last else ():
            for bar in market.bars(code, first, last):
                bars[bar.day][code] = _in_first_shares(market, code, bar)
        for trading_day in sorted(bars):
            self._levels.append(self._level(trading_day, bars[trading_day]))
            self._closes.update((code, bar.close) for code, bar in bars[trading_day].items())
        self._known_until = max(self._known_until, last)
        return self._levels

    def today(self, market: Market, now: datetime) -> tuple[Level | None, Breadth]:
        """Return the day so far, None before the opening. The index ends with the close of 15:30."""
        day = latest_business_day(now.date())
        self.days_before(market, day)
        moment = min(now, at(day, CLOSING))
        found = {code: market.bar_so_far(code, moment) for code in self._shares}
        bars = {code: _in_first_shares(market, code, bar) for code, bar in found.items() if bar is not None}
        return (self._level(day, bars) if bars else None), self._breadth(bars)

    def _level(self, day: date, bars: Mapping[str, Bar]) -> Level:
        """Return the level that today's prices make of yesterday's; a member without trade keeps its price."""
        before = self._levels[-1].close if self._levels else self.name.start
        value = sum(self._shares[code] * close for code, close in self._closes.items())
        gains = [0, 0, 0, 0]
        for code, bar in bars.items():
            close = self._closes.get(code)
            if close is not None:
                for place, price in enumerate(bar[1:5]):
                    gains[place] += self._shares[code] * (price - close)
        opening, high, low, close_level = (
            (before * (value + gain) / value).quantize(HUNDREDTH) if value else before for gain in gains
        )
        return Level(
            day,
            opening,
            high,
            low,
            close_level,
            sum(bar.volume for bar in bars.values()) // THOUSAND,
            sum(bar.turnover for bar in bars.values()) // MILLION,
        )

    def _breadth(self, bars: Mapping[str, Bar]) -> Breadth:
        breadth = Breadth()
        for code, base in self._closes.items():
            price = bars[code].close if code in bars else base
            lowest, highest = daily_limits(base)
            breadth.up += price > base
            breadth.even += price == base
            breadth.down += price < base
            breadth.at_upper += price == highest
            breadth.at_lower += price == lowest
        return breadth


def _in_first_shares(market: Market, code: str, bar: Bar) -> Bar:
    """Return a day in the shares there were before any split: an index does not jump with one."""
    return adjusted(bar, 1 / market.shares_made(code, until=bar.day))


#: Belongs to the market it is worked out from, and goes with it.
_indices: WeakKeyDictionary[Market, dict[str, Index]] = WeakKeyDictionary()


def index_of(market: Market, code: str) -> Index | None:
    """Return an index of a market; None for a code that is no index."""
    name = NAMES.get(code)
    if name is None:
        return None
    known = _indices.setdefault(market, {})
    if code not in known:
        known[code] = Index(market, name)
    return known[code]
