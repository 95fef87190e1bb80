"""The cash ladder over a year's end, its comparison with the broker's, and the 미수 warning."""

from datetime import date

import pytest

from kis.client.records.orders import Side
from kis.portfolio.cash import (
    Difference,
    Ladder,
    MisuLevel,
    Movement,
    differences,
    expected,
    misu,
    of_trade,
    still_to_settle,
)

# Won 10,000,000 at first. Bought for 3,000,000 and 421 on Fri 2024-12-27, which settles on Thu 2025-01-02; sold for
# 1,000,000 less 1,640 on Mon 2024-12-30, which settles on Fri 2025-01-03; deposited 500,000 on Thu 2025-01-02.
MOVED = [
    of_trade(side=Side.BUY, amount=3_000_000, costs=421, trade_day=date(2024, 12, 27)),
    of_trade(side=Side.SELL, amount=1_000_000, costs=1_640, trade_day=date(2024, 12, 30)),
    Movement(date(2025, 1, 2), 500_000),
]
BOUGHT, SOLD, DEPOSITED = MOVED


def test_trade_moves_cash_after_costs_on_its_settlement_day():
    assert Movement(date(2025, 1, 2), -3_000_421) == BOUGHT
    assert Movement(date(2025, 1, 3), 998_360) == SOLD


@pytest.mark.parametrize(
    ("today", "moved", "day", "cash"),
    [
        # Friday: D+1 is Monday, D+2 is Thursday after the year's end
        ("2024-12-27", [BOUGHT], "2024-12-27", (10_000_000, 10_000_000, 6_999_579)),
        ("2024-12-28", [BOUGHT], "2024-12-27", (10_000_000, 10_000_000, 6_999_579)),  # a Saturday
        ("2024-12-30", [BOUGHT, SOLD], "2024-12-30", (10_000_000, 6_999_579, 7_997_939)),
        ("2024-12-31", [BOUGHT, SOLD], "2024-12-30", (10_000_000, 6_999_579, 7_997_939)),  # closed
        ("2025-01-02", MOVED, "2025-01-02", (7_499_579, 8_497_939, 8_497_939)),
        ("2025-01-03", MOVED, "2025-01-03", (8_497_939, 8_497_939, 8_497_939)),
    ],
)
def test_ladder_over_the_end_of_the_year(today, moved, day, cash):
    ladder = expected(10_000_000, moved, today=date.fromisoformat(today))
    assert ladder == Ladder(date.fromisoformat(day), *cash)


def test_ladder_can_go_on_from_the_brokers():
    monday = Ladder(date(2024, 12, 30), 10_000_000, 6_999_579, 7_997_939)
    moved = [*still_to_settle(monday), DEPOSITED]
    assert expected(monday.d0, moved, today=date(2025, 1, 2)) == Ladder(
        date(2025, 1, 2), 7_499_579, 8_497_939, 8_497_939
    )


def test_equal_ladders_have_no_difference():
    ladder = expected(10_000_000, MOVED, today=date(2024, 12, 30))
    assert differences(ladder, ladder) == ()


def test_difference_names_its_day():
    ours = Ladder(date(2024, 12, 30), 10_000_000, 6_999_579, 7_997_939)
    broker = Ladder(date(2024, 12, 30), 10_000_000, 6_999_479, 8_000_000)
    found = differences(ours, broker)
    assert found == (
        Difference("D+1 익일정산금", date(2025, 1, 2), 6_999_579, 6_999_479),
        Difference("D+2 가수도정산금", date(2025, 1, 3), 7_997_939, 8_000_000),
    )
    assert [one.difference for one in found] == [-100, 2_061]
    assert str(found[0]) == "D+1 익일정산금 1/2(목): 예상 6,999,579원, 증권사 6,999,479원, 차이 −100원"


def test_ladders_of_two_days_are_not_compared():
    with pytest.raises(ValueError, match="2024-12-30 and 2025-01-02"):
        differences(Ladder(date(2024, 12, 30), 1, 1, 1), Ladder(date(2025, 1, 2), 1, 1, 1))


@pytest.mark.parametrize(
    ("cash", "orderable", "level", "shortage", "words"),
    [
        ((5, 5, 5), None, MisuLevel.NONE, 0, ["모자라는 날이 없습니다"]),
        ((0, 0, 0), 0, MisuLevel.NONE, 0, []),
        ((5, 5, 5_000), 5_000, MisuLevel.NONE, 0, []),
        # Much cash today does not help on the day after next.
        (
            (9_000, 9_000, -1_500),
            None,
            MisuLevel.CAUTION,
            1_500,
            ["D+2 가수도정산금 11/24(화) −1,500원", "입금"],
        ),
        # Sold after the purchase: the proceeds come a day late.
        (
            (100, -2_000, 3_000),
            None,
            MisuLevel.DANGER,
            2_000,
            ["D+1 익일정산금 11/23(월) −2,000원", "그 뒤에 들어옵니다"],
        ),
        (
            (100, -2_000, -7_000),
            None,
            MisuLevel.DANGER,
            7_000,
            ["11/23(월) −2,000원, ", "11/24(화) −7,000원", "그 뒤에"],
        ),
        ((-10, 500, 500), None, MisuLevel.DANGER, 10, ["D+0 예수금 11/20(금) −10원", "반대매매"]),
        (
            (9_000, 9_000, 1_000),
            1_001,
            MisuLevel.CAUTION,
            1,
            ["주문가능금액 1,001원", "D+2 가수도정산금 11/24(화) 1,000원보다", " 1원이 모자라"],
        ),
        ((9_000, 9_000, -1_500), 9_000, MisuLevel.CAUTION, 1_500, ["결제할 돈이 모자랍니다"]),
    ],
)
def test_misu_is_told_with_its_day(cash, orderable, level, shortage, words):
    warning = misu(Ladder(date(2026, 11, 20), *cash), orderable=orderable)
    assert (warning.level, warning.shortage) == (level, shortage)
    assert [word for word in words if word not in warning.text] == []


def test_misu_levels_read_korean():
    assert [str(level) for level in MisuLevel] == ["없음", "주의", "위험"]
