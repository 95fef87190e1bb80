# ruff: noqa: PLC0415, T201  # Django has to be set up before its modules are loaded; standard output is the result
"""Kill the confirming process at every step of an order; started by tests and `make order-kills`, see `scenes.py`.

`python kills.py TIMES [STEP …]` prints one line of JSON: for each step how often it was killed there, what the row said
after the restart, and everything that was not as it has to be.
"""

import json
import multiprocessing
import signal
import sys
import time
from collections import Counter, defaultdict
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.trading import scene

FORK = multiprocessing.get_context("fork")
#: When the order cannot be at the exchange, when it has to be there, and when its number has to be known as well.
NOWHERE, THERE, KNOWN = "nowhere", "there", "known"


def stop_here(reached):
    """Say that the step is reached, and wait there for the kill."""
    reached.set()
    time.sleep(scene.PATIENCE)


def before(module, name, only_if=lambda *_, **__: True):
    """Stop before a call of the product."""

    def prepare(reached):
        plain = getattr(module(), name)

        def stopping(*arguments, **how):
            if only_if(*arguments, **how):
                stop_here(reached)
            return plain(*arguments, **how)

        setattr(module(), name, stopping)

    return prepare


def after(module, name, only_if=lambda *_, **__: True):
    """Stop after a call of the product."""

    def prepare(reached):
        plain = getattr(module(), name)

        def stopping(*arguments, **how):
            answer = plain(*arguments, **how)
            if only_if(*arguments, **how):
                stop_here(reached)
            return answer

        setattr(module(), name, stopping)

    return prepare


def executor():
    from trading import safe_executor

    return safe_executor


def sending():
    from trading import sending

    return sending


def confirmation():
    from trading import confirmation

    return confirmation


def journal():
    from trading import journal

    return journal


def door():
    return sending().Door


def is_claim(_order, new, **_):
    return new == "sending"


def is_result(_order, new, **_):
    return new != "sending"


def hold_the_reply(reached):
    """Let the broker take the order and say nothing; whoever kills sees it arrive."""
    del reached
    scene.broker().fault(scene.BUY, "hang_after", times=1)


#: Each step by its place in the protocol: how to stop there, and what must be true of the order then.
STEPS = {
    "after the try is counted": (after(confirmation, "count_try"), NOWHERE),
    "after the code is compared": (before(executor, "execute"), NOWHERE),
    "after the gates": (after(executor, "refused_by"), NOWHERE),
    "after the baseline inquiry": (before(executor, "claim"), NOWHERE),
    "claim: transaction open": (before(sending, "step", is_claim), NOWHERE),
    "claim: written, not committed": (after(sending, "step", is_claim), NOWHERE),
    "after the claim": (before(executor, "send"), NOWHERE),
    "before the connection": (before(door, "open"), NOWHERE),
    "connection chosen, nothing sent": (after(door, "open"), NOWHERE),
    "request left, reply held": (hold_the_reply, THERE),
    "request left, not listed yet": (hold_the_reply, THERE),
    "after the reply, before the journal": (before(journal, "write"), THERE),
    "after the journal, before the row": (before(sending, "write_outcome"), KNOWN),
    "result: transaction open": (before(sending, "step", is_result), KNOWN),
    "after the row, before the books": (before(sending, "tell_the_books"), KNOWN),
    "after everything": (after(sending, "tell_the_books"), KNOWN),
}
LIST = "TTTC0081R"


def confirm(step, reached):
    """Be the process that confirms, up to the step."""
    from trading.safe_executor import SafeExecutor

    prepare, _ = STEPS[step]
    prepare(reached)
    with scene.desk() as desk:
        SafeExecutor(desk).confirm(scene.CODE, given_password=scene.PASSWORD)


def kill_at(step, *, known):
    """Start the confirming process, and kill it when it is at the step. `known` are the orders there before."""
    reached = FORK.Event()
    scene.close_database()
    process = FORK.Process(target=confirm, args=(step, reached), daemon=True)
    process.start()
    ends_at = time.monotonic() + scene.PATIENCE
    held = STEPS[step][0] is hold_the_reply
    while not (arrived(known) if held else reached.wait(0.02)):
        assert process.is_alive(), f"{step}: the process ended by itself"
        assert time.monotonic() < ends_at, f"{step}: never reached"
        time.sleep(0.02)
    process.kill()  # SIGKILL
    process.join()
    assert process.exitcode == -signal.SIGKILL


def arrived(known):
    """Return the numbers of orders that the exchange has and had not before."""
    return [order["odno"] for order in scene.at_exchange() if order["odno"] not in known]


# --- after the restart -----------------------------------------------------------------------------------------------


