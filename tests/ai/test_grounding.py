"""Nothing that a model makes up, asks for or smuggles in is shown, and the good sentence beside it is."""

import json

import pytest

from ai.replies import check_reply
from tests.ai.asked_about import payload
from tests.ai.hostile_answers import SENTENCES

GOOD = "현금 비중은 10.5%로 목표에 가깝습니다."
#: Names of the market beside those that are held.
LISTED = frozenset({"가온칩스", "대상", "기아", "삼성전자", "카카오"})


def answer(*texts, refs=(), holdings=()):
    return json.dumps(
        {
            "points": [{"text": text, "refs": list(refs)} for text in texts],
            "holdings": [{"code": code, "text": text} for code, text in holdings],
        }
    )


def grounded(*texts, listed=LISTED, about=None, **how):
    return check_reply(answer(*texts, **how), about or payload(), listed=listed)


def shown(result):
    return [point.text for point in result.points]


@pytest.mark.parametrize("name", SENTENCES)
def test_a_hostile_sentence_is_left_out_of_a_point(name):
    sentence, fault = SENTENCES[name]
    result = grounded(f"{GOOD} {sentence}", sentence)
    assert shown(result) == [GOOD]
    assert result.dropped >= 2
    faults = {why for _, why in result.left_out}
    assert fault is None or fault in faults


@pytest.mark.parametrize("name", SENTENCES)
def test_a_hostile_sentence_is_left_out_of_words_about_a_stock(name):
    sentence, _ = SENTENCES[name]
    good = "오늘 0.36% 올랐습니다."
    result = grounded(holdings=[("068270", f"{good} {sentence}"), ("105560", sentence)])
    assert result.holdings == {"068270": good}


def test_there_are_enough_of_them():
    assert len(SENTENCES) >= 60
