"""The simulated market: real days from a directory or generated ones, told the same way every time."""

import csv
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from math import exp, pi, sin
from operator import attrgetter
from pathlib import Path
from threading import Lock

from kis.calendar import business_day_before, business_days, is_business_day, latest_business_day
from kis.simulator.errors import CannotStart, ControlRefused
from kis.simulator.hours import at
from kis.simulator.listings import GENERATED, STOCK_CODE, Listing, MarketName, sector_of
from kis.simulator.phases import AFTER_MARKET_ENDS, AFTER_MARKET_SINCE, EVENING_OPENS, SINGLE_PRICE_ENDS
from kis.simulator.prices import (
    EVENING_STEP,
    EVENING_STEPS,
    STEPS,
    Bar,
    daily_limits,
    day_path,
    dice,
    evening_path,
    extremes,
    is_traded_at,
    moment_of,
    next_bar,
    on_tick,
    step_of,
)
from kis.simulator.splits import WHOLE, Split, adjusted, as_traded, shares_made

EPOCH = date(2023, 1, 2)  # first generated day
FIRST_DAY = date(1956, 3, 3)  # of the exchange in Seoul; what is recorded is not older
REVERSION = 0.008  # pull of a generated price back to its base, per day
STOCK_SIGMA = (0.013, 0.028)
FUND_SIGMA = (0.007, 0.012)
BASE_PRICE_EXPONENTS = (7.6, 12.6)  # listings nobody described: 2,000 to 300,000 won
AUCTION_SHARE = 0.04  # of a day's volume, traded at the closing print
SESSION_TIME = time(10, 0)
BETWEEN_CROSSES = timedelta(minutes=10)
EVENING_SHARE = 0.02  # of a day's volume, traded once more in the after-market
MARKETS: Mapping[str, MarketName] = {"KOSPI": "KOSPI", "KOSDAQ": "KOSDAQ"}


@dataclass(frozen=True, slots=True)
class Quote:
    """What the market shows for one stock at one instant."""

    listing: Listing
    at: datetime
    price: int
    base: int  # close of the trading day before the one shown, in today's shares
    today: Bar | None  # the day so far; None before the opening
    previous: Bar | None

    @property
    def change(self) -> int:
        return self.price - self.base

    @property
    def limits(self) -> tuple[int, int]:
        return daily_limits(self.base, is_fund=self.listing.is_fund)


@dataclass(frozen=True, slots=True)
class Print:
    """One price at which shares change hands; `pinned` where the control plane has set it."""

    at: datetime
    price: int
    volume: int
    pinned: bool


class History:
    """The full bars of one stock, oldest first; generated ones are made when they are asked for."""

    def __init__(self, recorded: Iterable[Bar], generated: Iterator[Bar]) -> None:
        self._bars = list(recorded)
        self._generated = generated
        self._lock = Lock()

    def up_to(self, day: date) -> list[Bar]:
        """Return all bars, made at least up to `day`."""
        with self._lock:
            while not self._bars or self._bars[-1].day < day:
                self._bars.append(next(self._generated))
        return self._bars

    def between(self, start: date, end: date) -> list[Bar]:
        bars = self.up_to(end)
        day = attrgetter("day")
        return bars[bisect_left(bars, start, key=day) : bisect_right(bars, end, key=day)]


@lru_cache(maxsize=1024)
def history_of(listing: Listing, recorded: tuple[Bar, ...], seed: int) -> History:
    """Return a stock's bars; simulators of one process share them, because they are the same anyway."""
    return History(recorded, _generate(listing, recorded, seed))


