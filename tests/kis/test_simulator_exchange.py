"""What becomes of an order: matching, amending, cancelling, and what it does to cash and shares."""

from contextlib import suppress
from datetime import datetime

import pytest
import requests

from kis.simulator.hours import KST

CODE = "005930"


def friday(clock):
    return datetime.fromisoformat(f"2026-11-20T{clock}+09:00").astimezone(KST)


def number_of(reply):
    body = reply.json()
    assert body["rt_cd"] == "0", body
    return body["output"]["ODNO"]


def row_of(client, number):
    rows = client.orders(ODNO=number).json()["output1"]
    assert len(rows) == 1
    return rows[0]


def filled(client, number):
    return int(row_of(client, number)["tot_ccld_qty"])


def quote(simulator, code=CODE):
    return simulator.exchange.market.quote(code, simulator.now())


@pytest.fixture
def rich(simulator, real):
    """Give the real account cash and shares enough for large orders."""
    positions = [{"code": CODE, "qty": 100_000, "avg": 50_000}]
    assert real.control("account", {"deposit": 10**12, "positions": positions}).status_code == 200
    return real


def test_market_order_sweeps_the_book_level_by_level(simulator, rich):
    asks = simulator.exchange.depth(CODE, simulator.now()).asks
    wanted = asks[0].quantity + asks[1].quantity + 1

    number = number_of(rich.order("buy", ORD_DVSN="01", ORD_QTY=str(wanted)))

    row = row_of(rich, number)
    paid = asks[0].quantity * asks[0].price + asks[1].quantity * asks[1].price + asks[2].price
    assert (row["tot_ccld_qty"], row["tot_ccld_amt"], row["rmn_qty"]) == (str(wanted), str(paid), "0")
    assert float(row["avg_prvs"]) == pytest.approx(paid / wanted, abs=0.0001)
    left = simulator.exchange.depth(CODE, simulator.now()).asks
    assert (left[0].price, left[0].quantity) == (asks[2].price, asks[2].quantity - 1)


def test_limit_order_takes_what_its_price_reaches_and_rests_in_the_book(simulator, rich):
    asks = simulator.exchange.depth(CODE, simulator.now()).asks
    limit = asks[1].price
    reachable = asks[0].quantity + asks[1].quantity

    number = number_of(rich.order("buy", ORD_QTY=str(reachable + 5000), ORD_UNPR=str(limit)))

    assert filled(rich, number) == reachable
    bids = simulator.exchange.depth(CODE, simulator.now()).bids
    assert (bids[0].price, bids[0].quantity) == (limit, 5000)


def test_resting_order_trades_in_parts_while_the_price_touches_it(simulator, rich):
    market, now = simulator.exchange.market, simulator.now()
    later = friday("15:19:50")
    prints = list(market.prints(CODE, now, later))
    lowest = min(traded.price for traded in prints)
    touches = [traded for traded in prints if traded.price == lowest]
    number = number_of(rich.order("buy", ORD_QTY="90000", ORD_UNPR=str(lowest)))
    assert filled(rich, number) == 0

    seen = []
    for traded in touches[:3]:
        rich.control("clock", {"now": traded.at.isoformat()})
        seen.append(filled(rich, number))

    assert seen == sorted(set(seen))
    assert 0 < seen[0] < 90_000
    assert row_of(rich, number)["avg_prvs"] == str(lowest)


def test_resting_order_trades_whole_when_the_price_passes_through_it(simulator, rich):
    base = quote(simulator).price
    limit = base - 1_000
    number = number_of(rich.order("buy", ORD_QTY="90000", ORD_UNPR=str(limit)))

    rich.control("price", {"code": CODE, "price": limit - 500})

    assert row_of(rich, number)["avg_prvs"] == str(limit)
    assert filled(rich, number) == 90_000


def test_orders_before_the_opening_cross_at_the_opening_price(start_simulator, client_of):
    simulator = start_simulator(clock=friday("08:45:00"))
    client = client_of(simulator.real)
    opening = simulator.exchange.market.bar(CODE, simulator.now().date()).open
    market_order = number_of(client.order("buy", ORD_DVSN="01"))
    dear = number_of(client.order("buy", ORD_UNPR=str(opening + 1_000)))
    cheap = number_of(client.order("buy", ORD_UNPR=str(opening - 5_000)))
    assert [filled(client, number) for number in (market_order, dear, cheap)] == [0, 0, 0]

    client.control("clock", {"now": "2026-11-20T09:00:00+09:00"})

    assert [row_of(client, number)["avg_prvs"] for number in (market_order, dear)] == [str(opening)] * 2
    assert filled(client, cheap) == 0


