"""Three months of a made-up life, real and paper, compared with the ledger on every day: `make life`.

`LIFE_SEEDS` names the lives, `1` unless told otherwise.
"""

import os
import time
from datetime import date
from itertools import pairwise

import pytest
from django.db import connection

from kis.models import KisExecution, KisOrderDetail
from tests.kis.auditing import live

pytestmark = pytest.mark.django_db

#: Chuseok and two holidays of October are inside of T+2; the after-market of KRX begins on 14 September.
FIRST, EVE_OF_THE_SPLIT, LAST = date(2026, 8, 24), date(2026, 10, 7), date(2026, 11, 23)
SEEDS = [int(seed) for seed in os.environ.get("LIFE_SEEDS", "1").split()]
COMPARED_DAYS = 10


@pytest.mark.parametrize("seed", SEEDS)
def test_books_are_the_ledger_for_three_months(seed):
    laps = [time.perf_counter()]
    player, audits = live(
        seed=seed,
        first=FIRST,
        last=LAST,
        split_after=EVE_OF_THE_SPLIT,
        deeds_a_day=18,
        told=lambda day: laps.append(time.perf_counter()),
    )
    assert player.done["split"] == 1
    days = [later - earlier for earlier, later in pairwise(laps)]
    early, late = sorted(days[5 : 5 + 2 * COMPARED_DAYS]), sorted(days[-2 * COMPARED_DAYS :])
    closed = len(audits["real"].evenings)
    print(f"\nseed {seed} on {connection.vendor}: {closed} days closed of {len(days)}, in {sum(days):.0f} s")
    for mode, audit in audits.items():
        print(f"{mode}: {audit.rows:,} rows compared, no difference")
    print(f"{KisOrderDetail.objects.count():,} orders, {KisExecution.objects.count():,} with fills")
    print(", ".join(f"{name} {count}" for name, count in sorted(player.done.items())))
    print(f"a day late in it costs {late[COMPARED_DAYS] / early[COMPARED_DAYS]:.1f} times one early in it")
