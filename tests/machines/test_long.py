"""Machines that live through two hours of trading, kills and a lost database: `make machines`."""

from types import SimpleNamespace

import pytest

from aegis.schedules import PRINT, REFRESH
from kis.models import SyncRun
from tests.aegis.test_machines import MINUTE, assert_shared, play, slots
from tests.kis.syncing import TEN

pytestmark = pytest.mark.django_db(transaction=True)
SEVENTY_FIVE = 75
#: Runs of the fetch are called after what they do, not after the job that asks for them.
COPIES = SimpleNamespace(name="sync_kis_data")


def story(name, states, told):
    """Tell in one line how the slots of a job ended."""
    ended = list(states.values())
    print(
        f"\n{name}: {len(ended)} slots, {ended.count('complete')} complete,"
        f" {sum(state not in {'complete', ''} for state in ended)} broken off, {ended.count('')} not run;"
        f" {len(told['killed'])} machines killed, {sum(bool(one['run']) for one in told['killed'])} of them in a run"
    )


def near(minute, kills):
    """Whether a slot may have been lost to a kill: in it, or within the lease of the run that died, and its wait."""
    return any(kill <= minute <= kill + 4 for kill in kills)


def test_any_machine_dies_and_the_slots_go_on(tmp_path):
    minutes, kills = SEVENTY_FIVE, list(range(4, SEVENTY_FIVE - 5, 8))
    told, requests = play(
        tmp_path, speed=20, minutes=minutes, workers=["seoul", "busan", "jeju"], cron=True, kills=kills
    )
    refreshed, printed = slots(REFRESH, 1, minutes), slots(PRINT, 10, minutes, every=10)
    fetched = slots(COPIES, 30, minutes, every=30)
    for name, states in (("refresh", refreshed), ("print", printed), ("fetch", fetched)):
        story(name, states, told)
    # The minute of a fetch belongs to the fetch.
    lost = {
        minute
        for minute, state in refreshed.items()
        if state != "complete" and not near(minute, kills) and minute % 30
    }
    assert not lost, (lost, refreshed)
    assert all(state == "complete" for minute, state in printed.items() if not near(minute, kills)), printed
    assert all(state == "complete" for minute, state in fetched.items() if not near(minute, kills)), fetched
    assert not SyncRun.objects.filter(status="running", slot__lt=TEN + (minutes - 6) * MINUTE).exists()
    assert_shared(tmp_path, requests)


def test_database_is_gone_for_two_minutes_and_everybody_lives_on(tmp_path):
    """Two minutes of ours are forty of the market; the clusters look for their database every ten seconds, three minutes."""
    first, last, minutes = 10, 50, 75
    told, requests = play(
        tmp_path,
        speed=20,
        minutes=minutes,
        workers=["seoul", "busan"],
        cron=False,
        kills=[],
        outage=(first, last),
    )
    refreshed = slots(REFRESH, 1, minutes)
    story("refresh", refreshed, told)
    assert {refreshed[minute] for minute in range(2, first)} == {"complete"}
    assert not any(refreshed[minute] for minute in range(first + 1, last))
    back = next(minute for minute in range(last, minutes) if refreshed[minute] == "complete")
    print(f"the first slot after the database was back is {back - last} market minutes later")
    assert back - last <= 8
    lost = [minute for minute in range(back, minutes + 1) if refreshed[minute] != "complete" and minute % 30]
    assert not lost, refreshed
    assert slots(PRINT, 70, 70) == {70: "complete"}
    assert_shared(tmp_path, requests)
