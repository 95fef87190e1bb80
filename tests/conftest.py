"""What every test gets: a closed network (loopback only) and a broker that is never the real one."""

import socket

import pytest

from kis.calendar import krx_holidays

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(autouse=True)
def no_real_broker(monkeypatch):
    """Fail a test that would talk to anything but this machine, before a name is even looked up."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def loopback_only(self, address):
        if self.family != socket.AF_UNIX:
            assert address[0] in LOOPBACK, "a test left this machine"
        return connect(self, address)

    def local_names_only(host, *how, **more):
        name = host.decode() if isinstance(host, bytes) else host
        assert name in {*LOOPBACK, None}, "a test asked for a name outside of this machine"
        return look_up(host, *how, **more)

    monkeypatch.setattr(socket.socket, "connect", loopback_only)
    monkeypatch.setattr(socket, "getaddrinfo", local_names_only)


@pytest.fixture(autouse=True, scope="session")
def warm_calendar():
    """Load the holidays once, so that no single test pays for it."""
    krx_holidays()
