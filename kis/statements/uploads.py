"""Keep an uploaded file from the page that shows what is in it to the click that saves it."""

import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings

FOLDER = "kb-uploads"
#: Long enough to read a page of rows; what is never saved is swept away with a later upload.
LIFE_SECONDS = 3600
TOKEN = re.compile(r"[0-9a-f]{32}")


def folder() -> Path:
    """Return the folder for files in between, only for the owner of the site. Raises OSError."""
    path = Path(settings.VAR_DIR) / FOLDER
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def keep(data: bytes) -> str:
    """Put a file aside and return the token it is fetched with. Raises OSError."""
    sweep()
    token = secrets.token_hex(16)
    descriptor = os.open(folder() / token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return token


def fetch(token: str) -> bytes | None:
    """Return a file put aside; None where there is none (any more)."""
    if not TOKEN.fullmatch(token):
        return None
    try:
        return (folder() / token).read_bytes()
    except FileNotFoundError:
        return None


def forget(token: str) -> None:
    """Remove a file put aside. Raises OSError."""
    if TOKEN.fullmatch(token):
        (folder() / token).unlink(missing_ok=True)


def sweep() -> None:
    """Remove files that nobody came back for. Raises OSError."""
    too_old = time.time() - LIFE_SECONDS
    for path in folder().iterdir():
        with suppress(FileNotFoundError):  # another process sweeps too
            if path.stat().st_mtime < too_old:
                path.unlink()
