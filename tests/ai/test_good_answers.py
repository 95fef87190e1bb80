"""A checker that drops everything is no checker: what a good model says is kept, to the last sentence."""

import json

import pytest

from ai.replies import check_reply
from tests.ai.asked_about import payload
from tests.ai.good_answers import ANSWERS


def answer_of(points, holdings=()):
    return json.dumps(
        {
            "points": [{"text": text, "refs": refs} for text, refs in points],
            "holdings": [{"code": code, "text": text} for code, text in dict(holdings).items()],
        },
        ensure_ascii=False,
    )


@pytest.mark.parametrize("name", ANSWERS)
def test_a_good_answer_is_kept_whole(name):
    points, holdings = ANSWERS[name]
    kept = check_reply(answer_of(points, holdings), payload())
    assert kept.left_out == ()
    assert len(kept.points) == len(points)
    assert kept.holdings.keys() == holdings.keys()


def test_there_are_enough_of_them():
    assert len(ANSWERS) >= 30
