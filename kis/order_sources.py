"""The quantities of an order, from the broker's list and from the notices told about it; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from kis.client.records.orders import OrderRecord
from kis.client.records.realtime import FillNotice, NoticeKind
from kis.korean import SEOUL

AVERAGE = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Told:
    """One notice about an order, as far as its quantities go. Notices have no number: equal ones are one notice.

    Two fills of one second, price and quantity are taken for one until the list is read again: too few is corrected
    then, too many could not be.
    """

    kind: NoticeKind
    quantity: int
    price: int
    at: time

    @classmethod
    def of(cls, notice: FillNotice) -> "Told":
        return cls(notice.kind, notice.quantity, notice.price, notice.at)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Told":
        kind, at = NoticeKind(value["kind"]), time.fromisoformat(value["at"])
        return cls(kind, int(value["quantity"]), int(value["price"]), at)

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "quantity": self.quantity,
            "price": self.price,
            "at": self.at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Listed:
    """An order as the broker listed it, and a moment at which the list was certainly complete."""

    order: OrderRecord
    at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """Shares that amendments and cancellations have taken out of an order, as far as notices told; the latter alone."""

    quantity: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True)
class Quantities:
    """Shares of an order. `average` is won a share, None where nothing is filled."""

    filled: int
    average: Decimal | None
    remaining: int
    rejected: int
    cancelled: int


NOTHING_TAKEN = Taken()


def quantities(
    ordered: int, *, listed: Listed | None, told: Sequence[Told], taken: Taken = NOTHING_TAKEN
) -> Quantities:
    """Return what is certain: the most that the list, the notices, or the list and later notices together prove.

    So a notice that comes twice, late, or after the list that had it already counts once.
    """
    filled, average = _filled(listed, told)
    filled = min(filled, ordered) if ordered else filled
    order = listed.order if listed else None
    rejected = max(order.rejected if order else 0, _told(told, NoticeKind.REFUSED))
    given_up = _told(told, NoticeKind.GIVEN_UP)
    cancelled = max(order.cancelled if order else 0, given_up, taken.cancelled)
    gone = max(cancelled, taken.quantity, _gone(order) if order else 0)
    return Quantities(
        filled=filled,
        average=average.quantize(AVERAGE) if average else None,
        remaining=max(ordered - filled - gone - rejected, 0),
        rejected=rejected,
        cancelled=cancelled,
    )


def _filled(listed: Listed | None, told: Iterable[Told]) -> tuple[int, Decimal | None]:
    """Return shares, and won a share."""
    fills = [notice for notice in told if notice.kind is NoticeKind.FILLED]
    quantity, amount = _sums(fills)
    if listed is None:
        return quantity, _average(quantity, amount)
    order = listed.order
    later = [fill for fill in fills if datetime.combine(order.ordered_on, fill.at, SEOUL) > listed.at]
    later_quantity, later_amount = _sums(later)
    if quantity > order.filled + later_quantity:
        return quantity, _average(quantity, amount)
    if not later and order.average:
        return order.filled, order.average
    quantity, amount = order.filled + later_quantity, order.filled_amount + later_amount
    return quantity, _average(quantity, amount)


def _sums(fills: Iterable[Told]) -> tuple[int, int]:
    fills = list(fills)
    return sum(fill.quantity for fill in fills), sum(fill.quantity * fill.price for fill in fills)


def _average(quantity: int, amount: int) -> Decimal | None:
    return Decimal(amount) / quantity if quantity else None


def _gone(order: OrderRecord) -> int:
    """Return the shares that neither were filled nor are left, whatever took them."""
    return max(order.quantity - order.filled - order.remaining - order.rejected, 0)


def _told(told: Iterable[Told], kind: NoticeKind) -> int:
    return max((notice.quantity for notice in told if notice.kind is kind), default=0)
