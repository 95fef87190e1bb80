"""Generated days of orders, with looks and notices in between: the books equal the simulator's own ledger."""

import random
from datetime import timedelta

import pytest

from kis.models import KisExecution, KisOrderDetail
from kis.sync import sync_account
from kis.sync.order_news import apply_notice
from tests.kis.syncing import (
    SAMSUNG,
    TEN,
    Broker,
    Desk,
    connection_to,
    leave_out_the_market,
    notices_of,
)

HYNIX = "000660"
DEEDS = ("buy", "sell", "phone", "amend", "part", "cancel", "fill", "look")
STEPS = 25


@pytest.fixture(autouse=True)
def books_only(monkeypatch):
    leave_out_the_market(monkeypatch)


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["real", "paper"])
@pytest.mark.parametrize("seed", [1, 2])
def test_generated_days_end_as_the_broker_has_them(start_simulator, client_of, mode, seed):
    rng = random.Random(seed)
    simulator = start_simulator()
    side = getattr(simulator, mode)
    broker, caller = Broker(side.url), client_of(side)
    broker.account(deposit=500_000_000, _005930=(1000, 60_000), _000660=(500, 200_000))
    with connection_to(simulator, mode) as connection:
        look(connection)
        for passed in (0, 3, 4):  # Friday, Monday, Tuesday
            day = TEN + timedelta(days=passed)
            if passed:
                broker.clock(day)
            caller.token = ""
            with notices_of(simulator, mode) as told:
                live_a_day(rng, Desk(broker, caller), day, told=told, connection=connection)
            for moment in (day + timedelta(hours=1), day.replace(hour=15, minute=45)):
                broker.clock(moment)
                look(connection)
                assert_equal(simulator, mode)


def look(connection):
    run = sync_account(connection)
    assert [check for check in run.checks if check["difference"]] == []


def live_a_day(rng, desk, day, *, told, connection):
    """Do as customers do; some of the notices are lost, some come twice."""
    environment = connection.environment
    for minute in range(1, STEPS):
        desk.broker.clock(day + timedelta(minutes=minute, seconds=rng.randrange(50)))
        act(rng, desk, rng.choice(DEEDS), connection)
        for notice in told:
            for _ in range(rng.choice((0, 1, 1, 1, 2))):
                apply_notice(environment, notice, at=day)
        told.clear()


def act(rng, desk, deed, connection):
    waiting = [
        order
        for order in desk.broker.get("orders")
        if order["open"] and order["account"] == desk.caller.endpoint.account
    ]
    order = rng.choice(waiting) if waiting else None
    if deed == "buy":
        desk.buy(rng.randrange(1, 20))
    elif deed == "sell":
        desk.trade("sell", rng.randrange(1, 9), code=rng.choice([SAMSUNG, HYNIX]))
    elif deed == "phone":
        body = {"side": "buy", "code": SAMSUNG, "qty": 5, "price": desk.waiting}
        desk.broker.post("external-order", body)
    elif deed == "look":
        look(connection)
    elif order and deed == "amend":
        desk.amend(order["odno"], lower=rng.randrange(1, 5))
    elif order and deed == "part" and order["remaining"] > 1:
        part = {"QTY_ALL_ORD_YN": "N", "ORD_QTY": str(rng.randrange(1, order["remaining"]))}
        desk.amend(order["odno"], lower=2, **part)
    elif order and deed == "cancel":
        desk.cancel(order["odno"])
    elif order and deed == "fill":
        desk.broker.fill(order["odno"], rng.randrange(1, order["remaining"] + 1))


def assert_equal(simulator, mode):
    """Every order, its state and its chain, every fill and its costs are those of the simulated broker."""
    exchange = simulator.exchange
    theirs = {(order.day, order.number): order for order in exchange.accounts[mode].orders}
    ours = {(row.ord_dt, int(row.odno)): row for row in KisOrderDetail.objects.all()}
    assert ours.keys() == theirs.keys()
    for key, order in theirs.items():
        row = ours[key]
        assert (row.ord_qty, row.tot_ccld_qty, row.rmn_qty, row.cncl_cfrm_qty) == (
            order.quantity,
            order.filled,
            order.remaining,
            order.cancelled,
        )
        assert row.status == state_of(order, theirs.values(), simulator.now())
        first = order
        while first.origin:
            first = theirs[first.day, first.origin]
        assert int(KisOrderDetail.objects.chain_of(row)[0].odno) == first.number
    for fill in KisExecution.objects.all():
        order = theirs[fill.exec_dt, int(fill.odno)]
        costs = exchange.costs(order, order.amount)
        assert (fill.exec_qty, fill.exec_amt, fill.costs.total) == (
            order.filled,
            order.amount,
            costs,
        )


def state_of(order, orders, now):
    if order.remaining:
        if not order.is_open(now):
            return "lapsed"
        return "partial" if order.filled else "accepted"
    if order.action == "cancel":
        return "cancelled"
    if order.filled == order.quantity:
        return "filled"
    changes = [other for other in orders if (other.day, other.origin) == (order.day, order.number)]
    last = max(changes, key=lambda change: (change.placed_at, change.number))
    return "amended" if last.action == "amend" else "cancelled"
