"""Orders that nobody waits for: settled when the site starts and after each sync, and told in the doctor's report."""

import signal
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rich.console import Console

from aegis.health import orders
from aegis.health.case import Case
from aegis.order_upkeep import settle_after_sync, settle_all, settle_leftovers
from aegis.tasks import fetch_data, settle_orders
from kis.client.errors import KisUnreachable
from tests.aegis.examining import OK, PROBLEM, WARNING, assert_found
from tests.kis.conftest import simulator, start_simulator  # noqa: F401  # fixtures
from tests.kis.syncing import connection_to
from tests.trading.conftest import PASSWORD, TEN, make_order
from tests.trading.terminal import configure
from tests.trading.test_database_rules import NUMBERED
from trading import kill_switch, password
from trading.states import State
from trading.steps import step

pytestmark = pytest.mark.django_db(transaction=True)


def sending(at=TEN, **changes):
    order = make_order(at=at, **changes)
    step(order, State.SENDING, at=at, what="claimed", values={"claimed_at": at, "market_at": at})
    return order


def unknown(**changes):
    order = sending(**changes)
    step(order, State.UNKNOWN, at=TEN, what="answered")
    return order


# --- when the site starts ---------------------------------------------------------------------------------------------


def test_quiet_start_says_nothing():
    assert settle_leftovers(at=TEN) == ""


def test_leftover_of_a_crash_is_told_at_the_start():
    order = sending()
    text = settle_leftovers(at=TEN + timedelta(minutes=2))
    order.refresh_from_db()
    assert order.state is State.UNKNOWN
    assert "1건" in text
    assert "reconcile_orders" in text


def test_site_tells_at_its_start(monkeypatch, capsys, settings, tmp_path):
    """The site itself is started in test_demo; here its children have ended before they begin."""
    settings.DEMO_STATE_FILE = tmp_path / "demo.json"  # that of the project may be in use
    unknown()
    ended = SimpleNamespace(poll=lambda: 1, terminate=lambda: None, wait=lambda seconds: None)
    monkeypatch.setattr("aegis.management.commands.site.start", lambda *arguments, **environment: ended)
    monkeypatch.setattr("aegis.management.commands.site.accounts_to_follow", list)
    monkeypatch.setattr("aegis.management.commands.site.signal.signal", lambda *how: None)
    with pytest.raises(CommandError, match="멈춰 함께 끝냅니다"):
        call_command("site")
    assert "결과를 모르는 주문이 1건" in capsys.readouterr().out


@pytest.fixture
def handlers_of_signals():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_site_that_is_stopped_while_it_starts_leaves_no_child(
    monkeypatch, settings, handlers_of_signals, number
):
    settings.AEGIS_DEMO = False
    running: list[str] = []

    def start(name, *arguments, **environment):
        signal.raise_signal(number)  # before anybody knows of the child
        running.append(name)
        return SimpleNamespace(poll=lambda: None, terminate=lambda: end(name), wait=lambda seconds: None)

    def end(name):
        signal.raise_signal(number)  # somebody is impatient
        running.remove(name)

    monkeypatch.setattr("aegis.management.commands.site.start", start)
    monkeypatch.setattr("aegis.management.commands.site.accounts_to_follow", list)
    with pytest.raises(KeyboardInterrupt):
        call_command("site")
    assert running == []


# --- after a sync -----------------------------------------------------------------------------------------------------


@pytest.fixture
def told(simulator):  # noqa: F811
    """Return a function that settles after a sync, and returns what was printed."""

    def settle():
        out = StringIO()
        with connection_to(simulator) as connection:
            settle_after_sync(Console(file=out, width=200), connection)
        return out.getvalue()

    return settle


def test_sync_without_orders_prints_nothing(told):
    assert told() == ""


def test_order_that_stays_unknown_is_told_after_each_sync(told):
    unknown()
    assert "결과를 모르는 주문 1건." in told()


