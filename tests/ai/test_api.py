"""What the API says of a diagnosis beyond what every table has (tests/kis/test_api.py, tests/aegis/test_api.py)."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache

from tests.factories import AT, snapshot
from tests.kis.api_rows import Api, diagnosis

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client):
    cache.clear()
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return Api(client)


def test_list_has_the_words_and_no_raw_json(api):
    diagnosis(snapshot(), 1, status="failed", reason="timeout", note="늦었습니다.", model="")
    [row] = api.rows("diagnoses")
    assert row["notes"] == [{"code": "005930", "name": "삼성전자", "text": "오늘 1.89% 내렸습니다."}]
    assert row["points"] == [{"text": "삼성전자의 비중이 21.3%입니다.", "references": ["F1"]}]
    assert row["findings"][0]["numbers"] == {"weight_pct": "21.3"}
    assert (row["status"], row["reason"], row["reason_text"]) == ("failed", "timeout", "시간 초과")
    assert {"raw_json", "request_json", "changes", "wait_until"}.isdisjoint(row)


def test_one_row_has_what_was_sent_and_what_is_new(api):
    diagnosis(snapshot(at=AT - timedelta(days=1)), 1, findings=[], weights=[])
    row = diagnosis(snapshot(), 2)
    shown = api.get(f"diagnoses/{row.pk}").json()
    assert shown["request_json"] == {"contents": [{"role": "user"}]}
    assert shown["raw_json"] == {"candidates": []}
    assert [one["title"] for one in shown["changes"]["came"]] == ["종목 편중"]
    assert shown["changes"]["weights"] == [
        {"code": "005930", "name": "삼성전자", "before": None, "after": "21.3", "difference": "21.3"}
    ]
    assert shown["changes"]["since"] == "2025-06-15T14:20:01+09:00"


def test_first_diagnosis_has_nothing_to_be_compared_with(api):
    row = diagnosis(snapshot(), 1)
    assert api.get(f"diagnoses/{row.pk}").json()["changes"] is None


def test_list_is_narrowed_by_status_and_day(api):
    account = snapshot()
    diagnosis(account, 1)
    diagnosis(account, 2, status="rules", asked_at=None, model="", reason="no_key")
    diagnosis(account, 3, written_at=AT + timedelta(days=1))
    assert len(api.rows("diagnoses", status="complete")) == 2
    assert len(api.rows("diagnoses", status="rules", to="2025-06-16")) == 1
    assert len(api.rows("diagnoses", **{"from": "2025-06-17"})) == 1
    assert api.error("diagnoses", 400, status="odd")["code"] == "bad_parameter"