def test_orders_of_the_closing_auction_cross_at_the_close(start_simulator, client_of):
    simulator = start_simulator(clock=friday("15:24:00"))
    client = client_of(simulator.real)
    close = simulator.exchange.market.bar(CODE, simulator.now().date()).close
    at_market = number_of(client.order("buy", ORD_DVSN="01"))
    too_cheap = number_of(client.order("buy", ORD_UNPR=str(close - 5_000)))
    assert filled(client, at_market) == 0

    client.control("clock", {"now": "2026-11-20T15:30:00+09:00"})

    assert row_of(client, at_market)["avg_prvs"] == str(close)
    assert filled(client, too_cheap) == 0


def test_conditional_order_becomes_a_market_order_in_the_closing_auction(start_simulator, client_of):
    simulator = start_simulator(clock=friday("15:10:00"))
    client = client_of(simulator.real)
    lowest, _ = quote(simulator).limits
    conditional = number_of(client.order("buy", ORD_DVSN="02", ORD_UNPR=str(lowest)))

    client.control("clock", {"now": "2026-11-20T15:31:00+09:00"})

    close = simulator.exchange.market.bar(CODE, simulator.now().date()).close
    assert row_of(client, conditional)["avg_prvs"] == str(close)


def test_immediate_or_cancel_leaves_nothing_behind(simulator, rich):
    ask = simulator.exchange.depth(CODE, simulator.now()).asks[0]

    number = number_of(
        rich.order("buy", ORD_DVSN="11", ORD_QTY=str(ask.quantity + 50_000), ORD_UNPR=str(ask.price))
    )

    row = row_of(rich, number)
    assert int(row["tot_ccld_qty"]) + int(row["cncl_cfrm_qty"]) == ask.quantity + 50_000
    assert int(row["tot_ccld_qty"]) >= ask.quantity
    assert (row["rmn_qty"], row["ccld_cndt_name"]) == ("0", "IOC")


def test_fill_or_kill_takes_all_or_nothing(simulator, rich):
    ask = simulator.exchange.depth(CODE, simulator.now()).asks[0]

    too_many = number_of(rich.order("buy", ORD_DVSN="12", ORD_QTY="90000", ORD_UNPR=str(ask.price)))
    few = number_of(rich.order("buy", ORD_DVSN="12", ORD_QTY="3", ORD_UNPR=str(ask.price)))

    assert (filled(rich, too_many), row_of(rich, too_many)["cncl_cfrm_qty"]) == (0, "90000")
    assert filled(rich, few) == 3


def test_best_price_orders_take_their_price_from_the_book(simulator, rich):
    depth = simulator.exchange.depth(CODE, simulator.now())

    best = number_of(rich.order("sell", ORD_DVSN="03", ORD_QTY="1"))
    first = number_of(rich.order("sell", ORD_DVSN="04", ORD_QTY="90000"))

    assert row_of(rich, best)["ord_unpr"] == str(depth.bids[0].price)
    assert filled(rich, best) == 1
    assert row_of(rich, first)["ord_unpr"] == str(depth.asks[0].price)


def test_stop_order_sleeps_until_its_trigger_is_traded(simulator, rich):
    price = quote(simulator).price
    trigger = price + 1_000
    number = number_of(
        rich.order("buy", ORD_DVSN="22", ORD_UNPR=str(trigger + 500), CNDT_PRIC=str(trigger), ORD_QTY="2")
    )
    assert filled(rich, number) == 0
    assert (
        next(r for r in rich.open_orders().json()["output"] if r["odno"] == number)["stpm_efct_occr_yn"]
        == "N"
    )

    rich.control("price", {"code": CODE, "price": trigger})

    assert filled(rich, number) == 2


def test_closing_price_orders_trade_at_the_close_they_are_for(start_simulator, client_of):
    simulator = start_simulator(clock=friday("08:35:00"))
    client = client_of(simulator.real)
    bars = simulator.exchange.market.bars(
        CODE, friday("00:00:00").date().replace(day=19), friday("00:00:00").date()
    )
    before = number_of(client.order("buy", ORD_DVSN="05"))
    assert row_of(client, before)["avg_prvs"] == str(bars[0].close)

    client.control("clock", {"now": "2026-11-20T15:35:00+09:00"})
    after = number_of(client.order("buy", ORD_DVSN="06"))
    assert filled(client, after) == 0
    client.control("clock", {"now": "2026-11-20T15:40:00+09:00"})

    assert row_of(client, after)["avg_prvs"] == str(bars[1].close)