def test_trouble_after_the_sync_is_told_and_raises_nothing(told, monkeypatch):
    def silent(desk):
        raise KisUnreachable("시간이 지났습니다")

    monkeypatch.setattr("aegis.order_upkeep.reconcile", silent)
    assert "보낸 주문은 확인하지 못했습니다." in told()


# --- after the job of every half hour ---------------------------------------------------------------------------------


@pytest.fixture
def looked_at(simulator, settings, monkeypatch):  # noqa: F811
    """Configure both modes; returns the accounts whose orders were looked at."""
    configure(settings, simulator, "real", "paper")
    accounts = []

    @contextmanager
    def open_desk(mode, account):
        accounts.append(account.label)
        if mode == "paper":
            raise KisUnreachable("시간이 지났습니다")
        yield SimpleNamespace()

    monkeypatch.setattr("aegis.order_upkeep.open_desk", open_desk)
    monkeypatch.setattr("aegis.order_upkeep.reconcile", lambda desk: [])
    return accounts


def test_accounts_without_open_orders_are_left_alone(looked_at):
    settle_all()
    unknown()
    settle_all()
    assert looked_at == ["실전"]


def test_trouble_with_one_account_is_in_the_log(looked_at, settings, caplog):
    unknown(is_paper=True, account_no=settings.KIS_ACCOUNTS["paper"]["account_no"][:8])
    settings.KIS_ACCOUNTS["real"]["account_no"] = "unreadable"
    settle_all()
    assert looked_at == ["모의"]
    assert "could not be looked at" in caplog.text


def test_worker_settles_even_where_the_fetch_failed(monkeypatch):
    settled = []
    window: Any = {
        "intended": "2026-11-20T00:30:00+00:00",
        "minutes": 30,
        "opens": "08:30",
        "closes": "16:00",
    }

    def fail(**given):
        assert given == window
        raise KisUnreachable("시간이 지났습니다")

    monkeypatch.setattr("aegis.tasks.tasks.fetch_data", fail)
    monkeypatch.setattr("aegis.tasks.settle_all", lambda: settled.append(True))
    with pytest.raises(KisUnreachable):
        fetch_data(**window)
    assert settled == [True]


# --- the job of every minute ------------------------------------------------------------------------------------------


def test_every_minute_only_unknown_orders_are_looked_for(looked_at, capsys):
    call_command("aegis_1min_orders")
    assert "모르는 주문 없음" in capsys.readouterr().out
    order = unknown()
    assert "결과를 모르는 주문이 1건" in settle_orders(intended="2026-11-20T10:00:00+09:00", minutes=1)
    assert looked_at == ["실전"]
    step(order, State.ACCEPTED, at=TEN, what="adopted", values=NUMBERED)
    assert settle_orders() == "모르는 주문 없음"
    assert looked_at == ["실전"]


# --- the doctor -------------------------------------------------------------------------------------------------------


@pytest.fixture
def case():
    return Case("real", now=lambda: TEN, demo=False)


def test_doctor_knows_what_stands_in_the_way(case, settings):
    assert_found(orders.trading(case), WARNING, "거래 비밀번호가 없어", "set_trading_password")
    password.set_password(PASSWORD, at=TEN)
    assert_found(orders.trading(case), OK, "실전 주문은 꺼져 있습니다")
    settings.REAL_TRADING_ENABLED = True
    assert_found(orders.trading(case), OK, "주문할 수 있습니다.")
    kill_switch.turn_on("시험", at=TEN, by="시험")
    assert_found(orders.trading(case), WARNING, "주문 중지가 켜져", "kill_switch off")
    unknown()
    assert_found(orders.trading(case), PROBLEM, "1건", "reconcile_orders")


def test_doctor_sees_a_full_disk(case, monkeypatch):
    monkeypatch.setattr("aegis.health.orders.free_bytes", lambda: 1_000_000)
    assert_found(orders.trading(case), PROBLEM, "1MB뿐", "공간")


def test_paper_orders_need_no_switch(settings):
    password.set_password(PASSWORD, at=TEN)
    assert_found(orders.trading(Case("paper", now=lambda: TEN, demo=False)), OK, "주문할 수 있습니다.")
