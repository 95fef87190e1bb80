"""The tape of the simulated market: which trades of a stock are told, and when."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from kis.calendar import business_day_before
from kis.simulator.depth import Depth
from kis.simulator.exchange import Exchange
from kis.simulator.hours import CLOSING, OPENING, at
from kis.simulator.market import Market, Quote
from kis.simulator.phases import Phase, phase_of
from kis.simulator.prices import STEPS, Bar, moment_of, step_of
from kis.simulator.profiles import profile_of

RECORDS_PER_ROUND = (1, 2, 1, 3)  # now and then several trades come at once
JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Trade:
    """A stock right after a trade: what a tick and the book beside it show."""

    quote: Quote
    today: Bar  # the day so far, its volume exact to the second
    depth: Depth
    volume: int  # of this trade
    high_at: time
    low_at: time
    yesterday_volume: int  # up to this time of day
    listed_shares: int

    @property
    def at(self) -> datetime:
        return self.quote.at


@dataclass(slots=True)
class _Told:
    """The last trade of a stock that was told; `at` is on the monotonic clock."""

    moment: datetime
    at: float
    price: int
    pins: int
    volume: int
    rounds: int = 0
    extremes: dict[int, time] = field(default_factory=dict)  # when a price was first traded


class Tape:
    """Tells the trades of the stocks somebody listens to. Every call happens with the exchange locked."""

    def __init__(self, exchange: Exchange, *, seconds_between: float) -> None:
        self._exchange = exchange
        self._seconds_between = seconds_between
        self._told: dict[str, _Told] = {}

    def keep(self, codes: Collection[str]) -> None:
        """Forget the stocks nobody listens to, so that the next listener does not get their whole past at once."""
        self._told = {code: told for code, told in self._told.items() if code in codes}

    def latest(self, code: str, now: datetime, monotonic: float) -> Trade | None:
        """Return what a new listener gets at once; None while the market does not trade."""
        told = self._told.get(code)
        trade = self._trade(code, now, told)
        if told is None and trade is not None:
            self._remember(code, trade, monotonic)
        return trade if self._is_trading(code, now) else None

    def due(self, code: str, now: datetime, monotonic: float) -> list[Trade]:
        """Return the trades to be told now: about one a second, and one at once when the price has changed."""
        told = self._told.get(code)
        if told is None or told.moment.date() != now.date():
            self._told.pop(code, None)
            first = self.latest(code, now, monotonic)
            return [first] if first else []
        has_changed = self._price(code, now) != (told.price, told.pins)
        closing = at(now.date(), CLOSING)
        if has_changed and told.moment < closing <= now:
            now = closing  # the print of the closing auction
        is_time = monotonic - told.at >= self._seconds_between and now > told.moment
        if not has_changed and not (is_time and self._is_trading(code, now)):
            return []
        count = 1 if has_changed else RECORDS_PER_ROUND[told.rounds % len(RECORDS_PER_ROUND)]
        past = now - told.moment
        trades = []
        for earlier in reversed(range(count)):
            trade = self._trade(code, now - past * earlier / count, told)
            if trade is not None:
                trades.append(trade)
                told.volume = trade.today.volume
        told.moment, told.at = now, monotonic
        told.price, told.pins = self._price(code, now)
        told.rounds += 1
        return trades

    def _price(self, code: str, now: datetime) -> tuple[int, int]:
        """Return the price, and how often it was set by hand until now: the same one set again is news as well."""
        market = self._exchange.market
        quote = market.quote(code, now)
        pins = sum(since <= now for since, _ in market.overrides.get((code, now.date()), ()))
        return quote.price if quote else 0, pins

    def _remember(self, code: str, trade: Trade, monotonic: float) -> None:
        price, pins = self._price(code, trade.at)
        self._told[code] = _Told(trade.at, monotonic, price, pins, trade.today.volume)

    def _trade(self, code: str, moment: datetime, told: _Told | None) -> Trade | None:
        """Return the stock as it stands after a trade at `moment`; None where nothing has been traded yet."""
        market = self._exchange.market
        quote, depth = market.quote(code, moment), self._exchange.depth(code, moment)
        if quote is None or quote.today is None or depth is None:
            return None
        a_second_ago, total = _volumes(market, quote.today, code, moment)
        yesterday = market.bar_so_far(
            code, datetime.combine(business_day_before(moment.date()), moment.timetz())
        )
        ratio = market.shares_made(code, after=yesterday.day, until=moment.date()) if yesterday else 1
        known = told.extremes if told else {}
        return Trade(
            quote=quote,
            today=quote.today._replace(volume=total),
            depth=depth,
            volume=max(total - (told.volume if told else a_second_ago), 1),
            high_at=self._first_at(code, moment, quote.today.high, known),
            low_at=self._first_at(code, moment, quote.today.low, known),
            yesterday_volume=int(yesterday.volume * ratio) if yesterday else 0,
            listed_shares=profile_of(market, quote.listing).shares,
        )

    def _first_at(self, code: str, moment: datetime, price: int, known: dict[int, time]) -> time:
        """Return when the day's high or low was first traded; looked for once, the search is slow."""
        if price not in known:
            before_opening = at(moment.date(), OPENING) - JUST_BEFORE
            prints = self._exchange.market.prints(code, before_opening, moment)
            # A price set by hand between two steps is no print of its own.
            met = next((trade.at for trade in prints if trade.price == price), moment)
            known[price] = met.timetz().replace(tzinfo=None)
        return known[price]

    def _is_trading(self, code: str, now: datetime) -> bool:
        phase = phase_of(now)
        listing = self._exchange.market.listing(code)
        return phase is Phase.REGULAR or (
            phase is Phase.AFTER_MARKET and listing is not None and not listing.is_fund
        )


def _volumes(market: Market, today: Bar, code: str, moment: datetime) -> tuple[int, int]:
    """Return the day's volume a second ago and now: the market counts in steps, a second has its part of one."""
    step = step_of(moment)
    if step + 1 >= STEPS:
        return today.volume, today.volume
    start, end = moment_of(today.day, step), moment_of(today.day, step + 1)
    following = market.bar_so_far(code, end)
    growth = (following.volume if following else today.volume) - today.volume
    a_second = growth / (end - start).total_seconds()
    total = today.volume + int(a_second * (moment - start).total_seconds())
    return total - int(a_second), total
