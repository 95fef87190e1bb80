"""Diagnoses in the admin: to be read, with what is new since the day before; nothing of a model is markup."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ai.models import Diagnosis, HoldingNote
from kis.models import AccountGrant
from tests.factories import AT, snapshot
from tests.kis.api_rows import diagnosis

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def page(model, name, *arguments):
    return reverse(f"admin:ai_{model._meta.model_name}_{name}", args=arguments)  # noqa: SLF001


def found(rule, severity, code="005930", **numbers):
    return {
        "rule": rule,
        "severity": severity,
        "title": f"규칙 {rule}",
        "subject": f"대상 {code}",
        "limit": "",
        "sentence": f"{rule} {code} 문장입니다.",
        "stock_code": code,
        "numbers": numbers,
    }


def words_of(response):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


@pytest.mark.parametrize("model", [Diagnosis, HoldingNote])
def test_list_and_row_are_shown_but_nothing_can_be_changed(owner, model):
    diagnosis(snapshot(), 1)
    row = model.objects.get()
    listed = owner.get(page(model, "changelist"))
    shown = owner.get(page(model, "change", row.pk))
    assert (listed.status_code, shown.status_code) == (200, 200)
    assert b"12345678" not in listed.content + shown.content
    assert owner.get(page(model, "add")).status_code == 403
    assert owner.post(page(model, "change", row.pk), {}).status_code == 403
    assert owner.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", [Diagnosis, HoldingNote])
def test_list_takes_the_same_number_of_queries_for_more_rows(owner, model):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(page(model, "changelist")).status_code == 200
        return len(captured)

    account = snapshot()
    diagnosis(account, 1)
    few = queries()
    for number in range(2, 12):
        diagnosis(account, number)
    assert queries() == few


def test_list_says_how_it_went(owner):
    account = snapshot()
    diagnosis(account, 1, tokens_in=1_200, tokens_out=34, checked=14, dropped=2)
    diagnosis(account, 2, status="failed", reason="rate_limited", note="한도", model="", findings=[])
    shown = words_of(owner.get(page(Diagnosis, "changelist")))
    assert "경고 1 완료 gemini-3.5-flash 1,234 14 2" in shown
    assert "없음 실패 (호출 한도 (429))" in shown


def test_row_shows_what_was_said_and_what_was_sent(owner):
    row = diagnosis(snapshot(), 1, note="모델을 바꿔 물었습니다.")
    shown = words_of(owner.get(page(Diagnosis, "change", row.pk)))
    for words in (
        "삼성전자의 비중이 21.3%입니다. [F1]",
        "경고 F1 종목 편중 삼성전자 21.3% 한도 20% 삼성전자는 총평가금액의 21.3%로 한도 20%를 넘습니다.",
        "삼성전자 005930 오늘 1.89% 내렸습니다.",
        "모델을 바꿔 물었습니다.",
        "견줄 지난 진단이 없습니다.",
        "candidates",
    ):
        assert words in shown


def test_row_shows_what_is_new_since_the_day_before(owner):
    yesterday = snapshot(at=AT - DAY)
    diagnosis(
        yesterday,
        1,
        written_at=AT - DAY,
        findings=[found("losers", "주의"), found("sector_concentration", "경고", "", sector="반도체")],
        weights=[
            {"code": "005930", "name": "삼성전자", "weight_pct": 21.3},
            {"code": "000660", "name": "SK하이닉스", "weight_pct": 11.7},
            {"code": "CASH", "name": "현금", "weight_pct": 5.9},
        ],
    )
    diagnosis(snapshot(at=AT - 2 * DAY), 2, written_at=AT - 2 * DAY, findings=[])
    today = snapshot()
    diagnosis(today, 3, written_at=AT - timedelta(minutes=30), findings=[])  # of the same day
    row = diagnosis(
        today,
        4,
        findings=[
            found("losers", "경고"),
            found("sector_concentration", "경고", "", sector="바이오"),
        ],
        weights=[
            {"code": "005930", "name": "삼성전자", "weight_pct": 18},
            {"code": "035420", "name": "NAVER", "weight_pct": 4.2},
            {"code": "CASH", "name": "현금", "weight_pct": 5.9},
        ],
    )
    shown = words_of(owner.get(page(Diagnosis, "change", row.pk)))
    assert "2025-06-15(일) 14:20 진단과 비교" in shown
    assert "생김 경고 규칙 sector_concentration" in shown
    assert "사라짐 경고 규칙 sector_concentration" in shown
    assert "바뀜 주의 → 경고 규칙 losers 대상 005930" in shown
    assert (
        "종목 코드 비중 % 차이 %p SK하이닉스 000660 11.7 → 없음 −11.7 NAVER 035420 없음 → 4.2 +4.2 "
        "삼성전자 005930 21.3 → 18.0 −3.3"
    ) in shown


def test_text_of_a_model_or_a_broker_is_no_markup(owner):
    nasty = "<script>alert(1)</script>"
    row = diagnosis(
        snapshot(),
        1,
        points=[{"text": nasty, "references": [nasty]}],
        note=nasty,
        findings=[found(nasty, "경고")],
        weights=[{"code": "005930", "name": nasty, "weight_pct": 1}],
        raw_json={"candidates": [nasty]},
    )
    HoldingNote.objects.update(text=nasty, stock_name=nasty)
    for response in (
        owner.get(page(Diagnosis, "changelist")),
        owner.get(page(Diagnosis, "change", row.pk)),
        owner.get(page(HoldingNote, "changelist")),
    ):
        assert nasty.encode() not in response.content
    assert b"&lt;script&gt;" in owner.get(page(Diagnosis, "change", row.pk)).content


def test_staff_sees_the_diagnoses_of_the_accounts_it_was_given(client):
    user = get_user_model().objects.create_user("reader", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_diagnosis", "view_holdingnote"]))
    AccountGrant.objects.create(
        user=user, account_no="12345678", product_code="01", is_paper=False, role="viewer"
    )
    client.force_login(user)
    diagnosis(snapshot(), 1, model="gemini-mine")
    other = diagnosis(snapshot(account_no="87654321"), 2, model="gemini-other")
    HoldingNote.objects.filter(diagnosis=other).update(text="남의 종목")
    assert b"gemini-mine" in client.get(page(Diagnosis, "changelist")).content
    assert b"gemini-other" not in client.get(page(Diagnosis, "changelist")).content
    assert "남의 종목" not in client.get(page(HoldingNote, "changelist")).content.decode()
    assert client.get(page(Diagnosis, "change", other.pk)).status_code == 302
