"""What the libraries of Google send to a Gemini on this machine, and what becomes of everything it may answer."""

import json
import logging
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest

from ai.providers import Failure, ProviderFailed, Purpose
from ai.providers.configured import PROVIDERS, provider
from ai.providers.gemini import ALIAS
from tests.ai import standing_in
from tests.ai.standing_in import ANSWER, KEY, said

ROOT = Path(__file__).resolve().parents[2]
PAYLOAD = '{"account":{"cash_pct":5.9},"holdings":{"columns":["code","name"],"rows":[["005930","삼성전자"]]}}'
#: Numbers of `type` as the API counts them, for the library that sends numbers.
TYPES = {1: "STRING", 5: "ARRAY", 6: "OBJECT"}


def ask(asking, *, timeout_seconds=120.0, **changes):
    return asking(**changes).ask(PAYLOAD, purpose=Purpose.PORTFOLIO, timeout_seconds=timeout_seconds)


def failure(asking, **how):
    with pytest.raises(ProviderFailed) as failed:
        ask(asking, **how)
    shown = "".join(traceback.format_exception(failed.value))
    assert KEY not in f"{shown} {failed.value.reason} {failed.value.raw}"
    assert "generateContent?" not in shown  # nor the address
    assert any("가" <= letter <= "힣" for letter in failed.value.reason)
    return failed.value


def as_written(data):
    """Return a request with the names of its types, and without what only one library adds."""
    if isinstance(data, dict):
        return {
            name: TYPES.get(value, value) if name == "type" else as_written(value)
            for name, value in data.items()
            if name != "property_ordering"
        }
    return [as_written(item) for item in data] if isinstance(data, list) else data


# --- what is sent --------------------------------------------------------------------------------------------------


def test_what_arrives_is_what_the_dry_run_shows(asking, gemini):
    ask(asking)
    (asked,) = gemini.asked
    arrived = as_written(asked.body)
    for part in (arrived["systemInstruction"], *arrived["contents"]):
        part.pop("role", None)
    shown = json.loads(json.dumps(asking(key="").request_json(PAYLOAD, purpose=Purpose.PORTFOLIO)))
    shown["contents"][0].pop("role")
    assert arrived["generationConfig"]["temperature"] == pytest.approx(0.2)
    assert arrived["generationConfig"].pop("temperature") == pytest.approx(
        shown["generationConfig"].pop("temperature")
    )
    assert arrived == shown
    assert asked.body["contents"][0]["parts"][0]["text"] == PAYLOAD


def test_the_key_travels_in_a_header_only(asking, gemini):
    ask(asking)
    (asked,) = gemini.asked
    assert asked.headers["x-goog-api-key"] == KEY
    assert KEY not in asked.path
    assert KEY not in json.dumps(asked.body)


def test_an_answer_brings_its_model_and_all_of_its_tokens(asking, gemini):
    reply = ask(asking)
    assert json.loads(reply.text) == ANSWER
    assert reply.model == "gemini-3.5-flash"
    assert (reply.tokens_in, reply.tokens_out) == (1500, 500)  # what it thought is paid for as well
    assert reply.raw_json["responseId"] == "r-1"
    assert reply.request_json["contents"][0]["parts"][0]["text"] == PAYLOAD
    assert reply.note == ""


def test_a_retired_model_gives_way_to_the_alias_once_and_says_so(asking, gemini):
    reply = ask(asking, model="gemini-2.0-flash")
    assert [asked.model for asked in gemini.asked] == ["gemini-2.0-flash", ALIAS]
    assert "gemini-2.0-flash" in reply.note
    assert ALIAS in reply.note
    assert "GEMINI_MODEL" in reply.note


def test_an_alias_that_is_gone_is_asked_once(asking, gemini, monkeypatch):
    monkeypatch.setattr(standing_in, "MODELS", ())
    assert failure(asking).kind is Failure.UNKNOWN_MODEL
    assert len(gemini.asked) == 1
    assert failure(asking, model="gemini-2.0-flash").kind is Failure.UNKNOWN_MODEL
    assert len(gemini.asked) == 3


# --- what comes back -----------------------------------------------------------------------------------------------

