"""Look at a folder, or copy a file into it: run as a program of its own, so that a drive that hangs can be given up.

usage: python -I copying.py look|copy FILE FOLDER MOUNT FORBIDDEN…    One JSON object a line: progress, then the answer.
It imports nothing of ours: what it finds is told in `trouble`, for which `reports.sending` has the words.
"""

import contextlib
import errno
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

#: Below these a missing folder is a drive that is not connected, not one to be made.
DRIVES = tuple(Path(name) for name in ("/mnt", "/media", "/run/media", "/Volumes"))
CHUNK = 256 * 1024


class Trouble(Exception):
    """Nothing was copied; `word` says why, for the one who asked."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def main(arguments: Sequence[str]) -> int:
    """Do what is asked and print the answer; a refusal is an answer, too."""
    task, file, folder, mount, *forbidden = arguments
    try:
        found = looked_at(Path(folder), mount=mount, forbidden=[Path(name) for name in forbidden])
        if task == "copy":
            copy(Path(file), Path(folder))
    except Trouble as trouble:
        say(trouble=trouble.word)
    except OSError as error:
        say(errno=error.errno or errno.EIO)
    else:
        say(mount=found)
    return 0


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201  # the answer


def looked_at(folder: Path, *, mount: str, forbidden: Sequence[Path]) -> str:
    """Return where the drive of a folder is mounted, the folder being there and fit to be written into.

    `mount` is what this was the last time: a folder that used to be on a drive of its own and no longer is one would be
    filled unseen below the mount point. A missing folder is made only where its parent surely is the right one.
    """
    real = folder.resolve()
    if any(place.resolve() in (real, *real.parents) for place in forbidden):
        raise Trouble("forbidden")
    if not real.exists():
        parent = real.parent
        if any(parent == drive or drive in parent.parents for drive in DRIVES):
            raise Trouble("unmounted")
        if not parent.is_dir():
            raise Trouble("missing")
        if not parent.is_mount() and not any(parent.iterdir()):
            raise Trouble("unmounted")
        real.mkdir(mode=0o700)
    if not real.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "not a folder")
    found = mount_of(real)
    if Path(found) in Path(mount or os.sep).parents and Path(mount) in (real, *real.parents):
        raise Trouble("other drive")
    return found


def mount_of(folder: Path) -> str:
    return str(next(place for place in (folder, *folder.parents) if place.is_mount()))


def copy(file: Path, folder: Path) -> None:
    """Copy into a hidden file beside the old one and replace that in one step."""
    size, done = file.stat().st_size, 0
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{file.stem}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as target, file.open("rb") as source:
            while chunk := source.read(CHUNK):
                target.write(chunk)
                done += len(chunk)
                say(bytes=done)
            target.flush()
            os.fsync(target.fileno())
        if Path(name).stat().st_size != size:
            raise OSError(errno.EIO, "written short")  # noqa: TRY301  # removes the hidden file like any other
        Path(name).replace(folder / file.name)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
