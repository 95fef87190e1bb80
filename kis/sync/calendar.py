"""The days on which the exchange opens, from the broker once a day and from an estimate beyond what it tells."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

from kis.calendar import ONE_DAY, is_estimated_to_open
from kis.client.endpoints.calendar import opening_days
from kis.client.errors import KisError, NotOffered
from kis.client.session import Session
from kis.korean import SEOUL
from kis.market_days import use_market_days
from kis.models import MarketDay

Source = MarketDay.Source
YEAR = 366


@dataclass(frozen=True, slots=True)
class CalendarResult:
    """Days known from the broker from today on, those of them that the estimate has wrong, and sentences about trouble."""

    days: int = 0
    corrected: tuple[date, ...] = ()
    problems: tuple[str, ...] = ()


def sync_calendar(session: Session, *, at: datetime) -> CalendarResult:
    """Refresh the calendar, once on each day in Korea; what the owner wrote stays, and goes first.

    The broker wants to be asked at most once a day and tells about the next 24 days; paper is not told at all. A question
    that failed leaves the rows as they are and is asked again by the next run.
    """
    today = at.astimezone(SEOUL).date()
    if not is_fresh(Source.ESTIMATE, today):
        save_estimate(today, at=at)
    problems: tuple[str, ...] = ()
    if not is_fresh(Source.BROKER, today):
        try:
            save_broker_days(session, today, at=at)
        except NotOffered:
            pass
        except KisError as error:
            problems = (f"휴장일: {error}",)
    told = MarketDay.objects.filter(source=Source.BROKER, day__gte=today).values_list("day", "opens")
    corrected = tuple(sorted(day for day, opens in told if opens != is_estimated_to_open(day)))
    return CalendarResult(len(told), corrected, problems)


def is_fresh(source: MarketDay.Source, today: date) -> bool:
    """Return whether a source was heard on this very day; not "or later", as a simulator's clock may go back."""
    midnight = datetime.combine(today, time.min, SEOUL)
    return MarketDay.objects.filter(
        source=source, updated_at__gte=midnight, updated_at__lt=midnight + ONE_DAY
    ).exists()


def save_estimate(today: date, *, at: datetime) -> None:
    """Write down what is estimated for the year ahead, so that the table alone tells about every day."""
    opening = [(day, is_estimated_to_open(day)) for day in (today + ONE_DAY * count for count in range(YEAR))]
    save(
        MarketDay(day=day, opens=opens, settles=opens, source=Source.ESTIMATE, updated_at=at)
        for day, opens in opening
    )


def save_broker_days(session: Session, today: date, *, at: datetime) -> None:
    """Ask the broker and follow it. Raises NotOffered for paper, and any other KisError."""
    told = opening_days(session, today)
    save(
        MarketDay(
            day=day.day, opens=day.is_open, settles=day.is_settlement, source=Source.BROKER, updated_at=at
        )
        for day in told
    )
    use_market_days()


def save(rows: Iterable[MarketDay]) -> None:
    MarketDay.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["day", "source"],
        update_fields=["opens", "settles", "updated_at"],
    )
