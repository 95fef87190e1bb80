"""The account over the last three months, and the same money in the market."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from kis.calendar import business_day_before
from kis.models import IndexPrice, KisDailySummary
from kis.portfolio.returns import (
    Comparison,
    DayReturn,
    DayValue,
    compare,
    drawdown,
    falls,
    in_index,
    time_weighted,
    volatility,
)
from kis.portfolio.unknown import Unknown
from reports.figures.shares import HUNDRED
from reports.figures.today import Today, index_closes, index_level
from reports.queries import DashboardRows

TREND_DAYS: Final = 60
NOT_TOLD: Final = Unknown("오늘 입출금을 아직 모릅니다.")


@dataclass(frozen=True, slots=True)
class TrendDay:
    """One day of the curve, in won; None is a day without a close, or one that nothing is known of.

    `kospi` and `kosdaq` are the same money with the same flows in the index. `fall_pct` is 0 or less.
    """

    day: date
    value: int | None
    profit: int | None  # unrealised
    flow: int
    kospi: int | None
    kosdaq: int | None
    fall_pct: Decimal | None


@dataclass(frozen=True, slots=True)
class Trend:
    """The days of the curve, oldest first, and what they came to.

    They are of the days after `since` up to `until`, of which there are `count`: where nobody knows what was paid in or
    out, nothing can be counted across (`is_whole` is then false).
    """

    days: tuple[TrendDay, ...]
    since: date
    until: date
    is_whole: bool
    count: int
    rate_pct: Decimal | Unknown
    kospi_pct: Decimal | Unknown
    kosdaq_pct: Decimal | Unknown
    ahead_pct: Decimal | Unknown
    deepest_fall_pct: Decimal | Unknown
    deepest_on: date | None
    volatility_pct: Decimal | Unknown
    flows: int

    @property
    def is_at_its_top(self) -> bool:
        return bool(self.days) and self.days[-1].fall_pct == 0


def trend_of(rows: DashboardRows, today: Today | None) -> Trend | None:
    """Return the curve up to the snapshot; None where there is no day before it to begin with."""
    summaries = [row for row in rows.position.summaries if row.summary_date < rows.day][-TREND_DAYS:]
    while summaries and summaries[0].total_amt is None:
        summaries.pop(0)
    if not summaries:
        return None
    closed = [_day_value(row) for row in summaries if row.total_amt is not None]
    now = DayValue(rows.day, rows.account.total_eval_amt, _flow_of(today))
    base, values = _comparable(closed, now)
    returns = time_weighted(values, before=base.value)
    closes = {index: _closes(rows, index) for index in IndexPrice.Index}
    worth = {
        index: {base.day: base.value, **_known(values, in_index(values, closes[index], before=base))}
        for index in IndexPrice.Index
    }
    deepest = drawdown(returns)
    kospi = _against(returns, closes[IndexPrice.Index.KOSPI], base)
    kosdaq = _against(returns, closes[IndexPrice.Index.KOSDAQ], base)
    rate = returns[-1].cumulative
    return Trend(
        days=_days(rows, summaries, returns, worth, values),
        since=base.day,
        until=values[-1].day,
        is_whole=(base.day, values[-1].day) == (summaries[0].summary_date, rows.day),
        count=len(values),
        rate_pct=_percent(rate),
        kospi_pct=kospi if isinstance(kospi, Unknown) else kospi.index * HUNDRED,
        kosdaq_pct=kosdaq if isinstance(kosdaq, Unknown) else kosdaq.index * HUNDRED,
        ahead_pct=kospi if isinstance(kospi, Unknown) else kospi.excess * HUNDRED,
        deepest_fall_pct=deepest if isinstance(deepest, Unknown) else deepest.rate * HUNDRED,
        deepest_on=None if isinstance(deepest, Unknown) else deepest.trough,
        volatility_pct=_percent(volatility([day.rate for day in returns if isinstance(day.rate, Decimal)])),
        flows=sum(value.flow for value in values if isinstance(value.flow, int)),
    )


def _day_value(row: KisDailySummary) -> DayValue:
    assert row.total_amt is not None  # noqa: S101  # only days with a close come here
    return DayValue(row.summary_date, row.total_amt, row.won("flow"))


def _comparable(closed: list[DayValue], now: DayValue) -> tuple[DayValue, list[DayValue]]:
    """Return where to count from, and the days to count: as many of the last as follow each other with known flows."""
    days = [*closed, now]
    if isinstance(now.flow, Unknown) and len(closed) > 1:
        days = closed
    start = max((place for place, day in enumerate(days[:-1]) if isinstance(day.flow, Unknown)), default=0)
    return days[start], days[start + 1 :]


def _flow_of(today: Today | None) -> int | Unknown:
    if today is None or today.has_flow:
        return NOT_TOLD
    return today.change - today.profit


def _percent(rate: Decimal | Unknown) -> Decimal | Unknown:
    return rate if isinstance(rate, Unknown) else rate * HUNDRED


def _closes(rows: DashboardRows, index: IndexPrice.Index) -> dict[date, Decimal]:
    """Return the closes of an index, and for the day of the snapshot where it stood then."""
    closes = {day: close for day, close in index_closes(rows, index).items() if day < rows.day}
    level = index_level(rows, index)
    if level is None and not rows.is_open_yet:
        level = closes.get(business_day_before(rows.day))  # nothing has moved since
    return closes if level is None else {**closes, rows.day: level}


def _known(values: list[DayValue], worth: tuple[int | Unknown, ...]) -> dict[date, int]:
    return {
        value.day: amount
        for value, amount in zip(values, worth, strict=True)
        if not isinstance(amount, Unknown)
    }


def _against(
    returns: tuple[DayReturn, ...], closes: Mapping[date, Decimal], base: DayValue
) -> Comparison | Unknown:
    return compare(returns, closes, before=closes.get(base.day))[-1]


def _days(
    rows: DashboardRows,
    summaries: list[KisDailySummary],
    returns: tuple[DayReturn, ...],
    worth: Mapping[IndexPrice.Index, Mapping[date, int]],
    values: list[DayValue],
) -> tuple[TrendDay, ...]:
    fell = {fall.day: fall.rate * HUNDRED for fall in falls(returns)}
    fell.setdefault(min(worth[IndexPrice.Index.KOSPI]), Decimal(0))
    flows = {value.day: value.flow for value in values if isinstance(value.flow, int)}
    kospi, kosdaq = worth[IndexPrice.Index.KOSPI], worth[IndexPrice.Index.KOSDAQ]
    account = rows.account
    profits = [(row.summary_date, row.total_amt, row.unrealised_broker) for row in summaries]
    profits.append((rows.day, account.total_eval_amt, account.total_profit_loss))
    return tuple(
        TrendDay(
            day=day,
            value=value,
            profit=profit,
            flow=flows.get(day, 0),
            kospi=kospi.get(day),
            kosdaq=kosdaq.get(day),
            fall_pct=fell.get(day),
        )
        for day, value, profit in profits
    )
