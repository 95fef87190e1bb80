"""How old the numbers are, and where they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from kis.korean import SEOUL
from kis.models import SyncRun
from reports.queries import DashboardRows


@dataclass(frozen=True, slots=True)
class Source:
    """One inquiry behind the numbers."""

    name: str
    tr_id: str
    count: str
    seconds: Decimal | None


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minute bars of the day: of how many of the stocks held there are any, and how many minutes of them are missing."""

    watched: int
    held: int
    missing: int
    stocks: int


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


def minutes_of(rows: DashboardRows) -> Minutes:
    minute = timedelta(minutes=1)
    return Minutes(
        watched=len(
            {bar.code for bar in rows.charts.minutes} & {row.stock_code for row in rows.position.holdings}
        ),
        held=len(rows.position.holdings),
        missing=sum((gap.last_at - gap.first_at) // minute + 1 for gap in rows.gaps),
        stocks=len({gap.stock_code for gap in rows.gaps}),
    )
