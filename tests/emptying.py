"""Takes back what a test has committed: only tables that hold rows are emptied, and what migrations wrote stays."""

from contextlib import contextmanager
from functools import cache

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management.sql import emit_post_migrate_signal
from django.db import connections, transaction
from django.test import TransactionTestCase

#: Written by `migrate` and the same for every test; making them anew took longer than most tests.
OF_MIGRATE = {
    "django_content_type": "id, app_label, model",
    "auth_permission": "id, content_type_id, codename",
}


@cache
def tables(database):
    return sorted(database.introspection.django_table_names(include_views=False))


def written_by_migrate(database):
    with database.cursor() as cursor:
        for table, columns in OF_MIGRATE.items():
            cursor.execute(f"SELECT {columns} FROM {table} ORDER BY id")  # noqa: S608  # names from above
            yield table, cursor.fetchall()


def holding_rows(database):
    asked = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables(database))  # noqa: S608  # our own names
    with database.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        return {table for (table,) in cursor.fetchall()}


def empty(database, names):
    """Delete the rows of some tables, past foreign keys and past the triggers of those that are never emptied."""
    emptied = [f'DELETE FROM "{name}"' for name in sorted(names)]  # noqa: S608  # same
    if database.vendor == "postgresql":
        emptied = ["SET LOCAL session_replication_role = replica", *emptied]
        triggers = []
    else:
        with database.cursor() as cursor:
            cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = [(name, sql) for name, table, sql in cursor.fetchall() if table in names]
    dropped = [f'DROP TRIGGER "{name}"' for name, _ in triggers]
    with (
        database.constraint_checks_disabled(),
        transaction.atomic(using=database.alias),
        database.cursor() as cursor,
    ):
        for statement in (*dropped, *emptied, *(sql for _, sql in triggers)):
            cursor.execute(statement)


def made_by_migrate():
    """Return the rows that `migrate` has just written into each database."""
    return {alias: dict(written_by_migrate(connections[alias])) for alias in connections}


@contextmanager
def taken_back_to(as_made):
    """Have transactional tests leave these rows and no others."""

    def take_back(test):
        for alias, made in as_made.items():
            database = connections[alias]
            names = holding_rows(database)
            if dict(written_by_migrate(database)) == made:
                empty(database, names - set(OF_MIGRATE))
                continue
            empty(database, names)
            emit_post_migrate_signal(verbosity=0, interactive=False, db=alias)
            ContentType.objects.clear_cache()
            made.update(written_by_migrate(database))

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(TransactionTestCase, "_fixture_teardown", take_back)
        yield
