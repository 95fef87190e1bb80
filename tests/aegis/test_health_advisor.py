"""What the doctor says about the AI: who is asked, whether the model is still there, how it went."""

import pytest
from django.utils import timezone

from aegis.health import advisor
from ai.models import Diagnosis
from kis.models import KisAccount
from tests.aegis.examining import OK, PROBLEM, WARNING, assert_found
from tests.ai import standing_in
from tests.factories import AT, snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def gemini(settings, monkeypatch):
    monkeypatch.setattr(advisor, "LOOK_UP_SECONDS", 60.0)  # this machine may be busy
    with standing_in.running() as stand_in:
        settings.GEMINI_API_KEY = standing_in.KEY
        settings.GEMINI_BASE_URL = stand_in.url
        settings.GEMINI_MODEL = "gemini-flash-latest"
        settings.AI_DAILY_TOKENS = 300_000
        yield stand_in


def written(account: KisAccount | None = None, **columns):
    account = account or snapshot()
    return Diagnosis.objects.create(
        **{
            "kis_account": account,
            "account_no": account.account_no,
            "product_code": account.product_code,
            "is_paper": account.is_paper,
            "content_hash": "0" * 64,
            "written_at": AT,
            "asked_at": AT,
            "status": "complete",
            "model": "gemini-3.5-flash",
            **columns,
        }
    )


def test_without_a_key_rules_remain(configure, settings):
    settings.GEMINI_API_KEY = ""
    assert_found(advisor.advisor(configure()), WARNING, "규칙으로만", "GEMINI_API_KEY")


def test_model_is_looked_up_and_not_asked(configure, gemini):
    written(asked_at=timezone.now(), tokens_in=1_000, tokens_out=234)
    result = advisor.advisor(configure())
    assert_found(
        result,
        OK,
        "google-generativeai로 gemini-flash-latest에 묻습니다.",
        "비중과 수익률만",
        "1,234 / 300,000개",
    )
    assert gemini.looked_up == ["gemini-flash-latest"]
    assert gemini.asked == []
    assert standing_in.KEY not in result.text


def test_retired_model_is_told_with_who_answers_instead(configure, settings, gemini):
    settings.GEMINI_MODEL = "gemini-2.0-flash"
    assert_found(
        advisor.advisor(configure()),
        WARNING,
        "gemini-2.0-flash 모델은 더 이상 제공되지 않습니다(404). 대신 gemini-flash-latest에 묻습니다.",
        ".env에서 GEMINI_MODEL을 지우거나",
    )


def test_refused_key_is_a_problem_and_not_repeated(configure, settings, gemini):
    settings.GEMINI_API_KEY = "AIzaSyAnotherKeyThatIsNotTheOwners12345"
    result = advisor.advisor(configure())
    assert_found(result, PROBLEM, "API 키를 받아들이지 않았습니다", "AI Studio")
    assert "AnotherKey" not in result.text + result.remedy


def test_limit_and_missing_network_are_no_problem(configure, settings, gemini):
    gemini.looks = standing_in.too_many(header="60")
    assert_found(advisor.advisor(configure()), WARNING, "429", "규칙으로만")
    settings.GEMINI_BASE_URL = "http://127.0.0.1:9"
    assert_found(advisor.advisor(configure()), WARNING, "연결하지 못했습니다", "규칙으로만")


@pytest.mark.usefixtures("gemini")
def test_last_failure_is_told(configure):
    written(status="failed", reason="blocked", note="Gemini가 질문을 막았습니다.")
    assert_found(
        advisor.advisor(configure()),
        WARNING,
        "06-16 14:20",
        "Gemini가 질문을 막았습니다.",
        "manage.py diagnose",
    )
