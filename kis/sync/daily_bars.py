"""Daily bars as they are stored."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db import transaction

from kis.calendar import business_day_after
from kis.client.records.charts import DailyBar
from kis.models import DailyPrice, PriceAdjustment, PriceHistory
from kis.sync.adjustments import Prices, share_ratio

BATCH = 500


def prices_of(bars: Iterable[DailyBar]) -> dict[date, Prices]:
    return {bar.day: (bar.open, bar.high, bar.low, bar.close) for bar in bars}


def prices_stored(code: str, *, first: date = date.min, last: date = date.max) -> dict[date, Prices]:
    rows = DailyPrice.objects.filter(stock_code=code, trade_date__range=(first, last)).order_by()
    names = ("trade_date", "open", "high", "low", "close")
    return {day: (opening, high, low, close) for day, opening, high, low, close in rows.values_list(*names)}


def save_bars(code: str, bars: Sequence[DailyBar]) -> int:
    """Insert bars and follow the broker on known ones, in one statement; returns how many are new."""
    days = [bar.day for bar in bars]
    stored = DailyPrice.objects.filter(stock_code=code)
    known = stored.filter(trade_date__range=(min(days), max(days))).count() if days else 0
    DailyPrice.objects.bulk_create(
        [
            DailyPrice(
                stock_code=code,
                trade_date=bar.day,
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
        unique_fields=["stock_code", "trade_date"],
        update_fields=["open", "high", "low", "close", "volume"],
    )
    return (stored.filter(trade_date__range=(min(days), max(days))).count() if days else 0) - known


def lock(code: str) -> PriceHistory:
    """Hold a stock until the end of the transaction: two runs (real, paper) that write its bars take turns."""
    row, _ = PriceHistory.objects.select_for_update().get_or_create(stock_code=code)
    return row


def note_asked(code: str, *, daily_from: date, at: datetime | None) -> None:
    """Note how far back a stock that is locked has been asked for, and when for its newest day."""
    values = {"daily_from": daily_from} | ({"daily_asked_at": at} if at else {})
    PriceHistory.objects.filter(stock_code=code).update(**values)


@transaction.atomic
def replace_history(code: str, bars: Sequence[DailyBar], *, daily_from: date, at: datetime) -> str:
    """Put bars in the place of all that is stored of a stock, and record the ratio; returns what happened, in Korean."""
    lock(code)
    old, new = prices_stored(code), prices_of(bars)
    ratio = share_ratio(old, new)
    DailyPrice.objects.filter(stock_code=code).delete()
    save_bars(code, bars)
    note_asked(code, daily_from=daily_from, at=at)
    if ratio is None:
        return f"{code} 고침"
    after = max(old)
    since = min((day for day in new if day > after), default=business_day_after(after))
    PriceAdjustment.objects.update_or_create(
        stock_code=code, day=since, defaults={"after": after, "ratio": ratio, "found_at": at}
    )
    return f"{code} 1:{ratio.normalize():f}"
