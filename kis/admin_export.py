"""Lists of the admin as files: CSV and XLSX of the rows that are shown or ticked, safe to open in a spreadsheet."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import unescape
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, Any, Final

from django.contrib.admin import ModelAdmin
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.html import strip_tags

from kis.api.export import BYTE_ORDER_MARK, FORMULA_STARTS, Line, to_the_end
from kis.korean import SEOUL, number, with_particle

Cell = str | int | float | Decimal | datetime | Any
#: A file is made while somebody waits for it; a sheet is written cell by cell, and Excel opens no more than a million rows.
MOST: Final[Mapping[str, int]] = {"csv": 200_000, "xlsx": 50_000}
CHUNK: Final = 1_000
WIDTH: Final = 16
#: What no cell of a sheet may have in it.
CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class TooMany(Exception):
    """There are more rows than a file of this form may have; the text is a sentence for the owner."""

    def __init__(self, form: str) -> None:
        super().__init__(
            f"{with_particle(form.upper(), '은')} {number(MOST[form])}행까지 내보낼 수 있습니다. 날짜나 계좌, 종목으로 좁혀 다시 "
            f"받아 주세요{'. 더 긴 것은 CSV로 받을 수 있습니다.' if form == 'xlsx' else '.'}"
        )


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file."""

    head: str
    value: Callable[[Any], Cell]


# --- columns ---------------------------------------------------------------------------------------------------------


def listed(admin: "ModelAdmin[Any]", names: Sequence[Any]) -> Iterator[Column]:
    """Yield the columns of a list: a figure as the number behind it, all else as the text that is shown."""
    for name in names:
        method = method_of(admin, name)
        if getattr(method, "is_picture", False):
            continue
        field = field_of(admin.model, getattr(method, "admin_order_field", None) or name)
        if field is not None and (method is None or is_number(field)):
            yield of_field(field, head=getattr(method, "short_description", None))
        elif method is not None:
            yield Column(str(getattr(method, "short_description", name)), text_behind(method))
        else:
            yield Column(str(admin.opts.verbose_name), text_behind(str))


def method_of(admin: "ModelAdmin[Any]", name: Any) -> Any:
    """Return what writes a column, as Django finds it; None for a field, and for the row's own name."""
    if not isinstance(name, str):
        return name
    if field_of(admin.model, name) is not None or name == "__str__":
        return None
    return getattr(admin, name)


def text_behind(method: Callable[[Any], Any]) -> Callable[[Any], Cell]:
    def value(row: Any) -> Cell:
        shown = method(row)
        return shown if isinstance(shown, bool) else unescape(strip_tags(str(shown)))

    return value


def field_of(model: type[models.Model], name: object) -> "models.Field[Any, Any] | None":
    try:
        found = model._meta.get_field(name) if isinstance(name, str) else None  # noqa: SLF001  # Django's own name
    except FieldDoesNotExist:
        return None
    return found if isinstance(found, models.Field) else None


def is_number(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, models.IntegerField | models.DecimalField | models.FloatField)


def of_field(field: "models.Field[Any, Any]", *, head: Any = None) -> Column:
    """Return the column of a field: choices in words, relations as they call themselves, all else as it is."""
    name = field.name
    if field.choices:
        return Column(str(head or field.verbose_name), lambda row: getattr(row, f"get_{name}_display")())
    if field.is_relation:
        return Column(str(head or field.verbose_name), lambda row: str(getattr(row, name) or ""))
    return Column(str(head or field.verbose_name), lambda row: getattr(row, name))


# --- cells -----------------------------------------------------------------------------------------------------------


def safe(value: Cell) -> Cell:
    """Return what a cell says: text never as a formula, numbers as numbers, moments in Seoul, nothing as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "예" if value else "아니요"
    if isinstance(value, datetime):
        return value.astimezone(SEOUL).replace(tzinfo=None, microsecond=0)
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return value


def plain(value: Cell) -> Cell:
    """Return a cell of CSV; a decimal without an exponent."""
    value = safe(value)
    return f"{value:f}" if isinstance(value, Decimal) else value


# --- files -----------------------------------------------------------------------------------------------------------


def file_of(
    rows: QuerySet[Any], columns: Sequence[Column], *, form: str, name: str, has_body: bool = True
) -> HttpResponseBase:
    """Return the rows as a file. Raises TooMany."""
    most = MOST[form]
    if rows.order_by()[: most + 1].count() > most:
        raise TooMany(form)
    if form == "xlsx":
        return FileResponse(
            sheet_of(rows if has_body else rows.none(), columns), as_attachment=True, filename=f"{name}.xlsx"
        )
    parts = text_of(rows, columns) if has_body else iter(())
    first = next(parts, "")
    response = StreamingHttpResponse(
        chain([first], to_the_end(parts)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def text_of(rows: QuerySet[Any], columns: Sequence[Column]) -> Iterator[str]:
    """Yield the text in parts; as many rows are in memory as the database hands over at once."""
    writer = csv.writer(Line(), lineterminator="\r\n")
    part = [BYTE_ORDER_MARK + writer.writerow([safe(column.head) for column in columns])]
    for place, row in enumerate(rows.iterator(chunk_size=CHUNK), start=1):
        part.append(writer.writerow([plain(column.value(row)) for column in columns]))
        if place % CHUNK == 0:
            yield "".join(part)
            part = []
    yield "".join(part)


def sheet_of(rows: QuerySet[Any], columns: Sequence[Column]) -> IO[bytes]:
    """Write a workbook row by row into a file that is gone once it has been sent."""
    from openpyxl import Workbook  # noqa: PLC0415  # heavy
    from openpyxl.utils import get_column_letter  # noqa: PLC0415  # same

    book = Workbook(write_only=True)
    sheet = book.create_sheet("AEGIS")
    sheet.freeze_panes = "A2"
    for place in range(1, len(columns) + 1):
        sheet.column_dimensions[get_column_letter(place)].width = WIDTH
    sheet.append([safe(column.head) for column in columns])
    for row in rows.iterator(chunk_size=CHUNK):
        sheet.append([printable(safe(column.value(row))) for column in columns])
    file = TemporaryFile()  # noqa: SIM115  # the answer closes it
    book.save(file)
    file.seek(0)
    return file


def printable(value: Cell) -> Cell:
    return CONTROL.sub("", value) if isinstance(value, str) else value
