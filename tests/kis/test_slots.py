"""Ticks of the timetable: which slot a moment belongs to, and when a job rests."""

from datetime import UTC, datetime, time, timedelta

import pytest

from kis.korean import SEOUL
from kis.slots import Window

HALF_HOURS = Window.parse(minutes=30, opens="08:30", closes="16:00")


def at(clock, day="2026-11-20"):
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("clock", "slot"),
    [("08:30", "08:30"), ("08:59:59.999", "08:30"), ("09:00:07", "09:00"), ("00:10", "00:00")],
)
def test_moment_belongs_to_the_last_tick(clock, slot):
    assert HALF_HOURS.slot_of(at(clock)) == at(slot)


def test_ticks_are_counted_in_seoul_whatever_the_zone_of_the_moment():
    assert HALF_HOURS.slot_of(datetime(2026, 11, 20, 0, 14, tzinfo=UTC)) == at("09:00")
    every_seven = Window(timedelta(hours=7), time(0), time(23))
    assert every_seven.slot_of(datetime(2026, 11, 19, 23, 0, tzinfo=UTC)) == at("07:00")


@pytest.mark.parametrize(
    ("slot", "now", "words"),
    [
        (at("08:30"), at("08:30:02"), ""),
        (at("16:00"), at("16:00:02"), ""),
        (at("08:00"), at("08:00:02"), "08:00은(는) 실행 시간(08:30–16:00)이 아니라"),
        (at("16:30"), at("16:30:02"), "실행 시간(08:30–16:00)이 아니라"),
        (at("10:00", "2026-11-21"), at("10:00", "2026-11-21"), "2026-11-21(토)은(는) 거래소가 쉬는 날"),
        (at("10:00", "2026-12-25"), at("10:00", "2026-12-25"), "2026-12-25(금)은(는) 거래소가 쉬는 날"),
        # A worker that comes late: the same day still counts, the next one does not.
        (at("10:00"), at("13:07"), ""),
        (at("16:00"), at("16:29:59"), ""),
        (at("16:00"), at("16:30"), "11-20 16:00의 실행 시간이 지나"),
        (at("10:00"), at("07:00", "2026-11-23"), "11-20 10:00의 실행 시간이 지나"),
    ],
)
def test_job_rests_outside_of_its_window(slot, now, words):
    rest = HALF_HOURS.reason_to_rest(slot, now=now)
    assert bool(rest) is bool(words)
    assert words in rest


@pytest.mark.parametrize(
    ("after", "found"),
    [
        (at("08:10"), at("08:30")),
        (at("08:30"), at("09:00")),
        (at("15:59:59"), at("16:00")),
        (at("16:00"), at("08:30", "2026-11-23")),  # a Friday
        (at("12:00", "2026-11-21"), at("08:30", "2026-11-23")),
        (datetime(2026, 11, 20, 0, 14, tzinfo=UTC), at("09:30")),
    ],
)
def test_next_tick_lies_in_the_window_of_a_business_day(after, found):
    assert HALF_HOURS.next_slot(after) == found
