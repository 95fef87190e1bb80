"""Rules of the exchange that an order could once slip past."""

from datetime import date, datetime, time

import pytest

from kis.simulator.hours import KST, at
from kis.simulator.listings import Listing
from kis.simulator.market import Market
from kis.simulator.prices import Bar, on_tick

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


def test_conditional_order_cannot_end_beyond_the_cash(trade_at):
    simulator, client = trade_at("15:10:00")
    lowest, highest = simulator.exchange.market.quote(CODE, simulator.now()).limits
    client.control("account", {"deposit": highest * 10, "positions": []})

    refused = client.order("buy", ORD_DVSN="02", ORD_UNPR=str(lowest), ORD_QTY="10").json()
    asked = client.buying_power(ORD_DVSN="02", ORD_UNPR=str(lowest)).json()["output"]
    number_of(client.order("buy", ORD_DVSN="02", ORD_UNPR=str(lowest), ORD_QTY=asked["nrcvb_buy_qty"]))
    client.control("clock", {"now": "2026-11-20T15:30:00+09:00"})

    assert (refused["msg_cd"], asked["nrcvb_buy_qty"]) == ("APBK0952", "9")
    [account] = [each for each in client.control("state").json()["accounts"] if each["mode"] == "real"]
    assert account["positions"][0]["qty"] == 9
    assert account["cash"]["d2"] >= 0


def test_best_price_order_is_counted_at_what_it_is_held_against(trade_at):
    simulator, client = trade_at("10:00:00")
    _, highest = simulator.exchange.market.quote(CODE, simulator.now()).limits
    client.control("account", {"deposit": highest * 10, "positions": []})

    quantity = int(client.buying_power(ORD_DVSN="03").json()["output"]["nrcvb_buy_qty"])

    assert client.order("buy", ORD_DVSN="03", ORD_QTY=str(quantity + 1)).json()["msg_cd"] == "APBK0952"
    number_of(client.order("buy", ORD_DVSN="03", ORD_QTY=str(quantity)))


def test_market_order_above_the_limits_is_held_against_its_price(trade_at):
    """A price set by hand may lie anywhere; cash must not."""
    simulator, client = trade_at("10:00:00")
    _, highest = simulator.exchange.market.quote(CODE, simulator.now()).limits
    client.control("account", {"deposit": highest * 2, "positions": []})
    client.control("price", {"code": CODE, "price": highest * 3})

    assert client.order("buy", ORD_DVSN="01").json()["msg_cd"] == "APBK0952"


def test_stop_order_without_a_trigger_is_refused(trade_at):
    simulator, client = trade_at("10:00:00")
    price = simulator.exchange.market.quote(CODE, simulator.now()).price
    reply = client.order("buy", ORD_DVSN="22", ORD_UNPR=str(price)).json()
    assert (reply["rt_cd"], reply["msg_cd"]) == ("7", "APBK0506")


def test_money_behind_an_open_order_cannot_be_taken_out(trade_at):
    simulator, client = trade_at("10:00:00")
    lowest, _ = simulator.exchange.market.quote(CODE, simulator.now()).limits
    client.control("account", {"deposit": lowest * 11, "positions": []})
    number_of(client.order("buy", ORD_UNPR=str(lowest), ORD_QTY="10"))

    refused = client.control("deposit", {"amount": -2 * lowest})
    client.control("price", {"code": CODE, "price": lowest})

    assert refused.status_code == 400
    [account] = [each for each in client.control("state").json()["accounts"] if each["mode"] == "real"]
    assert account["cash"]["d2"] >= 0


@pytest.mark.parametrize("action", ["", "1", "03", "취소"])
def test_change_that_is_neither_amendment_nor_cancellation_changes_nothing(trade_at, action):
    simulator, client = trade_at("10:00:00")
    price = simulator.exchange.market.quote(CODE, simulator.now()).price
    number = number_of(client.order("buy", ORD_UNPR=str(price - 2_000)))

    refused = client.change(number, RVSE_CNCL_DVSN_CD=action).json()

    assert (refused["rt_cd"], refused["msg_cd"]) == ("2", "OPSQ2001")
    assert "RVSE_CNCL_DVSN_CD" in refused["msg1"]
    assert row_of(client, number)["rmn_qty"] == "1"


def test_smart_routing_does_not_take_a_fund_to_the_second_exchange(trade_at):
    simulator, client = trade_at("16:30:00")
    fund = {"PDNO": "069500", "EXCG_ID_DVSN_CD": "SOR"}
    price = simulator.exchange.market.quote("069500", simulator.now()).price
    assert client.order("buy", ORD_UNPR=str(price), **fund).json()["msg_cd"] == "APBK0918"


def test_evening_auctions_stayed_within_a_tenth_of_the_close(start_simulator, client_of):
    simulator = start_simulator(clock=datetime(2026, 9, 11, 16, 30, tzinfo=KST))
    client = client_of(simulator.real)
    close = simulator.exchange.market.quote(CODE, simulator.now()).price
    prices = [on_tick(close * share) for share in (0.8, 0.92)]
    replies = [client.order("buy", ORD_DVSN="07", ORD_UNPR=str(price)).json() for price in prices]
    assert [reply["msg_cd"] for reply in replies] == ["APBK0506", "APBK0013"]


def test_evening_walk_stays_within_the_limits_of_the_day():
    """After a day that closed at its upper limit the after-market used to go beyond it."""
    day = date(2026, 11, 20)
    yesterday = Bar(date(2026, 11, 19), 10_000, 10_000, 10_000, 10_000, 1_000)
    at_the_limit = Bar(day, 10_000, 13_000, 10_000, 13_000, 1_000)
    listing = Listing("000001", "상한가", "KOSPI", "제조")
    market = Market(
        listings=[listing], recorded={listing.code: [yesterday, at_the_limit]}, seed=1, last_recorded_day=day
    )
    evening = [market.quote(listing.code, at(day, time(16, minute))).price for minute in range(60)]
    assert max(evening) == 13_000
