"""What every driver uses: the steps and how they ended, and comparisons with what the exchange knows.

Runs inside the environment of the client under test, so it needs nothing but the standard library.
"""

import json
import queue
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from exchange import STOCK, Exchange, Mismatch, Row, check, equal, whole

__all__ = ["STOCK", "Heard", "Mismatch", "Run", "check", "equal", "whole"]

WAIT_SECONDS = 15.0
LOOK_SECONDS = 0.2
FEWEST_DAYS, FEWEST_MINUTES = 5, 20
CASH_KEPT = 0.98  # of the deposit: what may go to fees
DAY = ("stck_bsop_date", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_clpr")
MINUTE = ("stck_cntg_hour", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_prpr")
SIDES = {"sell": "01", "buy": "02"}


class Run(Exchange):
    """One client against one fresh simulator. Every step is recorded as it ends."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Record what happens in the block as the outcome of a step; an error does not end the run."""
        self.pause()
        try:
            yield
        except NameError as error:
            self._record(name, "fail", f"앞 단계의 결과가 없습니다: {error.name}")
        except Exception as error:  # noqa: BLE001  # whatever a foreign client raises is the outcome
            traceback.print_exc()
            self._record(name, "fail", f"{type(error).__name__}: {' '.join(str(error).split())}"[:400])
        else:
            self._record(name, "pass", "")

    def lacks(self, name: str, why: str) -> None:
        """Record that the client cannot do a step at all, and why."""
        self._record(name, "lacks", why)

    def _record(self, step: str, outcome: str, text: str) -> None:
        check(f"unknown step {step}", step in self.given["steps"])
        line = json.dumps({"step": step, "outcome": outcome, "text": text}, ensure_ascii=False)
        with Path(self.given["report"]).open("a", encoding="utf-8") as report:
            report.write(line + "\n")

    # --- balances and orders --------------------------------------------------------------------------------------

    def check_balance(self, rows: Iterable[Row], totals: Row) -> None:
        """Compare a balance as on the wire with the account."""
        known = self.account()
        held = {row["pdno"]: (int(row["hldg_qty"]), int(row["prpr"])) for row in rows if int(row["hldg_qty"])}
        equal("positions", held, {each["code"]: (each["qty"], each["price"]) for each in known["positions"]})
        self.check_totals(
            deposit=totals["dnca_tot_amt"], value=totals["scts_evlu_amt"], total=totals["tot_evlu_amt"]
        )

    def check_totals(self, *, deposit: object = None, value: object = None, total: object = None) -> None:
        """Compare sums in won with the account; None is not given by the client."""
        known = self.account()
        for name, seen in {"deposit": deposit, "value": value, "total": total}.items():
            if seen is not None:
                equal(name, whole(seen), known[name])

    def check_power(self, *sums: object, quantity: object = None, price: int = 0) -> None:
        """Check buying power: no more than the cash, nearly all of it without open buy orders, and what it buys."""
        most = self.account()["deposit"]
        for cash in sums:
            check(f"orderable cash {cash} of {most}", CASH_KEPT * most <= whole(cash) <= most)
        if quantity is not None:
            shares = whole(quantity)
            check(f"orderable shares {shares}", CASH_KEPT * most // price <= shares <= most // price)

    def check_history(
        self, rows: Iterable[Row], number: object, *, side: str, quantity: int, price: int
    ) -> None:
        """Check that a list of orders as on the wire has one row of an order, and right."""
        found = [row for row in rows if whole(row["odno"]) == whole(number)]
        equal("rows of the order", len(found), 1)
        row = found[0]
        seen = (row["pdno"], row["sll_buy_dvsn_cd"], whole(row["ord_qty"]), whole(row["ord_unpr"]))
        equal("row", seen, (STOCK, SIDES[side], quantity, price))

    # --- charts ---------------------------------------------------------------------------------------------------

    def check_daily(self, rows: Iterable[Row]) -> None:
        """Check daily bars as on the wire: see check_bars."""
        self.check_bars([tuple(row[name] for name in DAY) for row in rows if row])

    def check_minutes(self, rows: Iterable[Row]) -> None:
        """Check minute bars as on the wire: see check_minute_bars."""
        self.check_minute_bars([tuple(row[name] for name in MINUTE) for row in rows if row])

    def check_bars(self, bars: Iterable[tuple[Any, ...]]) -> None:
        """Check (day, open, high, low, close): many, a day once, each inside its range, today's closing at the price."""
        found = sorted(map(_bar, bars))
        check(f"enough daily bars: {len(found)}", len(found) >= FEWEST_DAYS)
        equal("days given twice", len(found) - len({day for day, _ in found}), 0)
        day, newest = found[-1]
        equal("newest bar", (day, newest[-1]), (self.today, self.price))

    def check_minute_bars(self, bars: Iterable[tuple[Any, ...]]) -> None:
        """Check (HHMMSS, open, high, low, close): minutes of the session without a gap, each inside its range."""
        found = sorted(map(_bar, bars))
        hours = [hour for hour, _ in found]
        check(f"enough minute bars: {len(found)}", len(found) >= FEWEST_MINUTES)
        minutes = [int(hour[:2]) * 60 + int(hour[2:4]) for hour in hours]
        equal("steps between minutes", {later - sooner for sooner, later in pairwise(minutes)}, {1})
        equal("seconds", {hour[4:] for hour in hours}, {"00"})
        now = datetime.fromisoformat(self.state()["clock"])
        check(f"from {hours[0]} to {hours[-1]}", "090000" <= hours[0] <= hours[-1] <= f"{now:%H%M%S}")

    # --- what is told live ----------------------------------------------------------------------------------------

    def check_tick(self, *, code: object, price: object) -> None:
        """Compare a live tick with the prices STOCK had a moment ago."""
        equal("stock of the tick", code, STOCK)
        check(f"price of the tick {price}", whole(price) in {self.start, self.start + self.tick})

    def check_fill(self, seen: object, number: object, *, quantity: object, price: object) -> None:
        """Compare a live execution notice of one share with the fill at the exchange."""
        equal("order of the notice", whole(seen), whole(number))
        known = self.order(number)
        equal("shares filled", known["filled"], 1)
        equal("notice", (whole(quantity), whole(price)), (1, known["amount"]))


def _bar(bar: tuple[Any, ...]) -> tuple[str, tuple[int, ...]]:
    """Return when a bar was and its open, high, low and close. Raises Mismatch when they cannot be."""
    first, high, low, last = prices = tuple(map(whole, bar[1:]))
    check(f"{bar[0]}: {prices}", low <= min(first, last) <= max(first, last) <= high)
    return str(bar[0]), prices


class Heard:
    """What a client is told live, handed over by whatever thread or process tells it."""

    def __init__(self, source: Any = None) -> None:
        self._queue = source if source is not None else queue.SimpleQueue()

    def put(self, item: object) -> None:
        self._queue.put(item)

    def wait(
        self,
        what: str,
        wanted: Callable[[Any], Any] = lambda item: item,
        *,
        again: Callable[[], object] = bool,
    ) -> Any:
        """Return what `wanted` makes of the first item it wants; `again` is called between items. Raises Mismatch."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            try:
                found = wanted(self._queue.get(timeout=LOOK_SECONDS))
            except queue.Empty:
                found = None
            if found:
                return found
            again()
        raise Mismatch(f"{what}: nothing within {WAIT_SECONDS:.0f} s")
