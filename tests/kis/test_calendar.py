"""Business days of the exchange."""

from datetime import date

import pytest

from kis.calendar import business_day_after, business_day_before, is_business_day


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2026, 11, 20), True),
        (date(2026, 11, 21), False),  # Saturday
        (date(2026, 1, 1), False),
        (date(2025, 12, 31), False),  # the exchange closes on the last day of the year
        (date(2025, 10, 6), False),  # 추석
        (date(2026, 5, 1), False),  # 근로자의 날
    ],
)
def test_exchange_is_open_on_business_days(day, is_open):
    assert is_business_day(day) is is_open


def test_settlement_is_two_business_days_later():
    assert business_day_after(date(2026, 11, 19), days=2) == date(2026, 11, 23)  # Thursday to Monday
    assert business_day_after(date(2025, 12, 29), days=2) == date(2026, 1, 2)  # over the closed year end


def test_business_day_before_skips_the_weekend():
    assert business_day_before(date(2026, 11, 23)) == date(2026, 11, 20)
