"""Closes of the market indices, to compare the account with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from kis.calendar import business_day_before, business_days, latest_business_day
from kis.client.endpoints.charts import index_chart
from kis.client.errors import KisError
from kis.client.records.charts import IndexBar
from kis.client.session import Session
from kis.models import IndexPrice
from kis.sync.price_plans import last_final_day

BATCH = 500
#: A day that is missing between others is asked for again for so long.
PATIENCE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class IndexResult:
    """Indices that are up to date, closes written, indices asked for, and a sentence for each that failed."""

    indices: int = 0
    closes: int = 0
    asked: int = 0
    problems: tuple[str, ...] = ()


def fetch_index_prices(session: Session, *, since: date, at: datetime) -> IndexResult:
    """Bring the closes of KOSPI and KOSDAQ from `since` up to the last final day; what is there costs no call.

    `at` is in Korean time. An index that fails leaves the other and the books alone.
    """
    last = last_final_day(at)
    closes = asked = 0
    problems: list[str] = []
    for index in IndexPrice.Index:
        first = first_missing(index, since=since, last=last)
        if first is None:
            continue
        asked += 1
        try:
            chart = index_chart(session, code=index.value, first=first, last=last)
        except KisError as error:
            problems.append(f"{index.label} 지수: {error}")
            continue
        closes += save_closes(index, chart.bars)
        problems += [f"{index.label} 지수: {problem}" for problem in chart.problems]
    current = [index for index in IndexPrice.Index if first_missing(index, since=since, last=last) is None]
    return IndexResult(len(current), closes, asked, tuple(problems))


def index_levels(session: Session, *, at: datetime) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """Return where each index stands, as `KisAccount.indices` keeps it, and a sentence for each that failed.

    Before the market opens there is nothing to keep. `at` is in Korean time.
    """
    today = latest_business_day(at.date())
    before = business_day_before(today)
    levels: dict[str, dict[str, str]] = {}
    problems: list[str] = []
    for index in IndexPrice.Index:
        try:
            chart = index_chart(session, code=index.value, first=before, last=today)
        except KisError as error:
            problems.append(f"{index.label} 지수: {error}")
            continue
        closes = {bar.day: bar.close for bar in chart.bars}
        if today in closes and before in closes:
            levels[index.value] = level_of(today, closes[today], closes[before])
    return levels, tuple(problems)


def level_of(on: date, level: Decimal, before: Decimal) -> dict[str, str]:
    """Write one index as `KisAccount.indices` keeps it; `before` is the close before that day."""
    return {"day": on.isoformat(), "level": str(level), "before": str(before)}


def first_missing(index: IndexPrice.Index, *, since: date, last: date) -> date | None:
    """Return the day to ask from, None where nothing is missing.

    A hole that stays one is a day on which there was no market after all, or a bar nobody can read.
    """
    known = set(
        IndexPrice.objects.filter(index_code=index, trade_date__gte=since, trade_date__lte=last).values_list(
            "trade_date", flat=True
        )
    )
    wanted = list(business_days(since, last))
    newest = max(known, default=None)
    for on in wanted:
        is_new = newest is None or on > newest or on < min(known)
        if on not in known and (is_new or on >= last - PATIENCE):
            return on
    return None


def save_closes(index: IndexPrice.Index, bars: Iterable[IndexBar]) -> int:
    """Insert closes and correct known ones; return how many there were."""
    rows = [IndexPrice(index_code=index, trade_date=bar.day, close=bar.close) for bar in bars]
    IndexPrice.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["index_code", "trade_date"],
        update_fields=["close"],
    )
    return len(rows)