def play(step, number, *, price):
    """Kill one process, start again, and return what the row said then, with whatever is wrong about it."""
    from trading import audit, kill_switch

    wrong = []

    def must(holds, what):
        if not holds:
            wrong.append(f"{step} #{number}: {what}")

    kill_switch.turn_off(at=scene.now(), by="owner")  # so many lost orders in a day trip it
    known = {order["odno"] for order in scene.at_exchange()}
    posted = scene.posts()
    order = scene.new_order(price, quantity=number % 7 + 1)
    kill_at(step, known=known)
    there, where = arrived(known), STEPS[step][1]
    must(len(there) == (where != NOWHERE), f"{len(there)} at the exchange")
    said = settle(order, there, where=where, late="not listed" in step, must=must, turn=number)
    again = [each for each in scene.at_exchange() if each["odno"] not in known]
    must(scene.posts() - posted == len(again) <= 1, f"{scene.posts() - posted} posts, {len(again)} orders")
    must(not audit.verify().problems, f"history: {audit.verify().problems}")
    return said, wrong


def settle(order, there, *, where, late, must, turn):
    """Reconcile at once, after a minute and after the close, and hold the row against the exchange each time."""
    from trading.states import State

    is_claimed = order_state(order) is not State.PENDING
    if late:
        scene.broker().fault(LIST, "late_visible:60")
    at_once, _ = look(order)
    if not is_claimed:
        must(at_once is State.PENDING, f"{at_once} without a claim")
        return first_time_again(order, must=must, turn=turn)
    if where == KNOWN:
        must(at_once in {State.ACCEPTED, State.FILLED, State.PARTIAL}, f"{at_once} with its answer on disk")
        must(int(order.odno) == int(there[0]), f"number {order.odno}, the exchange has {there}")
        return refused_again(order, at_once, must=must)
    must(at_once is State.SENDING, f"{at_once} before the sender is surely gone")
    later, candidates = look(order, ahead=timedelta(seconds=61))
    must(later is State.UNKNOWN, f"{later} after a minute")
    must(candidates == ([] if late else there), f"candidates {candidates}, the exchange has {there}")
    if where == THERE:
        return adopted(order, there, late=late, must=must)
    refused_again(order, later, must=must)
    first, _ = look(order, ahead=timedelta(hours=7), market=scene.CLOSED)
    must(first is State.UNKNOWN, f"{first} after one look")
    second, _ = look(order, ahead=timedelta(hours=7, minutes=6), market=scene.CLOSED)
    must(second is State.NOT_PLACED, f"{second} after two looks")
    return f"{later} → {second}"


def order_state(order):
    order.refresh_from_db()
    return order.state


def look(order, **when):
    """Reconcile as a process that has just been started; return state and candidates."""
    from trading.reconcile import reconcile

    with scene.desk(**when) as desk:
        found = {each.order.pk: each for each in reconcile(desk)}
    candidates = found[order.pk].candidates if order.pk in found else ()
    return order_state(order), [f"{int(each.number):010d}" for each in candidates]


def first_time_again(order, *, must, turn):
    """Nothing has been claimed: let the code run out, or give it again, which may send the order now."""
    from trading.safe_executor import SafeExecutor
    from trading.states import State

    if turn % 2:
        with scene.desk(ahead=timedelta(minutes=5)) as desk:
            said = scene.said(lambda: SafeExecutor(desk).confirm(scene.CODE, given_password=scene.PASSWORD))
        must(said == "NothingToConfirm", said)
        must(order_state(order) is State.EXPIRED, f"{order.state} after the code ran out")
        return "pending → expired"
    with scene.desk() as desk:
        outcome = SafeExecutor(desk).confirm(scene.CODE, given_password=scene.PASSWORD)
    must(outcome.state is State.ACCEPTED, f"{outcome.state} when confirmed again")
    return "pending → accepted"


def refused_again(order, state, *, must):
    """Give a code once more that was taken: it opens nothing."""
    from trading.safe_executor import SafeExecutor

    with scene.desk() as desk:
        said = scene.said(lambda: SafeExecutor(desk).confirm(scene.CODE, given_password=scene.PASSWORD))
    must(said == "NothingToConfirm", f"a used code brings {said}")
    return str(state)


def adopted(order, there, *, late, must):
    """Let the broker list the order at last, and the owner know it."""
    from trading.reconcile import adopt
    from trading.states import State

    if late:
        must(look(order, ahead=timedelta(minutes=3))[0] is State.UNKNOWN, "settled by a list without it")
        scene.broker().clear_faults()
    state, candidates = look(order, ahead=timedelta(minutes=12))
    must((state, candidates) == (State.UNKNOWN, there), f"{state} with {candidates} for {there}")
    with scene.desk() as desk:
        adopt(order, there[0], desk=desk, by="owner")
    must((order.state, int(order.odno)) == (State.ACCEPTED, int(there[0])), f"adopted as {order.odno}")
    return "unknown → accepted"


def main():
    times, *steps = sys.argv[1:]
    price = scene.prepare()
    table: dict[str, Counter[str]] = defaultdict(Counter)
    wrong, number = [], 0
    for step in steps or STEPS:
        for _ in range(int(times)):
            number += 1
            said, found = play(step, number, price=price)
            table[step][said] += 1
            wrong += found
    scene.close_database()
    print(json.dumps({"steps": table, "wrong": wrong, "posts": scene.posts()}))


if __name__ == "__main__":
    scene.set_up()
    main()
