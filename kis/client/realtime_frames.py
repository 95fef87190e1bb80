"""Frames of the broker's websocket: written and read; pure, no socket, no clock (kis-api.md section 10)."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from kis.client.codes import Mode
from kis.client.errors import KisReplyChanged
from kis.client.protocol import Row, refuse_constant

PRICES_TR = "H0STCNT0"
FILLS_TR: dict[Mode, str] = {"real": "H0STCNI0", "paper": "H0STCNI9"}
PINGPONG = "PINGPONG"
NO_TR = "(null)"  # what the broker writes where it does not know which request it answers
FRAME_TR = "websocket"  # for messages, where a frame names no TR

SUBSCRIBE, UNSUBSCRIBE = "1", "2"
KEY_BYTES, IV_BYTES = 32, 16
AES_BLOCK_BITS = 128
TR_ID = re.compile(r"[A-Z0-9]{6,12}")
COUNT = re.compile(r"[0-9]{1,3}")
DATA_PARTS = 4

#: The 47th came with the after-market of 2026-09-14.
PRICE_FIELDS = (
    *("MKSC_SHRN_ISCD", "STCK_CNTG_HOUR", "STCK_PRPR", "PRDY_VRSS_SIGN", "PRDY_VRSS", "PRDY_CTRT"),
    *("WGHN_AVRG_STCK_PRC", "STCK_OPRC", "STCK_HGPR", "STCK_LWPR", "ASKP1", "BIDP1", "CNTG_VOL", "ACML_VOL"),
    *("ACML_TR_PBMN", "SELN_CNTG_CSNU", "SHNU_CNTG_CSNU", "NTBY_CNTG_CSNU", "CTTR", "SELN_CNTG_SMTN"),
    *("SHNU_CNTG_SMTN", "CCLD_DVSN", "SHNU_RATE", "PRDY_VOL_VRSS_ACML_VOL_RATE", "OPRC_HOUR"),
    *("OPRC_VRSS_PRPR_SIGN", "OPRC_VRSS_PRPR", "HGPR_HOUR", "HGPR_VRSS_PRPR_SIGN", "HGPR_VRSS_PRPR"),
    *("LWPR_HOUR", "LWPR_VRSS_PRPR_SIGN", "LWPR_VRSS_PRPR", "BSOP_DATE", "NEW_MKOP_CLS_CODE", "TRHT_YN"),
    *("ASKP_RSQN1", "BIDP_RSQN1", "TOTAL_ASKP_RSQN", "TOTAL_BIDP_RSQN", "VOL_TNRT"),
    *("PRDY_SMNS_HOUR_ACML_VOL", "PRDY_SMNS_HOUR_ACML_VOL_RATE", "HOUR_CLS_CODE", "MRKT_TRTM_CLS_CODE"),
    *("VI_STND_PRC", "MARKET_CLS_CODE"),
)
FEWEST_PRICE_FIELDS = 46
NOTICE_HEAD = (
    *("CUST_ID", "ACNT_NO", "ODER_NO", "OODER_NO", "SELN_BYOV_CLS", "RCTF_CLS", "ODER_KIND", "ODER_COND"),
    *("STCK_SHRN_ISCD", "CNTG_QTY", "CNTG_UNPR", "STCK_CNTG_HOUR", "RFUS_YN", "CNTG_YN", "ACPT_YN"),
    *("BRNC_NO", "ODER_QTY", "ACNT_NAME"),
)
NOTICE_TAIL = ("CRDT_CLS", "CRDT_LOAN_DATE", "CNTG_ISNM40", "ODER_PRC")
#: Until the second exchange opened in March 2025, and since then.
SHORT_NOTICE_FIELDS = (*NOTICE_HEAD, "CNTG_ISNM", *NOTICE_TAIL)
NOTICE_FIELDS = (*NOTICE_HEAD, "ORD_COND_PRC", "ORD_EXG_GB", "POPUP_YN", "FILLER", *NOTICE_TAIL)


@dataclass(frozen=True, slots=True)
class Registration:
    """What to listen to: a stock under a TR id, or the notices of an HTS ID, which is nobody's business."""

    tr_id: str
    tr_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ping:
    """The broker asks whether anybody is there; the answer is the same text."""

    text: str


