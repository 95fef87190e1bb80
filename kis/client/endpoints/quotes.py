"""Prices: daily chart (kis-api.md section 8)."""

from datetime import date
from itertools import pairwise

from kis.client.codes import TR
from kis.client.records import DailyBar
from kis.client.session import Session

#: The broker returns at most this many bars a call and drops the older ones without a word.
MAX_BARS = 100


def daily_chart(session: Session, *, code: str, first: date, last: date) -> tuple[DailyBar, ...]:
    """Daily bars adjusted for splits, oldest first, both days included. Ask for at most MAX_BARS trading days.

    Raises KisReplyChanged for a bar that cannot be, or a day that stands twice.
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
    bars = sorted((DailyBar.from_row(row) for row in reply.rows("output2")), key=lambda bar: bar.day)
    for earlier, later in pairwise(bars):
        if earlier.day == later.day:
            raise reply.one("output1").changed("stck_bsop_date", f"{later.day} 일봉이 두 번 왔습니다")
    return tuple(bar for bar in bars if first <= bar.day <= last)
