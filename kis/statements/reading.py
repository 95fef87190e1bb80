"""What holdings and trades are read alike by: the stock, and whether numbers fit."""

from decimal import Decimal

from kis.statements.cells import Unreadable, stock_code, stock_name
from kis.statements.columns import Meaning
from kis.statements.lines import BROKEN
from kis.statements.records import Record

LONGEST_NAME = 100
#: Shares are quoted one by one, bonds for ten of a thousand won, funds for a thousand units.
QUOTED_FOR = (1, 10, 1000)


def named_stock(record: Record, *, required: bool = True) -> tuple[str, str, list[str]]:
    """Return code and name of a record's stock, and remarks. Raises Unreadable where a stock has to be and is not."""
    written = stock_name(record.text(Meaning.NAME))
    name = written.replace(BROKEN, "").strip()
    remarks = ["종목명의 깨진 글자를 지우고 담았습니다."] if BROKEN in written else []
    try:
        code = record.read(Meaning.CODE, stock_code)
    except Unreadable as error:
        if not name:
            raise
        code = ""
        remarks.append(f"{error} 종목코드 없이 종목명으로 담았습니다.")
    if required and not code and not name:
        raise Unreadable("종목명과 종목코드가 모두 비어 있습니다.")
    if len(name) > LONGEST_NAME:
        raise Unreadable("종목명이 너무 깁니다.")
    return code, name, remarks


def fits(product: Decimal, amount: int, quantity: Decimal) -> bool:
    """Say whether an amount is the product; the price may have been rounded to a won."""
    return any(abs(product / units - amount) <= quantity / units + 1 for units in QUOTED_FOR)
