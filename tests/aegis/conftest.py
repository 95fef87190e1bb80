"""Settings of an owner, and the simulator in place of his broker."""

import socket

import pytest

from aegis.health.case import Case, open_case
from kis.simulator.server import Simulator, SimulatorConfig
from tests.aegis.examining import MINE, NOON


@pytest.fixture
def no_env_file(monkeypatch, tmp_path):
    """Keep the owner's own file out of the tests."""
    monkeypatch.setenv("AEGIS_ENV_FILE", str(tmp_path / "mine.env"))


@pytest.fixture
def configure(settings, no_env_file):
    """Return a function that configures one mode as an owner would."""
    settings.AEGIS_DEMO = False

    def change(mode="real", **values):
        settings.KIS_ACCOUNTS = settings.KIS_ACCOUNTS | {mode: settings.KIS_ACCOUNTS[mode] | MINE | values}
        return Case(mode, now=lambda: NOON)

    return change


@pytest.fixture
def closed_port():
    """Return a port at which nobody listens, and that nobody else is given meanwhile."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        yield place.getsockname()[1]


@pytest.fixture(scope="module")
def broker_host():
    with Simulator(SimulatorConfig(clock=NOON, limits=False)) as simulator:
        yield simulator


@pytest.fixture
def opened(broker_host, configure, db, monkeypatch):
    """Return a function that opens a case for one host of the simulator, configured as if it were the broker."""
    monkeypatch.setattr("aegis.health.account.SLOW_SECONDS", 60.0)  # this machine may be busy
    stack = []

    def start(mode="real", **values):
        side = getattr(broker_host, mode)
        configure(
            mode,
            **{
                "app_key": side.app_key,
                "app_secret": side.app_secret,
                "account_no": side.account,
                "base_url": side.url,
                "ws_url": side.ws,
                **values,
            },
        )
        context = open_case(mode)
        stack.append(context)
        return context.__enter__()

    yield start
    for context in stack:
        context.__exit__(None, None, None)
