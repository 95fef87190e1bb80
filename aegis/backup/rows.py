"""Tables of one state of the schema, and their rows as lines that read the same from either database."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal
from graphlib import TopologicalSorter
from typing import Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader

from aegis.backup.errors import BackupError

#: What another machine, or this one later, must not take up again: who is signed in, tasks that wait or ran, leases and
#: tokens of the broker's.
LEFT_OUT = frozenset(
    {
        "django_session",
        "django_q_ormq",
        "django_q_task",
        "kis_access_token",
        "kis_rate_budget",
        "kis_feed_lease",
    }
)
KINDS = {
    "int": (
        *(
            "AutoField",
            "BigAutoField",
            "SmallAutoField",
            "IntegerField",
            "BigIntegerField",
            "SmallIntegerField",
        ),
        *("PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField"),
    ),
    "text": ("CharField", "TextField", "GenericIPAddressField", "SlugField", "FileField"),
    "bool": ("BooleanField",),
    "float": ("FloatField",),
    "decimal": ("DecimalField",),
    "date": ("DateField",),
    "time": ("TimeField",),
    "moment": ("DateTimeField",),
    "json": ("JSONField",),
    "uuid": ("UUIDField",),
}
KIND_OF = {internal: kind for kind, internals in KINDS.items() for internal in internals}
FETCHED_AT_ONCE = 2_000
#: What SQLite keeps of a decimal number, and Django reads.
AS_KEPT = Context(prec=15)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `places` are those of a decimal number."""

    name: str
    kind: str
    places: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its columns; rows are read in the order of `key`."""

    name: str
    key: str
    columns: tuple[Column, ...]

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        return cls(
            str(values["name"]), str(values["key"]), tuple(Column(**column) for column in values["columns"])
        )

    def written(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def names(self) -> str:
        return ", ".join(f'"{column.name}"' for column in self.columns)


def applied_migrations(wrapper: BaseDatabaseWrapper) -> dict[str, list[str]]:
    """Return the migrations a database has been through, by app. Raises BackupError where it has been through others."""
    loader = MigrationLoader(wrapper)
    known = sorted(loader.applied_migrations.keys() & loader.graph.nodes.keys())
    if not known:
        raise BackupError("데이터베이스 표가 준비되지 않았습니다. 먼저 실행해 주세요: make setup")
    found: dict[str, list[str]] = {}
    for app, name in known:
        found.setdefault(app, []).append(name)
    return found


def tables_of(wrapper: BaseDatabaseWrapper) -> list[Table]:
    """Return the tables as they are after the migrations of a database, each after those it points to."""
    loader = MigrationLoader(wrapper)
    nodes = sorted(loader.applied_migrations.keys() & loader.graph.nodes.keys())
    found: dict[str, type[models.Model]] = {}
    for model in loader.project_state(nodes).apps.get_models(include_auto_created=True):
        meta = model._meta  # noqa: SLF001  # Django's own name for it
        if meta.managed and not meta.proxy and meta.db_table not in LEFT_OUT:
            found[meta.db_table] = model
    order = TopologicalSorter({name: points_to(model) - {name} for name, model in sorted(found.items())})
    return [table_of(found[name]) for name in order.static_order() if name in found]


def points_to(model: type[models.Model]) -> set[str]:
    fields = model._meta.concrete_fields  # noqa: SLF001  # as above
    targets = (field.related_model for field in fields)
    return {target._meta.db_table for target in targets if isinstance(target, type)}  # noqa: SLF001  # as above


def table_of(model: type[models.Model]) -> Table:
    meta = model._meta  # noqa: SLF001  # as above
    return Table(meta.db_table, str(meta.pk.column), tuple(map(column_of, meta.concrete_fields)))


def column_of(own: "models.Field[Any, Any]") -> Column:
    """Describe a column; one that points to a row has the kind of that row's key. Raises BackupError for a kind unknown."""
    inner: Any = own
    while inner.remote_field:
        inner = inner.target_field
    kind = KIND_OF.get(inner.get_internal_type())
    if kind is None:
        raise BackupError(f"{own.column} 열의 자료형은 아직 백업할 수 없습니다: {inner.get_internal_type()}")
    return Column(str(own.column), kind, getattr(inner, "decimal_places", 0) or 0)