def _generate(listing: Listing, recorded: tuple[Bar, ...], seed: int) -> Iterator[Bar]:
    """Walk on from the last recorded close, or from the base price at EPOCH: once, forward, never again."""
    random = dice("walk", seed, listing.code)
    anchor = close = recorded[-1].close if recorded else listing.base_price
    sigma = random.uniform(*(FUND_SIGMA if listing.is_fund else STOCK_SIGMA))
    drift = 0.0 if recorded else random.gauss(0.0, 0.15)
    start = recorded[-1].day + timedelta(days=1) if recorded else EPOCH
    for day in business_days(start, date.max):
        drift += random.gauss(0.0, sigma) - REVERSION * drift
        bar = next_bar(
            day,
            previous_close=close,
            target=anchor * exp(drift),
            sigma=sigma,
            random=random,
            fund=listing.is_fund,
        )
        close = bar.close
        yield bar


class Market:
    """Prices by code and moment. The only state is what the control plane adds: listings, price overrides, splits.

    Prices and volumes are those of their day, in the shares of that day, unless a function says otherwise.
    """

    def __init__(
        self,
        *,
        listings: Iterable[Listing] = GENERATED,
        recorded: Mapping[str, list[Bar]] | None = None,
        seed: int = 1,
        name: str = "generated",
        last_recorded_day: date | None = None,
    ) -> None:
        self.seed = seed
        self.name = name
        self.last_recorded_day = last_recorded_day
        self._listings = {listing.code: listing for listing in listings}
        self._recorded = recorded or {}
        self._histories: dict[str, History] = {}
        self.added: dict[str, Listing] = {}
        self.overrides: dict[tuple[str, date], list[tuple[datetime, int]]] = {}
        self.splits: dict[str, list[Split]] = {}  # in force, oldest first

    @property
    def listings(self) -> dict[str, Listing]:
        return self._listings

    def listing(self, code: str) -> Listing | None:
        return self._listings.get(code)

    def add_listing(self, code: str, name: str = "") -> Listing:
        """List a stock that the market does not know, with generated prices."""
        if not STOCK_CODE.fullmatch(code):
            raise ControlRefused(f"종목코드는 숫자와 영문 대문자 6자리여야 합니다: {code}")
        known = self._listings.get(code)
        if known is not None:
            return known
        exponent = dice("base price", self.seed, code).uniform(*BASE_PRICE_EXPONENTS)
        name = name or f"모의종목 {code}"
        sector = sector_of(name, code, "기타")
        base_price = on_tick(exp(exponent), is_fund=sector in {"ETF", "ETN"})
        listing = Listing(code, name, "KOSPI", sector, base_price)
        self.restore_listing(listing)
        return listing

    def restore_listing(self, listing: Listing) -> None:
        self._listings[listing.code] = self.added[listing.code] = listing

    def session_start(self, now: datetime) -> date:
        """Return the trading day that `--clock session` means at `now`."""
        if self.last_recorded_day is not None:
            return self.last_recorded_day
        day = latest_business_day(now.date())
        return day if now >= at(day, SESSION_TIME) else business_day_before(day)

    def override_price(self, code: str, price: int, *, moment: datetime) -> None:
        """Pin the price of a stock from `moment` until the end of that day; the day then closes at it."""
        if code not in self._listings:
            raise ControlRefused(f"없는 종목코드입니다: {code}")
        self.overrides.setdefault((code, moment.date()), []).append((moment, price))

    def bars(self, code: str, start: date, end: date) -> list[Bar]:
        """Return the full bars of the days from `start` to `end`, oldest first."""
        bars = self.history(code).between(start, end)
        if code in self.splits:
            bars = [self._as_traded(code, bar) for bar in bars]
        if self.overrides:
            return [self._with_overrides(code, bar) for bar in bars]
        return bars

    def bar(self, code: str, day: date) -> Bar | None:
        bars = self.bars(code, day, day)
        return bars[0] if bars else None

    def put_in_force(self, split: Split) -> None:
        self.splits.setdefault(split.code, []).append(split)

    def touched_since(self) -> date:
        """Return the first day on which a price was pinned or a stock split; until then every such market is the same."""
        pinned = [day for _, day in self.overrides]
        return min(
            [*pinned, *(split.day for splits in self.splits.values() for split in splits)], default=date.max
        )

    def shares_made(self, code: str, *, after: date = date.min, until: date = date.max) -> Fraction:
        """Return what one share of a stock on the day `after` is on the day `until`."""
        splits = self.splits.get(code)
        return shares_made(splits, after=after, until=until) if splits else WHOLE

    def adjusted(self, code: str, bars: list[Bar], *, on: date) -> list[Bar]:
        """Return bars as charts show them on a day: those before a split in the shares after it."""
        if code not in self.splits:
            return bars
        return [adjusted(bar, self.shares_made(code, after=bar.day, until=on)) for bar in bars]

    def last_bar_before(self, code: str, day: date) -> Bar | None:
        # Ten days bridge the longest holidays; a stock that paused longer is looked up from its beginning.
        near = self.bars(code, day - timedelta(days=10), day - timedelta(days=1))
        bars = near or self.bars(code, date.min, day - timedelta(days=1))
        return bars[-1] if bars else None

    def quote(self, code: str, moment: datetime, *, regular: bool = False) -> Quote | None:
        """Return what a stock shows at `moment`; None for an unknown code or before its first day.

        The price follows the after-market; with `regular` it stays at the close of 15:30, as accounts are valued.
        """
        listing = self._listings.get(code)
        if listing is None:
            return None
        day = moment.date()
        if not is_business_day(day):
            # A closed day shows the last trading day as it ended.
            day = business_day_before(day)
            moment = moment_of(day, STEPS)
        previous = self.last_bar_before(code, day)
        today = self.bar_so_far(code, moment)
        if previous is None and today is None:
            return None
        base = previous.close if previous else (today.open if today else 0)
        if previous and (ratio := self.shares_made(code, after=previous.day, until=day)) != WHOLE:
            base = on_tick(int(base / ratio), is_fund=listing.is_fund)
            previous = adjusted(previous, ratio)
        price = today.close if today else base
        if not regular and today and moment >= at(day, EVENING_OPENS) and self._has_evening(code, day):
            price, today = self._in_the_evening(code, moment, today, base=base)
        return Quote(
            listing=listing,
            at=moment,
            price=price,
            base=base,
            today=today,
            previous=previous,
        )

    def bar_so_far(self, code: str, moment: datetime) -> Bar | None:
        """Return the bar of the day of `moment` up to it; None before the opening or without trading."""
        step = step_of(moment)
        if step < 0 or (full := self._bar_as_recorded(code, moment.date())) is None:
            return None
        if step >= STEPS:
            return self._with_overrides(code, full)
        pinned = [
            (since, price) for since, price in self.overrides.get((code, full.day), ()) if since <= moment
        ]
        walked = min(step, step_of(pinned[0][0])) if pinned else step
        path = self._path(code, full)
        low, high = extremes(path, 0, max(walked, 0))
        prices = [price for _, price in pinned]
        price = prices[-1] if prices else path[step]
        volume = int(full.volume * _share_traded(step))
        return Bar(full.day, full.open, max([high, *prices]), min([low, *prices]), price, volume)

    def crossing(
        self, code: str, since: datetime, until: datetime, *, limit: int, is_buy: bool
    ) -> datetime | None:
        """Return the first moment after `since` and up to `until` at which the price met `limit`."""
        full = self._bar_as_recorded(code, until.date())
        last = step_of(until)
        if full is None or last < 0:
            return None
        first = max(step_of(since), 0) if since.date() == full.day else 0
        path = self._path(code, full)
        pinned = self.overrides.get((code, full.day), ())
        for step in range(first, last + 1):
            moment = max(moment_of(full.day, step), since)
            price = next((price for start, price in reversed(pinned) if start <= moment), path[step])
            if (price <= limit) if is_buy else (price >= limit):
                return moment
        for start, price in pinned:
            if since < start <= until and ((price <= limit) if is_buy else (price >= limit)):
                return start
        return None

    def is_pinned(self, code: str, moment: datetime) -> bool:
        """Return whether the control plane has set the price that stands at `moment`."""
        return any(since <= moment for since, _ in self.overrides.get((code, moment.date()), ()))

    def prints(self, code: str, since: datetime, until: datetime) -> Iterator[Print]:
        """Yield what is traded after `since` and up to `until` of that day: opening, every step, close, evening."""
        day = until.date()
        full = self._bar_as_recorded(code, day)
        if full is None:
            return
        path = self._path(code, full)
        pinned = self.overrides.get((code, day), ())
        for step in range(max(step_of(since), -1) + 1 if since.date() == day else 0, step_of(until) + 1):
            moment = moment_of(day, step)
            if not since < moment <= until or not is_traded_at(moment):
                continue
            price = next((price for start, price in reversed(pinned) if start <= moment), None)
            volume = self.volume_of_step(full.volume, step)
            yield Print(moment, path[step] if price is None else price, volume, pinned=price is not None)
        yield from self._evening_prints(code, since, until)

    def _evening_prints(self, code: str, since: datetime, until: datetime) -> Iterator[Print]:
        day = until.date()
        if not self._has_evening(code, day):
            yield from self._single_price_crosses(code, since, until)
            return
        opens = at(day, EVENING_OPENS)
        first = max(since, opens - EVENING_STEP)
        moment = opens + EVENING_STEP * (int((first - opens) / EVENING_STEP) + 1 if first >= opens else 0)
        while moment <= min(until, at(day, AFTER_MARKET_ENDS)):
            quote = self.quote(code, moment)
            if quote is not None and moment > since:
                volume = int((quote.today.volume if quote.today else 0) * EVENING_SHARE / EVENING_STEPS)
                yield Print(moment, quote.price, volume, pinned=self.is_pinned(code, moment))
            moment += EVENING_STEP

    def _single_price_crosses(self, code: str, since: datetime, until: datetime) -> Iterator[Print]:
        """Yield the evening auctions there were before the after-market: every ten minutes, at the close."""
        day = until.date()
        moment = at(day, EVENING_OPENS) + BETWEEN_CROSSES
        while day < AFTER_MARKET_SINCE and moment <= min(until, at(day, SINGLE_PRICE_ENDS)):
            quote = self.quote(code, moment)
            if quote is not None and quote.today is not None and moment > since:
                yield Print(moment, quote.price, quote.today.volume // EVENING_STEPS, pinned=False)
            moment += BETWEEN_CROSSES

    def volume_of_step(self, volume: int, step: int) -> int:
        """Return what of a day's volume is traded in one step."""
        if step >= STEPS:
            return int(volume * AUCTION_SHARE)
        return int(volume * (_share_traded(step) - _share_traded(step - 1)))

    def _has_evening(self, code: str, day: date) -> bool:
        return day >= AFTER_MARKET_SINCE and is_business_day(day) and not self._listings[code].is_fund

    def _in_the_evening(self, code: str, moment: datetime, today: Bar, *, base: int) -> tuple[int, Bar]:
        """Return the price of the after-market, a small walk around the close, and the day's bar up to then."""
        step = min(int((moment - at(today.day, EVENING_OPENS)) / EVENING_STEP), EVENING_STEPS)
        lowest, highest = daily_limits(base)
        path = evening_path(today.close, f"{self.seed}:{code}:{today.day}")[: step + 1]
        walked = [min(max(price, lowest), highest) for price in path]
        pinned = [price for since, price in self.overrides.get((code, today.day), ()) if since <= moment]
        prices = pinned or walked
        volume = today.volume + int(today.volume * EVENING_SHARE * step / EVENING_STEPS)
        bar = today._replace(high=max([today.high, *prices]), low=min([today.low, *prices]), volume=volume)
        return prices[-1], bar

    def history(self, code: str) -> History:
        """Return the days of a stock as nobody has touched them."""
        history = self._histories.get(code)
        if history is None:
            recorded = tuple(self._recorded.get(code, ()))
            history = self._histories[code] = history_of(self._listings[code], recorded, self.seed)
        return history

    def _bar_as_recorded(self, code: str, day: date) -> Bar | None:
        bars = self.history(code).between(day, day)
        return self._as_traded(code, bars[0]) if bars else None

    def _as_traded(self, code: str, bar: Bar) -> Bar:
        """Return a day of the history, which knows no splits, in the shares of that day."""
        ratio = self.shares_made(code, until=bar.day)
        return bar if ratio == WHOLE else as_traded(bar, ratio, is_fund=self._listings[code].is_fund)

    def _with_overrides(self, code: str, bar: Bar) -> Bar:
        pinned = self.overrides.get((code, bar.day))
        if not pinned:
            return bar
        low, high = extremes(self._path(code, bar), 0, max(step_of(pinned[0][0]), 0))
        prices = [price for _, price in pinned]
        return bar._replace(high=max([high, *prices]), low=min([low, *prices]), close=prices[-1])

    def _path(self, code: str, bar: Bar) -> list[int]:
        return day_path(bar, seed=f"{self.seed}:{code}", is_fund=self._listings[code].is_fund)


def _share_traded(step: int) -> float:
    """Return the part of a day's volume traded by `step`: busy at both ends."""
    passed = (step + 1) / STEPS
    return (1 - AUCTION_SHARE) * (passed + 0.6 * sin(2 * pi * passed) / (2 * pi))


def read_market(directory: Path, *, seed: int) -> Market:
    """Read `stocks.csv` and `krx_daily.csv`. Raises CannotStart with the file and line at fault."""
    listings = []
    for line, row in _rows(directory / "stocks.csv", ["code", "name", "market", "sector"]):
        code, name, market, sector = row
        if not STOCK_CODE.fullmatch(code) or market not in MARKETS:
            raise CannotStart(f"{directory / 'stocks.csv'}의 {line}번째 줄을 읽을 수 없습니다.")
        listings.append(Listing(code, name, MARKETS[market], sector_of(name, code, sector)))
    recorded: dict[str, list[Bar]] = {listing.code: [] for listing in listings}
    path = directory / "krx_daily.csv"
    for line, (code, day, *numbers) in _rows(
        path, ["code", "date", "open", "high", "low", "close", "volume"]
    ):
        try:
            opening, high, low, close, volume = map(int, numbers)
            recorded[code].append(
                Bar(trading_day(day), opening or close, high or close, low or close, close, volume)
            )
        except (KeyError, ValueError):
            raise CannotStart(f"{path}의 {line}번째 줄을 읽을 수 없습니다.") from None
    days = {bar.day for bars in recorded.values() for bar in bars}
    if not days:
        raise CannotStart(f"{path}에 시세가 없습니다.")
    for bars in recorded.values():
        bars.sort()
    traded = [listing for listing in listings if recorded[listing.code]]
    name = f"replay {min(days)}..{max(days)}"
    return Market(listings=traded, recorded=recorded, seed=seed, name=name, last_recorded_day=max(days))


def trading_day(text: str) -> date:
    """Read the day of a recorded price. Raises ValueError also for one on which there was no exchange yet."""
    day = date.fromisoformat(text)
    if day < FIRST_DAY:
        raise ValueError("before the exchange")
    return day


def _rows(path: Path, columns: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers and rows of a CSV file with exactly these columns."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            if next(reader, None) != columns:
                raise CannotStart(f"{path}의 첫 줄은 {','.join(columns)} 이어야 합니다.")
            for line, row in enumerate(islice(reader, None), start=2):
                if len(row) != len(columns):
                    raise CannotStart(f"{path}의 {line}번째 줄을 읽을 수 없습니다.")
                yield line, row
    except (OSError, UnicodeDecodeError, csv.Error):
        raise CannotStart(f"시세 파일을 읽을 수 없습니다: {path}") from None
