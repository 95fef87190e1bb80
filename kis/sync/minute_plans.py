"""What to ask about minute prices, from what has been asked before."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from kis.calendar import business_day_before, business_days, is_business_day, moment_on
from kis.korean import SEOUL
from kis.models import PriceHistory
from kis.sync.gaps import Stretch, day_of, minutes_between

MINUTE = timedelta(minutes=1)
#: The first minute of the session, its last one of continuous trading, and the closing print by itself.
FIRST, LAST_OF_TRADING, CLOSING = time(9, 0), time(15, 19), time(15, 30)
#: Rows of one call.
TODAY_ROWS, PAST_ROWS = 30, 120
#: Stored minutes that are asked for once more: the broker's clock is not ours, and the last bar may have been half made.
TAIL = timedelta(minutes=2)
#: Business days before today whose minutes are fetched for a stock that is new here.
BACK_DAYS = 5


@dataclass(frozen=True, slots=True)
class MinuteWindow:
    """Minutes of one day to ask for together, both included; those of a past day have an inquiry of their own."""

    code: str
    first: datetime
    last: datetime
    past: bool = False

    @property
    def minutes(self) -> int:
        return int((self.last - self.first) / MINUTE) + 1

    @property
    def calls(self) -> int:
        return -(-self.minutes // (PAST_ROWS if self.past else TODAY_ROWS))

    def holds(self, moment: datetime) -> bool:
        return self.first <= moment <= self.last


@dataclass(slots=True)
class MinutePlan:
    """What to ask about one stock: `today` oldest first, `back` whole days, newest first; each is stored as far as it came.

    `until` is the last minute that has been asked for. `missed` are minutes since, on days that are over.
    """

    code: str
    since: date | None
    until: datetime | None
    missed: list[Stretch] = field(default_factory=list)
    today: list[MinuteWindow] = field(default_factory=list)
    back: list[MinuteWindow] = field(default_factory=list)

    @property
    def windows(self) -> list[MinuteWindow]:
        return [*self.today, *self.back]


def session_minutes(day: date) -> list[datetime]:
    """Return the minutes of a day in which there can be a bar."""
    return [*minutes_between(moment_on(day, FIRST), moment_on(day, LAST_OF_TRADING)), moment_on(day, CLOSING)]


def last_whole_minute(at: datetime) -> datetime | None:
    """Return the last minute of today's session that is over; None before there is one. `at` is in Korean time."""
    if not is_business_day(at.date()):
        return None
    last = min(at.replace(second=0, microsecond=0) - MINUTE, moment_on(at.date(), CLOSING))
    return last if last >= moment_on(at.date(), FIRST) else None


def todays_windows(code: str, first: datetime, last: datetime) -> Iterator[MinuteWindow]:
    """Cut a part of today into calls, oldest first, so that what came has no hole when the rest does not come."""
    while first <= last:
        end = min(first + (TODAY_ROWS - 1) * MINUTE, last)
        yield MinuteWindow(code, first, end)
        first = end + MINUTE


def past_day(code: str, day: date) -> MinuteWindow:
    return MinuteWindow(code, moment_on(day, FIRST), moment_on(day, CLOSING), past=True)


def make_minute_plans(
    codes: Collection[str], *, at: datetime, older_than: timedelta = timedelta(), past: bool = True
) -> list[MinutePlan]:
    """Return a plan for each code, those that have waited longest first.

    Before the first minute of a session is over there is nothing to ask. A stock whose last minute is not older than
    `older_than` is left alone, until the day is over.
    """
    last = last_whole_minute(at)
    if last is None:
        return []
    if last == moment_on(at.date(), CLOSING):
        older_than = timedelta()
    known = {row.stock_code: row for row in PriceHistory.objects.filter(stock_code__in=codes)}
    plans = [plan_of(code, known.get(code)) for code in codes]
    for plan in plans:
        complete(plan, last=last, older_than=older_than, back_days=BACK_DAYS if past else 0)
    begin = moment_on(at.date(), FIRST)
    return sorted(plans, key=lambda plan: (plan.until or begin, plan.code))


def plan_of(code: str, row: PriceHistory | None) -> MinutePlan:
    if row is None or row.minutes_until is None:
        return MinutePlan(code, None, None)
    return MinutePlan(code, row.minutes_from, row.minutes_until.astimezone(SEOUL))


def complete(plan: MinutePlan, *, last: datetime, older_than: timedelta, back_days: int) -> None:
    today = day_of(last)
    begin = moment_on(today, FIRST)
    if plan.until and plan.until < begin:
        plan.missed = list(missed_since(plan.until, today))
    if plan.until is None or plan.until < last - older_than:
        tail = plan.until - TAIL if plan.until else begin
        plan.today = list(todays_windows(plan.code, max(begin, tail), last))
    oldest = business_day_before(today, days=back_days) if back_days else today
    days = list(business_days(oldest, (plan.since or today) - timedelta(days=1)))
    plan.back = [past_day(plan.code, day) for day in reversed(days)]


def missed_since(until: datetime, today: date) -> Iterator[Stretch]:
    """Yield what was not asked for on the days before today, day by day."""
    for day in business_days(day_of(until), today - timedelta(days=1)):
        first = max(moment_on(day, FIRST), until + MINUTE)
        if first <= moment_on(day, CLOSING):
            yield Stretch(first, moment_on(day, CLOSING))


def cut_minute_plans(plans: Sequence[MinutePlan], *, calls: int) -> None:
    """Leave out what goes beyond so many calls: a turn for every stock before a second for any, past days last."""
    for queues in ([plan.today for plan in plans], [plan.back for plan in plans]):
        taken = [0] * len(queues)
        for turn in range(max(map(len, queues), default=0)):
            for place, queue in enumerate(queues):
                if turn < len(queue) and taken[place] == turn and queue[turn].calls <= calls:
                    calls -= queue[turn].calls
                    taken[place] += 1
        for queue, kept in zip(queues, taken, strict=True):
            del queue[kept:]
