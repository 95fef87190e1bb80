"""`make dashboard` with a model that answers, one that does not, and none: the PDF is made, and its section says what it is."""

import json
import time
import warnings
from importlib import import_module
from io import StringIO

import pytest
from django.core.management import call_command

from ai.models import Diagnosis
from kis.advice import diagnose
from reports.management.commands import kis_dashboard
from tests.aegis.test_demo import squeezed, text_of
from tests.ai import standing_in
from tests.kis.fetching import leave_out_prices

pytestmark = pytest.mark.django_db


@pytest.fixture
def dashboard(settings, tmp_path, monkeypatch):
    """Return a function that syncs the demo and prints its PDF; it returns what the terminal and the PDF say."""
    settings.AEGIS_DEMO = True
    settings.DEMO_STATE_FILE = tmp_path / "simulator.json"
    settings.AI_TIMEOUT_SECONDS = 60  # a model that answers reads the PDF before
    leave_out_prices(monkeypatch)
    # The weeks before and the minutes of today are printed elsewhere, too.
    monkeypatch.setattr("kis.demo.give_a_past", lambda broker: None)
    monkeypatch.setattr("kis.sync.market.copy_minutes", lambda connection, **how: None)

    def make():
        pdf, out = tmp_path / "Kis_Dashboard.pdf", StringIO()
        call_command("kis_dashboard", sync=True, output=str(pdf), stdout=out)
        return out.getvalue(), squeezed(text_of(pdf))

    return make


@pytest.fixture(scope="module")
def library():
    """Load what asks the model: on a busy machine that takes longer than a test lets the model take."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import_module("google.generativeai.generative_models")
        import_module("google.ai.generativelanguage_v1beta.services.generative_service.transports")


@pytest.fixture
def gemini(library, settings):
    with standing_in.running() as stand_in:
        settings.GEMINI_API_KEY = standing_in.KEY
        settings.GEMINI_BASE_URL = stand_in.url
        yield stand_in


def told(stand_in):
    """Return what the model was told last."""
    return json.loads(stand_in.asked[-1].body["contents"][0]["parts"][0]["text"])


def cash_of(stand_in):
    """Answer with the share of cash, as it was told, and with one that was not."""

    def reply(handler):
        cash = told(stand_in)["account"]["cash_pct"]
        points = [{"text": f"현금 비중은 {cash}%입니다. 현금 비중은 {cash + 1}%입니다.", "refs": []}]
        standing_in.said({"points": points, "holdings": []})(handler)

    return reply


def test_words_of_the_model_stand_in_the_pdf(dashboard, gemini):
    gemini.answers(cash_of(gemini))
    shown, pdf = dashboard()
    cash = told(gemini)["account"]["cash_pct"]
    assert f"현금비중은{cash}%입니다." in pdf
    assert f"현금비중은{cash + 1}%입니다." not in pdf
    assert "gemini-3.5-flash" in pdf
    assert "AI 진단 완료: gemini-3.5-flash" in shown
    kept = Diagnosis.objects.get()
    assert (kept.status, kept.checked, kept.dropped) == ("complete", 1, 1)
    assert kept.raw_json["modelVersion"] == "gemini-3.5-flash"
    assert standing_in.KEY not in json.dumps([kept.raw_json, kept.request_json]) + shown + pdf
    assert "12345678" not in json.dumps(gemini.asked[-1].body)


def test_pdf_is_there_before_the_model_is_asked(dashboard, gemini, tmp_path):
    pdf, seen = tmp_path / "Kis_Dashboard.pdf", []

    def look_then_answer(handler):
        seen.append(squeezed(text_of(pdf)))
        cash_of(gemini)(handler)

    gemini.answers(look_then_answer)
    shown, afterwards = dashboard()
    [before] = seen
    assert "AI진단" in before
    assert "gemini-3.5-flash" not in before
    assert "gemini-3.5-flash" in afterwards
    assert "PDF를 먼저 만들었습니다." in shown
    assert not pdf.with_name("Kis_Dashboard.previous.pdf").exists()


def test_without_a_key_the_rules_stand_there(dashboard, settings):
    settings.GEMINI_API_KEY = ""
    shown, pdf = dashboard()
    assert "AI키(GEMINI_API_KEY)가없어규칙으로만살폈습니다." in pdf
    assert "AI" not in shown
    assert Diagnosis.objects.get().reason == "no_key"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (standing_in.too_many(delay="60s"), "Gemini 사용 한도를 넘었습니다(429)."),
        (standing_in.status_of(503, "UNAVAILABLE", "overloaded"), "Gemini 서버가 지금 답하지 못합니다(503)."),
        (standing_in.said({"points": [], "holdings": []}), "AI의 답에서 자료와 맞는 문장이 없어"),
    ],
)
def test_model_that_fails_is_a_line_in_the_pdf(dashboard, gemini, trouble, words):
    gemini.answers(trouble)
    shown, pdf = dashboard()
    assert squeezed(words) in pdf
    assert words in shown
    assert Diagnosis.objects.get().status == "failed"


def test_missing_network_is_a_line_in_the_pdf(dashboard, settings):
    settings.GEMINI_API_KEY = standing_in.KEY
    settings.GEMINI_BASE_URL = "http://127.0.0.1:9"
    shown, pdf = dashboard()
    assert "AI서버에연결하지못했습니다." in pdf
    assert "AI 서버에 연결하지 못했습니다." in shown


def test_model_that_says_nothing_delays_the_pdf_by_its_limit_and_no_longer(
    dashboard, gemini, settings, monkeypatch
):
    settings.AI_TIMEOUT_SECONDS = 1
    took = []

    def timed(*run, **at):
        began = time.monotonic()
        said = diagnose(*run, **at)
        took.append(time.monotonic() - began)
        return said

    gemini.answers(standing_in.drip(30))
    monkeypatch.setattr(kis_dashboard, "diagnose", timed)
    _, pdf = dashboard()
    assert took[0] < 20  # the model would take thirty
    assert "AI의응답이없었습니다." in pdf or "답하지않았습니다." in pdf
