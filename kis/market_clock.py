"""What time it is at the market: real time, or that of the simulator where one plays the broker."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from kis import demo_host


def market_now() -> datetime | None:
    """Return the market's time. None in demo mode while no simulator runs: its time then stands still, nobody knows where."""
    if not settings.AEGIS_DEMO:
        return timezone.now()
    host = demo_host.running()
    return host.now() if host else None
