"""Valid prices, against the published table and against the exchange that ships with the product."""

import pytest

from kis.portfolio.costs import Kind
from kis.simulator import prices
from trading.ticks import nearest_prices, tick_size

#: Around every bound, and some prices in between.
PRICES = sorted(
    {
        bound + off
        for bound in (1, 1_000, 2_000, 5_000, 20_000, 50_000, 200_000, 500_000, 1_200_000)
        for off in (-1, 0, 1, 7)
    }
    - {0}
)
KINDS: tuple[Kind, ...] = ("stock", "ETF", "ETN", "ELW")


@pytest.mark.parametrize(
    ("price", "stock", "fund"),
    [
        (1, 1, 1),
        (1_999, 1, 1),
        (2_000, 5, 5),
        (4_995, 5, 5),
        (5_000, 10, 5),
        (19_990, 10, 5),
        (20_000, 50, 5),
        (49_950, 50, 5),
        (50_000, 100, 5),
        (199_900, 100, 5),
        (200_000, 500, 5),
        (499_500, 500, 5),
        (500_000, 1_000, 5),
    ],
)
def test_tick_is_the_published_one(price, stock, fund):
    assert [tick_size(price, kind) for kind in KINDS] == [stock, fund, fund, fund]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("price", PRICES)
def test_the_exchange_takes_the_same_prices(price, kind):
    is_fund = kind != "stock"
    below, above = nearest_prices(price, kind)
    assert tick_size(price, kind) == prices.tick_size(price, is_fund=is_fund)
    assert below == prices.on_tick(price, is_fund=is_fund)
    assert prices.on_tick(above, is_fund=is_fund) == above
    assert below <= price <= above
    between = [other for other in range(below + 1, above) if prices.on_tick(other, is_fund=is_fund) == other]
    assert not between


@pytest.mark.parametrize(
    ("price", "kind", "expected"),
    [
        (71_050, "stock", (71_000, 71_100)),
        (71_000, "stock", (71_000, 71_000)),
        (1_999, "stock", (1_999, 1_999)),
        (49_999, "stock", (49_950, 50_000)),
        (499_999, "stock", (499_500, 500_000)),
        (35_003, "ETF", (35_000, 35_005)),
    ],
)
def test_nearest_prices_are_below_and_above(price, kind, expected):
    assert nearest_prices(price, kind) == expected
