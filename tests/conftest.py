"""What every test gets: a closed network (loopback only) and a broker that is never the real one."""

import math
import pkgutil
import socket
import sys
from datetime import date
from importlib import import_module
from itertools import count
from pathlib import Path

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from whitenoise.middleware import WhiteNoiseMiddleware

from kis import known_secrets
from kis.calendar import Known, krx_holidays
from tests import ready_database
from tests.canaries import nothing_gets_out, the_watch
from tests.emptying import made_by_migrate, taken_back_to
from tests.sample_accounts import traded_once

__all__ = ["nothing_gets_out", "the_watch"]

TESTS = Path(__file__).parent
#: Where the tests are that have to reach every branch of the client, the portfolio and the orders.
MEASURED = ("kis/", "trading/", "aegis/test_backup.py")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
#: Whether the exchange opens as far as holidays say; the same for all tests.
OPEN_DAYS: dict[date, bool] = {}


def pytest_collection_finish(session):
    """Import what is measured before any test does: the first may be one that goes without."""
    for folder in session.config.getoption("cov_source", None) or ():
        for module in pkgutil.walk_packages([str(TESTS.parent / folder)], folder.replace("/", ".") + "."):
            import_module(module.name)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    """Let the other tests go without being measured: counting lines makes them half as slow again."""
    measure = sys.gettrace()
    if measure is None or item.path.relative_to(TESTS).as_posix().startswith(MEASURED):
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(measure)


@pytest.fixture(autouse=True)
def no_real_broker(monkeypatch):
    """Fail a test that asks for another machine's name; connecting to one is stopped by pytest-socket."""
    look_up = socket.getaddrinfo

    def local_names_only(host, *how, **more):
        name = host.decode() if isinstance(host, bytes) else host
        assert name in {*LOOPBACK, None}, "a test asked for a name outside of this machine"
        return look_up(host, *how, **more)

    monkeypatch.setattr(socket, "getaddrinfo", local_names_only)


@pytest.fixture(scope="session")
def trading_folders(tmp_path_factory):
    """Return folders that nobody has used; pytest would look at all there are to find the next number."""
    base = tmp_path_factory.mktemp("trading")
    return (base / str(number) for number in count())


@pytest.fixture(autouse=True)
def own_trading_folder(settings, trading_folders):
    """Keep hint, journal and kill switch of a test apart from everything else."""
    folder = next(trading_folders)
    folder.mkdir()
    settings.TRADING_DIR = folder


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch):
    """Forget after a test what it has taught the logs to hide: a password "secret" would blot out that word elsewhere."""
    monkeypatch.setattr(known_secrets, "_texts", set())
    monkeypatch.setattr(known_secrets, "_accounts", set())


@pytest.fixture(autouse=True)
def ordinary_days(monkeypatch):
    """Forget what other tests have taught the calendar, and let the exam day of 2026 be like any other.

    It is the day before the one that most tests are played on.
    """
    estimated = Known({})
    estimated.opens = OPEN_DAYS
    monkeypatch.setattr("kis.calendar._known", estimated)
    monkeypatch.setattr("kis.calendar.EXAM_DAYS", frozenset())
    monkeypatch.setattr("kis.market_days._looked_at", math.inf)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, tmp_path_factory):
    """Take back in no time what tests commit, and keep a copy of the fresh database for processes of their own."""
    with django_db_blocker.unblock():
        ready_database.keep_copy(tmp_path_factory.mktemp("ready") / "ready.sqlite3")
        as_made = made_by_migrate() if ready_database.is_of_tests() else {}
    with taken_back_to(as_made):
        yield


@pytest.fixture(autouse=True, scope="session")
def static_files_are_found_once():
    """Spare every test client the search for all static files: 12 ms before its first answer."""
    find, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def find_once(middleware):
        of_settings = (middleware.static_prefix, middleware.max_age, middleware.charset)
        if of_settings not in found:
            others, middleware.files = middleware.files, {}
            find(middleware)
            found[of_settings], middleware.files = middleware.files, others
        middleware.files |= found[of_settings]

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(WhiteNoiseMiddleware, "add_files_from_finders", find_once)
        yield


@pytest.fixture(autouse=True, scope="session")
def cheap_hashes():
    """Spend on a password what a test can afford; it is Argon2 all the same."""
    with pytest.MonkeyPatch.context() as patches:
        for cost, value in (("time_cost", 1), ("memory_cost", 512), ("parallelism", 1)):
            patches.setattr(Argon2PasswordHasher, cost, value)
        yield


@pytest.fixture(autouse=True, scope="session")
def sample_accounts_are_traded_once():
    with traded_once():
        yield


@pytest.fixture(autouse=True, scope="session")
def warm_calendar():
    """Load the holidays once, so that no single test pays for it."""
    krx_holidays()
