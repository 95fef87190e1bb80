"""One switch that stops every order at once: a row for all machines, a file that works without the database."""

import logging
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from trading import audit
from trading.models import KillSwitch

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether orders are stopped, and why; `since` is None where only the file is there."""

    is_on: bool
    reason: str = ""
    since: datetime | None = None


def file() -> Path:
    return Path(settings.TRADING_DIR) / "kill-switch"


def read() -> Switch:
    """Return the switch as it is at this moment. On where row or file says so; a file that cannot be looked at counts."""
    row = KillSwitch.objects.filter(pk=1).first()
    if row and row.is_on:
        return Switch(is_on=True, reason=row.reason, since=row.changed_at)
    try:
        there = os.path.lexists(file()) or not file().parent.stat()
    except FileNotFoundError:
        there = False
    except OSError:
        there = True
    return Switch(is_on=there, reason=f"파일 {file().name}이 있습니다." if there else "")


def turn_on(reason: str, *, at: datetime, by: str) -> None:
    """Stop all orders. The file comes first: it is there even if the database is not, and the row without the file."""
    try:
        write_file(reason)
    except OSError:
        logger.exception("The file of the kill switch could not be written")
    with transaction.atomic(durable=True):
        turn_row_on(reason, at=at, by=by)


def turn_row_on(reason: str, *, at: datetime, by: str) -> None:
    """Write the row inside the caller's transaction; one that is on already keeps its reason."""
    row, _ = KillSwitch.objects.select_for_update().get_or_create(pk=1, defaults={"changed_at": at})
    if not row.is_on:
        row.is_on, row.reason, row.changed_at = True, reason, at
        row.save(update_fields=["is_on", "reason", "changed_at"])
        audit.record("kill_switch_on", at=at, detail={"reason": reason, "by": by})


def turn_off(*, at: datetime, by: str) -> None:
    """Let orders pass again. Raises OSError where the file cannot be taken away; the switch then stays on."""
    file().unlink(missing_ok=True)
    with transaction.atomic(durable=True):
        row, _ = KillSwitch.objects.select_for_update().get_or_create(pk=1, defaults={"changed_at": at})
        if row.is_on:
            row.is_on, row.reason, row.changed_at = False, "", at
            row.save(update_fields=["is_on", "reason", "changed_at"])
            audit.record("kill_switch_off", at=at, detail={"by": by})


def write_file(reason: str) -> None:
    file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file().write_text(f"{reason}\n", encoding="utf-8")
