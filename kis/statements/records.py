"""Group the lines of a table into records, and read their cells by what the columns mean."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from kis.statements.cells import Unreadable, day, hide_accounts, is_blank, number, plain, won
from kis.statements.columns import Meaning, Place, Table, TableKind, label
from kis.statements.lines import Line, Sheet

T = TypeVar("T")

LONGEST_TEXT = 200
TOTAL = re.compile(
    r"[\[(<*]*(?:총|일|월|누|전체)?(?:합|소|누)?계[\])>*]*(?:\(?[0-9,]+(?:건|종목)?\)?)?:?|TOTAL"
)
#: A remark under a table: one cell that starts like one, or a sentence.
REMARK = re.compile(r"\s*(?:※|\*|주\)|\[주|▶|■|●|☞).*|[^0-9]*(?:다|음|함|요|오)[.!)\s]*", re.DOTALL)
#: A column for market and currency names the market of domestic stocks, so only these are currencies.
CURRENCIES = frozenset(
    ("USD", "HKD", "JPY", "CNY", "CNH", "EUR", "GBP", "VND", "SGD", "AUD", "CAD", "CHF", "IDR", "TWD", "THB", "INR")
)  # fmt: skip
NO_DETAIL = "두 줄로 된 기록의 아랫줄이 없습니다."


@dataclass(frozen=True, slots=True)
class Record:
    """The lines of one holding or trade. `trouble` is Korean and set where the lines make no record."""

    lines: tuple[Line, ...]
    table: Table
    sheet: str
    up_is_plus: bool
    is_total: bool = False
    trouble: str = ""

    @property
    def line(self) -> int:
        return self.lines[0].number

    @property
    def words(self) -> str:
        """Return what stands there, short and without account numbers, to be shown beside a reason."""
        return hide_accounts(" / ".join(line.text for line in self.lines if line.text))[:LONGEST_TEXT]

    def text(self, meaning: Meaning) -> str:
        """Return the cell of a column as it stands; empty where there is no such column."""
        places = self.table.places.get(meaning)
        return self.at(places[0]) if places else ""

    def at(self, place: Place) -> str:
        if place.line >= len(self.lines):
            return ""
        cells = self.lines[place.line].cells
        return cells[place.cell] if place.cell < len(cells) else ""

    def read(self, meaning: Meaning, reader: Callable[[str], T]) -> T:
        """Read the cell of a column. Raises Unreadable with a whole sentence about it."""
        text = self.text(meaning)
        return explained(meaning, text, reader)

    def won(self, meaning: Meaning) -> int | None:
        return self.read(meaning, lambda text: won(text, up_is_plus=self.up_is_plus))

    def all_won(self, meaning: Meaning) -> list[int]:
        """Read the columns that together make one amount, blanks left out."""
        amounts = [explained(meaning, self.at(place), won) for place in self.table.places.get(meaning, ())]
        return [amount for amount in amounts if amount is not None]

    @property
    def currency(self) -> str:
        """Return the currency where it is not won; a rate of exchange stands for an unnamed one."""
        name = plain(self.text(Meaning.CURRENCY)).upper()
        if name in CURRENCIES:
            return name
        try:
            rate = number(self.text(Meaning.RATE))
        except Unreadable:
            rate = None
        return "외화" if rate and rate != 1 else ""


def explained(meaning: Meaning, text: str, reader: Callable[[str], T]) -> T:
    try:
        return reader(text)
    except Unreadable as error:
        raise Unreadable(f"{meaning.value} '{text.strip()[:40]}'을(를) 읽을 수 없습니다: {error}.") from None


def records_of(sheet: Sheet, table: Table) -> Iterator[Record]:
    """Yield what stands below the header, in order; repeated headers and remarks are left out."""
    up_is_plus = any("▼" in cell or "▽" in cell for line in sheet.lines for cell in line.cells)
    lines = sheet.lines
    index = table.start
    while index < len(lines):
        line = lines[index]
        index += 1
        if line.cells in table.headers or is_remark(line):
            continue
        following = lines[index] if index < len(lines) else None
        detail = None
        if table.height > 1 and following and is_detail(following, table):
            detail = following
            index += 1
        members = (line, detail) if detail else (line,)
        yield Record(
            lines=members,
            table=table,
            sheet=sheet.name,
            up_is_plus=up_is_plus,
            is_total=is_total(line),
            trouble=trouble_of(members, following, sheet, table),
        )


def trouble_of(members: tuple[Line, ...], following: Line | None, sheet: Sheet, table: Table) -> str:
    """Say why these lines make no record; empty where they may."""
    if sheet.delimited and any("\n" in cell for line in members for cell in line.cells):
        return "따옴표가 닫히지 않아 여러 줄이 한 줄로 이어졌습니다."
    if sheet.delimited and any(cell.strip() for line in members for cell in line.cells[table.width :]):
        return "칸이 머리글보다 많아 어느 칸이 무엇인지 알 수 없습니다. 쉼표가 든 수에 따옴표가 없을 수 있습니다."
    if table.height > 1 and len(members) == 1:
        # The lower line of a payment may be empty, and empty lines are not handed on.
        ends = following is None or following.number > members[0].number + 1
        if table.kind is TableKind.HOLDINGS or not ends:
            return NO_DETAIL
    return ""


def is_detail(line: Line, table: Table) -> bool:
    """Say whether a line is the lower one of a record: nothing begins in the column where records begin."""
    cells = line.cells
    text = cells[table.anchor.cell] if table.anchor.cell < len(cells) else ""
    if line.cells in table.headers or is_total(line) or is_remark(line):
        return False
    if table.kind is TableKind.TRADES:
        return is_blank(text)
    return is_blank(text) or is_number(text)


def is_number(text: str) -> bool:
    try:
        return number(text) is not None
    except Unreadable:
        return False


def is_total(line: Line) -> bool:
    """Say whether a line sums up others: one of its first cells says 합계, 소계, 총계."""
    first = [cell for cell in line.cells if cell.strip()][:3]
    return any(TOTAL.fullmatch(label(cell)) for cell in first)


def is_remark(line: Line) -> bool:
    filled = [cell for cell in line.cells if cell.strip()]
    return len(filled) == 1 and REMARK.fullmatch(filled[0]) is not None


def begins(record: Record) -> bool:
    """Say whether the upper line of a record has what a record begins with."""
    text = record.at(record.table.anchor)
    if record.table.kind is TableKind.HOLDINGS:
        return not is_blank(text) or not is_blank(record.text(Meaning.CODE))
    try:
        return day(text) is not None
    except Unreadable:
        return True  # something that should be a day: the reader says what is wrong with it
