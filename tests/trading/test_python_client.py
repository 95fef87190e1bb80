"""Orders from Python: the same rules, and another process finds what waits."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from kis.client.endpoints.quotes import price
from kis.models import KisAccount
from tests.kis.scripted import environment
from tests.kis.syncing import Broker
from tests.trading.conftest import PASSWORD
from tests.trading.trades import SAMSUNG, arrived
from trading import hint, orders
from trading.desk import certain_skew, free_bytes, open_desk
from trading.errors import AlreadyTaken, NotConfirmed, OrderRefused
from trading.models import AuditHead, KillSwitch, OrderEvent, PendingOrder, TradingPassword
from trading.safe_executor import RealTradingClient
from trading.states import State

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("with_password", "real_enabled"),
]


@pytest.fixture
def owner(settings, simulator):
    """Configure the accounts of the simulator as the owner's."""
    settings.KIS_ACCOUNTS = {
        mode: {
            "app_key": side.app_key,
            "app_secret": side.app_secret,
            "account_no": side.account,
            "base_url": side.url,
            "ws_url": side.ws,
            "hts_id": "",
        }
        for mode, side in (("real", simulator.real), ("paper", simulator.paper))
    }


@pytest.fixture
def at_ten(monkeypatch, simulator):
    """Let the market be where the simulator is; codes live by the real time."""
    monkeypatch.setattr("kis.connect.timezone", SimpleNamespace(now=simulator.now))
    monkeypatch.setattr("trading.confirmation.SHORTEST_LOOK", timedelta())


@pytest.fixture
def client(owner, at_ten):
    return RealTradingClient(PASSWORD)


@pytest.fixture
def last(client):
    with open_desk("real") as desk:
        return price(desk.connection.session, code=SAMSUNG)


def test_sell_and_confirm(client, last, broker):
    result = client.sell(SAMSUNG, 1)
    assert len(result.code) == 4
    assert arrived(broker) == []
    assert client.confirm(result.code).state is State.ACCEPTED
    [there] = arrived(broker)
    assert (there["side"], there["qty"]) == ("sell", 1)
    assert PendingOrder.objects.get().source == PendingOrder.Source.PYTHON


def test_another_process_confirms_and_cancels(client, last, broker):
    low = last.price * 97 // 100 // last.tick * last.tick
    result = client.buy(SAMSUNG, 2, low, name="삼성전자")
    assert hint.read() == result.order.pk
    other = RealTradingClient(PASSWORD, account="실전")
    number = other.confirm(result.code).number
    cancel = other.cancel(SAMSUNG, number)
    assert client.confirm(cancel.code).state is State.ACCEPTED
    assert broker.order(number)["cancelled"] == 2


def test_wrong_password_is_told_as_a_wrong_code_is(client, last, broker):
    result = client.sell(SAMSUNG, 1)
    with pytest.raises(NotConfirmed, match="비밀번호나 확인 코드"):
        RealTradingClient("wrong").confirm(result.code)
    assert arrived(broker) == []


def test_paper_orders_need_no_switch_and_ask_the_balance_for_shares(owner, at_ten, settings, simulator):
    settings.REAL_TRADING_ENABLED = False
    Broker(simulator.paper.url).account(10_000_000, _005930=(3, 60_000))
    paper = RealTradingClient(PASSWORD, mode="paper")
    with pytest.raises(OrderRefused, match="3주까지 팔 수 있습니다"):
        paper.sell(SAMSUNG, 4)
    assert paper.confirm(paper.sell(SAMSUNG, 3).code).state is State.ACCEPTED
    assert all(order.is_paper for order in PendingOrder.objects.all())


def test_two_proposals_in_the_same_moment(client, last, monkeypatch):
    client.sell(SAMSUNG, 1)
    monkeypatch.setattr(orders, "give_up_waiting", lambda desk: None)
    with pytest.raises(AlreadyTaken):
        client.sell(SAMSUNG, 1)


def test_hint_that_cannot_be_written_does_not_stop_the_order(client, last, monkeypatch, caplog):
    monkeypatch.setattr("trading.hint.Path.replace", lambda *args: (_ for _ in ()).throw(OSError(28, "full")))
    client.sell(SAMSUNG, 1)
    assert "hint" in caplog.text
    assert hint.read() is None
    assert list(hint.file().parent.glob(".pending*")) == []


def test_hint_that_cannot_be_taken_away_does_not_stop_the_order(client, last, monkeypatch, caplog, broker):
    result = client.sell(SAMSUNG, 1)
    monkeypatch.setattr(
        "trading.hint.Path.unlink", lambda *args, **how: (_ for _ in ()).throw(OSError(30, "ro"))
    )
    assert client.confirm(result.code).state is State.ACCEPTED
    assert "could not be taken away" in caplog.text
    assert len(arrived(broker)) == 1


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"id": true}', '{"id": "7"}', "\x00"])
def test_damaged_hint_is_as_good_as_none(content):
    hint.file().write_text(content)
    assert hint.read() is None


def test_clock_of_this_machine_is_that_of_the_simulator(owner, at_ten):
    with open_desk("real") as desk:
        skew = desk.skew(desk.environment)
        assert skew is not None
        assert abs(skew) < timedelta(seconds=3)
        assert desk.wall() - timezone.now() < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("found", "skew"), [(None, None), ((9.0, 2.0), -8), ((-9.0, 2.0), 8), ((0.4, 1.0), 0)]
)
def test_only_what_is_certain_of_a_difference_counts(monkeypatch, found, skew):
    """Positive: ours is ahead."""
    monkeypatch.setattr("trading.desk.measure_skew", lambda environment, now: found)
    assert certain_skew(environment()) == (None if skew is None else timedelta(seconds=skew))


def test_room_on_the_disk_of_a_folder_that_is_not_there_yet(settings, tmp_path):
    settings.TRADING_DIR = tmp_path / "not" / "yet"
    assert free_bytes() > 0


def test_rows_say_what_they_are(client, last):
    client.sell(SAMSUNG, 1)
    assert "매도 삼성전자 005930 1주 시장가" in str(PendingOrder.objects.get())
    assert str(TradingPassword.objects.get()) == "거래 비밀번호"
    assert "proposed" in str(OrderEvent.objects.latest("number"))
    assert str(AuditHead.objects.get().number) in str(AuditHead.objects.get())
    assert str(KillSwitch()) == "꺼짐"
    assert not KisAccount.objects.exists()
