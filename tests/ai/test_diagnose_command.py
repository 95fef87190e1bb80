"""What the owner sees when he asks for a diagnosis, and what would be sent."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ai import asking
from ai.answers import read_answer
from ai.models import Diagnosis
from ai.payload import TOKEN_BUDGET, tokens_at_most
from ai.providers import Failure, ProviderFailed
from ai.replies import Checked
from kis.advice import Point
from tests.ai.models_asked import Model
from tests.factories import AT, Stock, order, snapshot, stocks
from tests.kis.owning import of_owner

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def moment(settings, monkeypatch):
    """Look at the snapshot of a real account six seconds after it was taken, without a key."""
    settings.AEGIS_DEMO = False
    settings.KIS_ACCOUNTS = of_owner(real="12345678-01")
    settings.GEMINI_API_KEY = ""
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT + timedelta(seconds=6))


@pytest.fixture
def model(settings, monkeypatch):
    settings.GEMINI_API_KEY = "a-key-of-the-owner"
    model = Model()
    monkeypatch.setattr(asking, "provider_of_settings", lambda: model)
    monkeypatch.setattr(
        asking,
        "check_reply",
        lambda text, _, **__: Checked(
            points=tuple(Point(one.text, one.about) for one in read_answer(text).points), checked=2
        ),
    )
    return model


def told(*arguments):
    out = StringIO()
    call_command("diagnose", *arguments, stdout=out)
    return out.getvalue()


def lines(*arguments):
    return [" ".join(one.split()) for one in told(*arguments).splitlines() if one.strip()]


def test_without_a_key_the_rules_speak():
    account = snapshot([Stock(quantity=670)], cash=50_000_000, with_closes=False)
    order(account, 1, ord_tmd="090600")
    shown = lines("--mode", "real")
    assert shown[0] == "실전 1234****-01 진단 2025-06-16(월) 14:20:00 KST"
    assert shown[1].startswith("점검 경고 1 · 주의 1 · 정보 1 · 통과 ")
    assert "경고 F1 종목 편중 삼성전자 43.4% 한도 20%" in shown
    assert "정보 F3 미체결 장기 삼성전자 매도 5:14 기준 5:00" in shown
    assert any(one.startswith("살피지 못함: 대사. ") for one in shown)
    assert "1 삼성전자는 총평가금액의 43.4%로 한도 20%를 넘습니다. [F1]" in shown
    assert shown[-1] == "AI 키(GEMINI_API_KEY)가 없어 규칙으로만 살폈습니다."
    assert Diagnosis.objects.get().status == "rules"


def test_words_of_the_model_come_with_their_maker_and_a_warning(model):
    snapshot([Stock(quantity=670)], cash=50_000_000, with_closes=False)
    shown = lines()
    assert "AI 진단 숫자 2개 모두 자료와 일치" in shown
    assert "1 삼성전자의 비중이 큽니다. [F1]" in shown
    assert shown[-1] == "gemini-2.5-flash · 14:20:06 · 점검을 풀어 쓴 설명이며 투자 권유가 아닙니다."
    assert len(model.asked) == 1


def test_model_that_fails_is_a_note_and_no_error(model):
    model.says = ProviderFailed("AI 호출 한도를 넘었습니다.", Failure.RATE_LIMITED)
    snapshot([Stock(quantity=670)], cash=50_000_000, with_closes=False)
    shown = lines()
    assert "진단 (규칙)" in shown
    assert shown[-1] == "AI 호출 한도를 넘었습니다."


def test_owner_asks_again_before_the_time(model):
    snapshot([Stock(quantity=670)], cash=50_000_000, with_closes=False)
    told()
    snapshot([Stock(quantity=700)], at=AT + timedelta(seconds=3), cash=50_000_000, with_closes=False)
    told()
    assert len(model.asked) == 2


def test_one_stock(model):
    snapshot(stocks(3), with_closes=False)
    shown = lines("--holding", "010001")
    assert shown[1] == "종목001 010001"
    assert shown[2] == "1 삼성전자의 비중이 큽니다. [F1]"
    assert model.asked[0][0]["focus"] == "010001"


def test_stock_that_is_not_held_is_refused_with_those_that_are(model):
    snapshot(stocks(2), with_closes=False)
    with pytest.raises(CommandError, match=r"^보유하지 않은 종목입니다: 005930\. 보유 종목: 010001, 010000$"):
        told("--holding", "005930")
    assert model.asked == []


def test_books_without_a_snapshot_say_what_to_do():
    with pytest.raises(CommandError, match=r"manage\.py sync_kis_data"):
        told()


# --- the dry run -------------------------------------------------------------------------------------------------------


def test_dry_run_shows_the_question_to_the_letter_and_asks_nobody(model):
    snapshot(stocks(50), with_closes=False)
    shown = told("--dry-run").splitlines()
    assert model.asked == []
    assert Diagnosis.objects.count() == 0
    assert "비중과 수익률만 (원과 수량은 보내지 않음)" in shown[2]
    assert shown[-2] == "[보낼 자료]"
    question = shown[-1]
    told()
    assert json.loads(question) == model.asked[0][0]
    assert tokens_at_most(question) <= TOKEN_BUDGET


def test_dry_run_needs_no_key_and_shows_no_account_number(settings):
    settings.AI_PRIVACY = "full"
    snapshot(stocks(2), with_closes=False)
    shown = told("--dry-run")
    assert "원과 수량까지" in shown
    assert "12345678" not in shown
    assert "당신은 한국 주식 계좌" in shown
    data = json.loads(shown.splitlines()[-1])
    assert len(data["holdings"]["rows"]) == 2


def test_dry_run_of_one_stock():
    snapshot(stocks(3), with_closes=False)
    data = json.loads(told("--dry-run", "--holding", "010002").splitlines()[-1])
    assert [row[0] for row in data["holdings"]["rows"]] == ["010002"]
