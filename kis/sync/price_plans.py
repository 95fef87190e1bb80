"""What to ask about daily prices, from what is stored and what has been asked before."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time

from django.db.models import Max, Min

from kis.calendar import ONE_DAY, business_day_after, business_day_before, hour_on, is_business_day, moment_on
from kis.korean import SEOUL
from kis.models import DailyPrice, KisExecution, PriceHistory

#: Trading days of one call; a reply holds 100 bars, and a day that our calendar does not know must not cost the oldest.
DAYS_A_CALL = 95
#: How far back every stock is known, or to its first trade here where that is longer.
TRADING_DAYS = 260
#: Stored days that are asked for once more with new ones: adjusted prices change backwards after a split.
OVERLAP = 5
#: A stock whose newest bar is older than so many trading days has stopped trading; once a day is enough to ask.
ASLEEP_AFTER = 5
#: The day's bar counts as final from here on; before that it is still being made and is not stored.
FINAL_FROM = time(15, 40)


@dataclass(frozen=True, slots=True)
class Window:
    """Days to ask for in one call, both included."""

    code: str
    first: date
    last: date
    calls: int = 1


@dataclass(slots=True)
class Plan:
    """What to ask about one stock: `head` up to the last final day, `back` the older history, both newest first.

    All of `head` must come before any of it is stored, or a hole would be left; `back` is stored as far as it came.
    """

    code: str
    target: date
    stored_first: date | None
    stored_last: date | None
    asked_from: date | None
    head: list[Window] = field(default_factory=list)
    back: list[Window] = field(default_factory=list)

    @property
    def begin(self) -> date:
        """The first day of everything that is known or wanted."""
        return min(day for day in (self.target, self.stored_first, self.asked_from) if day)

    @property
    def windows(self) -> list[Window]:
        return [*self.head, *self.back]

    def look_again(self, last: date) -> None:
        """Ask about the newest stored days although they are there."""
        if self.stored_last and not self.head:
            seam = business_day_before(self.stored_last, days=OVERLAP - 1)
            self.head = list(windows(self.code, seam, last))


def last_final_day(at: datetime) -> date:
    """Return the latest trading day whose bar is final; `at` is in Korean time."""
    if is_business_day(at.date()) and at.time() >= hour_on(at.date(), FINAL_FROM):
        return at.date()
    return business_day_before(at.date())


def windows(code: str, first: date, last: date) -> Iterator[Window]:
    """Cut a range into calls, newest first."""
    while last >= first:
        start = max(first, business_day_before(last, days=DAYS_A_CALL - 1))
        yield Window(code, start, last)
        last = start - ONE_DAY


def make_plans(codes: Iterable[str], *, last: date, at: datetime) -> list[Plan]:
    """Return a plan for each code, in that order; what a code needs no call for has an empty one."""
    codes = list(codes)
    spans = DailyPrice.objects.filter(stock_code__in=codes).order_by().values("stock_code")
    stored = {
        row["stock_code"]: row for row in spans.annotate(first=Min("trade_date"), last=Max("trade_date"))
    }
    asked = {row.stock_code: row for row in PriceHistory.objects.filter(stock_code__in=codes)}
    fills = KisExecution.objects.filter(stock_code__in=codes).order_by().values("stock_code")
    first_trades = {row["stock_code"]: row["first"] for row in fills.annotate(first=Min("exec_dt"))}
    year_ago = business_day_before(last, days=TRADING_DAYS - 1)
    return [
        make_plan(
            Plan(
                code,
                target=min(first_trades.get(code, year_ago), year_ago),
                stored_first=stored[code]["first"] if code in stored else None,
                stored_last=stored[code]["last"] if code in stored else None,
                asked_from=asked[code].daily_from if code in asked else None,
            ),
            asked_at=asked[code].daily_asked_at if code in asked else None,
            last=last,
            at=at,
        )
        for code in codes
    ]


def make_plan(plan: Plan, *, asked_at: datetime | None, last: date, at: datetime) -> Plan:
    if plan.asked_from is None or plan.stored_first is None or plan.stored_last is None:
        if must_ask(plan.stored_last, asked_at=asked_at, last=last, at=at):
            newest, *older = windows(plan.code, plan.target, last)
            plan.head, plan.back = [newest], older
        return plan
    if plan.stored_last < last and must_ask(plan.stored_last, asked_at=asked_at, last=last, at=at):
        seam = business_day_before(plan.stored_last, days=OVERLAP - 1)
        plan.head = list(windows(plan.code, seam, last))
    if plan.asked_from > plan.target:
        seam = min(business_day_after(plan.stored_first, days=OVERLAP - 1), plan.stored_last)
        plan.back = list(windows(plan.code, plan.target, max(seam, plan.asked_from - ONE_DAY)))
    return plan


def must_ask(newest: date | None, *, asked_at: datetime | None, last: date, at: datetime) -> bool:
    """Return whether the last final day of a stock is worth a call, though perhaps it was asked for in vain before."""
    if asked_at is None or asked_at < moment_on(last, FINAL_FROM):
        return True
    awake = newest is not None and newest >= business_day_before(last, days=ASLEEP_AFTER)
    return awake or asked_at.astimezone(SEOUL).date() != at.date()


def cut_plans(plans: Iterable[Plan], *, held: Collection[str], calls: int) -> None:
    """Leave out what goes beyond so many calls. What is held is always brought up to date; history comes last."""
    plans = list(plans)
    calls -= sum(len(plan.head) for plan in plans if plan.code in held)
    for plan in plans:
        if plan.code in held:
            continue
        if len(plan.head) > calls:
            plan.head, plan.back = [], []
        calls -= len(plan.head)
    for plan in plans:
        plan.back = plan.back[: max(calls, 0)]
        calls -= len(plan.back)
