"""Throw bad inputs at a door, one after the other, and note what must not happen."""

import os
import re
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from django.db import connection, transaction

from tests.fuzz.hostile import Hostile

SEED = os.environ.get("FUZZ_SEED", "1")
#: `FUZZ_ONLY='the admin: forms/4711'` repeats a single throw.
ONLY = os.environ.get("FUZZ_ONLY", "")
#: Of CPU time, so that a busy machine is no finding.
LONGEST_SECONDS = 5.0
MOST_FINDINGS = 25
ROOT = Path(__file__).resolve().parents[2]
KOREAN = re.compile(r"[가-힣]")
ENGLISH_PAGES = ("Traceback (most recent call last)", "Request Method:", "DEBUG = True", "site-packages/")


class Wrong(Exception):
    """What a door must not do; the text says what it did."""


class Door(Protocol):
    """Something that takes input. `throw` sends one bad input and says whether it was refused; raises Wrong."""

    name: str

    def throw(self, hostile: Hostile) -> bool:
        """Return True where the input was refused, False where it was taken."""


@dataclass
class Tally:
    """What came of all throws at one door."""

    door: str
    thrown: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: tuple[float, str] = (0.0, "")
    findings: dict[str, str] = field(default_factory=dict)
    repeats: int = 0

    @property
    def line(self) -> str:
        slow, which = self.slowest
        return (
            f"{self.door:<28}{self.thrown:>8,}{self.refused:>9,}{self.thrown - self.refused:>9,}"
            f"{len(self.findings):>7}{self.seconds:>9.1f}{slow * 1000:>10.0f}  {which!a}"
        )


HEAD = f"{'door':<28}{'thrown':>8}{'refused':>9}{'taken':>9}{'found':>7}{'cpu s':>9}{'slowest ms':>10}"


def throw_at(door: Door, count: int) -> Tally:
    tally = Tally(door.name)
    for number in range(count):
        place = f"{door.name}/{number}"
        if ONLY and place != ONLY:
            continue
        hostile = Hostile(f"{SEED}/{place}")
        started = time.process_time()
        try:
            tally.refused += bool(door.throw(hostile))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
            note(tally, place, hostile, error)
        tally.thrown += 1
        took = time.process_time() - started
        tally.seconds += took
        tally.slowest = max(tally.slowest, (took, hostile.about[:60]))
        if took > LONGEST_SECONDS:
            note(tally, place, hostile, Wrong(f"took {took:.1f} s"))
        if len(tally.findings) >= MOST_FINDINGS:
            break
    return tally


def note(tally: Tally, place: str, hostile: Hostile, error: Exception) -> None:
    """Keep the first of each kind: where our own code was left, and by which error."""
    ours = [
        f"{Path(frame.filename).relative_to(ROOT)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(str(ROOT)) and ".venv" not in frame.filename
    ]
    said = re.sub(r"[0-9]+", "n", str(error))[:80] if isinstance(error, Wrong) else ""
    kind = f"{type(error).__name__} {ours[-1] if ours else ''} {said}"
    if kind in tally.findings:
        tally.repeats += 1
        return
    whole = "".join(traceback.format_exception(error)[-12:])
    tally.findings[kind] = f"{place}\n  {hostile.about[:600]!r}\n{whole[-3000:]}"


def told(tally: Tally) -> str:
    """Return the findings for a person."""
    return "\n\n".join(f"[{kind}]\n{text}" for kind, text in tally.findings.items())


# --- what every door is asked -----------------------------------------------------------------------------------------


def refuse_english(text: str) -> None:
    """Raise Wrong where a text for people shows the inside of the program, or says nothing in Korean."""
    for sign in ENGLISH_PAGES:
        if sign in text:
            raise Wrong(f"shows {sign!r}")
    if not KOREAN.search(text):
        raise Wrong(f"no Korean: {text[:200]!r}")


@contextmanager
def taken_back() -> Iterator[None]:
    """Take back what a throw wrote, so that each of them meets the same books and can be repeated alone."""
    if connection.connection is None or not connection.in_atomic_block:
        yield
        return
    point = transaction.savepoint()
    try:
        yield
    finally:
        connection.needs_rollback = False
        transaction.savepoint_rollback(point)
        connection.run_on_commit = []


def rows_of(tables: tuple[str, ...]) -> tuple[int, ...]:
    """Count the rows of tables in one query."""
    counts = ", ".join(f'(SELECT COUNT(*) FROM "{table}")' for table in tables)  # noqa: S608  # names of our own tables
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        found: tuple[int, ...] = cursor.fetchone()
    return found
