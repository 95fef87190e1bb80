"""A site with books, a broker at the simulator and three identities, for whoever tries its API."""

import json
import os
from dataclasses import dataclass
from socketserver import StreamRequestHandler

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from rest_framework.throttling import UserRateThrottle

from kis.client.codes import AccountNumber
from kis.grants import grant
from kis.tokens import create_token
from tests.kis.api_rows import make_rows
from tests.kis.conftest import simulator, start_simulator  # noqa: F401  # fixtures
from tests.trading.conftest import (  # noqa: F401  # fixtures
    TEN,
    broker,
    clock,
    desk_at,
    make_order,
    posts,
    real_enabled,
    with_password,
)
from tests.trading.terminal import configure
from trading import api, counter


@dataclass
class Site:
    """Where a site is, the token of each identity, and one that may read the schema."""

    url: str
    tokens: dict[str, str]
    reader: str


@pytest.fixture
def tradable(simulator, settings, clock, posts, monkeypatch):  # noqa: F811
    """Let the site reach the simulator by the clock of the test."""
    configure(settings, simulator, "real")
    monkeypatch.setattr(counter, "open_desk", lambda mode, account: desk_at(simulator, clock, posts, mode))
    monkeypatch.setattr(api, "now", clock.wall)


@pytest.fixture
def site(tradable, with_password, real_enabled, live_server, monkeypatch):  # noqa: F811
    if connection.vendor != "sqlite" and not os.environ.get("FUZZ_EXAMPLES"):
        pytest.skip("`make fuzz` tries PostgreSQL at length")
    cache.clear()
    # How often somebody may ask is tried elsewhere; here it would end everything after a second.
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": None, "orders": None})
    # Header and body leave in two pieces; waiting for the other side to have the first would cost 40 ms a request.
    monkeypatch.setattr(StreamRequestHandler, "disable_nagle_algorithm", True)
    make_rows(3)
    tokens = {"anonymous": ""}
    for name, scope in (("viewer", "read"), ("trader", "trade")):
        user = get_user_model().objects.create_user(name)
        grant(user, AccountNumber("12345678", "01"), is_paper=False, role=name)
        tokens[name] = create_token(user, name=name, scope=scope)[1]
    make_order(made_by=user, stock_code="000660")
    owner = get_user_model().objects.create_superuser("owner")
    return Site(live_server.url, tokens, create_token(owner, name="owner", scope="read")[1])


@pytest.fixture
def schema_file(site, client, tmp_path):
    """Return where the schema is, as the site hands it out."""
    response = client.get("/api/schema/?format=json", headers={"authorization": f"Bearer {site.reader}"})
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(response.json()), encoding="utf-8")
    return file
