"""The database: reachable, up to date, and keeping what it has confirmed."""

from pathlib import Path

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from aegis.health.case import Case, Result, fine, problem, warning
from kis.commands import explain_database

FULL = 2
OLDEST_POSTGRES = 14


def database(_case: Case) -> Result:
    """Examine the database of the site."""
    return examine_database(connection)


def examine_database(wrapper: BaseDatabaseWrapper) -> Result:
    """Reach it, compare migrations, and see whether it is written to safely."""
    if is_missing_file(wrapper):
        return problem("데이터베이스 파일이 아직 없습니다.", "make setup")
    try:
        wrapper.ensure_connection()
        missing = waiting_migrations(wrapper)
        if missing:
            return problem(f"적용하지 않은 마이그레이션이 {missing}개 있습니다.", "make setup")
        return of_sqlite(wrapper) if wrapper.vendor == "sqlite" else of_postgres(wrapper)
    except DatabaseError as error:
        remedy = (
            "DATABASE_URL과 데이터베이스 서버를 확인해 주세요."
            if wrapper.vendor != "sqlite"
            else "파일과 폴더의 권한, 남은 공간을 확인해 주세요."
        )
        return problem(explain_database(error), remedy)


def is_missing_file(wrapper: BaseDatabaseWrapper) -> bool:
    """Whether SQLite would make a new, empty file just because somebody looked."""
    name = str(wrapper.settings_dict["NAME"])
    return (
        wrapper.vendor == "sqlite"
        and "mode=memory" not in name
        and not Path(name.removeprefix("file:").partition("?")[0]).exists()
    )


def waiting_migrations(wrapper: BaseDatabaseWrapper) -> int:
    executor = MigrationExecutor(wrapper)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def answer(wrapper: BaseDatabaseWrapper, question: str) -> object:
    with wrapper.cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
    return row[0] if row else None


def of_sqlite(wrapper: BaseDatabaseWrapper) -> Result:
    """See whether the file is shared by its writers and survives a power cut."""
    mode = str(answer(wrapper, "PRAGMA journal_mode")).lower()
    synchronous = answer(wrapper, "PRAGMA synchronous")
    # Writing what stands there already is the only way to learn whether writing is possible.
    version = answer(wrapper, "PRAGMA user_version")
    answer(wrapper, f"PRAGMA user_version = {version}")
    if mode not in {"wal", "memory"}:
        return warning(
            f"SQLite 저널이 {mode}입니다. 작업자와 사이트가 서로 기다리게 됩니다.",
            "파일을 WAL을 쓸 수 있는 로컬 디스크로 옮겨 주세요.",
        )
    if synchronous != FULL:
        return warning(
            "SQLite가 저장을 끝까지 기다리지 않아 정전 때 마지막 기록을 잃을 수 있습니다.",
            "DATABASE_URL의 옵션을 지워 기본 설정(synchronous FULL)을 쓰게 해 주세요.",
        )
    return fine(f"SQLite, 쓰기 가능, 저널 {mode.upper()}, 마이그레이션 모두 적용.")


def of_postgres(wrapper: BaseDatabaseWrapper) -> Result:
    version = int(str(answer(wrapper, "SHOW server_version_num"))) // 10_000
    if answer(wrapper, "SHOW transaction_read_only") == "on":
        return problem(
            "PostgreSQL이 읽기 전용입니다.",
            "DATABASE_URL이 대기(standby) 서버를 가리키지 않는지 확인해 주세요.",
        )
    if version < OLDEST_POSTGRES:
        return warning(
            f"PostgreSQL {version}은 지원이 끝났습니다.", f"{OLDEST_POSTGRES} 이상으로 올려 주세요."
        )
    return fine(f"PostgreSQL {version}, 쓰기 가능, 마이그레이션 모두 적용.")
