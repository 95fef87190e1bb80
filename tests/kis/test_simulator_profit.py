"""Realised profit of a period: an example worked out by hand, and sums that fit to the won."""

from datetime import date
from functools import partial

import pytest

from kis.calendar import business_days
from tests.kis.conftest import TRADING


def day_by_day(caller, *, cursor=("", ""), **changes):
    return profit(caller, "inquire-period-profit", "TTTC8708R", cursor, INQR_DVSN="00", **changes)


def stock_by_stock(caller, *, cursor=("", ""), **changes):
    return profit(caller, "inquire-period-trade-profit", "TTTC8715R", cursor, **changes)


def profit(caller, name, tr_id, cursor, **changes):
    params = {
        **caller.of_account(cursor),
        "INQR_STRT_DT": "20261101",
        "INQR_END_DT": "20261231",
        "PDNO": "",
        "SORT_DVSN": "00",
        "CBLC_DVSN": "00",
        **changes,
    }
    return caller.get(f"{TRADING}/{name}", tr_id, params)


def total(rows, name):
    return sum(int(row[name]) for row in rows)


def trade(caller, side, code, price, *fills):
    """Leave an order that the price of the moment does not reach, and have it filled in these parts."""
    order = {"side": side, "code": code, "qty": sum(fills), "price": price}
    number = caller.control("external-order", order).json()["odno"]
    for quantity in fills:
        assert caller.control("fill", {"odno": number, "qty": quantity}).status_code == 200


@pytest.fixture
def traded(real):
    """Hold 10 shares at 50,000; buy 5 at 55,000 and sell 6 at 60,000 on Friday, the rest at 58,500 on Monday."""
    positions = [{"code": "005930", "qty": 10, "avg": 50_000}]
    real.control("account", {"deposit": 10_000_000, "positions": positions})
    real.control("price", {"code": "005930", "price": 57_500})
    trade(real, "buy", "005930", 55_000, 5)
    trade(real, "sell", "005930", 60_000, 4, 2)
    real.control("clock", {"now": "2026-11-23T10:00:00+09:00"})
    real.control("price", {"code": "005930", "price": 57_500})
    trade(real, "sell", "005930", 58_500, 9)
    return real


FRIDAY = {
    "trad_dt": "20261120",
    "buy_amt": "275000",
    "sll_amt": "360000",
    "rlzt_pfls": "49192",  # 360,000 - 6/15 of 775,000 - 38 - 50 - 720
    "fee": "88",  # 0.0140527 % of 275,000 and of 360,000, each truncated
    "loan_int": "0",
    "tl_tax": "720",  # 0.20 % of 360,000
    "pfls_rt": "15.86838710",
    "sll_qty1": "6",
    "buy_qty1": "5",
}
MONDAY = {
    "trad_dt": "20261123",
    "buy_amt": "0",
    "sll_amt": "526500",
    "rlzt_pfls": "60374",  # 526,500 - 465,000 - 73 - 1,053
    "fee": "73",
    "loan_int": "0",
    "tl_tax": "1053",
    "pfls_rt": "12.98365591",
    "sll_qty1": "9",
    "buy_qty1": "0",
}


def test_profit_of_each_day_is_by_moving_average_after_costs(traded):
    body = day_by_day(traded).json()
    assert body["output1"] == [MONDAY, FRIDAY]
    assert body["output2"] == {
        "sll_qty_smtl": "15",
        "sll_tr_amt_smtl": "886500",
        "sll_fee_smtl": "123",
        "sll_tltx_smtl": "1773",
        "sll_excc_amt_smtl": "884604",
        "buy_qty_smtl": "5",
        "buy_tr_amt_smtl": "275000",
        "buy_fee_smtl": "38",
        "buy_tax_smtl": "0",
        "buy_excc_amt_smtl": "275038",
        "tot_qty": "20",
        "tot_tr_amt": "1161500",
        "tot_fee": "161",
        "tot_tltx": "1773",
        "tot_excc_amt": "1159642",
        "tot_rlzt_pfls": "109566",
        "loan_int": "0",
    }


