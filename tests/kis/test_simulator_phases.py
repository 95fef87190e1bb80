"""Sessions follow the date: phases and order divisions before and after 2026-09-14 (kis-api.md sections 7.3, 12.3)."""

from datetime import datetime, time

import pytest

from kis.simulator.hours import KST
from kis.simulator.phases import Phase, phase_of

FRIDAY_BEFORE, MONDAY_AFTER = "2026-09-11", "2026-09-14"
PRICED = {"00", "02", "07", "27", "41", "42", "43"}


def moment(day, clock):
    return datetime.fromisoformat(f"{day}T{clock}:00").replace(tzinfo=KST)


@pytest.mark.parametrize(
    ("clock", "before", "after"),
    [
        ("08:00", Phase.BEFORE, Phase.BEFORE),
        ("08:30", Phase.OPENING_AUCTION, Phase.OPENING_AUCTION),
        ("09:00", Phase.REGULAR, Phase.REGULAR),
        ("15:19", Phase.REGULAR, Phase.REGULAR),
        ("15:20", Phase.CLOSING_AUCTION, Phase.CLOSING_AUCTION),
        ("15:30", Phase.AFTER_HOURS, Phase.AFTER_HOURS),
        ("16:00", Phase.SINGLE_PRICE, Phase.AFTER_MARKET),
        ("18:00", Phase.OVER, Phase.AFTER_MARKET),
        ("20:00", Phase.OVER, Phase.OVER),
    ],
)
def test_the_exchange_trades_until_eight_since_the_switch(clock, before, after):
    assert phase_of(moment(FRIDAY_BEFORE, clock)) is before
    assert phase_of(moment(MONDAY_AFTER, clock)) is after


@pytest.mark.parametrize(
    ("clock", "phase"),
    [
        ("07:59", Phase.BEFORE),
        ("08:00", Phase.PRE_MARKET),
        ("08:50", Phase.BEFORE),
        ("09:01", Phase.REGULAR),
        ("15:25", Phase.BEFORE),
        ("15:45", Phase.AFTER_MARKET),
        ("20:00", Phase.OVER),
    ],
)
def test_nextrade_has_its_own_hours(clock, phase):
    assert phase_of(moment(MONDAY_AFTER, clock), "NXT") is phase
    assert phase_of(moment("2025-03-03", clock), "NXT") is Phase.CLOSED


def test_holidays_are_closed_days():
    assert phase_of(moment("2026-09-13", "10:00")) is Phase.CLOSED
    assert phase_of(moment("2026-09-25", "10:00")) is Phase.CLOSED  # Chuseok


@pytest.fixture
def order_at(start_simulator, client_of):
    """Return what places one buy order at a moment: (msg_cd, msg1)."""

    def place(day, clock, *, mode="real", price=None, **changes):
        simulator = start_simulator(clock=moment(day, clock))
        client = client_of(getattr(simulator, mode))
        quote = simulator.exchange.market.quote("005930", simulator.now())
        kind = changes.get("ORD_DVSN", "00")
        wish = quote.price if price is None else price
        reply = client.order("buy", ORD_UNPR=str(wish if kind in PRICED else 0), **changes)
        return reply.json()["msg_cd"]

    return place


@pytest.mark.parametrize(
    ("clock", "kind", "before", "after"),
    [
        ("07:30", "00", "APBK0918", "APBK0918"),
        ("08:31", "00", "APBK0013", "APBK0013"),
        ("08:31", "05", "APBK0013", "APBK0013"),
        ("08:45", "05", "APBK0918", "APBK0918"),
        ("08:45", "03", "APBK0918", "APBK0918"),
        ("10:00", "13", "APBK0013", "APBK0013"),
        ("10:00", "41", "APBK0918", "APBK0918"),
        ("15:25", "00", "APBK0013", "APBK0013"),
        ("15:25", "11", "APBK0918", "APBK0918"),
        ("15:45", "00", "APBK0918", "APBK0918"),
        ("15:45", "06", "APBK0013", "APBK0013"),
        ("16:30", "07", "APBK0013", "APBK3013"),
        ("16:30", "41", "APBK0918", "APBK0013"),
        ("16:30", "44", "APBK0918", "APBK0013"),
        ("16:30", "01", "APBK0918", "APBK3013"),
        ("19:59", "47", "APBK0918", "APBK0013"),
        ("20:01", "41", "APBK0918", "APBK0918"),
        ("10:00", "99", "APBK0963", "APBK0963"),
    ],
)
def test_order_divisions_of_each_phase(order_at, clock, kind, before, after):
    assert order_at(FRIDAY_BEFORE, clock, ORD_DVSN=kind) == before
    assert order_at(MONDAY_AFTER, clock, ORD_DVSN=kind) == after


