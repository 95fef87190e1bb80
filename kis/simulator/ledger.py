"""What follows from an account's orders: holdings, cash by settlement day, costs, what can still be ordered."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from operator import itemgetter
from threading import RLock

from kis.calendar import business_day_after, business_day_before, latest_business_day
from kis.client.codes import Mode
from kis.simulator.errors import ControlRefused
from kis.simulator.hours import at, settlement_day
from kis.simulator.listings import Listing
from kis.simulator.market import Market, Quote
from kis.simulator.orders import Fill, Order, Side
from kis.simulator.rules import margin_price
from kis.simulator.splits import INSTANT, Split

COMMISSION_RATE = Decimal("0.000140527")
# Sale tax by settlement date, KOSPI and KOSDAQ alike; funds pay none.
SALE_TAX = (
    (date(2026, 1, 1), Decimal("0.0020")),
    (date(2025, 1, 1), Decimal("0.0015")),
    (date(2024, 1, 1), Decimal("0.0018")),
    (date(2023, 1, 1), Decimal("0.0020")),
    (date(2021, 1, 1), Decimal("0.0023")),
    (date(2019, 6, 3), Decimal("0.0025")),
    (date.min, Decimal("0.0030")),
)
SOLD_OUT_DAYS = 2  # a sold-out stock stays on the statement until its sale is older than D-2


@dataclass(frozen=True, slots=True)
class Lot:
    """A quantity of one stock and what was paid for it, without costs."""

    quantity: int
    cost: int

    @property
    def average(self) -> Decimal:
        return Decimal(self.cost) / self.quantity if self.quantity else Decimal(0)

    def bought(self, quantity: int, amount: int) -> "Lot":
        return Lot(self.quantity + quantity, self.cost + amount)

    def sold(self, quantity: int) -> "Lot":
        """Take shares out at the moving average, which a sale does not change."""
        left = self.quantity - quantity
        return Lot(left, round(Decimal(self.cost) * left / self.quantity) if left else 0)

    def split(self, split: Split) -> tuple["Lot", Fraction]:
        """Return the lot in new shares, and the fraction of a share that is paid out; its cost goes with it."""
        units = self.quantity * split.new
        quantity, rest = divmod(units, split.old)
        cost = round(Decimal(self.cost) * (quantity * split.old) / units) if quantity else 0
        return Lot(quantity, cost), Fraction(rest, split.old)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Won that came into an account from outside (+) or left it (−); there at once."""

    at: datetime
    amount: int


@dataclass(slots=True)
class Account:
    """What an account began with, every order and transfer since; holdings and cash follow from these by replay.

    `opened_at` is when it was started over; its opening lots are in the shares of that moment.
    """

    mode: Mode
    number: str  # 12345678-01
    opening_cash: int = 0
    opening: dict[str, Lot] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    opened_at: datetime | None = None

    def timeline(
        self, splits: Iterable[Split], *, until: datetime | None
    ) -> Iterator[tuple[Order, Fill] | Split]:
        """Yield fills and splits up to `until`, or all of them, in the order in which they happened."""
        events: list[tuple[datetime, int, tuple[Order, Fill] | Split]] = [
            (fill.at, order.number, (order, fill)) for order in self.orders for fill in order.fills
        ]
        events += [
            (split.at, 0, split) for split in splits if self.opened_at is None or split.at > self.opened_at
        ]
        for moment, _, event in sorted(events, key=itemgetter(0, 1)):
            if until is None or moment <= until:
                yield event


@dataclass(slots=True)
class Traded:
    """Sums of fills on one side or both: of a day, or of one stock on a day."""

    bought_quantity: int = 0
    bought_amount: int = 0
    sold_quantity: int = 0
    sold_amount: int = 0
    costs: int = 0

    def add(self, side: Side, quantity: int, amount: int, costs: int) -> None:
        if side == "buy":
            self.bought_quantity += quantity
            self.bought_amount += amount
        else:
            self.sold_quantity += quantity
            self.sold_amount += amount
        self.costs += costs


@dataclass(slots=True)
class Book:
    """An account after its trades: lots, sums per day, and cash by the day it settles on."""

    opening_cash: int
    lots: dict[str, Lot]
    days: defaultdict[date, Traded] = field(default_factory=lambda: defaultdict(Traded))
    stocks: defaultdict[tuple[date, str], Traded] = field(default_factory=lambda: defaultdict(Traded))
    settling: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))

    def cash_on(self, day: date) -> int:
        return self.opening_cash + sum(amount for due, amount in self.settling.items() if due <= day)

    @property
    def cash(self) -> int:
        """Cash after everything traded so far has settled."""
        return self.opening_cash + sum(self.settling.values())