LONG = "가" * 1_000_000
REPLIES = {
    "key": (standing_in.bad_key, Failure.REFUSED_KEY),
    "401": (standing_in.status_of(401, "UNAUTHENTICATED", "no"), Failure.REFUSED_KEY),
    "403": (standing_in.status_of(403, "PERMISSION_DENIED", "no"), Failure.REFUSED_KEY),
    "400": (standing_in.status_of(400, "INVALID_ARGUMENT", "no"), Failure.UNEXPECTED),
    "429": (standing_in.too_many(), Failure.RATE_LIMITED),
    "500": (standing_in.status_of(500, "INTERNAL", "no"), Failure.UNAVAILABLE),
    "503": (standing_in.status_of(503, "UNAVAILABLE", "overloaded"), Failure.UNAVAILABLE),
    "502 page": (standing_in.sent(502, "<html>Bad gateway", content_type="text/html"), Failure.UNAVAILABLE),
    "blocked prompt": (standing_in.blocked("SAFETY"), Failure.BLOCKED),
    "blocked for a new reason": (standing_in.blocked("TOMORROWS_REASON"), Failure.BLOCKED),
    "unsafe": (said(ANSWER, finish="SAFETY"), Failure.BLOCKED),
    "recited": (said(ANSWER, finish="RECITATION"), Failure.BLOCKED),
    "prohibited": (said(ANSWER, finish="PROHIBITED_CONTENT"), Failure.BLOCKED),
    "finished for a new reason": (said(ANSWER, finish="TOMORROWS_REASON"), None),
    "nothing": (said(""), Failure.EMPTY),
    "no candidates": (standing_in.sent(200, "{}"), Failure.EMPTY),
    "no parts": (standing_in.sent(200, '{"candidates":[{"finishReason":"STOP"}]}'), Failure.EMPTY),
    "truncated": (said('{"points": [{"te', finish="MAX_TOKENS"), Failure.TRUNCATED),
    "thought too long": (said("", finish="MAX_TOKENS"), Failure.TRUNCATED),
    "unfinished": (said(ANSWER, finish="FINISH_REASON_UNSPECIFIED"), Failure.TRUNCATED),
    "prose": (said("현금 비중은 5.9%입니다."), Failure.NOT_JSON),
    "half": (said('{"points": ['), Failure.NOT_JSON),
    "NaN": (said('{"points": [{"text": NaN, "refs": []}], "holdings": []}'), Failure.NOT_JSON),
    "long": (said({**ANSWER, "more": "가" * 50_000}), Failure.NOT_JSON),
    "a list": (said([ANSWER]), Failure.WRONG_SHAPE),
    "another object": (said({"advice": "없음"}), Failure.WRONG_SHAPE),
    "points are a text": (said({"points": "없음", "holdings": []}), Failure.WRONG_SHAPE),
    "a point is a text": (said({"points": ["없음"], "holdings": []}), Failure.WRONG_SHAPE),
    "a text is a number": (said({"points": [{"text": 1, "refs": []}]}), Failure.WRONG_SHAPE),
    "references are numbers": (said({"points": [{"text": "", "refs": [1]}]}), Failure.WRONG_SHAPE),
    "holdings are an object": (said({"points": [], "holdings": {}}), Failure.WRONG_SHAPE),
    "1 MB": (said(LONG), Failure.TOO_LARGE),
    "page": (standing_in.sent(200, "<html>sign in</html>", content_type="text/html"), Failure.NOT_THE_API),
    "404 page": (standing_in.sent(404, "<html>nothing", content_type="text/html"), Failure.NOT_THE_API),
    "empty": (standing_in.sent(200, ""), Failure.NOT_THE_API),
    "a JSON text": (standing_in.sent(200, '"hello"'), Failure.NOT_THE_API),
    "cut off": (standing_in.cut_off, Failure.NO_NETWORK),
    "no UTF-8": (standing_in.sent(200, b"\xff\xfe{}"), Failure.NOT_THE_API),
}


@pytest.mark.parametrize("name", [name for name, (_, kind) in REPLIES.items() if kind])
def test_what_is_no_answer_becomes_a_reason_in_korean(asking, gemini, name):
    reply, kind = REPLIES[name]
    gemini.answers(reply)
    assert failure(asking).kind is kind
    assert len(gemini.asked) == 1  # nothing is tried again


def test_a_finish_that_no_library_knows_is_not_taken_for_an_answer(asking, gemini):
    gemini.answers(REPLIES["finished for a new reason"][0])
    assert failure(asking).kind in {Failure.BLOCKED, Failure.TRUNCATED, Failure.UNEXPECTED}


def test_an_answer_without_a_bottom_is_no_answer(asking, gemini):
    gemini.answers(said("[" * 10_000))
    assert failure(asking).kind in {Failure.NOT_JSON, Failure.UNEXPECTED}


def test_what_an_unusable_answer_has_cost_is_told(asking, gemini):
    gemini.answers(said('{"points": [{"te', finish="MAX_TOKENS"))
    failed = failure(asking)
    assert failed.tokens == 2000
    assert failed.raw["responseId"] == "r-1"


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (standing_in.too_many(delay="37s"), 37),
        (standing_in.too_many(delay="37.2s"), 38),
        (standing_in.too_many(header="12"), 12),
        (standing_in.too_many(delay="37s", header="12"), 37),
        (standing_in.too_many(header="Fri, 01 Jan 2100 00:00:00 GMT"), 86_400),
        (standing_in.too_many(header="Fri, 01 Jan 2010 00:00:00 GMT"), 0),
        (standing_in.too_many(delay="soon", header="later"), None),
        (standing_in.too_many(), None),
    ],
)
def test_a_limit_tells_how_long_to_wait(asking, gemini, reply, seconds):
    gemini.answers(reply)
    failed = failure(asking)
    assert failed.retry_after == seconds
    assert (f"{seconds}초" in failed.reason) is bool(seconds)


