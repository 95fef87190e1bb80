"""A made-up life of two accounts, real and paper, played over the wire of one simulator; the same seed, the same life."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, time, timedelta
from random import Random

from requests import Response

from kis.calendar import ONE_DAY, is_business_day
from kis.korean import SEOUL
from kis.simulator.orders import Order
from kis.simulator.prices import daily_limits, on_tick
from kis.simulator.server import Simulator, SimulatorConfig
from tests.kis.living import Life, life_of

STOCKS = 40
CASH = {"real": 400_000_000, "paper": 120_000_000}
AMOUNTS = (150_000, 4_000_000)  # of an order, in won
OPENING, LAST_CONTINUOUS, CLOSE = time(9, 2), time(15, 18), time(15, 31)
OPENING_POSITIONS = 20
#: What may happen, and how often beside the others.
DEEDS = {
    "trade": 6,
    "at_market": 4,
    "rest": 7,
    "fill_part": 6,
    "amend": 4,
    "cancel": 4,
    "phone": 3,
    "immediate": 2,
    "routed": 1,
    "transfer": 1,
}


class Player:
    """Whoever owns the two accounts. `done` counts what has happened."""

    def __init__(self, simulator: Simulator, lives: dict[str, Life], *, seed: int, deeds_a_day: int) -> None:
        self.simulator = simulator
        self.exchange = simulator.exchange
        self.lives = lives
        self.random = Random(f"life {seed}")
        self.deeds_a_day = deeds_a_day
        self.done: Counter[str] = Counter()
        listings = self.exchange.market.listings.values()
        funds = [listing.code for listing in listings if listing.is_fund]
        shares = [listing.code for listing in listings if not listing.is_fund]
        self.codes = [*funds, *self.random.sample(shares, STOCKS - len(funds))]

    # --- what is ------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.simulator.now()

    def account(self, life: Life):
        return self.exchange.accounts[life.mode]

    def is_fund(self, code: str) -> bool:
        return self.exchange.market.listings[code].is_fund

    def near(self, code: str, low: float, high: float) -> int:
        """Return a valid price so many times the one of now, within the limits of the day."""
        quote = self.exchange.market.quote(code, self.now)
        lowest, highest = daily_limits(quote.base, is_fund=self.is_fund(code))
        wished = quote.price * self.random.uniform(low, high)
        price = on_tick(min(max(wished, lowest), highest), is_fund=self.is_fund(code))
        return price if price >= lowest else on_tick(quote.price, is_fund=self.is_fund(code))

    def shares(self, price: int) -> int:
        return max(int(self.random.uniform(*AMOUNTS) / price), 1)

    def pick(self, life: Life) -> tuple[str, str, int]:
        """Return side, stock and the most shares to trade; sells of what is there, buys of what was never bought first."""
        book = self.exchange.book(self.account(life))
        held = [code for code in sorted(book.lots) if self.sellable(life, code)]
        if held and self.random.random() < 0.45:
            code = self.random.choice(held)
            most = self.sellable(life, code)
            # Now and then all of it goes.
            return "sell", code, most if self.random.random() < 0.25 else max(most // 3, 1)
        return "buy", self.random.choice(self.untouched(life) or self.codes), 10**6

    def untouched(self, life: Life) -> list[str]:
        """Return the stocks that an account has never held."""
        account = self.account(life)
        held = account.opening.keys() | {order.code for order in account.orders if order.filled}
        return [code for code in self.codes if code not in held]

    def sellable(self, life: Life, code: str) -> int:
        return self.exchange.orderable(self.account(life), code, self.now)

    def open_orders(self, life: Life) -> list[Order]:
        return self.exchange.open_orders(self.account(life), self.now)

    # --- deeds; each returns whether it could be done --------------------------------------------------------------

    def order(self, life: Life, side: str, code: str, quantity: int, price: int, **how: str) -> bool:
        how = {"EXCG_ID_DVSN_CD": "KRX", **how}
        return self.taken(
            life.caller.order(side, PDNO=code, ORD_QTY=str(quantity), ORD_UNPR=str(price), **how)
        )

    def taken(self, response: Response) -> bool:
        """Return whether an order or a change was taken; the broker may refuse it for want of cash or in the last minute."""
        reply = response.json()
        if reply["rt_cd"] != "0":
            self.done["refused"] += 1
        return bool(reply["rt_cd"] == "0")

    def trade(self, life: Life) -> bool:
        """Set a price for the rest of the day and trade at it, all at once."""
        side, code, most = self.pick(life)
        price = self.near(code, 0.96, 1.04)
        life.price(price, code)
        return self.order(life, side, code, min(self.shares(price), most), price)

    def at_market(self, life: Life) -> bool:
        """Trade at whatever is offered, which may be several prices."""
        side, code, most = self.pick(life)
        price = self.exchange.market.quote(code, self.now).price
        return self.order(life, side, code, min(self.shares(price) * 3, most), 0, ORD_DVSN="01")

    def rest(self, life: Life) -> bool:
        """Leave an order at a distance: the market may come to it, or it lapses."""
        side, code, most = self.pick(life)
        price = self.near(code, 0.93, 1.0) if side == "buy" else self.near(code, 1.0, 1.07)
        return self.order(life, side, code, min(self.shares(price), most), price)

    def fill_part(self, life: Life) -> bool:
        orders = self.open_orders(life)
        if not orders:
            return False
        order = self.random.choice(orders)
        life.broker.fill(order.number, self.random.randint(1, order.remaining))
        return True

    def change(self, life: Life, *, cancel: bool) -> bool:
        orders = [order for order in self.open_orders(life) if order.kind == "00"]
        if not orders:
            return False
        order = self.random.choice(orders)
        part = {"ORD_QTY": str(self.random.randint(1, order.remaining)), "QTY_ALL_ORD_YN": "N"}
        how = part if self.random.random() < 0.4 else {}
        if not cancel:
            away = (0.92, 1.0) if order.side == "buy" else (1.0, 1.08)
            how["ORD_UNPR"] = str(self.near(order.code, *away))
        return self.taken(life.caller.change(f"{order.number:010d}", cancel=cancel, **how))

    def amend(self, life: Life) -> bool:
        return self.change(life, cancel=False)

    def cancel(self, life: Life) -> bool:
        return self.change(life, cancel=True)

    def phone(self, life: Life) -> bool:
        """Order on another device, at the market or with a limit."""
        side, code, most = self.pick(life)
        price = self.near(code, 0.97, 1.03) if self.random.random() < 0.5 else 0
        quantity = min(self.shares(price or self.near(code, 1.0, 1.0)), most)
        body = {"side": side, "code": code, "qty": quantity, "price": price}
        return bool(life.caller.control("external-order", body).ok)

    def immediate(self, life: Life) -> bool:
        """Take what is there and give up the rest; paper knows no such order."""
        if life.is_paper:
            return False
        side, code, most = self.pick(life)
        price = self.near(code, 0.999, 1.001)
        return self.order(life, side, code, min(self.shares(price) * 5, most), price, ORD_DVSN="11")

    def routed(self, life: Life) -> bool:
        """Let the broker choose the exchange; paper knows one only."""
        if life.is_paper:
            return False
        side, code, most = self.pick(life)
        price = self.near(code, 0.97, 1.03)
        return self.order(life, side, code, min(self.shares(price), most), price, EXCG_ID_DVSN_CD="SOR")

    def transfer(self, life: Life) -> bool:
        amount = self.random.randint(1, 9_999_999) * self.random.choice((1, 1, -1))
        return bool(life.caller.control("deposit", {"amount": amount}).ok)

    def early(self, life: Life) -> bool:
        """Trade on NXT, all of an order; paper cannot, and funds are not traded there."""
        if life.is_paper:
            return False
        side, code, most = self.pick(life)
        price = self.near(code, 0.98, 1.02)
        quantity = min(self.shares(price), most)
        if self.is_fund(code) or not self.order(life, side, code, quantity, price, EXCG_ID_DVSN_CD="NXT"):
            return False
        for order in self.open_orders(life):
            life.broker.fill(order.number, order.remaining)
        return True

    def in_the_evening(self, life: Life, *, closing: bool = False) -> bool:
        """Trade in the after-market of KRX, which takes neither funds nor orders on paper.

        When the day is about to be closed a sale is filled whole: of one half done nobody can tell later what part of its
        costs was tax, and the books say so.
        """
        if life.is_paper:
            return False
        side, code, most = self.pick(life)
        if self.is_fund(code):
            return False
        price = self.near(code, 0.99, 1.01)
        quantity = min(self.shares(price), most)
        if not self.order(life, side, code, quantity, price, ORD_DVSN="41"):
            return False
        self.done["in the evening"] += 1
        waiting = self.open_orders(life)
        if waiting:
            left = waiting[-1].remaining
            whole = closing and side == "sell"
            life.broker.fill(waiting[-1].number, left if whole else self.random.randint(1, left))
        return True

    def act(self, life: Life) -> None:
        name = self.random.choices(list(DEEDS), list(DEEDS.values()))[0]
        if getattr(self, name)(life):
            self.done[name] += 1

    # --- days ------------------------------------------------------------------------------------------------------

    def at(self, moment: datetime) -> None:
        next(iter(self.lives.values())).broker.clock(moment)

    def moments(self, on: date) -> list[datetime]:
        first, last = (datetime.combine(on, end, SEOUL) for end in (OPENING, LAST_CONTINUOUS))
        seconds = int((last - first).total_seconds())
        count = max(self.deeds_a_day // 2, 1)
        return [
            first + timedelta(seconds=second) for second in sorted(self.random.sample(range(seconds), count))
        ]

    def session(self, on: date, look: Callable[[Life], None]) -> None:
        """Play a day up to its close; somewhere in it somebody looks at each account."""
        self.before_the_opening(on, look)
        moments = self.moments(on)
        looks = {life.mode: self.random.randrange(len(moments)) for life in self.lives.values()}
        for place, moment in enumerate(moments):
            self.at(moment)
            for life in self.lives.values():
                for _ in range(2):
                    self.act(life)
                if looks[life.mode] == place:
                    look(life)
        # Into the auction of the close go a few more.
        self.at(datetime.combine(on, time(15, 24, self.random.randrange(60)), SEOUL))
        for life in self.lives.values():
            if self.rest(life):
                self.done["rest"] += 1

    def before_the_opening(self, on: date, look: Callable[[Life], None]) -> None:
        """Now and then trade on NXT before KRX opens, and look at the accounts."""
        early = datetime.combine(on, time(8, self.random.randint(1, 29)), SEOUL)
        if self.random.random() < 0.3 and early > self.now:
            self.at(early)
            for life in self.lives.values():
                if self.early(life):
                    self.done["early"] += 1
            self.at(datetime.combine(on, time(8, self.random.randint(30, 59)), SEOUL))
            look(self.random.choice(list(self.lives.values())))

    def close(self, on: date) -> None:
        """Move on to the moment at which the day is closed; perhaps the evening has brought trades by then.

        Before 15:40 the bars of the day are not final yet.
        """
        self.at(datetime.combine(on, time(15, self.random.randint(40, 59)), SEOUL))
        if self.random.random() < 0.3:
            self.at(datetime.combine(on, time(16, self.random.randint(1, 29)), SEOUL))
            for life in self.lives.values():
                self.in_the_evening(life, closing=True)
            self.at(datetime.combine(on, time(16, self.random.randint(30, 59)), SEOUL))

    def rest_day(self, on: date, look: Callable[[Life], None]) -> None:
        """Let somebody look at one of the accounts on a closed day, now and then."""
        self.at(datetime.combine(on, time(11), SEOUL))
        if self.random.random() < 0.5:
            look(self.random.choice(list(self.lives.values())))

    def night(self, on: date) -> None:
        """Play what happens after the day has been closed."""
        self.at(datetime.combine(on, time(17, self.random.randrange(60)), SEOUL))
        for life in self.lives.values():
            if self.random.random() < 0.5:
                self.in_the_evening(life)
            if self.random.random() < 0.15 and self.transfer(life):
                self.done["transfer"] += 1

    def split(self, ratio: int) -> str:
        """Split the most valuable stock that both accounts hold, from the next session on; return its code."""
        books = [self.exchange.book(self.account(life)) for life in self.lives.values()]
        held = [{code for code, lot in book.lots.items() if lot.quantity} for book in books]
        code = max(
            sorted(set.intersection(*held)), key=lambda code: self.exchange.market.quote(code, self.now).price
        )
        next(iter(self.lives.values())).broker.post("split", {"code": code, "ratio": ratio})
        self.done["split"] += 1
        return code

    def open_accounts(self) -> None:
        """Give both accounts their money and a few shares to begin with."""
        for life in self.lives.values():
            positions = [
                {"code": code, "qty": self.random.randint(3, 40), "avg": self.near(code, 0.7, 1.2)}
                for code in self.random.sample(self.codes, OPENING_POSITIONS)
            ]
            life.broker.post("account", {"deposit": CASH[life.mode], "positions": positions})


@contextmanager
def player_of(*, seed: int, begins: date, deeds_a_day: int) -> Iterator[Player]:
    """Start a simulator on the morning of a day, with two accounts that are connected to it."""
    config = SimulatorConfig(
        clock=datetime.combine(begins, time(9, 1), SEOUL), speed=0, limits=False, seed=seed
    )
    with Simulator(config) as simulator, ExitStack() as stack:
        lives = {mode: stack.enter_context(life_of(simulator, mode)) for mode in ("real", "paper")}
        player = Player(simulator, lives, seed=seed, deeds_a_day=deeds_a_day)
        player.open_accounts()
        yield player


def days_between(first: date, last: date) -> Iterator[tuple[date, bool]]:
    """Yield every day, and whether the exchange opens on it."""
    while first <= last:
        yield first, is_business_day(first)
        first += ONE_DAY
