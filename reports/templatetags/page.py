"""Charts of the live page: those of print, in its colours and to its size."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django import template
from django.utils.safestring import SafeString

from kis.korean import SEOUL
from reports import charts
from reports.palette import PAGE

register = template.Library()


@register.simple_tag
def sparkline(
    closes: Sequence[int | None], average: Decimal, width: float, height: float, is_stale: bool
) -> SafeString:
    return _svg(
        charts.sparkline(closes, average, width=width, height=height, is_stale=is_stale, palette=PAGE)
    )


@register.simple_tag
def return_bar(rate: Decimal, width: float, height: float) -> SafeString:
    return _svg(charts.return_bar(rate, width=width, height=height, palette=PAGE))


@register.simple_tag
def share_bar(part: Decimal, scale: Decimal, width: float, height: float) -> SafeString:
    return _svg(charts.share_bar(part, scale=scale, width=width, height=height, color=PAGE.ink3))


@register.simple_tag
def stripes(width: float, height: float) -> SafeString:
    return _svg(charts.stripes(width=width, height=height, color=PAGE.warn_mark, ground=PAGE.warn_fill))


@register.filter
def clock_minute(value: datetime) -> str:
    return f"{value.astimezone(SEOUL):%H:%M}"


@register.filter
def ago(seconds: int) -> str:
    """`12초 전`, `5분 전`, `3시간 전`, `2일 전`; the script of the page counts on in the same words."""
    if seconds < 60:  # noqa: PLR2004  # of a minute
        return f"{seconds}초 전"
    if seconds < 3600:  # noqa: PLR2004  # of an hour
        return f"{seconds // 60}분 전"
    return f"{seconds // 3600}시간 전" if seconds < 2 * 86400 else f"{seconds // 86400}일 전"


def _svg(text: str) -> SafeString:
    return SafeString(text)  # our own drawing: numbers and colours, nothing anybody typed
