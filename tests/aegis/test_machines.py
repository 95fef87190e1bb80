"""Several machines on one PostgreSQL with nothing else in common; the long version is `make machines`."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django_q.models import Success

from aegis.schedules import PRINT, REFRESH
from kis.models import AccessToken, KisAccount, SyncRun
from kis.simulator.server import Simulator, SimulatorConfig
from reports.models import PublishedReport
from tests.kis.many import LONG, SOON, run_python
from tests.kis.syncing import TEN, Broker

pytestmark = pytest.mark.django_db(transaction=True)
PARK = Path(__file__).resolve().parents[1] / "machines" / "park.py"
MINUTE = timedelta(minutes=1)


def play(tmp_path, **plan):
    """Let machines live through some minutes; return what happened, and the broker's view of it."""
    if connection.vendor != "postgresql":
        pytest.skip("several machines need PostgreSQL")
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    with Simulator(SimulatorConfig(clock=TEN, speed=0, limits=False, latency_ms=60)) as simulator:
        connection.close()
        told = run_python(
            [PARK, json.dumps({"home": str(tmp_path), **plan})],
            simulator,
            tmp_path,
            "real",
            within_seconds=SOON if plan["minutes"] < 30 else LONG,
            AEGIS_REPORT_STORAGE="tests.machines.bucket.Bucket",
            AEGIS_REPORT_STORAGE_OPTIONS=json.dumps({"folder": str(bucket)}),
        )
        requests = Broker(simulator.real.url).get("requests")
    return json.loads(told), requests


def slots(job, first, last, *, every=1):
    """Return the ticks of a job, minutes after ten, and how its run of each ended."""
    states = dict(SyncRun.objects.filter(job=job.name).values_list("slot", "status"))
    return {minute: states.get(TEN + minute * MINUTE, "") for minute in range(first, last + 1, every)}


def assert_shared(tmp_path, requests):
    """Whatever happened: one token, one budget, a snapshot for each run, and the reports where everybody finds them."""
    complete = SyncRun.objects.filter(status="complete")
    copies = complete.exclude(job=PRINT.name)
    assert KisAccount.objects.count() == copies.count(), "a snapshot for each run, and none without"
    assert PublishedReport.objects.count() == complete.filter(job=PRINT.name).count()
    assert AccessToken.objects.get().generation == 1
    assert requests["tokens_issued"] == 1, "the machines share their token"
    assert sorted(path.name for path in (tmp_path / "bucket").glob("[!.]*")) in (
        ["Kis_Dashboard.pdf"],
        ["Kis_Dashboard.pdf", "Kis_Dashboard.previous.pdf"],
    )
    assert not list(tmp_path.glob("*/Realtime")), "a report lies on a machine"
    assert not list(tmp_path.glob("*/died")), [path.read_text() for path in tmp_path.glob("*/died")]


def test_slots_go_on_when_a_machine_dies_and_none_is_run_twice(tmp_path):
    told, requests = play(
        tmp_path, speed=20, begin=3, minutes=11, workers=["seoul", "busan"], cron=True, kills=[5]
    )
    [killed] = told["killed"]
    ended = slots(REFRESH, 4, 11)
    late = {minute for minute, state in ended.items() if state != "complete"}
    # Whoever died in a run holds its account for a minute and a half; the play waits two for such a moment.
    assert late <= {5, 6, 7, 8}, (killed, ended)
    assert slots(PRINT, 10, 10) == {10: "complete"}
    assert not SyncRun.objects.filter(status="running", slot__lt=TEN + 10 * MINUTE).exists()
    assert (tmp_path / "bucket" / "Kis_Dashboard.pdf").read_bytes() == b"%PDF 10:10"
    assert Success.objects.filter(cluster="fast").exists(), "the workers had no part"
    assert_shared(tmp_path, requests)
