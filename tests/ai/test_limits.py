"""Limits as the owner writes them."""

from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest

from ai.limits import Limits, read_limits

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_written_leaves_the_defaults():
    assert read_limits("") == Limits()
    assert read_limits(" , ") == Limits()


def test_owner_changes_some():
    assert read_limits("stock=25, loss = 15.5%,hhi=2500") == Limits(
        stock=Decimal(25), loss=Decimal("15.5"), hhi=Decimal(2500)
    )


@pytest.mark.parametrize("text", ["stok=25", "25", "stock", "stock:25"])
def test_unknown_name_is_refused_with_the_names_there_are(text):
    with pytest.raises(ValueError, match=r"알 수 없습니다.*stock, fund, sector"):
        read_limits(text)


@pytest.mark.parametrize("value", ["", "0", "-1", "스물", "NaN", "Infinity", "10001", "1e999999"])
def test_value_that_is_no_limit_is_refused(value):
    with pytest.raises(
        ValueError, match=r"^AI_LIMITS의 stock 값은 0보다 크고 10000 이하인 숫자여야 합니다\.$"
    ):
        read_limits(f"stock={value}")


def test_every_limit_is_described_for_the_owner():
    text = (ROOT / "docs" / "ai.md").read_text(encoding="utf-8")
    for limit in fields(Limits):
        default = getattr(Limits(), limit.name)
        assert f"| `{limit.name}` | {default.normalize():f} |" in text
