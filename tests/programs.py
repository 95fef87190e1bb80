"""Programs of ours that run beside a test, and never longer than it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def running(command, *, environment, **pipes: Any) -> "Iterator[subprocess.Popen[str]]":
    """Start a program with Python; one that still runs when the test is over or has failed is ended, or else killed.

    To leave `subprocess.Popen` alone is to wait for its end, which never comes where the test failed before asking for it.
    """
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment, text=True, **pipes
    ) as program:
        try:
            yield program
        finally:
            program.terminate()  # so that it can end what it has started itself
            try:
                program.wait(30)
            except subprocess.TimeoutExpired:
                program.kill()


@contextmanager
def own_address() -> Iterator[str]:
    """Keep a port of this machine for a program that is going to listen there: nobody else is given it meanwhile."""
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
        if sys.platform != "linux":
            place.close()  # would be in the way there
        yield f"127.0.0.1:{port}"


def first_answer(url, *, of: "subprocess.Popen[str]", within_seconds=120):
    """Ask until a program that has just been started answers: on a busy machine it is late, or slow at first."""
    ends_at = time.monotonic() + within_seconds
    while True:
        try:
            return requests.get(url, timeout=30)
        except (requests.ConnectionError, requests.Timeout):
            if of.poll() is not None or time.monotonic() > ends_at:
                raise
            time.sleep(0.1)
