"""Holes in the prices: written down, asked for again, closed once they are filled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from kis.korean import SEOUL
from kis.models import PriceGap

LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Stretch:
    """Missing bars that follow each other, the first and the last of them."""

    first: datetime
    last: datetime


def stretches(missing: Iterable[datetime], order: Sequence[datetime]) -> list[Stretch]:
    """Join missing bars that are neighbours in `order`, which has every bar there could be, oldest first."""
    place = {moment: index for index, moment in enumerate(order)}
    joined: list[Stretch] = []
    for moment in sorted(missing):
        if joined and place[moment] == place[joined[-1].last] + 1:
            joined[-1] = Stretch(joined[-1].first, moment)
        else:
            joined.append(Stretch(moment, moment))
    return joined


def midnight(day: date) -> datetime:
    """Return how a daily bar is written in a gap."""
    return datetime.combine(day, time.min, SEOUL)


def note_gaps(
    what: PriceGap.What, code: str, found: Sequence[Stretch], *, at: datetime, reason: str = ""
) -> None:
    """Write down holes of a stock that are not known yet.

    One that was filled and is there again is open again, and will be asked for again.
    """
    if not found:
        return
    earliest = min(stretch.first for stretch in found)
    known = list(PriceGap.objects.filter(what=what, stock_code=code, last_at__gte=earliest))
    still_open = [gap for gap in known if gap.filled_at is None]
    new = [
        PriceGap(
            what=what,
            stock_code=code,
            first_at=stretch.first,
            last_at=stretch.last,
            found_at=at,
            reason=reason,
        )
        for stretch in found
        if not any(gap.first_at <= stretch.first and stretch.last <= gap.last_at for gap in still_open)
    ]
    PriceGap.objects.bulk_create(
        new,
        update_conflicts=True,
        unique_fields=["what", "stock_code", "first_at"],
        update_fields=["last_at", "found_at", "asked_at", "tries", "filled_at", "reason"],
    )


def asked_again(gap: PriceGap, *, filled: bool, at: datetime, reason: str = "") -> None:
    """Note the answer to a hole that was asked for again."""
    gap.tries += 1
    gap.asked_at = at
    gap.filled_at = at if filled else None
    gap.reason = "" if filled else reason[:LONGEST_REASON]
    gap.save(update_fields=["tries", "asked_at", "filled_at", "reason"])


def day_of(moment: datetime) -> date:
    return moment.astimezone(SEOUL).date()


def minutes_between(first: datetime, last: datetime) -> list[datetime]:
    """Return every minute from `first` to `last`, both included."""
    count = int((last - first) / timedelta(minutes=1))
    return [first + timedelta(minutes=number) for number in range(count + 1)]
