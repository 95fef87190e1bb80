"""What the price inquiries make of zeros, other stocks and fields that are not as they should be."""

import json
from datetime import date
from pathlib import Path

import pytest

from kis.client.auth import MemoryTokenStore
from kis.client.endpoints.calendar import opening_days
from kis.client.endpoints.quotes import index_price, order_book, price, prices
from kis.client.endpoints.stocks import stock_info
from kis.client.errors import KisRefused, KisReplyChanged, NotOffered, UnknownCode
from tests.kis.scripted import error, make_session, reply

FOLDER = Path(__file__).resolve().parents[1] / "data" / "kis"


def recorded(name, section="output", /, **changes):
    """Return a recorded reply with some fields of a section changed; None takes a field out."""
    body = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["body"]
    row = body[section] | changes
    body[section] = {field: value for field, value in row.items() if value is not None}
    return reply(body)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"stck_prpr": None}, "stck_prpr"),
        ({"stck_prpr": ""}, "stck_prpr"),
        ({"stck_prpr": "0"}, "stck_prpr"),  # the base price is there, so the code is known
        ({"stck_prpr": "71,500"}, "stck_prpr"),
        ({"stck_prpr": "0x5"}, "stck_prpr"),
        ({"stck_mxpr": ""}, "stck_mxpr"),
        ({"prdy_vrss": None}, "prdy_vrss"),
        ({"aspr_unit": "0"}, "aspr_unit"),
        ({"acml_vol": "-1"}, "acml_vol"),
        ({"w52_hgpr": "x"}, "w52_hgpr"),
        ({"w52_hgpr_date": "20260231"}, "w52_hgpr_date"),
        ({"sltr_yn": "?"}, "sltr_yn"),
        ({"temp_stop_yn": None}, "temp_stop_yn"),
        ({"stck_shrn_iscd": "000660"}, "stck_shrn_iscd"),
    ],
)
def test_price_that_cannot_be_read_is_no_price(changes, field):
    session, _, _ = make_session(recorded("price", **changes))
    with pytest.raises(KisReplyChanged) as caught:
        price(session, code="005930")
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "halted", "managed"),
    [
        ({}, False, False),
        ({"temp_stop_yn": "Y"}, True, False),
        ({"iscd_stat_cls_code": "58"}, True, False),
        ({"mang_issu_cls_code": "Y"}, False, True),
        ({"iscd_stat_cls_code": "51"}, False, True),
        ({"temp_stop_yn": "", "mang_issu_cls_code": "", "iscd_stat_cls_code": ""}, False, False),
    ],
)
def test_either_sign_of_a_halt_counts(changes, halted, managed):
    session, _, _ = make_session(recorded("price", **changes))
    found = price(session, code="005930")
    assert (found.halted, found.managed) == (halted, managed)


def many(*codes):
    template = json.loads((FOLDER / "prices.json").read_text(encoding="utf-8"))["body"]["output"][0]
    return reply({"rt_cd": "0", "output": [template | {"inter_shrn_iscd": code} for code in codes]})


def test_any_number_of_codes_goes_thirty_a_call():
    codes = [f"{number:06d}" for number in range(65)]
    session, script, _ = make_session(many(*codes[:30]), many(*codes[30:60]), many(*codes[60:]))
    assert list(prices(session, codes=[*codes, codes[0]])) == codes
    assert [len(request.params) for request in script.sent] == [60, 60, 10]
    assert script.sent[2].params["FID_INPUT_ISCD_5"] == "000064"


def test_no_codes_ask_for_nothing():
    session, script, _ = make_session(many())
    assert prices(session, codes=[]) == {}
    assert script.sent == []


def test_many_prices_on_paper_are_refused_before_anything_is_sent():
    session, script, _ = make_session(many("005930"), mode="paper", tokens=MemoryTokenStore())
    with pytest.raises(NotOffered, match="모의 미지원"):
        prices(session, codes=["005930"])
    assert script.sent == []


