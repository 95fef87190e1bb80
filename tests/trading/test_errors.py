"""The caret stands under the mistake, whatever is before it."""

import unicodedata

import pytest

from trading.errors import CommandNotUnderstood


def pointed(words, at, length=1):
    return CommandNotUnderstood("잘못입니다.", words=words, at=at, length=length).pointed()


@pytest.mark.parametrize(
    ("words", "mistake", "second"),
    [
        ("매스 005930", "매스", "  ^^^^"),
        ("매수 005930 삼성전자 1,00주", "1,00주", "                       ^^^^^^"),
        ("Ａ매수 x", "x", "         ^"),
        ("e\u0301 x", "x", "    ^"),
    ],
)
def test_caret_counts_cells_not_letters(words, mistake, second):
    assert pointed(words, words.index(mistake), len(mistake)) == f"  {words}\n{second}"


def test_caret_stands_in_the_same_place_under_decomposed_hangul():
    usual = "매수 005930 삼성전자 x"
    words = unicodedata.normalize("NFD", usual)
    assert pointed(words, len(words) - 1).split("\n")[1] == pointed(usual, len(usual) - 1).split("\n")[1]


def test_what_is_missing_is_pointed_at_behind_the_end():
    assert pointed("매수 005930", 9) == "  매수 005930\n             ^"


def test_nothing_a_terminal_obeys_is_printed():
    first, second = pointed("a\x1b[31m\u202e\r\n\ud800\ufe0f\u2028b", 11).split("\n")
    assert first == "  a\ufffd[31m\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdb"
    assert second == " " * 13 + "^"


def test_blanks_keep_their_width():
    assert pointed("가\u3000나\u00a0x", 4) == "  가  나 x\n         ^"


def test_long_line_is_shown_around_the_mistake():
    first, second = pointed("1" * 100 + "x" + "2" * 100, 100).split("\n")
    assert first == "  …" + "1" * 60 + "x" + "2" * 39 + "…"
    assert second == "  " + " " * 61 + "^"
    assert len(pointed("9" * 1000, 0, 1000)) < 100
