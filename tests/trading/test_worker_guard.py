"""No order leaves from a background task, however it is called."""

import pytest
from django_q.tasks import async_task, result

from tests.trading.conftest import PASSWORD, make_order
from tests.trading.scenes import play
from tests.trading.trades import arrived, buy_wish
from trading import sending, worker_guard
from trading.errors import NotFromWorker
from trading.safe_executor import SafeExecutor, execute
from trading.states import State

pytestmark = pytest.mark.django_db(transaction=True)
WAYS = ["propose", "confirm", "execute", "send", "client"]


def test_task_of_a_real_cluster_sends_nothing(simulator, tmp_path):
    told = play(simulator, tmp_path, "together.py", "worker")
    assert told["task"] == dict.fromkeys(WAYS, "NotFromWorker")
    assert (told["order"], told["posts"]) == (["pending", 0], 0)
    assert told["person"] == "accepted"


def in_a_task(work):
    """Carry out a task at once, as `sync=True` does, and return what it brought."""
    return result(async_task(work, sync=True))


def test_every_way_to_the_exchange_is_closed_during_a_task(desk, clock, broker, with_password, real_enabled):
    order = make_order()
    clock.go(seconds=5)
    wish, token = buy_wish(desk), desk.connection.session.token()
    executor, budget = SafeExecutor(desk), desk.connection.session.budget
    for way in (
        lambda: executor.propose(wish, given_password=PASSWORD),
        lambda: executor.confirm("XT9W", given_password=PASSWORD),
        lambda: execute(order, desk=desk, may_trade=True),
        lambda: sending.send(order, desk=desk, token=token, budget=budget),
    ):
        worker_guard.enter_task()
        with pytest.raises(NotFromWorker):
            way()
        worker_guard.leave_task()
    order.refresh_from_db()
    assert (order.state, order.tries) == (State.PENDING, 0)
    assert arrived(broker) == []


def guarded():
    try:
        worker_guard.refuse_workers()
    except NotFromWorker:
        return True
    return False


def failing():
    assert guarded()
    raise ValueError("as tasks do")


def nested():
    return in_a_task(guarded) and guarded()


@pytest.mark.parametrize("work", [guarded, nested])
def test_guard_is_on_during_a_task_and_off_again(work):
    assert not guarded()
    assert in_a_task(work) is True
    assert not guarded()


def test_guard_is_off_again_after_a_task_that_failed():
    with pytest.raises(ValueError, match="as tasks do"):
        async_task(failing, sync=True)
    assert not guarded()


heard: list[tuple[bool, bool]] = []


def note(task):
    heard.append((task.result, guarded()))


def test_hook_of_a_task_counts_as_one():
    heard.clear()
    async_task(guarded, sync=True, hook=note)
    assert heard == [(True, True)]
    assert not guarded()
