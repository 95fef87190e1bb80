"""Make a backup of everything at one moment."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from aegis.architecture import version
from aegis.backup.archive import HEADER, Member, json_member, write_archive
from aegis.backup.errors import BackupError, no_room
from aegis.backup.places import one_moment
from aegis.backup.rows import Count, Table, applied_migrations, lines, tables_of
from aegis.backup.sealing import Seal
from trading import journal

#: Rows go into members of about this size.
PART_BYTES = 4_000_000
ROWS = "rows.json"
JOURNAL = "files/order_journal.jsonl"
REPORTS = "files/reports/"
KEYS = "keys/"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What else goes into a backup besides the database and the journal of orders."""

    keys: bool = False
    reports: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was written."""

    path: Path
    tables: int
    rows: int
    size: int


def make_backup(
    path: Path, *, seal: Seal, wanted: Wanted, at: datetime, check: Callable[[Path], object] | None = None
) -> Made:
    """Write a backup of this moment; it appears under its name only when it is whole, and `check` finds no fault in it.

    Raises BackupError.
    """
    if path.exists():
        raise BackupError(f"이미 있는 파일에는 쓰지 않습니다: {path}")
    begun = path.with_name(f".{path.name}.{os.getpid()}")
    counts: dict[str, Count] = {}
    try:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with one_moment() as reader:
                members = everything(reader, counts=counts, wanted=wanted, at=at)
                about = {"created_at": at.astimezone(UTC).isoformat(timespec="seconds"), "version": version()}
                write_archive(begun, members, seal=seal, about=about, at=at.timestamp())
            if check is not None:
                check(begun)
            size = begun.stat().st_size
            begun.rename(path)
        except OSError as error:
            raise no_room(error) from None
    finally:
        begun.unlink(missing_ok=True)
    return Made(path, len(counts), sum(count.rows for count in counts.values()), size)


def everything(
    reader: BaseDatabaseWrapper, *, counts: dict[str, Count], wanted: Wanted, at: datetime
) -> Iterator[Member]:
    """Yield what goes into a backup, a few rows at a time."""
    tables = tables_of(reader)
    yield json_member(HEADER, header(reader, tables, at=at))
    for table in tables:
        counts[table.name] = Count()
        yield from parts(reader, table, counts[table.name])
    yield json_member(ROWS, {name: count.written() for name, count in counts.items()})
    yield from files(wanted)


def header(reader: BaseDatabaseWrapper, tables: list[Table], *, at: datetime) -> dict[str, Any]:
    return {
        "version": version(),
        "created_at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "database": reader.vendor,
        "demo": bool(settings.AEGIS_DEMO),
        "migrations": applied_migrations(reader),
        "tables": [table.written() for table in tables],
    }


def parts(reader: BaseDatabaseWrapper, table: Table, count: Count) -> Iterator[Member]:
    """Yield the rows of a table as members of a size that fits into memory."""
    part, number = bytearray(), 0
    for line in lines(reader, table):
        count.add(line)
        part += line
        if len(part) >= PART_BYTES:
            number += 1
            yield Member(part_name(table, number), bytes(part))
            part.clear()
    if part:
        yield Member(part_name(table, number + 1), bytes(part))


def part_name(table: Table, number: int) -> str:
    return f"tables/{table.name}/{number:06}.jsonl"


def files(wanted: Wanted) -> Iterator[Member]:
    """Yield the files that matter: what the broker answered to orders, and on request prints and keys."""
    if journal.file().is_file():
        yield Member(JOURNAL, journal.file().read_bytes())
    if wanted.reports:
        for path in sorted(Path(settings.REPORT_DIR).glob("*.pdf")):
            yield Member(f"{REPORTS}{path.name}", path.read_bytes())
    if wanted.keys:
        yield Member(f"{KEYS}secret-key", settings.SECRET_KEY.encode())
        yield Member(f"{KEYS}encryption-key", settings.AEGIS_ENCRYPTION_KEY.encode())
        env = Path(os.environ.get("AEGIS_ENV_FILE", Path(settings.BASE_DIR) / ".env"))
        if env.is_file():
            yield Member(f"{KEYS}env", env.read_bytes())
