"""The exchange: it takes orders or refuses them, matches them as prices move, amends and cancels them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from kis.client.codes import Mode
from kis.simulator.depth import LEVELS, Depth, Level, depth_around
from kis.simulator.errors import ControlRefused
from kis.simulator.hours import CLOSING, OPENING, at
from kis.simulator.ledger import Account, Ledger, Lot
from kis.simulator.market import Market, Print, Quote
from kis.simulator.orders import LIMIT_ORDER, MARKET_ORDER, Event, Fill, Notice, Order, Side, Source
from kis.simulator.phases import (
    AFTER_HOURS,
    AFTER_HOURS_TRADE,
    AFTER_MARKET_KINDS,
    BEFORE_HOURS,
    CONDITIONAL,
    SINGLE_PRICE,
    Phase,
    phase_of,
)
from kis.simulator.prices import dice, step_of
from kis.simulator.rules import Ticket, Violation, check_limits, check_phase, margin_price
from kis.simulator.splits import Split

FLOW_SHARE = 0.3  # of what is traded at an order's own price goes to that order
DEEPEST = 400  # levels a large order may sweep
BETWEEN_CROSSES_MINUTES = 10
CONTINUOUS = frozenset({Phase.REGULAR, Phase.PRE_MARKET, Phase.AFTER_MARKET})


class Swept(NamedTuple):
    """A level of the book that was taken from, within one step of the price."""

    code: str
    side: Side
    price: int


@dataclass(slots=True)
class Sweeps:
    """What has been taken out of the book of each stock since its price last moved."""

    step: tuple[date, int] = (date.min, 0)
    taken: dict[Swept, int] | None = None

    def at(self, now: datetime) -> dict[Swept, int]:
        step = (now.date(), step_of(now))
        if self.taken is None or step != self.step:
            self.step, self.taken = step, {}
        return self.taken


def _levels(quantities: dict[int, int], *, dearest_first: bool = False) -> tuple[Level, ...]:
    ordered = sorted(quantities.items(), reverse=dearest_first)
    return tuple(Level(price, quantity) for price, quantity in ordered if quantity > 0)


class Exchange(Ledger):
    """A ledger whose orders trade."""

    def __init__(self, market: Market, accounts: Iterable[Account]) -> None:
        super().__init__(market, accounts)
        self.matched_until: datetime | None = None
        self.last_numbers: dict[Mode, tuple[date, int]] = {}
        #: Called under `lock` with every notice: what a subscriber of execution notices gets to see.
        self.on_notice: list[Callable[[Notice], None]] = []
        self.announced: list[Split] = []  # splits that are not in force yet
        self._sweeps = Sweeps()

    # --- requests -------------------------------------------------------------------------------------------

    def submit(self, account: Account, ticket: Ticket, *, now: datetime, source: Source) -> Order:
        """Accept an order and trade it as far as the book allows. Raises Violation."""
        self.advance(now)
        quote = self._check(account, ticket, now)
        order = self._accept(account, ticket, now=now, source=source)
        self._arrive(order, quote, now)
        return order

    def amend(self, account: Account, number: int, ticket: Ticket, *, now: datetime, source: Source) -> Order:
        """Replace `ticket.quantity` shares (0 for all) of an open order by an order of its own. Raises Violation."""
        self.advance(now)
        origin = self._changeable(account, number, ticket.quantity, now)
        ticket = replace(
            ticket,
            side=origin.side,
            code=origin.code,
            venue=origin.venue,
            quantity=ticket.quantity or origin.remaining,
        )
        origin.replaced += ticket.quantity
        try:
            # Checked with the old part out of the way: its shares and its cash are free again.
            quote = self._check(account, ticket, now)
        except Violation:
            origin.replaced -= ticket.quantity
            raise
        order = self._accept(account, ticket, now=now, source=source, origin=origin.number)
        self._notify("confirmed", order, order.quantity, order.price, now)
        self._arrive(order, quote, now)
        return order

    def cancel(self, account: Account, number: int, quantity: int, *, now: datetime, source: Source) -> Order:
        """Take `quantity` shares (0 for all) out of an open order. Raises Violation."""
        self.advance(now)
        origin = self._changeable(account, number, quantity, now)
        quantity = quantity or origin.remaining
        request = Order(
            mode=account.mode,
            account=account.number,
            number=self.next_number(account.mode, now.date()),
            placed_at=now,
            side=origin.side,
            code=origin.code,
            quantity=quantity,
            price=0,
            kind=origin.kind,
            source=source,
            origin=origin.number,
            action="cancel",
            venue=origin.venue,
            cancelled=quantity,
        )
        self.record_order(request)
        origin.cancelled += quantity
        self._notify("accepted", request, quantity, 0, now)
        self._notify("confirmed", request, quantity, 0, now)
        return request

    def place(
        self,
        account: Account,
        *,
        side: Side,
        code: str,
        quantity: int,
        price: int,
        now: datetime,
        source: Source,
    ) -> Order:
        """Submit a plain limit or market order, as the phone app does. Raises ControlRefused."""
        ticket = Ticket(side, code, quantity, price, kind=LIMIT_ORDER if price else MARKET_ORDER)
        try:
            return self.submit(account, ticket, now=now, source=source)
        except Violation as violation:
            raise ControlRefused(str(violation)) from None

    def fill_by_hand(self, account: Account, *, number: int, quantity: int, now: datetime) -> Order:
        """Trade part of an open order at its own price, as the control plane asks. Raises ControlRefused."""
        self.advance(now)
        order = self._find_open(account, number, now)
        if order is None:
            raise ControlRefused(f"미체결 주문이 아닙니다: {number:010d}")
        if not 1 <= quantity <= order.remaining:
            raise ControlRefused(f"체결 수량은 1주에서 {order.remaining}주 사이여야 합니다: {quantity}")
        self._fill(order, now, quantity, order.price or self.regular_quote(order.code, now).price)
        return order

    def next_number(self, mode: Mode, day: date) -> int:
        """Return the next order number of the day; other people's orders lie in between."""
        last_day, last = self.last_numbers.get(mode, (date.min, 0))
        if last_day != day:
            last = 0
        number = last + dice("order number", self.market.seed, mode, day, last).randint(1, 60)
        self.last_numbers[mode] = (day, number)
        return number

    def depth(self, code: str, now: datetime, *, levels: int = LEVELS) -> Depth | None:
        """Return the best offers and bids, our customers' resting orders among them; None for an unknown code."""
        quote = self.market.quote(code, now)
        if quote is None:
            return None
        around = depth_around(quote, seed=self.market.seed, levels=levels)
        taken = self._sweeps.at(now)
        asks = {
            level.price: level.quantity - taken.get(Swept(code, "buy", level.price), 0)
            for level in around.asks
        }
        bids = {
            level.price: level.quantity - taken.get(Swept(code, "sell", level.price), 0)
            for level in around.bids
        }
        for account in self.accounts.values():
            for order in self.open_orders(account, now):
                if order.code == code and order.price and not order.asleep:
                    side = bids if order.side == "buy" else asks
                    side[order.price] = max(side.get(order.price, 0), 0) + order.remaining
        return Depth(_levels(asks)[:levels], _levels(bids, dearest_first=True)[:levels])

    def _check(self, account: Account, ticket: Ticket, now: datetime) -> Quote:
        check_phase(ticket, now, is_paper=account.mode == "paper")
        quote = self.market.quote(ticket.code, now)
        if quote is None:
            raise Violation("unknown stock", f"없는 종목코드입니다: {ticket.code}")
        check_limits(ticket, quote)
        if ticket.side == "sell":
            held = self.book(account).lots.get(ticket.code)
            if held is None or not held.quantity:
                raise Violation("nothing held", "보유하지 않은 종목입니다.")
            if ticket.quantity > self.orderable(account, ticket.code, now):
                raise Violation("too many shares", "주문 가능한 수량을 초과했습니다.")
        else:
            price = margin_price(ticket.kind, ticket.price, quote)
            if ticket.quantity * price > self.buying_power(account, now).amount:
                raise Violation("too little cash", "주문 가능한 금액을 초과했습니다.")
        return quote

    def _accept(
        self, account: Account, ticket: Ticket, *, now: datetime, source: Source, origin: int = 0
    ) -> Order:
        order = self.record_order(
            Order(
                mode=account.mode,
                account=account.number,
                number=self.next_number(account.mode, now.date()),
                placed_at=now,
                side=ticket.side,
                code=ticket.code,
                quantity=ticket.quantity,
                price=ticket.price,
                kind=ticket.kind,
                source=source,
                origin=origin,
                action="amend" if origin else "order",
                venue=ticket.venue,
                trigger=ticket.trigger,
                asleep=ticket.is_stop,
            )
        )
        self._notify("accepted", order, order.quantity, order.price, now)
        return order

    def _find_open(self, account: Account, number: int, now: datetime) -> Order | None:
        return next((order for order in self.open_orders(account, now) if order.number == number), None)

    def _changeable(self, account: Account, number: int, quantity: int, now: datetime) -> Order:
        of_today = (order for order in account.orders if order.day == now.date() and order.action != "cancel")
        if not any(order.number == number for order in of_today):
            raise Violation("unknown order", "원주문번호가 존재하지 않습니다.")
        order = self._find_open(account, number, now)
        if order is None or quantity > order.remaining:
            raise Violation("nothing to change", "정정취소 가능수량이 없습니다.")
        return order

    # --- matching -------------------------------------------------------------------------------------------

    def advance(self, now: datetime) -> None:
        """Trade the resting orders that the price has met since the last look, and let announced splits happen."""
        self.split_shares(now)
        since = self.matched_until or now
        self.matched_until = max(since, now)
        if now <= since:
            return
        left: dict[tuple[str, datetime, Side], int] = {}
        for account in self.accounts.values():
            for order in account.orders:
                if order.remaining > 0 and order.lapses_at > since:
                    self._match(order, max(since, order.placed_at), min(now, order.lapses_at), left)

    def split_shares(self, now: datetime) -> None:
        """Put the splits in force whose time has come."""
        for split in [split for split in self.announced if split.at <= now]:
            self.announced.remove(split)
            self.market.put_in_force(split)
            self.revision += 1

    def meet_current_prices(self, now: datetime) -> None:
        """Trade the resting orders that the price of this very moment reaches, after it has been changed by hand."""
        for account in self.accounts.values():
            for order in self.open_orders(account, now):
                quote = self.market.quote(order.code, now)
                if (
                    quote is not None
                    and phase_of(now, order.venue) in CONTINUOUS
                    and self._awake(order, quote.price)
                    and order.reaches(quote.price)
                ):
                    self._fill(order, now, order.remaining, order.price or quote.price)

    def _arrive(self, order: Order, quote: Quote, now: datetime) -> None:
        """Trade an order that has just come in, as far as the other side of the book goes."""
        if order.kind in {BEFORE_HOURS, AFTER_HOURS}:
            self._trade_at_close(order, quote, now)
            return
        if phase_of(now, order.venue) not in CONTINUOUS or not self._awake(order, quote.price):
            return
        life, pricing = order.division.life, order.division.pricing
        depth = self.depth(order.code, now, levels=DEEPEST)
        if depth is None:
            return
        against, own = (depth.asks, depth.bids) if order.side == "buy" else (depth.bids, depth.asks)
        if pricing == "best":
            order.price = against[0].price if against else quote.price
        elif pricing == "own best":
            order.price = own[0].price if own else quote.price
        elif pricing == "middle":
            order.price = quote.price
        if self.market.is_pinned(order.code, now):
            # Whoever pins a price wants orders at it to trade: the book around it is only for show.
            if order.reaches(quote.price):
                self._fill(order, now, order.remaining, quote.price)
        else:
            self._sweep(order, against, quote, now, whole=life == "fok")
        if life != "day" and order.remaining:
            order.cancelled += order.remaining
            self._notify("confirmed", order, order.cancelled, order.price, now)

    def _sweep(
        self, order: Order, against: tuple[Level, ...], quote: Quote, now: datetime, *, whole: bool
    ) -> None:
        within = [level for level in against if order.reaches(level.price)]
        flow = self._flow(order.code, now) if order.price == quote.price else 0
        if whole and sum(level.quantity for level in within) + flow < order.remaining:
            return
        taken = self._sweeps.at(now)
        for level in within:
            quantity = min(level.quantity, order.remaining)
            if quantity:
                place = Swept(order.code, order.side, level.price)
                taken[place] = taken.get(place, 0) + quantity
                self._fill(order, now, quantity, level.price)
        if flow and order.remaining:
            # At the last price itself both sides are trading at this moment.
            self._fill(order, now, min(flow, order.remaining), order.price)

    def _flow(self, code: str, now: datetime) -> int:
        step = step_of(now)
        full = self.market.bar(code, now.date())
        if full is None or step < 0:
            return 0
        return max(int(self.market.volume_of_step(full.volume, step) * FLOW_SHARE), 1)

    def _match(
        self,
        order: Order,
        since: datetime,
        until: datetime,
        left: dict[tuple[str, datetime, Side], int],
    ) -> None:
        if order.kind in {BEFORE_HOURS, AFTER_HOURS}:
            quote = self.market.quote(order.code, until, regular=True)
            if quote is not None:
                self._trade_at_close(order, quote, until)
            return
        for traded in self.market.prints(order.code, since, until):
            if not order.remaining:
                return
            if self._is_auction(order, traded.at):
                if self._joins_auction(order, traded):
                    self._fill(order, traded.at, order.remaining, traded.price)
            elif self._trades_in(order, traded.at):
                self._meet(order, traded, left)

    def _meet(self, order: Order, traded: Print, left: dict[tuple[str, datetime, Side], int]) -> None:
        """Trade what a price brings: all of a better order, of one at the very price only its share of the flow."""
        if not self._awake(order, traded.price) or not order.reaches(traded.price):
            return
        if traded.pinned or order.price != traded.price:
            self._fill(order, traded.at, order.remaining, order.price or traded.price)
            return
        place = (order.code, traded.at, order.side)
        flow = left.setdefault(place, max(int(traded.volume * FLOW_SHARE), 1))
        quantity = min(flow, order.remaining)
        if quantity:
            left[place] -= quantity
            self._fill(order, traded.at, quantity, order.price)

    def _is_auction(self, order: Order, moment: datetime) -> bool:
        day = order.day
        if order.kind == SINGLE_PRICE:
            return False
        if moment == at(day, OPENING):
            return order.placed_at < moment and order.venue != "NXT"
        return moment == at(day, CLOSING) and order.venue != "NXT"

    def _joins_auction(self, order: Order, traded: Print) -> bool:
        if order.asleep:
            return False  # its trigger was never traded, so it is not in the book
        if order.kind == CONDITIONAL and traded.at == at(order.day, CLOSING):
            return True  # a market order by now; at the opening it still had its limit
        return order.reaches(traded.price)

    def _trades_in(self, order: Order, moment: datetime) -> bool:
        if order.kind == SINGLE_PRICE:
            return phase_of(moment) is Phase.SINGLE_PRICE and moment.minute % BETWEEN_CROSSES_MINUTES == 0
        phase = phase_of(moment, order.venue)
        if order.kind in AFTER_MARKET_KINDS:
            return phase is Phase.AFTER_MARKET
        return phase in CONTINUOUS

    def _trade_at_close(self, order: Order, quote: Quote, now: datetime) -> None:
        """Trade at the close of the day before (05) or of this day (06), once that is possible."""
        if order.kind == BEFORE_HOURS:
            self._fill(order, max(order.placed_at, min(now, order.lapses_at)), order.remaining, quote.base)
        elif now >= at(order.day, AFTER_HOURS_TRADE):
            moment = max(order.placed_at, at(order.day, AFTER_HOURS_TRADE))
            close = self.market.bar(order.code, order.day)
            self._fill(order, moment, order.remaining, close.close if close else quote.price)

    def _awake(self, order: Order, price: int) -> bool:
        """Return whether an order takes part; a stop order does from the moment its trigger has been traded."""
        if order.asleep and (price >= order.trigger if order.side == "buy" else price <= order.trigger):
            order.asleep = False
            self.revision += 1
        return not order.asleep

    def _fill(self, order: Order, moment: datetime, quantity: int, price: int) -> None:
        self.record_fill(order, Fill(moment, quantity, price))
        self._notify("filled", order, quantity, price, moment)

    def record_fill(self, order: Order, fill: Fill) -> None:
        """Add a fill without asking anything, as history does."""
        order.fills.append(fill)
        self.revision += 1

    def _notify(self, event: Event, order: Order, quantity: int, price: int, moment: datetime) -> None:
        self.revision += 1
        if not self.on_notice:
            return
        notice = Notice(event, replace(order, fills=list(order.fills)), moment, quantity, price)
        for listener in self.on_notice:
            listener(notice)

    # --- control --------------------------------------------------------------------------------------------

    def announce(self, split: Split) -> None:
        """Let a stock be split before its day begins. Raises ControlRefused."""
        if split.code not in self.market.listings:
            raise ControlRefused(f"없는 종목코드입니다: {split.code}")
        if any((other.code, other.day) == (split.code, split.day) for other in self.announced):
            raise ControlRefused(f"{split.code} 종목은 {split.day}에 이미 분할이나 병합이 있습니다.")
        self.announced.append(split)
        self.announced.sort(key=lambda split: split.day)
        self.revision += 1

    def replace_account(self, account: Account, *, cash: int, lots: dict[str, Lot], now: datetime) -> None:
        """Start an account over with this cash and these lots; its orders are forgotten."""
        account.opening_cash = cash
        account.opening = dict(lots)
        account.opened_at = now
        account.orders.clear()
        account.transfers.clear()
        self.revision += 1
