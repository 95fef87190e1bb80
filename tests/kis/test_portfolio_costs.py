"""Costs of a trade: tables worked out by hand, and the broker's figures spread to the won."""

from datetime import date
from decimal import Decimal

import pytest

from kis.client.records.orders import Side
from kis.portfolio.cash import settlement_day
from kis.portfolio.costs import (
    BASIC_ONLINE,
    CommissionPlan,
    Costs,
    RatesNotUnderstood,
    estimate,
    parse_rates,
    settle,
    settle_day,
)
from kis.portfolio.unknown import Unknown

BUY, SELL = Side.BUY, Side.SELL

# 12-25 and 01-01 are holidays, and the last business day of a year (12-31, or the one before a weekend) is closed.
SETTLEMENTS = [
    # Thu 12-26: Fri 27, Mon 30
    ("2024-12-26", "2024-12-30"),
    # Fri 12-27: Mon 30, not Tue 31, not Wed 01-01, Thu 01-02
    ("2024-12-27", "2025-01-02"),
    # Mon 12-30: not Tue 31, not Wed 01-01, Thu 01-02, Fri 01-03
    ("2024-12-30", "2025-01-03"),
    # Fri 12-26: Mon 29, Tue 30
    ("2025-12-26", "2025-12-30"),
    # Mon 12-29: Tue 30, not Wed 31, not Thu 01-01, Fri 01-02
    ("2025-12-29", "2026-01-02"),
    # Tue 12-30: not Wed 31, not Thu 01-01, Fri 01-02, Mon 01-05
    ("2025-12-30", "2026-01-05"),
    # Fri 01-02: Mon 05, Tue 06
    ("2026-01-02", "2026-01-06"),
    # Tue 12-24: not Wed 25, Thu 26, Fri 27
    ("2024-12-24", "2024-12-27"),
    # 2022 and 2023 end on a weekend: Fri 12-30 and Fri 12-29 are closed instead of 12-31
    ("2022-12-27", "2022-12-29"),
    ("2022-12-28", "2023-01-02"),
    ("2023-12-26", "2023-12-28"),
    ("2023-12-27", "2024-01-02"),
]


@pytest.mark.parametrize(("traded", "settled"), SETTLEMENTS)
def test_trade_settles_two_business_days_later(traded, settled):
    assert settlement_day(date.fromisoformat(traded)) == date.fromisoformat(settled)


# A sale of 12,345,678 won. Commission at 0.0140527 %: 1,734.90..., so 1,734.
# Tax: 0.25 % 30,864.195; 0.23 % 28,395.0594; 0.20 % 24,691.356; 0.18 % 22,222.2204; 0.15 % 18,518.517;
# 0.30 % 37,037.034; 0.10 % 12,345.678.
SALES = [
    # traded        market    kind     tax
    ("2024-12-26", "KOSPI", "stock", 22_222),  # settles 2024-12-30: 0.18 %
    ("2024-12-26", "KOSDAQ", "stock", 22_222),
    ("2024-12-26", "KOSPI", "ETF", 0),
    ("2024-12-27", "KOSPI", "stock", 18_518),  # settles 2025-01-02: 0.15 %
    ("2024-12-27", "KOSDAQ", "stock", 18_518),
    ("2024-12-27", "KOSPI", "ETF", 0),
    ("2024-12-30", "KOSPI", "stock", 18_518),  # settles 2025-01-03
    ("2024-12-30", "KOSDAQ", "stock", 18_518),
    ("2024-12-30", "KOSPI", "ETF", 0),
    ("2025-12-26", "KOSPI", "stock", 18_518),  # settles 2025-12-30
    ("2025-12-26", "KOSDAQ", "stock", 18_518),
    ("2025-12-26", "KOSPI", "ETF", 0),
    ("2025-12-29", "KOSPI", "stock", 24_691),  # settles 2026-01-02: 0.20 %
    ("2025-12-29", "KOSDAQ", "stock", 24_691),
    ("2025-12-29", "KOSPI", "ETF", 0),
    ("2025-12-30", "KOSPI", "stock", 24_691),  # settles 2026-01-05
    ("2025-12-30", "KOSDAQ", "stock", 24_691),
    ("2025-12-30", "KOSPI", "ETF", 0),
    ("2026-01-02", "KOSPI", "stock", 24_691),  # settles 2026-01-06
    ("2026-01-02", "KOSDAQ", "stock", 24_691),
    ("2026-01-02", "KOSPI", "ETF", 0),
    ("2026-01-02", "KOSPI", "ETN", 0),
    ("2026-01-02", "KOSPI", "ELW", 0),
    ("2026-01-02", "KONEX", "stock", 12_345),  # 0.10 % since 2019-06-03
    # The older changes of the rate, the last day at the old one and the first at the new one.
    ("2019-05-29", "KOSPI", "stock", 37_037),  # settles Fri 2019-05-31: 0.30 %
    ("2019-05-29", "KONEX", "stock", 37_037),
    ("2019-05-30", "KOSDAQ", "stock", 30_864),  # settles Mon 2019-06-03: 0.25 %
    ("2019-05-30", "KONEX", "stock", 12_345),
    ("2020-12-28", "KOSPI", "stock", 30_864),  # settles Wed 2020-12-30
    ("2020-12-29", "KOSPI", "stock", 28_395),  # settles Mon 2021-01-04: 0.23 %
    ("2022-12-27", "KOSDAQ", "stock", 28_395),  # settles Thu 2022-12-29
    ("2022-12-28", "KOSDAQ", "stock", 24_691),  # settles Mon 2023-01-02: 0.20 %
    ("2023-12-26", "KOSPI", "stock", 24_691),  # settles Thu 2023-12-28
    ("2023-12-27", "KOSPI", "stock", 22_222),  # settles Tue 2024-01-02: 0.18 %
]


