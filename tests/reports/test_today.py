"""What today did to the account, and the market beside it."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from kis.korean import SEOUL, percent
from kis.models import DailyPrice, MinPrice
from reports.figures import Today
from tests.factories import AT, Stock, fill, index_closes, report_fills, save_minutes, snapshot, stocks
from tests.reports.conftest import figures_of

pytestmark = pytest.mark.django_db

FRIDAY = AT - timedelta(days=3)
SAMSUNG = Stock(price=57_200, quantity=100, change=10.0)
SAMSUNG_BEFORE = 52_000
CASH = 1_000_000


def today_of(account, **options) -> Today:
    found = figures_of(account, **options).today
    assert isinstance(found, Today)
    return found


def close_before(*, price=SAMSUNG_BEFORE, quantity=100, cash=CASH, at=FRIDAY):
    """Save the snapshot and the close of the day before."""
    DailyPrice.objects.create(
        stock_code="005930", trade_date=at.date(), open=price, high=price, low=price, close=price, volume=1
    )
    return snapshot([replace(SAMSUNG, price=price, quantity=quantity)], at=at, cash=cash, with_closes=False)


def now(stock=SAMSUNG, *, cash=CASH, before=SAMSUNG_BEFORE * 100 + CASH, **changes):
    return snapshot([stock], cash=cash, with_closes=False, previous_assets=before, **changes)


def lines(today):
    return [(cause.kind, cause.amount) for cause in today.causes]


def test_price_explains_a_quiet_day():
    close_before()
    today = today_of(now())
    assert lines(today) == [
        ("stock", 520_000),
        ("trades", 0),
        ("costs", 0),
        ("flow", 0),
        ("unexplained", 0),
    ]
    assert (today.profit, today.change, today.before, today.now) == (520_000, 520_000, 6_200_000, 6_720_000)
    assert percent(today.rate_pct) == "+8.39%"
    assert today.causes[0].rate_pct == Decimal("10.0")


def test_trades_and_their_costs_have_lines_of_their_own():
    close_before()
    # 10 more at 57,100 are worth 100 won more each.
    fill(0, exec_qty=10, exec_amt=571_000)
    account = now(replace(SAMSUNG, quantity=110), cash=CASH - 571_000 - 80, today_fee=80, before=6_200_000)
    today = today_of(report_fills(account))
    assert lines(today) == [
        ("stock", 520_000),
        ("trades", 1_000),
        ("costs", -80),
        ("flow", 0),
        ("unexplained", 0),
    ]


def test_stock_that_was_sold_out_today_is_still_a_cause():
    close_before()
    fill(0, side="SELL", exec_qty=100, exec_amt=5_700_000, exec_price=57_000, tax=8_000)
    account = report_fills(
        snapshot(cash=CASH + 5_700_000 - 8_080, today_fee=8_080, previous_assets=6_200_000)
    )
    account.raw_json["sold_out"][0] |= {"prpr": "57200", "bfdy_cprs_icdc": "5200"}
    account.save()
    today = today_of(account)
    assert lines(today) == [
        ("stock", 520_000),
        ("trades", -20_000),
        ("costs", -8_080),
        ("flow", 0),
        ("unexplained", 0),
    ]
    assert (today.causes[0].name, today.causes[0].rate_pct) == ("삼성전자", Decimal(10))


def test_deposit_of_today_is_a_cause_but_no_profit():
    close_before()
    today = today_of(now(cash=CASH + 3_000_000))
    assert (today.change, today.profit, today.has_flow) == (3_520_000, 520_000, False)
    assert ("flow", 3_000_000) in lines(today)
    assert percent(today.rate_pct) == "+5.65%"  # of 9,200,000: the deposit was there from the morning


def test_flow_is_not_guessed_without_a_close_before():
    DailyPrice.objects.create(
        stock_code="005930", trade_date=FRIDAY.date(), open=1, high=60_000, low=1, close=52_000, volume=1
    )
    today = today_of(now(cash=CASH + 3_000_000))
    assert lines(today)[-2:] == [("flow", None), ("unexplained", 3_000_000)]
    assert (today.has_flow, today.profit) == (True, 3_520_000)
    assert today.flow_reason == "전일 마감 자료가 없어 입출금을 나눌 수 없습니다."


def test_without_a_close_before_and_nothing_unexplained_there_was_no_flow():
    DailyPrice.objects.create(
        stock_code="005930", trade_date=FRIDAY.date(), open=1, high=60_000, low=1, close=52_000, volume=1
    )
    today = today_of(now())
    assert lines(today)[-2:] == [("flow", 0), ("unexplained", 0)]
    assert not today.has_flow


def test_close_before_is_the_broker_s_where_it_tells_the_change():
    close_before(price=10_400)  # our bar is on the footing before a split of 1 to 5
    account = now()
    account.holdings.update(raw_json={"bfdy_cprs_icdc": "5200"})
    assert lines(today_of(account))[0] == ("stock", 520_000)


def test_stock_whose_close_before_nobody_knows_is_named():
    snapshot([replace(SAMSUNG, price=SAMSUNG_BEFORE)], at=FRIDAY, cash=CASH, with_closes=False)
    today = today_of(now())
    assert (today.unpriced, today.unexplained) == (("삼성전자",), 520_000)


def test_share_that_the_broker_s_total_has_more_is_unexplained():
    close_before()
    today = today_of(now(net_assets=6_720_000 + 57_200))
    assert (today.unexplained, lines(today)[-1]) == (57_200, ("unexplained", 57_200))
    assert sum(cause.amount or 0 for cause in today.causes) == today.change == 577_200


def test_new_account_has_no_today():
    assert figures_of(now(before=0)).today is None


def many(count, *, rising):
    """Save stocks of which the first so many rose, each by another amount."""
    held = [
        replace(stock, price=10_000 + (place + 1) * (100 if place < rising else -10), quantity=10)
        for place, stock in enumerate(stocks(count))
    ]
    for stock in held:
        DailyPrice.objects.create(
            stock_code=stock.code,
            trade_date=FRIDAY.date(),
            open=10_000,
            high=10_000,
            low=10_000,
            close=10_000,
            volume=1,
        )
    return snapshot(held, with_closes=False, previous_assets=10_000 * 10 * count + 10_633_778)


@pytest.mark.parametrize(
    ("count", "rising", "up", "down"),
    [(20, 10, 4, 3), (20, 2, 2, 5), (20, 19, 6, 1), (20, 20, 7, 0), (20, 0, 0, 7), (5, 3, 3, 2)],
)
def test_largest_movers_are_named_up_before_down_and_the_rest_is_one_line(count, rising, up, down):
    today = today_of(many(count, rising=rising))
    named = [cause.amount or 0 for cause in today.causes if cause.kind == "stock"]
    assert [amount > 0 for amount in named] == [True] * up + [False] * down
    assert named == sorted(named, reverse=True)
    rest = [cause for cause in today.causes if cause.kind == "rest"]
    assert [cause.count for cause in rest] == ([count - 7] if count > 7 else [])
    assert sum(cause.amount or 0 for cause in today.causes) == today.change
    assert today.unexplained == 0


# --- the market ------------------------------------------------------------------------------------------------------


def test_market_s_day_is_that_of_the_snapshot():
    level = {"day": "2025-06-16", "level": "2946.66", "before": "2894.62"}
    today = today_of(now(indices={"0001": level}))
    assert today.kospi_pct is not None
    assert round(today.kospi_pct, 2) == Decimal("1.80")
    assert today.kosdaq_pct is None


def test_market_of_another_day_says_nothing_about_today():
    level = {"day": "2025-06-13", "level": "2946.66", "before": "2894.62"}
    assert today_of(now(indices={"0001": level})).kospi_pct is None


def test_close_of_the_index_counts_only_once_the_market_has_closed():
    index_closes([1_000, 1_010], until=AT.date() + timedelta(days=1))
    assert today_of(now()).kospi_pct is None
    assert today_of(now(at=AT.replace(hour=15, minute=40))).kospi_pct == 1


def test_closed_day_shows_the_last_one_that_was_open():
    sunday = datetime(2025, 6, 15, 11, 0, tzinfo=SEOUL)
    thursday = FRIDAY - timedelta(days=1)
    close_before(at=thursday)
    index_closes([1_000, 1_010], until=AT.date())
    snapshot([SAMSUNG], at=FRIDAY.replace(hour=15, minute=40), cash=CASH, previous_assets=6_200_000)
    today = today_of(now(at=sunday))
    assert (today.day, today.profit, today.kospi_pct) == (FRIDAY.date(), 520_000, Decimal(1))


# --- how the day went --------------------------------------------------------------------------------------------------


def test_day_is_drawn_from_the_minutes_and_ends_with_the_profit():
    close_before()
    fill(0, exec_qty=10, exec_amt=571_000, exec_tmd=datetime(2025, 6, 16, 10, 2).time())  # noqa: DTZ001
    account = report_fills(now(replace(SAMSUNG, quantity=110), cash=CASH - 571_000, before=6_200_000))
    save_minutes([SAMSUNG])
    today = today_of(account)
    first, last = today.moments[0], today.moments[-1]
    assert (first.at.hour, first.at.minute) == (9, 0)
    assert (last.at, last.change) == (AT, today.profit)
    at_ten_past = next(moment for moment in today.moments if (moment.at.hour, moment.at.minute) == (10, 10))
    price = (
        MinPrice.objects.filter(bar_at__lt=at_ten_past.at)
        .order_by("-bar_at")
        .values_list("close", flat=True)[0]
    )
    assert at_ten_past.change == 100 * (price - SAMSUNG_BEFORE) + 10 * price - 571_000


def test_day_begins_with_the_first_minute_of_what_is_held():
    close_before()
    account = now()
    save_minutes([SAMSUNG])
    MinPrice.objects.filter(bar_at__lt=AT.replace(hour=11, minute=0)).delete()
    assert today_of(account).moments[0].at == AT.replace(hour=11, minute=1)


def test_day_without_minutes_is_drawn_from_the_snapshots():
    close_before()
    at_ten = AT.replace(hour=10, minute=0)
    now(at=at_ten, net_assets=6_300_000)
    today = today_of(now())
    assert [(moment.at, moment.change) for moment in today.moments] == [(at_ten, 100_000), (AT, 520_000)]
