"""A worker that is killed in each job: what it leaves is whole, the next slot is right, nothing is there twice."""

import json
import os
from pathlib import Path

import pytest
from django.db import connection

from aegis.schedules import FETCH, ORDERS, PRINT, REFRESH
from kis.simulator.server import Simulator, SimulatorConfig
from tests.kis.many import LONG, SOON, run_python
from tests.kis.syncing import TEN

pytestmark = pytest.mark.django_db(transaction=True)
KILLING = Path(__file__).resolve().parents[1] / "machines" / "job_kills.py"
#: `make machines` takes more, and the fetch as well: that of the suite is in tests/kis/test_kills.py.
KILLS = int(os.environ.get("JOB_KILLS", "3"))


JOBS = [REFRESH, PRINT, ORDERS, *([FETCH] if KILLS > 3 else [])]


def test_job_that_is_killed_leaves_the_next_slot_right(tmp_path):
    with Simulator(SimulatorConfig(clock=TEN, speed=0, limits=False)) as simulator:
        connection.close()
        plan = {"jobs": [job.name for job in JOBS], "kills": KILLS, "home": str(tmp_path)}
        within = LONG if KILLS > 3 else SOON
        said = run_python([KILLING, json.dumps(plan)], simulator, tmp_path, "real", within_seconds=within)
    lines = said.splitlines()
    for told in map(json.loads, lines):
        assert told["problems"] == [], told["job"]
        assert told["kills"] == KILLS, told
    assert len(lines) == len(JOBS)
