"""The rules of a storm, held against the exchange and the database by somebody who trusts neither the code nor its words.

Every violation names the seed, the step and the rule; `docs/order-storm.md` lists the rules.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from kis.client.codes import OrderTR
from kis.client.errors import KisError
from kis.client.protocol import Request
from kis.client.records.orders import Side
from kis.korean import SEOUL
from kis.simulator.orders import Order
from kis.simulator.prices import tick_size
from kis.simulator.wire import BRANCH
from tests.storm.broker import key_of
from tests.storm.database import rows
from trading import audit
from trading.limits import Gate
from trading.parser import CancelWish, OrderWish

if TYPE_CHECKING:
    from tests.storm.world import Done, Process, World

#: Written here anew, from design.md section 9: the checker must not learn it from what it checks.
LEGAL = {
    ("", "pending"),
    *(("pending", new) for new in ("sending", "locked", "expired", "abandoned")),
    *(("sending", new) for new in ("accepted", "rejected", "not_sent", "unknown")),
    *(("unknown", new) for new in ("accepted", "not_placed")),
    *(("accepted", new) for new in ("partial", "filled", "cancelled", "expired")),
    *(("partial", new) for new in ("filled", "cancelled", "expired")),
}
NONE_THERE = {"pending", "locked", "abandoned", "rejected", "not_sent", "not_placed"}
KNOWN_THERE = {"accepted", "partial", "filled", "cancelled"}
OPEN_STATES = ("sending", "unknown", "accepted", "partial")
MOST_TRIES = 3
SHORTEST_LOOK = timedelta(seconds=2)
#: From the claim to the POST, and what a call may add to it.
SEND_WITHIN = timedelta(seconds=16)
SWITCH_WORKS_WITHIN = timedelta(seconds=1)
SKEW = timedelta(seconds=5)
LEAST_DISK = 50_000_000
COLUMNS = (
    "id, kind, status, branch, odno, ord_dt, tries, claimed_at, made_at, expires_at, known_before, closed_looks, is_paper, "
    "account_no, product_code"
)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that did not hold: at which step of which seed, and what was found instead."""

    seed: int
    step: int
    rule: str
    found: str

    def __str__(self) -> str:
        return f"seed {self.seed}, step {self.step}, {self.rule}: {self.found}"


@dataclass(frozen=True, slots=True)
class Intended:
    """What the owner asked for, and the code that he was shown for it. A cancellation names the exchange's own order."""

    wish: OrderWish | CancelWish
    code: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """An intent as it stands in the database."""

    pk: int
    kind: str
    status: str
    branch: str
    odno: str
    ord_dt: str
    tries: int
    claimed_at: datetime | None
    made_at: datetime
    expires_at: datetime
    known_before: tuple[tuple[str, str], ...]
    closed_looks: int
    account: tuple[str, str, bool]

    @property
    def standing(self) -> tuple[str, int]:
        return self.status, self.closed_looks


def moment(value: Any) -> Any:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value


def parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def intents() -> dict[int, Row]:
    found = {}
    for row in rows(f"SELECT {COLUMNS} FROM trading_order ORDER BY id"):  # noqa: S608  # our own columns
        (
            pk,
            kind,
            status,
            branch,
            odno,
            day,
            tries,
            claimed,
            made,
            expires,
            known,
            looks,
            paper,
            number,
            product,
        ) = row
        found[pk] = Row(
            pk,
            kind,
            status,
            branch,
            odno,
            f"{day:%Y%m%d}" if isinstance(day, date) else (day or "").replace("-", ""),
            tries,
            moment(claimed),
            moment(made),
            moment(expires),
            tuple((branch, number) for branch, number in parsed(known)),
            len(parsed(looks)),
            (number, product, bool(paper)),
        )
    return found


