"""Bring a backup back: built and compared beside the site's books, which it then replaces in one step."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from pyrage import x25519

from aegis.alerts.restored import withhold_restored
from aegis.backup.archive import Envelope, Member, members_of
from aegis.backup.building import Built, Header, build
from aegis.backup.errors import BackupError, NotEmpty
from aegis.backup.making import JOURNAL, KEYS, REPORTS
from aegis.backup.places import SCHEMA, one_moment, site_to_be, standing_in
from aegis.backup.rows import tables_of
from kis.commands import explain_database
from trading import journal
from trading.restored import Settled, settle_restored

#: How long others may keep us from changing over.
PATIENCE_SECONDS = 20
OLD_SCHEMA = "aegis_replaced"
#: There from the first migration on, or from `make run`, before anything is the owner's.
OF_EVERY_SITE = frozenset({"django_content_type", "auth_permission", "django_q_schedule"})
WAITS = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
BUSY = "다른 프로세스가 데이터베이스를 쓰고 있습니다. 사이트와 작업자를 멈춘 뒤 다시 실행해 주세요. 바뀐 것은 없습니다."


@dataclass(frozen=True, slots=True)
class Present:
    """What stands in the database now."""

    rows: int
    tables: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back, and what became of orders under way, of alerts that waited, and of the files."""

    built: Built
    settled: Settled
    withheld: int
    keys: Path | None


@contextmanager
def alone() -> Iterator[None]:
    """Let no other backup or restoring begin on this machine meanwhile. Raises BackupError."""
    path = Path(settings.VAR_DIR) / "backup.lock"
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError("다른 백업이나 복원이 실행 중입니다. 끝난 뒤 다시 실행해 주세요.") from None
        yield


def present() -> Present:
    """Count what restoring would replace."""
    with one_moment() as reader, reader.cursor() as cursor:
        counts = []
        for table in tables_of(reader):
            if table.name not in OF_EVERY_SITE:
                cursor.execute(f'SELECT count(*) FROM "{table.name}"')  # noqa: S608  # names of our own models
                counts.append(cursor.fetchone()[0])
    return Present(sum(counts), sum(count > 0 for count in counts))


def check(envelope: Envelope, opener: x25519.Identity) -> Built:
    """Build a backup somewhere and throw it away again: what can be built can be restored. Raises BackupError."""
    with members_of(envelope, opener) as members:
        header = header_of(members)
        with site_to_be(beside=False) as place, standing_in(place):
            return build(place, header, members)


def restore(
    envelope: Envelope,
    opener: x25519.Identity,
    *,
    may_replace: Callable[[Header, Present], bool],
    at: datetime,
) -> Restored:
    """Put the books of a backup in the place of the site's: all of it, or nothing. Raises BackupError.

    `may_replace` is asked where there is something to replace.
    """
    with members_of(envelope, opener) as members:
        header = header_of(members)
        if header.demo != bool(settings.AEGIS_DEMO):
            raise BackupError(
                "데모의 백업은 데모에만 되살릴 수 있습니다."
                if header.demo
                else "실제 계좌의 백업은 데모에 되살릴 수 없습니다. AEGIS_DEMO=false로 두고 다시 실행해 주세요."
            )
        now = present()
        if now.rows and not may_replace(header, now):
            raise NotEmpty(
                f"데이터베이스에 자료 {now.rows:,}건이 있어 되살리지 않았습니다. 바뀐 것은 없습니다."
            )
        with site_to_be(beside=True) as place:
            with standing_in(place):
                built = build(place, header, members)
                settled = settle_restored(at=at, made_at=header.created_at)
                withheld = withhold_restored(at=at)
            change_over(place)
    return Restored(built, settled, withheld, put_back(built.files, at=at))


def header_of(members: Iterator[Member]) -> Header:
    return Header.read(next(members))


# --- changing over --------------------------------------------------------------------------------------------------


def change_over(place: BaseDatabaseWrapper) -> None:
    """Let what was built be the site's books, in one step. Raises BackupError, and then nothing has changed."""
    if connection.vendor == "postgresql":
        change_schemas()
    else:
        copy_over(place)


