"""What a sync tells whoever watches it."""

from dataclasses import asdict, dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Step:
    """A finished step: how many of what (`20종목`), through which TR, how long it took."""

    name: str
    label: str
    count: str
    seconds: float
    tr_id: str = ""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "seconds": round(self.seconds, 3)}


class Listener(Protocol):
    """Hears of a sync while it runs."""

    def started(self, run_id: int) -> None: ...

    def finished(self, step: Step) -> None: ...

    def advanced(self, *, label: str, done: int, total: int) -> None: ...


class Quiet:
    """Listens to nothing."""

    def started(self, run_id: int) -> None:
        pass

    def finished(self, step: Step) -> None:
        pass

    def advanced(self, *, label: str, done: int, total: int) -> None:
        pass
