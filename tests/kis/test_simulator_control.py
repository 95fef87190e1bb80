"""The control plane: the clock, prices, accounts, orders from elsewhere, and trouble on request."""

import time

import pytest
import requests

from kis.simulator.faults import ARGUMENTS, STAGES


def holding(caller, code):
    return next(row for row in caller.balance().json()["output1"] if row["pdno"] == code)


def account_of(caller):
    accounts = caller.control("state").json()["accounts"]
    return next(account for account in accounts if account["account"] == caller.endpoint.account)


def test_account_is_replaced_on_the_host_it_is_posted_to(real, paper):
    before = account_of(paper)
    positions = [
        {"code": "005930", "qty": 7, "avg": 60000.5},
        {"code": "ZZZZ01", "qty": 1, "avg": 10, "name": "새 종목"},
    ]
    assert real.control("account", {"deposit": 5_000_000, "positions": positions}).status_code == 200
    shown = account_of(real)
    assert (shown["deposit"], shown["cash"]) == (
        5_000_000,
        {"d0": 5_000_000, "d1": 5_000_000, "d2": 5_000_000},
    )
    assert {p["code"]: (p["qty"], p["avg"]) for p in shown["positions"]} == {
        "005930": (7, 60000.5714),
        "ZZZZ01": (1, 10.0),
    }
    assert holding(real, "ZZZZ01")["prdt_name"] == "새 종목"
    assert real.orders().json()["output1"] == []
    assert account_of(paper) == before


def test_money_that_comes_or_goes_is_there_at_once(real, paper):
    before, elsewhere = account_of(real), account_of(paper)
    cash = {day: won + 3_000_000 for day, won in before["cash"].items()}
    after = real.control("deposit", {"amount": 3_000_000}).json()
    assert (after["cash"], after["total"]) == (cash, before["total"] + 3_000_000)
    totals = real.balance().json()["output2"][0]
    assert [totals[name] for name in ("dnca_tot_amt", "nxdy_excc_amt", "prvs_rcdl_excc_amt")] == [
        str(cash[day]) for day in ("d0", "d1", "d2")
    ]
    assert real.control("deposit", {"amount": -3_000_000}).json()["cash"] == before["cash"]
    assert account_of(paper) == elsewhere


def test_money_that_comes_on_a_closed_day_is_there_on_it(real):
    real.control("clock", {"now": "2026-11-21T11:00:00+09:00"})
    settled = account_of(real)["cash"]
    after = real.control("deposit", {"amount": 500_000}).json()
    assert after["cash"] == {day: won + 500_000 for day, won in settled.items()}
    assert int(real.balance().json()["output2"][0]["dnca_tot_amt"]) == settled["d0"] + 500_000


def test_no_more_can_be_taken_out_than_will_be_left(real):
    real.control("account", {"deposit": 1_000_000, "positions": []})
    real.control("price", {"code": "005930", "price": 60_000})
    assert real.order("buy", ORD_QTY="10", ORD_UNPR="60000").json()["rt_cd"] == "0"
    reply = real.control("deposit", {"amount": -500_000})
    # Of the million, 600,000 won and 84 won of commission will be gone the day after tomorrow.
    assert (reply.status_code, "399916" in reply.text) == (400, True)
    assert real.control("deposit", {"amount": -399_916}).json()["cash"] == {
        "d0": 600_084,
        "d1": 600_084,
        "d2": 0,
    }


def test_price_set_by_hand_stands_until_the_day_ends(real):
    assert real.control("price", {"code": "005930", "price": 77_700}).status_code == 200
    assert holding(real, "005930")["prpr"] == "77700"
    real.control("clock", {"now": "2026-11-20T11:00:00+09:00"})
    assert holding(real, "005930")["prpr"] == "77700"
    real.control("clock", {"now": "2026-11-23T11:00:00+09:00"})
    bars = real.chart(start="20261120", end="20261123").json()["output2"]
    assert bars[1]["stck_clpr"] == "77700"
    assert int(bars[1]["stck_lwpr"]) <= 77_700 <= int(bars[1]["stck_hgpr"])


