"""Fields that several records read alike."""

import re
from datetime import date
from decimal import Decimal

from kis.client.protocol import Row

LONGEST_NAME = 50
NO_DAY = frozenset({"", "00000000"})
#: The core system's own form of a code: 00000A005930 a stock, 00000Q500001 an ETN.
LONG_CODE = re.compile(r"0{5}([A-Z])([0-9A-Z]{6})")


def exchange(row: Row) -> str:
    """Return KRX, NXT or SOR; the older TR has no such field."""
    if "excg_id_dvsn_cd" not in row.data:
        return ""
    return row.text("excg_id_dvsn_cd", required=False, longest=10)


def short_code(row: Row, name: str = "pdno") -> str:
    """Return a code as orders take it: six characters, and a Q before those of an ETN."""
    text = row.text(name, longest=12)
    match = LONG_CODE.fullmatch(text)
    if match is None:
        return row.text(name, longest=10)
    kind, code = match.groups()
    return f"Q{code}" if kind == "Q" else code


def stock_name(row: Row) -> str:
    """Return the name, cut to what a column holds; a nameless stock is called by its code."""
    name = row.text("prdt_name", required=False)[:LONGEST_NAME]
    return name or short_code(row)


def flag(row: Row, name: str) -> bool:
    """Return whether a mark is set: Y, against N or blank. Raises KisReplyChanged for anything else."""
    text = row.text(name, required=False)
    if text not in {"Y", "N", ""}:
        raise row.changed(name, "Y도 N도 아닙니다")
    return text == "Y"


def optional_day(row: Row, name: str) -> date | None:
    """Return a date, or None where the broker has none: blank or eight zeros."""
    return None if row.text(name, required=False) in NO_DAY else row.day(name)


def optional_integer(row: Row, name: str) -> int | None:
    """Return a whole number, or None where the broker left the field blank."""
    return row.integer(name) if row.text(name, required=False) else None


def whole(row: Row, name: str) -> int:
    """Return a whole number that may come with decimals, all of them zero."""
    value = row.decimal(name)
    if value != value.to_integral_value():
        raise row.changed(name, "정수가 아닙니다")
    return int(value)


def is_nothing(row: Row, name: str) -> bool:
    """Return whether a number is blank or zero, as all prices of a code are that the broker does not know."""
    return row.optional_decimal(name) in {None, Decimal(0)}
