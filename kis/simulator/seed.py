"""The sample accounts: positions bought at prices the market really had, trades of the last days, open orders."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from kis.calendar import business_day_before, is_business_day
from kis.client.codes import Mode
from kis.simulator.exchange import Exchange
from kis.simulator.hours import CLOSING, CONTINUOUS_END, OPENING, at
from kis.simulator.ledger import Account, Transfer
from kis.simulator.listings import Listing
from kis.simulator.orders import Fill, Order, Side
from kis.simulator.prices import STEPS, Bar, moment_of, on_tick, step_of, tick_size

# Code, weight in the account, and the return the position should have, roughly: what history offers decides.
REAL_WISHES = (
    ("005930", 21.3, -0.05),
    ("000660", 11.7, 0.40),
    ("012450", 7.6, 0.60),
    ("005380", 5.6, -0.07),
    ("105560", 5.4, 0.35),
    ("035420", 5.2, 0.05),
    ("034020", 4.6, 0.70),
    ("009540", 4.5, 0.50),
    ("207940", 4.0, 0.06),
    ("068270", 3.6, -0.08),
    ("051910", 3.2, -0.25),
    ("035720", 3.0, 0.18),
    ("196170", 2.7, 0.12),
    ("138040", 2.4, 0.13),
    ("247540", 2.0, -0.28),
    ("090430", 1.8, 0.06),
    ("277810", 1.7, -0.13),
    ("042700", 1.5, -0.15),
    ("017670", 1.2, 0.04),
    ("006340", 1.0, -0.04),
)
PAPER_WISHES = (
    ("005930", 22.0, 0.06),
    ("035420", 16.0, -0.06),
    ("069500", 14.0, 0.04),
    ("005380", 12.0, 0.10),
    ("068270", 9.0, -0.05),
    ("006340", 6.0, 0.08),
    ("293490", 5.0, -0.12),
    ("055550", 4.0, 0.03),
)
OLDEST_BUY, NEWEST_BUY = 250, 12  # business days ago
LOOK_EVERY = 3
MOMENTS = (time(9, 41, 12), time(10, 26, 45), time(11, 3, 8), time(13, 17, 31), time(14, 48, 20))
WAY_TO_OPEN_ORDER = 0.05  # of the price, between the day so far and an order that is to stay open
TRIP_SHARE = 0.006  # of the account, bought and sold again within weeks
MONEY_MOVES_AT = time(10, 12)


class Trip(NamedTuple):
    """Some shares of a position bought and sold again, so many business days ago; `place` is that of the stock."""

    place: int
    bought: int
    sold: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How one sample account is made."""

    mode: Mode
    wishes: tuple[tuple[str, float, float], ...]
    total: int
    cash_share: float
    sides_today: tuple[Side, ...]
    open_sides: tuple[Side, ...]
    past_trades: bool  # also trades of yesterday and the day before, and a stock sold out
    partly_filled: bool
    trips: tuple[Trip, ...]
    transfers: tuple[tuple[int, int], ...] = ()  # business days ago, won


PLANS = (
    Plan(
        mode="real",
        wishes=REAL_WISHES,
        total=180_000_000,
        cash_share=0.055,
        sides_today=("buy", "sell", "buy", "buy", "sell"),
        open_sides=("buy", "sell", "buy"),
        past_trades=True,
        partly_filled=True,
        trips=(
            Trip(2, 61, 53),
            Trip(8, 58, 49),
            # Nothing is out on the day of the deposit: without it there would still have been money enough.
            Trip(5, 45, 37),
            Trip(11, 43, 26),
            Trip(6, 36, 29),
            Trip(1, 31, 15),
            Trip(14, 27, 20),
            Trip(3, 22, 9),
            Trip(7, 17, 6),
        ),
        transfers=((47, 8_000_000), (18, -3_000_000)),
    ),
    Plan(
        mode="paper",
        wishes=PAPER_WISHES,
        total=50_000_000,
        cash_share=0.12,
        sides_today=("buy", "sell"),
        open_sides=("buy",),
        past_trades=False,
        partly_filled=False,
        trips=(Trip(1, 55, 44), Trip(3, 40, 23), Trip(4, 30, 12), Trip(7, 16, 5)),
    ),
)


def fill_sample_accounts(exchange: Exchange, now: datetime) -> None:
    """Give every account its sample history up to `now`."""
    for plan in PLANS:
        _Seeder(exchange, plan, now).run()
    exchange.matched_until = now


