"""What the account inquiries make of pages that move, lie or leave things out."""

from datetime import date, time
from decimal import Decimal

import pytest

from kis.client.auth import MemoryTokenStore, Token
from kis.client.endpoints.account import (
    account_assets,
    balance,
    daily_orders,
    orderable_cash,
    orders_between,
    realised_balance,
    sellable_quantity,
    unfilled_orders,
)
from kis.client.errors import KisReplyChanged, NotOffered
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
        "bfdy_buy_amt",
        "bfdy_sll_amt",
        "bfdy_tlex_amt",
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


def balance_page(*rows, cost, nk="", **more):
    body = {
        "rt_cd": "0",
        "output1": list(rows),
        "output2": [TOTALS | {"pchs_amt_smtl_amt": str(cost)} | more],
        "ctx_area_fk100": "",
        "ctx_area_nk100": nk,
    }
    return reply(body, tr_cont="M" if nk else "D")


def order(number="0000000001", **changes):
    return {
        "ord_dt": "20261120",
        "ord_gno_brno": "06010",
        "odno": number,
        "orgn_odno": "",
        "ord_dvsn_cd": "00",
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
        "cncl_yn": "",
        "cncl_cfrm_qty": "0",
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


def test_mark_of_a_cancellation_that_is_neither_yes_nor_no_is_refused():
    """A blank says nothing, as the broker's often do; an order may be open still or not by any other word."""
    page = orders_page(order(cncl_yn="C"), quantity=10, amount=1000)
    with pytest.raises(KisReplyChanged, match="Y도 N도"):
        daily_orders(make_session(page)[0], first=DAY, last=DAY)


def test_orderable_cash_is_what_can_be_bought_without_a_shortfall():
    session, script, _ = make_session(
        reply({"rt_cd": "0", "output": {"nrcvb_buy_amt": "9223291", "max_buy_amt": "1"}})
    )
    assert orderable_cash(session) == 9_223_291
    assert script.sent[0].params["ORD_DVSN"] == "01"


REALISED = {
    "rlzt_pfls": "-500",
    "rlzt_erng_rt": "-1.50000000",
    "real_evlu_pfls": "100",
    "real_evlu_pfls_erng_rt": "10.00000000",
}


def test_realised_balance_starts_again_when_the_account_moves():
    session, script, _ = make_session(
        balance_page(holding("000001"), cost=2000, nk="1^", **REALISED),
        balance_page(holding("000002"), cost=3000, **REALISED),
        balance_page(holding("000001"), cost=2000, nk="1^", **REALISED),
        balance_page(holding("000002"), cost=2000, **(REALISED | {"rlzt_pfls": "-700"})),
    )
    found = realised_balance(session, after_costs=True)
    assert ([row.code for row in found.balance.rows], found.realised) == (["000001", "000002"], -700)
    assert {request.params["COST_ICLD_YN"] for request in script.sent} == {"Y"}


def test_realised_balance_with_a_lost_page_is_refused():
    session, _, _ = make_session(balance_page(holding(), cost=3000, **REALISED))
    with pytest.raises(KisReplyChanged, match="빠진 쪽"):
        realised_balance(session)


def assets_reply(rows):
    totals = ("tot_asst_amt", "nass_tot_amt", "pchs_amt_smtl", "evlu_amt_smtl", "evlu_pfls_amt_smtl")
    others = ("loan_amt_smtl", "tot_dncl_amt", "dncl_amt", "thdt_rcvb_amt", "frcr_evlu_tota")
    body = {"rt_cd": "0", "output1": rows, "output2": dict.fromkeys((*totals, *others), "0")}
    return reply(body)


ASSET = dict.fromkeys(("pchs_amt", "evlu_amt", "evlu_pfls_amt", "crdt_lnd_amt", "real_nass_amt"), "0") | {
    "whol_weit_rt": "0.00000000"
}


@pytest.mark.parametrize("rows", [[ASSET] * 19, [ASSET] * 21, [ASSET] * 10 + [{}] + [ASSET] * 9])
def test_rows_without_labels_must_be_as_many_as_there_are_kinds(rows):
    session, _, _ = make_session(assets_reply(rows))
    with pytest.raises(KisReplyChanged, match="20줄"):
        account_assets(session)


def test_kind_that_the_account_does_not_have_is_no_zero():
    session, _, _ = make_session(assets_reply([ASSET] * 20))
    with pytest.raises(KeyError):
        account_assets(session).of("수익증권")


def test_quantity_of_another_stock_is_refused():
    numbers = ("cblc_qty", "ord_psbl_qty", "buy_qty", "sll_qty", "pchs_avg_pric", "pchs_amt", "now_pric")
    row = dict.fromkeys((*numbers, "evlu_amt", "evlu_pfls_amt", "evlu_pfls_rt"), "0")
    session, _, _ = make_session(
        reply({"rt_cd": "0", "output": row | {"pdno": "000660", "prdt_name": "SK하이닉스"}})
    )
    with pytest.raises(KisReplyChanged, match="005930 대신 000660"):
        sellable_quantity(session, code="005930")


@pytest.mark.parametrize("inquiry", [account_assets, realised_balance])
def test_paper_does_not_offer_the_inquiry(inquiry):
    session, script, _ = make_session(mode="paper")
    with pytest.raises(NotOffered, match="모의 미지원"):
        inquiry(session)
    assert script.sent == []


NO_ORDERS = orders_page(quantity=0, amount=0)


def ranges(script):
    """Return what was asked, as (TR id, first day, last day)."""
    sent = [(request.tr_id, request.params) for request in script.sent]
    return [(tr_id, params["INQR_STRT_DT"], params["INQR_END_DT"]) for tr_id, params in sent]


@pytest.mark.parametrize(
    ("first", "last", "asked"),
    [
        (date(2026, 8, 21), DAY, [("TTTC0081R", "20260821", "20261120")]),
        (
            date(2026, 8, 20),
            DAY,
            [("CTSC9215R", "20260820", "20260820"), ("TTTC0081R", "20260820", "20261120")],
        ),
        (date(2026, 8, 1), date(2026, 8, 19), [("CTSC9215R", "20260801", "20260819")]),
        (
            date(2025, 11, 30),
            DAY,
            [
                ("CTSC9215R", "20251130", "20260227"),
                ("CTSC9215R", "20260228", "20260527"),
                ("CTSC9215R", "20260528", "20260820"),
                ("TTTC0081R", "20260820", "20261120"),
            ],
        ),
    ],
)
def test_orders_of_a_long_time_come_from_both_stores(first, last, asked):
    session, script, _ = make_session(NO_ORDERS)
    assert orders_between(session, first=first, last=last, today=DAY) == ()
    assert ranges(script) == asked


def test_month_of_thirty_days_has_its_own_boundary():
    session, script, _ = make_session(NO_ORDERS)
    orders_between(session, first=date(2026, 2, 1), last=date(2026, 5, 31), today=date(2026, 5, 31))
    assert ranges(script) == [("CTSC9215R", "20260201", "20260228"), ("TTTC0081R", "20260228", "20260531")]


def test_order_in_both_stores_is_believed_as_the_recent_one_has_it():
    boundary = {"ord_dt": "20260820"}
    stale = order("0000000002", tot_ccld_qty="0", tot_ccld_amt="0", avg_prvs="0", **boundary)
    session, _, _ = make_session(
        orders_page(order(ord_dt="20260819"), stale, quantity=10, amount=1000),
        orders_page(order("0000000002", **boundary), order("0000000003"), quantity=20, amount=2000),
    )
    found = orders_between(session, first=date(2026, 8, 19), last=DAY, today=DAY)
    assert [(row.number, row.filled) for row in found] == [
        ("0000000001", 10),
        ("0000000002", 10),
        ("0000000003", 10),
    ]


def test_store_in_memory_keeps_the_later_token():
    store = MemoryTokenStore()
    first = store.renew("key", seen=0, ask=lambda: Token("a", NOON))
    assert store.renew("key", seen=0, ask=lambda: Token("b", NOON)) == first
    assert store.renew("key", seen=1, ask=lambda: Token("b", NOON)).generation == 2
