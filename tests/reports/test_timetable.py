"""When a page says there will be something new."""

from datetime import datetime

import pytest
from django_q.models import Schedule

from aegis.schedules import write_schedules
from kis.korean import SEOUL
from reports.timetable import next_update

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, 3, tzinfo=SEOUL)
HALF_PAST = datetime(2026, 11, 20, 12, 30, tzinfo=SEOUL)


def test_without_a_timetable_nothing_is_promised():
    assert next_update(NOON) is None


def test_next_tick_is_the_worker_s():
    write_schedules(now=NOON)
    assert next_update(NOON, jobs=["aegis_30min_data_fetch"]) == HALF_PAST
    assert next_update(NOON) is not None


def test_schedule_that_is_switched_off_or_unreadable_promises_nothing():
    write_schedules(now=NOON)
    Schedule.objects.filter(name="aegis_30min_data_fetch").update(repeats=0)
    assert next_update(NOON, jobs=["aegis_30min_data_fetch"]) is None
    Schedule.objects.filter(name="aegis_30min_data_fetch").update(repeats=-1, kwargs="{'minutes': 'x'}")
    assert next_update(NOON, jobs=["aegis_30min_data_fetch"]) is None
