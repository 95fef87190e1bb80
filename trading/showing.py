"""How orders are written on the pages: a preview in columns, what is certain, and what to do now."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kis.client.records.orders import OrderRecord, Side
from kis.connect import MODE_NAMES
from kis.korean import SEOUL
from trading.models import OrderEvent, PendingOrder
from trading.reconcile import is_alike
from trading.states import State
from trading.terminal import bare

#: Columns of a line of a preview: a label that may be missing, and cells at least two spaces apart.
LABELLED = re.compile(r" {2}(\S+) +(.+)")
GAP = re.compile(r" {2,}")
#: After an order was sent the page itself asks the broker, so many times and ever later; then it waits for the others.
LOOKS = (timedelta(seconds=2), timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20))
NOT_OVER = {State.SENDING, State.UNKNOWN, State.ACCEPTED, State.PARTIAL}
#: Seconds between two looks of a page into the database.
LOOK_AGAIN = 5


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """A line of a preview: its label and its cells, a figure and what is said of it or one text."""

    label: str
    cells: tuple[str, ...]


def preview_lines(order: PendingOrder) -> list[PreviewLine]:
    """Return the lines that were shown with the code, without the first, which is that of the page."""
    return [read_line(str(line)) for line in order.preview.get("lines", [])[1:] if str(line).strip()]


def read_line(line: str) -> PreviewLine:
    labelled = LABELLED.fullmatch(line)
    label, rest = labelled.groups() if labelled else ("", line.strip())
    return PreviewLine(label, tuple(GAP.split(rest.strip())))


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order of the broker's that one of ours may be."""

    number: str
    at: str
    what: str
    filled: str
    is_alike: bool


def candidates(order: PendingOrder, rows: Sequence[OrderRecord]) -> Iterator[Candidate]:
    for row in rows:
        side = "매수" if row.side is Side.BUY else "매도"
        price = f"{row.price:,}원" if row.price else "시장가"
        what = (
            f"원주문번호 {bare(row.origin)} 취소" if order.is_cancel else f"{side} {row.quantity:,}주 {price}"
        )
        yield Candidate(
            bare(row.number),
            f"{row.ordered_at:%H:%M:%S}",
            what,
            f"{row.filled:,}주",
            is_alike(order, row),
        )


def filled_so_far(events: Sequence[OrderEvent]) -> int | None:
    """Return how many shares were filled when the broker was last asked; None where nobody knows."""
    told = [event.detail["filled"] for event in events if "filled" in event.detail]
    return int(told[-1]) if told else None


def mode_name(order: PendingOrder) -> str:
    return MODE_NAMES["paper" if order.is_paper else "real"]


def next_look(order: PendingOrder, *, at: datetime) -> int | None:
    """Return in how many seconds the page should ask the broker itself; None where it should not any more."""
    if order.state not in NOT_OVER or order.claimed_at is None:
        return None
    passed = at - order.claimed_at
    ahead = [look - passed for look in LOOKS if look > passed]
    return max(1, round(ahead[0].total_seconds())) if ahead else None


def sent_at(order: PendingOrder) -> str:
    """Say when an order was sent, by the time of its market."""
    return f"{order.market_at.astimezone(SEOUL):%Y-%m-%d %H:%M:%S}" if order.market_at else ""
