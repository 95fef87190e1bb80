"""One of the sixty days, with the jobs of minutes on every half hour; `make days` plays them all (docs/sixty-days.md)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

RUN = Path(__file__).resolve().parents[1] / "days" / "run.py"
DAYS = 1


@pytest.mark.django_db(transaction=True)  # with PostgreSQL another process writes to this database
def test_a_day_passes_with_every_slot_run_once(tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    if connection.vendor == "postgresql":
        name = connection.settings_dict["NAME"]
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}")
        environment["DATABASE_URL"] = url.geturl()
        connection.close()
    saved = tmp_path / "days.json"
    command = [sys.executable, RUN, "--days", DAYS, "--every", 30, "--prints", 0, "--quiet", "--save", saved]
    ran = subprocess.run(
        [*map(str, command)], env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert saved.exists(), ran.stderr
    told = json.loads(saved.read_text(encoding="utf-8"))
    assert not told["problems"]
    assert told["database"] == connection.vendor
    assert (told["days"], told["refused"], told["count"]["alert messages received twice"]) == (DAYS, 0, 0)
    # The last day has a paper account, too.
    assert told["count"]["days equal to the broker's books"] == DAYS + 1
    for job, fewest in (("aegis_1min_realtime", 24), ("aegis_30min_data_fetch", 28)):
        assert fewest <= told["count"][f"runs {job}"] <= told["count"][f"slots {job}"]
