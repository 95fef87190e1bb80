"""Prices: ticks, limits, the path inside a day, generated and real markets."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest

from kis.calendar import business_days
from kis.simulator.errors import CannotStart
from kis.simulator.hours import KST, at
from kis.simulator.market import Market, read_market
from kis.simulator.prices import STEPS, daily_limits, day_path, on_tick, tick_size

FRIDAY = date(2026, 11, 20)

STOCKS = "code,name,market,sector\n005930,삼성전자,KOSPI,반도체\n"
DAYS = (
    "code,date,open,high,low,close,volume\n"
    "005930,2025-06-16,58000,58100,56900,57200,22200872\n"
    "005930,2025-06-17,57800,59800,57400,58450,16906454\n"
)


def bar_of(market, code, day):
    return market.bar(code, day)


def quote_of(market, code, moment):
    return market.quote(code, moment)


@pytest.fixture
def recorded(tmp_path):
    (tmp_path / "stocks.csv").write_text(STOCKS, encoding="utf-8")
    (tmp_path / "krx_daily.csv").write_text(DAYS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("price", "tick"),
    [
        (1_999, 1),
        (2_000, 5),
        (4_995, 5),
        (5_000, 10),
        (20_000, 50),
        (50_000, 100),
        (200_000, 500),
        (500_000, 1_000),
    ],
)
def test_tick_size_grows_with_the_price(price, tick):
    assert tick_size(price) == tick
    assert tick_size(price, is_fund=True) == (1 if price < 2_000 else 5)


def test_daily_limits_agree_with_the_published_example():
    assert daily_limits(128_500) == (90_000, 167_000)


def test_generated_days_keep_to_ticks_and_limits():
    market = Market()
    for code, listing in market.listings.items():
        bars = market.bars(code, date(2023, 1, 1), FRIDAY)
        assert [bar.day for bar in bars] == list(business_days(date(2023, 1, 2), FRIDAY))
        for before, bar in pairwise(bars):
            lowest, highest = daily_limits(before.close, is_fund=listing.is_fund)
            assert (
                lowest
                <= bar.low
                <= min(bar.open, bar.close)
                <= max(bar.open, bar.close)
                <= bar.high
                <= highest
            )
            for price in (bar.open, bar.high, bar.low, bar.close):
                assert price == on_tick(price, is_fund=listing.is_fund)


def test_same_seed_tells_the_same_market_and_another_does_not():
    same = [bar_of(Market(seed=7), "005930", FRIDAY) for _ in range(2)]
    assert same[0] == same[1] != bar_of(Market(seed=8), "005930", FRIDAY)


def test_path_touches_high_and_low_and_ends_at_the_close():
    market = Market()
    for code in list(market.listings)[:8]:
        bar = bar_of(market, code, FRIDAY)
        path = day_path(bar, seed="x", is_fund=False)
        assert len(path) == STEPS + 1
        assert (path[0], path[-1]) == (bar.open, bar.close)
        assert (min(path), max(path)) == (bar.low, bar.high)


def test_quote_walks_through_the_day():
    market = Market()
    before = quote_of(market, "005930", at(FRIDAY, time(8, 59, 59)))
    assert (before.today, before.price) == (None, before.base)
    seen = [
        quote_of(market, "005930", at(FRIDAY, time(9)) + timedelta(minutes=5 * count)) for count in range(78)
    ]
    volumes = [quote.today.volume for quote in seen]
    assert volumes == sorted(volumes)
    full = bar_of(market, "005930", FRIDAY)
    after = quote_of(market, "005930", at(FRIDAY, time(15, 30)))
    assert after.today == full
    assert quote_of(market, "005930", at(FRIDAY + timedelta(days=1), time(12))).price == full.close


def test_replay_shows_the_recorded_days_and_goes_on_afterwards(recorded):
    market = read_market(recorded, seed=1)
    assert market.session_start(datetime(2026, 11, 20, 12, tzinfo=KST)) == date(2025, 6, 17)
    assert bar_of(market, "005930", date(2025, 6, 17)).close == 58_450
    assert quote_of(market, "005930", at(date(2025, 6, 13), time(12))) is None
    following = bar_of(market, "005930", date(2025, 6, 18))
    lowest, highest = daily_limits(58_450)
    assert lowest <= following.low <= following.high <= highest


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("stocks.csv", "code,name\n"),
        ("stocks.csv", "code,name,market,sector\n5930,삼성전자,KOSPI,반도체\n"),
        ("krx_daily.csv", DAYS + "005930,2025-06-18,1,1\n"),
        ("krx_daily.csv", DAYS + "005930,yesterday,1,1,1,1,1\n"),
        ("krx_daily.csv", DAYS + "005930,0001-01-01,1,1,1,1,1\n"),
        ("krx_daily.csv", DAYS + "000660,2025-06-18,1,1,1,1,1\n"),
        ("krx_daily.csv", "code,date,open,high,low,close,volume\n"),
    ],
)
def test_unreadable_market_directory_is_refused(recorded, name, text):
    (recorded / name).write_text(text, encoding="utf-8")
    with pytest.raises(CannotStart, match=name):
        read_market(recorded, seed=1)


def test_stock_nobody_listed_gets_a_price_of_its_own():
    market = Market()
    listing = market.add_listing("ZZZZ01")
    assert quote_of(market, "ZZZZ01", at(FRIDAY, time(10))).price > 0
    assert market.add_listing("ZZZZ01", "다른 이름") == listing
