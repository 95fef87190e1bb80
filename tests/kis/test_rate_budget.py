"""One budget per app key, whoever calls: turns, ageing, orders first, and many cold processes at once."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now

from kis.client.throttle import SECONDS_BETWEEN_CALLS
from kis.models import RateBudget
from kis.rate_budget import DatabaseBudget
from tests.kis.many import run_processes

pytestmark = pytest.mark.django_db
KEY = "a" * 64


class Clock:
    """Counts the sleeps of a caller; the database's own clock is not ours to move."""

    def __init__(self):
        self.slept = 0.0

    def monotonic(self):
        return self.slept

    def sleep(self, seconds):
        self.slept += seconds


def budget(seconds=60.0):
    """Return a budget so slow that the milliseconds of a test do not count."""
    clock = Clock()
    return DatabaseBudget(KEY, seconds, monotonic=clock.monotonic, sleep=clock.sleep)


def test_the_first_call_leaves_at_once_and_the_second_waits_its_turn():
    first = budget().ask(waited=0, order=False)
    second = budget().ask(waited=0, order=False)

    assert first.is_ours
    assert first.seconds == 0
    assert not second.is_ours
    assert 50 < second.seconds < 60


def test_a_read_takes_its_turn_shortly_before_it_comes():
    budget(seconds=0.05).ask(waited=0, order=False)

    turn = budget(seconds=0.05).ask(waited=0, order=False)

    assert turn.is_ours
    assert 0 <= turn.seconds <= 0.05


def test_an_order_goes_before_the_reads_that_wait():
    budget().ask(waited=0, order=False)
    waiting_read = budget().ask(waited=0, order=False)

    order = budget().ask(waited=0, order=True)
    read_after_it = budget().ask(waited=0, order=False)

    assert not waiting_read.is_ours
    assert order.is_ours
    assert order.seconds <= 60
    assert not read_after_it.is_ours
    assert read_after_it.seconds > 100


def test_who_has_waited_long_takes_the_turn_before_who_has_just_come():
    budget(seconds=100).ask(waited=0, order=False)
    RateBudget.objects.update(next_at=Now() + timedelta(seconds=50))

    assert not budget(seconds=100).ask(waited=0, order=False).is_ours
    assert not budget(seconds=100).ask(waited=500, order=False).is_ours
    assert budget(seconds=100).ask(waited=1_000, order=False).is_ours


def test_a_refusal_holds_everybody_back_and_is_noted():
    budget(seconds=20).ask(waited=0, order=False)

    budget(seconds=20).refused()

    turn = budget(seconds=20).ask(waited=0, order=False)
    assert turn.seconds > 30
    assert RateBudget.objects.get(key_id=KEY).refused_at is not None


def test_a_clock_set_back_stops_nobody_for_long():
    slow = budget(seconds=5)
    slow.ask(waited=0, order=False)
    RateBudget.objects.update(next_at="2099-01-01T00:00:00Z")

    assert slow.ask(waited=0, order=True).seconds <= 10


def test_reads_do_not_wait_until_a_clock_that_was_set_back_has_caught_up():
    slow = budget(seconds=5)
    slow.ask(waited=0, order=False)
    ahead = timedelta(minutes=3)
    RateBudget.objects.update(next_at=Now() + ahead)

    assert not slow.ask(waited=0, order=False).is_ours

    # The turn does come: it has a time of its own again, and does not stay as far away as it is.
    assert RateBudget.objects.filter(next_at__lte=Now() + timedelta(seconds=11)).exists()


def test_keys_have_budgets_of_their_own():
    budget().ask(waited=0, order=False)

    assert DatabaseBudget("b" * 64, 60.0).ask(waited=0, order=False).seconds == 0


def test_waiting_ends_with_a_turn():
    budget(seconds=0.05).wait()
    caller = budget(seconds=0.05)

    caller.wait()

    assert caller.sleep.__self__.slept <= 0.06


@pytest.mark.django_db(transaction=True)
def test_no_call_leaves_inside_a_transaction():
    with transaction.atomic(), pytest.raises(RuntimeError):
        budget().wait()


@pytest.mark.django_db(transaction=True)
def test_twenty_processes_starting_cold_issue_one_token(start_simulator, tmp_path):
    # Not one call too many for this broker, whose own limit also counts what was held up on the way and comes at once.
    simulator = start_simulator(limits=True, rate_real=20)

    results = run_processes(simulator, tmp_path, "real", "token", "20", "real")

    assert [result.get("generation") for result in results] == [1] * 20, results
    traffic = simulator.gateways["real"].traffic
    assert traffic.counts["tokenP"] == 1
    assert traffic.tokens_issued == 1
    assert traffic.rate_limited == 0
    assert passed_in(results) >= 20 * SECONDS_BETWEEN_CALLS["real"] - 0.01


@pytest.mark.django_db(transaction=True)
def test_no_turn_is_given_to_two_processes(simulator, tmp_path):
    """Every turn moves the budget on; had two processes taken the same, it would stand earlier. See also the bench."""
    results = run_processes(simulator, tmp_path, "real", "turns", "4", "25")

    assert passed_in(results) >= 100 * 0.02 - 0.01


def passed_in(results):
    """Return the seconds that the budget has moved on since the first process began."""
    return max(result["next_at"] for result in results) - min(result["began"] for result in results)
