# ruff: noqa: PLC0415, T201  # Django has to be set up before its modules are loaded; standard output is the result
"""Runs commands of the site, one after the other, in one process: started by `conftest.py`, because each start takes a second.

It reads the words of a command as a line of JSON, and prints as another whether it went well and what it said.
"""

import io
import json
import os
import signal
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

LONGEST_SECONDS = 120

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")


def run(words):
    from django.core.management import ManagementUtility
    from django.db import connections

    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            ManagementUtility(["manage.py", *words]).execute()
        except SystemExit as end:
            return not end.code, said.getvalue()
        except Exception:  # noqa: BLE001  # whatever it is, the test says it
            return False, said.getvalue() + traceback.format_exc()
        finally:
            connections.close_all()
    return True, said.getvalue()


if __name__ == "__main__":
    import django

    django.setup()
    for line in sys.stdin:
        signal.alarm(LONGEST_SECONDS)
        print(json.dumps(run(json.loads(line))), flush=True)
        signal.alarm(0)
