"""Read one record of a balance."""

from kis.statements.cells import Unreadable, account_number, day, plain, shares, unit_price, won_without_sign
from kis.statements.columns import Meaning
from kis.statements.reading import fits, named_stock
from kis.statements.records import Record
from kis.statements.rows import KbHoldingRow

UP_SIGNS = "▲△"


def read_holding(record: Record, *, account: str) -> tuple[KbHoldingRow, list[str]]:
    """Return the row and remarks on numbers that do not fit each other. Raises Unreadable with the reason."""
    if currency := record.currency:
        raise Unreadable(f"외화({currency}) 잔고는 아직 읽지 않습니다.")
    code, name, remarks = named_stock(record)
    quantity = record.read(Meaning.QUANTITY, shares)
    if quantity is None:
        raise Unreadable("수량이 비어 있습니다.")
    if not quantity:
        raise Unreadable("보유수량이 0입니다.")
    cost = record.read(Meaning.COST, won_without_sign)
    value = record.read(Meaning.VALUE, won_without_sign)
    row = KbHoldingRow(
        line=record.line,
        sheet=record.sheet,
        as_of=record.read(Meaning.AS_OF, day),
        account=record.read(Meaning.ACCOUNT, account_number) or account,
        code=code,
        name=name,
        quantity=quantity,
        average=record.read(Meaning.AVERAGE, unit_price),
        cost=cost,
        price=record.read(Meaning.PRICE, unit_price),
        value=value,
        profit=profit_of(record, cost=cost, value=value),
    )
    return row, [*remarks, *doubts(row)]


def profit_of(record: Record, *, cost: int | None, value: int | None) -> int | None:
    """Read the profit. ▲ is minus for bookkeepers and plus on a trader's screen: value and cost decide."""
    profit = record.won(Meaning.PROFIT)
    if profit is None or cost is None or value is None or not profit:
        return profit
    is_arrow = any(sign in plain(record.text(Meaning.PROFIT)) for sign in UP_SIGNS)
    return abs(profit) if is_arrow and not record.up_is_plus and value > cost else profit


def doubts(row: KbHoldingRow) -> list[str]:
    """Return what does not add up in a row, in Korean sentences."""
    found = []
    if row.price and row.value is not None and not fits(row.quantity * row.price, row.value, row.quantity):
        found.append(f"수량 × 현재가와 평가금액 {row.value:,}원이 맞지 않습니다.")
    if row.average and row.cost is not None and not fits(row.quantity * row.average, row.cost, row.quantity):
        found.append(f"수량 × 매입단가와 매입금액 {row.cost:,}원이 맞지 않습니다.")
    return found
