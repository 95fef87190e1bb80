"""Close the days of an account: what it was worth, what moved its cash, what was earned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from kis.calendar import business_day_before, business_days
from kis.client.codes import AccountNumber
from kis.client.errors import KisError
from kis.connect import Connection
from kis.korean import SEOUL, day, short_day
from kis.models import KisAccount, KisDailySummary, KisDepositLog, KisTradeProfit
from kis.models.days import State
from kis.sync.day_books import DayBooks, Point, is_close, load_books, midnight
from kis.sync.day_profit import BrokerProfit, Stories, put_realised, put_unrealised, trade_profits
from kis.sync.day_returns import NO_CLOSE, chain
from kis.sync.day_rows import (
    content,
    new_log,
    new_summary,
    save_logs,
    save_rows,
    save_trades,
    stored_summaries,
)
from kis.sync.trade_profits import ToldProfit, TradeProfits

#: Days that may still change are looked at again for so long; what is not settled by then stays estimated.
RECENT = timedelta(days=92)
#: Days of which the broker is asked the profit in one run; the others wait for the next.
MOST_ASKED = 5


class NotClosed(Exception):
    """A day that cannot be closed; the text says so in Korean."""


@dataclass(frozen=True, slots=True)
class Closed:
    """What a run did: days that were open, rows it changed, and a sentence for each trouble with the broker."""

    open: int = 0
    days: int = 0
    problems: tuple[str, ...] = ()


# --- what to close -----------------------------------------------------------------------------------------------------


def close_day(account: AccountNumber, on: date, *, is_paper: bool, at: datetime) -> KisDailySummary:
    """Close one day of an account from what is stored, or close it again; a second time changes nothing.

    The returns of all later days are brought in line. `at` is the market's time. Raises NotClosed for a day that is none of
    the account's business days, or is not over yet.
    """
    books = load_books(account, is_paper=is_paper)
    if on not in closable_days(books, at=at):
        raise NotClosed(f"{day(on)}은(는) 마감할 수 있는 날이 아닙니다.")
    summaries = stored_summaries(books)
    write_days(books, summaries, [on], at=at, answers={})
    return summaries[on]


def close_days(connection: Connection, *, profits: TradeProfits) -> Closed:
    """Close every day of an account that is over and not final; past days follow what has become known since.

    The broker is asked for its profit of a few days, before anything is written; where it does not answer, that is a
    problem of the run and the figure is left open.
    """
    at = connection.now().astimezone(SEOUL)
    account, is_paper = connection.environment.account, connection.environment.is_paper
    books = load_books(account, is_paper=is_paper, since=first_open_day(account, is_paper=is_paper, at=at))
    summaries = stored_summaries(books)
    wanted = [on for on in closable_days(books, at=at) if is_open(on, books, summaries, at=at)]
    answers, problems = ask_broker(profits, books, summaries, wanted)
    written = write_days(books, summaries, wanted, at=at, answers=answers)
    return Closed(len(wanted), len(written), problems)


def is_due(connection: Connection) -> bool:
    """Return whether there is a day to close: after the close, or where a day before has been missed."""
    at = connection.now().astimezone(SEOUL)
    if is_close(at):
        return True
    account, is_paper = connection.environment.account, connection.environment.is_paper
    before = business_day_before(at.date())
    seen = KisAccount.objects.of(account, is_paper=is_paper).filter(snapshot_at__lt=midnight(at.date()))
    rows = KisDailySummary.objects.of(account, is_paper=is_paper).filter(summary_date__gte=before)
    return seen.exists() and not rows.exists()


def closable_days(books: DayBooks, *, at: datetime) -> list[date]:
    """Return the business days of an account that are over, oldest first."""
    if books.opening is None:
        return []
    today = at.astimezone(SEOUL).date()
    last = today if today in books.closes else business_day_before(today)
    return list(business_days(books.opening.day, last))


def first_open_day(account: AccountNumber, *, is_paper: bool, at: datetime) -> date | None:
    """Return the first day that may still change; None where there is no day yet."""
    rows = KisDailySummary.objects.of(account, is_paper=is_paper).order_by("summary_date")
    recent = rows.filter(summary_date__gte=at.date() - RECENT).exclude(state=State.FINAL)
    row = recent.first() or rows.last()
    return row.summary_date if row else None


def is_open(on: date, books: DayBooks, summaries: Mapping[date, KisDailySummary], *, at: datetime) -> bool:
    """Return whether a day has to be closed, or closed again."""
    row = summaries.get(on)
    if row is None:
        return True
    point, before = books.closes.get(on), books.close_before(on)
    if row.kis_account_id != (point.account.pk if point else None):
        return True
    if point is not None and row.previous_date != (before.day if before else None):
        return True
    return not row.is_final and on >= at.date() - RECENT


# --- the broker ----------------------------------------------------------------------------------------------------------


def ask_broker(
    profits: TradeProfits,
    books: DayBooks,
    summaries: Mapping[date, KisDailySummary],
    days: Iterable[date],
) -> tuple[dict[date, dict[str, Any]], tuple[str, ...]]:
    """Return the broker's rows of profit by day, as columns of a summary, and a sentence if it failed."""
    if books.is_paper:
        return {}, ()
    answers: dict[date, dict[str, Any]] = {}
    wanted = [on for on in days if has_trades(on, books) and not is_told(summaries.get(on))]
    # Never asked about first, of those the newest; then whatever was asked about longest ago.
    wanted.sort(key=lambda on: (asked_at(summaries.get(on)), -on.toordinal()))
    for on in wanted[:MOST_ASKED]:
        try:
            told = profits.of(on)
        except KisError as error:
            return answers, (f"{short_day(on)} 증권사의 매매손익을 받지 못했습니다. {error}",)
        answers[on] = told_columns(told)
    return answers, ()


