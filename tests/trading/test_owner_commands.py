"""The commands around orders: trading password, kill switch, and how a command is to be typed again."""

import sys
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.trading.conftest import PASSWORD, make_order
from tests.trading.terminal import Terminal
from trading import audit, fate, journal, kill_switch, password
from trading.commands import as_typed, is_at_terminal
from trading.errors import WrongPassword
from trading.models import OrderEvent
from trading.states import State
from trading.steps import step

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "another-tree-7-moon"


# --- set_trading_password ---------------------------------------------------------------------------------------------


def test_first_password_is_asked_for_twice(owner):
    owner.answers = [NEW, NEW]
    shown = owner.types("set_trading_password")
    assert shown.code == 0, shown.error
    password.check(NEW, at=timezone.now())
    assert len(owner.prompts) == 2
    assert NEW not in shown.all


def test_new_password_needs_the_old_one(owner, with_password):
    owner.answers = ["wrong"]
    assert owner.types("set_trading_password").error == "거래 비밀번호가 다릅니다."
    owner.answers = [PASSWORD, NEW, NEW]
    assert owner.types("set_trading_password").code == 0
    with pytest.raises(WrongPassword):
        password.check(PASSWORD, at=timezone.now())


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([NEW, "other"], "서로 다릅니다"),
        (["short", "short"], "8자"),
        (["password1", "password1"], "비밀번호"),
    ],
)
def test_unfit_password_changes_nothing(owner, answers, words):
    owner.answers = answers
    shown = owner.types("set_trading_password")
    assert shown.code == 1
    assert words in shown.error
    assert not password.is_set()


def test_password_is_set_at_a_terminal_only(owner, monkeypatch):
    monkeypatch.setattr("trading.commands.is_at_terminal", lambda: False)
    assert "터미널에서" in owner.types("set_trading_password").error


# --- kill_switch ------------------------------------------------------------------------------------------------------


def test_switch_goes_on_without_any_question(owner):
    shown = owner.types("kill_switch", "on", reason="이상한 시세")
    assert shown.code == 0
    assert kill_switch.read().is_on
    assert "주문 중지: 켜짐." in shown.text
    assert "이상한 시세" in shown.text
    assert owner.prompts == []


def test_switch_goes_off_with_the_password_only(owner, with_password, monkeypatch):
    owner.types("kill_switch", "on")
    owner.answers = ["wrong"]
    assert owner.types("kill_switch", "off").error == "거래 비밀번호가 다릅니다."
    assert kill_switch.read().is_on
    monkeypatch.setattr("trading.commands.is_at_terminal", lambda: False)
    assert "그대로 켜져 있습니다" in owner.types("kill_switch", "off").error
    monkeypatch.setattr("trading.commands.is_at_terminal", lambda: True)
    assert owner.types("kill_switch", "off").text == "주문 중지: 꺼짐. 주문을 보낼 수 있습니다.\n"
    assert not kill_switch.read().is_on


def test_switch_that_is_off_stays_off_without_a_question(owner):
    assert "꺼짐" in owner.types("kill_switch", "off").text
    assert "꺼짐" in owner.types("kill_switch", "status").text
    assert owner.prompts == []


def test_switch_of_a_file_alone_has_no_time(owner):
    kill_switch.write_file("손으로")
    shown = owner.types("kill_switch", "status")
    assert shown.text.startswith("주문 중지: 켜짐. 파일 kill-switch이 있습니다.")


def test_history_names_whoever_turned_it_on(owner, monkeypatch):
    monkeypatch.setattr("trading.management.commands.kill_switch.getpass.getuser", lambda: "minsu")
    owner.types("kill_switch", "on")
    assert OrderEvent.objects.get(what="kill_switch_on").detail["by"] == "minsu (터미널)"


def test_machine_without_users_turns_it_on_as_well(owner, monkeypatch):
    def nobody():
        raise KeyError("uid")

    monkeypatch.setattr("trading.management.commands.kill_switch.getpass.getuser", nobody)
    owner.types("kill_switch", "on")
    assert OrderEvent.objects.get(what="kill_switch_on").detail["by"] == "터미널"
    assert audit.verify().problems == ()


# --- how it is typed again --------------------------------------------------------------------------------------------


def test_command_is_shown_as_it_works_here(monkeypatch, tmp_path):
    monkeypatch.setattr("trading.commands.shutil.which", lambda name: sys.executable)
    assert as_typed("실전", "확인") == "python manage.py 실전 확인"
    monkeypatch.setattr("trading.commands.shutil.which", lambda name: None)
    monkeypatch.setattr("trading.commands.sys.executable", str(Path.cwd() / ".venv" / "bin" / "python"))
    assert as_typed("실전") == ".venv/bin/python manage.py 실전"
    monkeypatch.setattr("trading.commands.sys.executable", "/opt/python")
    assert as_typed("실전") == "/opt/python manage.py 실전"


@pytest.mark.parametrize("attended", [True, False])
def test_somebody_sits_at_a_terminal_or_not(monkeypatch, attended):
    monkeypatch.setattr("trading.commands.sys.stdin", Terminal(attended=attended))
    monkeypatch.setattr("trading.commands.sys.stdout", Terminal())
    assert is_at_terminal() is attended


# --- what is certain after trouble ------------------------------------------------------------------------------------


def sent(clock, **values):
    order = make_order(at=clock.now)
    step(
        order,
        State.SENDING,
        at=clock.now,
        what="claimed",
        values={"claimed_at": clock.now, "market_at": clock.now},
    )
    if values:
        step(order, values.pop("status"), at=clock.now, what="answered", values=values)
    return order


def test_crash_while_sending_is_unknown(clock):
    order = sent(clock)
    assert fate.fate(order) == (State.UNKNOWN, "")


def test_journal_knows_more_than_a_row_that_was_left_behind(clock):
    order = sent(clock)
    journal.write(journal.outcome(order, State.ACCEPTED, at=clock.now, branch="06010", number="0000000117"))
    assert fate.fate(order) == (State.ACCEPTED, "0000000117")


def test_without_a_database_only_the_journal_speaks(clock, monkeypatch):
    order = sent(clock)

    def gone(**how):
        raise OperationalError("gone")

    monkeypatch.setattr("trading.fate.PendingOrder.objects.get", gone)
    assert fate.fate(order) == (State.UNKNOWN, "")
    journal.write(journal.outcome(order, State.NOT_SENT, at=clock.now, reason="연결"))
    assert fate.fate(order) == (State.NOT_SENT, "")


def test_order_that_lapsed_at_the_broker_was_accepted(clock):
    order = sent(clock, status=State.ACCEPTED, branch="06010", odno="0000000117", ord_dt=clock.now.date())
    step(order, State.EXPIRED, at=clock.now, what="followed")
    assert fate.fate(order) == (State.ACCEPTED, "0000000117")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.PENDING, "주문은 보내지 않았습니다."),
        (State.LOCKED, "확인 코드는 더 쓸 수 없습니다."),
        (State.REJECTED, "증권사가 거절했거나"),
        (State.UNKNOWN, "다시 내지 말고 확인해 주세요: SETTLE"),
        (State.FILLED, "주문은 접수되었습니다(주문번호 117). 다시 내지 마세요. 확인: LOOK"),
    ],
)
def test_sentence_of_every_fate(state, words):
    assert words in fate.said(state, "0000000117", look="LOOK", settle="SETTLE")
