"""Ask the broker for several things at once, and hand the answers to the one thread that writes."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Generic, TypeVar

from django.db import connection, connections

from kis.client.errors import KisUnreachable
from kis.client.session import Session
from kis.client.throttle import SECONDS_BETWEEN_CALLS
from kis.client.transport import HttpTransport

#: Enough to fill the broker's rate while each answer takes its time; more would only wait for their turn.
WORKERS = 4
#: So many calls one after the other without an answer mean that the broker is not there, not that one stock is odd.
MOST_UNANSWERED = 3

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Job, Result]):
    """What became of a job: a result, or the error that ended it."""

    job: Job
    result: Result | None = None
    error: Exception | None = None


def ask_all(
    session: Session,
    jobs: Sequence[Job],
    ask: Callable[[Session, Job], Result],
    *,
    workers: int = WORKERS,
) -> Generator[Outcome[Job, Result]]:
    """Yield the outcome of each job as it comes; `ask` runs in other threads, whatever is done with outcomes in this one.

    Each thread has a session of its own, with its own connection to the broker, that shares token and rate budget with
    `session` and adds to its counters. An error is an outcome and stops no other job, except that a broker that leaves
    several calls in a row unanswered is left alone: jobs without an outcome were not done. Close the iterator (`closing`)
    when leaving it early: that ends the threads.
    Inside a transaction the jobs run here, one after the other: a thread would not see what is not committed, and could
    wait for it for ever.
    """
    if workers < 2 or len(jobs) < 2 or connection.in_atomic_block:  # noqa: PLR2004  # nothing to do at once
        yield from until_silent(outcome_of(session, job, ask) for job in jobs)
        return
    session.token()  # once, before several threads find that there is none
    team = Team(session, jobs, ask, workers=min(workers, len(jobs)))
    try:
        yield from until_silent(team.outcomes())
    finally:
        team.stop()


def until_silent(outcomes: Iterable[Outcome[Job, Result]]) -> Iterator[Outcome[Job, Result]]:
    """End early when nobody answers any more."""
    unanswered = 0
    for outcome in outcomes:
        yield outcome
        unanswered = unanswered + 1 if isinstance(outcome.error, KisUnreachable) else 0
        if unanswered == MOST_UNANSWERED:
            return


def outcome_of(session: Session, job: Job, ask: Callable[[Session, Job], Result]) -> Outcome[Job, Result]:
    try:
        return Outcome(job, result=ask(session, job))
    except Exception as error:  # noqa: BLE001  # the writing thread decides what each error means
        return Outcome(job, error=error)


class Team(Generic[Job, Result]):
    """The threads of one `ask_all`."""

    def __init__(
        self, session: Session, jobs: Sequence[Job], ask: Callable[[Session, Job], Result], *, workers: int
    ) -> None:
        self.session = session
        self.ask = ask
        self.waiting: SimpleQueue[Job] = SimpleQueue()
        for job in jobs:
            self.waiting.put(job)
        self.count = len(jobs)
        self.done: SimpleQueue[Outcome[Job, Result]] = SimpleQueue()
        self.stopping = Event()
        self.helpers = [helper_of(session) for _ in range(workers)]
        self.threads = [
            Thread(target=self.work, args=(helper,), name=f"kis-{number}", daemon=True)
            for number, helper in enumerate(self.helpers, start=1)
        ]
        for thread in self.threads:
            thread.start()

    def work(self, helper: Session) -> None:
        try:
            while not self.stopping.is_set():
                self.done.put(outcome_of(helper, self.waiting.get_nowait(), self.ask))
        except Empty:
            pass
        finally:
            if helper.transport is not self.session.transport:
                close(helper)
            connections.close_all()  # Django's belong to the thread

    def outcomes(self) -> Iterator[Outcome[Job, Result]]:
        for _ in range(self.count):
            yield self.done.get()

    def stop(self) -> None:
        """Wait until the threads have ended, at the latest with the call they are in, and take over their counts."""
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
