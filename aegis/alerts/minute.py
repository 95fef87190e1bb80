"""The job of every minute: look for news, and send what is due. Safe to run twice, and at the same time."""

import time
from collections.abc import Callable
from datetime import datetime

from aegis.alerts.collecting import collect, prune
from aegis.alerts.sending import Sent, send_due
from aegis.alerts.sources.orders import SURELY_STUCK, unknown_orders, until_stuck
from kis.market_clock import market_now
from kis.market_days import use_market_days


def tell(
    *, at: datetime, market_at: datetime | None, sleep: Callable[[float], object] = time.sleep
) -> list[Sent]:
    """Put what is new into the outbox, and send what is due.

    Where an order is just being sent, wait until its answer would be there: should its sender have died, the next minute
    would be late.
    """
    use_market_days()
    collect(at=at, market_at=market_at)
    prune(at=at)
    sent = send_due(at=at)
    wait = until_stuck(at)
    if wait is None:
        return sent
    wait = min(wait, SURELY_STUCK)
    sleep(wait.total_seconds())
    later = at + wait
    collect(at=later, market_at=market_at and market_at + wait, sources=(unknown_orders,))
    return [*sent, *send_due(at=later)]


def tell_now(*, at: datetime) -> list[Sent]:
    """Do so at the market's time of now."""
    return tell(at=at, market_at=market_now())


def told(results: list[Sent]) -> str:
    return "\n".join(map(str, results)) or "보낼 알림 없음"
