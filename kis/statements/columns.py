"""Find the header of a table and what each of its columns means, by name and never by position."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kis.statements.cells import Unreadable, day, number, plain
from kis.statements.lines import Line

#: Titles, account and period stand above the header, and in a balance a table of totals.
DEEPEST_HEADER = 60
FEWEST_KNOWN = 2


class Meaning(StrEnum):
    """What a column holds; the value is how it is called in a message."""

    DAY = "거래일자"
    AS_OF = "기준일자"
    KIND = "거래구분"
    MEMO = "적요"
    NAME = "종목명"
    CODE = "종목코드"
    QUANTITY = "수량"
    AVERAGE = "매입단가"
    COST = "매입금액"
    PRICE = "단가"
    VALUE = "평가금액"
    PROFIT = "평가손익"
    AMOUNT = "거래금액"
    FEE = "수수료"
    TAX = "세금"
    TAX_PART = "세금 항목"
    NET = "정산금액"
    MONEY_IN = "입금액"
    MONEY_OUT = "출금액"
    CURRENCY = "통화"
    RATE = "환율"
    REFERENCE = "거래번호"
    ACCOUNT = "계좌번호"


class TableKind(StrEnum):
    HOLDINGS = "잔고"
    TRADES = "거래내역"


Names = Mapping[Meaning, tuple[str, ...]]
SHARED: Names = {
    Meaning.NAME: ("종목명", "종목", "상품명", "종목한글명"),
    Meaning.CODE: (
        "종목코드",
        "종목번호",
        "단축코드",
        "단축종목코드",
        "표준코드",
        "표준종목코드",
        "ISIN",
        "ISIN코드",
    ),
    Meaning.CURRENCY: ("통화", "통화구분", "통화코드", "시장구분/통화구분", "거래통화"),
    Meaning.RATE: ("환율", "기준환율", "적용환율", "매매환율"),
    Meaning.ACCOUNT: ("계좌번호", "계좌"),
}
#: First names first: where a table has several columns that could be meant, the earlier name is the better one.
HOLDING_NAMES: Names = {
    **SHARED,
    Meaning.AS_OF: ("기준일자", "기준일", "잔고일자", "조회일자"),
    Meaning.QUANTITY: (
        "보유수량", "잔고수량", "보유잔고", "보유량", "보유잔고수량", "유가잔고수량", "결제잔고수량", "체결잔고수량",
        "잔고좌수", "보유좌수", "수량/좌수", "수량", "잔고",
    ),
    Meaning.AVERAGE: (
        "매입단가", "평균단가", "매입평균가", "매입평균단가", "평균매입가", "평균매입단가", "평단가", "매입가", "매수평균가",
        "매수평균단가", "취득단가", "장부단가", "단가",
    ),
    Meaning.COST: ("매입금액", "매입원금", "매수금액", "취득금액", "취득원가", "장부금액", "투자원금", "매입총액"),
    Meaning.PRICE: ("현재가", "현재가격", "평가단가", "평가가격", "종가", "기준가"),
    Meaning.VALUE: ("평가금액", "평가액", "잔고평가금액", "주식평가금액"),
    Meaning.PROFIT: ("평가손익", "평가손익금액", "평가손익액", "손익금액", "손익"),
}  # fmt: skip
TRADE_NAMES: Names = {
    **SHARED,
    Meaning.DAY: (
        "거래일자", "거래일", "체결일자", "체결일", "매매일자", "매매일", "거래일시", "체결일시", "주문일자", "주문일", "일자",
    ),
    Meaning.KIND: ("거래구분", "거래종류", "거래유형", "거래명", "매매구분", "적요명", "내용", "거래내용", "매매유형", "구분"),
    Meaning.MEMO: ("적요명", "적요", "거래적요", "상세내용", "비고"),
    Meaning.QUANTITY: ("거래수량", "체결수량", "매매수량", "수량", "수량/좌수", "거래좌수", "수량(좌수)"),
    Meaning.PRICE: (
        "거래단가", "체결단가", "매매단가", "체결가", "체결가격", "체결평균가", "단가", "단가/매매기준가", "거래가격", "가격",
    ),
    Meaning.AMOUNT: ("거래금액", "체결금액", "매매금액", "약정금액", "거래대금", "매매대금", "금액"),
    Meaning.FEE: ("수수료", "매매수수료", "거래수수료", "위탁수수료", "국내수수료", "수수료합계"),
    Meaning.TAX: ("제세금", "세금", "제세금합계", "제세금합", "세금합계", "세금합"),
    Meaning.TAX_PART: (
        "거래세", "거래세등", "증권거래세", "농특세", "농어촌특별세", "농특세/부가세", "소득세", "지방소득세", "지방세", "주민세",
        "양도세", "양도소득세",
    ),
    Meaning.NET: ("정산금액", "원화정산금액", "결제금액", "수도금액", "실수령금액", "입출금액"),
    Meaning.MONEY_IN: ("입금액", "입금금액", "입금", "입금/입고/매도"),
    Meaning.MONEY_OUT: ("출금액", "출금금액", "출금", "출금/출고/매수"),
    Meaning.REFERENCE: ("거래번호", "거래일련번호", "거래고유번호", "거래순번", "전표번호"),
}  # fmt: skip
NAMES: Mapping[TableKind, Names] = {TableKind.TRADES: TRADE_NAMES, TableKind.HOLDINGS: HOLDING_NAMES}
#: Screens whose tables look like trades and are sums over them.
SUMS = ("실현손익", "매매손익", "실현손익금액", "실현손익률")
UNIT = re.compile(r"[(\[](?:원|주|좌|%|krw|단위:?원)[)\]]$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column stands: in the first or second line of a record, counted from 0, and in which cell."""

    line: int
    cell: int


