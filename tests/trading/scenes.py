"""Starts `together.py` and `kills.py`: real processes that send orders to one simulator, on one database."""

import json
from pathlib import Path

from tests.kis.many import SOON, run_python
from tests.kis.syncing import Broker

HERE = Path(__file__).parent


def play(simulator, tmp_path, script, *arguments, within_seconds=SOON):
    """Run a scene with an account that has cash for all of it, and return what it says."""
    Broker(simulator.real.url).account(10**11)
    told = run_python(
        [HERE / script, *arguments],
        simulator,
        tmp_path,
        "real",
        within_seconds=within_seconds,
        AEGIS_CACHE_DIR=str(tmp_path / "cache"),
        REAL_TRADING_ENABLED="true",
        ORDER_MAX_AMOUNT=str(10**9),
        ORDER_DAY_MAX_AMOUNT=str(10**12),
    )
    return json.loads(told)
