"""Watches every test for secrets that get out: into a log line, a table, an answer, a task, a terminal, print or a prompt."""

import copy
import logging
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from types import NoneType

import django_q.signing
import pytest
import requests
from _pytest.capture import CaptureFixture
from django.conf import settings
from django.db.backends.signals import connection_created
from django.template.backends.django import Template
from django.test.client import ClientHandler

from aegis.logs import MaskSecrets
from ai.prompts import Prompt
from kis.simulator.gateway import Credentials
from reports.sheet import Sheet

PASSWORDS = ("correct horse battery", "tree-9-candle-river")
JWT = re.compile(r"eyJ[\w-]{16,}\.eyJ[\w-]{16,}")
API_TOKEN = re.compile(r"aegis_[0-9a-f]{64}")
ACCOUNT = re.compile(r"(?<!\d)(12345678|50012345)(?=01(?!\d)|(?!\d))")
#: Nothing that is shorter can be one of them; most of what a statement takes is.
SHORTEST = min(map(len, PASSWORDS))
#: What most of the others are.
PLAIN = {NoneType, bool, int, float, Decimal, date, datetime}
#: Tables hold the number of an account and the broker is asked with it; lines of the log leave out those that are known.
WITHOUT_ACCOUNT = {"task", "print", "prompt"}


class Watch:
    """What has got out since the test began. `allowed` are the ways out that this test is about."""

    def __init__(self) -> None:
        keys = [Credentials.fixed(mode) for mode in ("real", "paper")]
        self._canaries = (
            *(key.app_key for key in keys),
            *(key.app_secret for key in keys),
            settings.SECRET_KEY,
            *PASSWORDS,
        )
        self.found: list[str] = []

    def look(self, way_out: str, text: str | bytes) -> None:
        """Note a text that holds a secret, without repeating it."""
        if isinstance(text, bytes):
            text = text.decode(errors="ignore")
        for number, canary in enumerate(self._canaries):
            if canary in text:
                self._note(way_out, f"canary {number}", text.replace(canary, "####"))
        if "eyJ" in text and JWT.search(text):
            self._note(way_out, "an access token", JWT.sub("####", text))
        if "aegis_" in text and API_TOKEN.search(text):
            self._note(way_out, "an API token", API_TOKEN.sub("####", text))
        if way_out in WITHOUT_ACCOUNT and ACCOUNT.search(text):
            self._note(way_out, "the number of an account", ACCOUNT.sub("####", text))

    def _note(self, way_out: str, what: str, text: str) -> None:
        at = text.find("####")
        self.found.append(f"{way_out}: {what} in …{text[max(at - 80, 0) : at + 40]!r}…")

    def look_into(self, way_out: str, values: object) -> None:
        """Look at every text below a value: parameters of a statement, arguments of a task."""
        texts = list(long_texts((values,)))
        if texts:
            self.look(way_out, "\n".join(texts))


def long_texts(values: Iterable[object]) -> Iterator[str]:
    """Yield what may hold a secret. Ten thousand rows go through here in one statement."""
    for value in values:
        if isinstance(value, str):
            if len(value) >= SHORTEST:
                yield value
        elif type(value) in PLAIN:
            continue
        elif isinstance(value, bytes):
            yield value.decode(errors="ignore")
        elif isinstance(value, dict):
            yield from long_texts(value.values())
        elif isinstance(value, Iterable) and not isinstance(value, memoryview):
            yield from long_texts(value)


class Listener(logging.Handler):
    """Reads every line as the product writes it, and leaves the record as it was for whoever listens besides."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch
        self._mask = MaskSecrets()

    def emit(self, record: logging.LogRecord) -> None:
        record = copy.copy(record)
        self._mask.filter(record)
        self._watch.look("log", self.format(record))


@pytest.fixture(autouse=True, scope="session")
def the_watch() -> Iterator[Watch]:
    """Stand at every way out for as long as the tests run."""
    watch = Watch()
    listener = Listener(watch)
    logging.getLogger().addHandler(listener)

    def statement(execute, sql, params, many, context):
        watch.look_into("table", params)
        return execute(sql, params, many, context)

    def listen(connection, **_):
        if statement not in connection.execute_wrappers:
            connection.execute_wrappers.append(statement)

    connection_created.connect(listen)
    patches = pytest.MonkeyPatch()
    watch_answers(watch, patches)
    watch_print(watch, patches)
    watch_errands(watch, patches)
    yield watch
    patches.undo()
    connection_created.disconnect(listen)
    logging.getLogger().removeHandler(listener)


def watch_answers(watch: Watch, patches: pytest.MonkeyPatch) -> None:
    """Read what the site and the commands answer."""
    answer, read = ClientHandler.__call__, CaptureFixture.readouterr

    def answered(handler, environ):
        response = answer(handler, environ)
        if not getattr(response, "streaming", False):
            watch.look("answer", getattr(response, "content", b""))
        watch.look("answer", str(response.headers))
        return response

    def printed(fixture):
        result = read(fixture)
        watch.look("terminal", str(result.out))
        watch.look("terminal", str(result.err))
        return result

    patches.setattr(ClientHandler, "__call__", answered)
    patches.setattr(CaptureFixture, "readouterr", printed)


def watch_print(watch: Watch, patches: pytest.MonkeyPatch) -> None:
    """Read what is written and drawn on pages and PDFs, before it is packed."""
    fill_in, write = Template.render, Sheet.write

    def filled_in(template, *context, **more):
        text = fill_in(template, *context, **more)
        if str(template.origin.template_name).startswith(("reports/page/", "reports/print/")):
            watch.look("print", text)
        return text

    def written(sheet, at, *runs, **more):
        watch.look("print", "".join(run.text for run in runs))
        write(sheet, at, *runs, **more)

    patches.setattr(Template, "render", filled_in)
    patches.setattr(Sheet, "write", written)


def watch_errands(watch: Watch, patches: pytest.MonkeyPatch) -> None:
    """Read addresses that are called, tasks that are queued and what a model is asked."""
    prepare_url, pack, put = (
        requests.PreparedRequest.prepare_url,
        django_q.signing.SignedPackage.dumps,
        Prompt.__init__,
    )

    def prepared(request, url, params):
        prepare_url(request, url, params)
        watch.look("address", request.url or "")

    def packed(task, *how, **more):
        watch.look_into(
            "task", [task.get("args"), task.get("kwargs")] if isinstance(task, dict) else repr(task)
        )
        return pack(task, *how, **more)

    def asked(prompt, *fields, **more):
        put(prompt, *fields, **more)
        watch.look("prompt", f"{prompt.system}\n{prompt.user}")

    patches.setattr(requests.PreparedRequest, "prepare_url", prepared)
    patches.setattr(django_q.signing.SignedPackage, "dumps", packed)
    patches.setattr(Prompt, "__init__", asked)


@pytest.fixture(autouse=True)
def nothing_gets_out(request: pytest.FixtureRequest, the_watch: Watch) -> Iterator[None]:
    """Fail a test that let a secret out; `@pytest.mark.shows("answer")` names a way that is meant to."""
    the_watch.found.clear()
    yield
    meant = {way for mark in request.node.iter_markers("shows") for way in mark.args}
    got_out = [line for line in the_watch.found if line.split(":")[0] not in meant]
    assert not got_out, "\n".join(got_out[:5])