def test_amending_moves_the_rest_to_a_new_number(simulator, real):
    price = quote(simulator).price
    number = number_of(real.order("buy", ORD_QTY="10", ORD_UNPR=str(price - 2_000)))
    real.control("fill", {"odno": number, "qty": 4})

    amended = number_of(real.change(number, cancel=False, ORD_UNPR=str(price - 1_500)))

    old, new = row_of(real, number), row_of(real, amended)
    assert int(amended) > int(number)
    assert (old["tot_ccld_qty"], old["rmn_qty"]) == ("4", "0")
    assert (new["orgn_odno"], new["ord_qty"], new["ord_unpr"], new["rmn_qty"]) == (
        number,
        "6",
        str(price - 1_500),
        "6",
    )
    open_numbers = {row["odno"] for row in real.open_orders().json()["output"]}
    assert amended in open_numbers
    assert number not in open_numbers
    assert real.change(number).json()["msg_cd"] == "APBK0927"


def test_amending_a_part_leaves_the_other_part_where_it_was(simulator, real):
    price = quote(simulator).price
    number = number_of(real.order("buy", ORD_QTY="10", ORD_UNPR=str(price - 2_000)))

    amended = number_of(
        real.change(number, cancel=False, ORD_QTY="3", QTY_ALL_ORD_YN="N", ORD_UNPR=str(price - 1_500))
    )

    assert (row_of(real, number)["rmn_qty"], row_of(real, amended)["rmn_qty"]) == ("7", "3")


def test_refused_amendment_changes_nothing(simulator, real):
    price = quote(simulator).price
    number = number_of(real.order("buy", ORD_QTY="10", ORD_UNPR=str(price - 2_000)))
    before = row_of(real, number)
    power = real.buying_power().json()["output"]

    for changes in (
        {"ORD_UNPR": str(price - 1_501)},
        {"ORD_UNPR": str(price * 2)},
        {"ORD_QTY": "11", "QTY_ALL_ORD_YN": "N"},
    ):
        assert real.change(number, cancel=False, **changes).json()["rt_cd"] == "7"

    assert row_of(real, number) == before
    assert real.buying_power().json()["output"] == power


def test_cancelling_takes_back_the_rest_and_frees_the_cash(simulator, real):
    price = quote(simulator).price
    free = real.buying_power().json()["output"]["nrcvb_buy_amt"]
    number = number_of(real.order("buy", ORD_QTY="20", ORD_UNPR=str(price - 2_000)))
    assert int(real.buying_power().json()["output"]["nrcvb_buy_amt"]) < int(free) - 19 * (price - 2_000)

    request = number_of(real.change(number.lstrip("0")))

    assert real.buying_power().json()["output"]["nrcvb_buy_amt"] == free
    row, cancellation = row_of(real, number), row_of(real, request)
    assert (row["rmn_qty"], row["cncl_cfrm_qty"]) == ("0", "20")
    assert (cancellation["orgn_odno"], cancellation["tot_ccld_qty"], cancellation["rmn_qty"]) == (
        number,
        "0",
        "0",
    )
    assert real.change(number).json()["msg_cd"] == "APBK0927"
    assert real.change("999999").json()["msg_cd"] == "APBK0927"
    taken = [order["odno"] for order in real.control("orders").json()]
    assert number in taken
    assert request not in taken


