"""Small lines in the lists of the admin: one query for all rows of a page, drawn as pictures inside of it."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Final

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kis.admin_base import tone
from kis.client.codes import AccountNumber
from kis.korean import MISSING, SEOUL
from kis.models import DailyPrice, KisDailySummary, MinPrice
from kis.models.owned import owned_by

WIDTH, HEIGHT, EDGE = 76, 20, 2.5
#: How many values a line has, and how far back they may lie.
CLOSES, BACK = 10, timedelta(days=21)
DAYS, DAYS_BACK = 20, timedelta(days=40)
MINUTES, MINUTES_BACK = 30, timedelta(minutes=45)
#: Rows of a page that lie years apart: the line of the oldest may then be missing, the page is not slow.
MOST: Final = 20_000
Series = dict[Any, list[tuple[Any, float]]]


def sparkline(values: Sequence[float], *, label: str) -> SafeString:
    """Draw a line through the values on its own scale, with a dot at the last one; a dash where there is no line."""
    if len(values) < 2:  # noqa: PLR2004  # one value is no line
        return format_html('<span class="figure">{}</span>', MISSING)
    low, high = min(values), max(values)
    step, span = (WIDTH - 2 * EDGE) / (len(values) - 1), high - low
    spots = [
        (
            EDGE + place * step,
            HEIGHT / 2 if not span else HEIGHT - EDGE - (value - low) / span * (HEIGHT - 2 * EDGE),
        )
        for place, value in enumerate(values)
    ]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    return format_html(
        '<svg class="spark {}" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polyline points="{}"/><circle cx="{}" cy="{}" r="2"/></svg>',
        tone(values[-1] - values[0]),
        *(WIDTH, HEIGHT, WIDTH, HEIGHT),
        label,
        points,
        *(f"{spot:.1f}" for spot in spots[-1]),
    )


def picture(label: str, what: str) -> Any:
    """Return a list column with the line that was put beside each row; `what` says to those who cannot see it what it is."""

    @admin.display(description=label)
    def line(row: Any) -> SafeString:
        return sparkline(getattr(row, "line", ()), label=what)

    line.is_picture = True  # type: ignore[attr-defined]  # left out of files (kis.admin_export)
    return line


# --- what the lines are made of --------------------------------------------------------------------------------------


def put_closes(rows: Sequence[Any], *, day: Callable[[Any], date], last: str = "") -> None:
    """Put beside each row the closes of its stock up to its day; with `last`, those before it and then that column."""
    if not rows:
        return
    days = [day(row) for row in rows]
    found = DailyPrice.objects.filter(
        stock_code__in={row.stock_code for row in rows},
        trade_date__range=(min(days) - BACK, max(days)),
    ).order_by("-trade_date")
    series = by_key(found.values_list("stock_code", "trade_date", "close")[:MOST])
    for row, on in zip(rows, days, strict=True):
        until = on - timedelta(days=1) if last else on
        values = up_to(series[row.stock_code], until, since=on - BACK, most=CLOSES)
        row.line = [*values, float(getattr(row, last))] if last else values


def put_minutes(rows: Sequence[Any]) -> None:
    """Put beside each minute bar the closes of the half hour before it."""
    if not rows:
        return
    moments: list[datetime] = [row.bar_at for row in rows]
    found = MinPrice.objects.filter(
        stock_code__in={row.stock_code for row in rows},
        bar_at__range=(min(moments) - MINUTES_BACK, max(moments)),
    ).order_by("-bar_at")
    series = by_key(found.values_list("stock_code", "bar_at", "close")[:MOST])
    for row in rows:
        row.line = up_to(series[row.stock_code], row.bar_at, since=row.bar_at - MINUTES_BACK, most=MINUTES)


def put_totals(rows: Sequence[Any], *, day: Callable[[Any], date], last: str) -> None:
    """Put beside each row what its account was worth at the closes before, and then that column of its own."""
    if not rows:
        return
    days = [day(row) for row in rows]
    owners = {(AccountNumber(row.account_no, row.product_code), row.is_paper) for row in rows}
    of_owners = reduce(or_, (Q(**owned_by(number, is_paper=is_paper)) for number, is_paper in owners))
    found = KisDailySummary.objects.filter(
        of_owners, summary_date__range=(min(days) - DAYS_BACK, max(days)), total_amt__isnull=False
    ).order_by("-summary_date")
    columns = ("account_no", "product_code", "is_paper", "summary_date", "total_amt")
    series = by_key((tuple(line[:3]), *line[3:]) for line in found.values_list(*columns)[:MOST])
    for row, on in zip(rows, days, strict=True):
        key = (row.account_no, row.product_code, row.is_paper)
        values = up_to(series[key], on - timedelta(days=1), since=on - DAYS_BACK, most=DAYS)
        own = getattr(row, last)
        row.line = values if own is None else [*values, float(own)]


def by_key(found: Iterable[Any]) -> Series:
    """Return values with their moments by key, the oldest first."""
    series: Series = defaultdict(list)
    for key, at, value in found:
        series[key].append((at, float(value)))
    for values in series.values():
        values.sort()
    return series


def up_to(series: Sequence[tuple[Any, float]], until: Any, *, since: Any, most: int) -> list[float]:
    """Return the last values of a span that ends with a moment."""
    end = bisect_right(series, until, key=lambda pair: pair[0])
    return [value for at, value in series[max(end - most, 0) : end] if at >= since]


def seoul_day(moment: datetime) -> date:
    return moment.astimezone(SEOUL).date()
