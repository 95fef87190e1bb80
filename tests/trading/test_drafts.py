"""A confirm code is for one draft: whatever differs makes another text."""

from dataclasses import replace

import pytest

from kis.client.records.orders import Side
from trading.drafts import CancelDraft, Draft
from trading.errors import DraftImpossible

DRAFT = Draft(Side.BUY, "005930", "삼성전자", 10, 71_000)
CANCEL = CancelDraft("005930", "삼성전자", "06010", "0000117943", "KRX")


def test_draft_knows_its_side_and_kind():
    assert (DRAFT.is_buy, DRAFT.is_market) == (True, False)
    market = replace(DRAFT, side=Side.SELL, price=0)
    assert (market.is_buy, market.is_market) == (False, True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"code": "5930"}, "종목코드"),
        ({"code": "0126z0"}, "종목코드"),
        ({"code": "005930\n"}, "종목코드"),
        ({"quantity": 0}, "수량"),
        ({"quantity": -1}, "수량"),
        ({"quantity": 1.0}, "수량"),
        ({"quantity": "1"}, "수량"),
        ({"quantity": True}, "수량"),
        ({"quantity": 2**31}, "수량"),
        ({"price": -1}, "가격"),
        ({"price": 71_000.0}, "가격"),
        ({"price": None}, "가격"),
        ({"price": 2**31}, "가격"),
    ],
)
def test_what_cannot_be_an_order_is_refused(change, sentence):
    with pytest.raises(DraftImpossible, match=sentence):
        replace(DRAFT, **change)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"code": ""}, "종목코드"),
        ({"number": ""}, "주문번호"),
        ({"number": "0000"}, "주문번호"),
        ({"number": "11-7"}, "주문번호"),
    ],
)
def test_what_cannot_be_a_cancellation_is_refused(change, sentence):
    with pytest.raises(DraftImpossible, match=sentence):
        replace(CANCEL, **change)


@pytest.mark.parametrize("code", ["Q500001", "0126Z0", "00104K"])
def test_codes_with_letters_are_codes(code):
    assert replace(DRAFT, code=code).code == code