@dataclass(frozen=True, slots=True)
class Table:
    """A header that was understood. A record takes `height` lines; `start` is the index of the first.

    `headers` are the lines of the header as they stand, to know them again on the next printed page.
    """

    kind: TableKind
    places: Mapping[Meaning, tuple[Place, ...]]
    start: int
    height: int
    width: int
    headers: frozenset[tuple[str, ...]]

    @property
    def anchor(self) -> Place:
        """Return the column that says where a record begins: the day of a trade, the name of a holding."""
        meanings = {
            TableKind.TRADES: (Meaning.DAY,),
            TableKind.HOLDINGS: (Meaning.NAME, Meaning.CODE),
        }[self.kind]
        return next(self.places[meaning][0] for meaning in meanings if meaning in self.places)


def label(text: str) -> str:
    """Return a column's name without spaces, line breaks and unit: `예수금잔액 (원)` → `예수금잔액`."""
    name = "".join(plain(text).split()).upper()
    return UNIT.sub("", name)


def find_table(lines: Sequence[Line]) -> Table | None:
    """Return the first table whose header is understood."""
    for index, line in enumerate(lines[:DEEPEST_HEADER]):
        for kind in TableKind.TRADES, TableKind.HOLDINGS:
            if table := table_at(lines, index, line, kind):
                return table
    return None


def table_at(lines: Sequence[Line], index: int, line: Line, kind: TableKind) -> Table | None:
    upper = columns(line, kind)
    if len(upper) < FEWEST_KNOWN or not is_header(line, kind):
        return None
    second = lines[index + 1] if index + 1 < len(lines) else Line(0, ())
    lower = columns(second, kind) if is_second_header(second, kind) else {}
    # Two lines of names over one cell mean records of two lines; names under a group's title do not.
    stacked = {cell for cells in upper.values() for cell in cells} & {
        cell for cells in lower.values() for cell in cells
    }
    height = 2 if stacked else 1
    places = {meaning: tuple(Place(0, cell) for cell in cells) for meaning, cells in upper.items()}
    for meaning, cells in lower.items():
        if meaning is Meaning.TAX_PART:
            places[meaning] = (*places.get(meaning, ()), *(Place(height - 1, cell) for cell in cells))
        else:
            places.setdefault(meaning, tuple(Place(height - 1, cell) for cell in cells))
    if not is_complete(kind, places):
        return None
    return Table(
        kind=kind,
        places=places,
        start=index + (2 if lower else 1),
        height=height,
        width=max(len(line.cells), len(second.cells) if lower else 0),
        headers=frozenset({line.cells, second.cells} if lower else {line.cells}),
    )


def columns(line: Line, kind: TableKind) -> dict[Meaning, tuple[int, ...]]:
    """Return which cells of a header line are which columns; only taxes may come in several."""
    labels = [label(cell) for cell in line.cells]
    found: dict[Meaning, tuple[int, ...]] = {}
    taken: set[int] = set()
    for meaning, names in NAMES[kind].items():
        cells = [labels.index(name) for name in names if name in labels and labels.index(name) not in taken]
        if cells:
            found[meaning] = tuple(cells) if meaning is Meaning.TAX_PART else (cells[0],)
            taken.update(found[meaning])
    return found


def is_complete(kind: TableKind, places: Mapping[Meaning, object]) -> bool:
    """Say whether a table with these columns can be what we look for; a bank's list of payments has no stocks."""
    has = places.keys()
    if not has & {Meaning.NAME, Meaning.CODE}:
        return False
    if kind is TableKind.HOLDINGS:
        return Meaning.QUANTITY in has and bool(has & {Meaning.AVERAGE, Meaning.COST, Meaning.VALUE})
    numbers = {Meaning.QUANTITY, Meaning.AMOUNT, Meaning.NET, Meaning.MONEY_IN, Meaning.MONEY_OUT}
    return Meaning.DAY in has and bool(has & {Meaning.KIND, Meaning.MEMO}) and bool(has & numbers)


def is_header(line: Line, kind: TableKind) -> bool:
    """Say whether a line is made of names of columns; repeated ones stand at the top of every printed page."""
    return len(columns(line, kind)) >= FEWEST_KNOWN and not any(is_value(cell) for cell in line.cells)


def is_second_header(line: Line, kind: TableKind) -> bool:
    """Say whether a line goes on with names of columns below a header; few of them may mean something to us."""
    words = [cell for cell in line.cells if cell.strip()]
    return len(words) > 1 and bool(columns(line, kind)) and not any(is_value(cell) for cell in words)


def is_value(cell: str) -> bool:
    """Say whether a cell holds a number or a day, which no header does."""
    for read in number, day:
        try:
            if read(cell) is not None:
                return True
        except Unreadable:
            continue
    return False


def is_of_sums(lines: Sequence[Line]) -> bool:
    """Say whether the table is one of realised profits, where every sale appears a second time."""
    return any(
        label(cell) in SUMS
        for line in lines[:DEEPEST_HEADER]
        if is_header(line, TableKind.TRADES)
        for cell in line.cells
    )
