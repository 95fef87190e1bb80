"""How numbers and days are written for the owner."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from kis import korean


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (179_819_278, "1억 7,981만원"),
        (99_995_000, "9,999만원"),
        (100_000_000, "1억원"),
        (1_234_567_890_123, "1조 2,345억원"),
        (1_000_000_000_000, "1조원"),
        (9_999, "9,999원"),
        (0, "0원"),
        (-123_456_789, "−1억 2,345만원"),
    ],
)
def test_heading_amount_is_cut_off_not_rounded(value, text):
    assert korean.heading_text(value) == text


@pytest.mark.parametrize(("value", "text"), [(1234, "+1,234"), (-1234, "−1,234"), (0, "0"), (None, "–")])
def test_change_always_carries_its_sign(value, text):
    assert korean.signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("5.314"), "+5.31%"),
        (-31.766, "−31.77%"),
        (0.004, "0.00%"),
        (-0.004, "0.00%"),
        (Decimal("2.005"), "+2.01%"),
        (None, "–"),
    ],
)
def test_percent_has_two_decimals_and_a_sign(value, text):
    assert korean.percent(value) == text


def test_share_has_one_decimal_and_no_sign():
    assert korean.share(Decimal("21.35")) == "21.4"


def test_account_is_masked_but_for_its_first_half():
    assert korean.masked_account("12345678", "01") == "1234****-01"


def test_times_are_written_in_seoul():
    assert korean.clock_time(datetime(2025, 6, 16, 5, 20, tzinfo=UTC)) == "14:20:00"
    assert korean.day(date(2025, 6, 16)) == "2025-06-16(월)"
    assert korean.short_day(date(2025, 6, 17)) == "6/17(화)"


def test_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="naive"):
        korean.clock_time(datetime(2025, 6, 16, 5, 20))  # noqa: DTZ001  # the mistake under test
