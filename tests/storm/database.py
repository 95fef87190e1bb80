"""A fresh database for every seed, and the places between its statements."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection as django_connection

Point = Callable[[str], None]
#: Also with what the types of Django keep to themselves.
connection: Any = django_connection


class Fresh:
    """Puts the database back to what it was when this was made: copied as a whole, or emptied."""

    def __init__(self) -> None:
        self.template: sqlite3.Connection | None = None
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            self.template = sqlite3.connect(":memory:")
            connection.connection.backup(self.template)

    def again(self) -> None:
        if self.template is not None:
            self.template.backup(connection.connection)
            return
        models = [model for app in ("kis", "trading") for model in apps.get_app_config(app).get_models()]
        tables = ", ".join(f'"{model._meta.db_table}"' for model in models)  # noqa: SLF001  # public by custom
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")  # triggers are for rows


@contextmanager
def watched(point: Point) -> Iterator[None]:
    """Let `point` be called before every statement, and before and after every commit."""

    def statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith("ROLLBACK"):
            point(f"sql {sql.split(None, 1)[0]}")
        return execute(sql, params, many, context)

    commit = connection._commit  # noqa: SLF001  # the one place where a transaction ends

    def watched_commit() -> None:
        try:
            point("commit")
        except BaseException:
            # Of a transaction that was cut off before its end nothing remains.
            connection.connection.rollback()
            raise
        commit()
        point("commit done")

    connection._commit = watched_commit  # noqa: SLF001
    try:
        with connection.execute_wrapper(statement):
            yield
    finally:
        del connection._commit  # noqa: SLF001


def rows(sql: str, *params: object) -> list[tuple[Any, ...]]:
    """Ask the database past all hooks, on the connection that everybody shares."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
