"""Inquiries of the account: what it holds, what it ordered, what it can buy and sell (kis-api.md section 6)."""

from calendar import monthrange
from collections.abc import Hashable, Mapping
from datetime import date, timedelta

from kis.client.codes import TR, Mode
from kis.client.endpoints.paging import PagesMoved, collect, refuse_other_sum, same_on_all_pages, steadily
from kis.client.errors import KisReplyChanged
from kis.client.protocol import Reply, Row
from kis.client.records.assets import AccountAssets, AssetRecord, kinds_of
from kis.client.records.balance import Balance, BalanceTotals, HoldingRecord, RealisedBalance, Sellable
from kis.client.records.orders import OrderRecord, UnfilledRecord
from kis.client.session import Session

#: Rows of a full page (kis-api.md section 6).
ORDERS_PAGE: dict[Mode, int] = {"real": 100, "paper": 15}
UNFILLED_PAGE: dict[Mode, int] = {"real": 50}
MONTHS_IN_RECENT_STORE = 3


def balance(session: Session) -> Balance:
    """Every holding and the totals. Raises KisReplyChanged when the pages do not add up to the broker's own total.

    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-order#L_66c61080-674f-4c91-a0cc-db5e64e9a5e6
    """
    return steadily(lambda: balance_once(session))


def balance_once(session: Session) -> Balance:
    whole, _ = holdings_and_totals(session, TR.BALANCE, {"INQR_DVSN": "02"})
    return whole


