"""Orders as lists: those of a period, and those still open."""

import re
from datetime import date, timedelta
from decimal import Decimal

from kis.client.codes import TR, Mode
from kis.simulator import wire
from kis.simulator.orders import Order
from kis.simulator.services.base import ACCOUNT, CURSORS, Answer, Call, Service, ids_of

DAY = re.compile(r"[0-9]{8}")
MONTHS_IN_RECENT_STORE = 3
CONDITIONS = {"day": "없음", "ioc": "IOC", "fok": "FOK"}
VENUES = {"KRX": "한국거래소", "NXT": "넥스트레이드", "SOR": "SOR"}
ACTIONS = {"order": "", "amend": "정정*", "cancel": "취소*"}


def recent_orders(call: Call) -> Answer:
    """Orders of the last three months, 100 rows a page (paper 15)."""
    return _orders(call, since=_three_months_before(call.now.date()), until=date.max)


def older_orders(call: Call) -> Answer:
    """Orders older than three months, from the slower store."""
    return _orders(call, since=date.min, until=_three_months_before(call.now.date()) - timedelta(days=1))


def _three_months_before(day: date) -> date:
    month = day.year * 12 + day.month - 1 - MONTHS_IN_RECENT_STORE
    first = date(month // 12, month % 12 + 1, 1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return min(first + timedelta(days=day.day - 1), next_month - timedelta(days=1))


def _orders(call: Call, *, since: date, until: date) -> Answer:
    params = call.params
    for name in ("INQR_STRT_DT", "INQR_END_DT"):
        if not DAY.fullmatch(params[name]):
            raise wire.invalid_field(name)
    seen = [order.as_seen(call.until) for order in call.account.orders if order.placed_at <= call.until]
    found = [
        order for order in seen if since <= order.day <= until and _is_asked_for(order, params, call.mode)
    ]
    page = wire.cut_page(
        found,
        key=lambda order: f"{order.day:%Y%m%d}{order.number:010d}",
        cursor=params["CTX_AREA_NK100"],
        size=100 if call.mode == "real" else 15,
        descending=params["INQR_DVSN"] != "01",
        disturb=call.disturb,
    )
    names = (
        "CANO",
        "ACNT_PRDT_CD",
        "INQR_STRT_DT",
        "INQR_END_DT",
        "SLL_BUY_DVSN_CD",
        "INQR_DVSN",
        "PDNO",
        "CCLD_DVSN",
    )
    conditions = "".join(f"{params[name]}!^" for name in names)
    quantity = sum(order.filled for order in found)
    amount = sum(order.amount for order in found)
    body = {
        **wire.cursors(conditions, page.resume),
        "output1": [_order(order, call) for order in page.rows],
        "output2": {
            "tot_ord_qty": str(sum(order.quantity for order in found)),
            "tot_ccld_qty": str(quantity),
            "tot_ccld_amt": str(amount),
            "prsm_tlex_smtl": str(sum(call.exchange.costs(order, order.amount) for order in found)),
            "pchs_avg_pric": wire.fixed(Decimal(amount) / quantity if quantity else 0, 4),
        },
        **wire.envelope(
            call.mode, more=page.more, last_message=("KIOK0460", "조회 되었습니다. (마지막 자료)")
        ),
    }
    return Answer(body, page.more)


def _is_asked_for(order: Order, params: wire.Params, mode: Mode) -> bool:
    """Compare as text: dates and codes have a fixed width, and values outside the lists mean everything."""
    side = {"01": "sell", "02": "buy"}.get(params["SLL_BUY_DVSN_CD"], order.side)
    has_state = {"01": order.filled > 0, "02": order.remaining > 0}.get(params["CCLD_DVSN"], True)
    number = params["ODNO"].lstrip("0")
    return (
        params["INQR_STRT_DT"] <= f"{order.day:%Y%m%d}" <= params["INQR_END_DT"]
        and order.side == side
        and has_state
        and params["PDNO"] in {"", order.code}
        and number in {"", str(order.number)}
        and params["ORD_GNO_BRNO"] in {"", wire.BRANCH[mode]}
        and params["INQR_DVSN_3"] in {"", "00", "01"}
        and params["EXCG_ID_DVSN_CD"] in {"", "ALL", order.venue, "SOR"}
    )


def _order(order: Order, call: Call) -> wire.Json:
    return {
        "ord_dt": f"{order.day:%Y%m%d}",
        "ord_gno_brno": wire.BRANCH[call.mode],
        "odno": f"{order.number:010d}",
        "orgn_odno": _origin(order),
        "ord_dvsn_name": order.division.name,
        "sll_buy_dvsn_cd": _side_code(order),
        "sll_buy_dvsn_cd_name": _side_name(order),
        "pdno": order.code,
        "prdt_name": call.exchange.market.listings[order.code].name,
        "ord_qty": str(order.quantity),
        "ord_unpr": str(order.price),
        "ord_tmd": f"{order.placed_at:%H%M%S}",
        "tot_ccld_qty": str(order.filled),
        "avg_prvs": _average(order),
        "cncl_yn": "Y" if order.cancelled and not order.remaining else "",
        "tot_ccld_amt": str(order.amount),
        "loan_dt": "",
        "ordr_empno": "OpnAPI" if order.source == "api" else "MOBILE",
        "ord_dvsn_cd": order.kind,
        "cncl_cfrm_qty": str(order.cancelled),
        "rmn_qty": str(order.remaining),
        "rjct_qty": "0",
        "ccld_cndt_name": CONDITIONS[order.division.life],
        "inqr_ip_addr": "",
        "cpbc_ordp_ord_rcit_dvsn_cd": "",
        "cpbc_ordp_infm_mthd_dvsn_cd": "",
        "infm_tmd": f"{order.fills[-1].at:%H%M%S}" if order.fills else "",
        "ctac_tlno": "",
        "prdt_type_cd": "300",
        "excg_dvsn_cd": "12" if order.venue == "SOR" else "02",
        "cpbc_ordp_mtrl_dvsn_cd": "",
        "ord_orgno": "00000",
        "rsvn_ord_end_dt": "",
        "excg_id_dvsn_cd": order.venue,
        "stpm_cndt_pric": str(order.trigger),
        "stpm_efct_occr_dtmd": "",
    }


def _side_code(order: Order) -> str:
    return "02" if order.side == "buy" else "01"


def _side_name(order: Order) -> str:
    side = "매수" if order.side == "buy" else "매도"
    return f"{side}{ACTIONS[order.action]}" if order.origin else f"현금{side}"


def _origin(order: Order) -> str:
    return f"{order.origin:010d}" if order.origin else ""


def _average(order: Order) -> str:
    """Write the average fill price: whole won where it is, decimals after fills at several prices."""
    if not order.filled:
        return "0"
    average = Decimal(order.amount) / order.filled
    return str(int(average)) if average == int(average) else wire.fixed(average, 4)


def open_orders(call: Call) -> Answer:
    """Today's orders that can still be amended or cancelled, 50 rows a page; the real host only."""
    params = call.params
    side = {"1": "sell", "2": "buy"}.get(params["INQR_DVSN_2"])
    by_code = params["INQR_DVSN_1"] == "1"
    seen = [order.as_seen(call.until) for order in call.account.orders if order.placed_at <= call.until]
    orders = [order for order in seen if order.is_open(call.now) and side in {None, order.side}]
    page = wire.cut_page(
        orders,
        key=lambda order: f"{order.code if by_code else ''}{order.number:010d}",
        cursor=params["CTX_AREA_NK100"],
        size=50,
        disturb=call.disturb,
    )
    conditions = f"{params['CANO']}^{params['ACNT_PRDT_CD']}^"
    body = {
        **wire.cursors(conditions, page.resume),
        "output": [_open_order(order, call) for order in page.rows],
        **wire.envelope(call.mode, more=page.more),
    }
    return Answer(body, page.more)


def _open_order(order: Order, call: Call) -> wire.Json:
    return {
        "ord_gno_brno": wire.BRANCH[call.mode],
        "odno": f"{order.number:010d}",
        "orgn_odno": _origin(order),
        "ord_dvsn_name": order.division.name,
        "pdno": order.code,
        "prdt_name": call.exchange.market.listings[order.code].name,
        "rvse_cncl_dvsn_name": _side_name(order),
        "ord_qty": str(order.quantity),
        "ord_unpr": str(order.price),
        "ord_tmd": f"{order.placed_at:%H%M%S}",
        "tot_ccld_qty": str(order.filled),
        "tot_ccld_amt": str(order.amount),
        "psbl_qty": str(order.remaining),
        "sll_buy_dvsn_cd": _side_code(order),
        "ord_dvsn_cd": order.kind,
        "mgco_aptm_odno": "",
        "excg_dvsn_cd": "12" if order.venue == "SOR" else "02",
        "excg_id_dvsn_cd": order.venue,
        "excg_id_dvsn_name": VENUES[order.venue],
        "stpm_cndt_pric": str(order.trigger),
        "stpm_efct_occr_yn": "Y" if order.trigger and not order.asleep else "N",
    }


ORDER_FILTERS = (
    "INQR_STRT_DT",
    "INQR_END_DT",
    "SLL_BUY_DVSN_CD",
    "INQR_DVSN",
    "PDNO",
    "CCLD_DVSN",
    "ORD_GNO_BRNO",
    "ODNO",
    "INQR_DVSN_3",
    "INQR_DVSN_1",
)
SERVICES = (
    Service(
        TR.DAILY_ORDERS.path, ids_of(TR.DAILY_ORDERS), (*ACCOUNT, *ORDER_FILTERS, *CURSORS), recent_orders
    ),
    Service(TR.OLD_ORDERS.path, ids_of(TR.OLD_ORDERS), (*ACCOUNT, *ORDER_FILTERS, *CURSORS), older_orders),
    Service(
        TR.UNFILLED.path, ids_of(TR.UNFILLED), (*ACCOUNT, *CURSORS, "INQR_DVSN_1", "INQR_DVSN_2"), open_orders
    ),
)
