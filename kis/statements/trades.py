"""Read one record of a transaction history."""

from kis.statements.cells import (
    Unreadable,
    account_number,
    day,
    is_blank,
    plain,
    shares,
    unit_price,
    won,
    won_without_sign,
)
from kis.statements.columns import Meaning
from kis.statements.kinds import OF_SHARES, TRADED, Direction, direction_of, kind_of
from kis.statements.reading import fits, named_stock
from kis.statements.records import Record
from kis.statements.rows import KbTradeRow, TradeKind

#: Kinds that only say which way money went; a second column may know more.
PAYMENTS = {TradeKind.DEPOSIT, TradeKind.WITHDRAWAL}
LONGEST_LABEL, LONGEST_REFERENCE = 60, 40


def read_trade(record: Record, *, account: str) -> tuple[KbTradeRow, list[str]]:
    """Return the row and remarks on numbers that do not fit each other. Raises Unreadable with the reason."""
    if currency := record.currency:
        raise Unreadable(f"외화({currency}) 거래는 아직 읽지 않습니다.")
    traded_on = record.read(Meaning.DAY, day)
    if traded_on is None:
        raise Unreadable("거래일자가 비어 있습니다.")
    kind, label, direction = what_it_does(record)
    code, name, remarks = named_stock(record, required=kind in OF_SHARES)
    row = KbTradeRow(
        line=record.line,
        sheet=record.sheet,
        traded_on=traded_on,
        account=record.read(Meaning.ACCOUNT, account_number) or account,
        kind=kind,
        label=label,
        code=code,
        name=name,
        quantity=record.read(Meaning.QUANTITY, shares) or None,
        price=record.read(Meaning.PRICE, unit_price) or None,
        amount=record.read(Meaning.AMOUNT, won_without_sign),
        fee=record.read(Meaning.FEE, won_without_sign),
        tax=tax_of(record),
        net=net_of(record, kind=kind, direction=direction),
        reference=reference_of(record),
    )
    check(row)
    return row, [*remarks, *doubts(row)]


def what_it_does(record: Record) -> tuple[TradeKind, str, Direction]:
    """Return the kind of a transaction, the words for it, and which way its money goes. Raises Unreadable."""
    word, memo = (" ".join(plain(record.text(meaning)).split()) for meaning in (Meaning.KIND, Meaning.MEMO))
    kind, better = kind_of(word), kind_of(memo)
    label = word
    # A remark may speak of anything: it decides where the first column leaves it open, but never turns a payment
    # into a purchase.
    is_open = kind in {None, TradeKind.OTHER}
    if better is not None and (is_open or (kind in PAYMENTS and better not in PAYMENTS | TRADED)):
        kind, label = better, f"{word} {memo}".strip()
    if kind is None:
        words = f"'{label}'" if label else "빈 칸"
        raise Unreadable(f"거래구분 {words}이(가) 무슨 거래인지 알 수 없습니다.")
    direction = direction_of(kind, word)
    if direction is Direction.UNKNOWN:
        direction = direction_of(kind, memo)
    return kind, label[:LONGEST_LABEL], direction


def reference_of(record: Record) -> str:
    """Return the transaction's number, `7` for `0007`: a spreadsheet drops the zeros. Raises Unreadable if too long."""
    text = record.text(Meaning.REFERENCE)
    if is_blank(text):
        return ""
    number = plain(text)
    if len(number) > LONGEST_REFERENCE:
        raise Unreadable("거래번호가 너무 깁니다.")
    return number.lstrip("0") or "0"


def tax_of(record: Record) -> int | None:
    """Return all taxes of a transaction: their sum where the file has one, its parts added up otherwise."""
    total = record.read(Meaning.TAX, won_without_sign)
    if total is not None:
        return total
    parts = record.all_won(Meaning.TAX_PART)
    return sum(map(abs, parts)) if parts else None


def net_of(record: Record, *, kind: TradeKind, direction: Direction) -> int | None:
    """Return the money that moved, + for received, from whichever columns say so. Raises Unreadable.

    Shares that come or go without a sale move no money, whatever value is written beside them.
    """
    if direction is Direction.NONE:
        return 0
    received = record.read(Meaning.MONEY_IN, won_without_sign)
    paid = record.read(Meaning.MONEY_OUT, won_without_sign)
    if received and paid:
        raise Unreadable("입금액과 출금액이 모두 있습니다.")
    if received or paid:
        flow = (received or 0) - (paid or 0)
        if direction is not Direction.UNKNOWN and (flow > 0) != (direction is Direction.IN):
            raise Unreadable("거래구분과 입출금 칸의 방향이 다릅니다.")
        return flow
    net = record.read(Meaning.NET, won)
    if net is None and kind not in TRADED:
        net = record.read(Meaning.AMOUNT, won)
    if not net:
        return net
    if direction is Direction.UNKNOWN:
        raise Unreadable("돈이 들어온 것인지 나간 것인지 알 수 없습니다.")
    # Costs may exceed what a sale brings; money paid is written with a minus by some exports only.
    return net if direction is Direction.IN else -abs(net)


def check(row: KbTradeRow) -> None:
    """Raise Unreadable where a row lacks what its kind cannot be without."""
    if row.kind in TRADED:
        if row.quantity is None:
            raise Unreadable("수량이 비어 있거나 0입니다.")
        if row.price is None and not row.amount and not row.net:
            raise Unreadable("단가와 금액이 모두 비어 있습니다.")
    elif row.kind in OF_SHARES:
        if row.quantity is None:
            raise Unreadable("수량이 비어 있거나 0입니다.")
    elif not row.net:
        raise Unreadable("금액이 비어 있거나 0입니다.")


def doubts(row: KbTradeRow) -> list[str]:
    """Return what does not add up in a row, in Korean sentences."""
    if row.kind not in TRADED or row.quantity is None or row.price is None or not row.amount:
        return []
    if fits(row.quantity * row.price, row.amount, row.quantity):
        return []
    return [f"수량 × 단가와 거래금액 {row.amount:,}원이 맞지 않습니다."]
