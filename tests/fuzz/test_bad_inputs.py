"""Everything that takes input, with input that nobody means: a sentence or a page in Korean, never a crash.

A short turn here; `make fuzz` throws fifty thousand on each database and prints what came of them.
"""

import logging
import os

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from rest_framework.throttling import UserRateThrottle

from aegis.wsgi import Handler
from kis.client.codes import AccountNumber
from kis.client.errors import KisUnreachable
from kis.grants import grant
from kis.tokens import create_token
from tests.fuzz.door_admin import AdminActions, AdminForms, AdminLists
from tests.fuzz.door_api import Api, ApiOrders
from tests.fuzz.door_files import (
    Backups,
    BesideOrders,
    MarketFolders,
    SimulatorMemory,
    Statements,
    statement_file,
)
from tests.fuzz.door_pages import Pages
from tests.fuzz.door_replies import Frames, MasterFiles, ModelAnswers, Receipts, Replies
from tests.fuzz.door_terminal import Commands, Lines, Settings
from tests.fuzz.throwing import HEAD, Tally, throw_at, told
from tests.fuzz.visiting import Visitor
from tests.kis.api_rows import make_rows
from tests.kis.owning import of_owner, store
from tests.kis.test_master import line
from tests.trading.conftest import PASSWORD, make_order

pytestmark = [
    pytest.mark.django_db,
    # What a date of an address is taken for is said here once too often; a site that runs only says it.
    pytest.mark.filterwarnings("ignore:.*received a naive datetime:RuntimeWarning"),
]

#: Of all doors together.
INPUTS = int(os.environ.get("FUZZ_INPUTS", "500"))


def throws(share):
    """Return how many of them are for a door that gets so many of a thousand."""
    return max(INPUTS * share // 1000, 1)


@pytest.fixture(scope="module", autouse=True)
def table():
    """Collect what came of each door, and print it at the end."""
    lines: list[Tally] = []
    yield lines
    total = sum(tally.thrown for tally in lines)
    print(
        "\n".join(["", HEAD, *(tally.line for tally in lines), f"{'':<28}{total:>8,} ({connection.vendor})"])
    )


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Refusals are what is wanted here: they fill no log, and nobody is asked to wait."""
    if connection.vendor != "sqlite" and "FUZZ_INPUTS" not in os.environ:
        pytest.skip("`make fuzz` tries PostgreSQL at length")
    logging.disable(logging.CRITICAL)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def no_broker(monkeypatch):
    """Let nothing out: whoever asks the broker gets no answer."""

    def silent(self, request, *, timeout_seconds):
        raise KisUnreachable("연결이 거절되었습니다", tr_id=request.tr_id, never_sent=True)

    monkeypatch.setattr("kis.client.transport.HttpTransport.send", silent)


@pytest.fixture
def visitors(settings, monkeypatch, no_broker, with_password, real_enabled):
    """Return somebody of each kind at a site with a row of nearly everything."""
    cache.clear()
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": None, "orders": None})
    monkeypatch.setattr("reports.views.pdf_response", lambda request, figures: HttpResponse(b"%PDF"))
    monkeypatch.setattr("django.test.client.WSGIRequest", Handler.request_class)
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")
    account = make_rows(2)
    users = get_user_model().objects
    found = {
        "stranger": Visitor(),
        "owner": Visitor(user=users.create_superuser("owner", password="opensesame-1")),
    }
    for name in ("viewer", "trader"):
        user = users.create_user(name)
        grant(user, AccountNumber(account.account_no, "01"), is_paper=False, role=name)
        scope = "trade" if name == "trader" else "read"
        found[name] = Visitor(token=create_token(user, name=name, scope=scope)[1])
        found[f"{name} at a browser"] = Visitor(user=user)
    store("연금", "43218765-22")
    return found


@pytest.fixture
def waiting(visitors):
    return make_order(made_by=get_user_model().objects.get(username="trader"))


def expect_nothing(table, door, share):
    tally = throw_at(door, throws(share))
    table.append(tally)
    if tally.findings:
        pytest.fail(told(tally), pytrace=False)


def test_pages(table, visitors):
    expect_nothing(table, Pages(visitors), 100)


def test_lists_of_the_admin(table, visitors):
    expect_nothing(table, AdminLists(visitors), 90)


@pytest.mark.shows("answer")  # a token that was made is shown once
def test_forms_of_the_admin(table, visitors):
    expect_nothing(table, AdminForms(visitors, statement_file), 90)


def test_actions_of_the_admin(table, visitors):
    expect_nothing(table, AdminActions(visitors), 30)


def test_api(table, visitors):
    expect_nothing(table, Api(visitors), 150)


def test_orders_of_the_api(table, visitors, waiting):
    expect_nothing(table, ApiOrders(visitors, waiting.pk), 80)


def test_statements(table, db):
    expect_nothing(table, Statements(), 70)


def test_files_beside_orders(table, db):
    expect_nothing(table, BesideOrders(make_order()), 40)


def test_memory_of_the_simulator(table, settings, tmp_path):
    settings.DEMO_STATE_FILE = tmp_path / "demo.json"
    expect_nothing(table, SimulatorMemory(tmp_path), 25)


def test_backups(table, tmp_path):
    expect_nothing(table, Backups(tmp_path), 20)


def test_prices_to_replay(table, tmp_path):
    expect_nothing(table, MarketFolders(tmp_path), 25)


def test_replies(table):
    expect_nothing(table, Replies(), 90)


def test_receipts(table):
    expect_nothing(table, Receipts(), 30)


def test_frames(table):
    expect_nothing(table, Frames(), 25)


def test_lists_of_stocks(table):
    expect_nothing(table, MasterFiles(b"\n".join(line(code=code) for code in ("005930", "000660"))), 15)


def test_answers_of_a_model(table):
    expect_nothing(table, ModelAnswers(), 15)


def test_lines_at_the_terminal(table):
    expect_nothing(table, Lines(), 45)


@pytest.fixture
def this_machine(settings, monkeypatch, tmp_path, no_broker, with_password):
    """Keep what commands write in a folder of the test, and their passwords at hand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("trading.commands.getpass.getpass", lambda prompt: PASSWORD)
    settings.AEGIS_DEMO = False
    settings.VAR_DIR = settings.REPORT_DIR = tmp_path
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")
    make_rows(1)
    return tmp_path


def test_commands(table, this_machine):
    expect_nothing(table, Commands(this_machine), 40)


def test_settings(table, this_machine):
    expect_nothing(table, Settings(this_machine), 20)
