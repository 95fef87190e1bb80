"""Levels of the stock indices: the value of their members, chained from day to day."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

from kis.calendar import ONE_DAY, latest_business_day
from kis.simulator.hours import CLOSING, at
from kis.simulator.listings import MarketName
from kis.simulator.market import History, Market
from kis.simulator.prices import Bar, daily_limits
from kis.simulator.profiles import profile_at_first
from kis.simulator.splits import WHOLE, adjusted

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


class Chain:
    """The levels of an index: each day is made of the one before by what the prices of the members have done."""

    def __init__(self, shares: Mapping[str, int], start: Decimal) -> None:
        self.shares = shares
        self.start = start
        self.closes: dict[str, int] = {}
        self.levels: list[Level] = []

    def add(self, bars: Mapping[date, Mapping[str, Bar]]) -> None:
        """Go on with these days; all later than those before."""
        for day in sorted(bars):
            self.levels.append(self.level(day, bars[day]))
            self.closes.update((code, bar.close) for code, bar in bars[day].items())

    def level(self, day: date, bars: Mapping[str, Bar]) -> Level:
        """Return the level that today's prices make of yesterday's; a member without trade keeps its price."""
        before = self.levels[-1].close if self.levels else self.start
        value = sum(self.shares[code] * close for code, close in self.closes.items())
        gains = [0, 0, 0, 0]
        for code, bar in bars.items():
            close = self.closes.get(code)
            if close is not None:
                for place, price in enumerate(bar[1:5]):
                    gains[place] += self.shares[code] * (price - close)
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


class Untouched:
    """An index of stocks that nobody has touched; the simulators of one process share it, as they share the bars."""

    def __init__(self, histories: Mapping[str, History], chain: Chain) -> None:
        self._histories = histories
        self._chain = chain
        self._known_until = date.min
        self._lock = Lock()

    def until(self, last: date) -> Chain:
        """Return a chain of its own with the days up to `last`."""
        bars = {code: history.between(date.min, last) for code, history in self._histories.items()}
        chain = Chain(self._chain.shares, self._chain.start)
        chain.closes = {code: of_code[-1].close for code, of_code in bars.items() if of_code}
        with self._lock:
            if self._known_until < last:
                self._chain.add(by_day(bars, after=self._known_until))
                self._known_until = last
            levels = self._chain.levels
            chain.levels = levels[: bisect_right(levels, last, key=attrgetter("day"))]
        return chain


@lru_cache(maxsize=64)
def untouched(start: Decimal, members: tuple[tuple[str, int, History], ...]) -> Untouched:
    """Return the index of these members; each with its shares at first."""
    shares = {code: count for code, count, _ in members}
    return Untouched({code: history for code, _, history in members}, Chain(shares, start))


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
        self._chain = Chain(self._shares, name.start)
        self._known_until = date.min

    def days_before(self, market: Market, day: date) -> list[Level]:
        """Return the levels of all days before `day`, oldest first."""
        last = day - ONE_DAY
        if not self._chain.levels:
            members = tuple((code, shares, market.history(code)) for code, shares in self._shares.items())
            self._known_until = min(last, market.touched_since() - ONE_DAY)
            self._chain = untouched(self.name.start, members).until(self._known_until)
        if self._known_until < last:
            bars = {
                code: [
                    _in_first_shares(market, code, bar)
                    for bar in market.bars(code, self._known_until + ONE_DAY, last)
                ]
                for code in self._shares
            }
            self._chain.add(by_day(bars, after=self._known_until))
            self._known_until = last
        return self._chain.levels

    def today(self, market: Market, now: datetime) -> tuple[Level | None, Breadth]:
        """Return the day so far, None before the opening. The index ends with the close of 15:30."""
        day = latest_business_day(now.date())
        self.days_before(market, day)
        moment = min(now, at(day, CLOSING))
        found = {code: market.bar_so_far(code, moment) for code in self._shares}
        bars = {code: _in_first_shares(market, code, bar) for code, bar in found.items() if bar is not None}
        return (self._chain.level(day, bars) if bars else None), self._breadth(bars)

    def _breadth(self, bars: Mapping[str, Bar]) -> Breadth:
        breadth = Breadth()
        for code, base in self._chain.closes.items():
            price = bars[code].close if code in bars else base
            lowest, highest = daily_limits(base)
            breadth.up += price > base
            breadth.even += price == base
            breadth.down += price < base
            breadth.at_upper += price == highest
            breadth.at_lower += price == lowest
        return breadth


def by_day(bars: Mapping[str, Sequence[Bar]], *, after: date) -> dict[date, dict[str, Bar]]:
    """Return the bars of all members together, by their days after one."""
    days: defaultdict[date, dict[str, Bar]] = defaultdict(dict)
    for code, of_code in bars.items():
        for bar in of_code[bisect_right(of_code, after, key=attrgetter("day")) :]:
            days[bar.day][code] = bar
    return days


def _in_first_shares(market: Market, code: str, bar: Bar) -> Bar:
    """Return a day in the shares there were before any split: an index does not jump with one."""
    made = market.shares_made(code, until=bar.day)
    return bar if made == WHOLE else adjusted(bar, 1 / made)


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
