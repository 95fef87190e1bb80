"""What a run learns about the market: days and stocks before the books, prices after them."""

from collections.abc import Collection
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from kis.calendar import moment_on
from kis.client.codes import TR, Environment
from kis.client.errors import NotOffered
from kis.connect import Connection
from kis.korean import SEOUL, short_day
from kis.market_days import use_market_days
from kis.models import KisAccount, KisExecution, KisHolding, Stock, SyncRun
from kis.sync.calendar import sync_calendar
from kis.sync.index_prices import index_levels
from kis.sync.minute_plans import CLOSING, last_whole_minute
from kis.sync.minutes import fetch_minutes
from kis.sync.prices import PriceResult, fetch_prices
from kis.sync.progress import Listener, Step
from kis.sync.stocks import ask_one_by_one, sync_lists

if TYPE_CHECKING:
    from kis.sync.run import Steps

#: The job of every minute keeps the minutes of the holdings; a run by hand only steps in where that has not run.
MINUTES_OLDER_THAN = timedelta(minutes=10)
SECONDS_FOR_MINUTES = 6.0
LATELY = timedelta(days=30)


def copy_lists(connection: Connection, *, steps: "Steps") -> list[str]:
    """Refresh calendar and stock master, each once a day; returns what the owner should know."""
    use_market_days()
    at = connection.now().astimezone(SEOUL)
    environment = connection.environment
    days = sync_calendar(connection.session, at=at)
    changed = ", ".join(short_day(day) for day in days.corrected)
    steps.add(
        "fetch_calendar",
        "달력",
        f"{days.days}일",
        tr_id=offered(environment, TR.HOLIDAYS),
        note=f"추정과 다름 {changed}" if changed else "" if days.days else "추정",
    )
    listed, problems = sync_lists(environment, at=at)
    steps.add(
        "fetch_stocks",
        "종목",
        f"{Stock.objects.count():,}종목",
        note=troubles(problems) or ("" if listed else "오늘 받음"),
    )
    return [*days.problems, *problems]


def copy_prices(
    connection: Connection,
    *,
    account: KisAccount,
    suspects: Collection[str] = (),
    steps: "Steps",
    listener: Listener,
) -> tuple[str, ...]:
    """Bring the daily prices up to date of every stock held, waited for or ever traded.

    Those of `suspects`, which may have been split, are read again although they are up to date.
    """
    at = account.snapshot_at.astimezone(SEOUL)
    environment, session = connection.environment, connection.session
    held = set(account.holdings.values_list("stock_code", flat=True))
    waiting = set(account.unfilled_orders.values_list("stock_code", flat=True))
    fills = KisExecution.objects.of(account.account, is_paper=account.is_paper).order_by()
    traded = set(fills.values_list("stock_code", flat=True).distinct())
    lately = set(fills.filter(exec_dt__gte=at.date() - LATELY).values_list("stock_code", flat=True))
    # Not for all that was ever traded: what has left the market is on no list, and nobody knows it any more.
    asked, told = ask_one_by_one(session, held | waiting | lately, at=at)
    if asked:
        note = troubles(told)
        steps.add("ask_stocks", "종목정보", f"{asked}종목", tr_id=environment.tr_id(TR.STOCK_INFO), note=note)
    daily = fetch_prices(session, held | waiting, traded=traded, suspects=suspects, at=at, listener=listener)
    steps.add(
        "fetch_prices",
        "일봉",
        f"{daily.stocks}종목",
        tr_id=environment.tr_id(TR.DAILY_CHART),
        note=remark(daily),
    )
    return (*told, *daily.problems, *note_indices(connection, account=account, steps=steps))


def note_indices(connection: Connection, *, account: KisAccount, steps: "Steps") -> tuple[str, ...]:
    """Write beside a snapshot where the indices stood, to compare its day with; returns a sentence for each that failed."""
    levels, problems = index_levels(connection.session, at=account.snapshot_at.astimezone(SEOUL))
    account.indices = levels
    account.save(update_fields=["indices"])
    steps.add(
        "note_indices",
        "지금 지수",
        f"{len(levels)}개",
        tr_id=connection.environment.tr_id(TR.INDEX_CHART),
        note=troubles(problems),
    )
    return problems


def copy_minutes(
    connection: Connection,
    *,
    run: SyncRun,
    listener: Listener,
    seconds: float = SECONDS_FOR_MINUTES,
    older_than: timedelta = MINUTES_OLDER_THAN,
) -> None:
    """Add minutes of the holdings to a run that is complete, where the job of every minute does not keep them."""
    at = connection.now().astimezone(SEOUL)
    held = KisHolding.objects.filter(kis_account__sync_run=run).values_list("stock_code", flat=True)
    begun = monotonic()
    minutes = fetch_minutes(
        connection.session,
        set(held),
        at=at,
        listener=listener,
        seconds=seconds,
        older_than=older_than,
        past=at > moment_on(at.date(), CLOSING),
    )
    news = f"새 분봉 {minutes.bars:,}개" if minutes.asked else "모두 최신"
    if last_whole_minute(at) is None:
        news = "정규장 시간이 아님"
    missing = f" · 빈 분봉 {minutes.gaps}곳" if minutes.gaps else ""
    step = Step(
        "fetch_minutes",
        "분봉",
        f"{minutes.stocks}종목",
        monotonic() - begun,
        connection.environment.tr_id(TR.TODAY_MINUTES),
        troubles(minutes.problems) or news + missing,
    )
    listener.finished(step)
    run.steps = [*run.steps, step.as_json()]
    run.error = "\n".join(filter(None, [run.error, *minutes.problems]))
    run.requests, run.rate_limited = connection.session.requests, connection.session.rate_limited
    run.save(update_fields=["steps", "error", "requests", "rate_limited"])


def remark(daily: PriceResult) -> str:
    """Say in few words what became of the daily prices."""
    if daily.problems:
        return troubles(daily.problems)
    parts = [f"새 일봉 {daily.bars:,}개" if daily.asked else "모두 최신"]
    if daily.adjusted:
        parts.append(f"수정주가 {', '.join(daily.adjusted)}")
    if daily.gaps:
        parts.append(f"빈 일봉 {daily.gaps}곳")
    if daily.unfinished:
        parts.append(f"과거 {daily.unfinished}종목은 다음에")
    return " · ".join(parts)


def troubles(problems: tuple[str, ...] | list[str]) -> str:
    return f"문제 {len(problems)}건" if problems else ""


def offered(environment: Environment, tr: TR) -> str:
    """Return the id of a transaction, blank where the host does not have it."""
    try:
        return environment.tr_id(tr)
    except NotOffered:
        return ""
