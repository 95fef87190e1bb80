"""Amounts in won, and as parts of what nobody is to know."""

from kis.korean import MISSING
from reports.amounts import Amounts

WON, MASKED = Amounts(), Amounts(200_000_000)


def test_amounts_are_written_in_won():
    assert (WON.plain(-1_234), WON.signed(1_234), WON.heading(177_022_115)) == (
        "−1,234",
        "+1,234",
        "1억 7,702만",
    )
    assert (WON.estimate(12_337), WON.estimate(0), WON.estimate(5, is_estimated=False)) == (
        "~12,337",
        "0",
        "5",
    )
    assert (WON.plain(None), WON.signed(None)) == (MISSING, MISSING)


def test_masked_amounts_are_parts_of_the_whole():
    assert MASKED.is_masked
    assert (MASKED.plain(9_172_486), MASKED.plain(-2_000_000)) == ("4.59%", "−1.00%")
    assert (MASKED.signed(2_797_163), MASKED.signed(-12_337)) == ("+1.40%", "−0.01%")
    assert (MASKED.heading(2_000_000), MASKED.estimate(2_000_000)) == ("1.00%", "~1.00%")
    assert MASKED.of(400_000_000).plain(2_000_000) == "0.50%"
    assert WON.of(400_000_000).plain(2_000_000) == "2,000,000"


def test_parts_of_nothing_are_not_told():
    assert (Amounts(0).plain(5), Amounts(-5).signed(5), MASKED.plain(None)) == (MISSING, MISSING, MISSING)
