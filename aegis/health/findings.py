"""Replies of the broker that are not as documented."""

from datetime import timedelta

from aegis.health.case import Case, Result, fine, warning
from kis.korean import SEOUL, day
from kis.models import WireFinding

LATELY = timedelta(days=7)
MOST_SHOWN = 20


def drift(case: Case) -> Result:
    """List what has been seen in the last days."""
    found = WireFinding.objects.filter(
        is_paper=case.mode == "paper", last_seen__gte=case.now() - LATELY
    ).order_by("tr", "section", "field")
    count = found.count()
    if not count:
        return fine(f"{LATELY.days}일 동안 응답이 문서와 같았습니다.")
    details = [line_of(row) for row in found[:MOST_SHOWN]]
    if count > MOST_SHOWN:
        details.append(f"… 외 {count - MOST_SHOWN}건")
    return warning(
        f"문서와 다른 항목이 {count}가지 있습니다.",
        "숫자가 이상하지 않은지 보고, 관리자 화면의 '응답 변화'에서 원본을 확인해 주세요.",
        details,
    )


def line_of(row: WireFinding) -> str:
    since = day(row.first_seen.astimezone(SEOUL).date())
    return f"{row.tr} {row.place} {row.get_kind_display()} ({row.example}) {since}부터 {row.times}번"
