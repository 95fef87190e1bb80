"""Pages that cost the same wherever they are: each starts behind the last row of the one before.

Nothing is counted and nothing skipped, so that row ten million is as near as the first, and rows that are added while
somebody turns pages neither repeat nor hide any other.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.core import signing
from django.db.models import F, Field, Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from kis.api.errors import BadParameter

LIMIT, LONGEST = 100, 500
SALT = "kis.api.cursor"


@dataclass(frozen=True, slots=True)
class Order:
    """A way to sort rows that no two rows share; all columns run in one direction, so that one index can serve it."""

    columns: tuple[str, ...]
    descending: bool

    def sorted(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.order_by(*(f"-{column}" if self.descending else column for column in self.columns))

    def behind(self, rows: QuerySet[Any], place: list[Any]) -> QuerySet[Any]:
        """Return the rows that come after a place in this order."""
        columns = Tuple(*(F(column) for column in self.columns))
        later = TupleLessThan if self.descending else TupleGreaterThan
        bound = "lte" if self.descending else "gte"
        # The comparison of the first column alone is what an index of a joined table can use.
        return rows.filter(later(columns, tuple(place)), **{f"{self.columns[0]}__{bound}": place[0]})

    def place_of(self, row: Model) -> list[Any]:
        return [attrgetter(column.replace(LOOKUP_SEP, "."))(row) for column in self.columns]


def read_limit(text: str | None) -> int:
    """Return how many rows a page has. Raises BadParameter."""
    if text is None:
        return LIMIT
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= LONGEST:
        raise BadParameter("limit", f"1부터 {LONGEST}까지의 수를 적어 주세요.")
    return int(text)


def page_of(
    rows: QuerySet[Any], order: Order, *, cursor: str | None, limit: int
) -> tuple[list[Any], str | None]:
    """Return a page of rows and the cursor of the next one, None at the end. Raises BadParameter; one query."""
    ordered = order.sorted(rows)
    if cursor is not None:
        ordered = order.behind(ordered, read_cursor(cursor, order, rows.model))
    page = list(ordered[: limit + 1])
    if len(page) <= limit:
        return page, None
    return page[:limit], cursor_of(page[limit - 1], order)


def every_page(rows: QuerySet[Any], order: Order, *, limit: int) -> Iterator[list[Any]]:
    """Walk through all rows a page at a time, without holding a transaction open; one query a page."""
    ordered = order.sorted(rows)
    page = list(ordered[:limit])
    while page:
        yield page
        if len(page) < limit:
            return
        page = list(order.behind(ordered, order.place_of(page[-1]))[:limit])


def cursor_of(row: Model, order: Order) -> str:
    place = [str(value) for value in order.place_of(row)]
    return signing.dumps({"order": name_of(type(row), order), "place": place}, salt=SALT)


def name_of(model: type[Model], order: Order) -> str:
    return f"{model._meta.label_lower} {'-' if order.descending else ''}{' '.join(order.columns)}"  # noqa: SLF001


def read_cursor(text: str, order: Order, model: type[Model]) -> list[Any]:
    """Return the place a cursor stands for. Raises BadParameter for one that is not ours or of another order."""
    try:
        held: Mapping[str, Any] = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        raise BadParameter("cursor", "앞 쪽의 next에 있던 값을 그대로 적어 주세요.") from None
    if held["order"] != name_of(model, order):
        raise BadParameter("cursor", "다른 목록이나 다른 정렬의 cursor입니다. 첫 쪽부터 다시 시작해 주세요.")
    return [
        field_of(model, column).to_python(value)
        for column, value in zip(order.columns, held["place"], strict=True)
    ]


def field_of(model: type[Model], column: str) -> "Field[Any, Any]":
    """Follow a path of columns to its last field."""
    *path, last = column.split(LOOKUP_SEP)
    for name in path:
        model = model._meta.get_field(name).related_model  # type: ignore[assignment]  # noqa: SLF001
    return model._meta.get_field(last)  # type: ignore[return-value]  # noqa: SLF001
