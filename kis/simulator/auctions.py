"""What the auctions of 09:00 and 15:30 are expected to trade."""

from dataclasses import dataclass
from datetime import datetime, time

from kis.simulator.hours import CLOSING, CONTINUOUS_END, OPENING, at
from kis.simulator.market import Market, Quote
from kis.simulator.phases import ORDERS_OPEN, Phase, phase_of
from kis.simulator.prices import on_tick


@dataclass(frozen=True, slots=True)
class Expected:
    """Price and shares of the auction that is running, or of the last one; 0 where there was none today."""

    phase: str  # antc_mkop_cls_code
    price: int
    volume: int


NOTHING = Expected("311", 0, 0)


def expected_trade(market: Market, quote: Quote, now: datetime) -> Expected:
    """Return the expected trade. It starts at the price that stands and ends at what the auction makes of it."""
    phase, day, code = phase_of(now), now.date(), quote.listing.code
    bar = market.bar(code, day)
    if phase in {Phase.CLOSED, Phase.BEFORE} or bar is None:
        return NOTHING
    opening = market.bar_so_far(code, at(day, OPENING))
    before_close = market.bar_so_far(code, at(day, CONTINUOUS_END))
    opening_volume = opening.volume if opening else 0
    closing_volume = bar.volume - (before_close.volume if before_close else 0)

    def on_the_way(begins: time, ends: time, price: int, volume: int) -> tuple[int, int]:
        passed = (now - at(day, begins)) / (at(day, ends) - at(day, begins))
        price = on_tick(quote.price + (price - quote.price) * passed, is_fund=quote.listing.is_fund)
        return price, int(volume * passed)

    if phase is Phase.OPENING_AUCTION:
        return Expected("311", *on_the_way(ORDERS_OPEN, OPENING, bar.open, opening_volume))
    if phase is Phase.REGULAR:
        return Expected("112", bar.open, opening_volume)
    if phase is Phase.CLOSING_AUCTION:
        return Expected("121", *on_the_way(CONTINUOUS_END, CLOSING, bar.close, closing_volume))
    return Expected("112", bar.close, closing_volume)