@pytest.mark.parametrize(
    ("clock", "code"),
    [
        ("08:59", "40570000"),
        ("09:00", "40600000"),
        ("15:29", "40600000"),
        ("15:31", "40580000"),
        ("16:30", "40580000"),
    ],
)
def test_paper_trades_in_the_regular_session_only(order_at, clock, code):
    assert order_at(MONDAY_AFTER, clock, mode="paper") == code


def test_paper_takes_the_exchange_and_plain_kinds_only(order_at):
    assert order_at(MONDAY_AFTER, "10:00", mode="paper", ORD_DVSN="11") == "90000000"
    for venue in ("NXT", "SOR"):
        assert order_at(MONDAY_AFTER, "10:00", mode="paper", EXCG_ID_DVSN_CD=venue) == "90000000"


def test_closed_days_are_refused_in_the_words_of_the_host(order_at):
    assert order_at("2026-09-13", "10:00") == "APBK0919"
    assert order_at("2026-09-13", "10:00", mode="paper") == "40100000"


def test_nextrade_takes_orders_before_and_after_the_exchange(order_at):
    assert order_at(MONDAY_AFTER, "08:10", EXCG_ID_DVSN_CD="NXT") == "APBK0013"
    assert order_at(MONDAY_AFTER, "08:10", EXCG_ID_DVSN_CD="NXT", ORD_DVSN="27") == "APBK0013"
    assert order_at(MONDAY_AFTER, "08:10", EXCG_ID_DVSN_CD="NXT", ORD_DVSN="01") == "APBK0918"
    assert order_at(MONDAY_AFTER, "10:00", EXCG_ID_DVSN_CD="SOR", ORD_DVSN="01") == "APBK0013"
    assert order_at(MONDAY_AFTER, "15:50", EXCG_ID_DVSN_CD="SOR") == "APBK0013"


def test_funds_are_not_traded_in_the_after_market(start_simulator, client_of):
    simulator = start_simulator(clock=moment(MONDAY_AFTER, "16:30"))
    price = simulator.exchange.market.quote("069500", simulator.now()).price

    reply = client_of(simulator.real).order("buy", PDNO="069500", ORD_DVSN="41", ORD_UNPR=str(price)).json()

    assert (reply["rt_cd"], reply["msg_cd"]) == ("7", "APBK0918")


def test_price_follows_the_after_market_and_the_balance_stays_at_the_close(start_simulator):
    simulator = start_simulator(clock=moment(MONDAY_AFTER, "16:00"))
    market, evening = simulator.exchange.market, moment(MONDAY_AFTER, "19:00")
    close = market.bar("005930", evening.date()).close

    prices = {market.quote("005930", evening.replace(minute=minute)).price for minute in range(60)}

    assert prices != {close}
    assert all(abs(price / close - 1) < 0.05 for price in prices)
    assert market.quote("005930", evening, regular=True).price == close
    assert market.quote("069500", evening).price == market.bar("069500", evening.date()).close


def test_no_price_moves_in_the_evening_before_the_switch(start_simulator):
    market = start_simulator().exchange.market
    evening = moment(FRIDAY_BEFORE, "19:00")

    assert market.quote("005930", evening).price == market.bar("005930", evening.date()).close


def test_regular_orders_do_not_carry_over_into_the_evening(start_simulator, client_of):
    simulator = start_simulator(clock=moment(MONDAY_AFTER, "15:00"))
    client = client_of(simulator.real)
    lowest, _ = simulator.exchange.market.quote("005930", simulator.now()).limits
    number = client.order("buy", ORD_UNPR=str(lowest)).json()["output"]["ODNO"]
    day = {"start": "20260914", "end": "20260914"}
    assert number in {row["odno"] for row in client.open_orders().json()["output"]}

    client.control("clock", {"now": f"{MONDAY_AFTER}T15:30:00+09:00"})

    assert number not in {row["odno"] for row in client.open_orders().json()["output"]}
    row = client.orders(ODNO=number, **day).json()["output1"][0]
    assert (row["tot_ccld_qty"], row["rmn_qty"]) == ("0", "1")
    assert time(15, 0) == datetime.strptime(row["ord_tmd"], "%H%M%S").time()  # noqa: DTZ007  # a time of day
