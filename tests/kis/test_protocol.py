"""What a reply of the wire becomes; every reading that could turn an error into a number."""

import json
from decimal import Decimal

import pytest

from kis.client.errors import (
    KisError,
    KisRefused,
    KisReplyChanged,
    KisUnreachable,
    RateLimited,
    TokenExpired,
)
from kis.client.protocol import Cursor, RawReply, Row, read_reply


def raw(body, *, status=200, tr_cont="D"):
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return RawReply(status=status, headers={"tr_cont": tr_cont}, body=data)


def read(body, **how):
    return read_reply(raw(body, **how), tr_id="TTTC8434R")


def row(**data):
    return Row(data, tr_id="TTTC8434R")


@pytest.mark.parametrize(
    ("tr_cont", "more"), [("M", True), ("F", True), ("D", False), ("E", False), ("", False)]
)
def test_header_says_whether_another_page_follows(tr_cont, more):
    reply = read(
        {"rt_cd": "0", "ctx_area_fk100": "A^B" + " " * 97, "ctx_area_nk100": " " * 100}, tr_cont=tr_cont
    )
    assert (reply.more, reply.cursor) == (more, Cursor("A^B", ""))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, {"rt_cd": "1", "msg_cd": "EGW00201", "msg1": "초당 거래건수를 초과하였습니다."}, RateLimited),
        (500, {"rt_cd": "1", "msg_cd": "EGW00123", "msg1": "기간이 만료된 token 입니다."}, TokenExpired),
        (500, {"rt_cd": "1", "msg_cd": "EGW00121", "msg1": "유효하지 않은 token 입니다."}, TokenExpired),
        (500, {"rt_cd": "1", "msg_cd": "EGW02006", "msg1": "모의투자 TR 이 아닙니다."}, KisRefused),
        (200, {"rt_cd": "2", "msg_cd": "OPSQ2000", "msg1": "ERROR : INPUT INVALID_CHECK_ACNO"}, KisRefused),
        (200, {"rt_cd": "7", "msg_cd": "APBK1744", "msg1": "퇴직연금계좌는 해당 서비스 불가"}, KisRefused),
        (
            500,
            {"rt_cd": "1", "msg_cd": "EGW00202", "msg1": "GW라우팅 중 오류가 발생했습니다."},
            KisUnreachable,
        ),
        (500, {"rt_cd": "1", "msg_cd": "EGW00302", "msg1": "거래시간이 초과되었습니다."}, KisUnreachable),
        (502, {}, KisUnreachable),
        (500, b"<html><body>Internal Server Error</body></html>", KisUnreachable),
        (200, b"<!doctype html><title>\xec\xa0\x90\xea\xb2\x80</title>", KisUnreachable),
        (200, b'{"rt_cd":"0","output1":[', KisUnreachable),
        (200, b"", KisUnreachable),
        (200, b"[]", KisUnreachable),
        (200, b"\xff\xfe\x00", KisUnreachable),
        (200, b'{"rt_cd":"0","unused":NaN}', KisUnreachable),
        (200, b'{"rt_cd":"0","unused":"\\ud800"}', KisUnreachable),
        (200, b'{"rt_cd":"0","unused":"\\u0000"}', KisUnreachable),
        (200, b"[" * 200_000, KisUnreachable),
        (307, b"", KisUnreachable),
        (200, {"output1": []}, KisReplyChanged),
    ],
)
def test_each_kind_of_no_becomes_its_own_error(status, body, kind):
    with pytest.raises(KisError) as caught:
        read(body, status=status)
    assert type(caught.value) is kind
    assert "TTTC8434R" in str(caught.value)


def test_refusal_keeps_the_brokers_code_and_text():
    with pytest.raises(KisRefused) as caught:
        read({"rt_cd": "7", "msg_cd": "APBK0919", "msg1": "장운영일자가 주문일과 상이합니다" + " " * 48})
    assert caught.value.msg_cd == "APBK0919"
    assert (
        str(caught.value) == "증권사가 거절했습니다: 장운영일자가 주문일과 상이합니다 (APBK0919, TTTC8434R)"
    )


