"""The switch: on as soon as row or file says so, and by itself after too much trouble."""

from datetime import timedelta

import pytest

from tests.trading.conftest import TEN, make_order
from trading import audit, kill_switch, tripwires
from trading.models import KillSwitch, OrderEvent
from trading.states import State

pytestmark = pytest.mark.django_db(transaction=True)


def test_switch_is_off_until_somebody_turns_it_on():
    assert not kill_switch.read().is_on
    kill_switch.turn_on("점검", at=TEN, by="test")
    assert kill_switch.read() == kill_switch.Switch(is_on=True, reason="점검", since=TEN)
    kill_switch.turn_on("한 번 더", at=TEN, by="test")
    assert kill_switch.read().reason == "점검"
    kill_switch.turn_off(at=TEN, by="test")
    assert not kill_switch.read().is_on
    assert [event.what for event in OrderEvent.objects.order_by("number")] == [
        "kill_switch_on",
        "kill_switch_off",
    ]


def test_file_alone_stops_orders():
    kill_switch.write_file("손으로")
    assert kill_switch.read().is_on
    kill_switch.turn_off(at=TEN, by="test")
    assert not kill_switch.read().is_on


def test_row_alone_stops_orders():
    kill_switch.turn_on("점검", at=TEN, by="test")
    kill_switch.file().unlink()
    assert kill_switch.read().is_on


def test_full_disk_does_not_keep_it_off(monkeypatch, caplog):
    def full(*args, **how):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trading.kill_switch.Path.write_text", full)
    kill_switch.turn_on("점검", at=TEN, by="test")
    assert kill_switch.read().is_on
    assert "could not be written" in caplog.text


def test_file_that_cannot_be_looked_at_counts(settings, tmp_path):
    settings.TRADING_DIR = tmp_path / "file" / "below"
    (tmp_path / "file").write_text("no folder")
    assert kill_switch.read().is_on


def test_folder_that_is_not_there_yet_is_no_switch(settings, tmp_path):
    settings.TRADING_DIR = tmp_path / "not yet"
    assert not kill_switch.read().is_on


def trouble(order, count, *, what="wrong_code", new=None, at=TEN):
    for _ in range(count):
        audit.record(what, at=at, order=order, new=new)
        told = tripwires.check(order, at=at)
    return told


@pytest.mark.parametrize(
    ("most", "event"),
    [
        (tripwires.MOST_WRONG_CODES, {}),
        (tripwires.MOST_UNKNOWN, {"what": "answered", "new": State.UNKNOWN}),
        (tripwires.MOST_REJECTED, {"what": "answered", "new": State.REJECTED}),
    ],
)
def test_too_much_trouble_turns_it_on(most, event):
    order = make_order()
    assert not trouble(order, most - 1, **event)
    assert not kill_switch.read().is_on
    assert f"{most}건" in trouble(order, 1, **event)
    assert f"{most}건" in kill_switch.read().reason
    # The owner has looked and turned it off: it takes as much again.
    kill_switch.turn_off(at=TEN, by="test")
    assert not trouble(order, most - 1, **event)
    assert trouble(order, 1, **event)


def test_trouble_of_other_days_and_accounts_does_not_count():
    order = make_order()
    trouble(order, tripwires.MOST_WRONG_CODES - 1, at=TEN - timedelta(days=1))
    trouble(make_order(is_paper=True), tripwires.MOST_WRONG_CODES - 1)
    assert not trouble(order, 1)


def test_day_of_trouble_is_the_korean_one():
    """Nine hours before midnight in London is still yesterday in Seoul."""
    order = make_order()
    late = TEN.replace(hour=23, minute=59)
    trouble(order, tripwires.MOST_WRONG_CODES - 1, at=TEN.replace(hour=0, minute=1))
    assert trouble(order, 1, at=late)


def test_string_of_the_switch():
    kill_switch.turn_on("점검", at=TEN, by="test")
    assert str(KillSwitch.objects.get()) == "켜짐"
