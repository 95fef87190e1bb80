"""One simulator for all processes while the site is on: found by its note, believed while it holds its lock."""

import json
import os
from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from kis import demo_host
from kis.connect import connect
from kis.demo import only_one, serving_simulator
from kis.market_clock import market_now
from kis.models import KisAccount
from kis.refresh import refresh_now

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo(settings, tmp_path, monkeypatch):
    settings.AEGIS_DEMO = True
    settings.DEMO_STATE_FILE = tmp_path / "simulator.json"
    monkeypatch.setattr("kis.demo.give_a_past", lambda broker: None)


def test_others_use_the_simulator_that_is_served():
    with serving_simulator() as serving:
        served = serving.simulator.real.url
        with connect("real") as one, connect("real") as another:
            assert one.environment.base_url == another.environment.base_url == served
        requests.post(f"{served}/_sim/price", json={"code": "005930", "price": 61_200}, timeout=60)
        with connect("real") as connection:
            refresh_now(connection)
    assert KisAccount.objects.get().holdings.get(stock_code="005930").prpr == 61_200


def assert_told(simulator):
    before, told, after = simulator.now(), market_now(), simulator.now()
    assert told is not None
    assert before - timedelta(seconds=1) < told < after + timedelta(seconds=1)


def test_time_of_the_market_is_that_of_the_simulator_while_it_runs():
    assert market_now() is None
    with serving_simulator() as serving:
        assert_told(serving.simulator)
        later = serving.simulator.now() + timedelta(minutes=42)
        requests.post(f"{serving.simulator.real.url}/_sim/clock", json={"now": later.isoformat()}, timeout=60)
        serving.look_after()
        assert_told(serving.simulator)
        assert serving.simulator.now() >= later
    assert market_now() is None


def test_note_that_was_left_behind_is_not_believed():
    with serving_simulator():
        left = demo_host.note_file().read_text()
    demo_host.note_file().write_text(left)
    assert demo_host.running() is None  # nobody holds the lock
    with only_one(demo_host.lock_file()):
        served = demo_host.running()
        assert served is not None
        demo_host.write_note(replace(served, pid=2**22 + 1))
        assert demo_host.running() is None
        for text in ("{broken", "[" * 100_000, "[]", '"x"', json.dumps({**json.loads(left), "pid": 10**30})):
            demo_host.note_file().write_text(text)
            assert demo_host.running() is None


def test_note_is_for_its_owner_alone():
    with serving_simulator():
        assert demo_host.note_file().stat().st_mode & 0o777 == 0o600
        assert demo_host.running().pid == os.getpid()
    assert not demo_host.note_file().exists()


def test_real_time_is_the_markets_time_without_demo(settings):
    settings.AEGIS_DEMO = False
    told = market_now()
    assert told is not None
    assert told.tzinfo is not None