def test_profit_of_each_stock_has_prices_and_the_long_product_number(traded):
    body = stock_by_stock(traded, SORT_DVSN="01").json()
    friday, monday = body["output1"]
    assert friday == {
        "trad_dt": "20261120",
        "pdno": "00000A005930",
        "prdt_name": "삼성전자",
        "trad_dvsn_name": "현금",
        "loan_dt": "",
        "hldg_qty": "9",
        "pchs_unpr": "51666",
        "buy_qty": "5",
        "buy_amt": "275000",
        "sll_pric": "60000",
        "sll_qty": "6",
        "sll_amt": "360000",
        "rlzt_pfls": "49192",
        "pfls_rt": "15.86838710",
        "fee": "88",
        "tl_tax": "720",
        "loan_int": "0",
    }
    assert (monday["hldg_qty"], monday["pchs_unpr"], monday["rlzt_pfls"]) == ("0", "51666", "60374")
    assert body["output2"]["tot_pftrt"] == "14.13754839"  # 109,566 of 775,000
    assert body["output2"]["buyqty_smtl"] == "5"
    assert "buy_qty_smtl" not in body["output2"]


def test_profit_is_what_cash_and_cost_have_grown_by(traded):
    [sums] = traded.balance().json()["output2"]
    grown = int(sums["prvs_rcdl_excc_amt"]) + int(sums["pchs_amt_smtl_amt"]) - 10_000_000 - 500_000
    assert int(day_by_day(traded).json()["output2"]["tot_rlzt_pfls"]) == grown


def test_purchase_alone_has_realised_nothing_but_its_commission(real):
    real.control("account", {"deposit": 10_000_000, "positions": []})
    real.control("price", {"code": "005930", "price": 57_500})
    trade(real, "buy", "005930", 55_000, 20)
    [row] = stock_by_stock(real).json()["output1"]
    assert (row["rlzt_pfls"], row["fee"], row["tl_tax"], row["pfls_rt"]) == ("-154", "154", "0", "0.00000000")
    assert (row["pchs_unpr"], row["sll_pric"]) == ("55000", "0")


def test_days_and_stocks_of_the_sample_account_add_up(real):
    everything = {"INQR_STRT_DT": "20200101"}
    days = [row for page in real.pages(partial(day_by_day, real), "output1", **everything) for row in page]
    stocks = [
        row for page in real.pages(partial(stock_by_stock, real), "output1", **everything) for row in page
    ]
    of_days, of_stocks = (ask(real, **everything).json()["output2"] for ask in (day_by_day, stock_by_stock))
    pairs = [
        ("rlzt_pfls", "tot_rlzt_pfls"),
        ("fee", "tot_fee"),
        ("tl_tax", "tot_tltx"),
        ("buy_amt", "buy_tr_amt_smtl"),
        ("sll_amt", "sll_tr_amt_smtl"),
    ]
    for row_name, total_name in pairs:
        assert total(days, row_name) == total(stocks, row_name) == int(of_days[total_name])
        assert of_days[total_name] == of_stocks[total_name]
    for row in days:
        of_day = [part for part in stocks if part["trad_dt"] == row["trad_dt"]]
        assert total(of_day, "rlzt_pfls") == int(row["rlzt_pfls"])
        assert total(of_day, "sll_qty") == int(row["sll_qty1"])


def test_costs_are_those_of_the_balance(real):
    [sums] = real.balance().json()["output2"]
    today, yesterday = day_by_day(real).json()["output1"][:2]
    assert (today["trad_dt"], yesterday["trad_dt"]) == ("20261120", "20261119")
    assert int(today["fee"]) + int(today["tl_tax"]) == int(sums["thdt_tlex_amt"])
    assert int(yesterday["fee"]) + int(yesterday["tl_tax"]) == int(sums["bfdy_tlex_amt"])
    assert (today["buy_amt"], today["sll_amt"]) == (sums["thdt_buy_amt"], sums["thdt_sll_amt"])


def test_funds_are_sold_without_tax_and_keep_their_letter(real):
    positions = [{"code": code, "qty": 5, "avg": 100} for code in ("069500", "Q500001")]
    real.control("account", {"deposit": 0, "positions": positions})
    for position in positions:
        order = {"side": "sell", "code": position["code"], "qty": 5}
        assert real.control("external-order", order).json()["filled"] == 5
    rows = stock_by_stock(real).json()["output1"]
    assert [row["pdno"] for row in rows] == ["00000Q500001", "00000A069500"]
    assert {row["tl_tax"] for row in rows} == {"0"}
    assert total(rows, "fee") > 0


