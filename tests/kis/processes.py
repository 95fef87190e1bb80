# ruff: noqa: PLC0415, T201  # Django has to be set up before its modules are loaded; standard output is the result
"""Run the same piece of the product in many processes at once, on one database; started by tests and benches.

`python processes.py NAME COUNT …` prints one JSON line per process. The environment says database, host and keys.
"""

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")


def ask_for_token(mode):
    """Return the generation of the token this process ends up with, after a call that it works for, and the turns taken."""
    from kis.client.endpoints.account import orderable_cash
    from kis.connect import connect

    began = time.time()
    with connect(mode) as connection:
        token = connection.session.token()
        assert orderable_cash(connection.session)
        return {"generation": token.generation, "began": began, "next_at": next_turn()}


def read_charts(mode, charts):
    """Read so many charts one after the other and return when the first and the last were read."""
    from kis.client.endpoints.charts import daily_chart
    from kis.connect import connect

    codes = ("005930", "000660", "035420", "005380", "068270", "051910", "055550", "105560")
    with connect(mode) as connection:
        connection.session.token()
        began = time.monotonic()
        for count in range(int(charts)):
            code = codes[count % len(codes)]
            chart = daily_chart(
                connection.session, code=code, first=date(2026, 8, 3), last=date(2026, 11, 20)
            )
            assert chart.bars, "an empty chart"
        session = connection.session
        return {"began": began, "ended": time.monotonic(), "rate_limited": session.rate_limited}


def take_turns(turns):
    """Take so many turns of one budget; return when this process began and where the budget stands at its end."""
    from kis.rate_budget import DatabaseBudget

    began = time.time()
    budget = DatabaseBudget("one key", 0.02)
    for _ in range(int(turns)):
        budget.wait()
    return {"began": began, "next_at": next_turn()}


def next_turn():
    """Return when the next call may leave, by the only budget there is."""
    from kis.models import RateBudget

    return RateBudget.objects.get().next_at.timestamp()


def run_slots(slots):
    """Fire so many slots, as a scheduler would, and return those that fell to this process."""
    from datetime import UTC, datetime, timedelta

    from kis.client.codes import AccountNumber
    from kis.models import SyncRun
    from kis.runs import Owner, end_run, open_slot

    # One moment for all: a process that is ahead must not be as far ahead in time that the others' leases are over.
    now = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
    owner = Owner("test", AccountNumber("12345678", "01"), is_paper=False)
    ours = []
    for number in range(int(slots)):
        run = open_slot(owner, now=now, slot=now + timedelta(minutes=number))
        if run is not None:
            ours.append(number)
            ended = end_run(
                run, now=now, status=SyncRun.Status.COMPLETE, requests=0, rate_limited=0, steps=[]
            )
            assert ended, "somebody else ended our run"
    return {"ours": ours}


def hear_of_an_order(times):
    """Write receipt and notices of one order in an order of our own, each so many times; return what is in the table."""
    import random
    from datetime import datetime, time

    from kis.accounts import find_account
    from kis.client.endpoints.orders import NewOrder, OrderReceipt
    from kis.client.records.orders import Side
    from kis.client.records.realtime import Amendment, FillNotice, NoticeKind
    from kis.korean import SEOUL
    from kis.models import KisOrderDetail
    from kis.sync.order_news import apply_notice, record_order

    environment = find_account("real").environment()
    at = datetime(2026, 11, 20, 10, 0, tzinfo=SEOUL)

    def notice(kind, quantity, second):
        return FillNotice(
            account=environment.account,
            branch="06010",
            number="0000000123",
            origin="",
            amendment=Amendment.NONE,
            kind=kind,
            side=Side.BUY,
            code="005930",
            name="삼성전자",
            quantity=quantity,
            price=57_000,
            at=time(10, 0, second),
            ordered_quantity=100,
            ordered_price=57_000,
            exchange="KRX",
        )

    told = [
        notice(NoticeKind.ACCEPTED, 100, 0),
        *(notice(NoticeKind.FILLED, 7, second) for second in range(1, 9)),
    ]
    receipt = OrderReceipt(branch="06010", number="123", ordered_at=time(10, 0), message="", raw={})
    sent = NewOrder(Side.BUY, "005930", 100, 57_000)
    news: list[Callable[[], object]] = [partial(apply_notice, environment, notice, at=at) for notice in told]
    news.append(partial(record_order, environment, sent, receipt, at=at))
    news *= int(times)
    random.Random(os.getpid()).shuffle(news)
    for tell in news:
        tell()
    rows = KisOrderDetail.objects.values_list("odno", "tot_ccld_qty", "rmn_qty", "status", "origin")
    return {"rows": [list(row) for row in rows]}


def fire_a_slot():
    """Run the task of the half hour for one slot, as a worker would; return what it says, and the runs there are then."""
    from datetime import datetime, timedelta
    from unittest.mock import patch

    from kis.korean import SEOUL
    from kis.models import SyncRun
    from kis.tasks import fetch_data

    ten = datetime(2026, 11, 20, 10, 0, tzinfo=SEOUL)
    with (
        patch("django.utils.timezone.now", lambda: ten + timedelta(minutes=1)),
        patch("kis.sync.run.copy_lists", lambda connection, **how: []),
        patch("kis.sync.run.copy_prices", lambda connection, **how: ()),
        patch("kis.data_fetch.copy_minutes", lambda connection, **how: None),
    ):
        told = fetch_data(intended=ten.isoformat(), minutes=30, opens="08:30", closes="16:00")
    return {"told": told, "runs": SyncRun.objects.count()}


def take_leases(count):
    """Try to take so many leases that are over, and return those that fell to this process."""
    from datetime import UTC, datetime

    from kis.feed_lease import Lease

    now = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
    return {"ours": [number for number in range(int(count)) if Lease(f"key {number}").take(now=now)]}


WORK: dict[str, Callable[..., dict[str, object]]] = {
    "token": ask_for_token,
    "charts": read_charts,
    "turns": take_turns,
    "slots": run_slots,
    "news": hear_of_an_order,
    "fetch": fire_a_slot,
    "leases": take_leases,
}


def work(name, arguments, gate, results):
    try:
        gate.wait(timeout=200)
        results.put(WORK[name](*arguments))
    except Exception as error:  # noqa: BLE001  # whatever went wrong is what the test wants to read
        results.put({"error": f"{type(error).__name__}: {error}"})


def main():
    import django

    name, count, *arguments = sys.argv[1:]
    django.setup()
    # Forked from here, so that a process costs no second start of Django.
    fork = multiprocessing.get_context("fork")
    gate, results = fork.Barrier(int(count)), fork.Queue()
    how: dict[str, Any] = {"args": (name, arguments, gate, results), "daemon": True}  # none outlives this one
    processes = [fork.Process(target=work, **how) for _ in range(int(count))]
    for process in processes:
        process.start()
    for _ in processes:
        print(json.dumps(results.get(timeout=300)))
    for process in processes:
        process.join()


if __name__ == "__main__":
    main()