def test_a_redirect_is_not_followed_with_the_key(asking, gemini):
    with standing_in.running() as elsewhere:
        gemini.answers(standing_in.redirect(f"{elsewhere.url}/v1beta/models/{ALIAS}:generateContent"))
        assert failure(asking).kind is Failure.REDIRECTED
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    "reply",
    [standing_in.drip(30), standing_in.drip(30, head_first=False), standing_in.hangs],
    ids=["body", "head", "silence"],
)
def test_a_reply_that_drips_or_hangs_is_left_at_the_deadline(asking, gemini, reply):
    ask(asking)  # the library is loaded now
    gemini.answers(reply)
    began = time.monotonic()
    assert failure(asking, timeout_seconds=0.6).kind is Failure.TIMEOUT
    assert time.monotonic() - began < 12


def test_nobody_at_the_address_is_said_as_such(asking, gemini):
    with standing_in.running() as gone:
        pass
    assert failure(asking, base_url=gone.url).kind is Failure.NO_NETWORK


def test_what_a_database_does_not_take_is_not_kept(asking, gemini):
    answer = json.dumps({**ANSWER, "more": "a\0b\ud800"})
    gemini.answers(standing_in.sent(200, json.dumps({**standing_in.reply_of(answer), "more": KEY + "\0"})))
    if asking().name == "google-generativeai":  # a half character is no text to it
        kept = json.dumps(failure(asking).raw) if "\ud800" in answer else ""
    else:
        kept = json.dumps(ask(asking).raw_json)
    assert "\\u0000" not in kept.replace("\\\\u0000", "")
    assert KEY not in kept


@pytest.mark.parametrize("library", sorted(PROVIDERS))
def test_neither_key_nor_address_nor_warning_reaches_the_logs(library, gemini, caplog, recwarn):
    asking = PROVIDERS[library](key=KEY, base_url=gemini.url)
    caplog.set_level(logging.DEBUG)
    gemini.answers(standing_in.bad_key, standing_in.too_many(), said(ANSWER))
    for _ in range(2):
        with pytest.raises(ProviderFailed):
            asking.ask(PAYLOAD, purpose=Purpose.PORTFOLIO, timeout_seconds=120)
    asking.ask(PAYLOAD, purpose=Purpose.PORTFOLIO, timeout_seconds=120)
    written = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert not [line for line in written if KEY in line]
    assert not recwarn.list


# --- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"key": ""},
        {"key": "키"},
        {"key": "two\nlines"},
        {"model": ""},
        {"model": "../../evil"},
        {"model": "gemini?key=1"},
        {"base_url": "https://evil.example"},
        {"base_url": "http://127.0.0.1.evil.example:80"},
        {"base_url": "http://user@127.0.0.1:80"},
        {"base_url": "http://127.0.0.1:99999"},
        {"base_url": "ftp://127.0.0.1:80"},
    ],
    ids=str,
)
def test_settings_that_cannot_be_asked_with_send_nothing(asking, gemini, changes):
    assert failure(asking, **changes).kind is Failure.NOT_CONFIGURED
    assert gemini.asked == []


def test_the_provider_of_the_settings_asks_with_them(settings, gemini):
    settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL = KEY, gemini.url
    for name in ("google-generativeai", "google-genai"):
        settings.AI_PROVIDER = name
        assert provider().name == name
        provider().ask(PAYLOAD, purpose=Purpose.HOLDING, timeout_seconds=120)
    assert len(gemini.asked) == 2


def test_the_successor_says_how_to_install_it(gemini, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.genai", None)
    monkeypatch.delattr(sys.modules["google"], "genai", raising=False)
    with pytest.raises(ProviderFailed, match="google-genai") as failed:
        PROVIDERS["google-genai"](key=KEY, base_url=gemini.url).ask(
            PAYLOAD, purpose=Purpose.PORTFOLIO, timeout_seconds=120
        )
    assert failed.value.kind is Failure.NOT_CONFIGURED


@pytest.mark.parametrize("library", sorted(PROVIDERS))
def test_a_fresh_process_shows_nothing_of_the_library_and_loads_it_only_to_ask(library, gemini):
    """Imports warn once a process, so that only a new one can tell."""
    code = f"""
import sys, django
django.setup()
from ai.providers import Purpose
from ai.providers.configured import PROVIDERS
asking = PROVIDERS[{library!r}](key={KEY!r}, base_url={gemini.url!r})
assert asking.request_json("{{}}", purpose=Purpose.PORTFOLIO)
assert not [name for name in sys.modules if name.startswith("google.")], "loaded before it is asked"
asking.ask("{{}}", purpose=Purpose.PORTFOLIO, timeout_seconds=120)
"""
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", code],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "aegis.settings", "PATH": "", "AEGIS_DEMO": "true"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(gemini.asked) == 1
