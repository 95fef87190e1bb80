"""Realised profit of a period; the real host only (kis-api.md section 6)."""

from collections.abc import Callable, Hashable
from datetime import date

from kis.client.codes import TR
from kis.client.endpoints.paging import collect, refuse_other_sum, same_on_all_pages, steadily
from kis.client.protocol import Row
from kis.client.records.profit import DayProfit, Part, Profit, ProfitTotals, TradeProfit
from kis.client.session import Session

OLDEST_FIRST = "01"


def period_profit(session: Session, *, first: date, last: date) -> Profit[DayProfit]:
    """Trades and realised profit day by day, both days included. Fees and tax are final, unlike those of the balance.

    Raises KisReplyChanged when a day repeats or the days do not add up to the broker's own totals.
    https://apiportal.koreainvestment.com/apiservice-apiservice?/uapi/domestic-stock/v1/trading/inquire-period-profit
    """
    return steadily(
        lambda: profit_once(
            session,
            TR.PERIOD_PROFIT,
            {"INQR_DVSN": "00"},
            first=first,
            last=last,
            read=DayProfit.from_row,
            key=lambda row: row.day,
            bought_quantity="buy_qty_smtl",
        )
    )


def trade_profit(session: Session, *, first: date, last: date, code: str = "") -> Profit[TradeProfit]:
    """Trades and realised profit of each stock on each day, of one stock if `code` is given; otherwise as `period_profit`.

    https://apiportal.koreainvestment.com/apiservice-apiservice?/uapi/domestic-stock/v1/trading/inquire-period-trade-profit
    """
    return steadily(
        lambda: profit_once(
            session,
            TR.TRADE_PROFIT,
            {"PDNO": code},
            first=first,
            last=last,
            read=TradeProfit.from_row,
            key=lambda row: (row.day, row.code, row.kind),
            bought_quantity="buyqty_smtl",
        )
    )


def profit_once(
    session: Session,
    tr: TR,
    changes: dict[str, str],
    *,
    first: date,
    last: date,
    read: Callable[[Row], Part],
    key: Callable[[Part], Hashable],
    bought_quantity: str,
) -> Profit[Part]:
    params = {
        **session.environment.account.params(),
        "INQR_STRT_DT": f"{first:%Y%m%d}",
        "INQR_END_DT": f"{last:%Y%m%d}",
        "PDNO": "",
        "SORT_DVSN": OLDEST_FIRST,
        "CBLC_DVSN": "00",
        **changes,
    }
    rows, pages = collect(session, tr, params, rows="output1", read=read, key=key)
    totals = [ProfitTotals.from_row(page.one("output2"), bought_quantity=bought_quantity) for page in pages]
    tr_id = pages[0].tr_id
    # Shares are counted, not rounded, so a missing page cannot hide in them; a won a row is left to the profit.
    for field, what, unit, slack, ours, theirs in (
        (
            bought_quantity,
            "매수 수량",
            "주",
            0,
            "bought_quantity",
            [total.bought_quantity for total in totals],
        ),
        ("sll_qty_smtl", "매도 수량", "주", 0, "sold_quantity", [total.sold_quantity for total in totals]),
        ("tot_rlzt_pfls", "실현손익", "원", len(rows), "realised", [total.realised for total in totals]),
    ):
        refuse_other_sum(
            what,
            ours=sum(getattr(row, ours) for row in rows),
            theirs=same_on_all_pages(theirs, field=field, tr_id=tr_id),
            unit=unit,
            field=field,
            tr_id=tr_id,
            slack=slack,
        )
    return Profit(totals=totals[-1], rows=tuple(rows))
