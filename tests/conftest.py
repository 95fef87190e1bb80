"""What every test gets: a closed network (loopback only) and a broker that is never the real one."""

import socket

import pytest

from kis.calendar import krx_holidays

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(autouse=True)
def no_real_broker(monkeypatch):
    """Fail a test that asks for another machine's name; connecting to one is stopped by pytest-socket."""
    look_up = socket.getaddrinfo

    def local_names_only(host, *how, **more):
        name = host.decode() if isinstance(host, bytes) else host
        assert name in {*LOOPBACK, None}, "a test asked for a name outside of this machine"
        return look_up(host, *how, **more)

    monkeypatch.setattr(socket, "getaddrinfo", local_names_only)


@pytest.fixture(autouse=True, scope="session")
def warm_calendar():
    """Load the holidays once, so that no single test pays for it."""
    krx_holidays()