def test_resting_order_trades_when_the_price_comes_to_it(real):
    order = next(row for row in real.open_orders().json()["output"] if row["sll_buy_dvsn_cd"] == "02")
    price = int(order["ord_unpr"])
    before = holding(real, order["pdno"])
    real.control("price", {"code": order["pdno"], "price": price - 100})
    after = holding(real, order["pdno"])
    assert int(after["hldg_qty"]) == int(before["hldg_qty"]) + int(order["ord_qty"])
    row = real.orders(ODNO=order["odno"]).json()["output1"][0]
    assert (row["tot_ccld_qty"], row["avg_prvs"], row["rmn_qty"]) == (
        order["ord_qty"],
        order["ord_unpr"],
        "0",
    )


def test_order_from_the_phone_trades_or_rests(real):
    price = int(holding(real, "005930")["prpr"])
    traded = real.control("external-order", {"side": "buy", "code": "005930", "qty": 2}).json()
    assert (traded["filled"], traded["amount"]) == (2, 2 * price)
    resting = real.control(
        "external-order", {"side": "sell", "code": "005930", "qty": 1, "price": price + 5_000}
    )
    assert resting.json()["open"]
    numbers = {row["odno"]: row["ordr_empno"] for row in real.orders().json()["output1"]}
    assert numbers[traded["odno"]] != "OpnAPI"
    assert resting.json()["odno"] in {row["odno"] for row in real.open_orders().json()["output"]}


@pytest.mark.parametrize(
    "order",
    [
        {"side": "buy", "code": "999999", "qty": 1},
        {"side": "buy", "code": "005930", "qty": 100_000},
        {"side": "sell", "code": "005930", "qty": 100_000},
        {"side": "buy", "code": "005930", "qty": 1, "price": 90_050},
        {"side": "buy", "code": "005930", "qty": 1, "price": 1_000_000},
        {"side": "hold", "code": "005930", "qty": 1},
        {"side": "buy", "code": "005930", "qty": 0},
    ],
)
def test_order_from_the_phone_keeps_the_rules(real, order):
    before = real.control("orders").json()
    reply = real.control("external-order", order)
    assert (reply.status_code, list(reply.json())) == (400, ["error"])
    assert real.control("orders").json() == before


def test_order_is_filled_by_hand_in_parts(real):
    order = next(row for row in real.open_orders().json()["output"] if row["ord_qty"] != "1")
    assert real.control("fill", {"odno": order["odno"], "qty": 1}).status_code == 200
    row = real.orders(ODNO=order["odno"]).json()["output1"][0]
    assert int(row["tot_ccld_qty"]) == int(order["tot_ccld_qty"]) + 1
    assert real.control("fill", {"odno": order["odno"], "qty": 10_000}).status_code == 400
    assert real.control("fill", {"odno": "9999999999", "qty": 1}).status_code == 400


def test_open_orders_lapse_at_the_close(real):
    assert real.open_orders().json()["output"]
    real.control("clock", {"now": "2026-11-20T15:30:00+09:00"})
    assert real.open_orders().json()["output"] == []


def test_clock_does_not_go_back(real):
    assert real.control("clock", {"now": "2026-11-20T09:59:59+09:00"}).status_code == 400
    assert real.control("clock", {"now": "2026-11-20T10:00:01"}).json() == {
        "clock": "2026-11-20T10:00:01+09:00"
    }