def test_paper_speaks_its_own_codes(simulator, paper):
    price = quote(simulator).price
    reply = paper.order("buy", ORD_UNPR=str(price - 2_000)).json()
    assert (reply["rt_cd"], reply["msg_cd"], reply["output"]["KRX_FWDG_ORD_ORGNO"]) == (
        "0",
        "40600000",
        "00950",
    )
    assert paper.change(reply["output"]["ODNO"]).json()["msg_cd"] == "40630000"
    assert paper.change(reply["output"]["ODNO"]).json()["msg_cd"] == "40330000"
    assert paper.change("999999").json()["msg_cd"] == "40320000"
    codes = [
        paper.order("buy", ORD_UNPR=str(price - 1)).json()["msg_cd"],
        paper.order("buy", ORD_UNPR=str(price * 2 // 1000 * 1000)).json()["msg_cd"],
        paper.order("buy", ORD_UNPR=str(price), ORD_QTY="1000000").json()["msg_cd"],
        paper.order("sell", PDNO="000660", ORD_DVSN="01").json()["msg_cd"],
        paper.order("buy", PDNO="ZZZZ99", ORD_UNPR="1000").json()["msg_cd"],
    ]
    assert codes == ["40030000", "40270000", "40250000", "40240000", "40070000"]


def test_sell_orders_hold_back_shares(simulator, real):
    held = next(row for row in real.balance().json()["output1"] if row["pdno"] == CODE)
    can_sell = int(held["ord_psbl_qty"])
    price = quote(simulator).price + 3_000

    number_of(real.order("sell", ORD_QTY=str(can_sell), ORD_UNPR=str(price)))

    assert next(r for r in real.balance().json()["output1"] if r["pdno"] == CODE)["ord_psbl_qty"] == "0"
    assert real.order("sell", ORD_UNPR=str(price)).json()["msg_cd"] == "APBK0400"


def test_market_buy_is_margined_at_the_upper_limit(simulator, real):
    _, upper = quote(simulator).limits
    cash = int(real.buying_power(ORD_DVSN="01").json()["output"]["nrcvb_buy_amt"])

    assert real.order("buy", ORD_DVSN="01", ORD_QTY=str(cash // upper + 1)).json()["msg_cd"] == "APBK0952"
    assert real.order("buy", ORD_DVSN="01", ORD_QTY=str(cash // upper)).json()["rt_cd"] == "0"


def test_cash_of_a_trade_arrives_two_business_days_later(real):
    real.control("account", {"deposit": 10_000_000, "positions": []})
    number = number_of(real.order("buy", ORD_DVSN="01", ORD_QTY="10"))
    spent = int(row_of(real, number)["tot_ccld_amt"])

    def ladder():
        totals = real.balance().json()["output2"][0]
        return [int(totals[name]) for name in ("dnca_tot_amt", "nxdy_excc_amt", "prvs_rcdl_excc_amt")]

    today = ladder()
    left = today[2]
    assert today[:2] == [10_000_000] * 2
    assert 0 < 10_000_000 - spent - left < spent // 1000  # the commission
    real.control("clock", {"now": "2026-11-23T10:00:00+09:00"})
    assert ladder() == [10_000_000, left, left]
    real.control("clock", {"now": "2026-11-24T10:00:00+09:00"})
    assert ladder() == [left] * 3


def test_order_numbers_start_again_each_day(real):
    today = int(number_of(real.order("buy", ORD_DVSN="01")))
    real.control("clock", {"now": "2026-11-23T10:00:00+09:00"})
    tomorrow = int(number_of(real.order("buy", ORD_DVSN="01")))
    assert tomorrow <= 60 < today


def test_every_event_of_an_order_is_noticed(simulator, real):
    noticed = []
    price = quote(simulator).price
    with simulator.exchange.lock:
        simulator.exchange.on_notice.append(
            lambda n: noticed.append((n.event, n.order.action, n.quantity, n.price))
        )

    number = number_of(real.order("buy", ORD_QTY="5", ORD_UNPR=str(price - 2_000)))
    real.control("fill", {"odno": number, "qty": 2})
    number = number_of(real.change(number, cancel=False, ORD_UNPR=str(price - 1_500)))
    real.change(number)

    assert noticed == [
        ("accepted", "order", 5, price - 2_000),
        ("filled", "order", 2, price - 2_000),
        ("accepted", "amend", 3, price - 1_500),
        ("confirmed", "amend", 3, price - 1_500),
        ("accepted", "cancel", 3, 0),
        ("confirmed", "cancel", 3, 0),
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"CANO": {}}'])
def test_unreadable_order_is_refused_and_not_taken(real, body):
    before = real.control("orders").json()
    url = f"{real.endpoint.url}/uapi/domestic-stock/v1/trading/order-cash"
    reply = requests.post(url, data=body, headers=real.headers("TTTC0012U"), timeout=60)
    assert (reply.status_code, reply.json()["rt_cd"]) == (200, "2")
    assert real.control("orders").json() == before


@pytest.mark.parametrize(
    "wrong",
    [{"ORD_QTY": "0"}, {"ORD_QTY": "-1"}, {"ORD_QTY": "1.5"}, {"ORD_UNPR": "x"}, {"EXCG_ID_DVSN_CD": "MARS"}],
)
def test_nonsense_in_an_order_names_the_field(real, wrong):
    reply = real.order("buy", **{"ORD_UNPR": "57200", **wrong}).json()
    assert (reply["rt_cd"], reply["msg_cd"]) == ("2", "OPSQ2001")
    assert next(iter(wrong)) in reply["msg1"]


def test_null_in_an_order_says_nothing(real):
    assert real.order("buy", ORD_DVSN="01", EXCG_ID_DVSN_CD=None, CNDT_PRIC=None).json()["rt_cd"] == "0"


def test_orders_are_posted_and_inquiries_are_not(real):
    url = f"{real.endpoint.url}/uapi/domestic-stock/v1/trading/order-cash"
    assert requests.get(url, headers=real.headers("TTTC0012U"), timeout=60).json()["msg_cd"] == "OPSQ0002"
    wrong = f"{real.endpoint.url}/uapi/domestic-stock/v1/trading/order-rvsecncl"
    assert (
        requests.post(wrong, json={}, headers=real.headers("TTTC0012U"), timeout=60).json()["msg_cd"]
        == "OPSQ0002"
    )


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        ("reset_before", 0),
        ("http_500_before", 0),
        ("rate_limited", 0),
        ("reset_after", 1),
        ("http_500_after", 1),
        ("truncate", 1),
        ("bad_json", 1),
    ],
)
def test_fault_says_before_or_after_the_order_was_taken(real, kind, taken):
    before = len(real.control("orders").json())
    real.headers("")
    real.fault(kind, tr="TTTC0012U")
    with suppress(requests.RequestException, ValueError):
        real.order("buy", ORD_DVSN="01").json()
    assert len(real.control("orders").json()) == before + taken


def test_legacy_ids_place_the_same_orders(simulator, real):
    price = quote(simulator).price
    url = f"{real.endpoint.url}/uapi/domestic-stock/v1/trading"
    body = {
        "CANO": "12345678",
        "ACNT_PRDT_CD": "01",
        "PDNO": CODE,
        "ORD_DVSN": "00",
        "ORD_QTY": 1,
        "ORD_UNPR": price - 2_000,
    }
    number = number_of(
        requests.post(f"{url}/order-cash", json=body, headers=real.headers("TTTC0802U"), timeout=60)
    )
    body |= {
        "KRX_FWDG_ORD_ORGNO": "06010",
        "ORGN_ODNO": number,
        "RVSE_CNCL_DVSN_CD": "02",
        "QTY_ALL_ORD_YN": "Y",
    }
    number_of(
        requests.post(f"{url}/order-rvsecncl", json=body, headers=real.headers("TTTC0803U"), timeout=60)
    )
    assert row_of(real, number)["rmn_qty"] == "0"


def test_amended_order_survives_a_restart(start_simulator, client_of, tmp_path):
    state = tmp_path / "state.json"
    simulator = start_simulator(state_file=state)
    client = client_of(simulator.real)
    price = quote(simulator).price
    number = number_of(client.order("buy", ORD_QTY="5", ORD_UNPR=str(price - 2_000)))
    amended = number_of(client.change(number, cancel=False, ORD_UNPR=str(price - 1_500)))
    before = client.orders().json()["output1"]
    simulator.stop()

    again = client_of(start_simulator(state_file=state).real)

    assert again.orders().json()["output1"] == before
    assert again.change(amended).json()["rt_cd"] == "0"


def test_hashkey_is_the_same_for_the_same_body(real):
    keys = {"appkey": real.endpoint.app_key, "appsecret": real.endpoint.app_secret}
    url = f"{real.endpoint.url}/uapi/hashkey"
    replies = [
        requests.post(url, json=body, headers=keys, timeout=60).json()
        for body in ({"A": "1", "B": "2"}, {"B": "2", "A": "1"}, {"A": "1"})
    ]
    assert [len(reply["HASH"]) for reply in replies] == [64] * 3
    assert replies[0]["HASH"] == replies[1]["HASH"] != replies[2]["HASH"]
    assert replies[2]["BODY"] == {"A": "1"}
    assert requests.post(url, json={}, headers=keys | {"appkey": "x"}, timeout=60).status_code == 500


def test_replies_are_zipped_for_clients_that_ask(real):
    plain = requests.get(f"{real.endpoint.url}/", headers={"Accept-Encoding": "identity"}, timeout=60)
    zipped = real.balance()
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.json()["rt_cd"] == "0"
