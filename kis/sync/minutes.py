"""Minute prices of the holdings, while the market trades."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from kis.calendar import moment_on
from kis.client.endpoints.charts import minutes_of_past_day, minutes_of_today
from kis.client.records.charts import MinuteBar, MinuteChart
from kis.client.session import Session
from kis.models import MinPrice, PriceGap
from kis.sync.asking import Asking
from kis.sync.daily_bars import lock
from kis.sync.gaps import Stretch, day_of, note_gaps
from kis.sync.minute_gaps import (
    MINUTE_BAR,
    NOT_ASKED,
    NOT_OFFERED,
    find_minute_gaps,
    minute_gaps_to_ask,
    offers_past_days,
    settle_minute_gap,
    windows_of,
)
from kis.sync.minute_plans import (
    CLOSING,
    FIRST,
    MINUTE,
    TAIL,
    MinutePlan,
    MinuteWindow,
    cut_minute_plans,
    make_minute_plans,
)
from kis.sync.pool import calls_within
from kis.sync.progress import Listener

#: What a run may spend, as the time the rate budget takes for it: a run every minute leaves room for everything else.
SECONDS_A_RUN = 40.0
BATCH = 500


@dataclass(frozen=True, slots=True)
class MinuteResult:
    """Stocks whose last minute is there, new bars, calls made for them, holes that stay, and sentences about trouble.

    `unfinished` counts stocks of which something is left for the next run.
    """

    stocks: int
    bars: int
    asked: int
    gaps: int
    unfinished: int
    problems: tuple[str, ...]


def fetch_minutes(
    session: Session,
    codes: Collection[str],
    *,
    at: datetime,
    listener: Listener,
    seconds: float = SECONDS_A_RUN,
    older_than: timedelta = timedelta(),
    past: bool = True,
) -> MinuteResult:
    """Bring the minutes of these stocks up to the last one that is over; `at` is in Korean time.

    The minute that is being made is never stored, and the last ones are asked for again. What a run cannot do within
    `seconds` of the rate budget the next one does; stocks take turns. One that fails leaves the others alone. With `past`,
    minutes of past days are fetched too, where the broker offers them (real), and otherwise written down as missing.
    """
    plans = make_minute_plans(codes, at=at, older_than=older_than, past=past)
    limit = calls_within(session, seconds)
    run = MinuteRun(session, at=at, listener=listener)
    run.note_missed(plans)
    wanted = [len(plan.windows) for plan in plans]
    cut_minute_plans(plans, calls=limit)
    run.bring_up_to_date(plans)
    run.refill(limit - run.asking.calls, codes, past=past)
    left = sum(1 for plan, count in zip(plans, wanted, strict=True) if len(plan.windows) < count)
    gaps = PriceGap.objects.still_open().filter(
        what=MINUTE_BAR, stock_code__in=codes, first_at__gte=moment_on(at.date(), FIRST)
    )
    return MinuteResult(
        stocks=sum(1 for plan in plans if plan.code not in run.asking.failed),
        bars=run.bars,
        asked=run.asking.calls,
        gaps=gaps.count(),
        unfinished=left,
        problems=tuple(run.asking.problems),
    )


def ask_minutes(session: Session, window: MinuteWindow) -> MinuteChart:
    """Ask for the minutes of a window, and for nothing after it."""
    inquiry = minutes_of_past_day if window.past else minutes_of_today
    end = window.last + timedelta(seconds=59)
    chart = inquiry(session, code=window.code, day=day_of(window.first), now=end, since=window.first.time())
    # By this clock the last bar is still forming; the window ends with a minute that is over.
    return MinuteChart(tuple(bar for bar in chart.bars if window.holds(bar.at)), chart.problems)


class MinuteRun:
    """What one run learns about minutes, and writes."""

    def __init__(self, session: Session, *, at: datetime, listener: Listener) -> None:
        self.session = session
        self.asking = Asking(session, ask_minutes, label="분봉", listener=listener)
        self.at = at
        self.today = at.date()
        self.bars = 0

    def note_missed(self, plans: Iterable[MinutePlan]) -> None:
        """Write down what no run has asked for; where past days are not offered, days before the first run as well."""
        offered = offers_past_days(self.session)
        for plan in plans:
            if plan.missed:
                with transaction.atomic():
                    note_gaps(
                        MINUTE_BAR,
                        plan.code,
                        plan.missed,
                        at=self.at,
                        reason=NOT_ASKED if offered else NOT_OFFERED,
                    )
                    note_minutes(plan.code, until=moment_on(self.today, FIRST) - MINUTE)
            if plan.back and not offered:
                days = [Stretch(window.first, window.last) for window in plan.back]
                with transaction.atomic():
                    note_gaps(MINUTE_BAR, plan.code, days, at=self.at, reason=NOT_OFFERED)
                    note_minutes(plan.code, since=day_of(days[-1].first), today=self.today)
                plan.back = []

    def bring_up_to_date(self, plans: Sequence[MinutePlan]) -> None:
        """Ask for what the plans want, store it stock by stock, and look for holes in what is there then."""
        wanted = [(plan, windows) for plan in plans for windows in (plan.today, plan.back) if windows]
        reached: dict[str, datetime] = {}
        days: dict[date, set[str]] = {}
        for place, came in self.asking.charts([windows for _, windows in wanted]):
            plan, _ = wanted[place]
            if not came:
                continue
            bars = [bar for _, chart in came for bar in chart.bars]
            last_window = came[-1][0]
            with transaction.atomic():
                lock(plan.code)
                self.bars += save_minutes(plan.code, bars)
                if last_window.past:
                    note_minutes(plan.code, since=day_of(last_window.first), today=self.today)
                else:
                    note_minutes(plan.code, until=last_window.last)
                    reached[plan.code] = last_window.last
            for window, _ in came:
                if window.past:
                    days.setdefault(day_of(window.first), set()).add(plan.code)
        newest = max(reached.values(), default=None)
        if newest:
            level = [code for code, until in reached.items() if until == newest]
            find_minute_gaps(level, self.today, until=newest - TAIL - MINUTE, at=self.at)
        for day, codes in days.items():
            find_minute_gaps(codes, day, until=moment_on(day, CLOSING), at=self.at)

    def refill(self, calls: int, codes: Collection[str], *, past: bool) -> None:
        """Ask for holes once more, as far as so many calls go."""
        wanted, gaps = [], []
        for gap in minute_gaps_to_ask(self.session, codes, today=self.today, past=past):
            windows = windows_of(gap, today=self.today)
            calls -= sum(window.calls for window in windows)
            if calls < 0:
                break
            wanted.append(windows)
            gaps.append(gap)
        for place, came in self.asking.charts(wanted):
            if len(came) == len(wanted[place]):
                with transaction.atomic():
                    lock(gaps[place].stock_code)
                    bars = [bar for _, chart in came for bar in chart.bars]
                    self.bars += save_minutes(gaps[place].stock_code, bars)
                    settle_minute_gap(gaps[place], at=self.at)


def save_minutes(code: str, bars: Sequence[MinuteBar]) -> int:
    """Insert bars and follow the broker on known ones; returns how many are new."""
    if not bars:
        return 0
    moments = [bar.at for bar in bars]
    stored = MinPrice.objects.filter(stock_code=code, bar_at__range=(min(moments), max(moments)))
    known = stored.count()
    MinPrice.objects.bulk_create(
        [
            MinPrice(
                stock_code=code,
                bar_at=bar.at,
                open=bar.open,
                high=bar.high,
                low=bar.low,
                close=bar.close,
                volume=bar.volume,
            )
            for bar in bars
        ],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["stock_code", "bar_at"],
        update_fields=["open", "high", "low", "close", "volume"],
    )
    return stored.count() - known


def note_minutes(
    code: str, *, until: datetime | None = None, since: date | None = None, today: date | None = None
) -> None:
    """Note what has been asked for: up to a minute of today, or back to a day."""
    row = lock(code)
    if until:
        row.minutes_until = until
        row.minutes_from = row.minutes_from or day_of(until)
    if since and today:
        row.minutes_from = since
        row.minutes_until = row.minutes_until or moment_on(today, FIRST) - MINUTE
    row.save(update_fields=["minutes_from", "minutes_until"])
