"""Returns of an account's days, chained from close to close."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from kis.calendar import ONE_DAY, business_days
from kis.korean import percent, short_day, signed
from kis.models import KisDailySummary
from kis.portfolio.returns import DayReturn, DayValue, time_weighted
from kis.portfolio.unknown import Unknown

NO_CLOSE = Unknown("이 날의 마감 자료가 없습니다.")
HUNDRED = 100
PLACES = Decimal("1e-8")  # of a percentage, as it is stored
NAMED_DAYS = 3


def chain(summaries: Mapping[date, KisDailySummary]) -> None:
    """Work out profit and return of every day from the close before it, and the return since the first; saves nothing.

    Days without a close have none. The stretch over them counts as one long day: the day after has no return of its own,
    but it is in the cumulative return.
    """
    rows = [summaries[on] for on in sorted(summaries)]
    closed = [row for row in rows if row.kis_account_id is not None]
    before: KisDailySummary | None = None
    for row, found in zip(closed, time_weighted(day_values(closed)), strict=True):
        row.previous_date = before.summary_date if before else None
        profit, rate = day_figures(row.previous_date, found)
        row.put("day_profit", profit)
        row.put("day_return", in_percent(rate))
        row.put("cumulative_return", in_percent(found.cumulative))
        before = row
    for row in rows:
        if row.kis_account_id is None:
            row.previous_date = None
            for name in ("flow", "day_profit", "day_return", "cumulative_return"):
                row.put(name, NO_CLOSE)


def day_values(closed: list[KisDailySummary]) -> list[DayValue]:
    """Return the days that have a close in the words of `kis.portfolio`."""
    return [
        DayValue(row.summary_date, row.total_amt, row.won("flow"))
        for row in closed
        if row.total_amt is not None
    ]


def day_figures(previous: date | None, found: DayReturn) -> tuple[int | Unknown, Decimal | Unknown]:
    """Return profit and return of one day; where the days before it have no close, why they cannot be told apart."""
    missing = missing_between(previous, found.day) if previous else []
    if previous is None or not missing or isinstance(found.profit, Unknown):
        return found.profit, found.rate
    more = f" 외 {len(missing) - NAMED_DAYS}일" if len(missing) > NAMED_DAYS else ""
    named = ", ".join(short_day(on) for on in missing[:NAMED_DAYS]) + more
    rate = "" if isinstance(found.rate, Unknown) else f", {percent(found.rate * HUNDRED)}"
    bridged = Unknown(
        f"{named} 마감 자료가 없어 하루의 것으로 나눌 수 없습니다. {short_day(previous)} 마감부터 {len(missing) + 1}영업일 동안 "
        f"{signed(found.profit)}원{rate}이며 누적 수익률에는 들어 있습니다."
    )
    return bridged, bridged


def missing_between(first: date, last: date) -> list[date]:
    """Return the business days strictly between two days."""
    return list(business_days(first + ONE_DAY, last - ONE_DAY))


def in_percent(rate: Decimal | Unknown) -> Decimal | Unknown:
    """Write a part of one (0.01) as a percentage (1), rounded as it is stored."""
    return rate if isinstance(rate, Unknown) else (rate * HUNDRED).quantize(PLACES)
