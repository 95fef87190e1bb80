"""When a page says there will be something new."""

from datetime import datetime, timedelta

import pytest
from django_q.models import Schedule

from aegis.schedules import write_schedules
from kis.korean import SEOUL
from kis.models import SyncRun
from reports.timetable import is_unscheduled, next_update

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, 3, tzinfo=SEOUL)
HALF_PAST = datetime(2026, 11, 20, 12, 30, tzinfo=SEOUL)


def test_without_a_timetable_nothing_is_promised():
    assert next_update(NOON) is None


def test_without_a_timetable_the_page_says_so_unless_a_cron_does_the_slots(settings):
    settings.AEGIS_DEMO = False
    assert is_unscheduled(NOON)
    write_schedules(now=NOON)
    assert not is_unscheduled(NOON)
    Schedule.objects.all().update(repeats=0)
    assert is_unscheduled(NOON)
    run = SyncRun.objects.create(
        job="aegis_1min_realtime", is_paper=False, account_no="1", product_code="01", started_at=NOON
    )
    assert is_unscheduled(NOON)  # done by hand
    SyncRun.objects.filter(pk=run.pk).update(slot=NOON)
    assert not is_unscheduled(NOON + timedelta(days=10))
    settings.AEGIS_DEMO = True
    assert is_unscheduled(NOON)  # its past is made up


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
