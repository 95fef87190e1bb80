"""The order book around the market price: ten offers above, ten bids below, sizes that are the same in every run."""

from dataclasses import dataclass
from zlib import crc32

from kis.simulator.market import Quote
from kis.simulator.prices import STEPS, dice, step_of, tick_size

LEVELS = 10
SMALLEST, LARGEST = 0.4, 2.5  # of the shares traded in one step
FEWEST = 10


@dataclass(frozen=True, slots=True)
class Level:
    """One price of the book and the shares waiting there."""

    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Depth:
    """Offers from the cheapest up, bids from the dearest down; a side is empty at its daily limit."""

    asks: tuple[Level, ...]
    bids: tuple[Level, ...]


def depth_around(quote: Quote, *, seed: int, levels: int = LEVELS) -> Depth:
    """Return the book at a quote. The last trade was at the best offer or at the best bid, a coin says which."""
    step = step_of(quote.at)
    coin = dice("last trade", seed, quote.listing.code, quote.at.date(), step)
    ticks = _prices(quote, levels)
    place = ticks.index(quote.price) if quote.price in ticks else len(ticks) // 2
    first_ask = place if coin.random() < 0.5 else place + 1  # noqa: PLR2004
    asks, bids = ticks[first_ask : first_ask + levels], ticks[max(first_ask - levels, 0) : first_ask][::-1]
    volume = quote.today.volume if quote.today else quote.previous.volume if quote.previous else 0
    usual = max(volume // max(min(step, STEPS), STEPS // 10), FEWEST)

    place_in_time = f"{seed}|{quote.listing.code}|{quote.at.date()}|{step}"

    def level(side: str, price: int) -> Level:
        # A checksum instead of a generator: there are up to hundreds of levels, and each has to keep its size.
        share = crc32(f"{place_in_time}|{side}|{price}".encode()) / 2**32
        return Level(price, max(int(usual * (SMALLEST + share * (LARGEST - SMALLEST))), 1))

    return Depth(tuple(level("ask", price) for price in asks), tuple(level("bid", price) for price in bids))


def _prices(quote: Quote, levels: int) -> list[int]:
    """Return the valid prices around the last one, within the day's limits, from the lowest up."""
    lowest, highest = quote.limits
    is_fund = quote.listing.is_fund
    above = [quote.price]
    below: list[int] = []
    while (
        len(above) <= levels + 1 and (price := above[-1] + tick_size(above[-1], is_fund=is_fund)) <= highest
    ):
        above.append(price)
    price = quote.price
    while len(below) <= levels + 1:
        # Below a bound of the tick table the smaller tick counts.
        price -= tick_size(price - 1, is_fund=is_fund)
        if price < lowest:
            break
        below.append(price)
    return [*below[::-1], *above]
