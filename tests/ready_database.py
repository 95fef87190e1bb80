"""A migrated SQLite database for whoever brings a file of its own: making it took each of them two seconds."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from aegis.backup.places import file_database, standing_in

_places: list[Path] = []


def is_of_tests() -> bool:
    """Return whether pytest has made a database: it makes none where no test that was chosen asks for one."""
    name = str(connection.settings_dict["NAME"])
    return "memory" in name or name.startswith("test_")


def keep_copy(path: Path) -> None:
    """Keep a copy of the tests' own database as migrations have just made it; otherwise it is made when asked for."""
    if connection.vendor == "sqlite" and is_of_tests():
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(path)])
        leave_as_the_site_does(path)
    make_when_needed(path)


def make_when_needed(path: Path) -> None:
    """Keep it there once somebody asks for it."""
    _places.append(path)


def lay(path: Path) -> Path:
    """Put the copy where somebody will look for a database."""
    kept = _places[-1]
    if not kept.exists():
        wrapper = file_database(kept)
        with standing_in(wrapper):
            call_command("migrate", verbosity=0)
        wrapper.close()
        leave_as_the_site_does(kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(kept, path)
    return path


def leave_as_the_site_does(path: Path) -> None:
    """Make it a file that many may write to. Of several processes that do so at once, one would be told that it is locked."""
    with closing(sqlite3.connect(path)) as file:
        (mode,) = file.execute("PRAGMA journal_mode=WAL").fetchone()
    assert mode == "wal"
