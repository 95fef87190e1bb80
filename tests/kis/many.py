"""Processes of the product against one simulator: starts `processes.py` or `killing.py` and returns what they say."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from tests import ready_database

PROCESSES = Path(__file__).with_name("processes.py")
KILLING = Path(__file__).with_name("killing.py")
#: Until a process counts as one that hangs: in the suite, which gives a test five minutes, and where it has much to do.
SOON, LONG = 280, 4 * 3600


def run_processes(simulator, tmp_path, mode, *arguments):
    """Start processes that know nothing yet, on a database of their own or, with PostgreSQL, on the test's."""
    told = run_python([PROCESSES, *arguments], simulator, tmp_path, mode, within_seconds=2 * SOON)
    return [json.loads(line) for line in told.splitlines()]


def kill_syncs(simulator, tmp_path, mode, scene, *, kills=0, at_any_moment=0):
    """Kill syncs of a scene, at so many of its statements (0: at each) and at so many moments of any kind."""
    plan = {
        "side": asdict(getattr(simulator, mode)),
        "mode": mode,
        "scene": scene,
        "kills": kills,
        "at_any_moment": at_any_moment,
        "seed": 20261120,
    }
    connection.close()  # nobody but the killed and their reader has the database open
    within = SOON if kills and not at_any_moment else LONG
    told = run_python([KILLING, json.dumps(plan)], simulator, tmp_path, mode, within_seconds=within)
    return json.loads(told)


def run_python(command, simulator, tmp_path, mode, *, within_seconds=SOON, **environment):
    """Run a Python file as an owner's process of one mode, and return what it prints."""
    settings = connection.settings_dict
    file = tmp_path / "shared.sqlite3"
    url = f"sqlite:///{file}"
    if connection.vendor == "sqlite" and not file.exists():
        ready_database.lay(file)
    if connection.vendor == "postgresql":
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{settings['NAME']}").geturl()
    endpoint = getattr(simulator, mode)
    name = mode.upper()
    try:
        ran = subprocess.run(
            [sys.executable, *map(str, command)],
            capture_output=True,
            text=True,
            timeout=within_seconds,
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
                **environment,
            },
        )
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"not over after {within_seconds} s: {late.stdout!r} {late.stderr!r}") from None
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