@pytest.mark.parametrize(
    "text", ["", "   ", "12,345", "1.5", "NaN", "1e9", "Infinity", "０", "--1", "9" * 19]
)
def test_unreadable_whole_number_is_an_error_never_zero(text):
    with pytest.raises(KisReplyChanged):
        row(evlu_amt=text).integer("evlu_amt")


@pytest.mark.parametrize("value", [None, 12, 1.5, [], {}])
def test_number_that_is_not_text_is_an_error(value):
    with pytest.raises(KisReplyChanged):
        row(evlu_amt=value).integer("evlu_amt")


def test_missing_field_names_itself():
    with pytest.raises(KisReplyChanged) as caught:
        row().integer("evlu_amt")
    assert caught.value.field == "evlu_amt"
    assert "evlu_amt" in str(caught.value)


def test_numbers_are_read_as_the_wire_writes_them():
    data = row(a=" 0012 ", b="-500", c="135440.2517", d="0.00000000", e="")
    assert (data.integer("a"), data.integer("b")) == (12, -500)
    assert (data.decimal("c"), data.decimal("d")) == (Decimal("135440.2517"), Decimal(0))
    assert data.optional_decimal("e") is None


@pytest.mark.parametrize("text", ["", "  ", "1,5", "NaN", "."])
def test_unreadable_decimal_is_an_error_never_zero(text):
    with pytest.raises(KisReplyChanged):
        row(pchs_avg_pric=text).decimal("pchs_avg_pric")


@pytest.mark.parametrize("text", ["-1", "2147483648"])
def test_quantity_outside_what_a_table_can_hold_is_refused(text):
    with pytest.raises(KisReplyChanged):
        row(hldg_qty=text).quantity("hldg_qty")


@pytest.mark.parametrize("text", ["20250231", "2025-06-16", "", "250616"])
def test_impossible_date_is_refused(text):
    with pytest.raises(KisReplyChanged):
        row(ord_dt=text).day("ord_dt")


@pytest.mark.parametrize("text", ["250000", "", "9:00"])
def test_impossible_time_is_refused(text):
    with pytest.raises(KisReplyChanged):
        row(ord_tmd=text).clock("ord_tmd")


def test_empty_objects_among_rows_are_left_out():
    reply = read({"rt_cd": "0", "output2": [{}, {"stck_clpr": "100"}, {}]})
    assert [item.data for item in reply.rows("output2")] == [{"stck_clpr": "100"}]


@pytest.mark.parametrize("value", [None, {}, "", [1], ["x"]])
def test_a_list_that_is_none_is_an_error_not_an_empty_list(value):
    with pytest.raises(KisReplyChanged):
        read({"rt_cd": "0", "output1": value}).rows("output1")


@pytest.mark.parametrize("value", [None, {}, [], [{}, {}], "x"])
def test_an_object_that_is_none_is_an_error(value):
    with pytest.raises(KisReplyChanged):
        read({"rt_cd": "0", "output2": value}).one("output2")


def test_pair_of_surrogates_is_a_sign_like_any_other():
    reply = read_reply(RawReply(200, {}, b'{"rt_cd":"0","output":{"a":"\\ud83d\\ude00"}}'), tr_id="TTTC8434R")
    assert reply.one("output").text("a") == "\U0001f600"


def test_brokers_text_never_repeats_a_secret_or_a_control_sign():
    body = {"rt_cd": "7", "msg_cd": "X", "msg1": "12345678 \x1b[31m key-of-36 \x07"}
    with pytest.raises(KisRefused) as caught:
        read_reply(raw(body), tr_id="TTTC8434R", secrets=("key-of-36", "12345678"))
    assert "거절했습니다: **** " in str(caught.value)
    assert not any(sign in str(caught.value) for sign in ("key-of-36", "12345678", "\x1b", "\x07"))
