"""Ask for the charts of many stocks, and say in one place what could not be had."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
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

    def charts(self, wanted: Sequence[Sequence[W]]) -> Iterator[tuple[int, list[tuple[W, C]]]]:
        """Yield the place of each group of windows (of one stock) with what came of it, up to the first that failed.

        What could not be had is told in `problems`, stock by stock; a broker that is silent is told once.
        """

        def ask_for(session: Session, place: int) -> Iterator[C]:
            return (self.ask(session, window) for window in wanted[place])

        answered: set[int] = set()
        places = range(len(wanted))
        with closing(
            ask_all(self.session, places, ask_for, stock_of=lambda place: wanted[place][0].code)
        ) as outcomes:
            for outcome in outcomes:
                answered.add(outcome.job)
                windows = wanted[outcome.job]
                came = list(zip(windows, outcome.results, strict=False))
                self.calls += sum(window.calls for window in windows[: len(came) + bool(outcome.error)])
                for window, chart in came:
                    self.tell(f"{window.code}: {text}" for text in chart.problems)
                if isinstance(outcome.error, KisError):
                    self.tell([f"{windows[0].code}: {outcome.error}"])
                    self.failed.add(windows[0].code)
                elif outcome.error is not None:
                    raise outcome.error
                yield outcome.job, came
                self.listener.advanced(label=self.label, done=len(answered), total=len(wanted))
        silent = {wanted[place][0].code for place in places if place not in answered}
        if silent:
            self.tell([f"증권사가 응답하지 않아 {len(silent)}종목의 {self.label}은 다음에 받습니다."])
            self.failed |= silent

    def tell(self, problems: Iterable[str]) -> None:
        self.problems += [text for text in problems if text not in self.problems]
