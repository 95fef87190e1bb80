"""Frames of the simulated websocket: control frames as JSON, data frames with pipes and carets, encryption."""

import base64
import json
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from kis.simulator.errors import SimulatorError

WsFields = Literal[2023, 2025, 2026]
# The notices grew with the second exchange, the ticks with the after-market of the first.
FIELDS_SINCE: tuple[tuple[date, WsFields], ...] = (
    (date(2026, 9, 14), 2026),
    (date(2025, 3, 4), 2025),
    (date.min, 2023),
)
SUBSCRIBE, UNSUBSCRIBE = "1", "2"
PINGPONG = "PINGPONG"
UNKNOWN_TR = "(null)"
AES_BLOCK_BITS = 128
ALPHABET = string.ascii_lowercase + string.digits


class FeedRefused(SimulatorError):
    """The websocket says no to a control frame; carries the code and the text that go on the wire."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Registration:
    """What a client listens to: a stock under a TR id, or the notices of an HTS ID."""

    tr_id: str
    tr_key: str


@dataclass(frozen=True, slots=True)
class Request:
    """A control frame of a client, read as far as it could be: what is missing is empty."""

    approval_key: str = field(default="", repr=False)
    tr_type: str = ""
    tr_id: str = ""
    tr_key: str = ""
    is_pong: bool = False
    refusal: FeedRefused | None = None

    @property
    def registration(self) -> Registration:
        return Registration(self.tr_id, self.tr_key)


@dataclass(frozen=True, slots=True)
class AesKey:
    """Key and initialisation vector of one connection, both used as the bytes of their text."""

    key: str = field(repr=False)
    iv: str = field(repr=False)

    @classmethod
    def fresh(cls) -> "AesKey":
        return cls(_random_text(32), _random_text(16))

    def encrypt(self, text: str) -> str:
        """Return base64 of AES-256-CBC with PKCS#7."""
        padder = PKCS7(AES_BLOCK_BITS).padder()
        padded = padder.update(text.encode()) + padder.finalize()
        encryptor = Cipher(algorithms.AES(self.key.encode()), modes.CBC(self.iv.encode())).encryptor()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def _random_text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def fields_of_day(day: date, forced: int | None) -> int:
    """Return the year whose field lists are sent: the forced one, or what `day` has."""
    return forced or next(year for since, year in FIELDS_SINCE if day >= since)


# --- control frames ---------------------------------------------------------------------------------------------


def read_request(text: str) -> Request:
    """Read a control frame. What is wrong with its structure is kept as `refusal`, to be answered like any other."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        frame = None
    if not isinstance(frame, dict):
        return Request(refusal=FeedRefused("OPSP9999", "JSON PARSING ERROR : invalid json format"))
    header = frame.get("header")
    if not isinstance(header, dict):
        return Request(refusal=FeedRefused("OPSP9998", "JSON PARSING ERROR : header not found"))
    if header.get("tr_id") == PINGPONG:
        return Request(tr_id=PINGPONG, is_pong=True)
    approval_key, tr_type = _text(header.get("approval_key")), _text(header.get("tr_type"))
    body = frame.get("body")
    given = body.get("input") if isinstance(body, dict) else None
    if not isinstance(body, dict):
        refusal = FeedRefused("OPSP9992", "JSON PARSING ERROR : body not found")
    elif not isinstance(given, dict):
        refusal = FeedRefused("OPSP9991", "JSON PARSING ERROR : input not found")
    else:
        tr_id, tr_key = _text(given.get("tr_id")), _text(given.get("tr_key"))
        missing = None if tr_key else FeedRefused("OPSP9990", "JSON PARSING ERROR : tr_key not found")
        return Request(approval_key, tr_type, tr_id, tr_key, refusal=missing)
    return Request(approval_key, tr_type, refusal=refusal)


def _text(value: object) -> str:
    """Return a field as text that can be sent back; some clients send numbers as numbers."""
    text = str(value).strip() if isinstance(value, str | int) else ""
    return text.encode(errors="replace").decode()


def success_frame(registration: Registration, *, tr_type: str, is_secret: bool, aes: AesKey) -> str:
    """Return the acknowledgement; key and iv are in every one, needed or not."""
    code, text = (
        ("OPSP0000", "SUBSCRIBE SUCCESS") if tr_type == SUBSCRIBE else ("OPSP0001", "UNSUBSCRIBE SUCCESS")
    )
    return _control_frame(
        registration.tr_id,
        registration.tr_key,
        is_secret=is_secret,
        body={
            "rt_cd": "0",
            "msg_cd": code,
            "msg1": text,
            "output": {"iv": aes.iv, "key": aes.key},
        },
    )


def refusal_frame(request: Request, refused: FeedRefused, *, is_secret: bool) -> str:
    body = {"rt_cd": "1", "msg_cd": refused.code, "msg1": str(refused)}
    return _control_frame(request.tr_id or UNKNOWN_TR, request.tr_key, is_secret=is_secret, body=body)


def ping_frame(now: datetime) -> str:
    return _dumps({"header": {"tr_id": PINGPONG, "datetime": f"{now:%Y%m%d%H%M%S}"}})


def _control_frame(tr_id: str, tr_key: str, *, is_secret: bool, body: Mapping[str, object]) -> str:
    header = {"tr_id": tr_id, "tr_key": tr_key, "encrypt": "Y" if is_secret else "N"}
    return _dumps({"header": header, "body": body})


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# --- data frames ------------------------------------------------------------------------------------------------


def data_frame(tr_id: str, records: Sequence[Sequence[str]], *, aes: AesKey | None = None) -> str:
    """Return records of one TR in one frame: concatenated without a separator of their own, encrypted with `aes`."""
    payload = "^".join("^".join(record) for record in records)
    if aes is not None:
        return f"1|{tr_id}|{len(records):03d}|{aes.encrypt(payload)}"
    return f"0|{tr_id}|{len(records):03d}|{payload}"
