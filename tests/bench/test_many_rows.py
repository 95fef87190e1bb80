"""What ten million rows cost the lists, the API and the dashboard, against ten thousand: `make bench-rows`."""

import os
import statistics
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test import Client

from aegis.backup.places import standing_in
from kis.models import KisHolding, MinPrice
from reports.queries import dashboard_rows
from tests.bench.filling import CLOSE, HELD, fill, site
from tests.kis.owning import of_owner

pytestmark = pytest.mark.django_db(transaction=True)

FEW = 10_000
ROWS = int(os.environ.get("ROWS", "200000"))
ROUNDS = int(os.environ.get("ROUNDS", "15"))
MOST = 1.5
#: Below this a ratio says more about the machine than about the rows.
NOISE_SECONDS = 0.003
#: A page is slow where it is slow each time; others may be busy on this machine, too.
TRIES = 3
CODE = HELD[3].code
PAGES = (
    "/admin/kis/kisholding/",
    "/admin/kis/kisholding/?p=3",
    f"/admin/kis/kisholding/?q={CODE}",
    "/admin/kis/kisholding/?mode=real",
    "/admin/kis/kisholding/?mode=paper",
    "/admin/kis/kisholding/?mode=paper&market=KOSPI",
    "/admin/kis/kisholding/?o=5",
    "/admin/kis/kisaccount/?mode=paper",
    "/admin/kis/kisholding/{holding}/change/",
    "/admin/kis/minprice/",
    "/admin/kis/minprice/?p=3",
    f"/admin/kis/minprice/?q={CODE}",
    "/admin/kis/minprice/{minute}/change/",
    "/admin/kis/kisaccount/",
    "/api/v1/holdings/",
    "/api/v1/holdings/?latest=true",
    f"/api/v1/holdings/?code={CODE}",
    f"/api/v1/holdings/?code={CODE}&mode=real",
    "/api/v1/holdings/?mode=real",
    "/api/v1/holdings/?account=실전",
    "/api/v1/holdings/?account=실전&latest=true&ordering=-evlu_amt",
    "/api/v1/holdings/?from=2026-11-19&to=2026-11-20",
    "/api/v1/holdings/?ordering=snapshot_at",
    "/api/v1/holdings/{holding}/",
    "/api/v1/minute-prices/",
    f"/api/v1/minute-prices/?code={CODE}",
    f"/api/v1/minute-prices/?code={CODE}&from=2026-11-20&to=2026-11-20",
    "/api/v1/minute-prices/?from=2026-11-20",
    "/api/v1/minute-prices/?ordering=bar_at",
    "/api/v1/minute-prices/{minute}/",
    "/api/v1/accounts/",
    "/api/v1/accounts/?latest=true",
    "/api/v1/dashboard?mode=real",
    "the second page of /api/v1/holdings/",
    "the second page of /api/v1/minute-prices/",
    "the rows of the dashboard",
)


@pytest.fixture
def sites(transactional_db, tmp_path, settings):
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01", paper="50012345-01")
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"user": None, "orders": None},
    }
    with site("few", tmp_path) as few, site("many", tmp_path) as many:
        for place, rows in ((few, FEW), (many, ROWS)):
            begun = time.perf_counter()
            with standing_in(place):
                filled = fill(rows)
                get_user_model().objects.create_superuser("owner")
            print(f"\n{connection.vendor}: {filled} rows in {time.perf_counter() - begun:.0f} s", flush=True)
        yield few, many


def page(place, name):
    """Return what opens a page on one of the sites, after it has been opened once."""
    with standing_in(place):
        client = Client()
        client.force_login(get_user_model().objects.get())
        holding, minute = KisHolding.objects.latest("pk").pk, MinPrice.objects.latest("pk").pk

    def rows():
        dashboard_rows(mode="real", at=CLOSE + timedelta(minutes=1))

    def fetch(address):
        response = client.get(address)
        assert response.status_code == 200, (address, response.status_code)
        return response

    if name == "the rows of the dashboard":
        return rows
    if name.startswith("the second page of "):
        with standing_in(place):
            address = urlsplit(fetch(name.removeprefix("the second page of ")).json()["next"])
        return lambda: fetch(f"{address.path}?{address.query}")
    return lambda: fetch(name.format(holding=holding, minute=minute))


def measured(few, many, name):
    """Return the medians of a page on both sites, opened in turns so that both share the moods of the machine."""
    opened: list[tuple[Any, Any, list[float]]] = [(place, page(place, name), []) for place in (few, many)]
    for number in range(ROUNDS + 1):
        for place, action, taken in opened:
            cache.clear()
            with standing_in(place):
                begun = time.perf_counter()
                action()
                if number:  # the first one warms up
                    taken.append(time.perf_counter() - begun)
    return [statistics.median(taken) for _, _, taken in opened]


def test_pages_cost_the_same_however_many_rows_there_are(sites):
    few, many = sites
    slow = {}
    print(f"\n{'page':60} {FEW:>10,} {ROWS:>12,}   ratio")
    for name in PAGES:
        for _ in range(TRIES):
            before, after = measured(few, many, name)
            ratio = after / before
            is_slow = ratio > MOST and after - before > NOISE_SECONDS
            print(f"{name:60} {before * 1000:8.1f}ms {after * 1000:10.1f}ms   {ratio:.2f}", flush=True)
            if not is_slow:
                break
        else:
            slow[name] = f"{ratio:.1f}"
    assert slow == {}
