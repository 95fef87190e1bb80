"""Inquiries about overseas stocks, which some clients make in passing: this broker's accounts hold none."""

from collections.abc import Callable

from kis.simulator import wire
from kis.simulator.services.base import ACCOUNT, Answer, Call, Service

TRADING = "/uapi/overseas-stock/v1/trading"
CURSOR_BYTES = 200
CURRENCIES = {"SEHK": "HKD", "SHAA": "CNY", "SZAA": "CNY", "TKSE": "JPY", "HASE": "VND", "VNSE": "VND"}

NO_PROFIT: wire.Json = {
    "frcr_pchs_amt1": "0.00000",
    "ovrs_rlzt_pfls_amt": "0.00000",
    "ovrs_tot_pfls": "0.00000",
    "rlzt_erng_rt": "0.00000000",
    "tot_evlu_pfls_amt": "0.00000000",
    "tot_pftrt": "0.00000000",
    "frcr_buy_amt_smtl1": "0.000000",
    "ovrs_rlzt_pfls_amt2": "0.00000",
    "frcr_buy_amt_smtl2": "0.000000",
}
NO_ASSETS: wire.Json = {
    "pchs_amt_smtl": "0",
    "evlu_amt_smtl": "0",
    "evlu_pfls_amt_smtl": "0",
    "dncl_amt": "0",
    "cma_evlu_amt": "0",
    "tot_dncl_amt": "0",
    "etc_mgna": "0",
    "wdrw_psbl_tot_amt": "0",
    "frcr_evlu_tota": "0",
    "evlu_erng_rt1": "0.0000000000",
    "pchs_amt_smtl_amt": "0",
    "evlu_amt_smtl_amt": "0",
    "tot_evlu_pfls_amt": "0.00000000",
    "tot_asst_amt": "0",
    "buy_mgn_amt": "0",
    "mgna_tota": "0",
    "frcr_use_psbl_amt": "0.00",
    "ustl_sll_amt_smtl": "0",
    "ustl_buy_amt_smtl": "0",
    "tot_frcr_cblc_smtl": "0.000000",
    "tot_loan_amt": "0",
}
NO_BUYING_POWER: wire.Json = {
    "ord_psbl_frcr_amt": "0.00",
    "sll_ruse_psbl_amt": "0.00",
    "ovrs_ord_psbl_amt": "0.00",
    "max_ord_psbl_qty": "0",
    "echm_af_ord_psbl_amt": "0.00",
    "echm_af_ord_psbl_qty": "0",
    "ord_psbl_qty": "0",
    "exrt": "0.0000000000",
    "frcr_ord_psbl_amt1": "0.000000",
    "ovrs_max_ord_psbl_qty": "0",
}


def holdings(call: Call) -> Answer:
    return _paged(call, {"output1": [], "output2": NO_PROFIT}, "OVRS_EXCG_CD", "TR_CRCY_CD")


def present_balance(call: Call) -> Answer:
    return _single(call, {"output1": [], "output2": [], "output3": NO_ASSETS})


def orders(call: Call) -> Answer:
    return _paged(call, {"output": []}, "PDNO", "ORD_STRT_DT", "ORD_END_DT", "SLL_BUY_DVSN", "CCLD_NCCS_DVSN")


def open_orders(call: Call) -> Answer:
    return _paged(call, {"output": []}, "OVRS_EXCG_CD", "SORT_SQN")


def buying_power(call: Call) -> Answer:
    currency = CURRENCIES.get(call.params["OVRS_EXCG_CD"], "USD")
    return _single(call, {"output": {"tr_crcy_cd": currency, **NO_BUYING_POWER}})


def price(call: Call) -> Answer:
    """Every stock abroad is one that the quotation server does not know."""
    body: wire.Json = {
        "output": {
            "rsym": f"D{call.params['EXCD']}{call.params['SYMB']}",
            "zdiv": "4",
            "base": "0.0000",
            "pvol": "0",
            "last": "0.0000",
            "sign": "3",
            "diff": "0.0000",
            "rate": "0.00",
            "tvol": "0",
            "tamt": "0",
            "ordy": "",
        },
        "rt_cd": "0",
        "msg_cd": "MCA00000",
        "msg1": "정상처리 되었습니다.",
    }
    return Answer(body)


def _single(call: Call, outputs: wire.Json) -> Answer:
    return Answer({**outputs, **wire.envelope(call.mode, more=False)})


def _paged(call: Call, outputs: wire.Json, *conditions: str) -> Answer:
    echoed = "".join(f"{call.params[name]}!^" for name in (*ACCOUNT, *conditions))
    cursors: wire.Json = {
        "ctx_area_fk200": wire.padded(echoed, CURSOR_BYTES),
        "ctx_area_nk200": wire.padded("", CURSOR_BYTES),
    }
    return Answer({**cursors, **outputs, **wire.envelope(call.mode, more=False)})


def _of_account(name: str, real: str, paper: str, answer: Callable[[Call], Answer]) -> Service:
    # Nothing but the account is insisted on: whoever asks in passing must not fail here (kis-api.md section 18).
    return Service(f"{TRADING}/{name}", {"real": (real,), "paper": (paper,)}, ACCOUNT, answer)


SERVICES = (
    _of_account("inquire-balance", "TTTS3012R", "VTTS3012R", holdings),
    _of_account("inquire-present-balance", "CTRP6504R", "VTRP6504R", present_balance),
    _of_account("inquire-ccnl", "TTTS3035R", "VTTS3035R", orders),
    _of_account("inquire-nccs", "TTTS3018R", "VTTS3018R", open_orders),
    _of_account("inquire-psamount", "TTTS3007R", "VTTS3007R", buying_power),
    Service(
        "/uapi/overseas-price/v1/quotations/price",
        {"real": ("HHDFS00000300",), "paper": ("HHDFS00000300",)},
        (),
        price,
        of_account=False,
    ),
)
