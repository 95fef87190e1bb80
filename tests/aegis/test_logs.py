"""Nothing secret reaches a log line."""

import logging

import pytest

from aegis.logs import MaskSecrets, mask

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
