"""Ask the broker for several things at once, and hand the answers to the one thread that writes."""

from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from django.db import connection, connections

from kis.client.errors import KisUnreachable
from kis.client.session import Session
from kis.client.throttle import SECONDS_BETWEEN_CALLS
from kis.client.transport import HttpTransport

#: Enough to fill the broker's rate while each answer takes its time; more would only wait for their turn.
WORKERS = 4
#: So many stocks in a row without an answer mean that the broker is not there, not that one stock is odd.
MOST_UNANSWERED = 3

Job = TypeVar("Job", bound=Hashable)
Result = TypeVar("Result")
#: Asks for the parts of a job one after the other.
Ask = Callable[[Session, Job], Iterable[Result]]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Job, Result]):
    """What came of a job, in order, and the error that ended it early."""

    job: Job
    results: tuple[Result, ...]
    error: Exception | None = None


def ask_all(
    session: Session,
    jobs: Sequence[Job],
    ask: Ask[Job, Result],
    *,
    stock_of: Callable[[Job], Hashable] = lambda job: job,
) -> Generator[Outcome[Job, Result]]:
    """Yield the outcome of each job as it comes; `ask` runs in other threads, whatever is done with outcomes in this one.

    Each thread has a session of its own, with its own connection to the broker, that shares token and rate budget with
    `session` and adds to its counters. An error is an outcome and stops no other job, except that a broker that leaves
    several stocks in a row unanswered is left alone: jobs without an outcome were not done. Close the iterator (`closing`)
    when leaving it early: that ends the threads.
    Inside a transaction the jobs run here, one after the other: a thread would not see what is not committed, and could
    wait for it for ever.
    """
    patience = Patience()
    if len(jobs) < 2 or connection.in_atomic_block:  # noqa: PLR2004  # nothing to do at once
        for job in jobs:
            if patience.is_over:
                return
            yield patience.after(outcome_of(session, job, ask), stock_of(job))
        return
    session.token()  # once, before several threads find that there is none
    team = Team(session, jobs, ask, stock_of=stock_of, patience=patience)
    try:
        yield from team.outcomes()
    finally:
        team.stop()


def outcome_of(session: Session, job: Job, ask: Ask[Job, Result]) -> Outcome[Job, Result]:
    results: list[Result] = []
    try:
        results.extend(ask(session, job))
    except Exception as error:  # noqa: BLE001  # the writing thread decides what each error means
        return Outcome(job, tuple(results), error)
    return Outcome(job, tuple(results))


class Patience:
    """Ends when several stocks in a row, of whichever thread, were left unanswered."""

    def __init__(self) -> None:
        self.unanswered: set[Hashable] = set()
        self.lock = Lock()
        self.is_over = False

    def after(self, outcome: Outcome[Job, Result], stock: Hashable) -> Outcome[Job, Result]:
        with self.lock:
            if isinstance(outcome.error, KisUnreachable):
                self.unanswered.add(stock)
            else:
                self.unanswered.clear()
            self.is_over = self.is_over or len(self.unanswered) >= MOST_UNANSWERED
        return outcome


class Team(Generic[Job, Result]):
    """The threads of one `ask_all`."""

    def __init__(
        self,
        session: Session,
        jobs: Sequence[Job],
        ask: Ask[Job, Result],
        *,
        stock_of: Callable[[Job], Hashable],
        patience: Patience,
    ) -> None:
        self.session = session
        self.ask = ask
        self.stock_of = stock_of
        self.patience = patience
        self.waiting: SimpleQueue[Job] = SimpleQueue()
        for job in jobs:
            self.waiting.put(job)
        #: Outcomes as they come, and None from each thread that ends.
        self.done: SimpleQueue[Outcome[Job, Result] | None] = SimpleQueue()
        self.stopping = Event()
        self.helpers = [helper_of(session) for _ in range(min(WORKERS, len(jobs)))]
        self.threads = [
            Thread(
                target=copy_context().run, args=(self.work, helper), name=f"kis-asks-{number}", daemon=True
            )
            for number, helper in enumerate(self.helpers, start=1)
        ]
        for thread in self.threads:
            thread.start()

    def work(self, helper: Session) -> None:
        try:
            while not self.stopping.is_set() and not self.patience.is_over:
                job = self.waiting.get_nowait()
                outcome = outcome_of(helper, job, self.ask)
                self.done.put(self.patience.after(outcome, self.stock_of(job)))
        except Empty:
            pass
        finally:
            if helper.transport is not self.session.transport:
                close(helper)
            connections.close_all()  # Django's belong to the thread
            self.done.put(None)

    def outcomes(self) -> Iterator[Outcome[Job, Result]]:
        working = len(self.threads)
        while working:
            outcome = self.done.get()
            if outcome is None:
                working -= 1
            else:
                yield outcome

    def stop(self) -> None:
        """Wait until the threads have ended, at the latest with the job they are in, and take over their counts."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        self.session.requests += sum(helper.requests for helper in self.helpers)
        self.session.rate_limited += sum(helper.rate_limited for helper in self.helpers)


def helper_of(session: Session) -> Session:
    """Return a session for another thread. A transport that is not ours to copy (a test's) is shared."""
    transport = HttpTransport() if type(session.transport) is HttpTransport else session.transport
    return Session(
        session.environment,
        transport=transport,
        tokens=session.tokens,
        budget=session.budget,
        on_drift=session.on_drift,
        wall_clock=session.wall_clock,
        monotonic=session.monotonic,
        sleep=session.sleep,
    )


def close(helper: Session) -> None:
    if isinstance(helper.transport, HttpTransport):
        helper.transport.close()


def calls_within(session: Session, seconds: float) -> int:
    """Return how many calls the broker allows in so many seconds."""
    return max(int(seconds / SECONDS_BETWEEN_CALLS[session.environment.mode]), 1)
