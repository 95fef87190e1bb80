"""Nothing secret reaches a log line."""

import json
import logging
import sys

import pytest
from django.http import HttpResponse

from aegis.logs import JsonLines, Lines, MaskSecrets, mask
from aegis.request_ids import RequestIds
from kis.log_context import fields, lines_of, lines_of_run
from tests.factories import AT, sync_run

KEY, SECRET = "PSabcdefghijklmnopqrstuvwxyz12345678", "s" * 180


@pytest.fixture(autouse=True)
def keys(settings):
    account = {
        "app_key": KEY,
        "app_secret": SECRET,
        "account_no": "12345678-01",
        "base_url": "",
        "ws_url": "",
    }
    settings.KIS_ACCOUNTS = {"real": account}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"appkey={KEY}", "appkey=****"),
        (f"secret {SECRET}!", "secret ****!"),
        ("authorization: Bearer eyJ0.eyJ1.abc-_1", "authorization: Bearer ****"),
        ("token eyJ0eXAi.eyJzdWIi.sig_1-2 rejected", "token **** rejected"),
        (f"GET /api/v1/accounts?token=aegis_{'0a' * 32}", "GET /api/v1/accounts?token=****"),
        ("GET /x?CANO=12345678&ACNT_PRDT_CD=01", "GET /x?CANO=1234****&ACNT_PRDT_CD=01"),
        ("12345678_01", "1234****_01"),
        ("1234567801 and 123456789", "1234****01 and 123456789"),
        ("account 50012345-01", "account 5001****-01"),
        ("evlu_amt 1234567890123", "evlu_amt 1234567890123"),
    ],
)
def test_secrets_are_masked(text, masked):
    assert mask(text) == masked


def test_the_key_of_the_ai_is_masked(settings):
    settings.GEMINI_API_KEY = "AIzaSyNobodyShallSeeThisKeyInAnyLine0"
    assert mask("GET /x?key=AIzaSyNobodyShallSeeThisKeyInAnyLine0") == "GET /x?key=****"


def test_filter_masks_arguments_and_tracebacks():
    try:
        int(f"Bearer {'x' * 40}")
    except ValueError as error:
        record = logging.LogRecord(
            "a",
            logging.ERROR,
            "f",
            1,
            "failed for %s",
            ("12345678-01",),
            (ValueError, error, error.__traceback__),
        )
    assert MaskSecrets().filter(record)
    line = logging.Formatter().format(record)
    assert "failed for 1234****-01" in line
    assert "Bearer ****" in line
    assert "x" * 40 not in line


def test_log_line_with_wrong_arguments_is_still_written():
    record = logging.LogRecord("a", logging.WARNING, "f", 1, "%d orders of 12345678-01", ("x",), None)
    assert MaskSecrets().filter(record)
    assert record.getMessage() == "%d orders of 1234****-01 ('x',)"


@pytest.mark.parametrize("name", ["METRICS_TOKEN", "GEMINI_API_KEY", "AEGIS_TRADING_PASSWORD"])
def test_secrets_of_the_settings_are_masked(settings, name):
    setattr(settings, name, "only-we-know-this-one")
    assert mask("sent only-we-know-this-one") == "sent ****"


# --- what a line belongs to ------------------------------------------------------------------------------------------

TEXT = Lines("{levelname} {name}: {message}", style="{")
JSON = JsonLines(json_ensure_ascii=False)


def line(formatter, text="%s 계좌", *arguments, error=None, **extra):
    """Return a line as a handler would write it."""
    record = logging.getLogger("kis.sync").makeRecord(
        "kis.sync", logging.WARNING, "f", 1, text, arguments, error, extra=extra
    )
    record.created = AT.timestamp()
    assert MaskSecrets().filter(record)
    return formatter.format(record)


@pytest.mark.django_db
def test_lines_of_a_run_say_which_it_is():
    run = sync_run(slot=AT)
    with lines_of(job="aegis_30min_data_fetch", request_id="r-1"), lines_of_run(run):
        assert line(TEXT, "끝") == (
            f"WARNING kis.sync: 끝 [job=sync_kis_data slot=2025-06-16T14:20+09:00 run={run.pk} request_id=r-1]"
        )
    assert line(TEXT, "끝") == "WARNING kis.sync: 끝"
    assert fields() == {}


def test_line_for_machines_is_one_object_with_what_is_known():
    with lines_of(job="sync_kis_data", run="7"):
        told = line(
            JSON, "%s 두 줄\n끝", "12345678-01", status=200, path="/x?token=" + KEY, account="12345678-01"
        )
    assert told.count("\n") == 0
    assert json.loads(told) == {
        "time": "2025-06-16T14:20:00.000+09:00",
        "level": "WARNING",
        "logger": "kis.sync",
        "message": "1234****-01 두 줄\n끝",
        "job": "sync_kis_data",
        "run": "7",
        "status": 200,
        "path": "/x?token=****",
    }


def test_traceback_is_masked_for_machines_too():
    try:
        int(f"Bearer {'x' * 40}, {KEY}")
    except ValueError:
        told = json.loads(line(JSON, "failed", error=sys.exc_info()))
    assert "'Bearer ****, ****'" in told["exc_info"]


@pytest.mark.parametrize("name", ["django-q", "gunicorn.error", "gunicorn.access", "kis", "django.request"])
def test_everybody_writes_through_the_same_filter(name):
    logger = logging.getLogger(name)
    assert logger.propagate
    assert not logger.handlers
    [console] = [
        handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler
    ]
    assert any(isinstance(found, MaskSecrets) for found in console.filters)


# --- requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("9bba8091b096b4ffaab55bbc8960ae74", True),
        ("", False),
        ("short", False),
        ("a" * 65, False),
        ("line\nfeed-0123", False),
        ("<script>alert(1)", False),
    ],
)
def test_request_has_a_name_on_its_lines_and_its_answer(rf, given, kept):
    seen = []

    def view(request):
        seen.append(fields()["request_id"])
        return HttpResponse()

    request = rf.get("/", headers={"X-Request-ID": given} if given else {})
    name = RequestIds(view)(request)["X-Request-ID"]
    assert (name == given) is kept
    assert seen == [name]
    assert len(name) == (len(given) if kept else 32)
    assert fields() == {}


@pytest.mark.django_db
def test_what_django_says_of_an_answer_names_its_request(client, caplog):
    response = client.get("/nothing", headers={"X-Request-ID": "0123456789abcdef"})
    [record] = [record for record in caplog.records if record.name == "django.request"]
    assert response["X-Request-ID"] == "0123456789abcdef"
    MaskSecrets().filter(record)
    assert record.fields["request_id"] == "0123456789abcdef"
