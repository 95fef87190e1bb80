"""Inquiries of the account: balance, orders of a day, open orders, buying power (kis-api.md section 6)."""

from collections.abc import Callable, Hashable, Mapping
from datetime import date
from typing import TypeVar

from kis.client.codes import TR, Mode
from kis.client.errors import KisReplyChanged
from kis.client.protocol import Reply, Row
from kis.client.records.balance import Balance, BalanceTotals, HoldingRecord
from kis.client.records.orders import OrderRecord, UnfilledRecord
from kis.client.session import Session

T = TypeVar("T")
#: A trade between two pages of one inquiry makes their totals differ; the whole inquiry is then asked again.
CONSISTENT_ATTEMPTS = 3
#: Rows of a full page (kis-api.md section 6).
ORDERS_PAGE: dict[Mode, int] = {"real": 100, "paper": 15}
UNFILLED_PAGE: dict[Mode, int] = {"real": 50}


class PagesMoved(KisReplyChanged):
    """The account changed while its pages were read."""


def collect(
    session: Session,
    tr: TR,
    params: Mapping[str, str],
    *,
    rows: str,
    read: Callable[[Row], T],
    key: Callable[[T], Hashable],
) -> tuple[list[T], list[Reply]]:
    """Return the records of all pages, and the pages.

    Raises KisReplyChanged as soon as a record stands twice: a page was sent again in place of the next one.
    """
    records: dict[Hashable, T] = {}
    pages = []
    for page in session.pages(tr, params):
        pages.append(page)
        for row in page.rows(rows):
            record = read(row)
            if key(record) in records:
                raise row.changed(rows, "같은 줄이 두 번 왔습니다. 쪽이 되풀이되었을 수 있습니다")
            records[key(record)] = record
    return list(records.values()), pages


def steadily(ask: Callable[[], T]) -> T:
    """Ask again while the account moves under the pages. Raises PagesMoved when it never stands still."""
    for _ in range(CONSISTENT_ATTEMPTS - 1):
        try:
            return ask()
        except PagesMoved:
            continue
    return ask()


def same_on_all_pages(totals: list[int], *, field: str, tr_id: str) -> int:
    """Return the total that every page repeats. Raises PagesMoved when they differ."""
    if len(set(totals)) > 1:
        raise PagesMoved(
            field, tr_id=tr_id, problem="조회하는 동안 계좌가 계속 바뀌었습니다. 잠시 후 다시 시도해 주세요"
        )
    return totals[0]


def balance(session: Session) -> Balance:
    """Every holding and the totals. Raises KisReplyChanged when the pages do not add up to the broker's own total.

    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-order#L_66c61080-674f-4c91-a0cc-db5e64e9a5e6
    """
    return steadily(lambda: balance_once(session))


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
    rows, pages = collect(
        session,
        TR.BALANCE,
        params,
        rows="output1",
        read=HoldingRecord.from_row,
        key=lambda row: (row.code, row.kind),
    )
    totals = [BalanceTotals.from_row(page.one("output2")) for page in pages]
    tr_id = pages[0].tr_id
    # Cost does not move with prices, so unlike the value it must fit across pages that are moments apart. The broker
    # may round each row: up to one won a row is left to the reconciliation to show.
    theirs = same_on_all_pages([total.cost for total in totals], field="pchs_amt_smtl_amt", tr_id=tr_id)
    ours = sum(row.cost for row in rows)
    if abs(ours - theirs) > len(rows):
        raise KisReplyChanged(
            "pchs_amt_smtl_amt",
            tr_id=tr_id,
            problem=f"보유 종목의 매입금액 합 {ours:,}원이 증권사 합계 {theirs:,}원과 다릅니다. 빠진 쪽이 있을 수 있습니다",
        )
    by_code: dict[str, list[HoldingRecord]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(row)
    return Balance(totals=totals[-1], rows=tuple(HoldingRecord.merged(same) for same in by_code.values()))


def daily_orders(
    session: Session, *, first: date, last: date, only_open: bool = False
) -> tuple[OrderRecord, ...]:
    """Orders from `first` to `last`, both included, at most three months back, oldest first.

    Raises KisReplyChanged when a row repeats or the fills do not add up to the broker's own total.
    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-order#L_bc51f9f7-146f-4971-a5ae-ebd574acec12
    """
    return steadily(lambda: daily_orders_once(session, first=first, last=last, only_open=only_open))


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
    orders, pages = collect(
        session,
        TR.DAILY_ORDERS,
        params,
        rows="output1",
        read=OrderRecord.from_row,
        key=lambda order: order.key,
    )
    tr_id, totals = pages[0].tr_id, [page.one("output2") for page in pages]
    for field, ours, unit in (
        ("tot_ccld_qty", sum(order.filled for order in orders), "주"),
        ("tot_ccld_amt", sum(order.filled_amount for order in orders), "원"),
    ):
        theirs = same_on_all_pages([total.integer(field) for total in totals], field=field, tr_id=tr_id)
        if ours != theirs:
            raise KisReplyChanged(
                field,
                tr_id=tr_id,
                problem=f"체결 합계 {ours:,}{unit}가 증권사 합계 {theirs:,}{unit}와 다릅니다. 빠진 쪽이 있을 수 있습니다",
            )
    return tuple(orders)


def unfilled_orders(session: Session, *, today: date) -> tuple[UnfilledRecord, ...]:
    """Orders waiting at the exchange now; on paper, which lacks the inquiry, from the daily orders of `today`.

    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-order#L_d4537e9c-73f7-414c-9fb0-4eae3bc397d0
    """
    if session.environment.is_paper:
        orders = daily_orders(session, first=today, last=today, only_open=True)
        return tuple(UnfilledRecord.from_order(order) for order in orders if order.remaining)
    params = {**session.environment.account.params(), "INQR_DVSN_1": "0", "INQR_DVSN_2": "0"}
    rows, _ = collect(
        session,
        TR.UNFILLED,
        params,
        rows="output",
        read=UnfilledRecord.from_row,
        key=lambda row: (row.branch, row.number),
    )
    return tuple(rows)


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
