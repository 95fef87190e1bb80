"""Orders as the broker keeps them, their fills, and the notices they give rise to."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from kis.client.codes import Mode
from kis.simulator.phases import KINDS, Kind, Venue, lapses_at

Side = Literal["buy", "sell"]
Source = Literal["api", "phone"]
Action = Literal["order", "amend", "cancel"]
Event = Literal["accepted", "confirmed", "refused", "filled"]
LIMIT_ORDER, MARKET_ORDER = "00", "01"


@dataclass(frozen=True, slots=True)
class Fill:
    """Part of an order that was traded."""

    at: datetime
    quantity: int
    price: int


@dataclass(slots=True)
class Order:
    """One request of a customer as the broker keeps it; what is left of it lapses by itself.

    An amendment is an order of its own that takes over part of its origin; a cancellation only takes away.
    """

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
    action: Action = "order"
    venue: Venue = "KRX"
    trigger: int = 0  # price that wakes a stop order
    asleep: bool = False
    cancelled: int = 0
    replaced: int = 0  # taken over by amendments
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
        return self.quantity - self.filled - self.cancelled - self.replaced

    @property
    def division(self) -> Kind:
        return KINDS[self.kind]

    @property
    def lapses_at(self) -> datetime:
        return lapses_at(self.placed_at, self.venue, self.kind)

    def is_open(self, now: datetime) -> bool:
        return self.remaining > 0 and now < self.lapses_at

    def reaches(self, price: int) -> bool:
        """Return whether the order would trade at `price`; one without a price of its own always would."""
        if not self.price:
            return True
        return price <= self.price if self.side == "buy" else price >= self.price

    def as_seen(self, until: datetime) -> "Order":
        """Return the order without the fills after `until`."""
        return replace(self, fills=[fill for fill in self.fills if fill.at <= until])


@dataclass(frozen=True, slots=True)
class Notice:
    """One execution notice (체결통보): `accepted` and `confirmed` tell of requests, `filled` of a trade."""

    event: Event
    order: Order
    at: datetime
    quantity: int  # of this fill, or of the request
    price: int
