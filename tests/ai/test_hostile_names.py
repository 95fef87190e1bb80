"""A stock is called whatever the broker says: its name instructs nobody, breaks nothing, and puts no words into a diagnosis."""

import json

import pytest

from ai.names import is_name, shown_name
from ai.payload import Privacy
from ai.prompts import prompt_for
from ai.providers import Purpose
from ai.replies import check_reply
from kis.korean import with_particle
from tests.ai.asked_about import account, holdings, payload
from tests.ai.hostile_names import NAMES
from tests.ai.positions import held

CODE = "0039P0"
#: Names that are harmless once what cannot be seen in them is gone.
HARMLESS = {
    "\u202e자전성삼": "자전성삼",
    "삼\u200b성\u200b전\u200b자": "삼성전자",
    "삼성전자\x00": "삼성전자",
}
REAL_NAMES = """
KODEX 200, TIGER 미국S&P500, KODEX 미국S&P500선물인버스2X레버리지(합성 H), TIGER 미국나스닥100레버리지(합성), F&F, E1, S-Oil, 3S, JYP Ent., CJ4우(전환),
N2 월간 레버리지 방위산업 Top5 ETN, RISE KIS단기종합채권(AA-이상)액티브, THE E&M, 와이지-원, 에이프로젠 H&G, 삼성 인버스 2X WTI원유 선물 ETN,
대신증권2우B, 아모레퍼시픽홀딩스3우C, HD현대중공업, KT&G, POSCO홀딩스, 링크제니시스, 셀트리온, 바이넥스, 팔도, 사조대림, 매일유업, 파세코, NAVER, LS ELECTRIC,
TIGER KRX금현물, KODEX CD금리액티브(합성), DAISHIN343 AI반도체&인프라액티브, 1Q 머니마켓액티브, 카카오게임즈, 지아이이노베이션, 대한항공, 대상, 한국ANKOR유전
"""


def told(name, *, privacy=Privacy.FULL):
    """Return the payload of the account with one more stock, a loser that the rules speak of."""
    row = held(CODE, name, evlu_amt=40_000_000, evlu_pfls_rt=-40.5, fllt_rt=-12.5)
    return payload([row, *holdings()], privacy=privacy)


def shown(data, *texts, listed=()):
    answer = json.dumps({"points": [{"text": text, "refs": []} for text in texts], "holdings": []})
    return [point.text for point in check_reply(answer, data, listed=listed).points]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("privacy", Privacy)
def test_a_hostile_name_reaches_no_prompt(name, privacy):
    data = told(name, privacy=privacy)
    prompt = prompt_for(data.as_json(), purpose=Purpose.PORTFOLIO)
    assert json.loads(prompt.user) == json.loads(data.as_json())
    assert prompt.system == prompt_for(payload().as_json(), purpose=Purpose.PORTFOLIO).system
    rows = {row[0]: row[1] for row in data.as_data()["holdings"]["rows"]}
    assert rows[CODE] == HARMLESS.get(name)
    texts = [str(row[3]) for row in data.as_data()["findings"]["rows"]]
    if name not in HARMLESS:
        assert not [text for text in texts if name.strip() and name.strip() in text.replace("{000660}", "")]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_hostile_name_puts_no_words_into_a_diagnosis(name):
    """Neither where a model names the stock by its code, nor where it repeats the name."""
    data = told(name)
    texts = [f"{{{CODE}}}는 오늘 12.5% 내렸습니다.", f"{name}는 오늘 12.5% 내렸습니다.", name, f"{name}."]
    assert shown(data, *texts) == [
        with_particle(HARMLESS.get(name, f"종목 {CODE}"), "은") + " 오늘 12.5% 내렸습니다."
    ]


def test_findings_of_stocks_with_one_name_keep_their_own_codes():
    rows = [held("000001", "쌍둥이", evlu_amt=45_000_000), held("000002", "쌍둥이", evlu_amt=40_000_000)]
    data = payload(rows)
    texts = [row[3] for row in data.as_data()["findings"]["rows"] if row[2] == "종목 편중"]
    assert [text[:8] for text in texts] == ["{000001}", "{000002}"]
    for text in ("쌍둥이의 비중은 25%입니다.", "쌍둥이의 비중은 22.2%입니다."):
        assert shown(data, text) == []


@pytest.mark.parametrize("name", [name.strip() for name in REAL_NAMES.split(",")])
def test_a_real_name_is_told_and_shown(name):
    assert is_name(name)
    assert shown_name(name, CODE) == name


def test_a_name_is_found_whole_only():
    for text in ("삼성전자우는 1.25% 올랐습니다.", "카카오뱅크는 1.83% 내렸습니다."):
        assert shown(payload(), text, listed={"삼성전자우", "카카오뱅크"}) == []
        assert shown(payload(), text) == []


def test_there_are_enough_of_them():
    assert len(NAMES) >= 40
    assert account().holdings
