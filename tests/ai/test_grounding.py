"""Nothing that a model makes up, asks for or smuggles in is shown, and the good sentence beside it is."""

import json
import random
import re

import pytest

from ai.payload import Privacy
from ai.providers import Failure, ProviderFailed
from ai.replies import check_reply
from ai.wording import Fault
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


# --- what belongs together -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        # What leans on a sentence that is left out goes with it.
        ("{000270}이 3% 내렸습니다. 이는 쏠림 때문입니다. 현금 비중은 10.5%입니다.", "현금 비중은 10.5%입니다."),
        ("비중은 99%입니다. 그 결과 쏠림이 커졌습니다.", ""),
        # A subject is remembered over a sentence that passes, and not over one that does not.
        ("{373220}가 5.31% 내렸습니다. 손익률은 −31.25%입니다.", "LG에너지솔루션이 5.31% 내렸습니다. 손익률은 −31.25%입니다."),
        ("{373220}가 9.99% 내렸습니다. 손익률은 −31.25%입니다.", ""),
        # A figure is of the stock named before it.
        ("{005930}는 21.4%, {000660}은 15%입니다.", "삼성전자는 21.4%, SK하이닉스는 15%입니다."),
        ("{005930}는 15%이고 {000660}은 21.4%입니다.", ""),
        # Particles sound as the name does.
        ("{000660}가 {373220}를 {069500}으로 이끌었습니다.", "SK하이닉스가 LG에너지솔루션을 KODEX 200으로 이끌었습니다."),
        ("{105560}이 0.95% 올랐고 {005930}이 1.25% 올랐습니다.", "KB금융이 0.95% 올랐고 삼성전자가 1.25% 올랐습니다."),
        # Rounding.
        ("{005930}의 비중은 21%입니다.", "삼성전자의 비중은 21%입니다."),
        ("{005930}의 비중은 약 20%입니다.", ""),
        ("{005930}의 비중은 20%대입니다.", ""),
        ("{005930}의 비중은 21%대입니다.", "삼성전자의 비중은 21%대입니다."),
        ("총자산은 1억원대입니다.", "총자산은 1억원대입니다."),
        ("총자산은 1억 7,982만원입니다.", "총자산은 1억 7,982만원입니다."),
        ("총자산은 1억 7,983만원입니다.", ""),
        ("총자산은 1억 8천만원입니다.", "총자산은 1억 8천만원입니다."),
        ("평가이익은 1,580만원 정도입니다.", "평가이익은 1,580만원 정도입니다."),
        ("평가이익은 1,580만원입니다.", ""),
    ],
    ids=str,
)  # fmt: skip
def test_sentences_and_figures_belong_together(text, kept):
    assert shown(grounded(text)) == ([kept] if kept else [])


def test_references_are_those_that_exist_in_order():
    result = grounded("쏠림이 있습니다 [F2].", refs=["F1", "F99", "findings", "F1"])
    assert [point.references for point in result.points] == [("F1", "F2")]
    assert result.points[0].text == "쏠림이 있습니다."


def test_a_point_says_a_thing_once_and_no_more_than_a_page_holds():
    assert shown(grounded(GOOD, GOOD)) == [GOOD]
    sentences = [f"{name} 업종은 이 계좌에서 따로 볼 까닭이 없습니다." for name in ("금융", "제약") * 20]
    assert sum(map(len, shown(grounded(" ".join(sentences))))) <= 400
    assert len(grounded(*(f"{GOOD} {'가' * n}입니다." for n in range(3, 12))).points) <= 5


def test_words_about_a_stock_that_is_not_held_are_left_out_and_counted():
    result = grounded(
        holdings=[("000270", "좋은 흐름입니다. 쏠림은 없습니다."), ("373220", "오늘 5.31% 내렸습니다.")]
    )
    assert result.holdings == {"373220": "오늘 5.31% 내렸습니다."}
    assert [fault for _, fault in result.left_out] == [Fault.STOCK] * 2


def test_figures_that_agree_are_counted():
    assert grounded(GOOD).checked == 1
    assert grounded("{005930}는 21.4%, {000660}은 15%입니다.", "쏠림이 있습니다.").checked == 2


