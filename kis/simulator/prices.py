"""Rules of prices: tick sizes, daily limits, and the path a price takes inside one day's bar."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import sqrt
from random import Random
from typing import NamedTuple

from kis.simulator.hours import CLOSING, CONTINUOUS_END, OPENING, at

# Ticks below each bound and, last, above all of them; the same on both markets since 2023-01-25.
BOUNDS = (2_000, 5_000, 20_000, 50_000, 200_000, 500_000)
STOCK_TICKS = (1, 5, 10, 50, 100, 500, 1_000)
FUND_TICKS = (1, 5, 5, 5, 5, 5, 5)
LIMIT_PERCENT = 30

STEP = timedelta(seconds=20)
EVENING_STEP = timedelta(minutes=1)
EVENING_STEPS = 240  # 16:00 to 20:00
EVENING_SIGMA = 0.0007  # of a step
INSTANT = timedelta(microseconds=1)
STEPS = 1140  # 09:00 to 15:20; from there until the close of 15:30 the last price stands


class Bar(NamedTuple):
    """One trading day of one stock, in won and shares."""

    day: date
    open: int
    high: int
    low: int
    close: int
    volume: int

    @property
    def turnover(self) -> int:
        """Traded value; daily data has no exact one, so the mean of the bar stands in."""
        return self.volume * (self.open + self.high + self.low + self.close) // 4


def dice(*parts: object) -> Random:
    """Return a generator that depends on nothing but `parts`, so that a market can be told again."""
    return Random(":".join(map(str, parts)))  # noqa: S311  # prices, not secrets


def tick_size(price: int, *, is_fund: bool = False) -> int:
    return (FUND_TICKS if is_fund else STOCK_TICKS)[bisect_right(BOUNDS, price)]


def on_tick(price: float, *, is_fund: bool = False) -> int:
    """Return the nearest valid price at or below `price`, at least one won."""
    whole = max(int(price), 1)
    return whole - whole % tick_size(whole, is_fund=is_fund) or 1


def limit_width(base: int, *, is_fund: bool = False) -> int:
    """How far a price may move from yesterday's close: 30 %, truncated to the tick of that close."""
    width = base * LIMIT_PERCENT // 100
    return width - width % tick_size(base, is_fund=is_fund)


def daily_limits(base: int, *, is_fund: bool = False) -> tuple[int, int]:
    """Return the lowest and the highest price of a day whose base price is `base`."""
    width = limit_width(base, is_fund=is_fund)
    return max(base - width, 1), base + width


def step_of(moment: datetime) -> int:
    """Return the index of the path at `moment`; -1 before the opening, STEPS from the close on."""
    opening = at(moment.date(), OPENING)
    if moment < opening:
        return -1
    if moment >= at(moment.date(), CLOSING):
        return STEPS
    # On a day cut short the auction of the close comes before the path is at its end.
    moment = min(moment, at(moment.date(), CONTINUOUS_END) - INSTANT)
    return min(int((moment - opening) / STEP), STEPS - 1)


def is_traded_at(moment: datetime) -> bool:
    """Return whether prices are made one by one at a moment, or by the closing print."""
    day = moment.date()
    return not at(day, CONTINUOUS_END) <= moment < at(day, CLOSING)


def moment_of(day: date, step: int) -> datetime:
    """Return the moment at which `step` of a day's path begins."""
    return at(day, CLOSING) if step >= STEPS else at(day, OPENING) + step * STEP


@lru_cache(maxsize=1024)
def day_path(bar: Bar, *, seed: str, is_fund: bool) -> list[int]:
    """Return STEPS prices and the closing print: from open to close, touching high and low, never outside."""
    if bar.high == bar.low:
        return [bar.close] * (STEPS + 1)
    random = dice("path", seed, bar.day)
    high_at = 0 if bar.open == bar.high else random.randrange(1, STEPS)
    low_at = 0 if bar.open == bar.low else random.randrange(1, STEPS)
    if high_at == low_at:
        low_at += 1 if low_at < STEPS - 1 else -1
    anchors = sorted({0: bar.open, high_at: bar.high, low_at: bar.low, STEPS: bar.close}.items())
    noise = (bar.high - bar.low) * 0.6 / sqrt(STEPS)
    path = [bar.open]
    for (start, first), (end, last) in pairwise(anchors):
        path += _bridge(first, last, end - start, noise=noise, random=random, bar=bar, is_fund=is_fund)
    return path


def _bridge(
    first: int, last: int, steps: int, *, noise: float, random: Random, bar: Bar, is_fund: bool
) -> list[int]:
    """Return `steps` prices after `first` that end exactly at `last`."""
    walk, height = [], 0.0
    for _ in range(steps):
        height += random.gauss(0.0, noise)
        walk.append(height)
    drift = (last - first - height) / steps
    inner = [
        min(max(on_tick(first + drift * index + rise, is_fund=is_fund), bar.low), bar.high)
        for index, rise in enumerate(walk[:-1], start=1)
    ]
    return [*inner, last]


@lru_cache(maxsize=256)
def evening_path(close: int, seed: str) -> list[int]:
    """Return the prices of the after-market, a step each, beginning at the close and never far from it."""
    random = dice("evening", seed)
    path, drift = [close], 0.0
    for _ in range(EVENING_STEPS):
        drift = drift * 0.98 + random.gauss(0.0, EVENING_SIGMA)
        path.append(on_tick(close * (1 + drift)))
    return path


def next_bar(
    day: date, *, previous_close: int, target: float, sigma: float, random: Random, fund: bool
) -> Bar:
    """Return one generated day that opens near `previous_close` and closes near `target`, inside the limits."""
    lowest, highest = daily_limits(previous_close, is_fund=fund)
    highest = on_tick(highest, is_fund=fund)
    ticks = FUND_TICKS if fund else STOCK_TICKS

    def valid(price: float) -> int:
        whole = int(price)
        return min(max(whole - whole % ticks[bisect_right(BOUNDS, whole)], lowest), highest)

    opening = valid(previous_close * (1 + random.gauss(0.0, sigma * 0.4)))
    close = valid(target)
    reach_up, reach_down, busy = random.random() ** 2, random.random() ** 2, random.random()
    high = max(opening, close, valid(max(opening, close) * (1 + reach_up * sigma * 1.5)))
    low = min(opening, close, valid(min(opening, close) * (1 - reach_down * sigma * 1.5)))
    turnover = 4e10 * busy**2 * (1 + abs(close / previous_close - 1) * 20)
    return Bar(day, opening, high, low, close, int(turnover / close) + 1)


def extremes(path: Sequence[int], first: int, last: int) -> tuple[int, int]:
    """Return the lowest and highest price between two steps, both included."""
    part = path[first : last + 1]
    return min(part), max(part)
