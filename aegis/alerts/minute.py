"""The job of every minute: look for news, and send what is due. Safe to run twice, and at the same time."""

from datetime import datetime

from aegis.alerts.collecting import collect, prune
from aegis.alerts.sending import Sent, send_due
from kis.market_clock import market_now
from kis.market_days import use_market_days


def tell(*, at: datetime, market_at: datetime | None) -> list[Sent]:
    """Put what is new into the outbox, and send what is due."""
    use_market_days()
    collect(at=at, market_at=market_at)
    prune(at=at)
    return send_due(at=at)


def tell_now(*, at: datetime) -> list[Sent]:
    """Do so at the market's time of now."""
    return tell(at=at, market_at=market_now())


def told(results: list[Sent]) -> str:
    return "\n".join(map(str, results)) or "보낼 알림 없음"
