"""Hint and journal that somebody or something has spoilt are as good as none, however they are spoilt."""

import json

import pytest

from trading import hint, journal

DEEP = "[" * 100_000
LINE = {
    "order": 1,
    "key": "k",
    "state": "accepted",
    "at": "2026-11-20T10:00:00+09:00",
    "reason": "",
    "branch": "",
    "number": "1",
}


@pytest.mark.parametrize("text", [DEEP, '{"id":' * 50_000, '{"id": Infinity}', '{"id": 1.5}', "\ud800", "[]"])
def test_hint(text):
    hint.file().write_bytes(text.encode("utf-8", "surrogatepass"))
    assert hint.read() is None


@pytest.mark.parametrize(
    "odd", [DEEP, json.dumps(LINE | {"order": float("inf")}), json.dumps(LINE | {"at": 5})]
)
def test_journal_keeps_the_lines_around_it(odd):
    journal.file().write_text(
        "\n".join([json.dumps(LINE), odd, json.dumps(LINE | {"number": "2"})]), encoding="utf-8"
    )
    assert [outcome.number for outcome in journal.read()] == ["1", "2"]
