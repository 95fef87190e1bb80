"""Frames of the websocket as they come off the wire, and what the client makes of them."""

import json
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from kis.client.codes import AccountNumber
from kis.client.errors import KisReplyChanged
from kis.client.protocol import Row
from kis.client.realtime_frames import (
    SUBSCRIBE,
    UNSUBSCRIBE,
    AesKey,
    Answer,
    Data,
    Ping,
    Registration,
    decrypt,
    notice_rows,
    price_rows,
    read_frame,
    request_text,
)
from kis.client.records.orders import Side
from kis.client.records.realtime import Amendment, FillNotice, NoticeKind, PriceTick

FOLDER = Path(__file__).resolve().parents[1] / "data" / "kis" / "ws"
TEXTS = {path.stem: path.read_text(encoding="utf-8").strip() for path in FOLDER.glob("*.txt")}


def data(name):
    frame = read_frame(TEXTS[name])
    assert isinstance(frame, Data)
    return frame


def ticks(name):
    frame = data(name)
    assert not frame.is_encrypted
    return [PriceTick.from_row(row) for row in price_rows(frame.payload, count=frame.count)]


def aes():
    return read_frame(TEXTS["answer_fills"]).aes


def notice(name):
    frame = data(name)
    (row,) = notice_rows(decrypt(frame, aes()), count=frame.count, tr_id=frame.tr_id)
    return FillNotice.from_row(row)


def changed(name, **fields):
    """Return the plain fields of a notice with some of them replaced, as a row."""
    frame = data(name)
    (row,) = notice_rows(decrypt(frame, aes()), count=1, tr_id=frame.tr_id)
    return Row({**row.data, **fields}, tr_id=row.tr_id)


def test_request_is_the_documented_json():
    text = request_text(Registration("H0STCNT0", "005930"), tr_type=SUBSCRIBE, approval_key="k")
    assert json.loads(text) == {
        "header": {"approval_key": "k", "custtype": "P", "tr_type": "1", "content-type": "utf-8"},
        "body": {"input": {"tr_id": "H0STCNT0", "tr_key": "005930"}},
    }
    left = json.loads(request_text(Registration("x", "y"), tr_type=UNSUBSCRIBE, approval_key="k"))
    assert left["header"]["tr_type"] == "2"


def test_tick_of_46_fields():
    assert ticks("price_46") == [
        PriceTick(
            code="005930",
            traded_on=date(2026, 9, 11),
            at=time(9, 30, 15),
            price=71500,
            change=500,
            change_rate=Decimal("0.70"),
            open=71200,
            high=71800,
            low=71000,
            quantity=12,
            total_quantity=1203344,
            total_amount=85823456700,
            session="",
        )
    ]


def test_tick_of_47_fields_tells_its_session():
    (tick,) = ticks("price_47")
    assert (tick.code, tick.price, tick.change, tick.session) == ("0126Z0", 412000, -3500, "3")


@pytest.mark.parametrize("name", ["price_47_two", "price_48_two"])
def test_records_of_one_frame_are_split_by_their_width(name):
    assert [(tick.at, tick.price, tick.session) for tick in ticks(name)] == [
        (time(16, 1, 5), 412000, "3"),
        (time(16, 1, 6), 412500, "3"),
    ]


def test_notice_of_a_fill_tells_of_this_fill_alone():
    assert notice("notice_26_filled") == FillNotice(
        account=AccountNumber("12345678", "01"),
        branch="06010",
        number="0000012345",
        origin="",
        amendment=Amendment.NONE,
        kind=NoticeKind.FILLED,
        side=Side.BUY,
        code="005930",
        name="삼성전자",
        quantity=3,
        price=71400,
        at=time(9, 30, 15),
        ordered_quantity=10,
        ordered_price=71500,
        exchange="KRX",
    )


def test_notice_of_an_order_taken_is_no_fill():
    taken = notice("notice_26_taken")
    assert (taken.kind, taken.quantity, taken.price) == (NoticeKind.ACCEPTED, 10, 71500)


