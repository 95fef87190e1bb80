"""Prices: daily chart (kis-api.md section 8)."""

from datetime import date

from kis.client.codes import TR
from kis.client.errors import KisReplyChanged
from kis.client.protocol import Reply
from kis.client.records.charts import DailyBar, DailyChart
from kis.client.session import Session


def refuse_other_stock(reply: Reply, code: str) -> None:
    """Raise KisReplyChanged when the reply names another stock; an unknown code comes back blank."""
    head = reply.body.get("output1")
    named = str(head.get("stck_shrn_iscd") or "").strip() if isinstance(head, dict) else ""
    if named and not code.endswith(named):  # an ETN is asked for as Q500001 and may come back as 500001
        raise KisReplyChanged(
            "stck_shrn_iscd", tr_id=reply.tr_id, problem=f"{code} 대신 {named}의 일봉이 왔습니다"
        )


def daily_chart(session: Session, *, code: str, first: date, last: date) -> DailyChart:
    """Daily bars adjusted for splits, both days included.

    Ask for at most 100 trading days: beyond, the broker drops the oldest without a word.
    A bar that cannot be leaves the others alone; raises KisReplyChanged when none can be read or a day stands twice.
    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-quotations2#L_a08c3421-e50f-4f24-b1fe-64c12f723c77
    """
    params = {
        "FID_COND_MRKT_DIV_CODE": "J",
        "FID_INPUT_ISCD": code,
        "FID_INPUT_DATE_1": f"{first:%Y%m%d}",
        "FID_INPUT_DATE_2": f"{last:%Y%m%d}",
        "FID_PERIOD_DIV_CODE": "D",
        "FID_ORG_ADJ_PRC": "0",
    }
    reply = session.read(TR.DAILY_CHART, params)
    refuse_other_stock(reply, code)
    bars: dict[date, DailyBar] = {}
    errors = []
    for row in reply.rows("output2"):
        try:
            bar = DailyBar.from_row(row)
        except KisReplyChanged as error:
            errors.append(error)
            continue
        if bar.day in bars:
            raise row.changed("stck_bsop_date", f"{bar.day} 일봉이 두 번 왔습니다")
        if first <= bar.day <= last:
            bars[bar.day] = bar
    if errors and not bars:
        raise errors[0]
    return DailyChart(tuple(bars[day] for day in sorted(bars)), tuple(str(error) for error in errors))
