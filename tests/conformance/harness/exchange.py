"""The simulator as its control plane shows it: what it knows, what is to happen next, what an order leaves behind.

Runs inside the environment of the client under test, so it needs nothing but the standard library.
"""

import json
import os
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

Row = dict[str, Any]

STOCK = "005930"
DEPOSIT = 30_000_000
HELD = {"code": STOCK, "qty": 12, "avg": 61_234}
PAPER_SECONDS = 1.1


class Mismatch(AssertionError):
    """What a client understood is not what the simulator knows."""


def equal(what: str, seen: object, known: object) -> None:
    """Compare what the client understood with what the simulator knows. Raises Mismatch."""
    if seen != known:
        raise Mismatch(f"{what}: {seen!r} != {known!r}")


def check(what: str, holds: object) -> None:
    """Raise Mismatch unless it holds."""
    if not holds:
        raise Mismatch(what)


def whole(value: object) -> int:
    """Read a number of won, of shares or of an order, however the client keeps it. Raises Mismatch."""
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise Mismatch(f"a number: {value!r}") from None
    check(f"a whole number: {value!r}", number == int(number))
    return int(number)


def tick_of(price: int) -> int:
    """Return the tick size of a stock at a price in won (since 2023-01-25)."""
    steps = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500))
    return next((tick for below, tick in steps if price < below), 1_000)


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the simulated broker: its addresses, and the keys and account of a client."""

    mode: str
    url: str
    ws: str
    account: str
    app_key: str
    app_secret: str
    hts_id: str

    @property
    def cano(self) -> str:
        return self.account.partition("-")[0]

    @property
    def product(self) -> str:
        return self.account.partition("-")[2]


class Exchange:
    """A fresh simulator with an account of known contents and a pinned price of STOCK."""

    def __init__(self) -> None:
        self.given = json.loads(Path(os.environ["AEGIS_CONFORMANCE"]).read_text(encoding="utf-8"))
        self.real = Host(mode="real", **self.given["real"])
        self.paper = Host(mode="paper", **self.given["paper"])
        self.host = self.real if self.given["mode"] == "real" else self.paper
        self.now = datetime.fromisoformat(self.state()["clock"])
        self.control("account", {"deposit": DEPOSIT, "positions": [HELD]})
        self.start = self.price = int(self.account()["positions"][0]["price"])
        self.tick = tick_of(self.price)
        self.set_price(self.price)

    @property
    def today(self) -> str:
        """Return the simulator's day, YYYYMMDD."""
        return f"{self.now:%Y%m%d}"

    def control(self, name: str, body: object = None) -> Any:
        """Ask the control plane; with a body it is a POST."""
        request = urllib.request.Request(  # noqa: S310  # http to the simulator on loopback
            f"{self.host.url}/_sim/{name}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310  # same
            return json.load(reply)

    def pause(self) -> None:
        """Wait as the user of a client without a limiter has to: the paper host takes one call a second."""
        if self.host is self.paper:
            time.sleep(PAPER_SECONDS)

    # --- what it knows --------------------------------------------------------------------------------------------

    def state(self) -> Row:
        state: Row = self.control("state")
        return state

    def account(self) -> Row:
        """Return cash, totals and positions of the client's account."""
        accounts: list[Row] = self.state()["accounts"]
        return next(account for account in accounts if account["mode"] == self.host.mode)

    def orders(self) -> list[Row]:
        """Return the orders of the client's account, oldest first."""
        orders: list[Row] = self.control("orders")
        return [order for order in orders if order["mode"] == self.host.mode]

    def order(self, number: object) -> Row:
        return next(order for order in self.orders() if int(order["odno"]) == whole(number))

    def below(self, ticks: int) -> int:
        """Return a price under the market that an order can have, and rest at."""
        return self.price - ticks * self.tick

    def above(self, ticks: int) -> int:
        return self.price + ticks * self.tick

    # --- what is to happen ----------------------------------------------------------------------------------------

    def set_price(self, price: int) -> None:
        """Pin the price of STOCK for the rest of the day."""
        self.control("price", {"code": STOCK, "price": price})
        self.price = price

    def move_price(self) -> None:
        """Let STOCK trade at another price, so that there is something to tell."""
        self.set_price(self.start + (self.tick if self.price == self.start else 0))

    def fill(self, number: object, quantity: int) -> None:
        """Let somebody trade with an order."""
        self.control("fill", {"odno": whole(number), "qty": quantity})

    # --- what an order must leave behind --------------------------------------------------------------------------

    @contextmanager
    def new_order(self, *, side: str, quantity: int, price: int) -> Iterator[Row]:
        """Check that exactly this order arrives in the block; the block puts the client's order number into the dict."""
        before = {order["odno"] for order in self.orders()}
        given: Row = {}
        yield given
        new = [order for order in self.orders() if order["odno"] not in before]
        equal("orders that arrived", len(new), 1)
        known = {"side": side, "code": STOCK, "qty": quantity, "price": price, "kind": "00", "source": "api"}
        known["account"] = self.host.account
        equal("order at the exchange", {name: new[0][name] for name in known}, known)
        equal("order number", whole(given["number"]), int(new[0]["odno"]))

    @contextmanager
    def amended(self, number: object, *, quantity: int, price: int) -> Iterator[Row]:
        """Check that the block replaces an order by exactly one new one."""
        with self.new_order(side=self.order(number)["side"], quantity=quantity, price=price) as given:
            yield given
        equal("left of the amended order", self.order(number)["remaining"], 0)
        equal("left of the new order", self.order(given["number"])["remaining"], quantity)

    @contextmanager
    def cancelled(self, number: object) -> Iterator[None]:
        """Check that the block takes an order back, and nothing else."""
        before = {order["odno"]: order["open"] for order in self.orders()}
        yield
        after = {order["odno"]: order["open"] for order in self.orders()}
        changed = {odno for odno in after if after[odno] != before.get(odno)}
        known = self.order(number)
        equal("orders changed", changed, {known["odno"]})
        equal("cancelled shares", (known["cancelled"], known["remaining"]), (known["qty"], 0))
