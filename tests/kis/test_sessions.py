"""Hours of the exchange."""

from datetime import datetime, timedelta

import pytest

from kis.korean import SEOUL
from kis.sessions import open_time_between, session_at


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("moment", "name", "is_open"),
    [
        ("2025-06-16 08:59:59", "장 시작 전", False),
        ("2025-06-16 09:00:00", "정규장", True),
        ("2025-06-16 15:29:59", "정규장", True),
        ("2025-06-16 15:30:00", "장 마감", False),
        ("2025-06-15 10:00:00", "휴장", False),
        ("2025-06-06 10:00:00", "휴장", False),
    ],
)
def test_session_at(moment, name, is_open):
    session = session_at(at(moment))
    assert (session.name, session.is_open) == (name, is_open)


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2025-06-16 14:20", "2025-06-16 15:07", 47),
        ("2025-06-16 14:20", "2025-06-16 23:00", 70),
        ("2025-06-16 16:00", "2025-06-17 08:00", 0),
        ("2025-06-13 15:00", "2025-06-16 09:10", 40),
        ("2025-06-16 15:00", "2025-06-16 14:00", 0),
    ],
)
def test_open_time_between(start, end, minutes):
    assert open_time_between(at(start), at(end)) == timedelta(minutes=minutes)
