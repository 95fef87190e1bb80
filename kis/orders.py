"""What has become of an order, and which orders belong together; pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from kis.calendar import hour_on, moment_on
from kis.client.records.orders import OrderRecord, Request
from kis.korean import SEOUL

NUMBER_WIDTH = 10
KRX_CLOSING = time(15, 30)
#: NXT and the after-market of KRX end then; nothing outlives it.
LAST_CLOSING = time(20, 0)
#: Kinds that live in a phase of their own: before and after the hours, single price, NXT pre-market, KRX after-market.
OWN_PHASE = {
    "05": time(8, 40),
    "06": time(16, 0),
    "07": time(18, 0),
    **dict.fromkeys(("27", "28", "29"), time(8, 50)),
    **dict.fromkeys(("41", "42", "43", "44", "45", "46", "47"), LAST_CLOSING),
}

Key = tuple[date, str, str]


class OrderState(StrEnum):
    """Where an order stands. What ended it counts, however much of it was filled before."""

    ACCEPTED = "accepted"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    AMENDED = "amended"  # what was left went on under another number
    REJECTED = "rejected"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Standing:
    """An order of a day with its quantities, in shares. Times are Korean; `number` and `origin` may differ in padding."""

    ordered_on: date
    ordered_at: time
    branch: str
    number: str
    origin: str
    request: Request
    code: str
    kind: str
    exchange: str
    quantity: int
    filled: int
    remaining: int
    rejected: int
    cancelled: int
    marked_cancelled: bool = False

    @property
    def key(self) -> Key:
        return self.ordered_on, self.branch, self.number

    @classmethod
    def of(cls, order: OrderRecord) -> "Standing":
        return cls(
            ordered_on=order.ordered_on,
            ordered_at=order.ordered_at,
            branch=order.branch,
            number=order.number,
            origin=order.origin,
            request=order.request,
            code=order.code,
            kind=order.kind,
            exchange=order.exchange,
            quantity=order.quantity,
            filled=order.filled,
            remaining=order.remaining,
            rejected=order.rejected,
            cancelled=order.cancelled,
            marked_cancelled=order.marked_cancelled,
        )


def wire_number(text: str) -> str:
    """Return an order number as the daily inquiry writes it: `47589` → `0000047589`.

    Other answers pad it with spaces or not at all, and one order must not become two.
    """
    text = text.strip()
    return text.zfill(NUMBER_WIDTH) if text.isascii() and text.isdecimal() else text


def same_number(one: str, other: str) -> bool:
    """Compare order numbers as integers, whatever their padding."""
    return wire_number(one).lstrip("0") == wire_number(other).lstrip("0")


# --- chains -----------------------------------------------------------------------------------------------------


def origins(orders: Sequence[Standing]) -> list[int | None]:
    """Return for each order the place of the one it changes, None where it changes none or that one is not there.

    Orders of the same branch go first: numbers count per branch, yet a change may be taken by another one. Whatever the
    broker says, following the origins always comes to an end.
    """
    places: dict[tuple[date, str, str], list[int]] = {}
    for place, order in enumerate(orders):
        number = wire_number(order.number).lstrip("0")
        places.setdefault((order.ordered_on, order.code, number), []).append(place)
    found: list[int | None] = [None] * len(orders)
    for place in sorted(range(len(orders)), key=lambda place: _moment(orders[place])):
        order = orders[place]
        named = places.get((order.ordered_on, order.code, wire_number(order.origin).lstrip("0")), [])
        same_branch = [other for other in named if orders[other].branch == order.branch]
        for other in same_branch or (named if len(named) == 1 else []):
            if place not in _way_up(found, other):
                found[place] = other
    return found


def _moment(order: Standing) -> tuple[date, time, str]:
    return order.ordered_on, order.ordered_at, wire_number(order.number)


def _way_up(found: Sequence[int | None], place: int | None) -> list[int]:
    """Return a place and those of its origins, nearest first."""
    way = []
    while place is not None:
        way.append(place)
        place = found[place]
    return way


def chain_of(orders: Sequence[Standing], number: str, *, branch: str = "") -> list[Standing]:
    """Return all orders that come from the same first order as the one with this number, oldest first.

    `orders` are those of one day. Of two orders with one number the `branch` decides. Empty for an unknown number.
    """
    places = [place for place, order in enumerate(orders) if same_number(order.number, number)]
    wanted = [place for place in places if orders[place].branch == branch] or places
    if not wanted:
        return []
    found = origins(orders)
    ways = [_way_up(found, place) for place in range(len(orders))]
    root = ways[wanted[0]][-1]
    members = [place for place, way in enumerate(ways) if way[-1] == root]
    return [
        orders[place]
        for place in sorted(
            members,
            key=lambda place: (orders[place].ordered_at, len(ways[place]), wire_number(orders[place].number)),
        )
    ]


# --- states -----------------------------------------------------------------------------------------------------


def states(
    orders: Iterable[Standing], *, now: datetime, waiting: Collection[tuple[str, str]] | None = None
) -> dict[Key, OrderState]:
    """Return the state of every order, from all orders of their days.

    `waiting` are branch and number of the orders that the broker lists as open, where it has been asked: after the close
    it tells which smart-routed orders live on. An order whose origin or whose change is not there yet is judged by its
    own quantities; the next look, with more rows, may say more.
    """
    rows = list(orders)
    changes: dict[int, list[Standing]] = {}
    for place, origin in enumerate(origins(rows)):
        if origin is not None:
            changes.setdefault(origin, []).append(rows[place])
    return {
        order.key: _state(
            order,
            sorted(changes.get(place, []), key=_moment),
            is_over=is_over(order, now=now, waiting=waiting),
        )
        for place, order in enumerate(rows)
    }


def _state(order: Standing, changes: Sequence[Standing], *, is_over: bool) -> OrderState:
    if order.rejected and order.rejected >= order.quantity:
        return OrderState.REJECTED
    if order.remaining:
        if is_over:
            return OrderState.LAPSED
        return OrderState.PARTIAL if order.filled else OrderState.ACCEPTED
    if order.filled >= order.quantity and order.request is not Request.CANCEL:
        return OrderState.FILLED
    return _what_took_the_rest(order, changes, is_over=is_over)


def _what_took_the_rest(order: Standing, changes: Sequence[Standing], *, is_over: bool) -> OrderState:
    if order.request is Request.CANCEL:
        return OrderState.CANCELLED
    done = [change for change in changes if change.rejected < change.quantity]
    if done:
        return OrderState.AMENDED if done[-1].request is Request.AMEND else OrderState.CANCELLED
    if order.cancelled or order.marked_cancelled:
        return OrderState.CANCELLED
    if order.rejected:
        return OrderState.REJECTED
    # It does not show: the end of the phase, or an amendment whose row is still to come.
    return OrderState.LAPSED if is_over else OrderState.AMENDED


def is_over(order: Standing, *, now: datetime, waiting: Collection[tuple[str, str]] | None = None) -> bool:
    """Return whether what is left of an order has lapsed, as far as that is certain."""
    if now >= lapses_at(order):
        return True
    is_routed = order.exchange == "SOR" and now >= closing_of(order.ordered_on)
    return is_routed and waiting is not None and (order.branch, order.number) not in waiting


def lapses_at(order: Standing) -> datetime:
    """Return the moment at which nothing of an order can be left; orders of one phase do not reach into another."""
    day = order.ordered_on
    if order.kind in OWN_PHASE:
        return moment_on(day, OWN_PHASE[order.kind])
    may_live_on = order.exchange in {"NXT", "SOR"} or order.ordered_at >= hour_on(day, KRX_CLOSING)
    return datetime.combine(day, LAST_CLOSING, SEOUL) if may_live_on else closing_of(day)


def closing_of(day: date) -> datetime:
    return moment_on(day, KRX_CLOSING)
