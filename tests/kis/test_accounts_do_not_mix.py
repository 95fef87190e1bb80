"""Four accounts on simulators of their own: each row of the books is found where it belongs, and only there."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from django.apps import apps
from django.core.management import call_command
from django.db.models import UniqueConstraint

from kis.accounts import find_account
from kis.client.codes import AccountNumber
from kis.client.endpoints.account import orderable_cash
from kis.client.errors import KisMisconfigured, KisRefused, KisUnreachable
from kis.client.throttle import SECONDS_BETWEEN_CALLS
from kis.connect import connect
from kis.models import (
    AccessToken,
    KisAccount,
    KisExecution,
    KisHolding,
    KisOrderDetail,
    KisUnfilledOrder,
    RateBudget,
    SyncRun,
)
from kis.sync.costs import commission_plan
from reports.queries import dashboard_rows
from tests.kis.conftest import Caller
from tests.kis.owning import of_owner, store, store_simulated
from tests.kis.syncing import SAMSUNG, TEN, Broker, Desk

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Theirs:
    """One account as its own broker has it."""

    label: str
    side: Any
    mode: str
    deposit: int
    held: int

    @property
    def number(self):
        return AccountNumber.parse(self.side.account)


@pytest.fixture
def quick(monkeypatch, settings):
    """Let the market stand at ten o'clock and calls follow each other at once; returns a function that sets the time."""
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner()

    def stand_at(moment):
        monkeypatch.setattr("kis.connect.timezone", SimpleNamespace(now=lambda: moment))

    stand_at(TEN)
    for mode in ("real", "paper"):
        monkeypatch.setitem(SECONDS_BETWEEN_CALLS, mode, 0.0001)
    return stand_at


