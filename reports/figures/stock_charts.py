"""From rows of days and minutes to what the charts of each stock show."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from math import log, prod
from typing import Final, Protocol, TypeVar

from kis.calendar import business_day_after, hour_on, hours_of, is_business_day
from kis.korean import SEOUL, short_day
from kis.models import KisExecution, KisHolding, PriceAdjustment, PriceGap
from kis.models.books import Side
from kis.sync.price_plans import FINAL_FROM
from reports.chart_queries import DayRow, MinuteRow, TradeRow
from reports.figures.bars import SESSION_MINUTES, Candle, DayBars, DayTrade, Minute, MinuteTrade
from reports.queries import DashboardRows

CHART_DAYS: Final = 10  # two weeks
#: Closes further apart than any day goes, as a logarithm: they count in different shares.
OTHER_SHARES: Final = log(1.45)
#: The broker's rate of change is rounded; a close further off than this is not the one that the rate counts from.
SAME_CLOSE: Final = Decimal("0.01")
FIRST_MINUTES: Final = 2


@dataclass(frozen=True, slots=True)
class StockCharts:
    """What the charts of one stock show. `candles` has a place for each day of the axis; without any price it is empty."""

    candles: tuple[Candle | None, ...]
    trades: tuple[DayTrade, ...]
    day: DayBars


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts of all stocks, on one axis of days. `no_minutes` is a sentence where nothing of today can be drawn."""

    days: tuple[date, ...]
    stocks: Mapping[str, StockCharts]
    no_minutes: str


def charts_of(rows: DashboardRows) -> Charts:
    """Put the rows together per stock; the day of the snapshot ends with its price: a page must not know the future."""
    at = rows.account.snapshot_at.astimezone(SEOUL)
    days = market_days(rows.charts.days, at=at)
    of_days, of_minutes = _by_code(rows.charts.days), _by_code(rows.charts.minutes)
    trades, adjustments = _by_code(rows.charts.trades), _by_stock(rows.charts.adjustments)
    executions, gaps = _by_stock(rows.position.executions), _by_stock(rows.gaps)
    stocks: dict[str, StockCharts] = {}
    for holding in rows.position.holdings:
        code = holding.stock_code
        base = base_price(holding, at=at)
        candles = _candles(
            holding,
            of_days[code],
            of_minutes[code],
            days,
            footing=_footing(of_days[code], adjustments[code], days, base=base, today=at.date()),
            is_whole=not gaps[code],
            at=at,
        )
        closes = [candle.close for candle in candles if candle is not None and candle.on < at.date()]
        stocks[code] = StockCharts(
            candles=candles,
            trades=_day_trades(trades[code], executions[code], adjustments[code], today=at.date()),
            day=DayBars(
                price=holding.prpr,
                previous_close=_previous_close(closes, base=base),
                now=_now(at),
                minutes=_minutes(of_minutes[code], at=at),
                holes=_holes(gaps[code], at=at),
                trades=_minute_trades(executions[code]),
            ),
        )
    is_blank = not any(stock.day.minutes for stock in stocks.values())
    return Charts(days, stocks, no_minutes(at) if is_blank else "")


def market_days(rows: Sequence[DayRow], *, at: datetime) -> tuple[date, ...]:
    """Return the days of the axis: those on which any of the stocks was traded, and today once the exchange has opened."""
    days = sorted({row.on for row in rows})
    if days and is_trading_day(at) and days[-1] != at.date():
        days.append(at.date())
    return tuple(days[-CHART_DAYS:])


def no_minutes(at: datetime) -> str:
    """Say why there is no minute of today."""
    today = at.date()
    if not is_business_day(today):
        return f"휴장일이라 오늘 분봉이 없습니다. 다음 거래일은 {short_day(business_day_after(today))}입니다."
    opens = hours_of(today).opens
    if at.time() < opens:
        return f"장이 열리기 전이라 오늘 분봉이 없습니다. {opens:%H:%M}에 열립니다."
    if _place(at.time(), today) < FIRST_MINUTES:
        return "장이 막 열려 아직 끝난 1분이 없습니다."
    return "오늘 분봉을 받지 못했습니다. 장중에 1분마다 실행하는 작업이 분봉을 모읍니다."


def is_trading_day(at: datetime) -> bool:
    """Return whether the exchange has opened on the day of a moment in Korean time."""
    return is_business_day(at.date()) and at.time() >= hours_of(at.date()).opens


def base_price(holding: KisHolding, *, at: datetime) -> int:
    """Return the price that the broker's rate of change counts from; where no day has begun, the last close itself."""
    rate = Decimal(str(holding.fllt_rt))
    if not is_trading_day(at) or rate <= -100:  # noqa: PLR2004  # percent
        return holding.prpr
    return round(holding.prpr * 100 / (100 + rate))


def _previous_close(closes: Sequence[int], *, base: int) -> int:
    """Return the stored close where it is the one that the rate counts from, which is rounded less."""
    return closes[-1] if closes and abs(closes[-1] - base) <= base * SAME_CLOSE else base


# --- footing ---------------------------------------------------------------------------------------------------------


def _footing(
    rows: Sequence[DayRow],
    adjustments: Sequence[PriceAdjustment],
    days: Sequence[date],
    *,
    base: int,
    today: date,
) -> float:
    """Return by what stored prices are multiplied to count in the shares of the snapshot.

    They are stored on the newest footing: a split after the snapshot has to be taken back. Where its day is not known
    exactly, and where a split is too young to be known at all, the broker's own base price decides.
    """
    before = next((row for row in reversed(rows) if row.on < today), None)
    later = [float(change.ratio) for change in adjustments if change.after >= today]
    perhaps = [float(change.ratio) for change in adjustments if change.after < today < change.day]
    if before is None:
        return prod(later)
    options = (prod(later), prod(later) * prod(perhaps))
    factor = min(options, key=lambda option: abs(log(before.close * option / base)))
    is_day_before = before.on == max((day for day in days if day < today), default=None)
    if is_day_before and abs(log(before.close * factor / base)) > OTHER_SHARES:
        return base / before.close
    return factor


