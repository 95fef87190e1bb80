"""A site of its own to back up, lose and restore: on SQLite a file, on PostgreSQL a schema of the test's database."""

import shutil
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from pyrage import x25519

from aegis.backup.archive import open_envelope
from aegis.backup.making import Wanted, make_backup
from aegis.backup.places import another, file_database, folder, standing_in
from aegis.backup.restoring import check, restore
from aegis.backup.sealing import seal_for_recipient
from tests.trading.conftest import TEN

OWNER = x25519.Identity.generate()
NOTHING_ELSE = Wanted()


class Site:
    """A site with nothing in it; it may burn down and be set up again. On PostgreSQL it is that of the tests itself."""

    def __init__(self, folder: Path, *, empty: Path) -> None:
        self.path = folder / "site.sqlite3"
        self.empty = empty
        self.stack = ExitStack()

    def set_up(self):
        if connection.vendor == "sqlite":
            shutil.copy(self.empty, self.path)
            self.stack.enter_context(self.file())
        return self

    @contextmanager
    def file(self):
        wrapper = another(NAME=str(self.path))
        try:
            with standing_in(wrapper):
                yield
        finally:
            wrapper.close()
            for left in self.path.parent.glob(f"{self.path.name}*"):
                left.unlink()

    def burn_down(self):
        self.stack.close()

    def set_up_again(self):
        """Lose everything, and begin anew as on a new machine."""
        if connection.vendor == "sqlite":
            self.burn_down()
            self.set_up()
            return
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
        call_command("migrate", verbosity=0)


@contextmanager
def site_from(empty, place, *, beside):  # where it is does not matter here
    """Offer a place to build in whose tables are there already, as on PostgreSQL none can be made so fast."""
    with folder(place) as own:
        shutil.copy(empty, own / "books.sqlite3")
        wrapper = file_database(own / "books.sqlite3")
        try:
            yield wrapper
        finally:
            wrapper.close()


def back_up(path, *, wanted=NOTHING_ELSE, at=TEN, **how):
    return make_backup(path, seal=seal_for_recipient(str(OWNER.to_public())), wanted=wanted, at=at, **how)


def bring_back(path, *, at=TEN, may_replace=lambda header, now: True):
    return restore(open_envelope(path), OWNER, may_replace=may_replace, at=at)


def look_into(path):
    return check(open_envelope(path), OWNER)
