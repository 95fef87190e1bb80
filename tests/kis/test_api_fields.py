"""What is wrong with a body is said in Korean, and nothing of it is repeated."""

import re

import pytest

from kis.api.errors import BadParameter
from trading.api import NewOrder

GOOD = {
    "account": "실전",
    "side": "BUY",
    "stock_code": "005930",
    "quantity": 1,
    "trading_password": "tree-9-candle-river",
}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("account", None, "비울 수 없는"),
        ("account", "", "비울 수 없는"),
        ("account", "가" * 41, "40자까지"),
        ("account", 7, "모양의 글"),
        ("account", "a\0b", "모양의 글"),
        ("account", "\ud800", "모양의 글"),
        ("stock_code", "12345678", "모양의 글"),
        ("side", "<b>", "쓸 수 있는 값이 아닙니다"),
        ("side", ["BUY"], "쓸 수 있는 값이 아닙니다"),
        ("quantity", "1", "정수여야"),
        ("quantity", True, "정수여야"),
        ("quantity", 0, "1 이상"),
        ("quantity", 10**400, "10000000 이하"),
        ("trading_password", ..., "빠진 항목"),
    ],
)
def test_value_that_cannot_be(field, value, words):
    sent = {name: each for name, each in {**GOOD, field: value}.items() if each is not ...}
    with pytest.raises(BadParameter) as caught:
        NewOrder(data=sent).taken()
    text = str(caught.value.detail)
    assert (caught.value.field, words in text) == (field, True), text
    assert not re.search(r"[A-Za-z<]", text)
