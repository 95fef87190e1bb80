"""How templates write numbers and ask for charts; no arithmetic of their own."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from kis import korean
from reports import charts, columns

register = template.Library()
LONG_FROM = 100_000_000  # from here on the figure of a card is set smaller,
HEADING_FROM = 100_000_000_000  # and from here on it is a heading
LADDER_FROM = 10_000_000_000
BRIEF_FROM = 1_000_000_000
LONGEST_WORD = 60.0  # millimetres
WIDE = 3  # figures before 조 or 억; what follows them is left out where room is short

register.filter("won", korean.number)
register.filter("signed", korean.signed)
register.filter("percent", korean.percent)
register.filter("share", korean.share)
register.filter("arrow", korean.arrow)
register.filter("short_day", korean.short_day)
register.filter("heading_text", korean.heading_text)


@register.filter
def day(value: date | datetime) -> str:
    return korean.day(value.date() if isinstance(value, datetime) else value)


@register.filter
def clock(value: datetime) -> str:
    return korean.clock_time(value)


@register.filter
def hour_minute(value: time) -> str:
    return f"{value:%H:%M}"


@register.filter
def tone(value: Decimal | int | None) -> str:
    """Name the colour class of a profit: up, down, or nothing to say."""
    if not value:
        return "zero"
    return "up" if value > 0 else "down"


@register.filter
def whole_won(value: Decimal) -> str:
    """Average price to the won, as the broker's own screens show it."""
    return korean.number(int(value.quantize(Decimal(1), ROUND_HALF_UP)))


@register.filter
def estimate(value: int | None, is_estimated: bool = True) -> str:
    """`12337` → `~12,337` where it is not the broker's final figure."""
    if value is None:
        return korean.MISSING
    return f"~{value:,}" if is_estimated and value else korean.number(value)


@register.filter
def seconds(value: Decimal | None) -> str:
    return korean.MISSING if value is None else f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP)}초"


@register.filter
def age(value: timedelta) -> str:
    """Age of an order, `5:14`."""
    minutes = int(value.total_seconds()) // 60
    return f"{minutes // 60}:{minutes % 60:02}"


@register.filter
def age_words(value: timedelta) -> str:
    """`47분`, `5시간 14분`, `3일`."""
    minutes = int(value.total_seconds()) // 60
    if value.days:
        return f"{value.days}일"
    return f"{minutes // 60}시간 {minutes % 60}분" if minutes >= 60 else f"{minutes}분"  # noqa: PLR2004


@register.filter
def heading(value: int) -> SafeString:
    """Write the one large amount of the page, units smaller: `1억 7,981만원`."""
    return format_html_join(" ", '{}<span class="unit">{}</span>', korean.won_heading(value))


@register.filter
def figure(value: int | None) -> SafeString:
    """Write the figure of a card: signed, in full where it fits and as a heading where it does not."""
    if value is None or abs(value) < HEADING_FROM:
        return format_html("{}", korean.signed(value))
    sign = "+" if value > 0 else ""
    return format_html("{}{}", sign, heading(value))


@register.filter
def is_long(value: int | None) -> bool:
    return value is not None and abs(value) >= LONG_FROM


@register.filter
def ladder(value: int | None) -> str:
    """Write an amount of the narrow cash table."""
    if value is None or abs(value) < LADDER_FROM:
        return korean.number(value)
    return short_heading(value)


@register.filter
def is_plain(value: int) -> bool:
    """Whether the narrow cash table writes an amount in full, without a unit."""
    return abs(value) < LADDER_FROM


@register.filter
def short_heading(value: int) -> str:
    """Write a heading of one unit where the amount is long: `2,240억원`."""
    parts = korean.won_heading(value)
    figure, unit = parts[0]
    if len(parts) > 1 and len(figure.lstrip(korean.MINUS)) >= WIDE:
        return f"{figure}{unit}원"
    return korean.heading_text(value)


@register.filter
def brief(value: int | None) -> str:
    """Write a signed amount inside a line of text."""
    if value is None or abs(value) < BRIEF_FROM:
        return korean.signed(value)
    return f"{'+' if value > 0 else ''}{short_heading(value)}"


@register.filter
def two_lines(text: str, room: float) -> SafeString:
    """Write a name on two lines where its column, in millimetres, is too narrow for one."""
    return format_html_join(
        SafeString("<br>"), "{}", ((line,) for line in columns.two_lines(text, float(room)))
    )


@register.filter
def cut(text: str, room: float) -> str:
    """Shorten a name to its column, in millimetres."""
    return columns.cut(text, float(room))


@register.filter
def slash_day(value: date | None) -> str:
    return korean.MISSING if value is None else f"{value.month}/{value.day}"


@register.filter
def rest_of_hundred(value: Decimal) -> str:
    return korean.share(100 - value)


@register.filter
def part_of(value: int | None, whole: int) -> Decimal | None:
    """Return an amount as percent of another."""
    return Decimal(value) * 100 / whole if value is not None and whole > 0 else None


@register.filter
def hundredths(value: Decimal | None) -> str:
    """Write a part that is neither gain nor loss: two decimals, no sign."""
    return korean.percent(value).lstrip("+").removesuffix("%")


@register.filter
def cut_won(text: str) -> str:
    """Leave the unit won out where another amount stands beside it."""
    return text.removesuffix("원")


@register.filter
def join_keys(value: Mapping[str, str]) -> str:
    return " · ".join(value)


@register.filter
def words(text: str) -> SafeString:
    """Keep every word in one piece: the PDF renderer would break Korean anywhere."""
    return format_html_join(" ", "<span{}>{}</span>", ((_in_one_piece(word), word) for word in text.split()))


def _in_one_piece(word: str) -> SafeString:
    """Return what keeps a word together; one that is longer than a line has to break."""
    return SafeString(' class="w"') if columns.text_width(word) <= LONGEST_WORD else SafeString("")


@register.filter
def words_with(text: str, references: Sequence[str]) -> SafeString:
    """Keep every word in one piece, and what the sentence refers to with its last word."""
    *first, last = text.split() or [""]
    told = format_html(' <span class="small grey">[{}]</span>', " ".join(references)) if references else ""
    return format_html("{} <span{}>{}{}</span>", words(" ".join(first)), _in_one_piece(last), last, told)


@register.simple_tag
def sparkline(
    closes: Sequence[int | None], average: Decimal, width: float, height: float, is_stale: bool
) -> SafeString:
    return _svg(charts.sparkline(closes, average, width=width, height=height, is_stale=is_stale))


@register.simple_tag
def return_bar(rate: Decimal, width: float, height: float) -> SafeString:
    return _svg(charts.return_bar(rate, width=width, height=height))


@register.simple_tag
def share_bar(part: Decimal, scale: Decimal, width: float, height: float) -> SafeString:
    return _svg(charts.share_bar(part, scale=scale, width=width, height=height))


@register.simple_tag
def stripes(width: float, height: float) -> SafeString:
    return _svg(charts.stripes(width=width, height=height))


def _svg(text: str) -> SafeString:
    return SafeString(text)  # our own drawing: numbers and colours, nothing anybody typed
