"""Minutes in which a stock has no bar though it should.

The broker leaves out minutes in which nothing was traded, so missing minutes are a hole only for a stock that trades
steadily: one that misses hardly anything else, however long the hole. Nor are they one when no stock has a bar then (an
auction, a halt of the whole market, a later opening). The rest are quiet minutes, of which nothing is written down.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from django.db.models import Count

from kis.client.codes import TR
from kis.client.errors import NotOffered
from kis.client.session import Session
from kis.korean import SEOUL
from kis.models import DailyPrice, MinPrice, PriceGap
from kis.sync.gaps import Stretch, asked_again, day_of, minutes_between, note_gaps, stretches
from kis.sync.minute_plans import TAIL, MinuteWindow, session_minutes, todays_windows

MINUTE_BAR = PriceGap.What.MINUTE
#: A stock trades steadily when it has one hole, and one more for so many bars, at most …
BARS_A_HOLE = 100
#: … and enough bars to tell.
ENOUGH = 20
NOT_ASKED = "그때 받지 못했습니다."
NOT_OFFERED = "모의투자에서는 지난 날의 분봉을 제공하지 않습니다. (모의 미지원)"
NOT_THERE = "다시 물어도 증권사에 분봉이 없습니다. 체결이 없었거나 매매가 멈춘 때일 수 있습니다."


def offers_past_days(session: Session) -> bool:
    try:
        session.environment.tr_id(TR.PAST_MINUTES)
    except NotOffered:
        return False
    return True


def holes(present: Collection[datetime], minutes: Sequence[datetime]) -> list[Stretch]:
    """Return the holes of a stock in these minutes of a day; none for a stock that does not trade steadily. Pure."""
    there = set(present) & set(minutes)
    lost = stretches((minute for minute in minutes if minute not in there), minutes)
    return lost if len(there) >= ENOUGH and len(lost) <= 1 + len(there) // BARS_A_HOLE else []


def find_minute_gaps(codes: Collection[str], day: date, *, until: datetime, at: datetime) -> None:
    """Write down the holes of a day up to `until`, which all of these stocks have been asked for."""
    minutes = [minute for minute in session_minutes(day) if minute <= until]
    if not minutes or not codes:
        return
    span = (minutes[0], minutes[-1])
    rows = MinPrice.objects.filter(stock_code__in=codes, bar_at__range=span).order_by()
    counts = dict(rows.values_list("stock_code").annotate(Count("id")))
    present: dict[str, set[datetime]] = {code: set() for code, bars in counts.items() if bars < len(minutes)}
    for code, bar_at in rows.filter(stock_code__in=present).values_list("stock_code", "bar_at"):
        present[code].add(bar_at.astimezone(SEOUL))
    found = {code: holes(there, minutes) for code, there in present.items()}
    lost = {minute for gaps in found.values() for gap in gaps for minute in within(gap, minutes)}
    if not lost:
        return
    shared = MinPrice.objects.filter(bar_at__in=lost).order_by().values_list("bar_at", flat=True).distinct()
    traded = {bar_at.astimezone(SEOUL) for bar_at in shared}
    alone = len(counts) == 1
    for code, gaps in found.items():
        real = [minute for gap in gaps for minute in within(gap, minutes) if alone or minute in traded]
        note_gaps(MINUTE_BAR, code, stretches(real, minutes), at=at)


def within(stretch: Stretch, minutes: Iterable[datetime]) -> list[datetime]:
    return [minute for minute in minutes if stretch.first <= minute <= stretch.last]


def minute_gaps_to_ask(
    session: Session, codes: Collection[str], *, today: date, past: bool
) -> list[PriceGap]:
    """Return the holes that have not been asked for again yet, the newest first; past days only where they are offered."""
    gaps = PriceGap.objects.still_open().filter(what=MINUTE_BAR, stock_code__in=codes, tries=0)
    offered = past and offers_past_days(session)
    return [gap for gap in gaps if offered or day_of(gap.first_at) == today]


def windows_of(gap: PriceGap, *, today: date) -> list[MinuteWindow]:
    first, last = gap.first_at.astimezone(SEOUL), gap.last_at.astimezone(SEOUL)
    if first.date() == today:
        return list(todays_windows(gap.stock_code, first, last))
    return [MinuteWindow(gap.stock_code, first, last, past=True)]


def settle_minute_gap(gap: PriceGap, *, at: datetime) -> None:
    """Note what the second answer has left of a hole: it is filled, or only quiet minutes were missing, or it stays."""
    first, last = gap.first_at.astimezone(SEOUL), gap.last_at.astimezone(SEOUL)
    minutes = [minute for minute in session_minutes(first.date()) if minute <= at.astimezone(SEOUL) - TAIL]
    rows = MinPrice.objects.filter(stock_code=gap.stock_code, bar_at__range=(minutes[0], minutes[-1]))
    present = {bar_at.astimezone(SEOUL) for bar_at in rows.values_list("bar_at", flat=True)}
    hole = set(minutes_between(first, last))
    left = [stretch for stretch in holes(present, minutes) if hole & set(within(stretch, minutes))]
    asked_again(gap, filled=not left and not has_vanished(gap, present), at=at, reason=NOT_THERE)


def has_vanished(gap: PriceGap, present: Collection[datetime]) -> bool:
    """Return whether a whole day has no minutes, though the stock was traded on it."""
    day = day_of(gap.first_at)
    traded = DailyPrice.objects.filter(stock_code=gap.stock_code, trade_date=day, volume__gt=0)
    return not present and traded.exists()
