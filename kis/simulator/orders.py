"""Orders as the broker keeps them, their fills, and the notices they give rise to."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from kis.client.codes import Mode
from kis.simulator.hours import CLOSING, at

Side = Literal["buy", "sell"]
Source = Literal["api", "phone"]
LIMIT_ORDER, MARKET_ORDER = "00", "01"


@dataclass(frozen=True, slots=True)
class Fill:
    """Part of an order that was traded."""

    at: datetime
    quantity: int
    price: int


@dataclass(slots=True)
class Order:
    """One order as the broker keeps it; it lapses by itself when its day closes."""

    mode: Mode
    account: str
    number: int
    placed_at: datetime
    side: Side
    code: str
    quantity: int
    price: int  # 0 for a market order
    kind: str = LIMIT_ORDER
    source: Source = "api"
    origin: int = 0  # number of the order that this one amends or cancels
    cancelled: int = 0
    fills: list[Fill] = field(default_factory=list)

    @property
    def day(self) -> date:
        return self.placed_at.date()

    @property
    def filled(self) -> int:
        return sum(fill.quantity for fill in self.fills)

    @property
    def amount(self) -> int:
        return sum(fill.quantity * fill.price for fill in self.fills)

    @property
    def remaining(self) -> int:
        return self.quantity - self.filled - self.cancelled

    def is_open(self, now: datetime) -> bool:
        return self.remaining > 0 and now < at(self.day, CLOSING)

    def as_seen(self, until: datetime) -> "Order":
        """Return the order without the fills after `until`."""
        return replace(self, fills=[fill for fill in self.fills if fill.at <= until])


@dataclass(frozen=True, slots=True)
class Notice:
    """One execution notice (체결통보): `accepted` and `confirmed` tell of requests, `filled` of a trade."""

    event: Literal["accepted", "confirmed", "refused", "filled"]
    order: Order
    at: datetime
    quantity: int  # of this fill, or of the request
    price: int
