"""What holdings and trades are read alike by: the stock, and whether numbers fit."""

from decimal import Decimal

from kis.statements.cells import Unreadable, is_blank, stock_code, stock_name
from kis.statements.columns import Meaning
from kis.statements.lines import BROKEN
from kis.statements.records import Record

LONGEST_NAME = 100


def named_stock(record: Record, *, required: bool = True) -> tuple[str, str, list[str]]:
    """Return code and name of a record's stock, and remarks. Raises Unreadable where a stock has to be and is not."""
    code = "" if is_blank(record.text(Meaning.CODE)) else record.read(Meaning.CODE, stock_code)
    written = stock_name(record.text(Meaning.NAME))
    name = written.replace(BROKEN, "").strip()
    if required and not code and not name:
        raise Unreadable("종목명과 종목코드가 모두 비어 있습니다.")
    if len(name) > LONGEST_NAME:
        raise Unreadable("종목명이 너무 깁니다.")
    remarks = ["종목명의 깨진 글자를 지우고 담았습니다."] if BROKEN in written else []
    return code, name, remarks


def fits(product: Decimal, amount: int, quantity: Decimal) -> bool:
    """Say whether an amount is the product; the price of one share may have been rounded to a won."""
    return abs(product - amount) <= quantity + 1