def holdings_and_totals(session: Session, tr: TR, changes: Mapping[str, str]) -> tuple[Balance, Row]:
    """Return the balance of one inquiry, and the totals as they stand on its last page."""
    params = {
        **session.environment.account.params(),
        "AFHR_FLPR_YN": "N",
        "OFL_YN": "",
        "UNPR_DVSN": "01",
        "FUND_STTL_ICLD_YN": "N",
        "FNCG_AMT_AUTO_RDPT_YN": "N",
        "PRCS_DVSN": "00",
        **changes,
    }
    rows, pages = collect(
        session,
        tr,
        params,
        rows="output1",
        read=HoldingRecord.from_row,
        key=lambda row: (row.code, row.kind),
    )
    totals = [BalanceTotals.from_row(page.one("output2")) for page in pages]
    tr_id, field = pages[0].tr_id, "pchs_amt_smtl_amt"
    # Cost does not move with prices, so unlike the value it must fit across pages that are moments apart. The broker
    # may round each row: up to one won a row is left to the reconciliation to show.
    refuse_other_sum(
        "보유 종목의 매입금액",
        ours=sum(row.cost for row in rows),
        theirs=same_on_all_pages([total.cost for total in totals], field=field, tr_id=tr_id),
        unit="원",
        field=field,
        tr_id=tr_id,
        slack=len(rows),
    )
    by_code: dict[str, list[HoldingRecord]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(row)
    merged = tuple(HoldingRecord.merged(same) for same in by_code.values())
    return Balance(totals=totals[-1], rows=merged), pages[-1].one("output2")


def realised_balance(session: Session, *, after_costs: bool = False) -> RealisedBalance:
    """Return the balance together with today's profit, before or after fees and tax; the real host only.

    Raises KisReplyChanged as `balance` does.
    https://apiportal.koreainvestment.com/apiservice-apiservice?/uapi/domestic-stock/v1/trading/inquire-balance-rlz-pl
    """
    changes = {"INQR_DVSN": "00", "COST_ICLD_YN": "Y" if after_costs else "N"}

    def ask() -> RealisedBalance:
        whole, totals = holdings_and_totals(session, TR.BALANCE_REALISED, changes)
        return RealisedBalance.from_row(totals, whole)

    return steadily(ask)


def account_assets(session: Session) -> AccountAssets:
    """Every kind of asset of the account, overseas and funds included; the real host only.

    The rows have no labels on the wire: raises KisReplyChanged when there are not as many as there are kinds.
    https://apiportal.koreainvestment.com/apiservice-apiservice?/uapi/domestic-stock/v1/trading/inquire-account-balance
    """
    account = session.environment.account
    params = {**account.params(), "INQR_DVSN_1": "", "BSPR_BF_DT_APLY_YN": ""}
    reply = session.read(TR.ACCOUNT_ASSETS, params)
    rows, kinds = reply.rows("output1"), kinds_of(account.product_code)
    if len(rows) != len(kinds):
        raise KisReplyChanged(
            "output1",
            tr_id=reply.tr_id,
            problem=f"자산 종류가 {len(kinds)}줄이어야 하는데 {len(rows)}줄이 왔습니다",
        )
    records = (AssetRecord.from_row(row, kind) for row, kind in zip(rows, kinds, strict=True))
    return AccountAssets.from_row(reply.one("output2"), tuple(records))


def sellable_quantity(session: Session, *, code: str) -> Sellable:
    """Return what of one stock can be sold now, open sell orders taken off; zeros if none is held. The real host only.

    The reply is one object, called `output` and not `output1` as the specification prints.
    https://apiportal.koreainvestment.com/apiservice-apiservice?/uapi/domestic-stock/v1/trading/inquire-psbl-sell
    """
    row = session.read(TR.SELLABLE, {**session.environment.account.params(), "PDNO": code}).one("output")
    found = Sellable.from_row(row)
    if found.code != code:
        raise row.changed("pdno", f"{code} 대신 {found.code}의 수량이 왔습니다")
    return found


def daily_orders(
    session: Session, *, first: date, last: date, only_open: bool = False
) -> tuple[OrderRecord, ...]:
    """Orders from `first` to `last`, both included, at most three months back, oldest first.

    Raises KisReplyChanged when a row repeats or the fills do not add up to the broker's own total.
    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-order#L_bc51f9f7-146f-4971-a5ae-ebd574acec12
    """
    return steadily(
        lambda: orders_once(session, TR.DAILY_ORDERS, first=first, last=last, only_open=only_open)
    )


def whole_orders(session: Session, *, first: date, last: date) -> tuple[OrderRecord, ...]:
    """Orders as `daily_orders`, for those who draw conclusions from one that is missing.

    The totals of the broker count fills: a page without any can be left out unnoticed. A list of several pages is
    therefore read from both ends; raises KisReplyChanged where they do not show the same orders.
    """

    def ask() -> tuple[OrderRecord, ...]:
        orders, pages = pages_of_orders(session, TR.DAILY_ORDERS, first=first, last=last)
        if len(pages) > 1:
            backwards, _ = pages_of_orders(
                session, TR.DAILY_ORDERS, first=first, last=last, newest_first=True
            )
            if {order.key for order in orders} != {order.key for order in backwards}:
                problem = "앞에서 읽은 목록과 뒤에서 읽은 목록이 다릅니다. 빠진 쪽이 있을 수 있습니다"
                raise PagesMoved("odno", tr_id=pages[0].tr_id, problem=problem)
        return tuple(orders)

    return steadily(ask)


def old_orders(session: Session, *, first: date, last: date) -> tuple[OrderRecord, ...]:
    """Orders of more than three months ago, as `daily_orders`; from a slow store, best asked after 15:30."""
    return steadily(lambda: orders_once(session, TR.OLD_ORDERS, first=first, last=last))


def orders_between(session: Session, *, first: date, last: date, today: date) -> tuple[OrderRecord, ...]:
    """Orders from `first` to `last`, both included, from wherever the broker keeps them; oldest first.

    The slow store is asked for at most three months at a time. Which store has the very day three months ago is not
    documented, so both are asked for it, and the recent one is believed.
    """
    boundary = months_before(today, MONTHS_IN_RECENT_STORE)
    orders: dict[Hashable, OrderRecord] = {}
    begin = first
    while begin <= min(last, boundary):
        next_begin = months_before(begin, -MONTHS_IN_RECENT_STORE)
        end = min(next_begin - timedelta(days=1), last, boundary)
        orders |= {order.key: order for order in old_orders(session, first=begin, last=end)}
        begin = next_begin
    if last >= boundary:
        recent = daily_orders(session, first=max(first, boundary), last=last)
        orders |= {order.key: order for order in recent}
    return tuple(orders.values())


def months_before(day: date, months: int) -> date:
    """Return the same day of an earlier month (or of a later one), or that month's last day."""
    month = day.year * 12 + day.month - 1 - months
    last_day = monthrange(month // 12, month % 12 + 1)[1]
    return date(month // 12, month % 12 + 1, min(day.day, last_day))


def orders_once(
    session: Session, tr: TR, *, first: date, last: date, only_open: bool = False
) -> tuple[OrderRecord, ...]:
    orders, _ = pages_of_orders(session, tr, first=first, last=last, only_open=only_open)
    return tuple(orders)


def pages_of_orders(
    session: Session,
    tr: TR,
    *,
    first: date,
    last: date,
    only_open: bool = False,
    newest_first: bool = False,
) -> tuple[list[OrderRecord], list[Reply]]:
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
        "INQR_DVSN": "00" if newest_first else "01",
        "INQR_DVSN_1": "",
        "INQR_DVSN_3": "00",
    }
    if environment.tr_set == "current":
        params["EXCG_ID_DVSN_CD"] = "KRX" if environment.is_paper else "ALL"
    orders, pages = collect(
        session, tr, params, rows="output1", read=OrderRecord.from_row, key=lambda order: order.key
    )
    tr_id, totals = pages[0].tr_id, [page.one("output2") for page in pages]
    for field, what, ours, unit in (
        ("tot_ccld_qty", "체결 수량", sum(order.filled for order in orders), "주"),
        ("tot_ccld_amt", "체결 금액", sum(order.filled_amount for order in orders), "원"),
    ):
        theirs = same_on_all_pages([total.integer(field) for total in totals], field=field, tr_id=tr_id)
        refuse_other_sum(what, ours=ours, theirs=theirs, unit=unit, field=field, tr_id=tr_id)
    return orders, pages


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