@pytest.mark.parametrize("codes", [["005930", "000660"], ["005930", "005930"]])
def test_stock_not_asked_for_or_twice_is_refused(codes):
    session, _, _ = make_session(many(*codes))
    with pytest.raises(KisReplyChanged, match=codes[1]):
        prices(session, codes=["005930"])


@pytest.mark.parametrize(
    ("section", "changes", "field"),
    [
        ("output1", {"askp1": None}, "askp1"),
        ("output1", {"askp2": "71500"}, "askp1"),
        ("output1", {"bidp10": "71400"}, "bidp1"),
        ("output1", {"askp_rsqn3": ""}, "askp_rsqn3"),
        ("output1", {"aspr_acpt_hour": "250000"}, "aspr_acpt_hour"),
        ("output2", {"stck_shrn_iscd": "000660"}, "stck_shrn_iscd"),
        ("output2", {"stck_prpr": "0"}, "stck_prpr"),
    ],
)
def test_order_book_that_cannot_be_is_refused(section, changes, field):
    session, _, _ = make_session(recorded("order_book", section, **changes))
    with pytest.raises(KisReplyChanged) as caught:
        order_book(session, code="005930")
    assert caught.value.field == field


def test_order_book_before_the_first_order_has_no_time():
    session, _, _ = make_session(recorded("order_book", "output1", aspr_acpt_hour=""))
    assert order_book(session, code="005930").at is None


@pytest.mark.parametrize("value", ["", "0", "0.00"])
def test_unknown_index_is_an_error_and_no_zero(value):
    session, _, _ = make_session(recorded("index_price", bstp_nmix_prpr=value))
    with pytest.raises(UnknownCode, match="9999"):
        index_price(session, code="9999")


def calendar_reply(*days, **changes):
    flags = dict.fromkeys(("bzdy_yn", "tr_day_yn", "opnd_yn", "sttl_day_yn"), "Y")
    return reply({"rt_cd": "0", "output": [{"bass_dt": day} | flags | changes for day in days]})


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (calendar_reply(), "output"),
        (calendar_reply("20261121", "20261122"), "bass_dt"),
        (calendar_reply("20261120", "20261122"), "bass_dt"),
        (calendar_reply("20261120", "20261120"), "bass_dt"),
        (calendar_reply("20261120", opnd_yn=""), "opnd_yn"),
        (calendar_reply("20261120", opnd_yn="1"), "opnd_yn"),
    ],
)
def test_calendar_with_a_day_missing_or_unclear_is_refused(answer, field):
    session, _, _ = make_session(answer)
    with pytest.raises(KisReplyChanged) as caught:
        opening_days(session, date(2026, 11, 20))
    assert caught.value.field == field


def test_stock_may_be_of_another_market_and_have_no_day_of_listing():
    session, _, _ = make_session(
        recorded("stock_info", mket_id_cd="EWX", lstg_abol_dt="20261231", std_pdno="", prdt_name="")
    )
    found = stock_info(session, code="005930")
    assert (found.market, found.listed_on, found.delisted_on) == ("EWX", None, date(2026, 12, 31))
    assert (found.isin, found.name) == ("", "005930")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pdno": "000660"}, "pdno"),
        ({"lstg_stqt": "10.5"}, "lstg_stqt"),
        ({"tr_stop_yn": "0"}, "tr_stop_yn"),
        ({"scts_mket_lstg_dt": "1975061"}, "scts_mket_lstg_dt"),
    ],
)
def test_stock_info_that_cannot_be_read_is_refused(changes, field):
    session, _, _ = make_session(recorded("stock_info", **changes))
    with pytest.raises(KisReplyChanged) as caught:
        stock_info(session, code="005930")
    assert caught.value.field == field


def test_stock_without_a_code_is_unknown():
    session, _, _ = make_session(recorded("stock_info", pdno=""))
    with pytest.raises(UnknownCode):
        stock_info(session, code="005930")


def test_other_refusals_of_the_stock_inquiry_stay_what_they_are():
    session, _, _ = make_session(error("APBK1744", status=200, rt_cd="7"))
    with pytest.raises(KisRefused) as caught:
        stock_info(session, code="005930")
    assert caught.value.msg_cd == "APBK1744"
