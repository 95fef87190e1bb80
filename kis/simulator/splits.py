"""Splits (액면분할) and mergers (병합) of shares; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction

from kis.calendar import business_day_after, is_business_day
from kis.simulator.hours import at
from kis.simulator.phases import PRE_MARKET_OPENS
from kis.simulator.prices import Bar, on_tick

INSTANT = timedelta(microseconds=1)
WHOLE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Split:
    """From `day` on, `old` shares of a stock are `new` ones; a merger has fewer new than old."""

    code: str
    day: date
    new: int
    old: int

    @property
    def ratio(self) -> Fraction:
        return Fraction(self.new, self.old)

    @property
    def at(self) -> datetime:
        """The last instant of the night before: whoever looks back at it counts in new shares already."""
        return at(self.day, time.min) - INSTANT


def session_to_come(now: datetime) -> date:
    """Return the day whose first market has not opened yet."""
    is_before = is_business_day(now.date()) and now < at(now.date(), PRE_MARKET_OPENS)
    return now.date() if is_before else business_day_after(now.date())


def shares_made(splits: Iterable[Split], *, after: date = date.min, until: date) -> Fraction:
    """Return what one share of the day `after` is on the day `until`."""
    made = WHOLE
    for split in splits:
        if after < split.day <= until:
            made *= split.ratio
    return made


def as_traded(bar: Bar, ratio: Fraction, *, is_fund: bool) -> Bar:
    """Return a day in new shares as it is traded, at valid prices."""
    opening, high, low, close = (on_tick(int(price / ratio), is_fund=is_fund) for price in bar[1:5])
    return Bar(bar.day, opening, high, low, close, int(bar.volume * ratio))


def adjusted(bar: Bar, ratio: Fraction) -> Bar:
    """Return a past day as charts show it after a split (수정주가), each price rounded to the won."""
    if ratio == WHOLE:
        return bar
    opening, high, low, close = (max(round(price / ratio), 1) for price in bar[1:5])
    return Bar(bar.day, opening, high, low, close, int(bar.volume * ratio))
