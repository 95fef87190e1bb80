"""The folder of backups: how they are called, how old the newest is, which of them are kept."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from kis.korean import SEOUL

STAMP = "%Y%m%d-%H%M%S"
#: A daily backup that is as old has been missed.
LATE = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup in the folder, and when it was made."""

    path: Path
    at: datetime


def prefix() -> str:
    return "aegis-demo-" if settings.AEGIS_DEMO else "aegis-"


def file_name(at: datetime) -> str:
    return f"{prefix()}{at.astimezone(SEOUL):{STAMP}}.tar"


def default_folder() -> Path:
    """Return where backups go that nobody has named a place for."""
    chosen = str(settings.BACKUP_DIR)
    return Path(chosen).expanduser().resolve() if chosen else Path(settings.VAR_DIR) / "backups"


def backups(folder: Path) -> list[Kept]:
    """Return the backups of these books in a folder, the newest first; other files are nobody's business here."""
    name = re.compile(rf"{re.escape(prefix())}(\d{{8}}-\d{{6}})\.tar")
    found = [
        Kept(path, datetime.strptime(match[1], STAMP).replace(tzinfo=SEOUL))
        for path in (folder.glob("*.tar") if folder.is_dir() else ())
        if (match := name.fullmatch(path.name))
    ]
    return sorted(found, key=lambda kept: kept.at, reverse=True)


def last_backup() -> Kept | None:
    """Return the newest backup where backups go; for whoever watches over the site."""
    return next(iter(backups(default_folder())), None)


def age(now: datetime) -> timedelta | None:
    """Return how old the newest backup is; None where there is none."""
    kept = last_backup()
    return None if kept is None else now - kept.at


def remove_old(folder: Path, *, keep: int) -> list[Path]:
    """Remove all but the newest of a folder, and return what went."""
    old = [kept.path for kept in backups(folder)[keep:]]
    for path in old:
        path.unlink(missing_ok=True)
    return old