class Rules:
    """Collects violations of one seed. What it remembers it has seen itself."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.violations: list[Violation] = []
        self.step = 0
        self.intended: dict[int, Intended] = {}
        self.codes_shown: dict[str, int] = {}
        self.posts: Counter[int] = Counter()
        self.comparisons: Counter[int] = Counter()
        self.switched_on_at: datetime | None = None
        self.last_event = 0
        self.states: dict[int, str] = {}
        self.before: dict[int, Row] = {}

    def broken(self, rule: str, found: str) -> None:
        violation = Violation(self.world.seed, self.step, rule, found)
        self.violations.append(violation)
        self.world.note(f"VIOLATION {violation}")

    def want(self, holds: bool, rule: str, found: str) -> None:
        if not holds:
            self.broken(rule, found)

    # --- around every act -------------------------------------------------------------------------------------------

    def begins(self, process: Process) -> None:
        self.note_switch()
        process.began = self.world.clock.true
        process.before = intents()
        process.placed_before = {
            (key_of(order)[0], f"{order.number:010d}"): order.placed_at
            for order in self.world.broker.account.orders
        }
        process.shut_at_start = {
            pk: self.shut(pk, process) for pk, row in process.before.items() if row.status == "pending"
        }

    def ends(self, process: Process, done: Done) -> None:
        self.step += 1
        self.world.broker.move_on()
        self.note_switch()
        now = intents()
        if process.name.startswith("reconcile"):
            self.complete_or_unchanged(process, done, now)
        for outer in self.world.stack:
            # What this one has changed is not the doing of whoever it came in between of.
            outer.before |= {pk: row for pk, row in now.items() if row != process.before.get(pk)}
        self.look(now)

    def look(self, now: dict[int, Row] | None = None) -> None:
        """Hold every intent against the exchange."""
        now = intents() if now is None else now
        there: dict[int, list[Order]] = {}
        for order in self.world.broker.account.orders:
            intent = self.world.broker.made.get(key_of(order), 0)
            if intent:
                there.setdefault(intent, []).append(order)
        for pk, row in now.items():
            self.one_intent(row, there.get(pk, []))
        strangers = set(there) - set(now)
        self.want(not strangers, "durable_claim", f"orders of intents that no row knows: {sorted(strangers)}")
        self.history(now)

    def one_intent(self, row: Row, there: Sequence[Order]) -> None:
        numbers = [order.number for order in there]
        self.want(len(there) <= 1, "one_execution", f"#{row.pk} was executed as {numbers}")
        has_none = row.status in NONE_THERE or (row.status == "expired" and not row.odno)
        self.want(
            not (has_none and there),
            "none_means_none",
            f"#{row.pk} is {row.status}, the exchange has {numbers}",
        )
        if row.status in KNOWN_THERE or (row.status == "expired" and row.odno):
            branch = BRANCH[self.world.broker.mode]
            mine = [(key_of(order)[0], branch, f"{order.number:010d}") for order in there]
            self.want(
                mine == [(row.ord_dt, row.branch, row.odno)],
                "accepted_means_that_one",
                f"#{row.pk} is {row.status} as {(row.ord_dt, row.branch, row.odno)}, the exchange has {mine}",
            )
        counted = self.comparisons[row.pk]
        self.want(
            counted <= row.tries <= MOST_TRIES,
            "guesses_counted",
            f"#{row.pk}: {counted} codes compared, {row.tries} counted",
        )

    def history(self, now: dict[int, Row]) -> None:
        """Walk on along the events: every step legal, every row where its last event says."""
        for number, pk, old, new in rows(
            "SELECT number, order_id, old_status, new_status FROM trading_order_event WHERE number > %s ORDER BY number",
            self.last_event,
        ):
            self.last_event = number
            if pk is None or not new:
                continue
            is_next = old == self.states.get(pk, "")
            self.want(is_next and (old, new) in LEGAL, "legal_edges", f"#{pk} went from {old!r} to {new!r}")
            self.states[pk] = new
        for pk, row in now.items():
            said = self.states.get(pk, "")
            self.want(said == row.status, "legal_edges", f"#{pk} is {row.status}, its events say {said!r}")

    def compared(self, pk: int) -> None:
        self.comparisons[pk] += 1

    # --- inquiries ----------------------------------------------------------------------------------------------------

    def complete_or_unchanged(self, process: Process, done: Done, now: dict[int, Row]) -> None:
        """After a look at a list that was not whole, everything stands as before; only leftovers may have been settled."""
        visible = {
            key
            for key, placed_at in process.placed_before.items()
            if placed_at <= process.began - process.heard.hidden_for
        }
        open_before = [
            row for row in process.before.values() if row.status in OPEN_STATES[1:] and row.claimed_at
        ]
        days = [row.ord_dt or f"{row.claimed_at.astimezone(SEOUL):%Y%m%d}" for row in open_before]
        asked = {key for key in visible if days and key[0] >= min(days)}
        is_whole = asked <= process.heard.numbers and not isinstance(done.error, KisError)
        if is_whole:
            return
        for row in open_before:
            after = now[row.pk]
            self.want(
                after.standing == row.standing,
                "incomplete_changes_nothing",
                f"#{row.pk} went from {row.standing} to {after.standing} though {len(asked - process.heard.numbers)} of "
                f"{len(asked)} orders were not shown",
            )

    # --- the POST -----------------------------------------------------------------------------------------------------

    def posted(self, process: Process, request: Request) -> None:
        """Judge an order at the moment at which it leaves."""
        pk = process.intent
        self.posts[pk] += 1
        self.want(self.posts[pk] == 1, "one_post", f"#{pk} was posted {self.posts[pk]} times")
        row = intents().get(pk)
        is_claimed = row is not None and row.status == "sending" and row.claimed_at is not None
        self.want(
            is_claimed and not connection.in_atomic_block,
            "durable_claim",
            f"#{pk} left while its row was {row.status if row else 'nowhere'}"
            + (", in an open transaction" if connection.in_atomic_block else ""),
        )
        intended = self.intended.get(pk)
        self.want(
            process.typed == pk and intended is not None,
            "own_code",
            f"#{pk} left for the code of #{process.typed}",
        )
        if intended is not None:
            self.same_as_shown(pk, intended, request)
        if row is not None and row.claimed_at is not None:
            self.in_time(row)
            self.baseline(process, row)
        self.gates(process, pk)

    def same_as_shown(self, pk: int, intended: Intended, request: Request) -> None:
        wish, environment = intended.wish, self.world.environment
        expected = environment.account.params()
        if isinstance(wish, CancelWish):
            transaction = OrderTR.AMEND_OR_CANCEL
            expected |= {
                "KRX_FWDG_ORD_ORGNO": BRANCH[environment.mode],
                "ORGN_ODNO": wish.number.zfill(10),
                "RVSE_CNCL_DVSN_CD": "02",
                "ORD_DVSN": "00",
                "ORD_QTY": "0",
                "ORD_UNPR": "0",
                "QTY_ALL_ORD_YN": "Y",
                "EXCG_ID_DVSN_CD": "KRX",
            }
            shown: tuple[str, ...] = (wish.number.lstrip("0"),)
        else:
            transaction = OrderTR.BUY if wish.side is Side.BUY else OrderTR.SELL
            expected |= {
                "PDNO": wish.code,
                "ORD_DVSN": "00" if wish.price else "01",
                "ORD_QTY": str(wish.quantity),
                "ORD_UNPR": str(wish.price or 0),
                "EXCG_ID_DVSN_CD": "KRX",
            }
            shown = (
                "매수" if wish.side is Side.BUY else "매도",
                wish.code,
                f"{wish.quantity:,}",
                f"{wish.price:,}" if wish.price else "시장가",
            )
        sent = (request.tr_id, dict(request.body or {}))
        is_same = sent == (environment.tr_id(transaction), expected) and request.url.endswith(
            transaction.path
        )
        self.want(is_same, "bytes_as_shown", f"#{pk}: {sent} was posted, {expected} was asked for")
        text = "\n".join(intended.lines)
        missing = [part for part in shown if part not in text]
        self.want(not missing, "bytes_as_shown", f"#{pk}: the preview did not show {missing}")

    def in_time(self, row: Row) -> None:
        assert row.claimed_at is not None
        self.want(row.claimed_at < row.expires_at, "gates", f"#{row.pk}: claimed after its code had expired")
        self.want(
            row.claimed_at >= row.made_at + SHORTEST_LOOK,
            "gates",
            f"#{row.pk}: claimed before anybody could read it",
        )

    def baseline(self, process: Process, row: Row) -> None:
        """Demand that whatever was at the exchange before is known as not ours."""
        today = f"{self.world.clock.wall().astimezone(SEOUL):%Y%m%d}"
        known = {number for _, number in row.known_before}
        visible = {
            number
            for (day, number), placed_at in process.placed_before.items()
            if day == today and placed_at <= process.began - process.heard.hidden_for
        }
        self.want(
            visible <= known,
            "baseline",
            f"#{row.pk}: {len(visible - known)} orders were not looked at before it was sent",
        )

    def gates(self, process: Process, pk: int) -> None:
        """Demand that a gate that was shut when the code was typed, and is shut now, has stopped the order."""
        shut = self.shut(pk, process)
        stayed = shut & process.shut_at_start.get(pk, frozenset())
        self.want(not stayed, "gates", f"#{pk} left although {sorted(stayed)} was shut all along")
        on_since = self.switched_on_at
        is_order = isinstance(self.wish(pk), OrderWish)
        is_late = on_since is not None and self.world.clock.true - on_since > SWITCH_WORKS_WITHIN
        self.want(not (is_order and is_late), "gates", f"#{pk} left although orders had been stopped")
        if is_order:
            others = [
                row.pk
                for row in intents().values()
                if row.status in {"sending", "unknown"} and row.kind == "order" and row.pk != pk
            ]
            self.want(not others, "gates", f"#{pk} left while {others} had no answer")

    def wish(self, pk: int) -> OrderWish | CancelWish | None:
        intended = self.intended.get(pk)
        return intended.wish if intended else None

    def shut(self, pk: int, process: Process) -> frozenset[str]:
        """Return the gates that are shut for an intent at this moment, as the exchange and this machine really stand."""
        world, wish = self.world, self.wish(pk)
        if wish is None:
            return frozenset()
        clock = world.clock
        local = clock.wall().astimezone(SEOUL)
        found = {
            Gate.REAL_TRADING: world.broker.mode == "real" and not settings.REAL_TRADING_ENABLED,
            Gate.PERMISSION: not process.executor.may_trade,
            Gate.CLOCK: not world.skew_known or abs(clock.ahead) > SKEW,
            Gate.DISK: world.free_bytes < LEAST_DISK,
        }
        if isinstance(wish, OrderWish):
            found |= self.shut_to_orders(wish, local)
        return frozenset(str(gate) for gate, is_shut in found.items() if is_shut)

    def shut_to_orders(self, wish: OrderWish, local: datetime) -> dict[Gate, bool]:
        broker, clock = self.world.broker, self.world.clock
        quote = broker.exchange.market.quote(wish.code, clock.true)
        assert quote is not None
        lowest, highest = quote.limits
        price = wish.price or (highest if wish.side is Side.BUY else quote.price)
        time = f"{local:%H:%M:%S}"
        opens, closes = ("08:30:00", "15:30:00") if wish.price else ("09:00:00", "15:20:00")
        amount = price * wish.quantity
        sent = sum(
            order.quantity * order.price
            for order in broker.account.orders
            if broker.made.get(key_of(order)) and order.action == "order" and order.day == clock.true.date()
        )
        is_buy = wish.side is Side.BUY
        return {
            Gate.KILL_SWITCH: self.is_switched_on(),
            Gate.SESSION: not (opens <= time < closes and local.weekday() < 5),
            Gate.COLLAR: bool(wish.price) and abs(Decimal(price) / quote.price - 1) > Decimal("0.06"),
            Gate.TICK: bool(wish.price % tick_size(wish.price, is_fund=False)) if wish.price else False,
            Gate.DAILY_LIMIT: bool(wish.price) and not lowest <= price <= highest,
            Gate.CASH: is_buy and amount > broker.exchange.buying_power(broker.account, clock.true).amount,
            Gate.SELLABLE: not is_buy
            and wish.quantity > broker.exchange.orderable(broker.account, wish.code, clock.true),
            Gate.ORDER_AMOUNT: amount > settings.ORDER_MAX_AMOUNT,
            Gate.DAY_AMOUNT: sent + amount > settings.ORDER_DAY_MAX_AMOUNT,
        }

    def is_switched_on(self) -> bool:
        on = rows("SELECT is_on FROM trading_kill_switch")
        return bool(on and on[0][0]) or (self.world.folder / "kill-switch").exists()

    def note_switch(self) -> None:
        """Remember since when orders are stopped."""
        if not self.is_switched_on():
            self.switched_on_at = None
        elif self.switched_on_at is None:
            self.switched_on_at = self.world.clock.true

    # --- the end ------------------------------------------------------------------------------------------------------

    def chain(self) -> None:
        problems = audit.verify().problems
        self.want(not problems, "legal_edges", f"the history does not verify: {problems[:2]}")

    def books(self) -> None:
        """Every order at the exchange is in the books once, after one sync."""
        known = Counter(
            (f"{day:%Y%m%d}" if isinstance(day, date) else day.replace("-", ""), number)
            for day, number in rows("SELECT ord_dt, odno FROM kis_order_detail")
        )
        there = {(day, f"{number:010d}") for day, number in map(key_of, self.world.broker.account.orders)}
        self.want(set(known) == there, "known_after_one_sync", f"{len(there - set(known))} orders missing")
        twice = [key for key, count in known.items() if count > 1]
        self.want(not twice, "known_after_one_sync", f"in the books twice: {twice}")

    def candidates_shown(self, shown: dict[int, set[str]]) -> None:
        """Demand that the order of an intent without an answer is among those that its owner is shown."""
        for pk, row in intents().items():
            if row.status != "unknown":
                continue
            lost = [
                order.number
                for order in self.world.broker.orders_of(pk)
                if f"{order.number:010d}" not in shown.get(pk, set())
            ]
            self.want(
                not lost, "known_after_one_sync", f"#{pk} is unknown, and its order {lost} is shown nowhere"
            )

    def settled(self) -> None:
        left = {pk: row.status for pk, row in intents().items() if row.status in {"sending", "unknown"}}
        self.want(not left, "settled_in_the_end", f"after the close and {left} still open")
