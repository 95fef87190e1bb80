"""What every test gets: a closed network (loopback only) and a broker that is never the real one."""

from urllib.parse import urlsplit

import pytest
import requests.adapters

from kis.calendar import krx_holidays


@pytest.fixture(autouse=True)
def no_real_broker(monkeypatch):
    """Fail a test that would talk to anything but this machine, before a name is even looked up."""
    send = requests.adapters.HTTPAdapter.send

    def loopback_only(self, request, **how):
        assert urlsplit(request.url).hostname in {"127.0.0.1", "localhost"}, "a test left this machine"
        return send(self, request, **how)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", loopback_only)


@pytest.fixture(autouse=True, scope="session")
def warm_calendar():
    """Load the holidays once, so that no single test pays for it."""
    krx_holidays()