@dataclass(frozen=True, slots=True)
class Holding:
    """One line of a statement."""

    listing: Listing
    lot: Lot
    price: int
    base: int
    orderable: int
    today: Traded
    yesterday: Traded

    @property
    def value(self) -> int:
        return self.price * self.lot.quantity


@dataclass(frozen=True, slots=True)
class Statement:
    """An account valued at one instant."""

    day: date
    holdings: list[Holding]
    cash: int
    cash_next_day: int
    cash_settled: int  # after all trades so far
    today: Traded
    yesterday: Traded
    previous_total: int

    @property
    def value(self) -> int:
        return sum(holding.value for holding in self.holdings)

    @property
    def cost(self) -> int:
        return sum(holding.lot.cost for holding in self.holdings)

    @property
    def total(self) -> int:
        return self.value + self.cash_settled


@dataclass(frozen=True, slots=True)
class BuyingPower:
    """Cash that new orders may use."""

    cash: int
    reusable: int  # proceeds of sales that have not settled yet

    @property
    def total(self) -> int:
        return self.cash + self.reusable

    @property
    def amount(self) -> int:
        """The largest amount whose commission still fits in."""
        return int(self.total / (1 + COMMISSION_RATE))


def commission(amount: int) -> int:
    """Fractions of a won are dropped."""
    return int(amount * COMMISSION_RATE)


def sale_tax(amount: int, *, listing: Listing, settles_on: date) -> int:
    """Return the transaction tax on a sale; the day of settlement decides the rate."""
    if listing.is_fund:
        return 0
    rate = next(rate for since, rate in SALE_TAX if settles_on >= since)
    return int(amount * rate)


