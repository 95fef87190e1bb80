"""Orders that move money: buy, sell, amend, cancel; each rule's refusal in the words of its host."""

import re
from typing import cast

from kis.client.codes import OrderTR
from kis.simulator import wire
from kis.simulator.orders import LIMIT_ORDER, Order, Side
from kis.simulator.phases import KINDS, Venue
from kis.simulator.rules import Rule, Ticket, Violation
from kis.simulator.services.base import ACCOUNT, Answer, Call, Service, ids_of

NUMBER = re.compile(r"\s*([0-9]{1,10})(\.0*)?\s*")
VENUES = frozenset({"KRX", "NXT", "SOR"})
AMEND, CANCEL = "01", "02"

#: Real host, HTTP 200 and rt_cd 7 (kis-api.md section 11.2).
REAL_REFUSALS: dict[Rule, tuple[str, str]] = {
    "closed day": ("APBK0919", "장운영일자가 주문일과 상이합니다"),
    "before hours": ("APBK0918", "장운영시간이 아닙니다.(주문불가시간)"),
    "after hours": ("APBK0918", "장운영시간이 아닙니다.(장종료)"),
    "not in this phase": ("APBK0918", "장운영시간이 아닙니다.(주문구분 불가)"),
    "unknown kind": ("APBK0963", "주문구분코드 오류입니다."),
    "kind not offered": ("APBK0963", "주문구분코드 오류입니다."),
    "limit orders only": ("APBK3013", "[애프터마켓] 지정가 및 최유리/최우선지정가만 가능합니다."),
    "not traded there": ("APBK0918", "장운영시간이 아닙니다.(매매불가 종목)"),
    "unknown stock": ("APBK0656", "해당 종목 정보가 없습니다."),
    "no price": ("APBK0506", "주문단가를 확인하시기 바랍니다.(호가단위 오류)"),
    "tick": ("APBK0506", "호가단위 오류입니다."),
    "limits": ("APBK0506", "상/하한가를 벗어난 가격입니다.(호가 오류)"),
    "nothing held": ("APBK0400", "주문 가능한 수량을 초과했습니다."),
    "too many shares": ("APBK0400", "주문 가능한 수량을 초과했습니다."),
    "too little cash": ("APBK0952", "주문가능금액을 초과 했습니다"),
    "unknown order": ("APBK0927", "정정취소 가능수량이 없습니다.(원주문 없음)"),
    "nothing to change": ("APBK0927", "정정취소 가능수량이 없습니다."),
}
#: Paper host, HTTP 200 and rt_cd 1 (section 11.3).
PAPER_REFUSALS: dict[Rule, tuple[str, str]] = {
    "closed day": ("40100000", "모의투자 영업일이 아닙니다."),
    "before hours": ("40570000", "모의투자 장시작전 입니다."),
    "after hours": ("40580000", "모의투자 장종료 입니다."),
    "not in this phase": ("40580000", "모의투자 주문이 불가한 시간입니다."),
    "unknown kind": ("90000000", "모의투자에서는 해당업무가 제공되지 않습니다."),
    "kind not offered": ("90000000", "모의투자에서는 해당업무가 제공되지 않습니다."),
    "limit orders only": ("90000000", "모의투자에서는 해당업무가 제공되지 않습니다."),
    "not traded there": ("40070000", "모의투자 주문처리가 안되었습니다(매매불가 종목)"),
    "unknown stock": ("40070000", "모의투자 주문처리가 안되었습니다(매매불가 종목)"),
    "no price": ("40030000", "모의투자 주문처리가 안되었습니다(호가단위 오류)"),
    "tick": ("40030000", "모의투자 주문처리가 안되었습니다(호가단위 오류)"),
    "limits": ("40270000", "모의투자 주문처리가 안되었습니다(상/하한가 오류)"),
    "nothing held": ("40240000", "모의투자 잔고내역이 없습니다"),
    "too many shares": ("40240000", "모의투자 잔고내역이 없습니다(주문가능수량 초과)"),
    "too little cash": ("40250000", "모의투자 주문가능금액이 부족합니다."),
    "unknown order": ("40320000", "모의투자 원주문번호가 존재하지 않습니다."),
    "nothing to change": ("40330000", "모의투자 정정/취소할 수량이 없습니다."),
}


def buy(call: Call) -> Answer:
    """Take a buy order."""
    return _place(call, "buy")


def sell(call: Call) -> Answer:
    """Take a sell order."""
    return _place(call, "sell")


