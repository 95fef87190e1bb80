"""Rows of the tables of days: new ones, stored ones, and writing only what changed."""

from collections.abc import Hashable, Iterable, Sequence
from datetime import date
from typing import Any

from kis.models import KisDailySummary, KisDepositLog, KisTradeProfit
from kis.models.days import DayRow
from kis.portfolio.unknown import Unknown
from kis.sync.day_books import DayBooks, Point
from kis.sync.day_cash import put_cash

BATCH = 500
NOT_YET = Unknown("아직 계산하지 않았습니다.")
OWNER = ("account_no", "is_paper", "product_code")
KEYS: dict[type[DayRow], tuple[str, ...]] = {
    KisDailySummary: (*OWNER, "summary_date"),
    KisDepositLog: (*OWNER, "log_date"),
    KisTradeProfit: (*OWNER, "trade_date", "stock_code"),
}
#: The number of a row and the time it was written say nothing about its day.
NOT_CONTENT = frozenset({"id", "closed_at"})


def owner(books: DayBooks) -> dict[str, Any]:
    account = books.account
    return {
        "account_no": account.number,
        "product_code": account.product_code,
        "is_paper": books.is_paper,
    }


def new_summary(on: date, books: DayBooks) -> KisDailySummary:
    summary = KisDailySummary(**owner(books), summary_date=on)
    for name in KisDailySummary.FIGURES:
        summary.put(name, NOT_YET)
    return summary


def new_log(on: date, point: Point, books: DayBooks) -> KisDepositLog:
    log = KisDepositLog(**owner(books), log_date=on)
    put_cash(log, point, books)
    return log


def stored_summaries(books: DayBooks) -> dict[date, KisDailySummary]:
    rows = KisDailySummary.objects.of(books.account, is_paper=books.is_paper).order_by("summary_date")
    return {row.summary_date: row for row in rows}


def content(row: DayRow) -> dict[str, Any]:
    """Return what a row says, by the columns that hold it."""
    fields = row._meta.concrete_fields  # noqa: SLF001  # Django's own name for it
    return {field.attname: getattr(row, field.attname) for field in fields if field.name not in NOT_CONTENT}


def columns(model: type[DayRow]) -> list[str]:
    """Return the columns that may change."""
    fields = model._meta.concrete_fields  # noqa: SLF001  # Django's own name for it
    return [field.name for field in fields if not field.primary_key and field.name not in KEYS[model]]


# --- writing; inside the caller's transaction ----------------------------------------------------------------------


def save_rows(rows: Sequence[DayRow]) -> None:
    """Insert new rows and update known ones; of two who insert the same row, the second updates it."""
    if not rows:
        return
    model = type(rows[0])
    known = [row for row in rows if row.pk]
    model._default_manager.bulk_create(  # noqa: SLF001  # Django's own name for it
        [row for row in rows if not row.pk],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=KEYS[model],
        update_fields=columns(model),
    )
    model._default_manager.bulk_update(known, columns(model), batch_size=BATCH)  # noqa: SLF001  # as above


def save_logs(logs: Sequence[KisDepositLog], *, days: Sequence[date], books: DayBooks) -> None:
    stored = KisDepositLog.objects.of(books.account, is_paper=books.is_paper).filter(log_date__in=days)
    save_changed(logs, {row.log_date: row for row in stored}, [log.log_date for log in logs])


def save_trades(trades: Sequence[KisTradeProfit], *, days: Sequence[date], books: DayBooks) -> None:
    """Write the rows of these days; a stock that was not traded on them after all leaves none."""
    of_account = KisTradeProfit.objects.of(books.account, is_paper=books.is_paper)
    stored = {(row.trade_date, row.stock_code): row for row in of_account.filter(trade_date__in=days)}
    keys = [(row.trade_date, row.stock_code) for row in trades]
    gone = [row.pk for key, row in stored.items() if key not in set(keys)]
    of_account.filter(pk__in=gone).delete()
    save_changed(trades, stored, keys)


def save_changed(rows: Sequence[DayRow], stored: dict[Any, Any], keys: Iterable[Hashable]) -> None:
    changed = []
    for row, key in zip(rows, keys, strict=True):
        known = stored.get(key)
        if known is not None:
            row.pk = known.pk
        if known is None or content(known) != content(row):
            changed.append(row)
    save_rows(changed)