def test_where_no_won_is_told_none_may_be_said():
    about = payload(privacy=Privacy.PERCENT)
    for text in (
        "총자산은 179,819,278원입니다.",
        "{005930} 500주가 있습니다.",
        "{005930}의 현재가는 76,800원입니다.",
    ):
        assert shown(grounded(text)) != []
        assert shown(grounded(text, about=about)) == []
    assert shown(grounded(GOOD, about=about)) == [GOOD]


def test_a_question_about_one_stock_need_not_name_it():
    about = payload(focus="373220")
    result = grounded(
        "오늘 5.31% 내렸고 손익률은 −31.25%입니다.", "{005930}의 비중은 21.4%입니다.", about=about
    )
    assert shown(result) == ["오늘 5.31% 내렸고 손익률은 −31.25%입니다."]


def test_an_account_with_nothing_in_it_can_be_spoken_of():
    empty = payload(
        [], executions=[], unfilled=[], summaries=[], total_eval_amt=0, net_assets=0, previous_assets=0
    )
    assert shown(grounded("아직 보유한 종목이 없습니다.", about=empty)) == ["아직 보유한 종목이 없습니다."]
    assert shown(grounded("{005930}의 비중은 21.4%입니다.", about=empty)) == []


@pytest.mark.parametrize(
    "text", ["", "없음", "[]", '{"points": 1}', "[" * 9_999, '{"points": [NaN]}', "가" * 50_000]
)
def test_what_is_no_answer_says_so(text):
    with pytest.raises(ProviderFailed) as failed:
        check_reply(text, payload())
    assert failed.value.kind in {Failure.NOT_JSON, Failure.WRONG_SHAPE}


def test_what_is_left_out_can_be_kept_by_any_database():
    texts = ["쏠림이\x00 있습니다.", "쏠림이 \ud800 있습니다.", "가" * 300 + "입니다."]
    for sentence, _ in grounded(*texts).left_out:
        assert "\0" not in sentence
        assert len(sentence.encode()) <= 800


# --- by chance -----------------------------------------------------------------------------------------------------

PIECES = (
    *"0123456789.,%+-−▲▼()[]{}<>\"'“”·:/~ \n\t",
    *("약 ", "만", "억", "조", "원", "주", "종목", "건", "%p", "여", "대", "월", "일", "시", "분", "오후 ", "(월)", "F1", "D+2"),
    *("{005930}", "{000660}", "{999999}", "삼성전자", "카카오", "테슬라", "은", "는", "이", "가", "와 ", "각각 "),
    *("비중", "현재가", "손실", "이익", "오늘 ", "올랐습니다", "내렸습니다", "입니다", "다. ", "확인해 보세요.", "매수", "매 도", "하세요"),
    *("\x00", "\u202e", "\ud800", "\ue000", "가" * 30, "9" * 60, "1억 " * 9, "<b>", "http://", "🚀", "３", "²", "一"),
)  # fmt: skip


def test_whatever_is_written_is_read_or_left_out():
    """Pieces thrown together at random: nothing breaks, and nothing gets through in letters that no page has."""
    chance = random.Random(20250616)
    for _ in range(300):
        texts = ["".join(chance.choices(PIECES, k=chance.randint(1, 25))) for _ in range(5)]
        result = grounded(*texts, holdings=[("373220", "".join(chance.choices(PIECES, k=12)))])
        for text in (*shown(result), *result.holdings.values()):
            assert not set("<>{}[]\x00\u202e\ud800\ue000🚀²一") & set(text), text


def test_good_and_hostile_sentences_in_any_order_leave_good_ones_only():
    chance = random.Random(20250616)
    good = [
        GOOD,
        "{005930}의 비중은 21.4%로 한도 20%를 넘었습니다.",
        "{373220}는 오늘 5.31% 내렸습니다.",
        "총자산은 1억 7,981만원입니다.",
        "미체결 주문을 마감 전에 확인해 보세요.",
    ]
    as_shown = {text for sentence in good for text in shown(grounded(sentence))}
    hostile = [
        sentence
        for name, (sentence, _) in SENTENCES.items()
        if len(sentence) < 100 and name != "figure of nobody"  # it is of somebody after a sentence about him
    ]
    kept = 0
    for _ in range(150):
        mixed = [chance.choice(good if chance.random() < 0.5 else hostile) for _ in range(6)]
        for text in shown(grounded(" ".join(mixed))):
            sentences = [sentence for sentence in re.split(r"(?<=\.) ", text) if sentence]
            assert as_shown.issuperset(sentences), mixed
            kept += len(sentences)
    assert kept > 300
