"""Days on which a stock has no bar though it should."""

from collections.abc import Collection
from datetime import date, datetime

from django.db.models import Count, Max, Min

from kis.calendar import business_day_after, business_day_before, business_days
from kis.korean import SEOUL
from kis.models import DailyPrice, PriceGap
from kis.sync.gaps import day_of, midnight, note_gaps, stretches

DAY = PriceGap.What.DAY
#: A hole is asked for when it is found and once more on each of the following days.
MOST_TRIES = 3


def find_gaps(codes: Collection[str], *, at: datetime) -> None:
    """Write down the holes of these stocks, and close those that are none any more.

    A hole is a business day between two bars of a stock, on which other stocks have theirs: a day that nobody has was
    closed after all. A halted day is none, the broker shows it with a close alone.
    """
    spans = DailyPrice.objects.filter(stock_code__in=codes).order_by().values("stock_code")
    rows = list(spans.annotate(first=Min("trade_date"), last=Max("trade_date"), bars=Count("id")))
    missing: dict[str, set[date]] = {}
    for row in rows:
        days = list(business_days(row["first"], row["last"]))
        if len(days) > row["bars"]:
            missing[row["stock_code"]] = set(days) - days_stored(row["stock_code"])
    everywhere: set[date] = set().union(*missing.values())
    shared = DailyPrice.objects.filter(trade_date__in=everywhere).order_by()
    traded = set(shared.values_list("trade_date", flat=True).distinct()) if len(rows) > 1 else everywhere
    for code, lost in missing.items():
        if real := sorted(lost & traded):
            order = [midnight(day) for day in business_days(real[0], real[-1])]
            note_gaps(DAY, code, stretches(map(midnight, real), order), at=at)
    for gap in PriceGap.objects.still_open().filter(what=DAY, stock_code__in=codes):
        if not missing.get(gap.stock_code, set()) & traded & set(days_of(gap)):
            gap.filled_at = at
            gap.save(update_fields=["filled_at"])


def days_stored(code: str) -> set[date]:
    return set(DailyPrice.objects.filter(stock_code=code).values_list("trade_date", flat=True))


def days_of(gap: PriceGap) -> list[date]:
    return list(business_days(day_of(gap.first_at), day_of(gap.last_at)))


def is_filled(gap: PriceGap) -> bool:
    days = days_of(gap)
    return DailyPrice.objects.filter(stock_code=gap.stock_code, trade_date__in=days).count() == len(days)


def gaps_to_ask(codes: Collection[str], *, at: datetime) -> list[PriceGap]:
    """Return the holes that are worth a call now, the newest first."""
    today = at.astimezone(SEOUL).date()
    waiting = PriceGap.objects.still_open().filter(what=DAY, stock_code__in=codes, tries__lt=MOST_TRIES)
    return [gap for gap in waiting if gap.asked_at is None or day_of(gap.asked_at) != today]


def neighbourhood(gap: PriceGap) -> tuple[date, date]:
    """Return a hole with a day on either side: only beside a known bar can be seen on what footing the new ones are."""
    return business_day_before(day_of(gap.first_at)), business_day_after(day_of(gap.last_at))
