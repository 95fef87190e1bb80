"""Days on which the exchange opens (kis-api.md section 8)."""

from datetime import date, timedelta

from kis.client.codes import TR
from kis.client.errors import KisReplyChanged
from kis.client.records.calendar import CalendarDay
from kis.client.session import Session


def opening_days(session: Session, first: date) -> tuple[CalendarDay, ...]:
    """Return about 24 calendar days from `first` on; the real host only.

    The broker asks for at most one call a day, so keep the answer; ask on from the day after its last one, because paging
    does not work there. Raises KisReplyChanged when a day is missing or unclear.
    https://apiportal.koreainvestment.com/apiservice-apiservice?/uapi/domestic-stock/v1/quotations/chk-holiday
    """
    params = {"BASS_DT": f"{first:%Y%m%d}", "CTX_AREA_NK": "", "CTX_AREA_FK": ""}
    reply = session.read(TR.HOLIDAYS, params)
    days = []
    for place, row in enumerate(reply.rows("output")):
        record = CalendarDay.from_row(row)
        if record.day != first + timedelta(days=place):
            raise row.changed("bass_dt", f"{first + timedelta(days=place)} 대신 {record.day}이 왔습니다")
        days.append(record)
    if not days:
        raise KisReplyChanged("output", tr_id=reply.tr_id, problem="달력이 비어 있습니다")
    return tuple(days)
