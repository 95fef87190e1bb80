"""What the charts of each stock are drawn from."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from kis.korean import SEOUL
from kis.models import DailyPrice, MinPrice, PriceAdjustment, PriceGap
from kis.models.books import Side
from reports.figures.bars import Candle, DayTrade, MinuteTrade
from tests.factories import AT, Stock, fill, save_minutes, snapshot
from tests.reports.conftest import figures_of

pytestmark = pytest.mark.django_db

TODAY = AT.date()
YESTERDAY = date(2025, 6, 13)
SAMSUNG = Stock()
BEFORE_SPLIT = Stock(price=57_000, average=55_000, quantity=100, change=0.0)


def at(hour, minute=0, *, day=TODAY):
    return datetime.combine(day, time(hour, minute), SEOUL)


def charts(account, code="005930"):
    return next(row.charts for row in figures_of(account).holdings if row.code == code)


def day_price(on, close, **changes):
    prices = {"open": close, "high": close, "low": close, "close": close, "volume": 1_000} | changes
    return DailyPrice.objects.update_or_create(stock_code="005930", trade_date=on, defaults=prices)


def minute(clock, **changes):
    prices = {"open": 57_000, "high": 57_300, "low": 56_900, "close": 57_100, "volume": 10} | changes
    return MinPrice.objects.create(stock_code="005930", bar_at=clock, **prices)


def test_axis_has_ten_market_days_that_end_with_the_snapshot():
    dashboard = figures_of(snapshot([SAMSUNG]))
    assert len(dashboard.chart_days) == 10
    assert dashboard.chart_days[-2:] == (YESTERDAY, TODAY)
    candles = dashboard.holdings[0].charts.candles
    assert [candle.on for candle in candles] == list(dashboard.chart_days)


def test_today_is_made_of_its_minutes_and_ends_with_the_price_of_the_snapshot():
    account = snapshot([SAMSUNG])
    minute(at(9), open=58_000, high=58_200)
    minute(at(9, 1), low=56_800, volume=25)
    assert charts(account).candles[-1] == Candle(TODAY, 57_200, 58_000, 58_200, 56_800, 35)


def test_today_without_minutes_is_only_a_price():
    assert charts(snapshot([SAMSUNG])).candles[-1] == Candle(TODAY, 57_200)


def test_today_with_missing_minutes_has_no_volume():
    account = snapshot([SAMSUNG])
    minute(at(9))
    minute(at(11))
    PriceGap.objects.create(
        stock_code="005930", what="minute", first_at=at(9, 5), last_at=at(9, 9), found_at=AT
    )
    found = charts(account)
    assert found.candles[-1].volume is None
    assert found.day.holes == ((5, 9),)


def test_bar_of_today_counts_once_it_is_final():
    account = snapshot([SAMSUNG], at=at(15, 41))
    day_price(TODAY, 57_200, open=58_000, high=58_900, low=57_000, volume=123)
    minute(at(9))
    assert charts(account).candles[-1] == Candle(TODAY, 57_200, 58_000, 58_900, 57_000, 123)


def test_page_knows_nothing_of_the_future():
    account = snapshot([SAMSUNG])
    save_minutes([SAMSUNG], at=at(14, 20))
    before = charts(account)
    day_price(TODAY, 99_000)
    day_price(TODAY + timedelta(days=1), 99_000)
    minute(at(14, 20), high=99_000)  # not over before 14:21
    minute(at(14, 50), high=99_000)
    fill(1, exec_tmd=time(14, 40))
    fill(2, exec_dt=TODAY + timedelta(days=1))
    assert charts(account) == before
    assert before.day.minutes[-1].place == 319


def test_halted_day_has_only_its_close():
    account = snapshot([SAMSUNG])
    day_price(YESTERDAY, 57_000, open=0, high=0, low=0, volume=0)
    assert charts(account).candles[-2] == Candle(YESTERDAY, 57_000)


def test_stock_without_prices_has_no_candles():
    account = snapshot([SAMSUNG, Stock(code="0000Z0")])
    DailyPrice.objects.filter(stock_code="0000Z0").delete()
    assert charts(account, "0000Z0").candles == ()


def test_trades_of_a_day_are_one_mark_for_each_side():
    account = snapshot([SAMSUNG])
    fill(1, exec_qty=10, exec_amt=570_000)
    fill(2, exec_qty=30, exec_amt=1_740_000)
    fill(3, side="SELL", exec_qty=1, exec_amt=59_000)
    fill(4, exec_dt=YESTERDAY, exec_qty=2, exec_amt=112_000, exec_tmd=time(15, 29))
    fill(5, exec_dt=YESTERDAY, account_no="99999999")
    assert charts(account).trades == (
        DayTrade(YESTERDAY, Side.BUY, 56_000),
        DayTrade(TODAY, Side.BUY, 57_750),
        DayTrade(TODAY, Side.SELL, 59_000),
    )


def test_trades_of_today_keep_their_minute():
    account = snapshot([SAMSUNG])
    fill(1, exec_tmd=time(9, 31), exec_qty=10, exec_amt=570_000)
    fill(2, exec_tmd=time(8, 40), exec_qty=10, exec_amt=571_000)
    assert charts(account).day.trades == (
        MinuteTrade(0, Side.BUY, 57_100),
        MinuteTrade(31, Side.BUY, 57_000),
    )


def test_previous_close_is_the_stored_one_where_the_rate_counts_from_it():
    account = snapshot([Stock(price=57_200, change=-1.89)])
    day_price(YESTERDAY, 58_300)
    assert charts(account).day.previous_close == 58_300
    day_price(YESTERDAY, 50_000)  # base price after a rights issue
    assert charts(account).day.previous_close == round(57_200 / (1 - Decimal("0.0189")))


# --- shares that count differently -----------------------------------------------------------------------------------


def split(**changes):
    """One share becomes five; the history has been replaced since."""
    DailyPrice.objects.filter(stock_code="005930").delete()
    for back in range(1, 15):
        day_price(TODAY - timedelta(days=back), 11_400, volume=5_000)
    return PriceAdjustment.objects.create(
        **{"stock_code": "005930", "after": TODAY, "day": TODAY + timedelta(days=1), "ratio": 5}
        | {"found_at": AT + timedelta(days=1)}
        | changes
    )


def closes(account):
    return [candle.close for candle in charts(account).candles if candle]


def test_split_after_the_snapshot_is_taken_back():
    account = snapshot([BEFORE_SPLIT], with_closes=False)
    split()
    candles = charts(account).candles
    assert set(closes(account)) == {57_000}
    assert candles[0].volume == 1_000
    assert charts(account).day.previous_close == 57_000


def test_split_on_the_day_of_the_snapshot_leaves_no_fall():
    account = snapshot([Stock(price=11_400, average=11_000, quantity=500, change=0.0)], with_closes=False)
    split(after=YESTERDAY, day=TODAY)
    fill(1, exec_dt=YESTERDAY, exec_qty=10, exec_amt=570_000)
    assert set(closes(account)) == {11_400}
    assert charts(account).trades == (DayTrade(YESTERDAY, Side.BUY, 11_400),)


@pytest.mark.parametrize(("price", "expected"), [(57_000, 57_000), (11_400, 11_400)])
def test_split_whose_day_is_only_known_roughly_follows_the_broker(price, expected):
    account = snapshot([Stock(price=price, average=1, quantity=1, change=0.0)], with_closes=False)
    split(after=YESTERDAY, day=TODAY + timedelta(days=2))
    assert set(closes(account)) == {expected}


def test_split_that_nobody_has_seen_yet_leaves_no_fall():
    account = snapshot([Stock(price=11_514, average=11_000, quantity=500, change=1.0)], with_closes=False)
    for back in range(1, 15):
        day_price(TODAY - timedelta(days=back), 57_000, volume=1_000)
    candles = charts(account).candles
    assert closes(account) == [11_400] * 9 + [11_514]
    assert candles[0].volume == 5_000


def test_old_price_of_a_stock_that_was_not_traded_yesterday_is_left_alone():
    account = snapshot([SAMSUNG, Stock(code="000660", price=30_000, average=1, change=0.0)])
    DailyPrice.objects.filter(stock_code="000660").delete()
    DailyPrice.objects.create(
        stock_code="000660",
        trade_date=TODAY - timedelta(days=6),
        open=90_000,
        high=90_000,
        low=90_000,
        close=90_000,
        volume=1,
    )
    assert [candle.close for candle in charts(account, "000660").candles if candle] == [90_000, 30_000]


# --- no minutes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        (at(10, day=date(2025, 6, 14)), "휴장일이라 오늘 분봉이 없습니다. 다음 거래일은 6/16(월)입니다."),
        (at(8, 30), "장이 열리기 전이라 오늘 분봉이 없습니다. 09:00에 열립니다."),
        (at(9, 1), "장이 막 열려 아직 끝난 1분이 없습니다."),
        (at(14), "오늘 분봉을 받지 못했습니다. 장중에 1분마다 실행하는 작업이 분봉을 모읍니다."),
    ],
)
def test_why_there_are_no_minutes(moment, sentence):
    dashboard = figures_of(snapshot([SAMSUNG], at=moment))
    assert dashboard.no_minutes == sentence
    assert dashboard.holdings[0].charts.day.minutes == ()


def test_there_is_nothing_to_say_where_there_are_minutes():
    account = snapshot([SAMSUNG])
    minute(at(9))
    assert figures_of(account).no_minutes == ""


def test_minutes_outside_of_the_session_are_not_drawn():
    account = snapshot([SAMSUNG], at=at(18))
    minute(at(8, 45))
    minute(at(9))
    minute(at(17))
    day = charts(account).day
    assert [bar.place for bar in day.minutes] == [0]
    assert day.now == 390


def test_account_without_stocks_has_no_charts():
    dashboard = figures_of(snapshot())
    assert (dashboard.chart_days, dashboard.holdings) == ((), ())


def test_trades_of_another_stock_are_not_marked():
    account = snapshot([SAMSUNG])
    fill(1, stock_code="000660")
    assert charts(account).trades == charts(account).day.trades == ()
