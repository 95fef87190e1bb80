"""The balance: holdings and totals of an account."""

from kis.client.codes import TR, Mode
from kis.simulator import wire
from kis.simulator.ledger import Holding, Statement
from kis.simulator.listings import margin_percent
from kis.simulator.services.base import ACCOUNT, CURSORS, Answer, Call, Service, ids_of

COLLATERAL_PERCENT = 78


def balance(call: Call) -> Answer:
    """Answer with holdings and totals, 50 rows a page (paper 20)."""
    statement = statement_of(call)
    page = page_of_holdings(call, statement)
    body = {
        **cursors(call, page),
        "output1": [holding_row(holding, call.mode) for holding in page.rows],
        "output2": [totals_row(statement, call.mode)],
        **wire.envelope(call.mode, more=page.more),
    }
    return Answer(body, page.more)


def statement_of(call: Call) -> Statement:
    """Return the account as this call may see it."""
    return call.exchange.statement(call.account, call.now, until=call.until if call.hidden_for else None)


def page_of_holdings(call: Call, statement: Statement) -> wire.Page[Holding]:
    return wire.cut_page(
        statement.holdings,
        key=lambda holding: holding.listing.code,
        cursor=call.params["CTX_AREA_NK100"],
        size=50 if call.mode == "real" else 20,
        disturb=call.disturb,
    )


def cursors(call: Call, page: wire.Page[Holding]) -> wire.Json:
    names = ("CANO", "ACNT_PRDT_CD", "AFHR_FLPR_YN", "OFL_YN", "INQR_DVSN", "UNPR_DVSN", "FUND_STTL_ICLD_YN")
    return wire.cursors("".join(f"{call.params[name] or 'N'}^" for name in names), page.resume)


def holding_row(holding: Holding, mode: Mode) -> wire.Json:
    profit = holding.value - holding.lot.cost
    rate = wire.percent(profit, holding.lot.cost)
    change = holding.price - holding.base
    return {
        "pdno": holding.listing.code,
        "prdt_name": holding.listing.name,
        "trad_dvsn_name": "현금",
        "bfdy_buy_qty": str(holding.yesterday.bought_quantity),
        "bfdy_sll_qty": str(holding.yesterday.sold_quantity),
        "thdt_buyqty": str(holding.today.bought_quantity),
        "thdt_sll_qty": str(holding.today.sold_quantity),
        "hldg_qty": str(holding.lot.quantity),
        "ord_psbl_qty": str(holding.orderable),
        "pchs_avg_pric": wire.fixed(holding.lot.average, 4),
        "pchs_amt": str(holding.lot.cost),
        "prpr": str(holding.price),
        "evlu_amt": str(holding.value),
        "evlu_pfls_amt": str(profit),
        "evlu_pfls_rt": wire.fixed(rate, 2),
        "evlu_erng_rt": wire.fixed(rate if mode == "paper" else 0, 8),
        "loan_dt": "",
        "loan_amt": "0",
        "stln_slng_chgs": "0",
        "expd_dt": "",
        "fltt_rt": wire.fixed(wire.percent(change, holding.base), 2) + "000000",
        "bfdy_cprs_icdc": str(change),
        "item_mgna_rt_name": f"{margin_percent(holding.listing)}%",
        "grta_rt_name": "45%" if holding.listing.market == "KOSPI" else "",
        "sbst_pric": str(holding.base * COLLATERAL_PERCENT // 1000 * 10),
        "stck_loan_unpr": "0.0000",
    }


def totals_row(statement: Statement, mode: Mode) -> wire.Json:
    change = statement.total - statement.previous_total
    return {
        "dnca_tot_amt": str(statement.cash),
        "nxdy_excc_amt": str(statement.cash_next_day),
        "prvs_rcdl_excc_amt": str(statement.cash_settled),
        "cma_evlu_amt": "0",
        "bfdy_buy_amt": str(statement.yesterday.bought_amount),
        "thdt_buy_amt": str(statement.today.bought_amount),
        "nxdy_auto_rdpt_amt": "0",
        "bfdy_sll_amt": str(statement.yesterday.sold_amount),
        "thdt_sll_amt": str(statement.today.sold_amount),
        "d2_auto_rdpt_amt": "0",
        "bfdy_tlex_amt": str(statement.yesterday.costs),
        "thdt_tlex_amt": str(statement.today.costs),
        "tot_loan_amt": "0",
        "scts_evlu_amt": str(statement.value),
        "tot_evlu_amt": str(statement.total),
        "nass_amt": str(statement.total),
        "fncg_gld_auto_rdpt_yn": "",
        "pchs_amt_smtl_amt": str(statement.cost),
        "evlu_amt_smtl_amt": str(statement.value),
        "evlu_pfls_smtl_amt": str(statement.value - statement.cost),
        "tot_stln_slng_chgs": "0",
        "bfdy_tot_asst_evlu_amt": str(statement.previous_total),
        "asst_icdc_amt": str(change),
        "asst_icdc_erng_rt": wire.fixed(
            wire.percent(change, statement.previous_total) if mode == "paper" else 0, 8
        ),
    }


PARAMETERS = (
    *ACCOUNT,
    "AFHR_FLPR_YN",
    "OFL_YN",
    "INQR_DVSN",
    "UNPR_DVSN",
    "FUND_STTL_ICLD_YN",
    "FNCG_AMT_AUTO_RDPT_YN",
    "PRCS_DVSN",
    *CURSORS,
)
SERVICES = (Service(TR.BALANCE.path, ids_of(TR.BALANCE), PARAMETERS, balance),)