class Ledger:
    """The market, the accounts and their orders. Every read and change happens under `lock`."""

    def __init__(self, market: Market, accounts: Iterable[Account]) -> None:
        self.market = market
        self.accounts: dict[Mode, Account] = {account.mode: account for account in accounts}
        self.lock = RLock()
        self.revision = 0  # grows with every change worth saving
        self._books: dict[Mode, tuple[int, Book]] = {}

    def orders(self) -> Iterator[Order]:
        for account in self.accounts.values():
            yield from account.orders

    def splits(self) -> list[Split]:
        """Return all splits in force."""
        return [split for splits in self.market.splits.values() for split in splits]

    def open_orders(self, account: Account, now: datetime) -> list[Order]:
        return [order for order in account.orders if order.is_open(now)]

    def record_order(self, order: Order) -> Order:
        """Keep an order as it is; the rules were looked at before, or it is history."""
        self.accounts[order.mode].orders.append(order)
        self.revision += 1
        return order

    def record_transfer(self, account: Account, transfer: Transfer) -> None:
        """Let cash in or out, as the bank does. Raises ControlRefused for more than could be taken out."""
        book, day = self.book(account), latest_business_day(transfer.at.date())
        # Open buys hold their money back; a transfer out must not take it from under them.
        orderable = self.buying_power(account, transfer.at).total
        free = min(book.cash_on(day), book.cash_on(business_day_after(day)), orderable)
        if transfer.amount < 0 and -transfer.amount > free:
            raise ControlRefused(f"출금할 수 있는 금액은 {max(free, 0)}원입니다.")
        account.transfers.append(transfer)
        self.revision += 1

    def book(self, account: Account, *, until: datetime | None = None) -> Book:
        """Replay an account's fills and transfers, all of them or those up to `until`."""
        if until is not None:
            return self._replay(account, until)
        cached = self._books.get(account.mode)
        if cached is None or cached[0] != self.revision:
            cached = self._books[account.mode] = (self.revision, self._replay(account, None))
        return cached[1]

    def _replay(self, account: Account, until: datetime | None) -> Book:
        book = Book(account.opening_cash, dict(account.opening))
        traded: defaultdict[int, int] = defaultdict(int)
        for event in account.timeline(self.splits(), until=until):
            if isinstance(event, Split):
                self._book_split(book, event)
                continue
            order, fill = event
            self._book_fill(book, order, fill, already=traded[id(order)])
            traded[id(order)] += fill.quantity * fill.price
        for transfer in account.transfers:
            if until is None or transfer.at <= until:
                book.settling[latest_business_day(transfer.at.date())] += transfer.amount
        return book

    def _book_fill(self, book: Book, order: Order, fill: Fill, *, already: int) -> None:
        amount = fill.quantity * fill.price
        # Costs are truncated once per order, so a second fill adds the difference to the order's new total.
        costs = self.costs(order, already + amount) - self.costs(order, already)
        lot = book.lots.get(order.code, Lot(0, 0))
        if order.side == "buy":
            book.lots[order.code] = lot.bought(fill.quantity, amount)
            cash = -amount - costs
        else:
            book.lots[order.code] = lot.sold(fill.quantity)
            cash = amount - costs
        book.settling[settlement_day(order.day)] += cash
        book.days[order.day].add(order.side, fill.quantity, amount, costs)
        book.stocks[order.day, order.code].add(order.side, fill.quantity, amount, costs)

    def _book_split(self, book: Book, split: Split) -> None:
        lot = book.lots.get(split.code)
        if lot is None or not lot.quantity:
            return
        book.lots[split.code], fraction = lot.split(split)
        if fraction:
            base = self.regular_quote(split.code, at(split.day, time.min)).base
            book.settling[split.day] += int(fraction * base)

    def costs(self, order: Order, amount: int) -> int:
        """Return commission and tax if `amount` of an order is traded."""
        costs = commission(amount)
        if order.side == "sell":
            listing = self.market.listings[order.code]
            costs += sale_tax(amount, listing=listing, settles_on=settlement_day(order.day))
        return costs

    def orderable(self, account: Account, code: str, now: datetime, *, book: Book | None = None) -> int:
        """Return the shares held less those in open sell orders."""
        lot = (book or self.book(account)).lots.get(code, Lot(0, 0))
        selling = sum(
            order.remaining
            for order in self.open_orders(account, now)
            if order.side == "sell" and order.code == code
        )
        return max(lot.quantity - selling, 0)

    def buying_power(self, account: Account, now: datetime) -> BuyingPower:
        """Return what is left for new buys after the open ones have been set aside."""
        book = self.book(account)
        reserved = 0
        for order in self.open_orders(account, now):
            if order.side == "buy":
                quote = self.regular_quote(order.code, now)
                amount = order.remaining * margin_price(order.kind, order.price, quote)
                reserved += amount + commission(amount)
        settled = book.cash_on(latest_business_day(now.date()))
        total = max(book.cash - reserved, 0)
        cash = min(max(min(settled, book.cash) - reserved, 0), total)
        return BuyingPower(cash=cash, reusable=total - cash)

    def statement(self, account: Account, now: datetime, *, until: datetime | None = None) -> Statement:
        """Value an account at `now`; `until` hides the fills after it, as a slow back office does."""
        day = latest_business_day(now.date())
        yesterday = business_day_before(day)
        book = self.book(account, until=until)
        before = self.book(account, until=at(day, time.min) - INSTANT)
        shown_sales = {day, *(business_day_before(day, days=count) for count in range(1, SOLD_OUT_DAYS + 1))}
        holdings = [
            self._holding(account, code, lot, book=book, day=day, yesterday=yesterday, now=now)
            for code, lot in sorted(book.lots.items())
            if lot.quantity or any(book.stocks[sold_on, code].sold_quantity for sold_on in shown_sales)
        ]
        previous_value = sum(
            lot.quantity * self.regular_quote(code, now).base
            for code, lot in before.lots.items()
            if lot.quantity
        )
        return Statement(
            day=day,
            holdings=holdings,
            cash=book.cash_on(day),
            cash_next_day=book.cash_on(business_day_after(day)),
            cash_settled=book.cash,
            today=book.days[day],
            yesterday=book.days[yesterday],
            previous_total=previous_value + before.cash,
        )

    def _holding(
        self, account: Account, code: str, lot: Lot, *, book: Book, day: date, yesterday: date, now: datetime
    ) -> Holding:
        quote = self.regular_quote(code, now)
        return Holding(
            listing=quote.listing,
            lot=lot,
            price=quote.price,
            base=quote.base,
            orderable=self.orderable(account, code, now, book=book),
            today=book.stocks[day, code],
            yesterday=book.stocks[yesterday, code],
        )

    def regular_quote(self, code: str, now: datetime) -> Quote:
        """Return the quote of the regular session, which values the accounts. Raises ControlRefused without one."""
        quote = self.market.quote(code, now, regular=True)
        if quote is None:
            raise ControlRefused(f"이 시각에는 {code} 종목의 시세가 없습니다.")
        return quote
