"""Databases to read from and to build in, each standing in for the site's own while it is used."""

import copy
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3.base import DatabaseWrapper

from aegis.backup.errors import BackupError

DEFAULT = "default"
#: Nobody else works in these; what a killed process has left there is thrown away by the next one.
SCHEMA = "aegis_restoring"
FOLDER = ".restoring-"
#: From here on a transaction reads what there is at this moment.
FIRST_READ = {
    "postgresql": "SET TRANSACTION READ ONLY",  # and the moment is that of the first query
    "sqlite": "SELECT count(*) FROM sqlite_master",
}


@contextmanager
def standing_in(wrapper: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    """Let everything in this thread use another database as if it were the site's."""
    own = connections[DEFAULT]
    connections[DEFAULT] = wrapper
    try:
        yield wrapper
    finally:
        connections[DEFAULT] = own


def another(**changes: Any) -> BaseDatabaseWrapper:  # noqa: ANN401  # settings of a database
    """Return one more connection like the site's; `changes` are settings, those in OPTIONS are added."""
    wanted: dict[str, Any] = copy.deepcopy(connections[DEFAULT].settings_dict)
    wanted["OPTIONS"] = {**wanted["OPTIONS"], **changes.pop("OPTIONS", {})}
    return type(connections[DEFAULT])({**wanted, **changes}, DEFAULT)


@contextmanager
def one_moment() -> Iterator[BaseDatabaseWrapper]:
    """Read the site's database as it is at one moment, while others go on writing."""
    if connection.vendor == "postgresql":
        from django.db.backends.postgresql.psycopg_any import IsolationLevel  # noqa: PLC0415  # needs psycopg

        reader = another(OPTIONS={"isolation_level": IsolationLevel.REPEATABLE_READ})
    else:
        reader = another(OPTIONS={"transaction_mode": "DEFERRED"})
    try:
        with standing_in(reader), transaction.atomic():
            with reader.cursor() as cursor:
                cursor.execute(FIRST_READ[reader.vendor])
            yield reader
    finally:
        reader.close()


@contextmanager
def site_to_be(*, beside: bool) -> Iterator[BaseDatabaseWrapper]:
    """Offer an empty database to build in: `beside` the site's, to take its place, or anywhere, to be looked at.

    Gone afterwards in any case. What is only looked at is built in a file where the site's server lets us make no schema;
    raises BackupError where it has to be there.
    """
    on_server = connection.vendor == "postgresql"
    if on_server and (beside or may_make_schemas()):
        with schema(SCHEMA) as wrapper:
            yield wrapper
        return
    next_to_it = beside and not on_server
    parent = Path(str(connection.settings_dict["NAME"])).parent if next_to_it else Path(settings.VAR_DIR)
    with folder(parent) as place:
        wrapper = file_database(place / "books.sqlite3")
        try:
            yield wrapper
        finally:
            wrapper.close()


def may_make_schemas() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_database_privilege(current_database(), 'CREATE')")
        return bool(cursor.fetchone()[0])


@contextmanager
def folder(parent: Path) -> Iterator[Path]:
    """Offer a folder of our own, after throwing away what others have left there."""
    for left in parent.glob(f"{FOLDER}*"):
        shutil.rmtree(left, ignore_errors=True)
    place = Path(tempfile.mkdtemp(prefix=FOLDER, dir=parent))  # 0700
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def file_database(path: Path) -> BaseDatabaseWrapper:
    """Return a SQLite database that nobody else reads: what is half-built after a crash is thrown away anyway."""
    options = {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;",
    }
    like_the_site = copy.deepcopy(connections[DEFAULT].settings_dict)
    return DatabaseWrapper(
        {**like_the_site, "ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": options},
        DEFAULT,
    )


@contextmanager
def schema(name: str) -> Iterator[BaseDatabaseWrapper]:
    """Offer an empty schema of the site's PostgreSQL database."""
    if not may_make_schemas():
        raise BackupError(
            "데이터베이스 사용자에게 스키마를 만들 권한이 없습니다. 관리자 계정으로 실행해 주세요: "
            "GRANT CREATE ON DATABASE 이름 TO 사용자"
        )
    options = str(connection.settings_dict["OPTIONS"].get("options", ""))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        cursor.execute(f"CREATE SCHEMA {name}")
    wrapper = another(OPTIONS={"options": f"{options} -c search_path={name}".strip()})
    try:
        yield wrapper
    finally:
        wrapper.close()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
