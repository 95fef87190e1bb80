"""What the account inquiries make of pages that move, lie or leave things out."""

from datetime import date, time
from decimal import Decimal

import pytest

from kis.client.auth import MemoryTokenStore, Token
from kis.client.endpoints.account import balance, daily_orders, orderable_cash, unfilled_orders
from kis.client.errors import KisReplyChanged
from tests.kis.scripted import NOON, make_session, reply

DAY = date(2026, 11, 20)
TOTALS = dict.fromkeys(
    (
        "dnca_tot_amt",
        "nxdy_excc_amt",
        "prvs_rcdl_excc_amt",
        "thdt_buy_amt",
        "thdt_sll_amt",
        "thdt_tlex_amt",
        "scts_evlu_amt",
        "tot_evlu_amt",
        "nass_amt",
        "bfdy_tot_asst_evlu_amt",
        "evlu_pfls_smtl_amt",
    ),
    "0",
)


def holding(code="005930", **changes):
    return {
        "pdno": code,
        "prdt_name": "삼성전자",
        "trad_dvsn_name": "현금",
        "hldg_qty": "10",
        "ord_psbl_qty": "10",
        "pchs_avg_pric": "100.0000",
        "pchs_amt": "1000",
        "prpr": "110",
        "evlu_amt": "1100",
        "evlu_pfls_amt": "100",
        "evlu_pfls_rt": "10.00",
        "fltt_rt": "1.00000000",
        "thdt_buyqty": "0",
        "thdt_sll_qty": "0",
        **changes,
    }


def balance_page(*rows, cost, nk=""):
    body = {
        "rt_cd": "0",
        "output1": list(rows),
        "output2": [TOTALS | {"pchs_amt_smtl_amt": str(cost)}],
        "ctx_area_fk100": "",
        "ctx_area_nk100": nk,
    }
    return reply(body, tr_cont="M" if nk else "D")


def order(number="0000000001", **changes):
    return {
        "ord_dt": "20261120",
        "ord_gno_brno": "06010",
        "odno": number,
        "sll_buy_dvsn_cd": "02",
        "pdno": "005930",
        "prdt_name": "삼성전자",
        "ord_qty": "10",
        "ord_unpr": "100",
        "ord_tmd": "093000",
        "tot_ccld_qty": "10",
        "avg_prvs": "100",
        "tot_ccld_amt": "1000",
        "rmn_qty": "0",
        "rjct_qty": "0",
        **changes,
    }


def orders_page(*rows, quantity, amount, nk=""):
    totals = {"tot_ccld_qty": str(quantity), "tot_ccld_amt": str(amount)}
    body = {"rt_cd": "0", "output1": list(rows), "output2": totals, "ctx_area_nk100": nk}
    return reply(body, tr_cont="M" if nk else "D")


def test_trade_between_two_pages_makes_the_inquiry_start_again():
    session, script, _ = make_session(
        balance_page(holding("000001"), cost=2000, nk="1^"),
        balance_page(holding("000002"), cost=3000),  # something was bought meanwhile
        balance_page(holding("000001"), cost=3000, nk="1^"),
        balance_page(holding("000002"), holding("000003"), cost=3000),
    )
    assert [row.code for row in balance(session).held] == ["000001", "000002", "000003"]
    assert len(script.sent) == 4


def test_account_that_never_stands_still_is_an_error():
    moving = [
        balance_page(holding("000001"), cost=2000, nk="1^"),
        balance_page(holding("000002"), cost=3000),
    ]
    session, script, _ = make_session(*moving * 3)
    with pytest.raises(KisReplyChanged, match="계속 바뀌었습니다"):
        balance(session)
    assert len(script.sent) == 6


def test_cost_may_differ_by_a_won_a_row_from_rounding():
    session, _, _ = make_session(balance_page(holding("000001"), holding("000002"), cost=2002))
    assert len(balance(session).held) == 2
    session, _, _ = make_session(balance_page(holding("000001"), holding("000002"), cost=2003))
    with pytest.raises(KisReplyChanged, match="2,003"):
        balance(session)


def test_cash_and_loan_of_one_stock_become_one_record():
    session, _, _ = make_session(
        balance_page(
            holding(),
            holding(trad_dvsn_name="유통융자", loan_dt="20261101", pchs_amt="2000", evlu_pfls_amt="-900"),
            cost=3000,
        )
    )
    (row,) = balance(session).held
    assert (row.quantity, row.sellable, row.cost, row.value, row.profit) == (20, 20, 3000, 2200, -800)
    assert (row.average, row.profit_rate) == (Decimal("150.0000"), Decimal("-26.67"))
    assert len(row.raw["rows"]) == 2


def test_sold_out_rows_of_one_stock_merge_to_nothing_held():
    empty = {"hldg_qty": "0", "ord_psbl_qty": "0", "pchs_amt": "0", "evlu_amt": "0", "evlu_pfls_amt": "0"}
    session, _, _ = make_session(
        balance_page(holding(**empty), holding(trad_dvsn_name="유통융자", **empty), cost=0)
    )
    whole = balance(session)
    assert not whole.held
    assert [(row.quantity, row.average) for row in whole.rows] == [(0, Decimal(0))]


def test_fills_must_add_up_to_the_brokers_amount():
    session, _, _ = make_session(orders_page(order(), quantity=10, amount=1000))
    (found,) = daily_orders(session, first=DAY, last=DAY)
    assert (found.filled, found.fill_price, found.ordered_at, found.exchange) == (10, 100, time(9, 30), "")
    session, _, _ = make_session(orders_page(order(), quantity=10, amount=2000))
    with pytest.raises(KisReplyChanged, match="2,000원"):
        daily_orders(session, first=DAY, last=DAY)


@pytest.mark.parametrize("side", ["", "03", "BUY"])
def test_order_without_a_side_is_refused(side):
    session, _, _ = make_session(orders_page(order(sll_buy_dvsn_cd=side), quantity=10, amount=1000))
    with pytest.raises(KisReplyChanged):
        daily_orders(session, first=DAY, last=DAY)


def test_open_order_over_nothing_is_refused():
    row = order(ord_qty="0", psbl_qty="0")
    session, _, _ = make_session(reply({"rt_cd": "0", "output": [row], "ctx_area_nk100": ""}))
    with pytest.raises(KisReplyChanged, match="주문수량"):
        unfilled_orders(session, today=DAY)


def test_orderable_cash_is_what_can_be_bought_without_a_shortfall():
    session, script, _ = make_session(
        reply({"rt_cd": "0", "output": {"nrcvb_buy_amt": "9223291", "max_buy_amt": "1"}})
    )
    assert orderable_cash(session) == 9_223_291
    assert script.sent[0].params["ORD_DVSN"] == "01"


def test_store_in_memory_keeps_the_later_token():
    store = MemoryTokenStore()
    first = store.renew("key", seen=0, ask=lambda: Token("a", NOON))
    assert store.renew("key", seen=0, ask=lambda: Token("b", NOON)) == first
    assert store.renew("key", seen=1, ask=lambda: Token("b", NOON)).generation == 2
