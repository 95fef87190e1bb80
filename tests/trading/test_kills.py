"""A confirming process that is killed at any step of an order leaves a row that says nothing wrong."""

import pytest

from tests.trading.scenes import play

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE_THE_CLAIM = 6
AFTER_THE_CLAIM = ["unknown → not_placed"] * 3
LOST = ["unknown → accepted"] * 3
ANSWERED = ["accepted"] * 4


def test_killed_at_every_step_the_row_tells_the_truth(simulator, tmp_path):
    told = play(simulator, tmp_path, "kills.py", "1")
    assert told["wrong"] == []
    became = [state for states in told["steps"].values() for state in states]
    # Before the claim the code may be given once more, and is by every second owner.
    assert became[:BEFORE_THE_CLAIM] == ["pending → expired", "pending → accepted"] * 3
    assert became[BEFORE_THE_CLAIM:] == AFTER_THE_CLAIM + LOST + ANSWERED
    assert told["posts"] == len(LOST + ANSWERED) + 3
