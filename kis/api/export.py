"""Lists as CSV: all rows, a page at a time, safe to open in a spreadsheet."""

import csv
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from django.db import DatabaseError
from django.http import StreamingHttpResponse
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer

logger = logging.getLogger(__name__)

BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet reads Korean in the wrong encoding
#: A cell that begins with one of these is a formula to a spreadsheet.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


BROKEN_OFF = "오류: 여기서 끊겼습니다. 빠진 행이 있으니 다시 받아 주세요."


class CsvRenderer(BaseRenderer):
    """Stands for CSV where the answer's form is chosen; `csv_response` writes it."""

    media_type = "text/csv"
    format = "csv"


class Line:
    """Takes what the csv module writes and hands it back."""

    def write(self, text: str) -> str:
        return text


def csv_response(
    pages: Iterable[Sequence[Any]],
    serializer: serializers.BaseSerializer[Any],
    *,
    name: str,
    body: bool = True,
) -> StreamingHttpResponse:
    """Return an answer that writes row after row; the first page is read now, so that an error is still an error."""
    parts = csv_parts(pages, serializer) if body else iter(())
    first = next(parts, "")
    response = StreamingHttpResponse(
        chain([first], to_the_end(parts)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def to_the_end(parts: Iterator[str]) -> Iterator[str]:
    """Hand on the parts; where the database is lost half-way, the last line says so, since the status is long sent."""
    try:
        yield from parts
    except DatabaseError:
        logger.exception("CSV export broke off")
        yield f"{BROKEN_OFF}\r\n"


def csv_parts(pages: Iterable[Sequence[Any]], serializer: Any) -> Iterator[str]:  # noqa: ANN401  # of any table
    """Return the text in parts: the header with the first page, then a page each."""
    fields: Mapping[str, serializers.Field[Any, Any, Any, Any]] = serializer.fields
    writer = csv.writer(Line(), lineterminator="\r\n")
    head = BYTE_ORDER_MARK + writer.writerow(fields)
    for page in pages:
        lines = [writer.writerow(cells(serializer.to_representation(row), fields)) for row in page]
        yield head + "".join(lines)
        head = ""
    if head:
        yield head


def cells(values: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Any]:
    return [
        values[name] if isinstance(field, serializers.DecimalField) else cell(values[name])
        for name, field in fields.items()
    ]


def cell(value: Any) -> Any:  # noqa: ANN401  # whatever a field holds
    """Return what a cell says: text never as a formula, numbers as numbers, nothing as nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value
