"""The causes of a day's change, worked out by hand and with accounts made up at random."""

import random
from dataclasses import replace

import pytest

from kis.portfolio.day_change import (
    MOVED_SINCE,
    NO_CLOSE_BEFORE,
    Close,
    StockDay,
    Traded,
    day_change,
)
from kis.portfolio.unknown import Unknown

NOBODY_KNOWS = Unknown("전일 종가를 모릅니다.")
#: 10 shares at 1,000 and 5 at 2,000 yesterday; now 1,100 and 1,900.
UP = StockDay("000001", "오름", quantity=10, bought=0, sold=0, price=1_100, price_before=1_000)
DOWN = StockDay("000002", "내림", quantity=5, bought=0, sold=0, price=1_900, price_before=2_000)
YESTERDAY = Close(total=120_000, stocks=20_000, cash=100_000)
NOTHING = Traded(0, 0, 0)


def change(stocks, *, now, cash, traded=NOTHING, before=120_000, earlier: Close | None = YESTERDAY):
    return day_change(stocks, before=before, now=now, cash=cash, traded=traded, earlier=earlier)


def test_quiet_day_is_prices_alone():
    found = change([UP, DOWN], now=120_500, cash=100_000)
    assert [(stock.name, amount) for stock, amount in found.moves] == [("오름", 1_000), ("내림", -500)]
    assert (found.total, found.trades, found.costs, found.flow, found.unexplained) == (500, 0, 0, 0, 0)
    assert found.profit == 500


def test_trades_win_or_lose_against_the_price_of_now():
    # 2 more bought at 1,050 are worth 1,100 now: +100. 1 sold at 1,980 would be worth 1,900: +80. 12 won of costs.
    stocks = [replace(UP, quantity=12, bought=2), replace(DOWN, quantity=4, sold=1)]
    cash = 100_000 - 2 * 1_050 + 1_980 - 12
    found = change(stocks, now=12 * 1_100 + 4 * 1_900 + cash, cash=cash, traded=Traded(2_100, 1_980, 12))
    assert [amount for _, amount in found.moves] == [1_000, -500]
    assert (found.trades, found.costs, found.flow, found.unexplained) == (180, -12, 0, 0)
    assert found.total == 500 + 180 - 12


def test_stock_that_is_sold_out_or_new_today_counts():
    gone = StockDay("000003", "판 주식", quantity=0, bought=0, sold=5, price=1_900, price_before=2_000)
    new = StockDay("000004", "산 주식", quantity=3, bought=3, sold=0, price=500, price_before=NOBODY_KNOWS)
    cash = 100_000 + 5 * 1_950 - 3 * 490
    found = change([UP, gone, new], now=11_000 + 1_500 + cash, cash=cash, traded=Traded(1_470, 9_750, 0))
    assert [(stock.name, amount) for stock, amount in found.moves] == [("오름", 1_000), ("판 주식", -500)]
    assert (found.trades, found.unexplained, found.unpriced) == (250 + 30, 0, ())


def test_deposit_is_no_profit():
    found = change([UP, DOWN], now=150_500, cash=130_000)
    assert (found.total, found.flow, found.profit, found.unexplained) == (30_500, 30_000, 500, 0)


def test_cash_that_came_after_our_last_look_belongs_to_the_day_before():
    found = change([UP, DOWN], before=150_000, now=150_500, cash=130_000)
    assert (found.total, found.flow, found.profit, found.unexplained) == (500, 0, 500, 0)


def test_shares_that_came_after_our_last_look_leave_the_flow_open():
    seen = Close(total=120_000, stocks=15_000, cash=105_000)
    found = change([UP, DOWN], before=125_000, now=120_500, cash=100_500, earlier=seen)
    assert (found.flow, found.profit, found.unexplained) == (MOVED_SINCE, MOVED_SINCE, -5_000)


def test_flow_is_unknown_without_a_close_before():
    found = change([UP, DOWN], now=150_500, cash=130_000, earlier=None)
    assert (found.flow, found.profit, found.unexplained) == (NO_CLOSE_BEFORE, NO_CLOSE_BEFORE, 30_000)


def test_stock_without_a_close_before_is_named_and_unexplained():
    found = change([UP, replace(DOWN, price_before=NOBODY_KNOWS)], now=120_500, cash=100_000)
    assert [stock.name for stock in found.unpriced] == ["내림"]
    assert (found.unexplained, [stock.name for stock, _ in found.moves]) == (-500, ["오름"])


@pytest.mark.parametrize("missing", [1, -1])
def test_share_that_the_balance_counts_twice_or_not_at_all_is_unexplained(missing):
    found = change([replace(UP, quantity=10 - missing), DOWN], now=120_500, cash=100_000)
    # Its gain is missing from the moves; the rest of the account is explained.
    assert found.unexplained == 100 * missing


@pytest.mark.parametrize("seed", range(20))
def test_causes_of_any_day_add_up_to_the_change(seed):
    chance = random.Random(seed)
    stocks, bought, sold, value_before = [], 0, 0, 0
    for number in range(chance.randint(0, 30)):
        held, bought_shares = chance.randint(0, 500), chance.choice([0, 0, chance.randint(1, 300)])
        sold_shares = chance.choice([0, 0, chance.randint(0, held + bought_shares)])
        price_before = chance.randint(100, 900_000)
        price = max(price_before + chance.randint(-price_before // 3, price_before // 3), 1)
        bought += bought_shares * chance.randint(1, 900_000)
        sold += sold_shares * chance.randint(1, 900_000)
        value_before += held * price_before
        left = held + bought_shares - sold_shares
        stocks.append(
            StockDay(f"{number:06}", str(number), left, bought_shares, sold_shares, price, price_before)
        )
    costs, flow, cash_before = chance.randint(0, 50_000), chance.randint(-(10**7), 10**7), 10**9
    cash = cash_before + sold - bought - costs + flow
    found = day_change(
        stocks,
        before=value_before + cash_before,
        now=sum(stock.quantity * stock.price for stock in stocks) + cash,
        cash=cash,
        traded=Traded(bought, sold, costs),
        earlier=Close(value_before + cash_before, value_before, cash_before),
    )
    assert (found.flow, found.costs, found.unexplained) == (flow, -costs, 0)
    assert sum(amount for _, amount in found.moves) + found.trades - costs + flow == found.total
