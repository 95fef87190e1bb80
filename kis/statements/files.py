"""Get at the files of a folder that belongs to the owner: nothing is moved, followed or read half-written."""

import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from kis.korean import SEOUL
from kis.statements.cells import Unreadable, day
from kis.statements.lines import MAX_BYTES, Refused, too_large

#: A file touched this recently may still be on its way.
SETTLING_SECONDS = 2.0
#: What programs and systems leave beside files.
LITTER = re.compile(r"\.|~\$|thumbs\.db$|desktop\.ini$", re.IGNORECASE)
UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".download", ".filepart")
DAY_IN_NAME = re.compile(r"(?<![0-9])(20[0-9]{2})[-_.]?([01][0-9])[-_.]?([0-3][0-9])(?![0-9])")


class StillWriting(Exception):
    """A file that is being written; the next time will do."""


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the owner's files by name; links, folders and litter are none. Raises OSError."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
    for name in names:
        if not LITTER.match(name) and not name.lower().endswith(UNFINISHED):
            yield folder / name


def read_settled(path: Path, *, now: datetime) -> bytes:
    """Return the content of a file that is not being written. Raises StillWriting, Refused and OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if abs(now.timestamp() - before.st_mtime) < SETTLING_SECONDS:
            raise StillWriting
        if not stat.S_ISREG(before.st_mode) or before.st_size > MAX_BYTES:
            raise Refused(too_large())
        data = file.read(MAX_BYTES + 1)
        after = os.fstat(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise StillWriting
    return data


def read_named(path: Path) -> bytes:
    """Return the content of a file the owner has named. Raises Refused and OSError."""
    if path.stat().st_size > MAX_BYTES:
        raise Refused(too_large())
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def modified_on(path: Path) -> date:
    """Return the day a file was last written, in Seoul. Raises OSError."""
    return datetime.fromtimestamp(path.stat().st_mtime, tz=SEOUL).date()


def day_in_name(name: str) -> date | None:
    """Return the last day that a file's name spells out, as in `잔고_20261120.xlsx`."""
    for found in reversed(list(DAY_IN_NAME.finditer(name))):
        try:
            return day("-".join(found.groups()))
        except Unreadable:
            continue
    return None


def proper_name(name: str) -> str:
    """Return a file's name as it is kept: no folder, composed Hangul."""
    return unicodedata.normalize("NFC", Path(storable(name).replace("\\", "/")).name)[:255]


def storable(text: str) -> str:
    """Return a text without what no database keeps: NUL, and bytes of a name or an option that are no UTF-8."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
