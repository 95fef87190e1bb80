"""The curve of three months, and the same money in the market."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from kis.models import IndexPrice, KisDailySummary
from kis.portfolio.unknown import Unknown
from reports.figures import Trend
from tests.factories import AT, Stock, index_closes, snapshot, weeks_of
from tests.reports.conftest import figures_of

pytestmark = pytest.mark.django_db

TODAY = AT.date()


def trend_of(account) -> Trend:
    found = figures_of(account).trend
    assert isinstance(found, Trend)
    return found


def now(total, *, before, kospi=None, held=(), **changes):
    level = {"0001": {"day": f"{TODAY}", "level": str(kospi), "before": "1"}} if kospi else {}
    return snapshot(held, cash=total, previous_assets=before, indices=level, **changes)


def test_curve_ends_with_the_snapshot_and_counts_the_days_that_earned():
    weeks_of([1_000_000, 1_100_000, 990_000], until=TODAY)
    trend = trend_of(now(1_188_000, before=990_000, at=AT))
    # Without an explanation, cash alone that grew today is a deposit.
    assert [day.value for day in trend.days] == [1_000_000, 1_100_000, 990_000, 1_188_000]
    assert trend.days[-1].day == TODAY
    assert trend.count == 3
    assert trend.flows == 198_000
    assert trend.rate_pct == Decimal(-1)
    assert trend.deepest_fall_pct == Decimal(-10)
    assert trend.deepest_on == date(2025, 6, 13)


def test_same_money_in_the_index_takes_part_in_deposits():
    weeks_of([1_000_000, 1_600_000], until=TODAY, flows={1: 500_000})
    index_closes([1_000, 1_100], until=TODAY)
    trend = trend_of(now(1_600_000, before=1_600_000, kospi=990))
    assert [day.kospi for day in trend.days] == [1_000_000, 1_650_000, 1_485_000]
    assert [day.kosdaq for day in trend.days] == [1_000_000, None, None]
    assert trend.kospi_pct == Decimal(-1)
    assert isinstance(trend.rate_pct, Decimal)
    assert trend.ahead_pct == trend.rate_pct + 1
    assert isinstance(trend.kosdaq_pct, Unknown)
    assert trend.flows == 500_000


def test_before_the_opening_the_index_stands_where_it_closed():
    weeks_of([1_000_000, 1_100_000], until=TODAY)
    index_closes([1_000, 1_050], until=TODAY)
    trend = trend_of(now(1_100_000, before=1_100_000, at=AT.replace(hour=8, minute=35)))
    assert trend.kospi_pct == 5
    during = trend_of(now(1_100_000, before=1_100_000))
    assert isinstance(during.kospi_pct, Unknown)


def test_day_that_nobody_looked_at_is_a_gap():
    weeks_of([1_000_000, None, 1_100_000], until=TODAY)
    trend = trend_of(now(1_100_000, before=1_100_000))
    assert [day.value for day in trend.days] == [1_000_000, None, 1_100_000, 1_100_000]
    assert trend.rate_pct == 10
    assert trend.count == 2


def test_curve_begins_with_a_day_that_somebody_looked_at():
    weeks_of([None, 1_000_000, 1_100_000], until=TODAY)
    assert trend_of(now(1_100_000, before=1_100_000)).days[0].value == 1_000_000


def test_returns_are_counted_since_the_last_day_with_an_unknown_flow():
    rows = weeks_of([1_000_000, 900_000, 2_000_000, 2_200_000], until=TODAY)
    index_closes([1_000, 1_000, 1_000, 1_050], until=TODAY)
    rows[2].put("flow", Unknown("그날의 입출금을 모릅니다."))
    rows[2].save()
    trend = trend_of(now(2_200_000, before=2_200_000, kospi=1_050))
    assert [day.value for day in trend.days][:3] == [1_000_000, 900_000, 2_000_000]
    assert (trend.since, trend.count, trend.is_whole) == (rows[2].summary_date, 2, False)
    assert (trend.rate_pct, trend.kospi_pct, trend.ahead_pct) == (Decimal(10), Decimal(5), Decimal(5))
    assert [day.kospi for day in trend.days] == [None, None, 2_000_000, 2_100_000, 2_100_000]
    assert [day.fall_pct for day in trend.days] == [None, None, 0, 0, 0]


def test_returns_end_yesterday_while_the_flow_of_today_is_unknown():
    rows = weeks_of([1_000_000, 1_100_000], until=TODAY)
    # Shares and cash of yesterday are not those that the broker's total is of.
    trend = trend_of(now(1_500_000, before=1_200_000, held=[Stock(price=100, quantity=1)]))
    assert trend.days[-1].value == 1_500_100
    assert (trend.until, trend.rate_pct, trend.is_whole) == (rows[-1].summary_date, Decimal(10), False)


def test_first_day_has_no_curve():
    assert figures_of(now(1_000_000, before=1_000_000)).trend is None


def test_curve_is_sixty_days_long():
    weeks_of([1_000_000 + place for place in range(70)], until=TODAY)
    trend = trend_of(now(1_000_070, before=1_000_069))
    assert (len(trend.days), trend.count) == (61, 60)
    assert trend.is_at_its_top


def test_closed_day_is_not_counted_twice():
    sunday = AT - timedelta(days=1)
    rows = weeks_of([1_000_000, 1_100_000], until=TODAY)
    assert rows[-1].summary_date == sunday.date() - timedelta(days=2)
    trend = trend_of(snapshot(cash=1_100_000, previous_assets=1_000_000, at=sunday))
    assert [day.day for day in trend.days] == [row.summary_date for row in rows]


def test_index_rows_of_the_future_are_not_read():
    weeks_of([1_000_000], until=TODAY)
    IndexPrice.objects.create(index_code="0001", trade_date=TODAY, close=1_000)
    index_closes([900], until=TODAY)
    assert isinstance(trend_of(now(1_000_000, before=1_000_000)).kospi_pct, Unknown)
    assert KisDailySummary.objects.count() == 1


def test_percent_below_the_top_is_zero_at_the_top():
    weeks_of([1_000_000, 900_000, 1_200_000], until=TODAY)
    trend = trend_of(now(1_200_000, before=1_200_000))
    assert [day.fall_pct for day in trend.days] == [0, -10, 0, 0]
    assert replace(trend, days=()).is_at_its_top is False
