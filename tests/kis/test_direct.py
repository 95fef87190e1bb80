"""An account straight from the broker: the same rows as a sync would save, and nothing saved."""

import json
from datetime import timedelta

import pytest
from django.apps import apps

from kis.client.errors import KisError
from kis.client.protocol import RawReply
from kis.client.transport import HttpTransport
from kis.direct import ask_broker
from kis.models import DailyPrice, KisAccount, KisExecution, MinPrice
from kis.sync import sync_account
from kis.sync.market import copy_minutes
from kis.sync.progress import Quiet
from tests.kis.syncing import SAMSUNG, TEN, Broker, Desk, connection_to, leave_out_the_market

pytestmark = pytest.mark.django_db
MODES = ["real", "paper"]
OURS = {"kis_account", "kis_account_id", "id", "sync_run", "sync_run_id", "snapshot_at", "_state"}


@pytest.fixture
def simulator(start_simulator):
    return start_simulator()


def tables():
    """Return every row of every table."""
    return {
        model._meta.db_table: sorted(map(repr, model._base_manager.values_list()))  # noqa: SLF001  # any model has them
        for model in apps.get_models()
        if model._meta.managed  # noqa: SLF001
    }


def plain(rows):
    """Return rows without what only a saved row has."""
    return [
        {name: value for name, value in vars(row).items() if name not in OURS and not name.startswith("_")}
        for row in rows
    ]


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_written_into_any_table(simulator, mode):
    before = tables()
    assert len(before) > 30
    with connection_to(simulator, mode) as connection:
        direct = ask_broker(connection)
    assert tables() == before
    assert direct.position.holdings
    assert direct.position.account.pk is None


@pytest.mark.parametrize("mode", MODES)
def test_rows_are_those_of_a_sync(simulator, client_of, mode, monkeypatch):
    leave_out_the_market(monkeypatch)
    side = getattr(simulator, mode)
    desk = Desk(Broker(side.url), client_of(side))
    desk.trade("buy", 30)
    desk.trade("sell", 10, parts=[4])
    desk.buy(7)
    with connection_to(simulator, mode) as connection:
        direct = ask_broker(connection).position
        sync_account(connection)
    saved = KisAccount.objects.get()
    assert plain([direct.account])[0] | {"indices": {}} == plain([saved])[0]
    assert plain(direct.holdings) == plain(saved.holdings.order_by("-evlu_amt", "stock_code"))
    assert plain(direct.unfilled) == plain(saved.unfilled_orders.order_by("ord_tmd", "odno"))
    today = KisExecution.objects.filter(exec_dt=TEN.date()).order_by("-exec_tmd", "-odno")
    assert len(direct.executions) > 1
    assert plain(direct.executions) == plain(today)
    checks = direct.account.sync_run.checks
    of_today = [check for check in saved.sync_run.checks if "(" not in check["name"]]
    assert len(checks) > 5
    assert checks == of_today  # a sync looks after the costs of days that are over as well
    assert direct.account.sync_run.differences == 0
    assert {index["day"] for index in direct.account.indices.values()} == {"2026-11-20"}


def test_prices_that_the_books_lack_come_with_it(simulator):
    with connection_to(simulator) as connection:
        direct = ask_broker(connection)
    codes = {row.stock_code for row in direct.position.holdings}
    assert codes <= set(direct.days)
    assert codes <= set(direct.minutes)
    assert len(direct.days[SAMSUNG]) >= 15
    assert max(bar.day for bar in direct.days[SAMSUNG]) < TEN.date()
    minutes = [bar.at for bar in direct.minutes[SAMSUNG]]
    assert (min(minutes), max(minutes)) == (TEN - timedelta(hours=1), TEN - timedelta(minutes=1))


def test_prices_that_the_books_have_are_not_asked_for_again(simulator):
    with connection_to(simulator) as connection:
        run = sync_account(connection)
        copy_minutes(connection, run=run, listener=Quiet(), older_than=timedelta())
        before = connection.session.requests
        direct = ask_broker(connection)
        asked = connection.session.requests - before
    assert (direct.days, direct.minutes) == ({}, {})
    assert asked < 10
    assert DailyPrice.objects.exists()
    assert MinPrice.objects.exists()


def test_prices_take_no_more_than_their_share_of_the_calls(simulator, monkeypatch):
    monkeypatch.setattr("kis.direct.calls_within", lambda session, seconds: 5)
    with connection_to(simulator) as connection:
        direct = ask_broker(connection)
    assert len(direct.days) == 5
    assert direct.minutes == {}
    assert direct.position.holdings


def test_prices_that_fail_leave_the_account_alone(simulator):
    broker = Broker(simulator.real.url)
    broker.fault("FHKST03010100", "http_500_before")
    broker.fault("FHKST03010200", "bad_json")
    broker.fault("FHKUP03500100", "html_page")
    with connection_to(simulator) as connection:
        direct = ask_broker(connection)
    assert (direct.days, direct.minutes, direct.position.account.indices) == ({}, {}, {})
    assert direct.position.account.total_eval_amt > 0


@pytest.mark.parametrize("fault", ["drop_field:dnca_tot_amt", "http_500_before", "truncate", "html_page"])
def test_account_that_cannot_be_read_whole_is_refused(simulator, fault):
    Broker(simulator.real.url).fault("TTTC8434R", fault)
    with connection_to(simulator) as connection, pytest.raises(KisError):
        ask_broker(connection)


def test_difference_of_the_broker_is_found_without_the_books(simulator, monkeypatch):
    straight = HttpTransport.send

    def send(self, request, *, timeout_seconds):
        raw = straight(self, request, timeout_seconds=timeout_seconds)
        if request.tr_id != "TTTC8434R":
            return raw
        body = json.loads(raw.body)
        body["output2"][0]["scts_evlu_amt"] = str(int(body["output2"][0]["scts_evlu_amt"]) + 57_200)
        return RawReply(raw.status, raw.headers, json.dumps(body).encode())

    monkeypatch.setattr(HttpTransport, "send", send)
    with connection_to(simulator) as connection:
        run = ask_broker(connection).position.account.sync_run
    assert run.differences > 0
    assert 57_200 in {abs(check["difference"]) for check in run.checks}