def copy_over(place: BaseDatabaseWrapper) -> None:
    """Copy page by page into the site's file, in one transaction of SQLite's: other processes see all of it or nothing."""
    connection.ensure_connection()
    ends_at = time.monotonic() + PATIENCE_SECONDS

    def wait(status: int, remaining: int, total: int) -> None:  # noqa: ARG001  # SQLite's signature
        if status in WAITS and time.monotonic() > ends_at:
            raise BackupError(BUSY)

    try:
        place.connection.backup(connection.connection, progress=wait, sleep=0.1)
    except sqlite3.Error as error:
        raise BackupError(f"{explain_database(OperationalError(str(error)))} 바뀐 것은 없습니다.") from None
    finally:
        connection.close()


def change_schemas() -> None:
    """Move the tables of before out of the way and the new ones in, in one transaction of PostgreSQL's."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE_SECONDS}s'")
            cursor.execute("SELECT current_schema()")
            [(here,)] = cursor.fetchall()
            cursor.execute(f"DROP SCHEMA IF EXISTS {OLD_SCHEMA} CASCADE")
            cursor.execute(f"CREATE SCHEMA {OLD_SCHEMA}")
            for kind, names in objects_of(cursor, SCHEMA):
                for name in names:
                    if exists(cursor, kind, name, schema=here):
                        cursor.execute(f'ALTER {kind} "{here}".{name} SET SCHEMA {OLD_SCHEMA}')
                    cursor.execute(f'ALTER {kind} {SCHEMA}.{name} SET SCHEMA "{here}"')
            cursor.execute(f"DROP SCHEMA {OLD_SCHEMA} CASCADE")
    except OperationalError as error:
        if "lock timeout" in str(error):
            raise BackupError(BUSY) from None
        raise


def objects_of(cursor: Any, schema: str) -> list[tuple[str, list[str]]]:  # noqa: ANN401  # Django's cursor
    """Return the tables and functions of a schema; indexes, triggers and sequences of their own go with them."""
    cursor.execute(
        "SELECT quote_ident(relname) FROM pg_class WHERE relkind IN ('r', 'p', 'v') AND NOT relispartition"
        " AND relnamespace = %s::regnamespace ORDER BY 1",
        [schema],
    )
    tables = [name for (name,) in cursor.fetchall()]
    cursor.execute(
        "SELECT quote_ident(proname) || '(' || pg_get_function_identity_arguments(oid) || ')' FROM pg_proc"
        " WHERE pronamespace = %s::regnamespace ORDER BY 1",
        [schema],
    )
    return [("TABLE", tables), ("FUNCTION", [name for (name,) in cursor.fetchall()])]


def exists(cursor: Any, kind: str, name: str, *, schema: str) -> bool:  # noqa: ANN401  # as above
    look = "to_regclass" if kind == "TABLE" else "to_regprocedure"
    cursor.execute(f"SELECT {look}(%s) IS NOT NULL", [f'"{schema}".{name}'])
    return bool(cursor.fetchone()[0])


# --- files ----------------------------------------------------------------------------------------------------------


def put_back(files: list[Member], *, at: datetime) -> Path | None:
    """Put files where they belong, never over what is there; returns the folder of the keys, which the owner puts to use."""
    keys = None
    for member in files:
        if member.name == JOURNAL:
            add_lines(journal.file(), member.content)
        elif member.name.startswith(REPORTS):
            write_new(Path(settings.REPORT_DIR) / Path(member.name).name, member.content)
        elif member.name.startswith(KEYS):
            keys = Path(settings.VAR_DIR) / f"restored-keys-{at:%Y%m%d-%H%M%S}"
            write_new(keys / Path(member.name).name, member.content)
    return keys


def write_new(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def add_lines(path: Path, content: bytes) -> None:
    """Add the lines that are not there yet."""
    there = set(path.read_bytes().splitlines()) if path.is_file() else set()
    fresh = [line for line in content.splitlines() if line and line not in there]
    if not fresh:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(b"\n" + b"\n".join(fresh) + b"\n")
