"""How much of the broker's rate several processes get together: `make bench`."""

import pytest

from kis.simulator.server import Simulator, SimulatorConfig
from tests.kis.many import run_processes

pytestmark = pytest.mark.django_db(transaction=True)
PROCESSES = 4


@pytest.mark.parametrize(("mode", "charts", "per_second"), [("real", 400, 18), ("paper", 40, 1)])
def test_processes_use_the_whole_rate_and_never_more(tmp_path, mode, charts, per_second):
    config = SimulatorConfig(latency_ms=100)
    with Simulator(config) as simulator:
        results = run_processes(
            simulator, tmp_path, mode, "charts", str(PROCESSES), mode, str(charts // PROCESSES)
        )
        traffic = simulator.gateways[mode].traffic
    seconds = max(result["ended"] for result in results) - min(result["began"] for result in results)
    share = charts / seconds / per_second
    print(
        f"\n{mode}: {PROCESSES} processes, {charts} charts, 100 ms latency: {share:.0%} of {per_second}/s"
        f"  ({seconds:.1f} s, {traffic.rate_limited} refused, {traffic.longest_burst} in the busiest second)"
    )
    assert traffic.rate_limited == 0
    assert share >= 0.9  # what the product promises
