"""What stays the same about a listing: shares, capital, earnings, identifiers. Plausible, not real."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from math import exp, log

from kis.simulator.listings import Listing
from kis.simulator.market import Market
from kis.simulator.prices import dice

UNPRICED = 10_000  # reference price of a stock without any
STOCK_VALUE = (log(3e11), log(1e14))  # market value in won
FUND_VALUE = (log(5e10), log(5e12))
LARGE_VALUE = 3_000_000_000_000
FACE_VALUES = (100, 500, 1_000, 5_000)
#: Thousands of shares of the largest companies, rounded; an index follows these more than the others.
KNOWN_SHARES = {
    "005930": 5_919_638,
    "005935": 815_975,
    "000660": 728_002,
    "373220": 234_000,
    "207940": 71_174,
    "012450": 51_563,
    "005380": 204_758,
    "000270": 393_465,
    "105560": 381_462,
    "055550": 485_495,
    "138040": 178_000,
    "035420": 156_852,
    "035720": 442_000,
    "034020": 640_561,
    "009540": 70_773,
    "329180": 88_773,
    "042660": 306_413,
    "068270": 230_966,
    "051910": 70_592,
    "005490": 80_933,
    "028260": 170_000,
    "015760": 641_964,
    "017670": 214_790,
    "030200": 252_022,
}
EARLIEST, LATEST = date(1990, 1, 3), date(2021, 12, 30)  # days of listing, before any market begins


@dataclass(frozen=True, slots=True)
class Profile:
    """The books of one listing. Amounts in won; a fund has neither earnings nor face value."""

    isin: str
    shares: int
    face_value: int
    eps: int
    bps: int
    foreign_percent: Decimal  # of the shares, held by foreigners
    listed_on: date
    is_large: bool  # KOSPI200 or KOSDAQ150

    @property
    def capital(self) -> int:
        return self.shares * self.face_value

    @property
    def foreign_shares(self) -> int:
        return int(self.shares * self.foreign_percent / 100)


def profile_of(market: Market, listing: Listing) -> Profile:
    """Return the books of a listing; the same in every run and on every day, but for its splits."""
    profile, ratio = profile_at_first(market, listing), market.shares_made(listing.code)
    if ratio == 1:
        return profile
    return replace(
        profile,
        shares=int(profile.shares * ratio),
        face_value=int(profile.face_value / ratio),
        eps=int(profile.eps / ratio),
        bps=int(profile.bps / ratio),
    )


def profile_at_first(market: Market, listing: Listing) -> Profile:
    """Return the books of a listing before any split."""
    price = listing.base_price
    if not price and market.last_recorded_day is not None:
        recorded = market.bars(listing.code, date.min, market.last_recorded_day)
        price = recorded[0].close if recorded else 0
    return _profile(listing, price or UNPRICED)


@lru_cache(maxsize=4096)
def _profile(listing: Listing, price: int) -> Profile:
    random = dice("profile", listing.code)
    value = exp(random.uniform(*(FUND_VALUE if listing.is_fund else STOCK_VALUE)))
    shares = KNOWN_SHARES.get(listing.code, max(int(value / price) // 1_000, 1)) * 1_000
    earnings_multiple, book_multiple = random.uniform(6, 30), random.uniform(0.5, 4)
    face_value = random.choice(FACE_VALUES)
    listed_on = EARLIEST + timedelta(days=random.randrange((LATEST - EARLIEST).days))
    foreign_percent = Decimal(random.randrange(200, 6_000)) / 100
    return Profile(
        isin=_isin(listing.code),
        shares=shares,
        face_value=0 if listing.is_fund else face_value,
        eps=0 if listing.is_fund else max(int(price / earnings_multiple), 1),
        bps=0 if listing.is_fund else max(int(price / book_multiple), 1),
        foreign_percent=foreign_percent,
        listed_on=listed_on,
        is_large=not listing.is_fund and shares * price >= LARGE_VALUE,
    )


def _isin(code: str) -> str:
    """Return the international number of a stock or an ETN, check digit included."""
    body = f"KR{'G' if code.startswith('Q') else '7'}{code[-6:]}00"
    digits = "".join(str(int(character, 36)) for character in body)
    doubled = "".join(str(int(digit) * (2 - index % 2)) for index, digit in enumerate(reversed(digits)))
    return f"{body}{-sum(map(int, doubled)) % 10}"
