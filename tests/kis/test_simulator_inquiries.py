"""What the simulated broker answers: totals that fit to the won, pages, filters, charts."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

import pytest

from kis.simulator.hours import KST
from kis.simulator.ledger import commission, sale_tax
from kis.simulator.listings import Listing

FUND = Listing("069500", "KODEX 200", "KOSPI", "ETF")
STOCK = Listing("005930", "삼성전자", "KOSPI", "반도체")


def total(rows, name):
    return sum(int(row[name]) for row in rows)


def hold_many(caller, count):
    codes = [f"{index:05d}A" for index in range(count)]
    positions = [{"code": code, "qty": 3, "avg": 1234.5} for code in codes]
    assert caller.control("account", {"deposit": 1_000_000, "positions": positions}).status_code == 200
    return codes


@pytest.mark.parametrize("mode", ["real", "paper"])
def test_balance_adds_up_to_the_won(simulator, mode, client_of):
    caller = client_of(getattr(simulator, mode))
    prefix = "T" if mode == "real" else "V"
    body = caller.balance(tr_id=f"{prefix}TTC8434R").json()
    rows, [sums] = body["output1"], body["output2"]
    orders = caller.orders(tr_id=f"{prefix}TTC0081R").json()
    for row in rows:
        assert int(row["evlu_amt"]) == int(row["prpr"]) * int(row["hldg_qty"])
        assert int(row["evlu_pfls_amt"]) == int(row["evlu_amt"]) - int(row["pchs_amt"])
        average = Decimal(row["pchs_avg_pric"])
        assert abs(average * int(row["hldg_qty"]) - int(row["pchs_amt"])) < 1
    value = total(rows, "evlu_amt")
    assert value == int(sums["scts_evlu_amt"]) == int(sums["evlu_amt_smtl_amt"])
    assert total(rows, "pchs_amt") == int(sums["pchs_amt_smtl_amt"])
    assert total(rows, "evlu_pfls_amt") == int(sums["evlu_pfls_smtl_amt"])
    assert int(sums["tot_evlu_amt"]) == value + int(sums["prvs_rcdl_excc_amt"]) == int(sums["nass_amt"])
    assert int(sums["asst_icdc_amt"]) == int(sums["nass_amt"]) - int(sums["bfdy_tot_asst_evlu_amt"])
    fills = [order for order in orders["output1"] if int(order["tot_ccld_qty"])]
    bought = [order for order in fills if order["sll_buy_dvsn_cd"] == "02"]
    sold = [order for order in fills if order["sll_buy_dvsn_cd"] == "01"]
    assert total(bought, "tot_ccld_amt") == int(sums["thdt_buy_amt"]) > 0
    assert total(sold, "tot_ccld_amt") == int(sums["thdt_sll_amt"]) > 0
    assert total(bought, "tot_ccld_qty") == total(rows, "thdt_buyqty")
    assert total(sold, "tot_ccld_qty") == total(rows, "thdt_sll_qty")
    assert orders["output2"]["prsm_tlex_smtl"] == sums["thdt_tlex_amt"]


def test_costs_of_the_day_are_commission_and_tax_of_each_order(real):
    costs = 0
    for order in real.orders().json()["output1"]:
        amount = int(order["tot_ccld_amt"])
        costs += int(amount * Decimal("0.000140527"))
        if order["sll_buy_dvsn_cd"] == "01":
            costs += int(amount * Decimal("0.0020"))
    assert int(real.balance().json()["output2"][0]["thdt_tlex_amt"]) == costs


def test_cash_ladder_follows_the_trades_of_the_last_days(real):
    sums = real.balance().json()["output2"][0]
    today = int(sums["thdt_sll_amt"]) - int(sums["thdt_buy_amt"]) - int(sums["thdt_tlex_amt"])
    yesterday = int(sums["bfdy_sll_amt"]) - int(sums["bfdy_buy_amt"]) - int(sums["bfdy_tlex_amt"])
    assert int(sums["nxdy_excc_amt"]) == int(sums["dnca_tot_amt"]) + yesterday
    assert int(sums["prvs_rcdl_excc_amt"]) == int(sums["nxdy_excc_amt"]) + today
    assert len({sums["dnca_tot_amt"], sums["nxdy_excc_amt"], sums["prvs_rcdl_excc_amt"]}) == 3


def test_sample_account_has_the_shapes_a_page_must_show(real):
    rows = real.balance().json()["output1"]
    held = [row for row in rows if int(row["hldg_qty"])]
    assert len(held) == 20
    assert len(rows) - len(held) == 1
    assert any(Decimal(row["evlu_pfls_rt"]) > 10 for row in held)
    assert any(Decimal(row["evlu_pfls_rt"]) < -5 for row in held)
    opened = real.open_orders().json()["output"]
    assert [order for order in opened if int(order["tot_ccld_qty"])]
    assert {order["sll_buy_dvsn_cd"] for order in opened} == {"01", "02"}
    selling: dict[str, int] = {}
    for order in opened:
        if order["sll_buy_dvsn_cd"] == "01":
            selling[order["pdno"]] = selling.get(order["pdno"], 0) + int(order["psbl_qty"])
    for row in rows:
        assert int(row["ord_psbl_qty"]) == int(row["hldg_qty"]) - selling.get(row["pdno"], 0)


def test_fills_of_the_day_were_possible_at_their_time(simulator, real):
    for order in simulator.exchange.accounts["real"].orders:
        assert order.placed_at <= simulator.now()
        for fill in order.fills:
            bar = simulator.exchange.market.bar(order.code, fill.at.date())
            assert bar.low <= fill.price <= bar.high
            assert order.placed_at.replace(microsecond=0) <= fill.at <= simulator.now()


def test_numbers_of_a_day_grow_with_time(real):
    rows = real.orders(INQR_DVSN="01").json()["output1"]
    assert [(row["ord_tmd"], row["odno"]) for row in rows] == sorted(
        (row["ord_tmd"], row["odno"]) for row in rows
    )
    assert real.orders().json()["output1"] == rows[::-1]


def test_every_leaf_is_text(real):
    def leaves(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                yield from leaves(item)
        else:
            yield value

    replies = [real.balance(), real.orders(), real.open_orders(), real.buying_power(), real.chart()]
    for reply in replies:
        assert all(isinstance(leaf, str) for leaf in leaves(reply.json()))


def test_message_is_padded_to_eighty_bytes_for_accounts_only(real, paper):
    replies = [real.balance(), real.orders(), real.buying_power(), paper.balance(tr_id="VTTC8434R")]
    assert {len(reply.json()["msg1"].encode("cp949")) for reply in replies} == {80}
    assert [reply.json()["msg_cd"] for reply in replies] == ["KIOK0510", "KIOK0460", "KIOK0510", "20310000"]
    chart = real.chart().json()
    assert (chart["msg_cd"], chart["msg1"]) == ("MCA00000", "정상처리 되었습니다.")


@pytest.mark.parametrize(("mode", "sizes"), [("real", [50, 50, 20]), ("paper", [20] * 6)])
def test_balance_comes_in_pages_with_the_totals_on_each(simulator, mode, sizes, client_of):
    caller = client_of(getattr(simulator, mode))
    codes = hold_many(caller, 120)
    tr_id = "TTTC8434R" if mode == "real" else "VTTC8434R"
    pages = caller.pages(caller.balance, "output1", tr_id=tr_id)
    assert [len(page) for page in pages] == sizes
    assert [row["pdno"] for page in pages for row in page] == codes
    sums = caller.pages(caller.balance, "output2", tr_id=tr_id)
    assert all(page == sums[0] for page in sums)


def test_cursors_are_padded_and_blank_on_the_last_page(real):
    hold_many(real, 51)
    first = real.balance()
    body = first.json()
    assert first.headers["tr_cont"] == "M"
    assert body["msg_cd"] == "KIOK0490"
    assert "계속" in body["msg1"]
    assert body["ctx_area_fk100"].startswith("12345678^01^N^N^02^01^N^")
    assert len(body["ctx_area_fk100"]) == len(body["ctx_area_nk100"]) == 100
    last = real.balance(cursor=("", body["ctx_area_nk100"].strip()))
    assert last.headers["tr_cont"] == "D"
    assert not last.json()["ctx_area_nk100"].strip()
    assert len(last.json()["output1"]) == 1


def test_paper_orders_come_fifteen_a_page_and_only_the_last_does_not_say_more(paper):
    hold_many(paper, 1)
    for _ in range(31):
        order = {"side": "sell", "code": "00000A", "qty": 1}
        paper.control("account", {"deposit": 0, "positions": [{"code": "00000A", "qty": 1, "avg": 1}]})
        assert paper.control("external-order", order).status_code == 200
    assert len(paper.orders(tr_id="VTTC0081R").json()["output1"]) == 1
    paper.control("account", {"deposit": 0, "positions": [{"code": "00000A", "qty": 31, "avg": 1}]})
    for _ in range(31):
        paper.control("external-order", order)
    pages = paper.pages(paper.orders, "output1", tr_id="VTTC0081R")
    assert [len(page) for page in pages] == [15, 15, 1]
    numbers = [row["odno"] for page in pages for row in page]
    assert numbers == sorted(set(numbers), reverse=True)
    assert "계속" in paper.orders(tr_id="VTTC0081R").json()["msg1"]


def test_new_order_does_not_shift_pages_already_begun(paper):
    paper.control("account", {"deposit": 0, "positions": [{"code": "005930", "qty": 40, "avg": 1}]})
    order = {"side": "sell", "code": "005930", "qty": 1}
    for _ in range(20):
        paper.control("external-order", order)
    first = paper.orders(tr_id="VTTC0081R").json()
    paper.control("external-order", order)
    second = paper.orders(tr_id="VTTC0081R", cursor=(first["ctx_area_fk100"], first["ctx_area_nk100"])).json()
    numbers = [row["odno"] for row in first["output1"] + second["output1"]]
    assert len(numbers) == len(set(numbers)) == 20


def test_orders_are_filtered_by_side_state_stock_and_number(real):
    everything = real.orders().json()["output1"]
    buys = real.orders(SLL_BUY_DVSN_CD="02").json()["output1"]
    assert buys == [row for row in everything if row["sll_buy_dvsn_cd"] == "02"]
    unfilled = real.orders(CCLD_DVSN="02").json()["output1"]
    assert unfilled == [row for row in everything if int(row["rmn_qty"])]
    filled = real.orders(CCLD_DVSN="01").json()["output1"]
    assert filled == [row for row in everything if int(row["tot_ccld_qty"])]
    one = everything[0]
    assert real.orders(ODNO=one["odno"].lstrip("0")).json()["output1"] == [one]
    assert real.orders(PDNO=one["pdno"]).json()["output1"] == [
        r for r in everything if r["pdno"] == one["pdno"]
    ]


def test_old_orders_are_in_the_other_store(real):
    recent = real.orders(start="20230101").json()["output1"]
    older = real.orders(tr_id="CTSC9115R", start="20230101").json()["output1"]
    assert min(row["ord_dt"] for row in recent) >= "20260820" > max(row["ord_dt"] for row in older)
    count = sum(1 for _ in older) + sum(1 for _ in recent)
    assert count == len([row for row in real.control("orders").json() if row["mode"] == "real"])


def test_old_transaction_ids_answer_the_same(real):
    assert real.orders(tr_id="TTTC8001R").json() == real.orders().json()
    assert real.open_orders(tr_id="TTTC8036R").json() == real.open_orders().json()


def test_parameter_names_may_have_any_case_and_paths_a_double_slash(real):
    params = {name.lower(): value for name, value in real.of_account().items()} | {
        "inqr_dvsn_1": "0",
        "INQR_DVSN_2": "0",
    }
    reply = real.get("//uapi/domestic-stock/v1/trading/inquire-psbl-rvsecncl", "TTTC0084R", params)
    assert reply.json() == real.open_orders().json()


def test_missing_parameter_is_named(real):
    body = real.balance(without=["INQR_DVSN"]).json()
    assert (body["rt_cd"], body["msg_cd"]) == ("2", "OPSQ2001")
    assert "INQR_DVSN" in body["msg1"]


@pytest.mark.parametrize("changes", [{"CANO": "87654321"}, {"ACNT_PRDT_CD": "22"}, {"CANO": ""}])
def test_account_of_somebody_else_is_refused(real, changes):
    body = real.balance(**changes).json()
    assert (body["rt_cd"], body["msg_cd"]) == ("2", "OPSQ2000")


def test_unreadable_date_is_refused(real):
    assert real.orders(start="2026").json()["msg_cd"] == "OPSQ2001"


def test_sold_out_stock_leaves_the_statement_after_two_days(real):
    def sold_out():
        return [row["pdno"] for row in real.balance().json()["output1"] if row["hldg_qty"] == "0"]

    assert len(sold_out()) == 1  # sold on Thursday
    real.control("clock", {"now": "2026-11-23T10:00:00+09:00"})
    assert len(sold_out()) == 1
    real.control("clock", {"now": "2026-11-24T10:00:00+09:00"})
    assert sold_out() == []


def test_cash_settles_two_business_days_later(real):
    real.control("clock", {"now": "2026-11-20T15:31:00+09:00"})
    friday = real.balance().json()["output2"][0]
    real.control("clock", {"now": "2026-11-24T08:40:00+09:00"})
    tuesday = real.balance().json()["output2"][0]
    assert tuesday["dnca_tot_amt"] == tuesday["prvs_rcdl_excc_amt"] == friday["prvs_rcdl_excc_amt"]
    assert tuesday["thdt_buy_amt"] == tuesday["bfdy_buy_amt"] == "0"


def test_buying_power_is_cash_after_settlement_less_open_buys(real):
    sums = real.balance().json()["output2"][0]
    buys = [row for row in real.open_orders().json()["output"] if row["sll_buy_dvsn_cd"] == "02"]
    reserved = sum(int(row["psbl_qty"]) * int(row["ord_unpr"]) for row in buys)
    reply = real.buying_power()
    output = reply.json()["output"]
    usable = int(output["ord_psbl_cash"]) + int(output["ruse_psbl_amt"])
    assert 0 <= int(sums["prvs_rcdl_excc_amt"]) - reserved - usable < 1000  # their commission
    price = int(output["psbl_qty_calc_unpr"])
    assert int(output["nrcvb_buy_qty"]) == int(output["nrcvb_buy_amt"]) // price
    assert reply.headers["tr_cont"] == "D"


def test_market_order_is_margined_at_the_upper_limit(real):
    head = real.chart().json()["output1"]
    assert real.buying_power().json()["output"]["psbl_qty_calc_unpr"] == head["stck_mxpr"]
    limit = real.buying_power(ORD_DVSN="00", ORD_UNPR="90000").json()["output"]
    assert limit["psbl_qty_calc_unpr"] == "90000"
    assert limit["max_buy_amt"] == limit["nrcvb_buy_amt"]


def test_buying_power_without_a_stock_has_no_quantity(real):
    for changes in ({"PDNO": "", "ORD_UNPR": ""}, {"PDNO": "999999"}):
        output = real.buying_power(**changes).json()["output"]
        assert (output["psbl_qty_calc_unpr"], output["nrcvb_buy_qty"]) == ("0", "0")
        assert int(output["nrcvb_buy_amt"]) > 0


def test_chart_is_newest_first_and_at_most_a_hundred_rows(real):
    rows = real.chart(start="20230101").json()["output2"]
    days = [row["stck_bsop_date"] for row in rows]
    assert len(days) == 100
    assert days == sorted(days, reverse=True)
    assert days[0] == "20261120"
    for newer, older in pairwise(rows):
        assert int(newer["prdy_vrss"]) == int(newer["stck_clpr"]) - int(older["stck_clpr"])


def test_todays_bar_is_the_day_so_far(real):
    rows = real.chart().json()["output2"]
    head = real.chart().json()["output1"]
    row = next(row for row in real.balance().json()["output1"] if row["pdno"] == "005930")
    assert rows[0]["stck_clpr"] == head["stck_prpr"] == row["prpr"]
    assert (
        int(row["bfdy_cprs_icdc"]) == int(head["prdy_vrss"]) == int(row["prpr"]) - int(rows[1]["stck_clpr"])
    )
    assert int(rows[0]["stck_lwpr"]) <= int(row["prpr"]) <= int(rows[0]["stck_hgpr"])
    real.control("clock", {"now": "2026-11-20T15:31:00+09:00"})
    closed = real.chart().json()["output2"][0]
    assert int(closed["acml_vol"]) > int(rows[0]["acml_vol"])
    assert int(closed["stck_hgpr"]) >= int(rows[0]["stck_hgpr"])


def test_before_the_opening_yesterday_stands(real):
    real.control("clock", {"now": "2026-11-23T08:50:00+09:00"})
    body = real.chart(end="20261123").json()
    assert body["output2"][0]["stck_bsop_date"] == "20261120"
    assert body["output1"]["stck_prpr"] == body["output2"][0]["stck_clpr"]
    assert body["output1"]["stck_oprc"] == "0"


@pytest.mark.parametrize("period", ["W", "M", "Y"])
def test_longer_bars_join_the_daily_ones(real, period):
    daily = real.chart(start="20261001").json()["output2"]
    joined = real.chart(start="20261001", period=period).json()["output2"]
    assert total(joined, "acml_vol") == total(daily, "acml_vol")
    assert joined[0]["stck_clpr"] == daily[0]["stck_clpr"]
    assert max(int(row["stck_hgpr"]) for row in joined) == max(int(row["stck_hgpr"]) for row in daily)


def test_unknown_stock_has_an_empty_chart_and_no_error(real):
    body = real.chart(code="999999").json()
    assert (body["rt_cd"], body["output1"]["stck_prpr"], body["output2"]) == ("0", "0", [])


@pytest.mark.parametrize(
    "changes",
    [
        {"FID_INPUT_DATE_1": "00000101"},
        {"FID_INPUT_DATE_2": "99999999"},
        {"FID_ORG_ADJ_PRC": "0000000001"},
        {"FID_COND_MRKT_DIV_CODE": "UN"},
        {"FID_EXTRA": "1"},
    ],
)
def test_values_outside_the_lists_are_tolerated(real, changes):
    assert len(real.chart(**changes).json()["output2"]) == 100


def test_code_with_a_letter_is_a_stock_like_any_other(real):
    assert real.chart(code="0126Z0").json()["output1"]["hts_kor_isnm"] == "삼성에피스홀딩스"


def test_sale_tax_follows_the_settlement_date_and_spares_funds():
    assert sale_tax(1_000_000, listing=STOCK, settles_on=date(2025, 12, 30)) == 1_500
    assert sale_tax(1_000_000, listing=STOCK, settles_on=date(2026, 1, 2)) == 2_000
    assert sale_tax(1_000_000, listing=FUND, settles_on=date(2026, 1, 2)) == 0
    assert commission(995_000) == 139


def test_rates_have_the_decimals_of_the_wire(real, paper):
    row = real.balance().json()["output1"][0]
    assert row["fltt_rt"].endswith("000000")
    assert row["evlu_erng_rt"] == "0.00000000"
    row = paper.balance(tr_id="VTTC8434R").json()["output1"][0]
    rate = Decimal(row["evlu_erng_rt"])
    assert str(rate.quantize(Decimal("0.01"), ROUND_HALF_UP)) == row["evlu_pfls_rt"]


@pytest.mark.parametrize("price", ["abc", "NaN", "-1", "1e999", "٣"])
def test_unreadable_price_is_refused(real, price):
    assert real.buying_power(ORD_DVSN="00", ORD_UNPR=price).json()["msg_cd"] == "OPSQ2001"


def test_account_before_any_market_data_holds_only_cash(start_simulator, client_of):
    client = client_of(start_simulator(clock=datetime(2021, 1, 4, 10, 0, tzinfo=KST)).real)
    body = client.balance().json()
    assert (body["output1"], body["output2"][0]["tot_evlu_amt"]) == ([], "180000000")
    assert client.chart(start="20200101", end="20210104").json()["output2"] == []
