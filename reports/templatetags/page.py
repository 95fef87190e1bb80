"""Charts of the live page: those of print, in its colours and to its size."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kis.advice import Finding, Severity
from kis.calendar import hours_of
from kis.korean import SEOUL, number, percent
from reports import candles, charts, minute_charts
from reports.figures import HoldingFigures
from reports.overview.advice import SEVERITY_TONES
from reports.palette import PAGE

register = template.Library()
CASH, REST = "cash", "rest"


@register.simple_tag
def sparkline(row: HoldingFigures, width: float, height: float, is_stale: bool) -> SafeString:
    return _svg(
        charts.sparkline(row.closes, row.average, width=width, height=height, is_stale=is_stale, palette=PAGE)
    )


@register.simple_tag
def session_ends(as_of: datetime) -> SafeString:
    """Write the ends of a minute chart's axis: the hours of that day's session."""
    hours = hours_of(as_of.astimezone(SEOUL).date())
    return format_html("<span>{}</span><span>{}</span>", f"{hours.opens:%-H:%M}", f"{hours.closes:%-H:%M}")


@register.simple_tag
def day_line(row: HoldingFigures, width: float, height: float, is_stale: bool) -> SafeString:
    return _svg(
        minute_charts.day_line(row.charts.day, width=width, height=height, is_stale=is_stale, palette=PAGE)
    )


@register.simple_tag
def candle_chart(row: HoldingFigures, width: float, height: float) -> SafeString:
    """Draw two weeks; the text for those who do not see it says what the picture is of."""
    days = len([close for close in row.closes if close is not None])
    label = f"{row.name} {days}거래일 캔들, 현재가 {number(row.price)}원, 수익률 {percent(row.profit_pct)}"
    return _svg(
        candles.candle_chart(
            row.charts.candles,
            row.charts.trades,
            row.average,
            width=width,
            height=height,
            label=label,
            palette=PAGE,
        )
    )


@register.simple_tag
def minute_chart(row: HoldingFigures, width: float, height: float, is_stale: bool) -> SafeString:
    label = f"{row.name} 오늘 1분 차트, 전일대비 {percent(row.change_pct)}"
    return _svg(
        minute_charts.minute_chart(
            row.charts.day, width=width, height=height, is_stale=is_stale, label=label, palette=PAGE
        )
    )


@register.simple_tag
def return_bar(rate: Decimal, width: float, height: float) -> SafeString:
    return _svg(charts.return_bar(rate, width=width, height=height, palette=PAGE))


@register.simple_tag
def share_bar(part: Decimal, scale: Decimal, width: float, height: float) -> SafeString:
    return _svg(charts.share_bar(part, scale=scale, width=width, height=height, color=PAGE.ink3))


@register.simple_tag
def finding_bar(finding: Finding, width: float, height: float) -> SafeString:
    bar = charts.bullet_bar(
        finding.share or Decimal(0),
        finding.limit_share,
        width=width,
        height=height,
        is_broken=finding.severity is Severity.WARNING,
        palette=PAGE,
    )
    return _svg(bar)


@register.simple_tag
def stripes(width: float, height: float) -> SafeString:
    return _svg(charts.stripes(width=width, height=height, color=PAGE.warn_mark, ground=PAGE.warn_fill))


@register.simple_tag
def swatch(color: str) -> SafeString:
    """Draw the small square of a part; cash, in the colour of the paper, has an edge."""
    edge = format_html(' stroke="{}"', PAGE.ink3) if color == PAGE.paper else ""
    return format_html(
        '<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect x="0.5" y="0.5" width="9" height="9" fill="{}"{}/></svg>',
        color,
        edge,
    )


@register.simple_tag
def sector_swatch(kind: str, place: int) -> SafeString:
    last = len(PAGE.ramp) - 1
    return swatch(PAGE.paper if kind == CASH else PAGE.ramp[last if kind == REST else min(place, last)])


@register.filter
def severity_tone(severity: Severity) -> str:
    return SEVERITY_TONES[severity]


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
    return SafeString(text)  # our own drawing: numbers, colours, and names escaped by the sheet
