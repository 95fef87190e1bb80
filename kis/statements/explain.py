"""Say in Korean what is wrong with rows that meet others in the books."""

from decimal import Decimal

from kis.statements.merge import Entry, Value
from kis.statements.rows import KbHoldingRow, KbRow, Problem

NAMES = {
    "stock": "종목",
    "kind": "구분",
    "label": "거래명",
    "quantity": "수량",
    "average": "매입단가",
    "price": "단가",
    "amount": "거래금액",
    "cost": "매입금액",
    "value": "평가금액",
    "profit": "평가손익",
    "fee": "수수료",
    "tax": "세금",
    "net": "정산금액",
}
ELSEWHERE = "계좌가 적히지 않은 파일과 겹치는 행입니다. 두 번 세지 않도록 담지 않았습니다. 다른 계좌의 것이면 계좌 이름을 정해 다시 가져와 주세요."
FUTURE = "아직 오지 않은 날짜의 행이라 담지 않았습니다."


def difference(entry: Entry, other: Entry, names: tuple[str, ...]) -> Problem:
    """Describe a row whose number or meaning is known with other values; the first one stays."""
    changes = ", ".join(
        f"{NAMES[name]} {before} → {after}" for name, before, after in changed(entry, other, names)
    )
    if not other.pk:
        reason = f"같은 거래번호가 이 파일에 다른 내용으로 또 있어 담지 않았습니다: {changes}."
    else:
        reason = f"이미 다른 값으로 담겨 있습니다: {changes}. 먼저 담은 값을 그대로 두었습니다."
    return problem(entry.row, reason)


def changed(entry: Entry, other: Entry, names: tuple[str, ...]) -> list[tuple[str, str, str]]:
    return [
        (name, stock(other.row), stock(entry.row))
        if name == "stock"
        else (name, shown(other.values[name]), shown(entry.values[name]))
        for name in names
    ]


def problem(row: KbRow, reason: str) -> Problem:
    return Problem(row.line, summary(row), reason, sheet=row.sheet)


def summary(row: KbRow) -> str:
    """Return a row in one line: what it is, which stock, how many."""
    if isinstance(row, KbHoldingRow):
        return f"{stock(row)} {shown(row.quantity)}주"
    parts = [row.traded_on.isoformat(), row.label, stock(row)]
    if row.quantity is not None:
        parts.append(f"{shown(row.quantity)}주")
    if row.price is not None:
        parts.append(f"{shown(row.price)}원")
    if row.net:
        parts.append(f"정산 {row.net:+,}원")
    return " ".join(part for part in parts if part)


def stock(row: KbRow) -> str:
    return " ".join(part for part in (row.name, row.code) if part)


def shown(value: Value) -> str:
    """Write a value for the owner: `1,234.5`, never `1234.500000`."""
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
