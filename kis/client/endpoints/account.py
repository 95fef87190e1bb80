"""Inquiries of the account: balance, orders of a day, open orders, buying power (kis-api.md section 6)."""

from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import date

from kis.client.codes import TR
from kis.client.errors import KisReplyChanged
from kis.client.protocol import Reply
from kis.client.records import Balance, BalanceTotals, HoldingRecord, OrderRecord, UnfilledRecord
from kis.client.session import Session

#: A trade between two pages of one inquiry makes them disagree; the whole inquiry is then asked again.
CONSISTENT_ATTEMPTS = 3


def refuse_repeated(keys: Iterable[Hashable], *, tr_id: str, field: str) -> None:
    """Raise KisReplyChanged when a row stands twice: a page was sent again in place of the next one."""
    if any(count > 1 for count in Counter(keys).values()):
        raise KisReplyChanged(field, tr_id=tr_id, problem="같은 줄이 두 번 왔습니다")


def balance(session: Session) -> Balance:
    """Every holding and the totals. Raises KisReplyChanged when the pages do not add up to the broker's own total.

    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-order#L_66c61080-674f-4c91-a0cc-db5e64e9a5e6
    """
    for attempt in range(1, CONSISTENT_ATTEMPTS + 1):
        try:
            return balance_once(session)
        except KisReplyChanged as error:
            if error.field not in {"pchs_amt_smtl_amt", "pdno"} or attempt == CONSISTENT_ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def balance_once(session: Session) -> Balance:
    params = {
        **session.environment.account.params(),
        "AFHR_FLPR_YN": "N",
        "OFL_YN": "",
        "INQR_DVSN": "02",
        "UNPR_DVSN": "01",
        "FUND_STTL_ICLD_YN": "N",
        "FNCG_AMT_AUTO_RDPT_YN": "N",
        "PRCS_DVSN": "00",
    }
    pages: list[Reply] = list(session.pages(TR.BALANCE, params))
    tr_id = pages[0].tr_id
    rows = tuple(HoldingRecord.from_row(row) for page in pages for row in page.rows("output1"))
    totals = [BalanceTotals.from_row(page.one("output2")) for page in pages]
    refuse_repeated((row.code for row in rows), tr_id=tr_id, field="pdno")
    # Cost does not move with prices, so unlike the value it must fit across pages that are moments apart. The broker
    # may round each row: up to one won a row is left to the reconciliation to show.
    ours, theirs = sum(row.cost for row in rows), totals[-1].cost
    if abs(ours - theirs) > len(rows) or any(total.cost != theirs for total in totals):
        raise KisReplyChanged(
            "pchs_amt_smtl_amt",
            tr_id=tr_id,
            problem=f"보유 종목의 매입금액 합 {ours:,}원이 증권사 합계 {theirs:,}원과 다릅니다. 빠지거나 겹친 쪽이 있습니다",
        )
    return Balance(totals=totals[-1], rows=rows)


def daily_orders(
    session: Session, *, first: date, last: date, only_open: bool = False
) -> tuple[OrderRecord, ...]:
    """Orders from `first` to `last`, both included, at most three months back, oldest first.

    Raises KisReplyChanged when a row repeats or the fills do not add up to the broker's own total.
    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-order#L_bc51f9f7-146f-4971-a5ae-ebd574acec12
    """
    for attempt in range(1, CONSISTENT_ATTEMPTS + 1):
        try:
            return daily_orders_once(session, first=first, last=last, only_open=only_open)
        except KisReplyChanged as error:
            if error.field not in {"tot_ccld_qty", "odno"} or attempt == CONSISTENT_ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def daily_orders_once(
    session: Session, *, first: date, last: date, only_open: bool
) -> tuple[OrderRecord, ...]:
    environment = session.environment
    params = {
        **environment.account.params(),
        "INQR_STRT_DT": f"{first:%Y%m%d}",
        "INQR_END_DT": f"{last:%Y%m%d}",
        "SLL_BUY_DVSN_CD": "00",
        "PDNO": "",
        "ORD_GNO_BRNO": "",
        "ODNO": "",
        "CCLD_DVSN": "02" if only_open else "00",
        "INQR_DVSN": "01",
        "INQR_DVSN_1": "",
        "INQR_DVSN_3": "00",
    }
    if environment.tr_set == "current":
        params["EXCG_ID_DVSN_CD"] = "KRX" if environment.is_paper else "ALL"
    pages = list(session.pages(TR.DAILY_ORDERS, params))
    tr_id = pages[0].tr_id
    orders = tuple(OrderRecord.from_row(row) for page in pages for row in page.rows("output1"))
    refuse_repeated((order.key for order in orders), tr_id=tr_id, field="odno")
    totals = pages[-1].one("output2")
    ours = sum(order.filled for order in orders)
    theirs = totals.quantity("tot_ccld_qty")
    if ours != theirs:
        raise totals.changed(
            "tot_ccld_qty",
            f"체결 수량 합 {ours:,}주가 증권사 합계 {theirs:,}주와 다릅니다. 빠지거나 겹친 쪽이 있습니다",
        )
    return orders


def unfilled_orders(session: Session, *, today: date) -> tuple[UnfilledRecord, ...]:
    """Orders waiting at the exchange now; on paper, which lacks the inquiry, from the daily orders of `today`.

    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-order#L_d4537e9c-73f7-414c-9fb0-4eae3bc397d0
    """
    if session.environment.is_paper:
        orders = daily_orders(session, first=today, last=today, only_open=True)
        return tuple(UnfilledRecord.from_order(order) for order in orders if order.remaining)
    params = {**session.environment.account.params(), "INQR_DVSN_1": "0", "INQR_DVSN_2": "0"}
    pages = list(session.pages(TR.UNFILLED, params))
    rows = tuple(UnfilledRecord.from_row(row) for page in pages for row in page.rows("output"))
    refuse_repeated(((row.branch, row.number) for row in rows), tr_id=pages[0].tr_id, field="odno")
    return rows


def orderable_cash(session: Session) -> int:
    """Won that can be ordered without a shortfall (미수).

    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-order#L_806e407c-3082-44c0-9d71-e8534db5ad54
    """
    params = {
        **session.environment.account.params(),
        "PDNO": "",
        "ORD_UNPR": "",
        "ORD_DVSN": "01",
        "CMA_EVLU_AMT_ICLD_YN": "N",
        "OVRS_ICLD_YN": "N",
    }
    return session.read(TR.BUYING_POWER, params).one("output").integer("nrcvb_buy_amt")
