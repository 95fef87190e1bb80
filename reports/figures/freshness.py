"""How old the numbers are, and where they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kis.korean import SEOUL
from kis.models import SyncRun


@dataclass(frozen=True, slots=True)
class Source:
    """One inquiry behind the numbers."""

    name: str
    tr_id: str
    count: str
    seconds: Decimal | None


@dataclass(frozen=True, slots=True)
class Failures:
    """Attempts to renew the data that failed since the snapshot."""

    count: int
    since: datetime


def failures_of(runs: Sequence[SyncRun]) -> Failures | None:
    return Failures(len(runs), runs[0].started_at.astimezone(SEOUL)) if runs else None


def sources_of(run: SyncRun | None) -> tuple[Source, ...]:
    """Inquiries as the run recorded them; a step without TR id asked nobody."""
    if run is None:
        return ()
    return tuple(
        Source(
            name=str(step.get("label", "")),
            tr_id=str(step["tr_id"]),
            count=str(step.get("count", "")),
            seconds=Decimal(str(step["seconds"])) if "seconds" in step else None,
        )
        for step in run.steps
        if step.get("tr_id")
    )
