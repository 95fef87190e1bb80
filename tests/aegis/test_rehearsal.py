"""`test_safe_executor`: it plays to its end, touches nothing of the owner's, and fails loudly where something is wrong."""

import secrets
from datetime import time, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone

from aegis.rehearsal.play import Rehearsal
from kis.calendar import Day, Hours, business_days, use_days
from kis.client.transport import HttpTransport
from kis.korean import SEOUL
from tests import ready_database
from trading import audit, kill_switch
from trading.models import PendingOrder, TradingPassword

pytestmark = pytest.mark.django_db(transaction=True)


def rehearse():
    out = StringIO()
    call_command("test_safe_executor", stdout=out)
    return out.getvalue()


def test_rehearsal_plays_to_its_end_and_leaves_nothing(settings, tmp_path):
    owners = settings.TRADING_DIR
    before = audit.verify()
    database = connection.settings_dict["NAME"]
    text = rehearse()
    assert "10단계에서 확인" in text
    assert "모두 맞습니다." in text
    assert text.count("✓") > 30
    assert connection.settings_dict["NAME"] == database
    assert not PendingOrder.objects.exists()
    assert not TradingPassword.objects.exists()
    assert audit.verify() == before
    assert owners == settings.TRADING_DIR
    assert list(owners.rglob("*")) == []
    assert not kill_switch.read().is_on


def test_rehearsal_plays_to_its_end_on_a_day_that_closes_later(monkeypatch):
    """On an exam day it said that no order was to be sent: ten past four was no evening there."""
    today = timezone.now().astimezone(SEOUL).date()
    late = Day(opens=True, settles=True, hours=Hours(time(10), time(16, 30)))
    use_days(dict.fromkeys(business_days(today - timedelta(days=10), today), late))
    monkeypatch.setattr("aegis.rehearsal.world.call_command", migrate)
    assert "모두 맞습니다." in rehearse()


def assert_it_fails(*words):
    with pytest.raises(CommandError) as failed:
        rehearse()
    assert "연습이 실패했습니다. 실전 주문을 하지 마세요." in str(failed.value)
    assert all(word in str(failed.value) for word in words), str(failed.value)
    assert failed.value.returncode == 1
    assert not PendingOrder.objects.exists()


def only(monkeypatch, *steps):
    """Leave out the steps that a planted mistake does not touch, and the migrations, which the whole play has run."""
    monkeypatch.setattr(Rehearsal, "steps", property(lambda self: [getattr(self, name) for name in steps]))
    monkeypatch.setattr("aegis.rehearsal.world.call_command", migrate)


def migrate(*_, **__):
    ready_database.lay(Path(connections["default"].settings_dict["NAME"]))


def test_order_that_is_sent_twice_is_noticed(monkeypatch):
    only(monkeypatch, "buy", "right_code")
    straight = HttpTransport.send

    def send_twice(self, request, *, timeout_seconds):
        if request.tr_id == "TTTC0012U":
            straight(self, request, timeout_seconds=timeout_seconds)
        return straight(self, request, timeout_seconds=timeout_seconds)

    monkeypatch.setattr(HttpTransport, "send", send_twice)
    assert_it_fails("거래소가 받은 주문은 1건입니다")


def test_code_that_is_not_compared_is_noticed(monkeypatch):
    only(monkeypatch, "buy", "wrong_code")
    monkeypatch.setattr("trading.codes.is_same", lambda *given, **how: True)
    assert_it_fails("틀린 코드가 받아들여졌습니다.")


def test_gate_that_does_not_shut_is_noticed(monkeypatch):
    only(monkeypatch, "switch")
    monkeypatch.setattr("trading.limits._kill_switch", lambda facts: "")
    assert_it_fails("막아야 할 주문을 받아들였습니다.")


def test_history_that_was_changed_is_noticed(monkeypatch):
    only(monkeypatch, "buy", "history")
    monkeypatch.setattr("trading.audit.digest_of", lambda event: secrets.token_hex(32))
    assert_it_fails("처음부터 끝까지 이어집니다")
