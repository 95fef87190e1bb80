"""Daily prices of the stocks we hold, wait for or have traded."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from kis.client.endpoints.charts import daily_chart
from kis.client.records.charts import DailyBar, DailyChart
from kis.client.session import Session
from kis.models import PriceGap, PriceHistory
from kis.sync.adjustments import unlike_days
from kis.sync.asking import Asking
from kis.sync.daily_bars import lock, note_asked, prices_of, prices_stored, replace_history, save_bars
from kis.sync.daily_gaps import find_gaps, gaps_to_ask, is_filled, neighbourhood
from kis.sync.gaps import asked_again
from kis.sync.pool import calls_within
from kis.sync.price_plans import Plan, Window, cut_plans, last_final_day, make_plans, windows
from kis.sync.progress import Listener

__all__ = ["PriceResult", "fetch_prices", "last_final_day"]

#: What a run spends on history and holes, as the time the rate budget takes for it; the next run goes on from there.
SECONDS_A_RUN = 10.0
NOT_THERE = "다시 물어도 증권사에 일봉이 없습니다. 거래가 정지된 날일 수 있습니다."


@dataclass(frozen=True, slots=True)
class PriceResult:
    """Stocks that are up to date, new bars, calls made for them, and a sentence for each stock or bar that failed.

    `adjusted` names stocks whose history was replaced, `gaps` counts holes that nobody could fill, `unfinished` stocks whose
    history does not reach back far enough yet.
    """

    stocks: int
    bars: int
    asked: int
    problems: tuple[str, ...]
    adjusted: tuple[str, ...]
    gaps: int
    unfinished: int


def fetch_prices(
    session: Session,
    held: Collection[str],
    *,
    traded: Collection[str] = (),
    suspects: Collection[str] = (),
    at: datetime,
    listener: Listener,
) -> PriceResult:
    """Bring the daily prices of stocks held and traded up to the last final day; one that is costs no call.

    Except `suspects`: stocks that may have been split this morning are asked about the last days once more.

    A stock that fails leaves the others and the books alone. History is fetched back to the first trade, or 260 trading
    days, within a limit a run; holes are asked for once more. `at` is in Korean time.
    """
    codes = [*sorted(held), *sorted(set(traded) - set(held))]
    plans = make_plans(codes, last=last_final_day(at), at=at)
    for plan in plans:
        if plan.code in suspects:
            plan.look_again(last_final_day(at))
    begins = {plan.code: plan.begin for plan in plans}
    run = PriceRun(session, begins=begins, at=at, listener=listener)
    limit = calls_within(session, SECONDS_A_RUN)
    cut_plans(plans, held=set(held), calls=limit)
    run.bring_up_to_date(plans)
    run.replace_histories()
    find_gaps(codes, at=at)
    run.refill(gaps_to_ask(codes, at=at)[: max(limit - run.asking.calls, 0)])
    run.replace_histories()
    known = PriceHistory.objects.filter(stock_code__in=codes, daily_from__isnull=False)
    asked_from = dict(known.values_list("stock_code", "daily_from"))
    gaps = PriceGap.objects.still_open().filter(what=PriceGap.What.DAY, stock_code__in=codes)
    return PriceResult(
        stocks=len(codes) - len(run.asking.failed),
        bars=run.bars,
        asked=run.asking.calls,
        problems=tuple(run.asking.problems),
        adjusted=tuple(run.adjusted),
        gaps=gaps.count(),
        unfinished=sum(1 for plan in plans if (asked_from.get(plan.code) or run.last) > plan.target),
    )


def ask_chart(session: Session, window: Window) -> DailyChart:
    return daily_chart(session, code=window.code, first=window.first, last=window.last)


def bars_of(came: Iterable[tuple[Window, DailyChart]]) -> list[DailyBar]:
    return [bar for _, chart in came for bar in chart.bars]


class PriceRun:
    """What one run learns about daily prices, and writes."""

    def __init__(
        self, session: Session, *, begins: dict[str, date], at: datetime, listener: Listener
    ) -> None:
        self.asking = Asking(session, ask_chart, label="일봉", listener=listener)
        #: From which day a stock is read again when all of it has to be.
        self.begins = begins
        self.at = at
        self.last = last_final_day(at)
        self.bars = 0
        self.adjusted: list[str] = []
        #: Stocks whose stored bars are not what the broker says any more.
        self.outdated: list[str] = []

    def bring_up_to_date(self, plans: Iterable[Plan]) -> None:
        """Ask for what the plans want and store it, stock by stock."""
        busy = [plan for plan in plans if plan.windows]
        for place, came in self.asking.charts([plan.windows for plan in busy]):
            self.take(busy[place], came)

    def take(self, plan: Plan, came: Sequence[tuple[Window, DailyChart]]) -> None:
        """Store what came about one stock, unless it tells that the stored bars count in other shares."""
        if not came or len(came) < len(plan.head):
            return
        bars = bars_of(came)
        if not bars and plan.stored_last is None:
            self.asking.tell([f"{plan.code}: 일봉이 아직 없습니다"])
            self.asking.failed.add(plan.code)
        if self.is_outdated(plan.code, bars, newest=plan.stored_last):
            return
        reached = [window.first for window, _ in came]
        if plan.asked_from:
            # What the head overlaps has been asked for before; only older windows reach further back.
            reached = [*reached[len(plan.head) :], plan.asked_from]
        with transaction.atomic():
            lock(plan.code)
            self.bars += save_bars(plan.code, bars)
            note_asked(plan.code, daily_from=min(reached), at=self.at if plan.head else None)

    def is_outdated(self, code: str, bars: Sequence[DailyBar], *, newest: date | None = None) -> bool:
        """Compare bars with the stored ones, and remember a stock whose prices have changed backwards.

        The newest stored bar alone may differ: the evening session can still move it after we have stored it.
        """
        new = prices_of(bars)
        old = prices_stored(code, first=min(new), last=max(new)) if new else {}
        unlike = unlike_days(old, new)
        if not unlike or (unlike == [newest] and len(old.keys() & new) > 1):
            return False
        if code not in self.outdated:
            self.outdated.append(code)
        return True

    def replace_histories(self) -> None:
        """Read the whole history of outdated stocks, and put it in the place of the stored one."""
        codes, self.outdated = self.outdated, []
        wanted = [list(windows(code, self.begins[code], self.last)) for code in codes]
        for place, came in self.asking.charts(wanted):
            bars = bars_of(came)
            if len(came) == len(wanted[place]) and bars:
                code = codes[place]
                happened = replace_history(code, bars, daily_from=self.begins[code], at=self.at)
                self.adjusted.append(happened)

    def refill(self, gaps: Sequence[PriceGap]) -> None:
        """Ask for holes once more, together with the days around them."""
        wanted = [list(windows(gap.stock_code, *neighbourhood(gap))) for gap in gaps]
        for place, came in self.asking.charts(wanted):
            gap, bars = gaps[place], bars_of(came)
            if len(came) == len(wanted[place]) and not self.is_outdated(gap.stock_code, bars):
                with transaction.atomic():
                    lock(gap.stock_code)
                    self.bars += save_bars(gap.stock_code, bars)
                    asked_again(gap, filled=is_filled(gap), at=self.at, reason=NOT_THERE)
