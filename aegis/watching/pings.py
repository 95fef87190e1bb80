"""Tell somebody outside that a slot of a job has been done: they raise the alarm when nobody tells them any more."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import uuid4

import requests
from django.conf import settings

from kis.log_context import lines_of, waiting_for_runs
from kis.models import SyncRun

logger = logging.getLogger(__name__)

#: Of connecting, and of waiting for the answer. The job of every minute has to be done within its minute.
SECONDS: Final = (2.0, 3.0)
JOB: Final = "{job}"
START, DONE, FAILED = "start", "", "fail"
OK: Final = 2  # hundreds


@contextmanager
def told_outside(job: str, *, slot: datetime | None) -> Iterator[None]:
    """Tell when the work of a slot begins, and how it ended; nothing where it rested or others had the slot."""
    with lines_of(job=job):
        if slot is None or not settings.PING_URL:
            yield
            return
        ping = Ping(job)
        with waiting_for_runs(ping.begin):
            try:
                yield
            except BaseException:
                ping.end(FAILED)
                raise
        ping.end(DONE)


class Ping:
    """The pings of one slot; they carry a name of their own, since jobs may be at work at the same time."""

    def __init__(self, job: str) -> None:
        self.job = job
        self.name = str(uuid4())
        self.has_begun = False

    def begin(self, run: SyncRun) -> None:  # noqa: ARG002  # whichever it is: the first of several accounts
        if not self.has_begun:
            self.has_begun = True
            self.send(START)

    def end(self, what: str) -> None:
        if self.has_begun:
            self.send(what)

    def send(self, what: str) -> None:
        """Send one ping; trouble is a line in the log, which does not say where it was sent: whoever knows that can ping."""
        try:
            answer = requests.get(
                address(self.job, what),
                params={"rid": self.name},
                timeout=SECONDS,
                allow_redirects=False,
                stream=True,
            )
            answer.close()
        except requests.RequestException as error:
            logger.warning("A ping could not be sent: %s", type(error).__name__)
            return
        if answer.status_code // 100 != OK:
            logger.warning("A ping was refused: %s", answer.status_code)


def address(job: str, what: str) -> str:
    """Return where a ping goes: the address of the settings, with what it says at the end of its path."""
    parts = urlsplit(settings.PING_URL.replace(JOB, quote(job)))
    path = f"{parts.path.rstrip('/')}/{what}" if what else parts.path
    return urlunsplit(parts._replace(path=path))
