"""A short storm over the real code, and a shorter one over code with a bug in it (docs/order-storm.md)."""

import logging

import pytest

from tests.storm.bugs import BUGS
from tests.storm.database import Fresh
from tests.storm.story import play

pytestmark = pytest.mark.django_db(transaction=True)
SEEDS = range(1, 41)


@pytest.fixture
def fresh(caplog):
    """Empty the database before every seed; what the storm makes the code complain of is not for the screen."""
    logging.disable(logging.CRITICAL)
    made = Fresh()
    yield made
    made.again()
    logging.disable(logging.NOTSET)


@pytest.fixture
def storm(fresh, tmp_path):
    def play_afresh(seed, **how):
        fresh.again()
        return play(seed, folder=tmp_path, **how)

    return play_afresh


@pytest.mark.parametrize("first", SEEDS[::10])
def test_no_rule_is_broken_in_a_storm(storm, first):
    stories = [storm(seed) for seed in range(first, first + 10)]
    assert [str(violation) for story in stories for violation in story.violations] == []
    assert sum(story.counts["order: no fault"] for story in stories) > 0


def test_seed_replays_identically(storm):
    first, again = storm(17), storm(17)
    assert first.trace == again.trace
    assert first.digest == again.digest
    assert storm(18).digest != first.digest


@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_is_noticed(storm, name):
    bug = BUGS[name]
    for seed in bug.seeds:
        broken = [
            violation for violation in storm(seed, bug=bug.plant).violations if violation.rule == bug.rule
        ]
        if broken:
            assert str(broken[0]).startswith(f"seed {seed}, step {broken[0].step}, {bug.rule}: ")
            return
    pytest.fail("no seed notices it any more; `make storm-bugs` finds others")