@pytest.fixture
def four(quick, settings, start_simulator):
    """Two real accounts of one number and one of another, each with keys of its own, and one on paper.

    The first real one is in the environment, the others in the database. All of them trade the same stock with the same
    order numbers.
    """
    first = start_simulator()
    pension = start_simulator(accounts={"real": "12345678-22"})
    second = start_simulator(accounts={"real": "11112222-01"})
    theirs = [
        Theirs("실전", first.real, "real", 100_000_000, 10),
        Theirs("연금", pension.real, "real", 200_000_000, 20),
        Theirs("둘째", second.real, "real", 300_000_000, 30),
        Theirs("연습", first.paper, "paper", 400_000_000, 40),
    ]
    for one in theirs:
        broker = Broker(one.side.url)
        broker.account(one.deposit, _005930=(one.held, 60_000))
        desk = Desk(broker, Caller(one.side))
        number = desk.buy(one.held)
        broker.fill(number, one.held // 2)
    side = first.real
    settings.KIS_ACCOUNTS = settings.KIS_ACCOUNTS | {
        "real": {
            "app_key": side.app_key,
            "app_secret": side.app_secret,
            "account_no": side.account,
            "base_url": side.url,
            "ws_url": side.ws,
            "hts_id": side.hts_id,
        }
    }
    for one in theirs[1:]:
        store_simulated(one.label, one.side, mode=one.mode)
    return theirs


def run(command, *arguments):
    output = StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue()


def sync_all(theirs):
    for one in theirs:
        run("sync_kis_data", "--account", one.label)


@pytest.mark.django_db
def test_every_row_of_four_accounts_is_found_where_it_belongs(four):
    sync_all(four)
    sync_all(four)  # the second time follows up rows that are there
    for table, count in ((KisAccount, 8), (SyncRun, 8), (KisExecution, 4), (KisOrderDetail, 4)):
        assert table.objects.count() == count, table
    numbers = set()
    for one in four:
        number, is_paper = one.number, one.mode == "paper"
        snapshots = KisAccount.objects.of(number, is_paper=is_paper)
        assert {snapshot.sync_run.account_no for snapshot in snapshots} == {number.number}
        assert {snapshot.sync_run.product_code for snapshot in snapshots} == {number.product_code}
        assert set(snapshots.values_list("deposit", flat=True)) == {one.deposit}
        held = KisHolding.objects.filter(kis_account__in=snapshots)
        assert set(held.values_list("stock_code", "holding_qty")) == {(SAMSUNG, one.held + one.held // 2)}
        waiting = KisUnfilledOrder.objects.filter(kis_account__in=snapshots)
        assert set(waiting.values_list("ord_qty", "tot_ccll_qty", "account_no")) == {
            (one.held, one.held // 2, number.number)
        }
        assert (snapshots.count(), held.count(), waiting.count()) == (2, 2, 2)
        fill = KisExecution.objects.of(number, is_paper=is_paper).get()
        order = KisOrderDetail.objects.of(number, is_paper=is_paper).get()
        assert (fill.exec_qty, order.ord_qty) == (one.held // 2, one.held)
        assert [link.pk for link in KisOrderDetail.objects.chain_of(order)] == [order.pk]
        assert SyncRun.objects.of(number, is_paper=is_paper).filter(status="complete").count() == 2
        numbers.add((fill.exec_dt, fill.ord_gno_brno, fill.odno))
    assert len(numbers) < len(four)  # the test would show nothing if their orders had different numbers


@pytest.mark.django_db
def test_every_account_has_its_own_dashboard(four):
    sync_all(four)
    for one in four:
        rows = dashboard_rows(mode=one.mode, account=one.number, at=TEN + timedelta(minutes=5))
        assert rows.account.deposit == one.deposit
        assert [row.holding_qty for row in rows.position.holdings] == [one.held + one.held // 2]
        assert [row.exec_qty for row in rows.position.executions] == [one.held // 2]
        assert [row.ord_qty for row in rows.position.unfilled] == [one.held]


@pytest.mark.django_db
def test_every_account_has_its_own_file(four, settings, tmp_path, monkeypatch):
    settings.REPORT_DIR = tmp_path
    monkeypatch.setattr(
        "reports.publishing.render_pdf",
        lambda dashboard, amounts: f"%PDF {dashboard.account.cash_days[0].amount}".encode(),
    )
    sync_all(four)
    for one in four:
        run("kis_dashboard", "--account", one.label)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "Kis_Dashboard_실전.pdf": "%PDF 100000000",
        "Kis_Dashboard_연금.pdf": "%PDF 200000000",
        "Kis_Dashboard_둘째.pdf": "%PDF 300000000",
        "Kis_Dashboard_연습.pdf": "%PDF 400000000",
    }


@pytest.mark.django_db
def test_failure_of_one_account_is_not_that_of_another(four, quick):
    sync_all(four)
    first, pension, *_ = four
    quick(TEN + timedelta(minutes=1))
    Broker(pension.side.url).fault("TTTC8434R", "bad_json")
    with pytest.raises(KisUnreachable):
        run("sync_kis_data", "--account", pension.label)
    at = TEN + timedelta(minutes=5)
    assert [
        len(dashboard_rows(mode="real", account=one.number, at=at).failed_runs) for one in (first, pension)
    ] == [0, 1]


@pytest.mark.django_db
def test_accounts_of_different_keys_share_neither_token_nor_budget(four):
    sync_all(four)
    assert (AccessToken.objects.count(), RateBudget.objects.count()) == (4, 4)


@pytest.mark.django_db
def test_accounts_of_one_key_share_token_and_budget(quick, simulator):
    store_simulated("하나", simulator.real)
    other = SimpleNamespace(
        **{name: getattr(simulator.real, name) for name in ("url", "ws", "app_key", "app_secret", "hts_id")}
    )
    other.account = "12345678-22"
    store_simulated("둘", other)
    with connect("real", "하나") as connection:
        orderable_cash(connection.session)
    with connect("real", find_account("real", "둘")) as connection, pytest.raises(KisRefused, match="계좌"):
        orderable_cash(connection.session)  # the simulator knows only one account of this key
    assert (AccessToken.objects.count(), RateBudget.objects.count()) == (1, 1)
    assert AccessToken.objects.get().generation == 1
    assert Broker(simulator.real.url).get("requests")["tokens_issued"] == 1


@pytest.mark.django_db
def test_each_account_has_its_own_commission(settings):
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner()
    settings.KIS_COMMISSIONS = {"real": "0.02%", "paper": ""}
    store("하나", "12345678-01")
    pension = store("연금", "12345678-22", commission="0.1%")
    plans = [commission_plan(find_account("real", label).environment()) for label in ("하나", "연금")]
    assert [plan.rates[0][1] for plan in plans] == [Decimal("0.0002"), Decimal("0.001")]
    type(pension).objects.update(commission="viel")
    with pytest.raises(KisMisconfigured, match=r"^'연금' 계좌: 수수료율을 읽을 수 없습니다"):
        commission_plan(find_account("real", "연금").environment())


def test_no_table_takes_the_eight_digits_alone_for_an_account():
    found = [
        set(constraint.fields)
        for model in apps.get_app_config("kis").get_models()
        for constraint in model._meta.constraints  # noqa: SLF001  # Django's own name for it
        if isinstance(constraint, UniqueConstraint) and "account_no" in constraint.fields
    ]
    assert len(found) >= 4
    assert all({"account_no", "product_code", "is_paper"} <= fields for fields in found)


def test_simulator_serves_another_account_with_keys_of_its_own(start_simulator):
    usual, other = start_simulator(), start_simulator(accounts={"real": "12345678-22"})
    assert (usual.real.account, other.real.account) == ("12345678-01", "12345678-22")
    assert other.real.app_key != usual.real.app_key
    assert other.paper.app_key == usual.paper.app_key
    assert Caller(other.real).balance().json()["rt_cd"] == "0"
    theirs = Caller(usual.real).headers("TTTC8434R")
    assert requests.get(f"{other.real.url}/uapi/x", headers=theirs, timeout=60).status_code >= 400


# --- books from before -----------------------------------------------------------------------------------------------

SNAPSHOT = (
    "INSERT INTO kis_account (snapshot_at, account_no, is_paper, product_code, deposit, available, today_buy_amt, "
    "today_sell_amt, today_fee, stock_eval_amt, total_eval_amt, total_profit_loss, total_buy_amt, d1_cash, net_assets, "
    "previous_assets, raw_json, sync_run_id) VALUES (?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}', ?)"
)
RUN = (
    "INSERT INTO kis_sync_run (id, job, account_no, is_paper, started_at, finished_at, status, requests, rate_limited, "
    "steps, checks, differences, error) VALUES (?, 'sync', ?, ?, ?, ?, 'failed', 0, 0, '[]', '[]', 0, '')"
)
FILL = (
    "INSERT INTO kis_execution (odno, stock_code, stock_name, exec_type, exec_qty, exec_price, exec_amt, exec_dt, exec_tmd, "
    "is_paper, account_no, ord_gno_brno, exchange, cost_source, raw_json) "
    "VALUES (?, '005930', '삼성전자', 'BUY', 1, 1, 1, ?, '10:00:00', ?, ?, '00950', 'KRX', 'unknown', '{}')"
)


@pytest.fixture
def old_books(tmp_path):
    """Return the file of a database as it was before rows named their product, and what migrates it."""
    file = tmp_path / "old.sqlite3"
    environment = {
        **os.environ,
        "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
        "AEGIS_VAR_DIR": str(tmp_path / "var"),
        "AEGIS_DEMO": "false",
        "DATABASE_URL": f"sqlite:///{file}",
    }

    def migrate(name):
        command = [sys.executable, "manage.py", "migrate", "kis", name, "-v0"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=120)

    migrate("0005")
    return file, migrate


def test_rows_from_before_take_the_product_of_the_nearest_snapshot(old_books):
    file, migrate = old_books
    monday, tuesday = "2026-11-16 06:00:00", "2026-11-17 06:00:00"
    with closing(sqlite3.connect(file)) as database, database:
        for number, started in ((1, monday), (2, tuesday), (3, "2026-11-17 07:00:00"), (4, monday)):
            account = "99998888" if number == 4 else "12345678"
            database.execute(RUN, (number, account, 0, started, started))
        database.execute(SNAPSHOT, (monday, "12345678", 0, "01", 1))
        database.execute(SNAPSHOT, (tuesday, "12345678", 0, "22", 2))
        database.execute(SNAPSHOT, (tuesday, "12345678", 1, "03", None))
        for number, day, is_paper in (
            (1, "2026-11-13", 0),
            (2, "2026-11-17", 0),
            (3, "2026-11-18", 0),
            (4, "2026-11-13", 1),
        ):
            database.execute(FILL, (str(number), day, is_paper, "12345678"))
    migrate("0008")
    with closing(sqlite3.connect(file)) as database:
        fills = dict(database.execute("SELECT odno, product_code FROM kis_execution"))
        runs = dict(database.execute("SELECT id, product_code FROM kis_sync_run"))
    assert fills == {"1": "01", "2": "22", "3": "22", "4": "03"}
    assert runs == {1: "01", 2: "22", 3: "22", 4: ""}  # the last one never had a snapshot: nobody knows
