"""What turns the kill switch on by itself: outcomes that say that something is wrong with us or with the broker."""

from datetime import datetime

from django.db.models import QuerySet

from trading import kill_switch
from trading.days import day_around
from trading.models import OrderEvent, PendingOrder
from trading.states import State

MOST_UNKNOWN = 2
MOST_REJECTED = 5
MOST_WRONG_CODES = 10


def check(order: PendingOrder, *, at: datetime) -> str:
    """Turn the switch on if this account has had too much trouble today; returns why, or nothing.

    Once the owner has turned it off, counting begins anew.
    """
    today = events_since(order, at=at)
    counts = (
        (today.filter(new_status=State.UNKNOWN).count(), MOST_UNKNOWN, "결과를 알 수 없는 주문이"),
        (today.filter(new_status=State.REJECTED).count(), MOST_REJECTED, "증권사가 거절한 주문이"),
        (today.filter(what="wrong_code").count(), MOST_WRONG_CODES, "잘못 입력한 비밀번호나 확인 코드가"),
    )
    reason = " ".join(f"오늘 {what} {count}건입니다." for count, most, what in counts if count >= most)
    if reason and not kill_switch.read().is_on:
        kill_switch.turn_on(reason, at=at, by="AEGIS")
    return reason


def events_since(order: PendingOrder, *, at: datetime) -> QuerySet[OrderEvent]:
    """Return what has happened to this account's orders today, since the switch was last turned off."""
    first, after = day_around(at)
    same = PendingOrder.objects.of(order.account, is_paper=order.is_paper)
    events = OrderEvent.objects.filter(order__in=same, at__gte=first, at__lt=after)
    forgiven = OrderEvent.objects.filter(what="kill_switch_off").order_by("-number").first()
    return events.filter(number__gt=forgiven.number) if forgiven else events
