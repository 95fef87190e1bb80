"""Where the simulator of demo mode is being served, for the other processes of this machine.

`manage.py site` keeps one running, so that its market goes on between two commands; a note beside the simulator's memory
says where it is. The note is believed only while the lock that goes with that memory is held.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from kis.client.codes import AccountNumber, Environment, Mode, TrSet
from kis.korean import SEOUL


@dataclass(frozen=True, slots=True)
class Host:
    """A simulator in some process: what its calls need, and its clock, set beside the real one."""

    pid: int
    market_dir: str
    sides: Mapping[Mode, Mapping[str, str]]
    clock: datetime
    real_clock: datetime
    speed: float = 1.0

    def now(self) -> datetime:
        """Return the simulator's time, in Seoul."""
        return (self.clock + (timezone.now() - self.real_clock) * self.speed).astimezone(SEOUL)

    def environment(self, mode: Mode, *, tr_set: TrSet) -> Environment:
        side = self.sides[mode]
        return Environment(
            mode=mode,
            base_url=side["url"],
            ws_url=side["ws"],
            app_key=side["app_key"],
            app_secret=side["app_secret"],
            account=AccountNumber.parse(side["account"]),
            tr_set=tr_set,
            hts_id=side["hts_id"],
        )


def note_file() -> Path:
    return Path(settings.DEMO_STATE_FILE).with_suffix(".host")


def lock_file() -> Path:
    return Path(settings.DEMO_STATE_FILE).with_suffix(".lock")


def running() -> Host | None:
    """Return the simulator that is being served, None where there is none."""
    try:
        host = _read(json.loads(note_file().read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return host if _is_held(lock_file()) and _is_alive(host.pid) else None


def write_note(host: Host) -> None:
    """Tell where the simulator is; replaced in one step, for its owner's eyes only."""
    path = note_file()
    draft = path.with_name(f".{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(
            {
                **asdict(host),
                "clock": host.clock.isoformat(),
                "real_clock": host.real_clock.isoformat(),
            },
            file,
        )
    draft.replace(path)


def remove_note() -> None:
    note_file().unlink(missing_ok=True)


def _read(values: Mapping[str, Any]) -> Host:
    return Host(
        pid=int(values["pid"]),
        market_dir=str(values["market_dir"]),
        sides={mode: dict(values["sides"][mode]) for mode in ("real", "paper")},
        clock=datetime.fromisoformat(values["clock"]),
        real_clock=datetime.fromisoformat(values["real_clock"]),
        speed=float(values["speed"]),
    )


def _is_held(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's, and alive
        return True
    return True