class _Seeder:
    """Trades of one account, oldest first, so that order numbers and averages come out as in life."""

    def __init__(self, exchange: Exchange, plan: Plan, now: datetime) -> None:
        self.exchange = exchange
        self.market = exchange.market
        self.plan = plan
        self.now = now
        self.account: Account = exchange.accounts[plan.mode]
        self.yesterday = business_day_before(now.date())
        self.window = (
            business_day_before(now.date(), days=OLDEST_BUY),
            business_day_before(now.date(), days=NEWEST_BUY),
        )
        self.moments: dict[date, int] = {}

    def run(self) -> None:
        chosen = self._choose()
        if not chosen:
            # No market has a past at this moment: the account is opened with its money uninvested.
            self.account.opening_cash = self.plan.total
            return
        for day, side, code, quantity in sorted(self._history(chosen)):
            self._trade_at_close_of(day, side, code, quantity)
        codes = [listing.code for listing, _, _ in chosen]
        if is_business_day(self.now.date()) and self.now >= at(self.now.date(), OPENING):
            self._trade_today(codes)
            self._leave_open_orders(codes)
        self._renumber()
        self._pay_in()

    def _renumber(self) -> None:
        """Hand the numbers out again in the order in which the orders came in."""
        orders = self.account.orders
        orders.sort(key=lambda order: order.placed_at)
        for day in {order.day for order in orders}:
            of_day = [order for order in orders if order.day == day]
            for order, number in zip(of_day, sorted(order.number for order in of_day), strict=True):
                order.number = number

    def _choose(self) -> list[tuple[Listing, int, float]]:
        """Return listing, quantity and wished return; names the market lacks are replaced by others it has."""
        wishes = self.plan.wishes
        wished = {code for code, _, _ in wishes}
        spare = (code for code in list(self.market.listings) if code not in wished and self._has_past(code))
        weights = sum(weight for _, weight, _ in wishes)
        chosen = []
        for wish, weight, wished_return in wishes:
            code = wish if self._has_past(wish) else next(spare, "")
            quote = self.market.quote(code, self.now)
            if quote is None:
                continue
            amount = self.plan.total * (1 - self.plan.cash_share) * weight / weights
            quantity = max(round(amount / quote.price), 2)
            chosen.append((quote.listing, quantity, wished_return))
        return chosen

    def _has_past(self, code: str) -> bool:
        return code in self.market.listings and bool(self._past(code))

    def _past(self, code: str) -> list[Bar]:
        """Return the days among which a purchase is looked for."""
        return self.market.bars(code, *self.window)

    def _history(self, chosen: list[tuple[Listing, int, float]]) -> Iterator[tuple[date, Side, str, int]]:
        for listing, quantity, wished_return in chosen:
            first, second = self._days_for(listing.code, wished_return)
            part = quantity // 3
            if part:
                yield first, "buy", listing.code, quantity - part
                yield second, "buy", listing.code, part
            else:
                yield first, "buy", listing.code, quantity
        codes = [listing.code for listing, _, _ in chosen]
        for trip in self.plan.trips:
            yield from self._trip(trip, codes[trip.place % len(codes)])
        if not self.plan.past_trades:
            return
        before = business_day_before(self.yesterday)
        yield before, "buy", codes[-1], 40
        yield before, "sell", codes[1 % len(codes)], 2
        yield self.yesterday, "buy", codes[5 % len(codes)], 3
        yield self.yesterday, "sell", codes[0], 11
        held = set(codes)
        sold_out = next((code for code in self.market.listings if code not in held), None)
        if sold_out is not None and self._has_past(sold_out):
            yield self._days_for(sold_out, 0.08)[0], "buy", sold_out, 9
            yield self.yesterday, "sell", sold_out, 9

    def _trip(self, trip: Trip, code: str) -> Iterator[tuple[date, Side, str, int]]:
        """Yield both trades, or neither: on one of the days the stock may not have been traded."""
        days = [business_day_before(self.now.date(), days=ago) for ago in (trip.bought, trip.sold)]
        bars = [self.market.bar(code, day) for day in days]
        if bars[0] is None or bars[1] is None:
            return
        quantity = max(round(self.plan.total * TRIP_SHARE / bars[0].close), 1)
        yield days[0], "buy", code, quantity
        yield days[1], "sell", code, quantity

    def _days_for(self, code: str, wished_return: float) -> tuple[date, date]:
        """Return the two days whose closes come nearest to the wished return, the earlier one first."""
        days = self._past(code)[::LOOK_EVERY]
        quote = self.market.quote(code, self.now)
        price = quote.price if quote else 0
        nearest = sorted(days, key=lambda bar: (abs(price / bar.close - 1 - wished_return), bar.day))
        first, second = sorted(bar.day for bar in (nearest[0], nearest[min(1, len(nearest) - 1)]))
        return first, second

    def _trade_at_close_of(self, day: date, side: Side, code: str, quantity: int) -> None:
        """Trade at a moment inside a past day, at the price the day had then."""
        index = self.moments.get(day, 0)
        self.moments[day] = index + 1
        moment = at(day, MOMENTS[index % len(MOMENTS)]) + timedelta(seconds=37 * (index // len(MOMENTS)))
        if quantity:
            self._trade(moment, side, code, quantity)

    def _trade(self, moment: datetime, side: Side, code: str, quantity: int) -> None:
        quote = self.market.quote(code, moment)
        if quote is None:
            return
        order = self._order(moment, side, code, quantity, quote.price)
        self.exchange.record_fill(order, Fill(moment, quantity, quote.price))

    def _order(self, moment: datetime, side: Side, code: str, quantity: int, price: int) -> Order:
        number = self.exchange.next_number(self.plan.mode, moment.date())
        return self.exchange.record_order(
            Order(
                mode=self.plan.mode,
                account=self.account.number,
                number=number,
                placed_at=moment.replace(microsecond=0),
                side=side,
                code=code,
                quantity=quantity,
                price=price,
            )
        )

    def _trade_today(self, codes: list[str]) -> None:
        """Spread the day's fills over the session so far."""
        opening = at(self.now.date(), OPENING)
        passed = min(self.now, at(self.now.date(), CONTINUOUS_END)) - opening
        sides = self.plan.sides_today
        for index, side in enumerate(sides):
            moment = (opening + passed * (index + 1) / (len(sides) + 2)).replace(microsecond=0)
            code = codes[(index * 3 + 1) % len(codes)]
            self._trade(moment, side, code, self._a_tenth_of(code))

    def _a_tenth_of(self, code: str) -> int:
        lot = self.exchange.book(self.account).lots.get(code)
        return max(lot.quantity // 10, 1) if lot else 1

    def _leave_open_orders(self, codes: list[str]) -> None:
        if self.now >= at(self.now.date(), CLOSING):
            return
        if self.plan.partly_filled:
            self._leave_partly_filled(codes)
        moment = self.now - timedelta(seconds=90 * (len(self.plan.open_sides) + 1))
        moment = max(moment, at(self.now.date(), OPENING))
        for index, side in enumerate(self.plan.open_sides):
            code = codes[(index * 4 + 9) % len(codes)]
            price = self._out_of_reach(code, side)
            quantity = max(self._a_tenth_of(code), 1)
            placed = min(moment + timedelta(seconds=90 * index), self.now)
            self._order(placed, side, code, quantity, price)

    def _out_of_reach(self, code: str, side: Side) -> int:
        """Return a valid price beyond anything the day has shown so far."""
        quote = self.market.quote(code, self.now)
        bar = quote.today if quote else None
        if quote is None or bar is None:
            return 0
        lowest, highest = quote.limits
        is_fund = quote.listing.is_fund
        if side == "buy":
            return max(on_tick(bar.low * (1 - WAY_TO_OPEN_ORDER), is_fund=is_fund), lowest)
        return min(on_tick(bar.high * (1 + WAY_TO_OPEN_ORDER), is_fund=is_fund), highest)

    def _leave_partly_filled(self, codes: list[str]) -> None:
        """Sell at the day's high so far: reached once, for half of the order, and not since."""
        for code in codes:
            quote = self.market.quote(code, self.now)
            bar = quote.today if quote else None
            lot = self.exchange.book(self.account).lots.get(code)
            if quote is None or bar is None or lot is None:
                continue
            touched = self._last_touch(code, bar)
            if quote.price >= bar.high - tick_size(bar.high) or touched is None or lot.quantity < 10:  # noqa: PLR2004
                continue
            quantity = lot.quantity // 5 // 2 * 2 or 2
            placed = max(touched - timedelta(minutes=3), at(touched.date(), OPENING))
            order = self._order(placed, "sell", code, quantity, bar.high)
            self.exchange.record_fill(order, Fill(touched, quantity // 2, bar.high))
            return

    def _last_touch(self, code: str, bar: Bar) -> datetime | None:
        """Return the last moment at which the day's high so far was paid."""
        for step in range(min(step_of(self.now), STEPS - 1), 0, -1):
            moment = moment_of(bar.day, step)
            seen = self.market.quote(code, moment)
            if seen is not None and seen.price == bar.high:
                return moment
        return None

    def _pay_in(self) -> None:
        """Set the cash the account began with so that the wished share is left after all trades and transfers."""
        for transfer in self._transfers():
            self.account.transfers.append(transfer)
            self._open_with_enough()
            if self._lowest_cash() < 0:
                # Without this deposit the account could not have paid for what it bought before.
                self.account.transfers.remove(transfer)
        self._open_with_enough()

    def _transfers(self) -> Iterator[Transfer]:
        """Yield what the plan lets in and out, newest first: money taken out later was there before."""
        for ago, amount in sorted(self.plan.transfers):
            yield Transfer(at(business_day_before(self.now.date(), days=ago), MONEY_MOVES_AT), amount)

    def _open_with_enough(self) -> None:
        self.exchange.revision += 1  # the book is worked out anew
        wished = int(self.plan.total * self.plan.cash_share)
        spent = -sum(self.exchange.book(self.account).settling.values())
        self.account.opening_cash = (wished + spent) // 10_000 * 10_000
        self.exchange.revision += 1

    def _lowest_cash(self) -> int:
        book = self.exchange.book(self.account)
        return min((book.cash_on(day) for day in book.settling), default=book.opening_cash)
