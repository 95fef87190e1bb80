"""What the system document says; whoever reads the code fills it in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from kis.slots import Window


@dataclass(frozen=True, slots=True)
class Option:
    """An option or argument of a command, as it is typed: `--mode real|paper`."""

    typed: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    app: str
    text: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable of the environment; `default` is what the sample file shows."""

    name: str
    default: str
    text: str
    group: str


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    label: str
    kind: str
    nullable: bool
    note: str = ""
    target: str = ""  # the table that it points to

    @property
    def is_key(self) -> bool:
        return self.name == "id"


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `is_owned` says that its rows name their account themselves; `unique` are its natural keys."""

    name: str
    label: str
    app: str
    columns: tuple[Column, ...]
    unique: tuple[str, ...]
    rules: int
    indexes: int
    is_owned: bool

    @property
    def relations(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.target)


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction of the broker; an id is empty where the host does not offer it."""

    name: str
    label: str
    path: str  # of a call; blank for what is heard on the feed
    real: str
    paper: str
    legacy: str
    is_order: bool
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Host:
    label: str
    address: str
    feed: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the timetable, as `aegis.schedules` has it, and what its command says of itself."""

    name: str
    label: str
    task: str
    text: str
    window: Window
    every_day: bool = False

    @property
    def when(self) -> str:
        """Say how often and from when to when."""
        often = f"{self.window.minutes}분마다 {self.window}"
        if self.window.every >= timedelta(days=1):
            often = f"하루 한 번 {self.window.opens:%H:%M}"
        return f"{often}, 쉬는 날에도" if self.every_day else often


@dataclass(frozen=True, slots=True)
class State:
    """A state of an order and the states that may follow; `is_open` marks those whose outcome is not known."""

    name: str
    label: str
    next: tuple[str, ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Room:
    """A part of the code with the tables that it writes and those it only reads, and whom outside it talks to."""

    name: str
    label: str
    modules: int
    lines: int
    writes: frozenset[str]
    reads: frozenset[str]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SystemDocument:
    version: str
    commands: tuple[Command, ...]
    settings: tuple[Setting, ...]
    tables: tuple[Table, ...]
    transactions: tuple[Transaction, ...]
    hosts: tuple[Host, ...]
    jobs: tuple[Job, ...]
    states: tuple[State, ...]
    rooms: tuple[Room, ...]
    app_names: Mapping[str, str]
