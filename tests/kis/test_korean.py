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


@pytest.mark.parametrize(
    ("word", "particle", "text"),
    [
        ("삼성전자", "은", "삼성전자는"),
        ("대원전선", "은", "대원전선은"),
        ("SK하이닉스", "이", "SK하이닉스가"),
        ("LG화학", "이", "LG화학이"),
        ("현대차", "과", "현대차와"),
        ("LG화학", "과", "LG화학과"),
        ("서울", "으로", "서울로"),
        ("국민", "으로", "국민으로"),
        ("코스피", "으로", "코스피로"),
        ("삼성전자(우)", "을", "삼성전자(우)를"),
        ("NAVER", "은", "NAVER는"),  # 네이버
        ("KR", "은", "KR은"),  # 케이알
        ("CJ ENM", "은", "CJ ENM은"),  # 이엔엠
        ("KODEX", "은", "KODEX는"),
        ("ARIRANG", "은", "ARIRANG은"),
        ("LIG넥스원", "이", "LIG넥스원이"),
        ("KODEX 200", "이", "KODEX 200이"),  # 이백
        ("TIGER 2", "이", "TIGER 2가"),
        ("제7호", "은", "제7호는"),
        ("채권 7", "으로", "채권 7로"),  # 칠로
        ("채권 3", "으로", "채권 3으로"),
        ("21.3%", "은", "21.3%는"),
        ("12,337원", "이라", "12,337원이라"),
        ("…", "은", "…는"),
    ],
)
def test_particle_follows_the_sound(word, particle, text):
    assert korean.with_particle(word, particle) == text