def told_columns(told: ToldProfit) -> dict[str, Any]:
    """Return what the broker said of a day as columns of its summary."""
    rows = [dict(row.raw) for row in told.rows]
    return {"broker_asked_at": told.asked_at, "raw_json": {"trade_profit": rows}}


def asked_at(summary: KisDailySummary | None) -> float:
    known = summary.broker_asked_at if summary else None
    return known.timestamp() if known else 0.0


def has_trades(on: date, books: DayBooks) -> bool:
    point = books.closes.get(on)
    return bool(books.fills_on(on) or (point and (point.bought or point.sold)))


def is_told(summary: KisDailySummary | None) -> bool:
    """Return whether the broker has said, after the day was over, what was earned on it."""
    if summary is None or summary.broker_asked_at is None:
        return False
    over = summary.broker_asked_at.astimezone(SEOUL).date() > summary.summary_date
    return over and summary.realised_broker is not None


# --- rows ----------------------------------------------------------------------------------------------------------------


def write_days(
    books: DayBooks,
    summaries: dict[date, KisDailySummary],
    days: Sequence[date],
    *,
    at: datetime,
    answers: Mapping[date, Mapping[str, Any]],
) -> list[date]:
    """Work the days out anew and write what changed, all in one transaction; return the days that did."""
    before = {on: content(row) for on, row in summaries.items()}
    stories = Stories(books)
    logs: list[KisDepositLog] = []
    trades: list[KisTradeProfit] = []
    for on in days:
        summary = summaries.setdefault(on, new_summary(on, books))
        for name, value in answers.get(on, {}).items():
            setattr(summary, name, value)
        broker = BrokerProfit.stored(summary)
        point = books.closes.get(on)
        log = new_log(on, point, books) if point else None
        logs += [log] if log else []
        sold = trade_profits(on, stories, broker=broker)
        trades += sold
        put_close(summary, point, stories)
        put_realised(summary, sold, stories)
        summary.put("flow", log.won("flow") if log else NO_CLOSE)
        settled = is_settled(summary, log, sold, books, at=at)
        summary.state = State.FINAL if settled else State.ESTIMATED
    chain(summaries)
    changed = [row for on, row in summaries.items() if content(row) != before.get(on)]
    for row in changed:
        row.closed_at = at
    with transaction.atomic():
        save_rows(changed)
        save_logs(logs, days=days, books=books)
        save_trades(trades, days=days, books=books)
    return [row.summary_date for row in changed]


def put_close(summary: KisDailySummary, point: Point | None, stories: Stories) -> None:
    """Write what the account was worth at the close, or that nobody looked."""
    if point is None:
        summary.kis_account = None
        for name in (
            *("total_amt", "stock_amt", "cash_amt", "cost_amt"),
            *("unrealised_broker", "unrealised_average", "unrealised_fifo"),
        ):
            summary.put(name, NO_CLOSE)
        return
    account = point.account
    summary.kis_account = account
    summary.put("total_amt", account.total_eval_amt)
    summary.put("stock_amt", account.stock_eval_amt)
    summary.put("cash_amt", account.available)
    summary.put("cost_amt", account.total_buy_amt)
    summary.put("unrealised_broker", account.total_profit_loss)
    put_unrealised(summary, point, stories)


def is_settled(
    summary: KisDailySummary,
    log: KisDepositLog | None,
    trades: Iterable[KisTradeProfit],
    books: DayBooks,
    *,
    at: datetime,
) -> bool:
    """Return whether nothing that is still to come can change a day."""
    on = summary.summary_date
    is_over = at.astimezone(SEOUL).date() > on
    whole = log is not None or books.close_after(on) is not None
    explained = log is None or log.flow is not None or log.previous_account is None
    cash = log is None or log.is_final
    return is_over and whole and explained and cash and all(row.is_final for row in trades)
