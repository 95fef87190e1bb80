"""Ask for the charts of many stocks, and say in one place what could not be had."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from kis.client.errors import KisError
from kis.client.session import Session
from kis.sync.pool import ask_all
from kis.sync.progress import Listener


class StockWindow(Protocol):
    """A part of a stock's chart; `calls` is what the broker is asked for it, roughly."""

    @property
    def code(self) -> str: ...

    @property
    def calls(self) -> int: ...


class Chart(Protocol):
    """What came, and a sentence for each bar in it that could not be read."""

    @property
    def problems(self) -> tuple[str, ...]: ...


W = TypeVar("W", bound=StockWindow)
C = TypeVar("C", bound=Chart)


@dataclass(slots=True)
class Group(Generic[W, C]):
    """Windows of one stock that belong together, and the charts that have come for them, by place."""

    windows: Sequence[W]
    waiting: int
    charts: dict[int, C] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        return len(self.charts) == len(self.windows)

    @property
    def beginning(self) -> list[tuple[W, C]]:
        """What came of the windows up to the first that did not come."""
        came = []
        for place, window in enumerate(self.windows):
            if place not in self.charts:
                break
            came.append((window, self.charts[place]))
        return came


class Asking(Generic[W, C]):
    """The questions of one run: several threads ask the broker, and whoever iterates here writes."""

    def __init__(
        self, session: Session, ask: Callable[[Session, W], C], *, label: str, listener: Listener
    ) -> None:
        self.session = session
        self.ask = ask
        self.label = label
        self.listener = listener
        self.calls = 0
        self.failed: set[str] = set()
        self.problems: list[str] = []

    def groups(self, wanted: Sequence[Sequence[W]]) -> Iterator[tuple[int, Group[W, C]]]:
        """Yield each group of windows with its place once all of it is answered, though perhaps by errors.

        What could not be had is told in `problems`, stock by stock; a broker that is silent is told once. A group that was
        not asked for to the end is yielded last, with what came.
        """
        groups: list[Group[W, C]] = [Group(windows, len(windows)) for windows in wanted]
        jobs = [(place, number) for place, group in enumerate(groups) for number in range(group.waiting)]

        def work(session: Session, job: tuple[int, int]) -> C:
            place, number = job
            return self.ask(session, groups[place].windows[number])

        done = 0
        with closing(ask_all(self.session, jobs, work)) as outcomes:
            for outcome in outcomes:
                place, number = outcome.job
                group = groups[place]
                window = group.windows[number]
                self.calls += window.calls
                group.waiting -= 1
                if outcome.result is not None:
                    group.charts[number] = outcome.result
                    self.tell(f"{window.code}: {text}" for text in outcome.result.problems)
                elif isinstance(outcome.error, KisError):
                    self.tell([f"{window.code}: {outcome.error}"])
                    self.failed.add(window.code)
                elif outcome.error is not None:
                    raise outcome.error
                if not group.waiting:
                    yield place, group
                    done += 1
                    self.listener.advanced(label=self.label, done=done, total=len(groups))
        silent = [(place, group) for place, group in enumerate(groups) if group.waiting]
        if silent:
            codes = {group.windows[0].code for _, group in silent}
            self.tell([f"증권사가 응답하지 않아 {len(codes)}종목의 {self.label}은 다음에 받습니다."])
            self.failed |= codes
        yield from silent

    def tell(self, problems: Iterable[str]) -> None:
        self.problems += [text for text in problems if text not in self.problems]