@pytest.mark.parametrize(("traded", "market", "kind", "tax"), SALES)
def test_sale_pays_the_tax_of_its_settlement_day(traded, market, kind, tax):
    costs = estimate(
        side=SELL,
        market=market,
        kind=kind,
        amount=12_345_678,
        trade_day=date.fromisoformat(traded),
        plan=BASIC_ONLINE,
    )
    assert costs == Costs(commission=1_734, tax=tax, source="estimated")
    assert costs.total == 1_734 + tax


def cost(amount, *, side=SELL, kind="stock", day=date(2026, 1, 2), plan=BASIC_ONLINE, venue="KRX"):
    return estimate(
        side=side, market="KOSPI", kind=kind, amount=amount, trade_day=day, plan=plan, venue=venue
    )


def test_purchase_pays_no_tax():
    assert cost(12_345_678, side=BUY) == Costs(1_734, 0)


def test_fractions_of_a_won_are_dropped_once_an_order():
    # 99,500 won cost 13.98 and 199.0; 199,000 cost 27.96 and 398.0. Cut apart they would cost 13 + 13.
    first, whole = cost(99_500), cost(199_000)
    assert (first, whole) == (Costs(13, 199), Costs(27, 398))
    assert whole - first == Costs(14, 199)


PLAN = CommissionPlan(
    "협의",
    rates=parse_rates("2019-01-01:0.015%,2025-03-04:0.01%"),
    minimum=100,
    nxt=parse_rates("0.009%"),
    etf=parse_rates("0.0042%"),
)


@pytest.mark.parametrize(
    ("day", "kind", "venue", "commission"),
    [
        (date(2018, 12, 28), "stock", "KRX", 1_500),  # before the first day: the first rate
        (date(2025, 2, 28), "stock", "KRX", 1_500),
        (date(2025, 3, 4), "stock", "KRX", 1_000),  # the day of the trade counts, not of its settlement
        (date(2025, 3, 4), "stock", "SOR", 1_000),
        (date(2025, 3, 4), "ELW", "KRX", 1_000),
        (date(2025, 3, 4), "stock", "NXT", 900),
        (date(2025, 3, 4), "ETF", "KRX", 420),
        (date(2025, 3, 4), "ETN", "NXT", 420),
    ],
)
def test_commission_follows_the_plan_of_the_account(day, kind, venue, commission):
    assert cost(10_000_000, day=day, kind=kind, plan=PLAN, venue=venue).commission == commission


def test_minimum_commission_is_for_orders_that_traded():
    assert [cost(amount, plan=PLAN).commission for amount in (0, 1, 1_000_000, 1_010_000)] == [
        0,
        100,
        100,
        101,
    ]


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("0.0140527%", [(date.min, "0.000140527")]),
        (" 0.0140527 % ", [(date.min, "0.000140527")]),
        ("0%", [(date.min, "0")]),
        (
            "2019-01-01:0.015%,2025-03-04:0.0140527%",
            [(date(2019, 1, 1), "0.00015"), (date(2025, 3, 4), "0.000140527")],
        ),
        ("0.015%, 2025-03-04 : 1%", [(date.min, "0.00015"), (date(2025, 3, 4), "0.01")]),
    ],
)
def test_rates_are_read_from_a_setting(text, rates):
    assert parse_rates(text) == tuple((since, Decimal(rate)) for since, rate in rates)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "읽을 수 없습니다: ''"),
        ("0.0140527", "읽을 수 없습니다: '0.0140527'"),
        ("-0.01%", "읽을 수 없습니다"),
        ("0.015%,", "읽을 수 없습니다: ''"),
        ("2025-3-4:0.01%", "읽을 수 없습니다: '2025-3-4:0.01%'"),
        ("2025-02-30:0.01%", "없는 날짜입니다: '2025-02-30'"),
        ("1.01%", "1%를 넘을 수 없습니다: '1.01%'"),
        ("0.01%,0.02%", "이른 것부터 한 번씩 적어야 합니다: '0.02%'"),
        ("2025-03-04:0.01%,2025-03-04:0.02%", "이른 것부터"),
        ("2025-03-04:0.01%,2019-01-01:0.02%", "이른 것부터"),
    ],
)
def test_unreadable_rates_are_pointed_at(text, why):
    with pytest.raises(RatesNotUnderstood, match=why.replace("(", r"\(")):
        parse_rates(text)