@pytest.mark.parametrize("kind", sorted(set(STAGES) - set(ARGUMENTS) - {"refuse_connection"}))
def test_every_fault_strikes_as_often_as_asked_and_no_more(real, kind):
    positions = [{"code": f"{index:05d}A", "qty": 1, "avg": 1} for index in range(51)]
    real.control("account", {"deposit": 0, "positions": positions})
    whole = real.balance().json()
    real.fault(kind, times=1, delay_ms=1)
    try:
        reply = real.balance()
        struck = (reply.status_code, reply.text) != (200, whole)
    except (requests.RequestException, ValueError):
        struck = True
    assert struck
    assert real.control("faults").json() == []
    real.token = ""
    assert real.balance().json() == whole


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "truncate", "hang_after"])
def test_broken_connection_is_an_error_of_the_connection(real, kind):
    real.headers("")
    real.fault(kind, delay_ms=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        real.balance()


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("http_500_before", 500, "EGW00001"),
        ("http_500_after", 500, "EGW00001"),
        ("rate_limited", 500, "EGW00201"),
        ("token_expired", 500, "EGW00123"),
        ("maintenance", 500, "EGW00002"),
    ],
)
def test_refusing_fault_is_json_with_the_documented_code(real, kind, status, code):
    real.fault(kind)
    reply = real.balance()
    assert (reply.status_code, reply.json()["msg_cd"], reply.json()["rt_cd"]) == (status, code, "1")


def test_html_page_bad_json_and_redirect_are_no_replies(real):
    real.fault("html_page")
    assert real.balance().headers["Content-Type"].startswith("text/html")
    real.fault("bad_json")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        real.balance().json()
    real.fault("redirect_307")
    assert [reply.status_code for reply in real.balance().history] == [307]


def test_slow_drip_arrives_whole_in_the_end(real):
    whole = real.balance().json()
    real.fault("slow_drip", delay_ms=1)
    assert real.balance().json() == whole


def test_expired_token_is_replaced_by_a_new_one_at_once(start_simulator, client_of):
    client = client_of(start_simulator(limits=True).real)
    assert client.balance().status_code == 200
    client.fault("token_expired")
    assert client.balance().json()["msg_cd"] == "EGW00123"
    assert client.balance().json()["msg_cd"] == "EGW00123"
    old, client.token = client.token, ""
    assert client.balance().status_code == 200
    assert client.token != old


def test_field_is_dropped_or_renamed_at_any_depth(real):
    real.fault("drop_field:prpr")
    real.fault("rename_field:dnca_tot_amt:dnca")
    body = real.balance().json()
    assert not any("prpr" in row for row in body["output1"])
    assert "dnca" in body["output2"][0]
    assert "dnca_tot_amt" not in body["output2"][0]
    assert "prpr" in real.balance().json()["output1"][0]


def test_dropped_page_is_missing_in_the_middle(real):
    positions = [{"code": f"{index:05d}A", "qty": 1, "avg": 1} for index in range(150)]
    real.control("account", {"deposit": 0, "positions": positions})
    real.fault("drop_page")
    pages = real.pages(real.balance, "output1")
    codes = [row["pdno"] for page in pages for row in page]
    assert codes == [f"{index:05d}A" for index in (*range(50), *range(100, 150))]


def test_repeated_page_comes_under_another_cursor(real):
    positions = [{"code": f"{index:05d}A", "qty": 1, "avg": 1} for index in range(120)]
    real.control("account", {"deposit": 0, "positions": positions})
    first = real.balance().json()
    real.fault("repeat_page")
    pages = real.pages(real.balance, "output1")
    assert [len(page) for page in pages] == [50, 50, 50, 20]
    assert pages[0] == pages[1] == first["output1"]


def test_late_trades_are_hidden_from_every_inquiry(real):
    before = (
        real.balance().json()["output1"],
        real.orders().json()["output1"],
        real.open_orders().json()["output"],
    )
    real.control("external-order", {"side": "buy", "code": "005930", "qty": 1})
    resting = next(row for row in before[2] if int(row["psbl_qty"]) > 1)
    real.control("fill", {"odno": resting["odno"], "qty": int(resting["psbl_qty"])})
    for tr in ("TTTC8434R", "TTTC0081R", "TTTC0084R"):
        real.fault("late_visible:1", tr=tr)
    late = (
        real.balance().json()["output1"],
        real.orders().json()["output1"],
        real.open_orders().json()["output"],
    )
    assert [(row["pdno"], row["hldg_qty"]) for row in late[0]] == [
        (row["pdno"], row["hldg_qty"]) for row in before[0]
    ]
    assert late[1:] == before[1:]
    assert len(real.orders().json()["output1"]) == len(before[1]) + 1


