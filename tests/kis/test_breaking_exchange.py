"""Rules of the exchange that an order could once slip past."""

from datetime import datetime

import pytest

from kis.simulator.hours import KST

CODE = "005930"


def friday(clock):
    return datetime.fromisoformat(f"2026-11-20T{clock}+09:00").astimezone(KST)


def number_of(reply):
    body = reply.json()
    assert body["rt_cd"] == "0", body
    return body["output"]["ODNO"]


def row_of(client, number):
    [row] = client.orders(ODNO=number).json()["output1"]
    return row


@pytest.fixture
def trade_at(start_simulator, client_of):
    """Return a function that starts a market at a time of day: the simulator, and a caller of its real host."""

    def start(clock):
        simulator = start_simulator(clock=friday(clock))
        return simulator, client_of(simulator.real)

    return start


def test_sleeping_stop_order_takes_no_part_in_the_closing_auction(trade_at):
    simulator, client = trade_at("15:15:00")
    _, highest = simulator.exchange.market.quote(CODE, simulator.now()).limits
    number = number_of(
        client.order("buy", ORD_DVSN="22", ORD_UNPR=str(highest), CNDT_PRIC=str(highest), ORD_QTY="2")
    )

    client.control("clock", {"now": "2026-11-20T15:30:00+09:00"})

    close = simulator.exchange.market.bar(CODE, simulator.now().date()).close
    assert close < highest
    assert row_of(client, number)["tot_ccld_qty"] == "0"


def test_conditional_order_keeps_its_limit_in_the_opening_auction(trade_at):
    simulator, client = trade_at("08:45:00")
    opening = simulator.exchange.market.bar(CODE, simulator.now().date()).open
    number = number_of(client.order("buy", ORD_DVSN="02", ORD_UNPR=str(opening - 5_000)))

    client.control("clock", {"now": "2026-11-20T09:00:00+09:00"})

    assert row_of(client, number)["tot_ccld_qty"] == "0"
