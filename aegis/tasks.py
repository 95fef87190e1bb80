"""What the worker runs that more than one app has a part in, by dotted name; safe to run twice."""

from typing import Any

from django.utils import timezone

from aegis.order_upkeep import settle_all, settle_leftovers
from kis import tasks
from trading.states import UNSETTLED


def fetch_data(*, intended: str, minutes: int, opens: str, closes: str) -> str:
    """Do what `kis.tasks.fetch_data` does, then look what became of the orders; trouble with these is in the log."""
    try:
        return tasks.fetch_data(intended=intended, minutes=minutes, opens=opens, closes=closes)
    finally:
        settle_all()


def settle_orders(**tick: Any) -> str:  # noqa: ANN401, ARG001  # which tick it is does not matter: looking twice is safe
    """Look for the orders whose outcome is not known, so that the owner waits a minute and not half an hour."""
    settle_leftovers(at=timezone.now())
    settle_all(of=UNSETTLED)
    return settle_leftovers(at=timezone.now()) or "모르는 주문 없음"
