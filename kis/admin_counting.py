"""How long a list of the admin is, said without counting ten million rows."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from django.core.paginator import Paginator
from django.db import connections
from django.db.models import QuerySet

from kis.korean import number

if TYPE_CHECKING:
    RowPaginator = Paginator[Any]
else:
    RowPaginator = Paginator  # generic for the type checker only

#: Rows are counted, and pages turned, up to here; further back leads the date.
COUNTED: Final = 20_000
MAN: Final = 10_000


@dataclass(frozen=True, slots=True)
class Count:
    """`rows` is what there are pages for; `text` says how many there are as far as anybody has counted."""

    rows: int
    text: str
    is_exact: bool


def count_of(rows: QuerySet[Any]) -> Count:
    """Count rows up to a bound; a whole table of PostgreSQL that is longer is told by its statistics."""
    estimate = estimate_of(rows)
    if estimate > COUNTED:
        return Count(COUNTED, f"약 {number(estimate // MAN)}만 건", is_exact=False)
    found = rows.order_by()[: COUNTED + 1].count()
    if found > COUNTED:
        return Count(COUNTED, f"{number(COUNTED // MAN)}만 건 이상", is_exact=False)
    return Count(found, f"{number(found)}건", is_exact=True)


def estimate_of(rows: QuerySet[Any]) -> int:
    """Return about how many rows a table has; 0 where nobody knows without counting, or where not all are asked for."""
    connection = connections[rows.db]
    query = rows.query
    if connection.vendor != "postgresql" or query.where or query.is_sliced or query.combinator:
        return 0
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(rows.model._meta.db_table)  # noqa: SLF001  # Django's own name for it
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", [table])
        found = cursor.fetchone()
    return max(int(found[0]), 0) if found else 0


class BoundedPaginator(RowPaginator):
    """Pages of the first so many rows."""

    @cached_property
    def counted(self) -> Count:
        assert isinstance(self.object_list, QuerySet)  # noqa: S101  # lists of the admin are
        return count_of(self.object_list)

    @cached_property
    def count(self) -> int:
        return self.counted.rows
