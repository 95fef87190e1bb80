"""An upgrade: the books of a site of before come through today's migrations with every value they had."""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from aegis.backup.building import leaves
from aegis.backup.places import file_database, schema, standing_in
from aegis.backup.rows import insert, lines, tables_of
from kis.models import BrokerAccount, KisAccount

#: Rows of a site that was upgraded by hand (docs/deploy.md), a few of each table, with the migrations it had been through.
BOOKS = Path(__file__).parents[1] / "data" / "upgrade" / "books-of-2026-11-22.json"
KEY_OF_THEN = "k" * 60


@contextmanager
def empty_database(folder):
    """Offer a database without tables: a file, or a schema of the test's database."""
    if connection.vendor == "postgresql":
        with schema("aegis_upgrade") as place, standing_in(place):
            yield place
        return
    place = file_database(folder / "books.sqlite3")
    with standing_in(place):
        yield place
    place.close()


def rows_in(place, tables):
    with transaction.atomic():
        return {table.name: list(lines(place, table)) for table in tables}


@pytest.mark.django_db(transaction=True)
def test_books_of_before_keep_every_value_through_todays_migrations(tmp_path, settings):
    settings.SECRET_KEY, settings.AEGIS_ENCRYPTION_KEY = KEY_OF_THEN, ""
    said = json.loads(BOOKS.read_text(encoding="utf-8"))
    applied = frozenset((app, name) for app, names in said["migrations"].items() for name in names)
    with empty_database(tmp_path) as place:
        executor = MigrationExecutor(place)
        executor.migrate(leaves(executor.loader, applied))
        tables = tables_of(place)
        assert set(said["rows"]) <= {table.name for table in tables}
        with transaction.atomic(), place.cursor() as cursor:
            for table in tables:
                rows = said["rows"].get(table.name, [])
                values = [[row[column.name] for column in table.columns] for row in rows]
                insert(cursor, table, values, vendor=place.vendor)
        before = rows_in(place, tables)
        assert sum(map(len, before.values())) == sum(map(len, said["rows"].values()))

        executor = MigrationExecutor(place)
        executor.migrate(executor.loader.graph.leaf_nodes())
        place.check_constraints()
        assert rows_in(place, tables) == before
        for model in apps.get_models():
            list(model._default_manager.all())  # noqa: SLF001  # every row can be read
        assert KisAccount.objects.filter(holdings__isnull=False).exists()
        assert str(BrokerAccount.objects.get().number.number) == "50012345"
