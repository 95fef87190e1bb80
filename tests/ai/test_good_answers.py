"""A checker that drops everything is no checker: what a good model says is kept, to the last sentence."""

import json
import re

import pytest

from ai.replies import check_reply
from tests.ai.asked_about import payload
from tests.ai.good_answers import ANSWERS

#: Full-width digits and signs as plain ones.
PLAIN = str.maketrans("０１２３４５６７８９．，％", "0123456789.,%")


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


# --- a figure that is changed --------------------------------------------------------------------------------------


def changed(text):
    """Return the text once for each of its digits, that digit replaced; codes and names are left alone."""
    for match in re.finditer(r"\{[^}]*\}|[A-Z]+ ?[\w&]*\d+|D\+\d|\(0\d+\)|(\d)", text):
        if match[1]:
            digit = str((int(match[1]) + 3) % 10)
            yield text[: match.start()] + digit + text[match.end() :]


def test_a_figure_that_is_changed_in_one_digit_takes_its_sentence_with_it():
    """Every digit of every good answer; a few changes happen upon another true figure of the same stock."""
    data = payload()
    tried, passed = 0, []
    for points, _ in ANSWERS.values():
        for text, refs in points:
            for other in changed(text.translate(PLAIN)):
                tried += 1
                if not check_reply(answer_of([(other, refs)]), data).left_out:
                    passed.append(other)
    assert tried > 400
    assert passed == []
