"""Read the sheets of an xlsx file that may be hostile: measured before it is opened, nothing in it is run."""

import io
import re
import warnings
import zipfile
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import Any

from openpyxl import load_workbook

from kis.statements.lines import MAX_CELLS, MAX_LINES, Line, Refused, Sheet, too_many_cells, too_many_lines

MAX_PARTS = 500
MAX_UNPACKED = 32 * 1024 * 1024
MAX_SHEETS = 20
LONGEST_TITLE = 31
#: Elements are what costs memory, not bytes: all of them, in one row, below the rows (merged cells), and in a part that
#: is neither rows nor texts.
MAX_ELEMENTS = 2_000_000
MAX_ELEMENTS_IN_ROW = 5_000
MAX_ELEMENTS_BELOW = 200_000
MAX_ELEMENTS_ELSEWHERE = 50_000

SHEET_PART = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
TEXT_PART = "xl/sharedStrings.xml"
ROW_NUMBER = re.compile(rb"<row\b[^>]*?\sr=[\"']([0-9]{1,7})[\"']")
#: XML of a spreadsheet has no document type; one is only ever there to blow up the reader.
DOCTYPES = tuple("<!DOCTYPE".encode(code) for code in ("ascii", "utf-16-le", "utf-16-be"))
DAMAGED = "엑셀 파일이 손상되었습니다. 다시 내보내거나 csv로 저장해 주세요."
TOO_LARGE = "풀면 너무 커지는 엑셀 파일이라 읽지 않습니다. 기간을 나누어 내보내 주세요."


def sheets_of_workbook(data: bytes) -> list[Sheet]:
    """Return the sheets that have rows. Formulas come as their text and are never computed. Raises Refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_archive(archive)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on styles and extensions, of no use to anybody here
            workbook = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
            sheets = [sheet_of(sheet) for sheet in workbook.worksheets[: MAX_SHEETS + 1]]
            workbook.close()
    except Refused:
        raise
    except Exception:  # noqa: BLE001  # a damaged file fails in as many ways as the libraries have lines
        raise Refused(DAMAGED) from None
    if len(sheets) > MAX_SHEETS:
        raise Refused(f"시트가 너무 많습니다. {MAX_SHEETS}장까지 읽습니다.")
    return [sheet for sheet in sheets if sheet.lines]


def check_archive(archive: zipfile.ZipFile) -> None:
    """Measure an archive without unpacking it to disk. Raises Refused for what is no harmless xlsx."""
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Refused("매크로가 든 파일은 읽지 않습니다. 매크로 없는 xlsx나 csv로 저장해 주세요.")
    if "xl/workbook.xml" not in names:
        raise Refused("엑셀(xlsx) 파일이 아닙니다. 압축 파일이면 풀어서 넣어 주세요.")
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise Refused(TOO_LARGE)
    # No more comes out of a part than it claims to hold.
    if sum(check_part(part.filename, archive.read(part)) for part in parts) > MAX_ELEMENTS:
        raise Refused(TOO_LARGE)


def check_part(name: str, content: bytes) -> int:
    """Return how many elements a part has. Raises Refused where it is made to harm or rows would get lost."""
    if not name.endswith((".xml", ".rels")):
        return 0
    if any(mark in content for mark in DOCTYPES):
        raise Refused(DAMAGED)
    elements = content.count(b"<")
    if SHEET_PART.fullmatch(name):
        rows = content.split(b"</row>")
        if any(row.count(b"<") > MAX_ELEMENTS_IN_ROW for row in rows[:-1]):
            raise Refused(too_many_cells())
        if rows[-1].count(b"<") > MAX_ELEMENTS_BELOW:
            raise Refused(TOO_LARGE)
        numbers = [int(number) for number in ROW_NUMBER.findall(content)]
        # The library skips a row whose number does not grow.
        if any(later <= earlier for earlier, later in pairwise(numbers)):
            raise Refused(DAMAGED)
    elif name != TEXT_PART and elements > MAX_ELEMENTS_ELSEWHERE:
        raise Refused(TOO_LARGE)
    return elements


def sheet_of(sheet: Any) -> Sheet:  # noqa: ANN401  # the library's own type lacks what a streamed sheet can do
    lines: list[Line] = []
    sheet.reset_dimensions()  # what an export says about its own size is often wrong, and cells would be cut off
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [cell_text(cell.value) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > MAX_CELLS:
            raise Refused(too_many_cells())
        if cells:
            lines.append(Line(number, tuple(cells)))
        if len(lines) > MAX_LINES:
            raise Refused(too_many_lines())
    return Sheet(sheet.title[:LONGEST_TITLE], tuple(lines), delimited=False)


def cell_text(value: object) -> str:
    """Write a cell as an export to text would: days as `2026-11-20`, numbers in full, never as `1E+16`."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S" if value.time() != time() else "%Y-%m-%d")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    text = str(getattr(value, "text", value))  # formulas over several cells have a text
    return text.replace("\0", "").strip()