def test_notice_of_23_fields_names_the_order_it_cancels():
    cancelled = notice("notice_23_cancelled")
    assert (cancelled.kind, cancelled.amendment, cancelled.side) == (
        NoticeKind.CONFIRMED,
        Amendment.CANCEL,
        Side.SELL,
    )
    assert (cancelled.number, cancelled.origin, cancelled.code) == ("0000000007", "0000000003", "0126Z0")
    assert (cancelled.quantity, cancelled.ordered_quantity) == (2, 5)
    assert (cancelled.price, cancelled.ordered_price, cancelled.exchange) == (0, None, "")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"RFUS_YN": "1"}, NoticeKind.REFUSED),
        ({"ACPT_YN": "3"}, NoticeKind.GIVEN_UP),
        ({"OODER_NO": "0000000000"}, NoticeKind.ACCEPTED),
        ({"CNTG_ISNM40": ""}, NoticeKind.ACCEPTED),
    ],
)
def test_notice_of_another_kind(fields, kind):
    told = FillNotice.from_row(changed("notice_26_taken", **fields))
    assert (told.kind, told.origin) == (kind, "")
    assert told.name == ("005930" if "CNTG_ISNM40" in fields else "삼성전자")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"RFUS_YN": "2"}, "RFUS_YN"),
        ({"CNTG_YN": "3"}, "CNTG_YN"),
        ({"CNTG_YN": "1", "ACPT_YN": "4"}, "ACPT_YN"),
        ({"ACNT_NO": "1234"}, "ACNT_NO"),
        ({"RCTF_CLS": "9"}, "RCTF_CLS"),
        ({"SELN_BYOV_CLS": "03"}, "SELN_BYOV_CLS"),
        ({"CNTG_QTY": "0"}, "CNTG_QTY"),
        ({"CNTG_QTY": ""}, "CNTG_QTY"),
        ({"CNTG_UNPR": ""}, "CNTG_UNPR"),
        ({"STCK_CNTG_HOUR": "256000"}, "STCK_CNTG_HOUR"),
    ],
)
def test_notice_that_may_hide_a_fill_is_refused(fields, field):
    with pytest.raises(KisReplyChanged) as error:
        FillNotice.from_row(changed("notice_26_filled", **fields))
    assert error.value.field == field


def test_account_and_hts_id_stay_out_of_every_repr():
    shown = repr(notice("notice_26_filled")) + repr(read_frame(TEXTS["answer_fills"]))
    assert "5678" not in shown
    assert "hongkd" not in shown
    assert aes().key not in shown
    assert aes().key not in repr(aes())
    assert "hongkd" not in repr(Registration("H0STCNI0", "hongkd"))


def test_ping_is_kept_as_it_came():
    assert read_frame(TEXTS["pingpong"]) == Ping(TEXTS["pingpong"])


def test_answer_that_names_no_tr():
    answer = read_frame(TEXTS["answer_in_use"])
    assert (answer.tr_id, answer.tr_key, answer.msg_cd, answer.is_accepted) == ("", "", "OPSP8996", False)
    assert answer.aes is None


@pytest.mark.parametrize("output", [None, {}, {"key": "k" * 32}, {"key": "k" * 31, "iv": "i" * 16}])
def test_key_of_another_size_is_none(output):
    header, body = {"tr_id": "H0STCNI0", "tr_key": 7}, {"rt_cd": 0, "output": output}
    answer = read_frame(json.dumps({"header": header, "body": body}))
    assert isinstance(answer, Answer)
    assert (answer.aes, answer.is_accepted, answer.tr_key, answer.msg_cd) == (None, True, "7", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "0|H0STCNT0|001",
        "2|H0STCNT0|001|005930^1",
        "0|H0 STCNT|001|005930^1",
        "0|H0STCNT0|one|005930^1",
        "{",
        "[]",
        '{"header":1}',
        '{"header":{"tr_id":"x"}}',
        '{"header":{"tr_id":"x"},"body":{}}',
        '{"header":{"tr_id":"PINGPONG","datetime":NaN}}',
        '{"a":' * 100_000,
    ],
)
def test_frame_that_is_nothing_known_is_refused(text):
    with pytest.raises(KisReplyChanged):
        read_frame(text)


@pytest.mark.parametrize(("payload", "count"), [("^" * 45, 0), ("^" * 46, 2), ("^" * 44, 1)])
def test_records_that_do_not_fit_their_count_are_refused(payload, count):
    with pytest.raises(KisReplyChanged, match="H0STCNT0"):
        price_rows(payload, count=count)


@pytest.mark.parametrize("fields", [22, 24, 25])
def test_notice_of_another_width_is_refused(fields):
    with pytest.raises(KisReplyChanged, match="H0STCNI0"):
        notice_rows("^" * (fields - 1), count=1, tr_id="H0STCNI0")


def test_price_of_zero_is_refused():
    (row,) = price_rows(data("price_46").payload, count=1)
    with pytest.raises(KisReplyChanged, match="STCK_PRPR"):
        PriceTick.from_row(Row({**row.data, "STCK_PRPR": "0"}, tr_id=row.tr_id))


@pytest.mark.parametrize("payload", ["", "%%%", "QUJD", "A" * 44, "QUFBQUFBQUFBQUFBQUFBQQ=="])
def test_payload_that_cannot_be_decrypted_is_refused(payload):
    with pytest.raises(KisReplyChanged, match="암호"):
        decrypt(Data("H0STCNI0", is_encrypted=True, count=1, payload=payload), aes())


def test_payload_under_another_key_is_refused():
    frame = data("notice_26_filled")
    with pytest.raises(KisReplyChanged, match="암호"):
        decrypt(frame, AesKey("x" * 32, "y" * 16))
