"""Assets of the account beyond its balance: by kind of asset, and with the profit realised today."""

from kis.client.codes import TR
from kis.simulator import wire
from kis.simulator.hours import settlement_day
from kis.simulator.ledger import Statement, commission, sale_tax
from kis.simulator.realised import stock_days, total
from kis.simulator.services import balance
from kis.simulator.services.base import ACCOUNT, Answer, Call, Service, ids_of

# Rows without labels, told apart by their place only (kis-api.md section 6.2).
STOCKS, DEPOSIT, TOTAL = 0, 17, 19
KINDS = 20
ONLY_ON_THE_BALANCE = ("item_mgna_rt_name", "grta_rt_name", "sbst_pric")
NONE_OF_THESE = (
    "loan_amt_smtl",
    "tot_lnda_tot_ulst_lnda",
    "cma_auto_loan_amt",
    "tot_mgln_amt",
    "stln_evlu_amt",
    "crdt_fncg_amt",
    "ocl_apl_loan_amt",
    "pldg_stup_amt",
    "frcr_evlu_tota",
    "cma_evlu_amt",
    "tot_sbst_amt",
    "thdt_rcvb_amt",
    "ovrs_stck_evlu_amt1",
    "ovrs_bond_evlu_amt",
    "mmf_cma_mgge_loan_amt",
    "sbsc_dncl_amt",
    "pbst_sbsc_fnds_loan_use_amt",
    "etpr_crdt_grnt_loan_amt",
)


def account_assets(call: Call) -> Answer:
    """Twenty rows by kind of asset, of which this account has stocks and cash; the real host only."""
    statement = balance.statement_of(call)
    whole, profit = statement.total, statement.value - statement.cost
    rows = [_kind(whole)] * KINDS
    rows[STOCKS] = _kind(whole, cost=statement.cost, value=statement.value, profit=profit)
    rows[DEPOSIT] = _kind(whole, value=statement.cash_settled)
    rows[TOTAL] = _kind(whole, cost=statement.cost, value=whole, profit=profit)
    body = {
        "output1": rows,
        "output2": {
            "pchs_amt_smtl": str(statement.cost),
            "nass_tot_amt": str(whole),
            "evlu_pfls_amt_smtl": str(profit),
            "evlu_amt_smtl": str(statement.value),
            "tot_asst_amt": str(whole),
            # The deposit is what has settled; its total counts what is still to settle, as the rows do.
            "tot_dncl_amt": str(statement.cash_settled),
            "dncl_amt": str(statement.cash),
            **dict.fromkeys(NONE_OF_THESE, "0"),
        },
        **wire.envelope(call.mode, more=False, last_message=("KIOK0530", "조회되었습니다")),
    }
    return Answer(body)


def _kind(whole: int, *, cost: int = 0, value: int = 0, profit: int = 0) -> wire.Json:
    return {
        "pchs_amt": str(cost),
        "evlu_amt": str(value),
        "evlu_pfls_amt": str(profit),
        "crdt_lnd_amt": "0",
        "real_nass_amt": str(value),
        "whol_weit_rt": wire.fixed(wire.percent(value, whole), 2) + "000000",
    }


def balance_with_profit(call: Call) -> Answer:
    """Answer with the balance and the profit realised today, 50 rows a page; the real host only.

    COST_ICLD_YN decides whether both profits are after costs: those of today's trades, and those of selling the rest.
    """
    statement = balance.statement_of(call)
    page = balance.page_of_holdings(call, statement)
    rows = [balance.holding_row(holding, call.mode) for holding in page.rows]
    for row in rows:
        for name in ONLY_ON_THE_BALANCE:
            del row[name]
    after_costs = call.params["COST_ICLD_YN"] == "Y"
    exchange = call.exchange
    parts = stock_days(
        call.account, splits=exchange.splits(), costs=exchange.costs, until=call.until
    ).values()
    today = total(part for part in parts if part.day == statement.day)
    realised = today.profit if after_costs else today.gross
    unrealised = statement.value - statement.cost - (_costs_of_selling(statement) if after_costs else 0)
    totals = balance.totals_row(statement, call.mode) | {
        "rlzt_pfls": str(realised),
        "rlzt_erng_rt": wire.fixed(wire.percent(realised, today.cost_of_sold), 8),
        "real_evlu_pfls": str(unrealised),
        "real_evlu_pfls_erng_rt": wire.fixed(wire.percent(unrealised, statement.cost), 8),
    }
    body = {
        **balance.cursors(call, page),
        "output1": rows,
        "output2": [totals],
        **wire.envelope(call.mode, more=page.more),
    }
    return Answer(body, page.more)


def _costs_of_selling(statement: Statement) -> int:
    """Return commission and tax if every holding were sold at its price today."""
    settles_on = settlement_day(statement.day)
    return sum(
        commission(holding.value) + sale_tax(holding.value, listing=holding.listing, settles_on=settles_on)
        for holding in statement.holdings
    )


SERVICES = (
    Service(
        TR.ACCOUNT_ASSETS.path,
        ids_of(TR.ACCOUNT_ASSETS),
        (*ACCOUNT, "INQR_DVSN_1", "BSPR_BF_DT_APLY_YN"),
        account_assets,
    ),
    Service(
        TR.BALANCE_REALISED.path,
        ids_of(TR.BALANCE_REALISED),
        (*balance.PARAMETERS, "COST_ICLD_YN"),
        balance_with_profit,
    ),
)
