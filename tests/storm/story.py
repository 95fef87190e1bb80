"""One seed: a few days of an owner, his programs and his phone, in bad weather; the same every time."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from argon2 import PasswordHasher
from django.conf import settings
from django.db import transaction

from kis.calendar import business_day_after
from kis.client.records.orders import Side
from kis.korean import SEOUL
from kis.models import Stock
from kis.simulator.errors import ControlRefused
from kis.simulator.orders import Order
from kis.simulator.prices import on_tick, tick_size
from kis.simulator.rules import Ticket, Violation
from kis.sync.fetch import fetch_orders
from kis.sync.orders import save_order_details
from tests.storm import faults
from tests.storm.database import rows
from tests.storm.rules import Intended
from tests.storm.rules import Violation as Broken
from tests.storm.world import PLENTY, Done, Process, Trouble, World, world
from trading import confirmation, kill_switch, reconcile
from trading.codes import SYMBOLS
from trading.models import PendingOrder, TradingPassword
from trading.parser import CancelWish, OrderWish
from trading.states import State

PASSWORD = "tree-9-candle-river"
#: Argon2 as for a real password, but so cheap that a storm need not wait for it.
CHEAP_HASH = "argon2" + PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
FRIDAY = datetime(2026, 11, 20, tzinfo=SEOUL)
STARTS = ("08:31:00", "08:52:00", "09:05:00", "10:00:00", "13:30:00", "15:10:00", "15:18:30", "15:27:00")
STOCKS = {"005930": "삼성전자", "000660": "SK하이닉스"}
PAGE = {"real": 100, "paper": 15}
#: How many places of a class an act passes at most, as a rule: where trouble strikes is drawn from these.
PLACES_OF_CONFIRM = {
    "sql": 34,
    "commit": 8,
    "disk": 2,
    "wire": 11,
    "post": 2,
    "late sql": 18,
    "late commit": 4,
    "late disk": 4,
}
PLACES_OF_GUESS = {"sql": 12, "commit": 3, "disk": 2, "wire": 2}
PLACES = {"sql": 30, "commit": 5, "disk": 4, "wire": 8}
CLOSING = time(15, 30)
AFTER_CLOSE = time(16, 1)
FEW_MINUTES = timedelta(minutes=6)
STEPS = (5, 12)


@dataclass(frozen=True, slots=True)
class Story:
    """What one seed brought: violations, what was met, and a digest of all that happened."""

    seed: int
    violations: tuple[Broken, ...]
    counts: Counter[str]
    trace: tuple[str, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]


def play(
    seed: int, *, bug: Callable[[], AbstractContextManager[Any]] = nullcontext, folder: Path | None = None
) -> Story:
    """Play a seed on an empty database. `bug` is patched over the real code meanwhile."""
    drawn = Random(f"storm {seed}")
    mode = drawn.choice(["real", "real", "paper"])
    start = datetime.combine(FRIDAY, time.fromisoformat(drawn.choice(STARTS)), SEOUL)
    with bug(), world(seed, mode=mode, start=start, parent=folder) as made:
        Teller(made).tell()
        return Story(seed, tuple(made.rules.violations), made.counts, tuple(made.trace))


class Teller:
    """Draws what happens next, and lets it happen."""

    def __init__(self, made: World) -> None:
        self.world = made
        self.dice = made.dice
        self.clock = made.clock
        self.broker = made.broker
        self.rules = made.rules

    def tell(self) -> None:
        self.set_the_stage()
        for _ in range(self.dice.randint(*STEPS)):
            self.next_step()
        if self.has(State.UNKNOWN) and self.dice.random() < 0.5:
            self.stormy_evening()
        self.epilogue()

    def set_the_stage(self) -> None:
        with self.world.unwatched():
            at = self.clock.wall()
            TradingPassword.objects.create(pk=1, password_hash=CHEAP_HASH, changed_at=at)
            Stock.objects.bulk_create(
                Stock(code=code, name=name, market="KOSPI", kind="stock", source="master", updated_at=at)
                for code, name in STOCKS.items()
            )
        self.broker.endow(40_000_000, _005930=60, _000660=8)
        full = PAGE[self.broker.mode]
        if self.dice.random() < (0.35 if full < 50 else 0.06):
            for _ in range(self.dice.randint(full - 2, full + 4)):
                self.earlier_order()
            self.clock.sleep(30)

    # --- what may happen ------------------------------------------------------------------------------------------

    def next_step(self) -> None:
        is_waiting = self.has(State.PENDING)
        acts: list[tuple[float, Callable[[], object]]] = [
            (0.7 if is_waiting else 3.0, self.propose),
            (6.0 if is_waiting else 0.4, self.confirm),
            (1.0 if is_waiting else 0.1, self.guess),
            (0.5, self.confirm_old),
            (0.3, self.withdraw),
            (2.0 if self.has_open() else 0.3, self.reconcile),
            (4.0 if self.has(State.UNKNOWN) else 0.0, self.owners_word),
            (1.5 if self.own_open() else 0.1, self.propose_cancel),
            (1.5, self.surroundings),
            (1.2, self.time_passes),
            (0.0 if self.is_open() else 3.0, self.to_the_next_day),
            (0.2, self.sync),
        ]
        self.clock.sleep(self.dice.choice([0.2, 1, 3]))
        if self.dice.random() < 0.4:
            self.mend()
        self.world.weather = self.draw_weather()
        self.pick(acts)()

    def pick(self, acts: list[tuple[float, Callable[[], object]]]) -> Callable[[], object]:
        return self.dice.choices([act for _, act in acts], weights=[weight for weight, _ in acts])[0]

    def draw_weather(self) -> faults.Weather:
        return self.dice.choice(
            [
                faults.CALM,
                faults.Weather(0.0, 0.7),
                faults.Weather(0.0, 0.7),
                faults.Weather(0.05, 0.6),
                faults.Weather(0.35, 0.5),
            ]
        )

    def draw_trouble(self, name: str) -> Trouble | None:
        if len(self.world.stack) > 0 or self.dice.random() < 0.4:
            return None
        what = self.dice.choice(
            ["kill", "kill", "interrupt", "database", "disk", "meanwhile", "meanwhile", "meanwhile"]
        )
        counts = {"confirm": PLACES_OF_CONFIRM, "guess": PLACES_OF_GUESS}.get(name, PLACES)
        fitting = {"disk": ("disk",), "database": ("sql",), "meanwhile": ("sql", "wire", "post")}
        place = self.dice.choice([place for place in counts if place.endswith(fitting.get(what, ("",)))])
        meanwhile = self.draw_meanwhile() if what == "meanwhile" else None
        return Trouble(place, self.dice.randint(1, counts[place]), what, meanwhile)

    def draw_meanwhile(self) -> Callable[[], None]:
        acts: list[tuple[float, Callable[[], object]]] = [
            (4.0, self.confirm),
            (2.5, self.guess),
            (1.0, self.withdraw),
            (1.0, self.propose),
            (1.5, self.reconcile),
            (0.7, self.owners_word),
            (2.5, self.surroundings),
            (1.5, self.time_passes),
            (0.5, self.sync),
        ]
        act = self.pick(acts)

        def happen() -> None:
            act()

        return happen

    def is_open(self) -> bool:
        return self.clock.true.time() < CLOSING

    # --- what is there --------------------------------------------------------------------------------------------

    def intents(self, *states: State) -> list[PendingOrder]:
        if not self.has(*states):
            return []
        with self.world.unwatched():
            return list(PendingOrder.objects.filter(status__in=states).order_by("pk"))

    def has(self, *states: State) -> bool:
        with self.world.unwatched():
            there = {status for (status,) in rows("SELECT DISTINCT status FROM trading_order")}
        return not there.isdisjoint(states)

    def waiting(self) -> PendingOrder | None:
        return next(iter(self.intents(State.PENDING)), None)

    def has_open(self) -> bool:
        return self.has(State.SENDING, State.UNKNOWN, State.ACCEPTED, State.PARTIAL)

    def own_open(self) -> list[Order]:
        return [
            order
            for order in self.broker.exchange.open_orders(self.broker.account, self.clock.true)
            if order.action == "order"
        ]

    def run(self, name: str, act: Callable[[Process], Any], *, typed: int = 0) -> Done:
        return self.world.carry_out(name, act, trouble=self.draw_trouble(name), typed=typed)

    # --- the owner ------------------------------------------------------------------------------------------------

    def propose(self) -> None:
        wish = self.draw_wish()

        def act(process: Process) -> object:
            return process.executor.propose(wish, given_password=PASSWORD)

        self.remember(wish, self.run("propose", act))

    def propose_cancel(self) -> None:
        there = self.own_open()
        number = f"{self.dice.choice(there).number}" if there else "77"
        code = next((order.code for order in there if f"{order.number}" == number), "005930")
        wish = CancelWish(code, number)

        def act(process: Process) -> object:
            return process.executor.propose(wish, given_password=PASSWORD)

        self.remember(wish, self.run("propose_cancel", act))

    def remember(self, wish: OrderWish | CancelWish, done: Done) -> None:
        if done.value is not None:
            pk = done.value.order.pk
            self.rules.intended[pk] = Intended(wish, done.value.code, done.value.lines)
            # Most owners read what they are shown.
            reads_it = self.dice.random() < 0.95
            self.clock.sleep(self.dice.choice([2.5, 3, 4, 5, 8, 20]) if reads_it else 0.5)
            if self.dice.random() < 0.2:
                self.something_changes()
            if not self.world.stack and self.dice.random() < 0.7:
                self.world.weather = self.draw_weather()
                self.confirm()

    def something_changes(self) -> None:
        """Let something change between the preview and the code."""
        self.pick(
            [
                (1.5, self.flip_setting),
                (1.0, self.set_clock),
                (0.7, self.switch_on),
                (1.5, self.phone_order),
                (1.5, self.old_hint),
                (1.0, self.guess),
                (0.3, self.to_the_evening),
            ]
        )()

    def draw_wish(self) -> OrderWish:
        code = self.dice.choice(["005930", "005930", "005930", "000660"])
        side = self.dice.choice([Side.BUY, Side.BUY, Side.SELL])
        quote = self.broker.exchange.market.quote(code, self.clock.true)
        assert quote is not None
        percent = self.dice.choice([0, 0, 1, -1, -3, 3, -4, 4, -4, 4, -4, 4])
        if self.dice.random() < 0.05:
            percent = self.dice.choice([8, -12])
        price: int | None = on_tick(quote.price * (100 + percent) // 100, is_fund=False)
        if self.dice.random() < 0.1:
            price = None
        elif self.dice.random() < 0.04:
            price = (price or 0) + 1
        most = max(3_000_000 // quote.price, 1)
        quantity = min(self.dice.choice([1, 1, 2, 3, most // 2 or 1]), most)
        if self.dice.random() < 0.04:
            quantity = most * 3
        return OrderWish(side, code, self.dice.choice(["", STOCKS[code]]), quantity, price)

    def confirm(self) -> None:
        """Type the code that was shown last, right away or a little late."""
        order = self.waiting()
        intended = self.rules.intended.get(order.pk) if order else None
        if intended is None or order is None:
            shown = list(self.rules.intended)
            if not shown:
                return
            self.type(shown[-1], self.rules.intended[shown[-1]].code)
            return
        self.type(order.pk, intended.code)

    def confirm_old(self) -> None:
        """Type a code of an earlier order."""
        shown = sorted(self.rules.intended)
        if shown:
            pk = self.dice.choice(shown)
            self.type(pk, self.rules.intended[pk].code)

    def type(self, pk: int, code: str) -> None:
        def act(process: Process) -> object:
            return process.executor.confirm(code, given_password=PASSWORD)

        self.run("confirm", act, typed=pk)

    def guess(self) -> None:
        order = self.waiting()
        intended = self.rules.intended.get(order.pk) if order else None
        right = intended.code if intended else "XT9W"
        others = [symbol for symbol in SYMBOLS if symbol != right[-1]]
        code = right[:-1] + self.dice.choice(others)

        def act(process: Process) -> object:
            return process.executor.confirm(code, given_password=PASSWORD)

        self.run("guess", act)

    def withdraw(self) -> None:
        order = self.waiting()
        if order is None:
            return

        def act(process: Process) -> None:
            confirmation.withdraw(order, at=process.desk.wall(), reason="그만둡니다.")

        self.run("withdraw", act)

    def reconcile(self) -> None:
        self.run("reconcile", lambda process: reconcile.reconcile(process.desk))

    def owners_word(self) -> None:
        """Let the owner say of every candidate whether it is his; he knows what he typed into his phone."""
        for order in self.intents(State.UNKNOWN):

            def act(process: Process, order: PendingOrder = order) -> None:
                found = {each.order.pk: each for each in reconcile.reconcile(process.desk)}
                # Only now: an order of his may have come up while he was looking.
                truth = {f"{each.number:010d}" for each in self.broker.orders_of(order.pk)}
                for row in found[order.pk].candidates if order.pk in found else ():
                    said = reconcile.adopt if row.number in truth else reconcile.disown
                    said(found[order.pk].order, row.number, desk=process.desk, by="owner")
                    if said is reconcile.adopt:
                        return

            self.run("owner", act)

    # --- his phone, the market, the machine -----------------------------------------------------------------------

    def surroundings(self) -> None:
        self.pick(
            [
                (4.0, self.phone_order),
                (1.0, self.phone_change),
                (2.0, self.fill),
                (0.6, self.switch_on),
                (1.2, self.switch_off),
                (1.2, self.old_hint),
                (0.4, self.torn_journal),
                (0.6, self.flip_setting),
                (0.8, self.set_clock),
            ]
        )()

    def phone_order(self) -> None:
        """Place an order elsewhere that looks like the one in hand, or one far from the price."""
        alike = next(reversed(self.rules.intended.values()), None) if self.dice.random() < 0.8 else None
        wish = alike.wish if alike and isinstance(alike.wish, OrderWish) else self.far_wish()
        side = "buy" if wish.side is Side.BUY else "sell"
        self.world.note(f"phone: {side} {wish.code} {wish.quantity} at {wish.price}")
        with self.broker.exchange.lock:
            try:
                self.broker.exchange.place(
                    self.broker.account,
                    side=side,  # type: ignore[arg-type]
                    code=wish.code,
                    quantity=wish.quantity,
                    price=wish.price or 0,
                    now=self.clock.true,
                    source="phone",
                )
            except ControlRefused:
                self.world.note("phone: refused")

    def earlier_order(self) -> None:
        """Note an order of the phone that had been placed and taken back before all this, without asking anybody."""
        exchange, account = self.broker.exchange, self.broker.account
        number = exchange.next_number(account.mode, self.clock.true.date())
        order = Order(
            mode=account.mode,
            account=account.number,
            number=number,
            placed_at=self.clock.true,
            side="buy",
            code="005930",
            quantity=1,
            price=50_000,
            source="phone",
            cancelled=1,
        )
        exchange.record_order(order)

    def far_wish(self) -> OrderWish:
        quote = self.broker.exchange.market.quote("005930", self.clock.true)
        assert quote is not None
        return OrderWish(Side.BUY, "005930", "", 1, on_tick(quote.price * 85 // 100, is_fund=False))

    def phone_change(self) -> None:
        """Cancel or amend an open order elsewhere, ours as well."""
        there = self.own_open()
        if not there:
            return
        order = self.dice.choice(there)
        amends = self.dice.random() < 0.5
        self.world.note(f"phone: {'amends' if amends else 'cancels'} {order.number}")
        with self.broker.exchange.lock:
            try:
                if amends:
                    step = tick_size(order.price or 1, is_fund=False)
                    ticket = Ticket(order.side, order.code, 0, max(order.price - step, step))
                    self.broker.exchange.amend(
                        self.broker.account, order.number, ticket, now=self.clock.true, source="phone"
                    )
                else:
                    self.broker.exchange.cancel(
                        self.broker.account, order.number, 0, now=self.clock.true, source="phone"
                    )
            except Violation:
                self.world.note("phone: refused")

    def fill(self) -> None:
        there = self.own_open()
        if not there:
            return
        order = self.dice.choice(there)
        quantity = self.dice.randint(1, order.remaining)
        self.world.note(f"market: fills {quantity} of {order.number}")
        with self.broker.exchange.lock:
            try:
                self.broker.exchange.fill_by_hand(
                    self.broker.account, number=order.number, quantity=quantity, now=self.clock.true
                )
            except ControlRefused:
                self.world.note("market: no fill")

    def switch_on(self) -> None:
        self.world.carry_out(
            "switch_on", lambda process: kill_switch.turn_on("폭풍", at=self.clock.wall(), by="owner")
        )

    def switch_off(self) -> None:
        self.world.carry_out(
            "switch_off", lambda process: kill_switch.turn_off(at=self.clock.wall(), by="owner")
        )

    def old_hint(self) -> None:
        """Leave a hint behind that is damaged, or speaks of something else: a backup, another version, an accident."""
        file = self.world.folder / "pending_order.json"
        pk = self.dice.choice([1, 2, 99])
        text = self.dice.choice(
            [
                "{",
                "[]",
                f'{{"id": {pk}, "order": "매수 삼성전자 005930 9주 50,000원"}}',
                f'{{"id": {pk}, "order": "매도 삼성전자 005930 7주 시장가"}}',
            ]
        )
        self.world.note(f"hint: {text}")
        file.write_text(text, encoding="utf-8")

    def torn_journal(self) -> None:
        file = self.world.folder / "order_journal.jsonl"
        if file.exists():
            self.world.note("journal: torn")
            file.write_bytes(file.read_bytes() + b'{"order": 1, "state": "acc')

    def flip_setting(self) -> None:
        which = self.dice.choice(["real", "may_trade", "disk", "skew"])
        self.world.note(f"flips {which}")
        if which == "real":
            settings.REAL_TRADING_ENABLED = not settings.REAL_TRADING_ENABLED
        elif which == "may_trade":
            self.world.may_trade = not self.world.may_trade
        elif which == "disk":
            self.world.free_bytes = 10**6
        else:
            self.world.skew_known = not self.world.skew_known

    def mend(self) -> None:
        """Put the settings, the disk and the clock of our machine right."""
        self.clock.ahead = timedelta()
        settings.REAL_TRADING_ENABLED = True
        self.world.may_trade = self.world.skew_known = True
        self.world.free_bytes = PLENTY

    def set_clock(self) -> None:
        """Set our wall clock, as a bad time server would, or as a good one would after it."""
        ahead = self.dice.choice([0, 0, 0, 3, -3, 20, -20, 600, -600, 7200])
        self.world.note(f"our clock is {ahead} s ahead")
        self.clock.ahead = timedelta(seconds=ahead)

    def time_passes(self) -> None:
        seconds = self.dice.choice([1, 5, 20, 65, 65, 200, 400, 900])
        self.let_pass(timedelta(seconds=seconds))
        what_else = self.dice.random()
        if what_else < 0.06:
            self.to_the_evening()
        elif what_else < 0.14:
            self.to_the_next_day()

    def let_pass(self, span: timedelta) -> None:
        self.world.note(f"{span} pass")
        self.clock.sleep(span.total_seconds())
        if not self.world.stack:
            self.broker.move_on()

    def to_the_evening(self) -> None:
        self.let_pass(
            max(datetime.combine(self.clock.true, AFTER_CLOSE, SEOUL) - self.clock.true, FEW_MINUTES)
        )

    def to_the_next_day(self) -> None:
        following = business_day_after(self.clock.true.date())
        opens = time.fromisoformat(self.dice.choice(["08:33:00", "09:10:00"]))
        self.let_pass(datetime.combine(following, opens, SEOUL) - self.clock.true)

    def sync(self) -> None:
        """Bring the books in line with the broker's list, as every run of `sync_kis_data` does."""

        def act(process: Process) -> None:
            at = process.desk.market_now()
            session, environment = process.desk.connection.session, process.desk.environment
            lists = fetch_orders(session, first=FRIDAY.date(), at=at)
            with transaction.atomic():
                save_order_details(
                    lists.orders,
                    account=environment.account,
                    is_paper=environment.is_paper,
                    at=at,
                    waiting={(row.branch, row.number) for row in lists.unfilled},
                )

        self.run("sync", act)

    # --- the end --------------------------------------------------------------------------------------------------

    def stormy_evening(self) -> None:
        """Look after orders without an answer while hardly any inquiry comes through."""
        self.to_the_evening()
        self.world.weather = faults.Weather(
            0.7, 0.0, self.dice.choice([faults.OF_LISTS, (*faults.PAGES, *faults.LATE)])
        )
        for _ in range(3):
            self.reconcile()
            self.let_pass(FEW_MINUTES)

    def epilogue(self) -> None:
        """Let the weather clear, and ask whether everything is known and ends well."""
        self.world.note("the weather clears")
        self.world.weather = faults.CALM
        self.mend()
        self.let_pass(timedelta(seconds=70))
        self.draw_trouble = lambda name: None  # type: ignore[method-assign]
        self.sync()
        with self.world.unwatched():
            self.rules.books()
        shown = self.look_calmly()
        with self.world.unwatched():
            self.rules.candidates_shown(shown)
        self.owners_word()
        self.to_the_evening()
        for _ in range(3):
            self.look_calmly()
            self.owners_word()
            self.let_pass(FEW_MINUTES)
        with self.world.unwatched():
            self.rules.settled()
            self.rules.chain()
            for status in PendingOrder.objects.values_list("status", flat=True):
                self.world.count(f"ends {status}")

    def look_calmly(self) -> dict[int, set[str]]:
        done = self.world.carry_out("reconcile", lambda process: reconcile.reconcile(process.desk))
        if done.error is not None:
            self.rules.broken("settled_in_the_end", f"in calm weather: {done.error!r}")
            return {}
        return {found.order.pk: {row.number for row in found.candidates} for found in done.value}