def amend_or_cancel(call: Call) -> Answer:
    """Change an open order; the reply carries the number of the request itself."""
    params = call.params
    if params["RVSE_CNCL_DVSN_CD"] not in {AMEND, CANCEL}:
        raise wire.invalid_field("RVSE_CNCL_DVSN_CD")
    number = _number(params, "ORGN_ODNO")
    takes_all = params["QTY_ALL_ORD_YN"].upper() == "Y"
    quantity = 0 if takes_all else _number(params, "ORD_QTY")
    if not takes_all and not quantity:
        raise wire.invalid_field("ORD_QTY")
    try:
        if params["RVSE_CNCL_DVSN_CD"] == AMEND:
            # Side, stock and venue are those of the order that is amended.
            ticket = _ticket(call, "buy", quantity=quantity, code="")
            order = call.exchange.amend(call.account, number, ticket, now=call.now, source="api")
        else:
            order = call.exchange.cancel(call.account, number, quantity, now=call.now, source="api")
    except Violation as violation:
        raise _refused(call, violation) from None
    return _receipt(call, order)


def _place(call: Call, side: Side) -> Answer:
    quantity = _number(call.params, "ORD_QTY")
    if not quantity:
        raise wire.invalid_field("ORD_QTY")
    try:
        ticket = _ticket(call, side, quantity=quantity, code=call.params["PDNO"])
        order = call.exchange.submit(call.account, ticket, now=call.now, source="api")
    except Violation as violation:
        raise _refused(call, violation) from None
    return _receipt(call, order)


def _ticket(call: Call, side: Side, *, quantity: int, code: str) -> Ticket:
    params = call.params
    kind = params["ORD_DVSN"] or LIMIT_ORDER
    if kind not in KINDS:
        raise Violation("unknown kind", f"없는 주문구분입니다: {kind}")
    venue = params["EXCG_ID_DVSN_CD"].upper() or "KRX"
    if venue not in VENUES:
        raise wire.invalid_field("EXCG_ID_DVSN_CD")
    has_own_price = KINDS[kind].pricing in {"limit", "stop"}
    return Ticket(
        side=side,
        code=code,
        quantity=quantity,
        price=_number(params, "ORD_UNPR") if has_own_price else 0,
        kind=kind,
        venue=cast("Venue", venue),
        trigger=_number(params, "CNDT_PRIC") if KINDS[kind].pricing == "stop" else 0,
    )


def _number(params: wire.Params, name: str) -> int:
    """Read a whole number; clients send padding, a blank for none, and now and then decimals of zero."""
    text = params[name]
    match = NUMBER.fullmatch(text)
    if text and match is None:
        raise wire.invalid_field(name)
    return int(match.group(1)) if match else 0


def _refused(call: Call, violation: Violation) -> wire.Refused:
    if call.mode == "real":
        return wire.Refused(*REAL_REFUSALS[violation.rule], rt_cd="7")
    return wire.Refused(*PAPER_REFUSALS[violation.rule])


def _receipt(call: Call, order: Order) -> Answer:
    paper = {"cancel": ("40630000", "취소"), "amend": ("40610000", "정정")}.get(
        order.action, ("40600000", "매수") if order.side == "buy" else ("40590000", "매도")
    )
    code, text = (
        ("APBK0013", "주문 전송 완료 되었습니다.")
        if call.mode == "real"
        else (paper[0], f"모의투자 {paper[1]}주문이 완료 되었습니다.")
    )
    body: wire.Json = {
        "rt_cd": "0",
        "msg_cd": code,
        "msg1": text,
        "output": {
            "KRX_FWDG_ORD_ORGNO": wire.BRANCH[call.mode],
            "ODNO": f"{order.number:010d}",
            "ORD_TMD": f"{order.placed_at:%H%M%S}",
            "SOR_ODNO": f"{order.number:010d}" if order.venue == "SOR" else "",
        },
    }
    return Answer(body)


NEW_ORDER = (*ACCOUNT, "PDNO", "ORD_DVSN", "ORD_QTY", "ORD_UNPR")
CHANGE = (
    *ACCOUNT,
    "ORGN_ODNO",
    "ORD_DVSN",
    "RVSE_CNCL_DVSN_CD",
    "ORD_QTY",
    "ORD_UNPR",
    "QTY_ALL_ORD_YN",
)
SERVICES = (
    Service(OrderTR.BUY.path, ids_of(OrderTR.BUY), NEW_ORDER, buy, method="POST"),
    Service(OrderTR.SELL.path, ids_of(OrderTR.SELL), NEW_ORDER, sell, method="POST"),
    Service(
        OrderTR.AMEND_OR_CANCEL.path, ids_of(OrderTR.AMEND_OR_CANCEL), CHANGE, amend_or_cancel, method="POST"
    ),
)
