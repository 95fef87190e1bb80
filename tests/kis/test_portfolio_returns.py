"""Returns with flows on the first, middle and last day, worked out by hand."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from kis.portfolio.money_weighted import MoneyWeighted, money_weighted
from kis.portfolio.returns import (
    Comparison,
    DayValue,
    Drawdown,
    compare,
    drawdown,
    fall_from_peak,
    falls,
    in_index,
    residual_flow,
    time_weighted,
    volatility,
)
from kis.portfolio.unknown import Unknown, total

MONDAY = date(2026, 11, 16)
LOST = Unknown("그날의 입출금을 모릅니다.")


def day(number):
    return MONDAY + timedelta(days=number)


def days(*values_and_flows):
    return [DayValue(day(number), *pair) for number, pair in enumerate(values_and_flows)]


def rates(returns):
    """Return rates and cumulative returns rounded to eight places; an unknown one as its reason."""
    return [(readable(one.rate), readable(one.cumulative)) for one in returns]


def readable(figure):
    return figure.reason if isinstance(figure, Unknown) else round(figure, 8)


def parts(*texts):
    return [Decimal(text) for text in texts]


# Value before, (value, flow) of each day; then profit, return and cumulative return of each day.
GOLDEN: dict[str, Any] = {
    "no flows": (
        1_000_000,
        [(1_100_000, 0), (990_000, 0), (1_039_500, 0)],
        [(100_000, "0.1", "0.1"), (-110_000, "-0.1", "-0.01"), (49_500, "0.05", "0.0395")],
    ),
    # 1,100,000 / 1,000,000 × 1,210,000 / 1,100,000 × 1,089,000 / 1,210,000 = 1.1 × 1.1 × 0.9
    "account opened with a deposit on the first day": (
        0,
        [(1_100_000, 1_000_000), (1_210_000, 0), (1_089_000, 0)],
        [(100_000, "0.1", "0.1"), (110_000, "0.1", "0.21"), (-121_000, "-0.1", "0.089")],
    ),
    # 1,650,000 / 1,500,000
    "deposit on the first day": (
        1_000_000,
        [(1_650_000, 500_000), (1_815_000, 0)],
        [(150_000, "0.1", "0.1"), (165_000, "0.1", "0.21")],
    ),
    # 2,200,000 / (1,100,000 + 900,000)
    "deposit on the middle day": (
        1_000_000,
        [(1_100_000, 0), (2_200_000, 900_000), (1_980_000, 0)],
        [(100_000, "0.1", "0.1"), (200_000, "0.1", "0.21"), (-220_000, "-0.1", "0.089")],
    ),
    # (600,000 + 610,000) / 1,100,000
    "withdrawal on the middle day": (
        1_000_000,
        [(1_100_000, 0), (600_000, -610_000), (540_000, 0)],
        [(100_000, "0.1", "0.1"), (110_000, "0.1", "0.21"), (-60_000, "-0.1", "0.089")],
    ),
    # 1,800,000 / (1,100,000 + 900,000)
    "deposit on the last day": (
        1_000_000,
        [(1_100_000, 0), (1_800_000, 900_000)],
        [(100_000, "0.1", "0.1"), (-200_000, "-0.1", "-0.01")],
    ),
    # (90,000 + 900,000) / 1,100,000
    "withdrawal on the last day": (
        1_000_000,
        [(1_100_000, 0), (90_000, -900_000)],
        [(100_000, "0.1", "0.1"), (-110_000, "-0.1", "-0.01")],
    ),
    "everything lost": (
        1_000_000,
        [(0, 0), (0, 0)],
        [(-1_000_000, "-1", "-1"), (0, "2026-11-17(화) 투자한 돈이 없는 날입니다.", "-1")],
    ),
    # The chain goes on from 0.1: 0.1, then 880,000 / 800,000, then 968,000 / 880,000
    "everything withdrawn, and back again": (
        1_000_000,
        [(1_100_000, 0), (0, -1_100_000), (0, 0), (880_000, 800_000), (968_000, 0)],
        [
            (100_000, "0.1", "0.1"),
            (0, "2026-11-17(화) 전액을 출금한 날입니다.", "0.1"),
            (0, "2026-11-18(수) 투자한 돈이 없는 날입니다.", "0.1"),
            (80_000, "0.1", "0.21"),
            (88_000, "0.1", "0.331"),
        ],
    ),
    "day that starts at nothing": (
        0,
        [(0, 0), (3_000, 0), (3_300, 0)],
        [
            (0, "2026-11-16(월) 투자한 돈이 없는 날입니다.", "0"),
            (3_000, "2026-11-17(화) 투자한 돈이 없는 날입니다.", "0"),
            (300, "0.1", "0.1"),
        ],
    ),
    "value before the first day is not known": (
        None,
        [(1_000_000, 700_000), (1_100_000, 0)],
        [
            ("2026-11-16(월) 전날의 평가금액이 없습니다.", "2026-11-16(월) 전날의 평가금액이 없습니다.", "0"),
            (100_000, "0.1", "0.1"),
        ],
    ),
    "flow of a day is not known": (
        1_000_000,
        [(1_100_000, 0), (2_000_000, LOST), (2_200_000, 0)],
        [
            (100_000, "0.1", "0.1"),
            (
                "그날의 입출금을 모릅니다.",
                "그날의 입출금을 모릅니다.",
                "그날의 입출금을 모릅니다.",
            ),
            (200_000, "0.1", "그날의 입출금을 모릅니다."),
        ],
    ),
    "account in debt": (
        1_000_000,
        [(-50_000, 0), (100_000, 50_000), (110_000, 0)],
        [
            (
                -1_050_000,
                "2026-11-16(월) 평가금액이 0원보다 적어 수익률을 낼 수 없습니다.",
                "2026-11-16(월) 평가금액이 0원보다 적어 수익률을 낼 수 없습니다.",
            ),
            (
                100_000,
                "2026-11-17(화) 투자한 돈이 없는 날입니다.",
                "2026-11-16(월) 평가금액이 0원보다 적어 수익률을 낼 수 없습니다.",
            ),
            (10_000, "0.1", "2026-11-16(월) 평가금액이 0원보다 적어 수익률을 낼 수 없습니다."),
        ],
    ),
    "debt that a deposit does not cover": (
        -100_000,
        [(-40_000, 50_000), (0, 0)],
        [
            (
                10_000,
                "2026-11-16(월) 평가금액이 0원보다 적어 수익률을 낼 수 없습니다.",
                "2026-11-16(월) 평가금액이 0원보다 적어 수익률을 낼 수 없습니다.",
            ),
            (
                40_000,
                "2026-11-17(화) 평가금액이 0원보다 적어 수익률을 낼 수 없습니다.",
                "2026-11-16(월) 평가금액이 0원보다 적어 수익률을 낼 수 없습니다.",
            ),
        ],
    ),
}


def as_text(figure):
    return figure.reason if isinstance(figure, Unknown) else figure


def as_figure(text):
    return Decimal(text) if text[-1].isdigit() else text


@pytest.mark.parametrize("name", GOLDEN)
def test_time_weighted_return(name):
    before, values_and_flows, results = GOLDEN[name]
    returns = time_weighted(days(*values_and_flows), before=before)
    assert [one.day for one in returns] == [day(number) for number in range(len(results))]
    assert [as_text(one.profit) for one in returns] == [profit for profit, _, _ in results]
    assert rates(returns) == [(as_figure(rate), as_figure(cumulative)) for _, rate, cumulative in results]


def test_flow_is_what_trades_leave_of_the_change_in_cash():
    flow = partial(residual_flow, previous_cash=10_000_000, bought=3_000_000, sold=1_000_000, costs=2_061)
    assert flow(cash=7_997_939) == 0
    assert flow(cash=8_497_939) == 500_000
    assert flow(cash=6_997_939) == -1_000_000
    # A dividend is no deposit, if one is told of it.
    assert flow(cash=8_009_939, income=12_000) == 0


def test_day_without_a_flow_needs_none_given():
    assert time_weighted([DayValue(day(0), 1_100)], before=1_000)[0].profit == 100


def test_profit_does_not_depend_on_when_money_came():
    """Day profits add up to the change in value less all flows."""
    returns = time_weighted(
        days((1_400_000, 500_000), (900_000, -450_000), (2_000_000, 1_000_000)), before=1_000_000
    )
    assert total(one.profit for one in returns) == 2_000_000 - 1_000_000 - 1_050_000


# Money-weighted


def year(*values_and_flows, gap=365):
    return [
        DayValue(MONDAY + timedelta(days=gap * number), *pair) for number, pair in enumerate(values_and_flows)
    ]


def test_money_that_stays_a_year_earns_its_return():
    assert money_weighted(year((1_000_000, 0), (1_100_000, 0))) == MoneyWeighted(
        365, Decimal("0.1"), Decimal("0.1")
    )


def test_two_years_are_told_by_the_year_as_well():
    assert money_weighted(year((1_000_000, 0), (1_100_000, 0), (1_210_000, 0))) == MoneyWeighted(
        730, Decimal("0.21"), Decimal("0.1")
    )


def test_deposit_on_the_first_day_counts_from_its_morning():
    # 1,000,000 in the morning of Monday, 1,100,000 that evening: one day.
    found = money_weighted(days((1_100_000, 1_000_000)), before=0)
    assert (found.days, found.period) == (1, Decimal("0.1"))
    assert found.annual == Unknown("1년이 되지 않은 수익률은 연 수익률로 바꾸지 않습니다.")


def test_deposit_on_the_middle_day():
    # 1,000 × 1.1² + 1,000 × 1.1 = 2,310: the second thousand is there for the second day only.
    found = money_weighted(days((1_000, 0), (1_100, 0), (2_310, 1_000)))
    assert (found.days, found.period) == (2, Decimal("0.21"))


def test_withdrawal_on_the_middle_day():
    # (1,000 × 1.1 − 600) × 1.1 = 550; it leaves on the evening of the first day.
    found = money_weighted(days((500, -600), (550, 0)), before=1_000)
    assert found.period == Decimal("0.21")


def test_withdrawal_on_the_last_day():
    found = money_weighted(days((1_100, 0), (210, -1_000)), before=1_000)
    assert found.period == Decimal("0.21")


def test_deposit_on_the_last_day_counts_for_that_day():
    # 1,000 × 1.1² + 1,000 × 1.1
    found = money_weighted(days((1_100, 0), (2_310, 1_000)), before=1_000)
    assert found.period == Decimal("0.21")


def test_late_money_weighs_less_than_early_money():
    """A good day with little money and a bad one with much: the money lost, though the chain did not."""
    life = days((1_000, 0), (1_500, 0), (8_400, 9_000))
    assert time_weighted(life)[-1].cumulative == Decimal("0.2")
    assert money_weighted(life).period < 0


def test_loss_and_account_emptied_before_the_end():
    # 1,000 × 0.9² = 810, all taken out on the second day; the third does not count.
    found = money_weighted(days((900, 0), (0, -810), (0, 0)), before=1_000)
    assert (found.days, found.period) == (2, Decimal("-0.19"))


def test_account_emptied_and_filled_again():
    # 10 % on the first day and on the third, and a day without money between them
    found = money_weighted(days((0, -1_100), (0, 0), (1_100, 1_000)), before=1_000)
    assert (found.days, found.period) == (3, Decimal("0.331"))


def test_first_flow_is_already_in_the_first_value():
    assert money_weighted(days((1_000, LOST), (1_100, 0))).period == Decimal("0.1")


@pytest.mark.parametrize(
    ("values_and_flows", "before"),
    [
        ([], None),
        ([], 1_000),
        ([(1_000, 0)], None),  # not a day long
        ([(0, 0), (0, 0)], 0),
        ([(0, 0)], 1_000),  # nothing came out
        ([(500, 0)], 0),  # nothing was put in
        ([(-500, 0), (100, 0)], None),  # began in debt
    ],
)
def test_money_weighted_needs_money_in_and_out(values_and_flows, before):
    found = money_weighted(days(*values_and_flows), before=before)
    assert found == Unknown("넣은 돈과 남은 돈이 모두 있어야 금액가중 수익률을 낼 수 있습니다.")


def test_money_weighted_return_that_is_not_the_only_one_is_unknown():
    # 1,000 g³ − 3,600 g² + 4,310 g − 1,716 is nothing at 1.1, at 1.2 and at 1.3.
    life = [DayValue(day(1), 1, -3_600), DayValue(day(3), 1_716, 4_310)]
    found = money_weighted(life, before=1_000)
    assert found == Unknown("입출금이 엇갈려 금액가중 수익률이 하나로 정해지지 않습니다.")


def test_money_weighted_needs_every_flow():
    assert money_weighted(days((1_000, 0), (1_100, LOST))) == LOST


# Against an index


def closes(*texts):
    return {day(number): Decimal(text) for number, text in enumerate(texts) if text}


def test_index_is_rebased_to_the_close_before():
    returns = time_weighted(days((1_100, 0), (1_155, 0)), before=1_000)
    compared = compare(returns, closes("2550", "2652"), before=Decimal(2500))
    # 1.1 against 2,550 / 2,500; 1.155 against 2,652 / 2,500
    assert [(one.day, round(one.ours, 8), round(one.index, 8), round(one.excess, 8)) for one in compared] == [
        (day(0), *parts("0.1", "0.02", "0.08")),
        (day(1), *parts("0.155", "0.0608", "0.0942")),
    ]


def test_index_starts_with_the_first_close_where_the_account_does():
    returns = time_weighted(days((1_000, 0), (1_100, 0)))
    compared = compare(returns, closes("2500", "2450"))
    assert compared[0] == Comparison(day(0), Decimal(0), Decimal(0))
    assert (compared[1].index, compared[1].excess) == (Decimal("-0.02"), Decimal("0.12"))


def test_index_does_not_run_while_the_account_is_empty():
    life = days((1_100, 0), (0, -1_100), (0, 0), (880, 800))
    compared = compare(
        time_weighted(life, before=1_000), closes("102", "150", "200", "210"), before=Decimal(100)
    )
    # 102 / 100 on the first day and 210 / 200 on the last
    assert [round(one.index, 8) for one in compared] == parts("0.02", "0.02", "0.02", "0.071")


@pytest.mark.parametrize(("texts", "known"), [(("100", "", "102"), 1), (("", "101", "102"), 0)])
def test_missing_close_of_the_index_is_named(texts, known):
    returns = time_weighted(days((1_000, 0), (1_100, 0), (1_210, 0)), before=1_000)
    compared = compare(returns, closes(*texts), before=Decimal(100))
    assert [isinstance(one, Comparison) for one in compared] == [number < known for number in range(3)]
    assert {one.reason for one in compared[known:]} == {
        f"2026-11-{16 + known}({'월화'[known]})까지 견줄 지수 종가가 없습니다."
    }


def test_missing_close_before_the_first_day_is_named():
    returns = time_weighted(days((1_100, 0)), before=1_000)
    assert compare(returns, closes("100")) == (Unknown("2026-11-16(월)까지 견줄 지수 종가가 없습니다."),)


def test_broken_chain_is_not_compared():
    returns = time_weighted(days((1_000, 0), (1_100, LOST), (1_100, 0)), before=1_000)
    assert compare(returns, closes("100", "100", "100"), before=Decimal(100))[1:] == (LOST, LOST)


# Drawdown


def test_drawdown_is_the_deepest_fall_from_a_peak():
    # 1,200 → 900 is −25 %; 2,000 → 1,600 is more won and −20 %. The deposit is no rise.
    life = days((1_200, 0), (900, 0), (1_000, 0), (2_000, 400), (1_600, 0), (1_760, 0))
    assert drawdown(time_weighted(life, before=1_000)) == Drawdown(Decimal("-0.25"), day(0), day(1))


def test_drawdown_from_the_beginning_has_no_day_for_its_peak():
    assert drawdown(time_weighted(days((900, 0), (950, 0)), before=1_000)) == Drawdown(
        Decimal("-0.1"), None, day(0)
    )


def test_drawdown_of_a_rise_is_none():
    assert drawdown(time_weighted(days((1_000, 0), (1_100, 0)))) == Drawdown(Decimal(0), None, None)


def test_drawdown_of_a_broken_chain_is_unknown():
    assert drawdown(time_weighted(days((1_100, 0), (900, LOST), (950, 0)), before=1_000)) == LOST
    assert drawdown([]) == Unknown("수익률을 아는 날이 없습니다.")


# --- where the account stands, and how it swings -----------------------------------------------------------------------


def test_fall_is_counted_from_the_highest_close():
    returns = time_weighted(days((100, 0), (120, 0), (90, 0), (108, 0)))
    assert fall_from_peak(returns) == Drawdown(Decimal("-0.1"), day(1), day(3))


def test_account_at_its_highest_close_has_not_fallen():
    returns = time_weighted(days((100, 0), (90, 0), (120, 0)))
    assert fall_from_peak(returns) == Drawdown(Decimal(0), day(2), day(2))


def test_fall_of_an_account_that_never_rose_is_from_the_beginning():
    assert fall_from_peak(time_weighted(days((100, 0), (90, 0)))) == Drawdown(Decimal("-0.1"), None, day(1))


def test_fall_is_unknown_without_days_or_over_a_broken_chain():
    assert fall_from_peak(()) == Unknown("수익률을 아는 날이 없습니다.")
    assert fall_from_peak(time_weighted(days((100, 0), (90, LOST)))) == LOST


def test_volatility_is_the_deviation_over_a_year():
    swings = [Decimal("0.01"), Decimal("-0.01")] * 10
    # By hand: the variance of the sample is 20 × 0.0001 / 19, times 252 days.
    found = volatility(swings)
    assert isinstance(found, Decimal)
    assert round(found, 8) == round((Decimal("0.002") / 19 * 252).sqrt(), 8)
    assert volatility([Decimal("0.01")] * 20) == 0


def test_volatility_needs_a_month_of_days():
    assert volatility([Decimal(0)] * 19) == Unknown(
        "일 수익률을 아는 날이 19일뿐입니다. 20일부터 변동성을 냅니다."
    )


# --- falls, volatility, the same money in an index -----------------------------------------------------------------


def test_falls_are_measured_from_the_highest_close_so_far():
    found = falls(time_weighted(days((110, 0), (99, 0), (105, 0), (121, 0)), before=100))
    assert [(fall.day, readable(fall.rate)) for fall in found] == [
        (day(0), 0),
        (day(1), Decimal("-0.1")),
        (day(2), round(Decimal(105) / 110 - 1, 8)),
        (day(3), 0),
    ]


def test_falls_end_where_the_chain_breaks():
    assert len(falls(time_weighted(days((110, 0), (99, LOST), (105, 0)), before=100))) == 1


def test_the_same_money_in_an_index_takes_part_from_deposit_to_withdrawal():
    closes = {day(-1): Decimal(50), day(0): Decimal(60), day(1): Decimal(60), day(2): Decimal(45)}
    found = in_index(
        days((0, 40), (0, -44), (0, 0)), closes, before=DayValue(day(-1), 100)
    )  # (100 + 40) × 1.2, − 44, × 0.75
    assert found == (168, 124, 93)


@pytest.mark.parametrize(
    ("values", "gaps", "known"),
    [
        ([(0, 0), (0, LOST), (0, 0)], [], 1),
        ([(0, 0), (0, 0), (0, 0)], [1], 1),
        ([(0, 0), (0, 0), (0, 0)], [-1], 0),
    ],
)
def test_the_same_money_in_an_index_is_unknown_from_the_first_hole_on(values, gaps, known):
    closes = {day(number): Decimal(50) for number in range(-1, 3) if number not in gaps}
    found = in_index(days(*values), closes, before=DayValue(day(-1), 100))
    assert [isinstance(worth, Unknown) for worth in found] == [False] * known + [True] * (3 - known)