def test_estimates_that_were_right_are_confirmed_as_they_are():
    estimates = [Costs(173, 0), Costs(1_734, 24_691), Costs(0, 0)]
    assert settle(estimates, broker_fee=1_907, broker_tax=24_691) == (
        Costs(173, 0, "actual"),
        Costs(1_734, 24_691, "actual"),
        Costs(0, 0, "actual"),
    )


def test_broker_figures_are_spread_by_largest_remainder():
    estimates = [Costs(100, 0), Costs(100, 300), Costs(100, 600)]
    # Fee 200: 66.67 each, so 66 and a won each for the first two. Tax 1,000: 333.33 and 666.67.
    assert settle(estimates, broker_fee=200, broker_tax=1_000) == (
        Costs(67, 0, "actual"),
        Costs(67, 333, "actual"),
        Costs(66, 667, "actual"),
    )


def test_odd_won_goes_to_the_largest_remainder():
    # 10 by 3 : 5 : 9 is 1.76, 2.94 and 5.29
    settled = settle([Costs(3, 0), Costs(5, 0), Costs(9, 0)], broker_fee=10, broker_tax=0)
    assert settled == (Costs(2, 0, "actual"), Costs(3, 0, "actual"), Costs(5, 0, "actual"))
    # 6 by 8 : 1 : 6 is 3.2, 0.4 and 2.4; of the two equal remainders the first one
    settled = settle([Costs(8, 0), Costs(1, 0), Costs(6, 0)], broker_fee=6, broker_tax=0)
    assert settled == (Costs(3, 0, "actual"), Costs(1, 0, "actual"), Costs(2, 0, "actual"))


def test_single_order_bears_what_was_not_estimated():
    assert settle([Costs(0, 0)], broker_fee=3, broker_tax=15) == (Costs(3, 15, "actual"),)


def test_nothing_is_spread_over_no_orders():
    assert settle([], broker_fee=0, broker_tax=0) == ()


@pytest.mark.parametrize(
    ("estimates", "fee", "tax", "why"),
    [
        ([], 10, 0, "수수료 10원이 어느 주문의"),
        ([Costs(0, 0), Costs(0, 0)], 10, 0, "수수료 10원이 어느 주문의"),
        ([Costs(5, 0), Costs(7, 0)], 12, 1_000, "세금 1,000원이 어느 주문의"),
        ([Costs(5, 0)], -5, 0, "0원보다 적어"),
        ([Costs(5, 0)], 5, -1, "0원보다 적어"),
    ],
)
def test_figures_that_cannot_be_spread_are_unknown(estimates, fee, tax, why):
    settled = settle(estimates, broker_fee=fee, broker_tax=tax)
    assert isinstance(settled, Unknown)
    assert why in settled.reason


def test_figure_of_a_day_leaves_the_tax_as_the_law_has_it():
    # thdt_tlex_amt 25,700 less 24,691 tax: 1,009 of commission against 1,907 estimated; 91.53... and 917.46...
    estimates = [Costs(173, 0), Costs(1_734, 24_691)]
    assert settle_day(estimates, broker_costs=25_700, source="estimated") == (
        Costs(92, 0, "estimated"),
        Costs(917, 24_691, "estimated"),
    )


def test_figure_of_a_day_may_be_tax_alone():
    assert settle_day([Costs(1, 15), Costs(0, 5)], broker_costs=20) == (
        Costs(0, 15, "actual"),
        Costs(0, 5, "actual"),
    )


def test_figure_of_a_day_below_its_tax_is_unknown():
    settled = settle_day([Costs(1_734, 24_691)], broker_costs=1_734)
    assert settled == Unknown("증권사의 제비용 1,734원이 추정 세금 24,691원보다 적습니다.")
    assert str(settled) == "산출 불가: 증권사의 제비용 1,734원이 추정 세금 24,691원보다 적습니다."
