"""What stops an order is said in a browser without commands: only what takes a terminal names one, and whose it is."""

import pytest
from django.conf import settings

from tests.trading.drafting import RULES, draft, facts
from trading.errors import PasswordMissing, Unsettled
from trading.limits import refusals
from trading.on_pages import ADMINISTRATOR, INSTEAD, on_pages

NOT_PRINTED = ("print", "system")


def refused(**known):
    return [refusal.message for refusal in refusals(draft(), facts(**known), RULES)]


SAID = [
    *refused(is_halted_by_switch=True, has_unsettled_order=True, real_enabled=False),
    *refused(is_halted_by_switch=None, has_unsettled_order=None),
    str(Unsettled()),
    str(PasswordMissing()),
]


@pytest.mark.parametrize("sentence", SAID)
def test_sentence_of_the_terminal_names_a_page_or_whose_it_is(sentence):
    shown = on_pages(sentence)
    assert shown != sentence
    assert "manage.py" not in shown.partition(ADMINISTRATOR)[0]


def test_whatever_has_other_words_on_the_pages_is_said_somewhere():
    by_the_broker = "‘다시 확인’을 눌러 주세요."  # in test_pages
    assert [words for words, instead in INSTEAD.items() if not any(words in each for each in SAID)] == [
        words for words, instead in INSTEAD.items() if instead == by_the_broker
    ]


def test_pages_name_commands_to_the_administrator_alone():
    for template in sorted(settings.BASE_DIR.glob("templates/**/*.html")):
        if not {*template.parts} & {*NOT_PRINTED}:
            for line in template.read_text(encoding="utf-8").splitlines():
                assert "관리자" in line.partition("manage.py")[0] or "manage.py" not in line, template.name
