"""What the realised profit makes of pages that repeat, move or leave things out."""

from datetime import date
from decimal import Decimal

import pytest

from kis.client.endpoints.profit import period_profit, trade_profit
from kis.client.errors import KisReplyChanged
from tests.kis.scripted import make_session, reply

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 20)
SPELLING = {period_profit: "buy_qty_smtl", trade_profit: "buyqty_smtl"}


def day_row(day="20261119", **changes):
    return {
        "trad_dt": day,
        "buy_amt": "1000",
        "sll_amt": "1200",
        "rlzt_pfls": "190",
        "fee": "5",
        "loan_int": "0",
        "tl_tax": "5",
        "pfls_rt": "19.00000000",
        "sll_qty1": "10",
        "buy_qty1": "10",
        **changes,
    }


def stock_row(code="005930", **changes):
    return {
        "trad_dt": "20261119",
        "pdno": code,
        "prdt_name": "삼성전자",
        "trad_dvsn_name": "현금",
        "loan_dt": "",
        "hldg_qty": "0",
        "pchs_unpr": "100",
        "buy_qty": "10",
        "buy_amt": "1000",
        "sll_pric": "120",
        "sll_qty": "10",
        "sll_amt": "1200",
        "rlzt_pfls": "190",
        "pfls_rt": "19.00000000",
        "fee": "5",
        "tl_tax": "5",
        "loan_int": "0",
        **changes,
    }


def page(inquiry, *rows, quantity=10, realised=190, nk=""):
    totals = {
        SPELLING[inquiry]: str(quantity),
        "buy_tr_amt_smtl": "1000",
        "sll_qty_smtl": str(quantity),
        "sll_tr_amt_smtl": "1200",
        "tot_rlzt_pfls": str(realised),
        "tot_fee": "5",
        "tot_tltx": "5",
        "loan_int": "0",
    }
    body = {"rt_cd": "0", "output1": list(rows), "output2": totals, "ctx_area_nk100": nk}
    return reply(body, tr_cont="M" if nk else "D")


@pytest.mark.parametrize(("inquiry", "row"), [(period_profit, day_row()), (trade_profit, stock_row())])
@pytest.mark.parametrize(
    ("totals", "field"),
    [({"quantity": 20}, "수량"), ({"realised": 192}, "실현손익"), ({"realised": 188}, "실현손익")],
)
def test_rows_must_add_up_to_the_brokers_totals(inquiry, row, totals, field):
    session, _, _ = make_session(page(inquiry, row, **totals))
    with pytest.raises(KisReplyChanged, match=f"{field}.*빠진 쪽"):
        inquiry(session, first=FIRST, last=LAST)


@pytest.mark.parametrize(("inquiry", "row"), [(period_profit, day_row()), (trade_profit, stock_row())])
def test_profit_may_differ_by_a_won_a_row_from_rounding(inquiry, row):
    session, _, _ = make_session(page(inquiry, row, realised=191))
    assert inquiry(session, first=FIRST, last=LAST).totals.realised == 191


@pytest.mark.parametrize(("inquiry", "row"), [(period_profit, day_row()), (trade_profit, stock_row())])
def test_row_that_stands_twice_is_refused(inquiry, row):
    session, _, _ = make_session(page(inquiry, row, quantity=20, nk="1^"), page(inquiry, row, quantity=20))
    with pytest.raises(KisReplyChanged, match="두 번"):
        inquiry(session, first=FIRST, last=LAST)


def test_sale_between_two_pages_makes_the_inquiry_start_again():
    one, two = day_row("20261118"), day_row("20261119")
    session, script, _ = make_session(
        page(period_profit, one, quantity=10, realised=190, nk="1^"),
        page(period_profit, two, quantity=20, realised=380),
        page(period_profit, one, quantity=20, realised=380, nk="1^"),
        page(period_profit, two, quantity=20, realised=380),
    )
    found = period_profit(session, first=FIRST, last=LAST)
    assert [row.day.day for row in found.rows] == [18, 19]
    assert len(script.sent) == 4


def test_cash_and_loan_of_one_stock_stay_apart():
    session, script, _ = make_session(
        page(
            trade_profit,
            stock_row(),
            stock_row(trad_dvsn_name="자기융자", loan_dt="20261101"),
            quantity=20,
            realised=380,
        )
    )
    found = trade_profit(session, first=FIRST, last=LAST, code="005930")
    assert [row.kind for row in found.rows] == ["현금", "자기융자 20261101"]
    assert script.sent[0].params["PDNO"] == "005930"


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        ("005930", "005930"),
        ("00000A005930", "005930"),
        ("00000A0126Z0", "0126Z0"),
        ("00000Q520057", "Q520057"),
        ("Q520057", "Q520057"),
        ("F70100026", "F70100026"),
    ],
)
def test_code_comes_in_two_forms(wire, code):
    session, _, _ = make_session(page(trade_profit, stock_row(wire, prdt_name="")))
    [row] = trade_profit(session, first=FIRST, last=LAST).rows
    assert (row.code, row.name, row.cost_price) == (code, code, Decimal(100))


@pytest.mark.parametrize("wire", ["KR7005930003", "000000005930", "00000A00593000", ""])
def test_code_of_no_known_form_is_refused(wire):
    session, _, _ = make_session(page(trade_profit, stock_row(wire)))
    with pytest.raises(KisReplyChanged) as caught:
        trade_profit(session, first=FIRST, last=LAST)
    assert caught.value.field == "pdno"
