"""Asking the quotation service, for the tests of its transactions."""

import re

QUOTATIONS = "/uapi/domestic-stock/v1/quotations"
NUMBER, RATE, DAY = re.compile(r"-?\d+"), re.compile(r"-?\d+\.\d\d"), re.compile(r"20\d{6}")


def check_fields(row, documented):
    """Assert that exactly the documented fields are there and look as they should; `documented` goes by look."""
    looks = {name: look for look, names in documented.items() for name in names.split()}
    assert row.keys() == looks.keys()
    wrong = {name: row[name] for name, look in looks.items() if not look.fullmatch(row[name])}
    assert not wrong


def ask(caller, name, tr_id, code="005930", board="J", **params):
    """Return the body of a quotation, which has to be a success."""
    params = {"FID_COND_MRKT_DIV_CODE": board, "FID_INPUT_ISCD": code, **params}
    body = caller.get(f"{QUOTATIONS}/{name}", tr_id, params).json()
    assert (body["rt_cd"], body["msg_cd"], body["msg1"]) == ("0", "MCA00000", "정상처리 되었습니다.")
    return body


def price(caller, code="005930", **how):
    return ask(caller, "inquire-price", "FHKST01010100", code, **how)["output"]


def many(caller, codes):
    """Return the rows of several stocks at once."""
    params: dict[str, str] = {}
    for number, code in enumerate(codes, start=1):
        params |= {f"FID_COND_MRKT_DIV_CODE_{number}": "J", f"FID_INPUT_ISCD_{number}": code}
    return caller.get(f"{QUOTATIONS}/intstock-multprice", "FHKST11300006", params).json()["output"]


def at_time(caller, text):
    assert caller.control("clock", {"now": text}).status_code == 200


def set_price(caller, code, won):
    assert caller.control("price", {"code": code, "price": int(won)}).status_code == 200
