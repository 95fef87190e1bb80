"""Build the books of a backup anew in an empty database, and hold them against what the backup says they were."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.management.color import no_style
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from aegis.backup.archive import HEADER, Member
from aegis.backup.errors import BackupError, Damaged, NewerVersion
from aegis.backup.locked import Locked, locked
from aegis.backup.making import KEYS, ROWS
from aegis.backup.rows import Count, Table, counted, insert, lines_of, tables_of
from trading import audit


@dataclass(frozen=True, slots=True)
class Header:
    """What a backup says of itself."""

    version: str
    created_at: datetime
    demo: bool
    migrations: frozenset[tuple[str, str]]
    tables: tuple[Table, ...]

    @classmethod
    def read(cls, member: Member) -> "Header":
        """Read the header of a backup. Raises Damaged for what is none."""
        if member.name != HEADER:
            raise Damaged
        values = member.json()
        try:
            return cls(
                str(values["version"]),
                datetime.fromisoformat(values["created_at"]),
                bool(values["demo"]),
                frozenset((app, name) for app, names in values["migrations"].items() for name in names),
                tuple(Table.read(table) for table in values["tables"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Damaged from None


@dataclass(slots=True)
class Built:
    """Books that were built from a backup and are what it says; `files` are what came along.

    `locked` is what this machine's keys do not open in them.
    """

    header: Header
    rows: int
    events: int
    locked: Locked
    files: list[Member] = field(default_factory=list)

    @property
    def has_keys(self) -> bool:
        return any(member.name.startswith(KEYS) for member in self.files)


def build(place: BaseDatabaseWrapper, header: Header, members: Iterator[Member]) -> Built:
    """Build the books in an empty database that stands in for the site's. Raises BackupError.

    The schema is that of the backup while its rows are written and compared, and goes on to today's afterwards.
    """
    migrate(place, header)
    same_tables(place, header)
    counts: dict[str, Count] = {table.name: Count() for table in header.tables}
    files: list[Member] = []
    with unguarded(place, header.tables):
        said = load(place, header, members, counts=counts, files=files)
        hold_against(said, counts)
        hold_against(said, {table.name: counted(place, table) for table in header.tables})
        place.check_constraints()
    set_sequences(place)
    executor = MigrationExecutor(place)
    executor.migrate(executor.loader.graph.leaf_nodes())
    found = audit.verify()
    if found.problems:
        raise BackupError(f"백업 안의 주문 이력이 이어지지 않습니다. {found.problems[0]}")
    return Built(header, sum(count.rows for count in counts.values()), found.events, locked(), files)


def migrate(place: BaseDatabaseWrapper, header: Header) -> None:
    """Bring the empty database to the schema of the backup. Raises NewerVersion where we do not know it."""
    executor = MigrationExecutor(place)
    if not header.migrations <= executor.loader.graph.nodes.keys():
        raise NewerVersion(header.version)
    executor.migrate(leaves(executor.loader, header.migrations))


def leaves(loader: MigrationLoader, applied: frozenset[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the last migrations of each app, from which all the others follow."""
    graph = loader.graph
    return [
        key
        for key in sorted(applied)
        if not any(child[0] == key[0] and tuple(child) in applied for child in graph.node_map[key].children)
    ]


def same_tables(place: BaseDatabaseWrapper, header: Header) -> None:
    """Raise Damaged where the tables of the backup are not those of its own schema."""
    if set(tables_of(place)) != set(header.tables):
        raise Damaged


@contextmanager
def unguarded(place: BaseDatabaseWrapper, tables: Sequence[Table]) -> Iterator[None]:
    """Lift triggers and foreign keys while rows are written as they were; what a migration has filled in makes way."""
    with place.cursor() as cursor:
        if place.vendor == "postgresql":
            cursor.execute(
                "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
            )
            off = [f'ALTER TABLE "{name}" DISABLE TRIGGER USER' for (name,) in cursor.fetchall()]
            on = [sql.replace("DISABLE", "ENABLE") for sql in off]
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            off = [f'DROP TRIGGER "{name}"' for name, _ in triggers]
            on = [sql for _, sql in triggers]
            place.disable_constraint_checking()
        for sql in off:
            cursor.execute(sql)
        for table in reversed(tables):
            cursor.execute(f'DELETE FROM "{table.name}"')  # noqa: S608  # names of our own models
        yield
        if place.vendor == "sqlite":
            place.enable_constraint_checking()
        for sql in on:
            cursor.execute(sql)


def load(
    place: BaseDatabaseWrapper,
    header: Header,
    members: Iterator[Member],
    *,
    counts: dict[str, Count],
    files: list[Member],
) -> dict[str, Any]:
    """Write the rows and return what the backup says there were. Raises Damaged."""
    tables = {table.name: table for table in header.tables}
    said: dict[str, Any] | None = None
    for member in members:
        if member.name == ROWS:
            said = member.json()
        elif not member.name.startswith("tables/"):
            files.append(member)
        else:
            table = tables.get(member.name.split("/")[1])
            if table is None:
                raise Damaged
            try:
                rows = lines_of(member.content, counts[table.name])
            except (ValueError, RecursionError):
                raise Damaged from None
            with transaction.atomic(), place.cursor() as cursor:
                insert(cursor, table, rows, vendor=place.vendor)
    if said is None:
        raise Damaged
    return said


def hold_against(said: dict[str, Any], counts: dict[str, Count]) -> None:
    """Raise Damaged where the rows of a table are not as many, or not those, that the backup says."""
    if said != {name: count.written() for name, count in counts.items()}:
        raise Damaged


def set_sequences(place: BaseDatabaseWrapper) -> None:
    """Let new rows have numbers after those there are; SQLite does so by itself."""
    loader = MigrationLoader(place)
    nodes = sorted(loader.applied_migrations.keys() & loader.graph.nodes.keys())
    models = loader.project_state(nodes).apps.get_models(include_auto_created=True)
    with place.cursor() as cursor:
        for sql in place.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(sql)
