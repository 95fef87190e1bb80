"""Charts of stocks and indices, oldest bar first (kis-api.md section 8)."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from kis.client.auth import SEOUL
from kis.client.codes import TR
from kis.client.endpoints.quotes import refuse_unknown
from kis.client.errors import KisReplyChanged
from kis.client.protocol import Reply
from kis.client.records.charts import DailyBar, DailyChart, IndexBar, IndexChart, MinuteBar, MinuteChart
from kis.client.session import Session

OPENING = time(9, 0)
#: After the last trade of any session.
END_OF_DAY = time(20, 0)
#: Rows of a full page.
TODAY_ROWS, PAST_ROWS = 30, 120
#: 50 or 100: fewer can only be the last page (kis-api.md section 17).
INDEX_ROWS = 50


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


def minute_chart(
    session: Session, *, code: str, day: date, now: datetime, since: time = OPENING
) -> MinuteChart:
    """Return the minutes of one day on the KRX from `since` on, oldest first, from the inquiry that has that day.

    Minutes the broker does not list are not there: nothing is filled in, and nothing after `now`. The minute of `now` is
    marked as forming. A bar that cannot be leaves the others alone, as in `daily_chart`. Raises UnknownCode, and
    KisReplyChanged when no bar can be read, a minute stands twice or the pages do not go back; for a past day, which paper
    does not offer, NotOffered.
    """
    inquiry = minutes_of_today if day == now.astimezone(SEOUL).date() else minutes_of_past_day
    return inquiry(session, code=code, day=day, now=now, since=since)


def minutes_of_today(
    session: Session, *, code: str, day: date, now: datetime, since: time = OPENING
) -> MinuteChart:
    """Return today's minutes, 30 a call; see `minute_chart`. The broker fills the future with the current price.

    https://apiportal.koreainvestment.com/apiservice/apiservice-domestic-stock-quotations2#L_eddbb36a-1d55-461a-b242-3067ba1e5640
    """

    def ask(at: datetime) -> Reply:
        params = {
            "FID_ETC_CLS_CODE": "",
            "FID_COND_MRKT_DIV_CODE": "J",
            "FID_INPUT_ISCD": code,
            "FID_INPUT_HOUR_1": f"{at:%H%M%S}",
            "FID_PW_DATA_INCU_YN": "N",
        }
        return session.read(TR.TODAY_MINUTES, params)

    return walk_back(ask, code=code, day=day, now=now, since=since, full_page=TODAY_ROWS)


def minutes_of_past_day(
    session: Session, *, code: str, day: date, now: datetime, since: time = OPENING
) -> MinuteChart:
    """Return the minutes of a day up to about a year ago, 120 a call; see `minute_chart`. The real host only.

    https://apiportal.koreainvestment.com/apiservice-apiservice?/uapi/domestic-stock/v1/quotations/inquire-time-dailychartprice
    """

    def ask(at: datetime) -> Reply:
        params = {
            "FID_COND_MRKT_DIV_CODE": "J",
            "FID_INPUT_ISCD": code,
            "FID_INPUT_HOUR_1": f"{at:%H%M%S}",
            "FID_INPUT_DATE_1": f"{day:%Y%m%d}",
            "FID_PW_DATA_INCU_YN": "Y",
            "FID_FAKE_TICK_INCU_YN": "",
        }
        return session.read(TR.PAST_MINUTES, params)

    return walk_back(ask, code=code, day=day, now=now, since=since, full_page=PAST_ROWS)


def walk_back(
    ask: Callable[[datetime], Reply], *, code: str, day: date, now: datetime, since: time, full_page: int
) -> MinuteChart:
    """Ask for pages further and further back in the day, until `since` or the first trade."""
    bars: dict[datetime, MinuteBar] = {}
    errors: list[KisReplyChanged] = []
    begin = datetime.combine(day, since, SEOUL)
    newest = at = min(now.astimezone(SEOUL), datetime.combine(day, END_OF_DAY, SEOUL))
    while at >= begin:
        reply = ask(at)
        refuse_unknown(reply.one("output1"), code, "stck_prpr")
        found = read_minutes(reply, now=now, errors=errors)
        if at < newest and any(moment > at for moment in found):
            raise KisReplyChanged(
                "stck_cntg_hour",
                tr_id=reply.tr_id,
                problem=f"{at:%H:%M}까지의 분봉을 물었는데 그 뒤의 것이 왔습니다",
            )
        of_day = {moment: bar for moment, bar in found.items() if moment.date() == day and moment <= at}
        bars |= of_day
        is_full = len(reply.body["output2"]) >= full_page
        if not is_full or not of_day or any(moment.date() < day for moment in found):
            break
        at = min(of_day) - timedelta(seconds=1)
    if errors and not bars:
        raise errors[0]
    return MinuteChart(
        tuple(bars[moment] for moment in sorted(bars) if moment >= begin),
        tuple(str(error) for error in errors),
    )


def read_minutes(reply: Reply, *, now: datetime, errors: list[KisReplyChanged]) -> dict[datetime, MinuteBar]:
    """Return the bars of a page, and add to `errors` those that cannot be. Raises KisReplyChanged for a minute twice."""
    found: dict[datetime, MinuteBar] = {}
    for row in reply.rows("output2"):
        try:
            bar = MinuteBar.from_row(row, now=now)
        except KisReplyChanged as error:
            errors.append(error)
            continue
        if bar.at in found:
            raise row.changed("stck_cntg_hour", f"{bar.at:%H:%M} 분봉이 두 번 왔습니다")
        found[bar.at] = bar
    return found


def index_chart(session: Session, *, code: str, first: date, last: date) -> IndexChart:
    """Daily bars of an index, both days included, oldest first; as many calls as that takes.

    Before the market opens the broker shows today with the last value; such a day without a trade is left out.
    A bar that cannot be leaves the others alone; raises UnknownCode, and KisReplyChanged when none can be read, a day
    stands twice or the pages do not go back.
    https://apiportal.koreainvestment.com/apiservice-apiservice?/uapi/domestic-stock/v1/quotations/inquire-daily-indexchartprice
    """
    bars: dict[date, IndexBar] = {}
    errors: list[KisReplyChanged] = []
    until = last
    while until >= first:
        params = {
            "FID_COND_MRKT_DIV_CODE": "U",
            "FID_INPUT_ISCD": code,
            "FID_INPUT_DATE_1": f"{first:%Y%m%d}",
            "FID_INPUT_DATE_2": f"{until:%Y%m%d}",
            "FID_PERIOD_DIV_CODE": "D",
        }
        reply = session.read(TR.INDEX_CHART, params)
        refuse_unknown(reply.one("output1"), code, "bstp_nmix_prpr")
        found = read_index_days(reply, errors=errors)
        if found and max(found) > until:
            raise KisReplyChanged(
                "stck_bsop_date",
                tr_id=reply.tr_id,
                problem=f"{until}까지의 지수를 물었는데 그 뒤의 것이 왔습니다",
            )
        bars |= {day: bar for day, bar in found.items() if day >= first}
        if len(reply.body["output2"]) < INDEX_ROWS or not found:
            break
        until = min(found) - timedelta(days=1)
    if errors and not bars:
        raise errors[0]
    return IndexChart(
        tuple(bars[day] for day in sorted(bars) if not bars[day].is_placeholder),
        tuple(str(error) for error in errors),
    )


def read_index_days(reply: Reply, *, errors: list[KisReplyChanged]) -> dict[date, IndexBar]:
    """Return the bars of a page, and add to `errors` those that cannot be. Raises KisReplyChanged for a day twice."""
    found: dict[date, IndexBar] = {}
    for row in reply.rows("output2"):
        try:
            bar = IndexBar.from_row(row)
        except KisReplyChanged as error:
            errors.append(error)
            continue
        if bar.day in found:
            raise row.changed("stck_bsop_date", f"{bar.day} 지수가 두 번 왔습니다")
        found[bar.day] = bar
    return found