@pytest.mark.parametrize("code", ["035420", "00000A035420"])
def test_one_stock_can_be_asked_for(real, code):
    everything = stock_by_stock(real).json()["output1"]
    body = stock_by_stock(real, PDNO=code).json()
    assert body["output1"] == [row for row in everything if row["pdno"].endswith("A035420")]
    assert body["output2"]["tot_rlzt_pfls"] == str(total(body["output1"], "rlzt_pfls"))
    assert total(day_by_day(real, PDNO=code).json()["output1"], "buy_amt") == total(
        body["output1"], "buy_amt"
    )


def test_period_is_kept_to_and_may_be_empty(real):
    assert {row["trad_dt"] for row in day_by_day(real, INQR_STRT_DT="20261119").json()["output1"]} == {
        "20261119",
        "20261120",
    }
    body = stock_by_stock(real, INQR_STRT_DT="20200101", INQR_END_DT="20200131").json()
    assert (body["rt_cd"], body["output1"]) == ("0", [])
    assert (body["output2"]["tot_rlzt_pfls"], body["output2"]["tot_pftrt"]) == ("0", "0.00000000")


@pytest.mark.parametrize("inquiry", [day_by_day, stock_by_stock])
def test_unreadable_date_is_refused(real, inquiry):
    assert inquiry(real, INQR_STRT_DT="2026").json()["msg_cd"] == "OPSQ2001"


def sell_many(caller, count):
    codes = [f"{index:05d}A" for index in range(count)]
    positions = [{"code": code, "qty": 1, "avg": 100} for code in codes]
    caller.control("account", {"deposit": 0, "positions": positions})
    for code in codes:
        assert caller.control("external-order", {"side": "sell", "code": code, "qty": 1}).json()["filled"]
    return codes


def test_stocks_come_in_pages_with_the_totals_of_the_period_on_each(real):
    codes = sell_many(real, 51)
    ask = partial(stock_by_stock, real)
    pages = real.pages(ask, "output1")
    assert [len(page) for page in pages] == [50, 1]
    assert [row["pdno"] for page in pages for row in page] == [f"00000A{code}" for code in codes[::-1]]
    sums = real.pages(ask, "output2")
    assert sums[0] == sums[1]
    assert int(sums[0]["tot_rlzt_pfls"]) == total(pages[0], "rlzt_pfls") + total(pages[1], "rlzt_pfls")
    first = ask().json()
    assert first["ctx_area_fk100"] == " " * 100
    assert first["ctx_area_nk100"] == "20261120^00000A00001A^300^0^00000000^".ljust(100)
    assert ask(cursor=("", first["ctx_area_nk100"].strip())).json()["output1"] == pages[1]
    real.fault("repeat_page", tr="TTTC8715R")
    assert [len(page) for page in real.pages(ask, "output1")] == [50, 50, 1]


def test_days_come_in_pages_too(real):
    days = list(business_days(date(2026, 11, 20), date(2027, 2, 5)))[:51]
    real.control("account", {"deposit": 0, "positions": [{"code": "005930", "qty": 51, "avg": 100}]})
    for day in days:
        real.control("clock", {"now": f"{day}T10:00:00+09:00"})
        order = {"side": "sell", "code": "005930", "qty": 1}
        assert real.control("external-order", order).json()["filled"] == 1
    pages = real.pages(partial(day_by_day, real), "output1", INQR_END_DT="20271231")
    assert [len(page) for page in pages] == [50, 1]
    assert [row["trad_dt"] for page in pages for row in page] == [f"{day:%Y%m%d}" for day in days[::-1]]


def test_cursor_of_something_else_starts_from_the_beginning(real):
    assert stock_by_stock(real, cursor=("", "x^y")).json() == stock_by_stock(real).json()


def test_late_trades_are_hidden(real):
    before = stock_by_stock(real).json()
    real.control("external-order", {"side": "buy", "code": "005930", "qty": 1})
    real.fault("late_visible:1", tr="TTTC8715R")
    assert stock_by_stock(real).json() == before
    assert stock_by_stock(real).json() != before
