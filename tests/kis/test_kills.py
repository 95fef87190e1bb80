"""A sync that is killed: readers see the old or the new snapshot, and the next slot works; all of it in tests/kills."""

import pytest

from tests.kis.many import kill_syncs

pytestmark = pytest.mark.django_db(transaction=True)
#: Spread over the statements of a run; `make kills` stops at every one.
KILLS = 10


@pytest.mark.parametrize(("mode", "scene"), [("real", "morning"), ("paper", "midday")])
def test_killed_sync_leaves_the_old_or_the_new_snapshot_and_the_next_slot_works(
    simulator, tmp_path, mode, scene
):
    result = kill_syncs(simulator, tmp_path, mode, scene, kills=KILLS)
    assert result["problems"] == []
    assert result["kills"] == KILLS
    assert min(result["left"].values()) > 0, "no kill came after the snapshot, or none before"
