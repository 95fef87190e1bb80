"""Two sites side by side, one with ten thousand rows and one with as many as asked: filled by the database itself."""

from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection

from aegis.backup.places import another, schema, standing_in
from kis.korean import SEOUL
from kis.models import KisAccount, KisHolding, MinPrice
from tests import ready_database
from tests.factories import snapshot, stocks

#: The last snapshot and the last minute of both sites; a Friday.
CLOSE = datetime(2026, 11, 20, 15, 30, tzinfo=SEOUL)
HELD = stocks(20)
ACCOUNTS: tuple[dict[str, Any], ...] = (
    {"account_no": "12345678", "is_paper": False},
    {"account_no": "50012345", "is_paper": True},
)
#: Snapshots of a day, ten minutes apart, and minutes of a day.
SNAPSHOTS, MINUTES = 39, 381
OTHER_CODES = 6
#: Rows that one statement writes: a journal of this size is no burden.
AT_ONCE = 500_000
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"


@contextmanager
def site(name, folder):
    """Offer an empty site with its tables: a file, or a schema of the test's database."""
    if connection.vendor == "postgresql":
        from django.core.management import call_command  # noqa: PLC0415

        with schema(f"aegis_{name}") as wrapper:
            with standing_in(wrapper):
                call_command("migrate", verbosity=0)
            yield wrapper
        return
    ready_database.lay(folder / f"{name}.sqlite3")
    wrapper = another(NAME=str(folder / f"{name}.sqlite3"))
    try:
        yield wrapper
    finally:
        wrapper.close()
        for left in folder.glob(f"{name}.sqlite3*"):
            left.unlink()


def moment(epoch):
    return (
        f"to_timestamp({epoch})" if connection.vendor == "postgresql" else f"datetime({epoch}, 'unixepoch')"
    )


def day(epoch):
    if connection.vendor == "postgresql":
        return f"(to_timestamp({epoch}) AT TIME ZONE 'Asia/Seoul')::date"
    return f"date({epoch} + 32400, 'unixepoch')"


def columns_of(model, **changed):
    """Return the columns of a table and what to write into them: those of the row `t`, but for some."""
    names = [field.column for field in model._meta.concrete_fields]  # noqa: SLF001  # Django's own name for it
    taken = [(name, changed.pop(name, f"t.{name}")) for name in names if changed.get(name) != "default"]
    changed.pop("id", None)
    assert not changed, changed
    return ", ".join(name for name, _ in taken), ", ".join(value for _, value in taken)


def fill(rows):
    """Fill the site in use: so many rows of each of the two tables, ending at the same moment with the same ones."""
    for whose in ACCOUNTS:
        snapshot(HELD, at=CLOSE, **whose)
    snapshots = rows // (len(HELD) * len(ACCOUNTS))
    epoch = int(CLOSE.timestamp())
    with connection.cursor() as cursor, without_indexes(cursor, "kis_holding", "min_price", "kis_account"):
        back = f"({epoch} - (n.i / {SNAPSHOTS}) * 86400 - (n.i % {SNAPSHOTS}) * 600)"
        names, values = columns_of(KisAccount, id="t.id + n.i * 1000", snapshot_at=moment(back))
        for numbers in pieces(1, snapshots):
            cursor.execute(
                f"INSERT INTO kis_account ({names}) {numbers} SELECT {values} FROM n, kis_account t WHERE t.id < 1000"  # noqa: S608
            )
        names, values = columns_of(
            KisHolding,
            id="default",
            kis_account_id="t.kis_account_id + n.i * 1000",
            snapshot_at=moment(back),
            snapshot_date=day(back),
        )
        for numbers in pieces(1, snapshots, each=len(HELD) * len(ACCOUNTS)):
            cursor.execute(
                f"INSERT INTO kis_holding ({names}) {numbers} SELECT {values} FROM n, kis_holding t WHERE t.kis_account_id < 1000"  # noqa: S608
            )
        fill_minutes(cursor, rows, epoch)
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")  # as autovacuum does by itself
    return KisHolding.objects.count(), MinPrice.objects.count()


def fill_minutes(cursor, rows, epoch):
    """Write minute bars of the stocks held and a few others."""
    codes = [held.code for held in HELD] + [f"9{number:05}" for number in range(OTHER_CODES)]
    MinPrice.objects.bulk_create(
        MinPrice(stock_code=code, bar_at=CLOSE, open=100, high=110, low=90, close=105, volume=1000)
        for code in codes
    )
    back = f"({epoch} - (n.i / {MINUTES}) * 86400 - (n.i % {MINUTES}) * 60)"
    names, values = columns_of(MinPrice, id="default", bar_at=moment(back))
    for numbers in pieces(1, rows // len(codes), each=len(codes)):
        cursor.execute(
            f"INSERT INTO min_price ({names}) {numbers} SELECT {values} FROM n, min_price t WHERE t.bar_at = {moment(epoch)}"  # noqa: S608
        )


def pieces(first, last, *, each=1):
    """Yield the numbers as parts of statements that each write no more than is good."""
    step = max(AT_ONCE // each, 1)
    for begin in range(first, last, step):
        yield NUMBERS.format(first=begin, last=min(begin + step, last) - 1)


@contextmanager
def without_indexes(cursor, *tables):
    """Take the indexes away that are no constraints, and make them anew when the rows are there."""
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ANY(%s)"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [list(tables)],
        )
    else:
        marks = ", ".join("%s" for _ in tables)
        cursor.execute(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})",  # noqa: S608
            tables,
        )
        found = cursor.fetchall()
        cursor.execute("PRAGMA cache_size = -400000")
        cursor.execute("PRAGMA synchronous = OFF")
    if connection.vendor == "postgresql":
        found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _, sql in found:
        cursor.execute(sql)
