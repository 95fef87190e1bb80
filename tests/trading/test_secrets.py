"""Canaries: neither the trading password nor a confirm code is left anywhere but where the owner looks."""

import json
import logging

import pytest
from django.conf import settings as django_settings
from django_q.models import OrmQ, Schedule, Task

from aegis.logs import MaskSecrets
from kis.client.errors import KisUnreachable
from kis.client.transport import HttpTransport
from kis.known_secrets import hide
from tests.trading.conftest import PASSWORD
from tests.trading.trades import SAMSUNG, arrived, buy_wish
from trading.journal import file
from trading.models import OrderEvent, PendingOrder, TradingPassword
from trading.safe_executor import RealTradingClient, SafeExecutor

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("with_password", "real_enabled"),
]


@pytest.fixture
def logged(monkeypatch):
    """Collect every line of every logger as the site writes it."""
    lines = []

    class Collector(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler = Collector(level=logging.DEBUG)
    handler.addFilter(MaskSecrets())
    root = logging.getLogger()
    monkeypatch.setattr(root, "level", logging.DEBUG)
    monkeypatch.setattr(root, "handlers", [handler])
    return lines


def everything_stored():
    """Return all that this has left in the database and in the trading folder."""
    rows = [
        str(list(model.objects.values()))
        for model in (PendingOrder, OrderEvent, TradingPassword, OrmQ, Task, Schedule)
    ]
    files = [
        path.read_text(encoding="utf-8") for path in django_settings.TRADING_DIR.rglob("*") if path.is_file()
    ]
    return "\n".join([*rows, *files])


def test_password_and_code_are_nowhere(desk, clock, broker, logged):
    executor = SafeExecutor(desk)
    proposal = executor.propose(buy_wish(desk), given_password=PASSWORD)
    before = everything_stored()
    clock.go(seconds=5)
    executor.confirm(proposal.code, given_password=PASSWORD)
    stored = before + everything_stored() + "\n".join(logged) + repr(proposal)
    assert len(arrived(broker)) == 1
    assert proposal.code not in stored
    assert PASSWORD not in stored
    assert json.dumps(PASSWORD) not in stored


def test_lines_that_name_them_are_masked(desk, clock, logged):
    proposal = SafeExecutor(desk).propose(buy_wish(desk), given_password=PASSWORD)
    logging.getLogger("trading").error("asked with %s and %s", PASSWORD, proposal.code)
    assert logged[-1] == "asked with **** and ****"


def test_what_was_typed_wrongly_is_masked_too(desk, clock, logged):
    """A wrong password is often the right one of another place."""
    executor = SafeExecutor(desk)
    executor.propose(buy_wish(desk), given_password=PASSWORD)
    clock.go(seconds=5)
    with pytest.raises(Exception, match="다릅니다") as caught:
        executor.confirm("QQQQ", given_password="mothers-birthday")
    assert "QQQQ" not in str(caught.value)
    assert hide("mothers-birthday QQQQ") == "**** ****"


def test_error_while_sending_names_neither(desk, clock, logged, monkeypatch):
    executor = SafeExecutor(desk)
    proposal = executor.propose(buy_wish(desk), given_password=PASSWORD)
    clock.go(seconds=5)
    straight = HttpTransport.send

    def fail(self, request, *, timeout_seconds):
        if request.tr_id == "TTTC0012U":
            raise KisUnreachable(f"{proposal.code} {PASSWORD}")
        return straight(self, request, timeout_seconds=timeout_seconds)

    monkeypatch.setattr(HttpTransport, "send", fail)
    order = executor.confirm(proposal.code, given_password=PASSWORD)
    assert "확인하지 못했습니다: **** ****" in order.reason
    for text in ("\n".join(logged), file().read_text(encoding="utf-8")):
        assert proposal.code not in text
        assert PASSWORD not in text


def test_password_of_the_environment_is_masked(settings):
    settings.AEGIS_TRADING_PASSWORD = "cron-password-9"
    record = logging.LogRecord("a", logging.ERROR, "f", 1, "given cron-password-9", (), None)
    assert MaskSecrets().filter(record)
    assert record.msg == "given ****"


def test_client_shows_no_password():
    client = RealTradingClient(PASSWORD)
    assert PASSWORD not in repr(client)
    assert SAMSUNG not in repr(client)
