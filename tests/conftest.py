"""What every test gets: a closed network (loopback only) and a broker that is never the real one."""

import socket

import pytest
from django.db.backends.sqlite3.base import DatabaseOperations  # type: ignore[attr-defined]  # its own module needs it loaded

from kis import known_secrets
from kis.calendar import krx_holidays
from tests.canaries import nothing_gets_out, the_watch

__all__ = ["nothing_gets_out", "the_watch"]

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(autouse=True)
def no_real_broker(monkeypatch):
    """Fail a test that asks for another machine's name; connecting to one is stopped by pytest-socket."""
    look_up = socket.getaddrinfo

    def local_names_only(host, *how, **more):
        name = host.decode() if isinstance(host, bytes) else host
        assert name in {*LOOPBACK, None}, "a test asked for a name outside of this machine"
        return look_up(host, *how, **more)

    monkeypatch.setattr(socket, "getaddrinfo", local_names_only)


@pytest.fixture(autouse=True)
def own_trading_folder(settings, tmp_path_factory):
    """Keep hint, journal and kill switch of a test apart from everything else."""
    settings.TRADING_DIR = tmp_path_factory.mktemp("trading")


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch):
    """Forget after a test what it has taught the logs to hide: a password "secret" would blot out that word elsewhere."""
    monkeypatch.setattr(known_secrets, "_texts", set())
    monkeypatch.setattr(known_secrets, "_accounts", set())


@pytest.fixture(autouse=True)
def ordinary_days(monkeypatch):
    """Let the day before the one that most tests are played on be like any other: it is that of the exam in 2026."""
    monkeypatch.setattr("kis.calendar.EXAM_DAYS", frozenset())


@pytest.fixture(autouse=True, scope="session")
def guarded_tables_can_be_emptied():
    """Between tests SQLite empties tables row by row, which the triggers of guarded tables refuse; lift them for that."""
    plain = DatabaseOperations.execute_sql_flush

    def flush(operations, statements):
        database = operations.connection
        with database.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            plain(operations, statements)
            for _, sql in triggers:
                cursor.execute(sql)

    DatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
    yield
    DatabaseOperations.execute_sql_flush = plain  # type: ignore[method-assign]


@pytest.fixture(autouse=True, scope="session")
def warm_calendar():
    """Load the holidays once, so that no single test pays for it."""
    krx_holidays()
