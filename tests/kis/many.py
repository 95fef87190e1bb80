"""Many processes of the product against one simulator: starts `processes.py` and returns what each one says."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

PROCESSES = Path(__file__).with_name("processes.py")


def run_processes(simulator, tmp_path, mode, *arguments):
    """Start processes that know nothing yet, on a database of their own or, with PostgreSQL, on the test's."""
    settings = connection.settings_dict
    url = f"sqlite:///{tmp_path / 'shared.sqlite3'}"
    if connection.vendor == "postgresql":
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{settings['NAME']}").geturl()
    endpoint = getattr(simulator, mode)
    name = mode.upper()
    ran = subprocess.run(
        [sys.executable, str(PROCESSES), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={
            **os.environ,
            "AEGIS_ENV_FILE": str(tmp_path / "none.env"),
            "AEGIS_VAR_DIR": str(tmp_path),
            "SECRET_KEY": "only-for-this-test" * 3,
            "DATABASE_URL": url,
            f"KIS_{name}_APP_KEY": endpoint.app_key,
            f"KIS_{name}_APP_SECRET": endpoint.app_secret,
            f"KIS_{name}_ACCOUNT_NO": endpoint.account,
            f"KIS_{name}_BASE_URL": endpoint.url,
        },
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]
