"""What a backup of millions of rows takes, and that its memory does not grow with them: `make bench-backup`."""

import ctypes
import os
import time
from pathlib import Path

import pytest
from django.db import connection

from aegis.backup.archive import open_envelope
from aegis.backup.making import Wanted, make_backup
from aegis.backup.places import standing_in
from aegis.backup.restoring import check, restore
from aegis.backup.sealing import seal_for_recipient
from kis.models import KisHolding, MinPrice
from tests.aegis.backing_up import OWNER
from tests.bench.filling import CLOSE, fill, site

pytestmark = pytest.mark.django_db(transaction=True)

FEW = int(os.environ.get("FEW", "50000"))
ROWS = int(os.environ.get("ROWS", "400000"))
#: Megabytes that so many more rows may take more, a part of 4 MB and its rows in Python being all there is of them at any
#: time; a copy of two million rows would be more than a thousand.
MOST_MORE = 60
STEPS = ("backup", "verify", "restore")


class Peak:
    """The most memory that this process has had since it was last asked, in megabytes."""

    def __init__(self):
        ctypes.CDLL(None).malloc_trim(0)  # what was given back before is not of this step
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")

    @property
    def megabytes(self):
        status = Path("/proc/self/status").read_text(encoding="ascii")
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024


def steps_of(path):
    yield (
        "backup",
        lambda: make_backup(path, seal=seal_for_recipient(str(OWNER.to_public())), wanted=Wanted(), at=CLOSE),
    )
    yield "verify", lambda: check(open_envelope(path), OWNER)
    yield (
        "restore",
        lambda: restore(open_envelope(path), OWNER, may_replace=lambda header, now: True, at=CLOSE),
    )


def measured(name, rows, folder):
    """Fill a site, back it up and bring it back; returns the peak of each step."""
    path, peaks = folder / f"{name}.tar", {}
    with site(name, folder) as place, standing_in(place):
        filled = fill(rows)
        place.close()  # and with it the large cache of filling
        for step, action in steps_of(path):
            peak, begun, worked = Peak(), time.perf_counter(), time.process_time()
            action()
            peaks[step] = peak.megabytes
            print(
                f"{connection.vendor:10} {sum(filled):>10,} {step:8} {time.perf_counter() - begun:7.1f} s "
                f"(of our processor {time.process_time() - worked:6.1f} s) "
                f"{peaks[step]:6.0f} MB  file {path.stat().st_size / 1e6:,.1f} MB",
                flush=True,
            )
        assert (KisHolding.objects.count(), MinPrice.objects.count()) == filled
    path.unlink()
    return peaks


def test_memory_of_a_backup_does_not_grow_with_the_rows(transactional_db, tmp_path, settings):
    settings.AEGIS_DEMO, settings.VAR_DIR = False, tmp_path
    few, many = measured("few", FEW, tmp_path), measured("many", ROWS, tmp_path)
    assert {step: many[step] - few[step] for step in STEPS if many[step] - few[step] > MOST_MORE} == {}