def _shares_since(adjustments: Sequence[PriceAdjustment], on: date, *, today: date) -> float:
    """Return how many shares of the snapshot one share of an earlier day is."""
    return prod(float(change.ratio) for change in adjustments if on < change.day <= today)


# --- days ------------------------------------------------------------------------------------------------------------


def _candles(
    holding: KisHolding,
    rows: Sequence[DayRow],
    minutes: Sequence[MinuteRow],
    days: Sequence[date],
    *,
    footing: float,
    is_whole: bool,
    at: datetime,
) -> tuple[Candle | None, ...]:
    today = at.date()
    by_day = {row.on: _candle(row, footing) for row in rows}
    if not by_day:
        return ()
    if days[-1] == today:
        # Before it is final, the bar of today is one from the future.
        final = by_day.get(today) if at.time() >= hour_on(at.date(), FINAL_FROM) else None
        by_day[today] = _today(
            holding.prpr, final or _of_minutes(minutes, is_whole=is_whole, on=today), on=today
        )
    return tuple(by_day.get(day) for day in days)


def _candle(row: DayRow, footing: float) -> Candle:
    close = round(row.close * footing)
    if not row.open:  # a halted day
        return Candle(row.on, close)
    return Candle(
        row.on,
        close,
        round(row.open * footing),
        round(row.high * footing),
        round(row.low * footing),
        round(row.volume / footing),
    )


def _of_minutes(minutes: Sequence[MinuteRow], *, is_whole: bool, on: date) -> Candle | None:
    if not minutes:
        return None
    return Candle(
        on,
        minutes[-1].close,
        minutes[0].open,
        max(minute.high for minute in minutes),
        min(minute.low for minute in minutes),
        sum(minute.volume for minute in minutes) if is_whole else None,
    )


def _today(price: int, candle: Candle | None, *, on: date) -> Candle:
    """Let the day end with the price of the snapshot."""
    if candle is None or candle.open is None or candle.high is None or candle.low is None:
        return Candle(on, price)
    return Candle(on, price, candle.open, max(candle.high, price), min(candle.low, price), candle.volume)


def _day_trades(
    earlier: Sequence[TradeRow],
    executions: Sequence[KisExecution],
    adjustments: Sequence[PriceAdjustment],
    *,
    today: date,
) -> tuple[DayTrade, ...]:
    sums: defaultdict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])
    rows = [(row.on, row.side, row.quantity, row.amount) for row in earlier]
    rows += [(today, row.exec_type, row.exec_qty, row.exec_amt) for row in executions]
    for on, side, quantity, amount in rows:
        total = sums[on, side]
        total[0] += quantity
        total[1] += amount
    return tuple(
        DayTrade(on, Side(side), round(amount / quantity / _shares_since(adjustments, on, today=today)))
        for (on, side), (quantity, amount) in sorted(sums.items())
    )


# --- minutes ---------------------------------------------------------------------------------------------------------


def _minutes(rows: Sequence[MinuteRow], *, at: datetime) -> tuple[Minute, ...]:
    opened = datetime.combine(at.date(), hours_of(at.date()).opens, SEOUL)
    minutes = []
    for row in rows:
        place = int((row.at - opened).total_seconds()) // 60
        if 0 <= place <= SESSION_MINUTES:
            minutes.append(Minute(place, row.low, row.high, row.close, row.volume))
    return tuple(minutes)


def _holes(gaps: Sequence[PriceGap], *, at: datetime) -> tuple[tuple[int, int], ...]:
    last = _now(at) or 0
    ends = ((_place_of(gap.first_at), _place_of(gap.last_at)) for gap in gaps)
    return tuple((first, min(end, last)) for first, end in ends if first <= last)


def _minute_trades(executions: Sequence[KisExecution]) -> tuple[MinuteTrade, ...]:
    sums: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in executions:
        total = sums[min(max(_place(row.exec_tmd, row.exec_dt), 0), SESSION_MINUTES), row.exec_type]
        total[0] += row.exec_qty
        total[1] += row.exec_amt
    return tuple(
        MinuteTrade(place, Side(side), round(amount / quantity))
        for (place, side), (quantity, amount) in sorted(sums.items())
    )


def _now(at: datetime) -> int | None:
    return min(_place(at.time(), at.date()), SESSION_MINUTES) if is_trading_day(at) else None


def _place_of(moment: datetime) -> int:
    local = moment.astimezone(SEOUL)
    return _place(local.time(), local.date())


def _place(clock: time, on: date) -> int:
    opens = hours_of(on).opens
    return (clock.hour - opens.hour) * 60 + clock.minute - opens.minute


# --- by stock --------------------------------------------------------------------------------------------------------


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


class _OfStock(Protocol):
    stock_code: str


CodedT = TypeVar("CodedT", bound=_Coded)
OfStockT = TypeVar("OfStockT", bound=_OfStock)


def _by_code(rows: Iterable[CodedT]) -> defaultdict[str, list[CodedT]]:
    groups: defaultdict[str, list[CodedT]] = defaultdict(list)
    for row in rows:
        groups[row.code].append(row)
    return groups


def _by_stock(rows: Iterable[OfStockT]) -> defaultdict[str, list[OfStockT]]:
    groups: defaultdict[str, list[OfStockT]] = defaultdict(list)
    for row in rows:
        groups[row.stock_code].append(row)
    return groups