@dataclass(frozen=True, slots=True)
class AesKey:
    """Key and initialisation vector of a TR, from its acknowledgement; used as the bytes of their text."""

    key: str = field(repr=False)
    iv: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request; `tr_id` is empty where the broker does not say which."""

    tr_id: str
    tr_key: str = field(repr=False)
    rt_cd: str
    msg_cd: str
    body: Mapping[str, Any] = field(repr=False)

    @property
    def is_accepted(self) -> bool:
        return self.rt_cd == "0"

    @property
    def aes(self) -> AesKey | None:
        """Return the key to read this TR with; None where there is none of the right size."""
        output = self.body.get("output")
        if not isinstance(output, dict):
            return None
        key, iv = output.get("key"), output.get("iv")
        if not isinstance(key, str) or not isinstance(iv, str):
            return None
        if len(key.encode()) != KEY_BYTES or len(iv.encode()) != IV_BYTES:
            return None
        return AesKey(key, iv)


@dataclass(frozen=True, slots=True)
class Data:
    """Records of one TR as they came, still encrypted where `is_encrypted`."""

    tr_id: str
    is_encrypted: bool
    count: int
    payload: str = field(repr=False)


def request_text(registration: Registration, *, tr_type: str, approval_key: str) -> str:
    """Write a request to register (SUBSCRIBE) or to leave (UNSUBSCRIBE). The text holds the approval key."""
    header = {
        "approval_key": approval_key,
        "custtype": "P",
        "tr_type": tr_type,
        "content-type": "utf-8",
    }
    wanted = {"tr_id": registration.tr_id, "tr_key": registration.tr_key}
    return json.dumps({"header": header, "body": {"input": wanted}})


def read_frame(text: str) -> Ping | Answer | Data:
    """Tell what a frame is. Raises KisReplyChanged for one that is none of these."""
    if text.lstrip().startswith("{"):
        return _read_control(text)
    parts = text.split("|", DATA_PARTS - 1)
    if len(parts) != DATA_PARTS:
        raise _odd_frame("항목이 모자랍니다")
    mark, tr_id, count, payload = parts
    if mark not in {"0", "1"} or not TR_ID.fullmatch(tr_id) or not COUNT.fullmatch(count):
        raise _odd_frame("머리글을 읽을 수 없습니다")
    return Data(tr_id, mark == "1", int(count), payload)


def _read_control(text: str) -> Ping | Answer:
    try:
        frame = json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise _odd_frame("읽을 수 없는 내용입니다") from None
    header, body = frame.get("header"), frame.get("body")
    if not isinstance(header, dict):
        raise _odd_frame("머리글이 없습니다")
    if header.get("tr_id") == PINGPONG:
        return Ping(text)
    if not isinstance(body, dict) or "rt_cd" not in body:
        raise _odd_frame("처리 결과가 없습니다")
    tr_id = _text(header.get("tr_id"))
    return Answer(
        tr_id="" if tr_id == NO_TR else tr_id,
        tr_key=_text(header.get("tr_key")),
        rt_cd=_text(body["rt_cd"]),
        msg_cd=_text(body.get("msg_cd")),
        body=body,
    )


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int) else ""


def _odd_frame(problem: str) -> KisReplyChanged:
    return KisReplyChanged("frame", tr_id=FRAME_TR, problem=problem)


def decrypt(data: Data, aes: AesKey) -> str:
    """Return the plain payload: base64 of AES-256-CBC with PKCS#7. Raises KisReplyChanged."""
    try:
        sealed = base64.b64decode(data.payload, validate=True)
        decryptor = Cipher(algorithms.AES(aes.key.encode()), modes.CBC(aes.iv.encode())).decryptor()
        padded = decryptor.update(sealed) + decryptor.finalize()
        unpadder = PKCS7(AES_BLOCK_BITS).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError:
        raise KisReplyChanged("payload", tr_id=data.tr_id, problem="암호를 풀 수 없습니다") from None


def price_rows(payload: str, *, count: int) -> list[Row]:
    """Split the records of H0STCNT0: 46 fields each, 47 or, some day, more. Raises KisReplyChanged."""
    records = _split(payload, count, tr_id=PRICES_TR)
    if len(records[0]) < FEWEST_PRICE_FIELDS:
        raise _odd_width(PRICES_TR, len(records[0]))
    return [_row(PRICE_FIELDS, record, tr_id=PRICES_TR) for record in records]


def notice_rows(payload: str, *, count: int, tr_id: str) -> list[Row]:
    """Split the records of H0STCNI0 or H0STCNI9: 23 fields each, or 26 and more. Raises KisReplyChanged."""
    records = _split(payload, count, tr_id=tr_id)
    width = len(records[0])
    if width == len(SHORT_NOTICE_FIELDS):
        names: Sequence[str] = SHORT_NOTICE_FIELDS
    elif width >= len(NOTICE_FIELDS):
        names = NOTICE_FIELDS
    else:
        raise _odd_width(tr_id, width)
    return [_row(names, record, tr_id=tr_id) for record in records]


def _split(payload: str, count: int, *, tr_id: str) -> list[list[str]]:
    """Cut a payload into `count` records of the same width; nothing in it says where one ends."""
    fields = payload.split("^")
    if not count or len(fields) % count:
        raise KisReplyChanged(
            "count", tr_id=tr_id, problem=f"항목 {len(fields)}개를 {count}건으로 나눌 수 없습니다"
        )
    width = len(fields) // count
    return [fields[start : start + width] for start in range(0, len(fields), width)]


def _row(names: Sequence[str], record: Sequence[str], *, tr_id: str) -> Row:
    return Row(dict(zip(names, record, strict=False)), tr_id=tr_id)


def _odd_width(tr_id: str, width: int) -> KisReplyChanged:
    return KisReplyChanged("count", tr_id=tr_id, problem=f"한 건의 항목이 {width}개입니다")
