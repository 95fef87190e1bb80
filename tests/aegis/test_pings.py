"""Pings to somebody outside: after a slot that was done here, and only then."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from aegis import tasks
from aegis.env import env_url
from aegis.logs import mask
from aegis.schedules import FETCH, REFRESH
from aegis.watching.pings import told_outside
from kis.calendar import use_days
from kis.log_context import lines_of_run
from kis.simulator.server import Simulator, SimulatorConfig
from tests.factories import sync_run
from tests.kis.fetching import configure, leave_out_prices
from tests.kis.syncing import TEN, Broker

pytestmark = pytest.mark.django_db
KEY = "0f1e2d3c-dead-man-key"


class Listening(BaseHTTPRequestHandler):
    """Notes what was asked for, and answers as it is told."""

    heard: ClassVar[list[str]] = []
    status = 200

    def do_GET(self):
        self.heard.append(self.path)
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def outside(settings, monkeypatch):
    """Return what somebody outside has heard, as the last parts of the addresses."""
    monkeypatch.setattr(Listening, "heard", [])
    monkeypatch.setattr("aegis.watching.pings.SECONDS", (60.0, 60.0))  # this machine may be busy
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listening)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    settings.PING_URL = f"http://127.0.0.1:{server.server_port}/{KEY}/{{job}}"
    yield lambda: [urlsplit(path).path.removeprefix(f"/{KEY}/") for path in Listening.heard]
    server.shutdown()
    server.server_close()


@pytest.fixture
def owner(settings, monkeypatch):
    with Simulator(SimulatorConfig(clock=TEN, speed=0, limits=False)) as simulator:
        configure(settings, simulator, modes=("real",))
        leave_out_prices(monkeypatch)
        monkeypatch.setattr("django.utils.timezone.now", lambda: TEN)
        yield simulator
    use_days({})


def test_slot_that_was_done_is_told_once_by_cron_or_worker(owner, outside):
    call_command(FETCH.name)
    assert outside() == [f"{FETCH.name}/start", FETCH.name]
    call_command(FETCH.name)  # somebody has done the slot
    tick: dict[str, Any] = {"minutes": 30, "opens": "08:30", "closes": "16:00"}
    tasks.fetch_data(intended=TEN.isoformat(), **tick)
    tasks.fetch_data(intended=(TEN + timedelta(days=1)).isoformat(), **tick)  # a day of rest
    call_command(FETCH.name, now=True)  # by hand
    assert len(outside()) == 2
    started, ended = (parse_qs(urlsplit(path).query)["rid"] for path in Listening.heard)
    assert started == ended
    tasks.refresh_accounts(intended=TEN.isoformat(), minutes=1, opens="08:55", closes="15:31")
    assert outside()[2:] == [f"{REFRESH.name}/start", REFRESH.name]


def test_slot_that_failed_is_told_as_such(owner, outside):
    Broker(owner.real.url).fault("TTTC8434R", "drop_field:dnca_tot_amt")
    with pytest.raises(CommandError):
        call_command(FETCH.name)
    assert outside() == [f"{FETCH.name}/start", f"{FETCH.name}/fail"]


def work(*, slot=TEN):
    with told_outside("a_job", slot=slot), lines_of_run(sync_run(at=TEN, slot=TEN)):
        pass


@pytest.mark.parametrize("status", [500, 302, 404])
def test_trouble_with_a_ping_is_a_line_and_nothing_else(outside, monkeypatch, caplog, status):
    monkeypatch.setattr(Listening, "status", status)
    work()
    assert outside() == ["a_job/start", "a_job"]
    assert caplog.messages == [f"A ping was refused: {status}"] * 2
    assert KEY not in caplog.text


def test_nobody_there_is_a_line_without_the_address(settings, caplog):
    settings.PING_URL = f"http://127.0.0.1:9/{KEY}"
    work()
    assert caplog.messages == ["A ping could not be sent: ConnectionError"] * 2
    assert KEY not in caplog.text


def test_nobody_is_told_without_an_address(settings, monkeypatch):
    settings.PING_URL = ""
    monkeypatch.setattr("requests.get", lambda *_arguments, **_named: pytest.fail("told"))
    work()


def test_question_mark_of_an_address_stays_behind_what_is_said(outside, settings):
    settings.PING_URL = settings.PING_URL.replace("{job}", "all?create=1")
    work()
    assert [path.partition("&")[0] for path in Listening.heard] == [
        f"/{KEY}/all/start?create=1",
        f"/{KEY}/all?create=1",
    ]


def test_address_is_no_word_for_the_log(settings):
    settings.PING_URL = f"https://hc-ping.com/{KEY}/{{job}}"
    assert KEY not in mask(f"GET /{KEY}/aegis_30min_data_fetch/start failed")


@pytest.mark.parametrize("address", [f"hc-ping.com/{KEY}", f"https://[{KEY}", f"https:///{KEY}"])
def test_address_that_is_none_stops_the_start(monkeypatch, address):
    monkeypatch.setenv("PING_URL", address)
    with pytest.raises(ImproperlyConfigured, match="PING_URL") as caught:
        env_url("PING_URL")
    assert KEY not in str(caught.value)
