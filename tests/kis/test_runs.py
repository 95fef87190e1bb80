"""Slots and leases: whoever fires a slot, it runs once; whoever dies in one blocks nobody for long."""

from datetime import UTC, datetime, timedelta

import pytest

from kis.client.codes import AccountNumber
from kis.models import SyncRun
from kis.runs import LEASE, Owner, end_run, keep_alive, open_run, open_slot
from tests.kis.many import run_processes

pytestmark = pytest.mark.django_db
TEN = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
ACCOUNT = AccountNumber("12345678", "01")
OWNER = Owner("sync_kis_data", ACCOUNT, is_paper=False)
OTHERS = (
    Owner("sync_kis_data", AccountNumber("12345678", "22"), is_paper=False),
    Owner("sync_kis_data", ACCOUNT, is_paper=True),
    Owner("another_job", ACCOUNT, is_paper=False),
)


def taken(owner, now=TEN, slot=TEN):
    """Open a slot that is free."""
    run = open_slot(owner, now=now, slot=slot)
    assert run is not None
    return run


def finish(run, now=TEN):
    return end_run(run, now=now, status=SyncRun.Status.COMPLETE, requests=3, rate_limited=0, steps=[])


def test_slot_runs_once():
    run = taken(OWNER)
    assert open_slot(OWNER, now=TEN, slot=TEN) is None
    assert finish(run)
    assert open_slot(OWNER, now=TEN + timedelta(hours=9), slot=TEN) is None
    assert SyncRun.objects.count() == 1


def test_slots_of_other_jobs_accounts_and_products_are_their_own():
    assert open_slot(OWNER, now=TEN, slot=TEN)
    assert all(open_slot(owner, now=TEN, slot=TEN) for owner in OTHERS)


def test_run_by_hand_is_never_in_the_way():
    assert open_run(OWNER, now=TEN)
    assert open_run(OWNER, now=TEN)
    assert open_slot(OWNER, now=TEN, slot=TEN)


def test_slot_of_a_dead_run_is_taken_over_by_one():
    dead = taken(OWNER)
    later = TEN + LEASE + timedelta(seconds=1)

    heir = taken(OWNER, now=later)

    assert heir.pk == dead.pk
    assert open_slot(OWNER, now=later, slot=TEN) is None
    assert not finish(dead, now=later)
    assert not keep_alive(dead, now=later)
    assert finish(heir, now=later)


def test_lease_that_is_kept_alive_is_not_taken():
    run = taken(OWNER)
    later = TEN + LEASE - timedelta(seconds=1)
    assert keep_alive(run, now=later)
    assert open_slot(OWNER, now=later + LEASE - timedelta(seconds=1), slot=TEN) is None


def test_dead_run_of_an_earlier_slot_is_marked_and_the_next_slot_works():
    dead = taken(OWNER)
    by_hand = open_run(OWNER, now=TEN)
    later = TEN + timedelta(minutes=30)

    assert open_slot(OWNER, now=later, slot=later)

    for run in (dead, by_hand):
        run.refresh_from_db()
        assert (run.status, run.finished_at) == (SyncRun.Status.ABANDONED, later)
        assert "멈췄습니다" in run.error


@pytest.mark.django_db(transaction=True)
def test_eight_processes_firing_the_same_hundred_slots_run_each_once(simulator, tmp_path):
    results = run_processes(simulator, tmp_path, "real", "slots", "8", "100")

    assert all("ours" in result for result in results), results
    ran = sorted(slot for result in results for slot in result["ours"])
    assert ran == list(range(100))
