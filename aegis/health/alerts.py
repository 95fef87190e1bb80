"""Alerts: can they leave, and did the last ones arrive."""

from datetime import timedelta

from django.conf import settings

from aegis.alerts.destinations import destinations
from aegis.alerts.models import AlertDelivery
from aegis.alerts.transport import can_be_understood
from aegis.health.case import Case, Result, fine, problem, skipped, warning

LATELY = timedelta(days=1)
LATE = timedelta(minutes=10)
TOLD = {"full": "금액까지", "masked": "금액과 수량 없이", "percent": "비율만"}


def alerts(case: Case) -> Result:
    """See whether the addresses mean something, whether somebody sends, and what did not arrive lately."""
    found = destinations()
    if not found:
        return skipped("NOTIFY_URLS를 정하지 않아 알림을 보내지 않습니다.")
    odd = [place for place, one in enumerate(found, start=1) if not can_be_understood(one.url)]
    if odd:
        which = ", ".join(f"{place}번째" for place in odd)
        return problem(
            f"NOTIFY_URLS의 {which} 주소를 알아볼 수 없습니다.", "docs/alerts.md의 예와 견주어 고쳐 주세요."
        )
    now = case.now()
    Status = AlertDelivery.Status  # noqa: N806  # a class
    lost = AlertDelivery.objects.filter(
        status__in=[Status.FAILED, Status.UNKNOWN], due_at__gt=now - LATELY
    ).count()
    if lost:
        return warning(
            f"지난 하루 동안 보내지 못한 알림이 {lost}건 있습니다.",
            "까닭은 관리자 화면의 '알림'에 있습니다. 다시 해 보기: manage.py notify_test",
        )
    waiting = AlertDelivery.objects.filter(status=Status.WAITING, due_at__lt=now - LATE, attempts=0).count()
    if waiting:
        return problem(
            f"알림 {waiting}건이 나가지 않고 있습니다.",
            "작업자를 켜거나 cron에 등록해 주세요: manage.py aegis_1min_alerts",
        )
    names = ", ".join(one.service for one in found)
    quiet = f" 쉬는 시간 {settings.NOTIFY_QUIET}." if settings.NOTIFY_QUIET else ""
    return fine(f"{names}에 {TOLD[settings.NOTIFY_PRIVACY]} 알립니다.{quiet}")
