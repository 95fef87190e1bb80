"""What the lists of the admin show around their rows."""

import calendar
from datetime import date, datetime
from typing import Any

from django import template

from kis.admin_lists import RowList
from kis.korean import SEOUL

register = template.Library()


@register.inclusion_tag("admin/date_hierarchy.html")
def date_steps(rows: RowList) -> dict[str, Any]:
    """Lead down from years to days by the first and the last row, found by the index; nothing in between is looked at."""
    name = rows.date_hierarchy
    year, month, day = (whole(rows.params.get(f"{name}__{part}")) for part in ("year", "month", "day"))
    span = span_of(rows)
    if span is None:
        return {"show": False}
    first, last = span
    if not year and first.year == last.year:
        year = first.year
        month = first.month if first.month == last.month else None
    steps = Steps(rows, name)
    if year and month and day:
        back, choices = steps.to(year, month), [{"title": f"{month}월 {day}일"}]
    elif year and month:
        back = steps.to(year)
        choices = [steps.to(year, month, number) for number in days_of(year, month, first, last)]
    elif year:
        back = steps.to()
        choices = [steps.to(year, number) for number in range(1, 13) if in_span(year, number, first, last)]
    else:
        return {
            "show": True,
            "choices": [steps.to(number) for number in range(last.year, first.year - 1, -1)],
        }
    return {"show": True, "back": back, "choices": choices}


class Steps:
    """Links of a list to the spans of its date."""

    def __init__(self, rows: RowList, name: str) -> None:
        self.rows = rows
        self.name = name

    def to(self, *parts: int) -> dict[str, str]:
        """Return the link to a year, a month or a day; without any, to all days."""
        asked = {
            f"{self.name}__{word}": part for word, part in zip(("year", "month", "day"), parts, strict=False)
        }
        words = (f"{part}{unit}" for part, unit in zip(parts, "년월일", strict=False))
        return {
            "link": self.rows.get_query_string(asked, [f"{self.name}__"]),
            "title": list(words)[-1] if parts else "모든 날짜",
        }


def span_of(rows: RowList) -> tuple[date, date] | None:
    """Return the days of the first and the last row, in Seoul."""
    if rows.span is None:
        return None
    first, last = rows.span
    if isinstance(first, datetime) and isinstance(last, datetime):
        return first.astimezone(SEOUL).date(), last.astimezone(SEOUL).date()
    return first, last


def whole(text: object) -> int | None:
    try:
        return int(str(text))
    except ValueError:
        return None


def in_span(year: int, month: int, first: date, last: date) -> bool:
    return (first.year, first.month) <= (year, month) <= (last.year, last.month)


def days_of(year: int, month: int, first: date, last: date) -> list[int]:
    if not in_span(year, month, first, last):
        return []
    days = range(1, calendar.monthrange(year, month)[1] + 1)
    return [day for day in days if first <= date(year, month, day) <= last]
