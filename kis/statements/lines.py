"""Turn the bytes of a file into lines of cells, whatever it calls itself; refuse what is no table in one sentence."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BYTES = 10 * 1024 * 1024
MAX_LINES = 50_000
MAX_CELLS = 100

#: A quoted cell may hold line breaks, but a quote that is never closed must not swallow the file.
LONGEST_RECORD = 5
ALTERNATIVES = ("\t", ";", "|")
#: A broker cuts names after so many bytes, now and then in the middle of a letter.
BROKEN = "\ufffd"
MOST_BROKEN_SHARE = 0.01
LINE_BREAK = re.compile(r"\r\n|\n|\r")

ZIP = b"PK\x03\x04"
OTHER_FORMATS = (
    (
        b"\xd0\xcf\x11\xe0",
        "옛 xls 형식이거나 암호가 걸린 파일입니다. 암호 없는 xlsx나 csv로 다시 저장해 주세요.",
    ),
    (b"%PDF", "PDF는 읽지 않습니다. 같은 화면에서 엑셀이나 csv로 내보내 주세요."),
    (b"\x1f\x8b", "압축 파일입니다. 풀어서 안에 든 파일을 넣어 주세요."),
    (b"7z\xbc\xaf", "압축 파일입니다. 풀어서 안에 든 파일을 넣어 주세요."),
    (b"Rar!", "압축 파일입니다. 풀어서 안에 든 파일을 넣어 주세요."),
)
MARKUP = re.compile(r"\s*<(?:!doctype|html|head|body|table|\?xml|meta|style)", re.IGNORECASE)


class Refused(Exception):
    """A file that is not read at all; the message is one Korean sentence for the owner."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table with its number in the file, counted from 1."""

    number: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)

    @property
    def text(self) -> str:
        return " | ".join(cell.strip() for cell in self.cells if cell.strip())


@dataclass(frozen=True, slots=True)
class Sheet:
    """The lines of one table. In `delimited` text a cell too many means that the columns have slipped."""

    name: str
    lines: tuple[Line, ...]
    delimited: bool = True


def sheets_of(data: bytes) -> list[Sheet]:
    """Return the sheets of an xlsx file, or the one table of a text file, without blank lines. Raises Refused."""
    if len(data) > MAX_BYTES:
        raise Refused(too_large())
    if not data.strip(b"\0\t\r\n \xef\xbb\xbf\xff\xfe"):
        raise Refused("빈 파일입니다.")
    for magic, sentence in OTHER_FORMATS:
        if data.startswith(magic):
            raise Refused(sentence)
    if data.startswith(ZIP):
        from kis.statements.workbook import sheets_of_workbook  # noqa: PLC0415  # a heavy import, for xlsx only

        return sheets_of_workbook(data)
    text = text_of(data)
    if MARKUP.match(text):
        raise Refused(
            "웹 문서(HTML, XML)로 저장된 파일입니다. 엑셀에서 열어 xlsx나 csv로 다시 저장해 주세요."
        )
    return [Sheet("", tuple(delimited_lines(text)))]


def too_large() -> str:
    return f"파일이 너무 큽니다. {MAX_BYTES // 1024 // 1024}MB까지 읽습니다. 기간을 나누어 내보내 주세요."


def too_many_lines() -> str:
    return f"줄이 너무 많습니다. {MAX_LINES:,}줄까지 읽습니다. 기간을 나누어 내보내 주세요."


def too_many_cells() -> str:
    return f"한 줄에 칸이 너무 많습니다. {MAX_CELLS}칸까지 읽습니다."


def text_of(data: bytes) -> str:
    """Decode UTF-8, UTF-16 or cp949, with or without a byte order mark. Raises Refused."""
    try:
        text = decoded(data)
    except UnicodeDecodeError:
        raise Refused("글자를 읽을 수 없습니다. csv(UTF-8)나 xlsx로 다시 저장해 주세요.") from None
    if "\0" in text:
        raise Refused("글이 아닌 내용(NUL)이 들어 있어 읽지 않습니다. 다시 내보내 주세요.")
    if text.count(BROKEN) > max(len(text) * MOST_BROKEN_SHARE, 1):
        raise Refused("글자가 많이 깨져 있습니다. csv(UTF-8)나 xlsx로 다시 저장해 주세요.")
    return text


def decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if encoding := utf16_without_mark(data):
        return data.decode(encoding)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp949", errors="replace")


def utf16_without_mark(data: bytes) -> str:
    """Name the byte order where every second byte is often zero and the others rarely; empty if it is no UTF-16."""
    if len(data) % 2:
        return ""
    first, second = data[::2].count(0), data[1::2].count(0)
    often = len(data) // 20
    if second > max(often, 4 * first):
        return "utf-16-le"
    if first > max(often, 4 * second):
        return "utf-16-be"
    return ""


def delimited_lines(text: str) -> Iterator[Line]:
    """Split a text into lines of cells. Raises Refused where it has too many."""
    physical = LINE_BREAK.split(text)
    if len(physical) > MAX_LINES:
        raise Refused(too_many_lines())
    delimiter = delimiter_of(physical)
    index = 0
    while index < len(physical):
        height = record_height(physical, index)
        line = Line(index + 1, cells_of("\n".join(physical[index : index + height]), delimiter))
        if not line.is_blank:
            yield line
        index += height


def delimiter_of(physical: list[str]) -> str:
    """Return the sign that most lines use; a comma also separates thousands, so the others are asked first."""
    lines = [line for line in physical[:500] if line.strip()]
    for delimiter in ALTERNATIVES:
        if sum(line.count(delimiter) > 1 for line in lines) * 2 > len(lines):
            return delimiter
    return ","


def record_height(physical: list[str], start: int) -> int:
    """Return over how many lines a record goes: until its quotes are closed, or one if they never are."""
    quotes = 0
    for height, line in enumerate(physical[start : start + LONGEST_RECORD], start=1):
        quotes += line.count('"')
        if quotes % 2 == 0:
            return height
    return 1


def cells_of(record: str, delimiter: str) -> tuple[str, ...]:
    try:
        rows = list(csv.reader([record], delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        raise Refused("칸 하나가 너무 깁니다. csv로 다시 내보내 주세요.") from None
    cells = rows[0] if rows else []
    while cells and not cells[-1].strip():
        cells.pop()
    if len(cells) > MAX_CELLS:
        raise Refused(too_many_cells())
    return tuple(cells)
