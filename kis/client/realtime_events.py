"""What a realtime feed tells its caller."""

from dataclasses import dataclass
from datetime import datetime

from kis.client.errors import KisError
from kis.client.records.realtime import FillNotice, PriceTick


@dataclass(frozen=True, slots=True)
class Connected:
    """Everything wanted is registered for the first time: read the orders now, and miss no fill from here on."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Reconnected:
    """Everything is registered again. What was filled since `silent_since` was told to nobody: read the orders."""

    at: datetime
    silent_since: datetime


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The feed is silent, and will not try again for so many seconds."""

    reason: str
    retry_seconds: float


@dataclass(frozen=True, slots=True)
class Problem:
    """A frame that could not be used, or a registration that was refused and is no longer wanted.

    A frame may have held a fill: read the orders. Prices of one kind are complained of once a connection only.
    """

    error: KisError


Event = PriceTick | FillNotice | Connected | Reconnected | Disconnected | Problem
