# ruff: noqa: PLC0415, T201  # Django has to be set up before its modules are loaded; standard output is the result
"""The same order in the hands of many real processes: started by tests and `make order-races`, see `scenes.py`.

`python together.py SCENE …` prints what came of it as one line of JSON. The environment says database, host and keys.
"""

import json
import multiprocessing
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.trading import scene

RACERS = 8
FORK = multiprocessing.get_context("fork")  # its processes end with this one, whatever it fails at


def together(count, work, *arguments):
    """Fork so many processes that begin `work(number, …)` at the same moment; return what each one said."""
    gate, told = FORK.Barrier(count), FORK.Queue()

    def begin(number):
        gate.wait(scene.PATIENCE)
        told.put(scene.said(work, number, *arguments))

    scene.close_database()
    processes = [FORK.Process(target=begin, args=(number,), daemon=True) for number in range(count)]
    for process in processes:
        process.start()
    answers = [told.get(timeout=scene.PATIENCE) for _ in processes]
    for process in processes:
        process.join(scene.PATIENCE)
    return answers


def in_threads(count, work):
    """Do the same in so many threads at the same moment; return what each one said."""
    from django.db import connection

    gate, answers = threading.Barrier(count), []

    def begin():
        gate.wait(scene.PATIENCE)
        answers.append(scene.said(work))
        connection.close()

    threads = [threading.Thread(target=begin, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(scene.PATIENCE)
    return answers


# --- races for one order -------------------------------------------------------------------------------------------


def race(races, way):
    """Let eight processes confirm a fresh order at the same moment, so many times.

    `way` is "confirm" for all of it, or "claim": then all pass the gates, meet before the claim and take it at once.
    """
    from trading import audit

    price = scene.prepare()
    start, claims, told = FORK.Barrier(RACERS + 1), FORK.Barrier(RACERS), FORK.Queue()
    scene.close_database()
    racers = [
        FORK.Process(target=racer, args=(int(races), way, start, claims, told), daemon=True)
        for _ in range(RACERS)
    ]
    for process in racers:
        process.start()
    answers: Counter[str] = Counter()
    states: Counter[str] = Counter()
    numbers = set()
    for number in range(int(races)):
        order = scene.new_order(price, quantity=1)
        start.wait(scene.PATIENCE)
        said = [told.get(timeout=scene.PATIENCE) for _ in range(RACERS)]
        order.refresh_from_db()
        answers.update(said)
        states[order.status] += 1
        numbers.add(order.odno)
        if said.count("accepted") != 1 or scene.posts() != number + 1:
            break  # what is wrong is in the counts
    start.abort()
    for process in racers:
        process.join(scene.PATIENCE)
    return {
        "answers": answers,
        "states": states,
        "posts": scene.posts(),
        "same_numbers": numbers == {order["odno"] for order in scene.at_exchange()},
        "problems": audit.verify().problems,
    }


def racer(races, way, start, claims, told):
    from trading import safe_executor, sending
    from trading.models import PendingOrder

    plain = sending.claim

    def claim_together(*arguments, **how):
        claims.wait(scene.PATIENCE)
        plain(*arguments, **how)

    if way == "claim":
        safe_executor.claim = claim_together  # type: ignore[attr-defined]  # where it is called
    with scene.desk() as desk:
        executor = safe_executor.SafeExecutor(desk)

        def take():
            if way == "confirm":
                return executor.confirm(scene.CODE, given_password=scene.PASSWORD).state
            return safe_executor.execute(
                PendingOrder.objects.waiting().get(), desk=desk, may_trade=True
            ).state

        for _ in range(races):
            try:
                start.wait(scene.PATIENCE)
            except threading.BrokenBarrierError:
                return
            told.put(scene.said(take))


# --- guesses -------------------------------------------------------------------------------------------------------


def guess(what):
    """Let 64 threads of 16 processes guess at once; return what they were told and how often anything was compared."""
    from trading import audit, password
    from trading.models import PendingOrder, TradingPassword

    price = scene.prepare()
    order = scene.new_order(price)
    guesses = together(16, guess_in_threads, what, 4)
    order.refresh_from_db()
    row = TradingPassword.objects.get()
    later = scene.said(lambda: give_code(scene.CODE)) if what == "code" else ""
    return {
        "answers": Counter(answer for each in guesses for answer in each["answers"]),
        "compared": sum(each["compared"] for each in guesses),
        "tries": order.tries,
        "order": PendingOrder.objects.get().status,
        "wrong_codes": order.events.filter(what="wrong_code").count(),
        "right_code_later": later,
        "failures": row.failures,
        "is_locked": bool(row.locked_until) and row.failures == password.MOST_FAILURES,
        "posts": scene.posts(),
        "problems": audit.verify().problems,
    }


def guess_in_threads(number, what, threads):
    del number
    from django.utils import timezone

    from trading import codes, password

    compared, lock = [], threading.Lock()
    module, name = (codes, "is_same") if what == "code" else (password, "check_password")
    plain = getattr(module, name)

    def count(*arguments, **how):
        with lock:
            compared.append(1)
        return plain(*arguments, **how)

    setattr(module, name, count)

    def one():
        if what == "code":
            return give_code("AAAA")
        return password.check("wrong-as-can-be", at=timezone.now())

    return {"answers": in_threads(threads, one), "compared": len(compared)}


def give_code(code):
    from trading.safe_executor import SafeExecutor

    with scene.desk() as desk:
        return SafeExecutor(desk).confirm(code, given_password=scene.PASSWORD).state


# --- everything else that may be done twice at once ------------------------------------------------------------------


def propose():
    """Let eight processes propose at once; each one gives up what waits."""
    from trading import audit
    from trading.models import PendingOrder

    price = scene.prepare()
    answers = together(RACERS, propose_one, price)
    states = Counter(PendingOrder.objects.values_list("status", flat=True))
    return {"answers": Counter(answers), "states": states, "problems": audit.verify().problems}


def propose_one(number, price):
    from kis.client.records.orders import Side
    from trading.models import PendingOrder
    from trading.orders import propose
    from trading.parser import OrderWish

    with scene.desk() as desk:
        wish = OrderWish(Side.BUY, scene.SAMSUNG, "", number + 1, price)
        propose(wish, desk=desk, source=PendingOrder.Source.TERMINAL)
        return "proposed"


def record(events):
    """Let eight processes add to the history while a ninth looks through it again and again."""
    from trading import audit
    from trading.models import OrderEvent

    scene.prepare()
    before = OrderEvent.objects.count()
    answers = together(RACERS + 1, record_many, int(events), before)
    return {
        "answers": Counter(str(answer) for answer in answers),
        "added": OrderEvent.objects.count() - before,
        "problems": audit.verify().problems,
    }


def record_many(number, events, before):
    from django.utils import timezone

    from trading import audit
    from trading.models import OrderEvent

    if number == RACERS:
        problems: list[str] = []
        while OrderEvent.objects.count() < before + events * RACERS and not problems:
            problems += audit.verify().problems
        return problems or "nothing wrong"
    for count in range(events):
        audit.record("told", at=timezone.now(), detail={"by": number, "count": count})
    return "added"


def adopt():
    """Let the owner adopt a number in four processes while the broker's answer to another order names it in four."""
    from trading import audit
    from trading.models import PendingOrder
    from trading.states import State

    price = scene.prepare()
    order = scene.new_order(price)
    number = scene.someone_elses_order(price)
    scene.claimed(order)
    scene.unknown(order)
    cancel = scene.claimed(scene.new_order(kind="cancel", quantity=0, price=0, origin_number="0000000001"))
    answers = together(RACERS, adopt_or_answer, order.pk, cancel.pk, number)
    of_number = PendingOrder.objects.exclude(odno="")
    return {
        "answers": Counter(answers),
        "with_the_number": of_number.count(),
        "states": sorted(PendingOrder.objects.values_list("status", flat=True)),
        "is_accepted": all(each.state is State.ACCEPTED for each in of_number),
        "problems": audit.verify().problems,
    }


def adopt_or_answer(process, order, cancel, number):
    from kis.orders import wire_number
    from trading import journal, reconcile, sending
    from trading.models import PendingOrder
    from trading.states import State

    if process % 2:
        with scene.desk() as desk:
            reconcile.adopt(PendingOrder.objects.get(pk=order), number, desk=desk, by="owner")
            return "adopted"
    row = PendingOrder.objects.get(pk=cancel)
    named = {"branch": scene.branch_of(number), "number": wire_number(number)}
    outcome = journal.outcome(row, State.ACCEPTED, at=scene.now(), **named)
    return f"written {row.status}" if sending.write_outcome(row, outcome) else "not written"


def reconcile():
    """Let four processes reconcile at once: a lost sender, an answer in the journal, an order that was filled."""
    from trading import audit
    from trading.models import OrderEvent, PendingOrder

    price = scene.prepare()
    filled = scene.sent(price, quantity=1)
    scene.broker().fill(filled.odno, 1)
    journalled = scene.sent(price, quantity=2, forget=True)
    before = OrderEvent.objects.count()
    answers = together(4, reconcile_once)
    lost = scene.claimed(scene.new_order(price, quantity=3))
    answers += together(4, reconcile_once)
    return {
        "answers": Counter(answers),
        "states": [PendingOrder.objects.get(pk=order.pk).status for order in (filled, journalled, lost)],
        "new_events": sorted(
            OrderEvent.objects.filter(number__gt=before)
            .exclude(what="proposed")
            .values_list("what", flat=True)
        ),
        "posts": scene.posts(),
        "problems": audit.verify().problems,
    }


def reconcile_once(number):
    del number
    from trading.reconcile import reconcile

    with scene.desk(ahead=timedelta(minutes=2)) as desk:
        reconcile(desk)
        return "done"


def locked():
    """Let another writer hold the database, longer than we wait for it, from the broker's answer on."""
    from django.db import connection

    from trading import audit
    from trading.reconcile import reconcile
    from trading.safe_executor import execute

    price = scene.prepare()
    order = scene.new_order(price)
    wait_no_longer_than_a_moment(connection)
    other = connection.copy()
    with scene.desk() as desk:
        outcome = execute(order, desk=replace(desk, open_call=lambda: Held(other)), may_trade=True)
        order.refresh_from_db()
        held = order.status
        other.rollback()
        other.close()
        reconcile(desk)
    order.refresh_from_db()
    [there] = scene.at_exchange()
    return {
        "told": outcome.state,
        "while_held": held,
        "after": order.status,
        "same_number": order.odno == there["odno"],
        "problems": audit.verify().problems,
    }


def wait_no_longer_than_a_moment(connection):
    with connection.cursor() as cursor:
        is_postgresql = connection.vendor == "postgresql"
        cursor.execute("SET lock_timeout = 300" if is_postgresql else "PRAGMA busy_timeout = 300")


class Held:
    """A call after whose answer somebody else holds the end of the history."""

    def __init__(self, other):
        from kis.client.transport import HttpTransport

        self.call = HttpTransport()
        self.other = other

    def send(self, request, *, timeout_seconds):
        reply = self.call.send(request, timeout_seconds=timeout_seconds)
        self.other.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        with self.other.cursor() as cursor:
            cursor.execute("UPDATE trading_audit_head SET number = number")
        return reply

    def close(self):
        self.call.close()


def worker():
    """Let a cluster of django-q2 do a task that tries to send an order, and then a person who may."""
    from django_q.cluster import Cluster
    from django_q.models import Task
    from django_q.tasks import async_task

    from trading.models import PendingOrder

    price = scene.prepare()
    scene.new_order(price)
    async_task("tests.trading.forbidden.attempts")
    scene.close_database()
    cluster = Cluster()
    cluster.start()
    ends_at = time.monotonic() + scene.PATIENCE
    while not Task.objects.exists() and time.monotonic() < ends_at:
        time.sleep(0.1)
    cluster.stop()
    task = Task.objects.get()
    row, posts = PendingOrder.objects.get(), scene.posts()
    return {
        "task": task.result,
        "order": [row.status, row.tries],
        "posts": posts,
        "person": give_code(scene.CODE),
    }


SCENES: dict[str, Callable[..., dict[str, object]]] = {
    "worker": worker,
    "locked": locked,
    "race": race,
    "guess": guess,
    "propose": propose,
    "record": record,
    "adopt": adopt,
    "reconcile": reconcile,
}


def main():
    name, *arguments = sys.argv[1:]
    with ExitStack() as stack:
        stack.callback(scene.close_database)
        print(json.dumps(SCENES[name](*arguments)))


if __name__ == "__main__":
    scene.set_up()
    main()