# --- reading --------------------------------------------------------------------------------------------------------


def tidy(kind: str, places: int) -> Callable[[Any], Any] | None:
    """Return what makes a value of one database that of the other; None where they agree."""
    if kind == "bool":
        return bool
    if kind == "float":
        return float
    if kind == "json":
        return lambda value: in_order(json.loads(value) if isinstance(value, str) else value)
    if kind == "uuid":
        return lambda value: str(value if isinstance(value, UUID) else UUID(value))
    if kind == "decimal":
        return lambda value: format(AS_KEPT.create_decimal_from_float(float(value)), f".{places}f")
    return None


def in_order(value: object) -> str:
    """Write JSON with its names in order, as text: what a database makes of the order is its own affair."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def plain(value: object) -> str:
    """Write what JSON does not know: moments in UTC, days and times."""
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)


ENCODER = json.JSONEncoder(default=plain, ensure_ascii=False, separators=(",", ":"))


def lines(wrapper: BaseDatabaseWrapper, table: Table) -> Iterator[bytes]:
    """Yield the rows of a table, one JSON list a line; few are in memory at any time."""
    text_key = next(column.kind for column in table.columns if column.name == table.key) == "text"
    order = f'"{table.key}"' + (' COLLATE "C"' if text_key and wrapper.vendor == "postgresql" else "")
    # The names are those of our own models.
    sql = f'SELECT {table.names} FROM "{table.name}" ORDER BY {order}'  # noqa: S608
    tidying = [
        (place, tidied)
        for place, column in enumerate(table.columns)
        if (tidied := tidy(column.kind, column.places)) is not None
    ]
    with wrapper.chunked_cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(FETCHED_AT_ONCE):
            for row in rows:
                values = list(row)
                for place, tidied in tidying:
                    if values[place] is not None:
                        values[place] = tidied(values[place])
                yield f"{ENCODER.encode(values)}\n".encode()


@dataclass(slots=True)
class Count:
    """How many rows of a table went by, and what they were."""

    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, line: bytes) -> None:
        self.rows += 1
        self.digest.update(line)

    def written(self) -> dict[str, Any]:
        return {"rows": self.rows, "sha256": self.digest.hexdigest()}


def counted(wrapper: BaseDatabaseWrapper, table: Table) -> Count:
    """Return what a table holds. In a transaction, or PostgreSQL would first put all of it aside for the cursor."""
    count = Count()
    with transaction.atomic():
        for line in lines(wrapper, table):
            count.add(line)
    return count


# --- writing --------------------------------------------------------------------------------------------------------


def insert(cursor: CursorWrapper, table: Table, rows: Sequence[list[Any]], *, vendor: str) -> None:
    """Write rows as they were read into a table of either database."""
    if vendor == "postgresql":
        copy_in(cursor, table, rows)
        return
    marks = ", ".join("?" for _ in table.columns)
    sql = f'INSERT INTO "{table.name}" ({table.names}) VALUES ({marks})'  # noqa: S608  # as above
    moments = [place for place, column in enumerate(table.columns) if column.kind == "moment"]
    ids = [place for place, column in enumerate(table.columns) if column.kind == "uuid"]
    for row in rows:
        for place in moments:
            if row[place] is not None:
                row[place] = row[place].removesuffix("+00:00").replace("T", " ")
        for place in ids:
            if row[place] is not None:
                row[place] = UUID(row[place]).hex
    cursor.connection.executemany(sql, rows)


def copy_in(cursor: CursorWrapper, table: Table, rows: Sequence[list[Any]]) -> None:
    """Hand rows to PostgreSQL in one piece, as CSV in which every text is quoted and NULL is empty."""
    text = io.StringIO()
    for row in rows:
        text.write(",".join(map(cell, row)))
        text.write("\n")
    text.seek(0)
    sql = f'COPY "{table.name}" ({table.names}) FROM STDIN WITH (FORMAT csv)'
    cursor.copy_expert(sql, text)


def cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return repr(value)


def lines_of(content: bytes, count: Count) -> list[list[Any]]:
    """Read lines back into rows, and count them."""
    rows = []
    for line in content.splitlines(keepends=True):
        count.add(line)
        rows.append(json.loads(line))
    return rows
