"""How old the numbers are, and where they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from kis.korean import SEOUL
from kis.models import SyncRun
from reports.sessions import open_time_between

STALE_AFTER: Final = timedelta(minutes=30)


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


def age_if_stale(as_of: datetime, moment: datetime) -> timedelta | None:
    """Age of the data if the exchange was open for more than half an hour of it."""
    return moment - as_of if open_time_between(as_of, moment) > STALE_AFTER else None


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
