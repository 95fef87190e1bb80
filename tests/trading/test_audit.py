"""The history can be verified: whatever is changed, added or cut off by hand shows."""

from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connection

from tests.trading.conftest import TEN, make_order
from trading import audit
from trading.models import AuditHead, OrderEvent, PendingOrder
from trading.states import State
from trading.steps import step

pytestmark = pytest.mark.django_db
GUARDED = ("trading_order", "trading_order_event")


def without_triggers(*statements):
    """Write as somebody with the database's own tools would, who takes the triggers away for it."""
    with connection.cursor() as cursor, guards_lifted(cursor):
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def guards_lifted(cursor):
    if connection.vendor == "postgresql":
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE"
        )  # a table with checks still to be made cannot be altered
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        return
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    triggers = cursor.fetchall()
    for name, _ in triggers:
        cursor.execute(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        cursor.execute(sql)


def some_history():
    first = make_order()
    step(first, State.ABANDONED, at=TEN, what="withdrawn")
    second = make_order()
    step(second, State.SENDING, at=TEN, what="claimed", values={"claimed_at": TEN, "market_at": TEN})
    return first, second


def test_untouched_history_has_nothing_to_say():
    assert audit.verify() == audit.Audit(0, audit.START, ())
    some_history()
    found = audit.verify()
    assert (found.events, found.problems) == (4, ())
    assert found.digest == OrderEvent.objects.get(number=4).digest == AuditHead.objects.get().digest


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE trading_order_event SET what = 'sent' WHERE number = 2", "2번 이력의 내용이 바뀌었습니다"),
        (
            "UPDATE trading_order_event SET at = '2020-01-01 00:00:00+00:00' WHERE number = 3",
            "3번 이력의 내용이 바뀌었습니다",
        ),
        ("DELETE FROM trading_order_event WHERE number = 2", "1번 다음이 3번입니다"),
        ("DELETE FROM trading_order_event WHERE number = 4", "기록된 끝은 4번, 실제 마지막은 3번"),
        ("UPDATE trading_audit_head SET number = 9", "기록된 끝은 9번"),
        (
            "UPDATE trading_order SET status = 'rejected', code_hash = '' WHERE status = 'sending'",
            "상태는 rejected인데 이력의 마지막은 sending",
        ),
        (
            "UPDATE trading_order_event SET old_status = 'unknown' WHERE number = 4",
            "이전 상태가 이어지지 않습니다",
        ),
    ],
)
def test_what_was_changed_by_hand_is_named(statement, told):
    some_history()
    without_triggers(statement)
    assert any(told in problem for problem in audit.verify().problems)


def test_event_that_was_slipped_in_breaks_the_chain():
    some_history()
    last = OrderEvent.objects.get(number=4)
    forged = OrderEvent(number=5, at=TEN, what="forged", previous_digest="0" * 64)
    forged.digest = audit.digest_of(forged)
    forged.save()
    AuditHead.objects.update(number=5, digest=forged.digest)
    assert any("5번 이력이 앞의 이력과 이어지지" in problem for problem in audit.verify().problems)
    assert last.digest != forged.previous_digest


def test_order_without_history_is_named():
    order = make_order()
    without_triggers("DELETE FROM trading_order_event", "DELETE FROM trading_audit_head")
    assert audit.verify().problems == (f"주문 #{order.pk}: 상태는 pending인데 이력의 마지막은 없음입니다.",)
    assert PendingOrder.objects.count() == 1


def test_command_says_how_many_and_the_seal(capsys):
    some_history()
    call_command("verify_audit")
    told = capsys.readouterr().out
    assert "4건" in told
    assert AuditHead.objects.get().digest[:16] in told


def test_command_fails_and_names_what_is_wrong(capsys):
    some_history()
    without_triggers("DELETE FROM trading_order_event WHERE number = 2")
    with pytest.raises(SystemExit, match="1"):
        call_command("verify_audit")
    assert "1번 다음이 3번입니다" in capsys.readouterr().err


def test_what_happens_while_the_history_is_looked_through_is_no_problem(monkeypatch):
    first, second = some_history()
    plain = audit.end
    ends: list[tuple[int, str]] = []

    def end_while_others_write():
        # The first one is read before, the second one after somebody else's step.
        if ends:
            step(second, State.UNKNOWN, at=TEN, what="left_behind")
        ends.append(plain())
        return ends[-1]

    monkeypatch.setattr(audit, "end", end_while_others_write)
    assert audit.verify().problems == ()
    assert [number for number, _ in ends] == [4, 5]
    assert first.state is State.ABANDONED
