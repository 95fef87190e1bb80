"""Rows behind the charts of single stocks, in four queries however many stocks there are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from kis.korean import SEOUL
from kis.models import DailyPrice, KisExecution, MinPrice, PriceAdjustment
from kis.position import Position

# Ten trading days fit into four weeks even around the long holidays of autumn.
PRICE_WINDOW: Final = timedelta(days=28)
MINUTE: Final = timedelta(minutes=1)


class DayRow(NamedTuple):
    """A trading day of a stock, on the footing of the newest prices."""

    code: str
    on: date
    open: int
    high: int
    low: int
    close: int
    volume: int


class MinuteRow(NamedTuple):
    """A minute of the day of the snapshot, as it was traded."""

    code: str
    at: datetime
    open: int
    high: int
    low: int
    close: int
    volume: int


class TradeRow(NamedTuple):
    """An order of an earlier day, as it was filled."""

    code: str
    on: date
    side: str
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class ChartRows:
    """Days and minutes up to the snapshot, oldest first, and every change of footing since the first of these days."""

    days: Sequence[DayRow]
    minutes: Sequence[MinuteRow]
    trades: Sequence[TradeRow]
    adjustments: Sequence[PriceAdjustment]


def chart_rows(position: Position, codes: Collection[str]) -> ChartRows:
    """Return the rows for these stocks; nothing that was not known at the moment of the snapshot, but for splits."""
    account = position.account
    local = account.snapshot_at.astimezone(SEOUL)
    today, since = local.date(), local.date() - PRICE_WINDOW
    days = DailyPrice.objects.filter(stock_code__in=codes, trade_date__gt=since, trade_date__lte=today)
    minutes = MinPrice.objects.filter(
        stock_code__in=codes,
        bar_at__gte=datetime.combine(today, time.min, SEOUL),
        bar_at__lte=local - MINUTE,  # a bar begins at its moment, and is over a minute later
    )
    trades = KisExecution.objects.of(account.account, is_paper=account.is_paper).filter(
        stock_code__in=codes, exec_dt__gt=since, exec_dt__lt=today
    )
    prices = ("open", "high", "low", "close", "volume")
    return ChartRows(
        days=[
            DayRow._make(row)
            for row in days.order_by("trade_date").values_list("stock_code", "trade_date", *prices)
        ],
        minutes=[
            MinuteRow._make(row)
            for row in minutes.order_by("stock_code", "bar_at").values_list("stock_code", "bar_at", *prices)
        ],
        trades=[
            TradeRow._make(row)
            for row in trades.order_by("exec_dt").values_list(
                "stock_code", "exec_dt", "exec_type", "exec_qty", "exec_amt"
            )
        ],
        adjustments=list(PriceAdjustment.objects.filter(stock_code__in=codes, day__gt=since).order_by("day")),
    )
