"""What the broker answered, on disk before it is in the database: a crash in between loses nothing."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from kis.known_secrets import hide
from trading.models import PendingOrder
from trading.states import State

OUTCOMES = frozenset({State.ACCEPTED, State.REJECTED, State.NOT_SENT, State.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is certain after an order has been sent, or has not.

    `order` is the row's number. Rows of two databases may share it, so `key` says which order of which claim it was.
    `at` is by the wall clock.
    """

    order: int
    key: str
    state: State
    at: datetime
    reason: str = ""
    branch: str = ""
    number: str = ""


def key_of(order: PendingOrder) -> str:
    """Return what no other order has: its content and the moment of its claim, without giving the account away."""
    claimed = order.claimed_at.astimezone(UTC).isoformat() if order.claimed_at else ""
    return hashlib.sha256(f"{order.pk}|{order.content}|{claimed}".encode()).hexdigest()


def outcome(
    order: PendingOrder, state: State, *, at: datetime, reason: str = "", branch: str = "", number: str = ""
) -> Outcome:
    """Return an outcome of this very order; a reason may repeat what was sent, so known secrets are left out of it."""
    return Outcome(order.pk, key_of(order), state, at, hide(reason), branch, number)


def file() -> Path:
    return Path(settings.TRADING_DIR) / "order_journal.jsonl"


def write(outcome: Outcome) -> None:
    """Add a line and wait until the disk has it. Raises OSError."""
    file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = json.dumps({**asdict(outcome), "at": outcome.at.isoformat()}, ensure_ascii=False)
    handle = os.open(file(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        # In one piece, after the end of whatever a crash may have left half-written.
        text = f"\n{line}\n".encode()
        if os.write(handle, text) != len(text):
            raise OSError(errno.ENOSPC, "the line was cut off")
        os.fsync(handle)
    finally:
        os.close(handle)


def last_of(order: PendingOrder) -> Outcome | None:
    """Return what the journal says of an order; None where it says nothing that can be read."""
    found = [outcome for outcome in read() if (outcome.order, outcome.key) == (order.pk, key_of(order))]
    return found[-1] if found else None


def read() -> Iterator[Outcome]:
    try:
        text = file().read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        outcome = outcome_of(line)
        if outcome is not None:
            yield outcome


def outcome_of(line: str) -> Outcome | None:
    try:
        values: Any = json.loads(line)
        state = State(values["state"])
        outcome = Outcome(
            order=int(values["order"]),
            key=str(values["key"]),
            state=state,
            at=datetime.fromisoformat(values["at"]),
            reason=str(values["reason"]),
            branch=str(values["branch"]),
            number=str(values["number"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return outcome if state in OUTCOMES else None