def test_refused_connection_is_over_by_itself(real):
    real.headers("")
    real.control("faults", {"kind": "refuse_connection", "delay_ms": 400})
    with pytest.raises(requests.ConnectionError, match="refused"):
        real.balance()
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at:
        try:
            assert real.balance().status_code == 200
            break
        except requests.ConnectionError:
            continue
    else:
        pytest.fail("the port did not open again")


def test_token_call_can_be_made_to_fail_too(real):
    real.fault("http_500_before", tr="tokenP")
    assert real.ask_token().status_code == 500
    real.fault("drop_field:access_token", tr="tokenP")
    assert "access_token" not in real.ask_token().json()


def test_star_leaves_the_token_call_alone(real):
    real.fault("http_500_before", tr="TTTC*", times=2)
    assert [real.balance().status_code, real.chart().status_code, real.orders().status_code] == [
        500,
        200,
        500,
    ]
    real.fault("http_500_before", tr="*")
    real.token = ""
    assert real.ask_token().status_code == 200
    assert real.chart().status_code == 500


def test_faults_are_cleared_and_belong_to_one_host(real, paper):
    real.fault("html_page", tr="*", times=5)
    assert paper.control("faults").json() == []
    assert real.control("faults", method="DELETE").json() == []
    assert real.balance().json()["rt_cd"] == "0"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("faults", [{"tr": "*", "kind": "meteor"}]),
        ("faults", [{"tr": "*", "kind": "drop_field"}]),
        ("faults", [{"tr": "*", "kind": "rename_field:A"}]),
        ("faults", [{"tr": "*", "kind": "late_visible:soon"}]),
        ("faults", [{"tr": "tokenP", "kind": "drop_page"}]),
        ("faults", [{"tr": "*", "kind": "reset_before", "times": 0}]),
        ("faults", [{"tr": "*", "kind": "reset_before", "times": "many"}]),
        ("faults", [{"tr": 1, "kind": "reset_before"}]),
        ("faults", "trouble"),
        ("clock", {}),
        ("clock", {"now": "soon"}),
        ("clock", {"now": "9999-12-31T23:59:59+09:00"}),
        ("clock", []),
        ("price", {"code": "005930"}),
        ("price", {"code": "999999", "price": 1}),
        ("price", {"code": "005930", "price": -1}),
        ("price", {"code": "005930", "price": True}),
        ("fill", {"odno": "x", "qty": 1}),
        ("account", {"positions": []}),
        ("account", {"deposit": 1, "positions": {}}),
        ("account", {"deposit": 1, "positions": [{"code": "abc", "qty": 1, "avg": 1}]}),
        ("account", {"deposit": 1, "positions": [{"code": "005930", "qty": 1, "avg": "NaN"}]}),
        ("account", {"deposit": 1, "positions": [{"code": "005930", "qty": 1, "avg": 1}] * 2}),
        ("deposit", {}),
        ("deposit", {"amount": "all"}),
        ("external-order", {}),
    ],
)
def test_control_request_that_makes_no_sense_is_400_with_a_sentence(real, name, body):
    before = real.control("state").json()
    reply = real.control(name, body)
    assert reply.status_code == 400
    assert reply.json()["error"]
    assert real.control("state").json() == before


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_control_request_without_json_is_400(real, raw):
    assert requests.post(f"{real.endpoint.url}/_sim/clock", data=raw, timeout=60).status_code == 400


def test_unknown_control_request_is_404(real):
    assert real.control("nothing").status_code == 404
    assert real.control("state", {}).status_code == 404


def test_control_requests_are_neither_counted_nor_limited(start_simulator, client_of):
    client = client_of(start_simulator(limits=True).paper)
    for _ in range(5):
        assert client.control("state").status_code == 200
    assert client.control("requests").json()["counts"] == {}
