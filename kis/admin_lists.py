"""The list of a table in the admin: bounded in what it counts and sorts, with totals below."""

import re
from typing import TYPE_CHECKING, Any, Final

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from kis.admin_counting import BoundedPaginator, Count, count_of
from kis.admin_export import method_of
from kis.admin_totals import Below, totals_of

if TYPE_CHECKING:
    from kis.admin_base import ReadOnlyAdmin

#: What asks for a list as a file, `?export=csv`.
EXPORT: Final = "export"
FIRST_YEAR, LAST_YEAR = 1900, 2200
NOT_SORTED: Final = (
    "행이 너무 많아 이 열로는 정렬하지 않았습니다. 날짜나 계좌, 종목으로 좁히면 정렬할 수 있습니다."
)
REACH: Final = "앞의 {}행까지 넘겨 볼 수 있습니다. 더 옛 자료는 날짜로 좁혀 주세요."


class RowList(ChangeList):
    """What a list needs besides its rows: a query or two for the page, however many rows are on it."""

    model_admin: "ReadOnlyAdmin"
    counted: Count
    below: Below
    notes: list[str]
    #: Why rows that were asked for are not among these, blank where all are.
    cut: str
    span: tuple[Any, Any] | None
    #: Of accounts that are picked out of others, so many are looked through.
    most_snapshots = 500

    def get_filters_params(self, params: Any = None) -> Any:
        return {name: value for name, value in super().get_filters_params(params).items() if name != EXPORT}

    def get_filters(self, request: HttpRequest) -> Any:
        """Refuse years that no calendar of a database knows."""
        year = str(self.params.get(f"{self.date_hierarchy}__year", "2000"))
        if not (re.fullmatch(r"[0-9]{4}", year) and FIRST_YEAR <= int(year) <= LAST_YEAR):
            raise IncorrectLookupParameters
        return super().get_filters(request)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Sort by what an index has in order; another column only where there are few enough rows to be sorted."""
        self.notes = []
        self.cut = ""
        narrowed = self.model_admin.rows_for(request, self.params, most=self.most_snapshots)
        if narrowed is not None:
            self.root_queryset, self.cut = narrowed
            request.rows_are_few = True  # type: ignore[attr-defined]  # read by kis.admin_filters.ModeFilter
        if self.cut:
            self.notes.append(self.cut)
        rows = super().get_queryset(request, exclude_parameters)
        if not self.params.get(ORDER_VAR):
            return rows
        if self.is_served(rows) or count_of(rows).is_exact:
            return rows
        del self.params[ORDER_VAR]
        self.notes.append(NOT_SORTED)
        return rows.order_by(*self.get_ordering(request, rows.order_by()))

    def is_served(self, rows: QuerySet[Any]) -> bool:
        """Return whether an index begins with the column that rows are sorted by."""
        first = rows.query.order_by[0] if rows.query.order_by else "pk"
        name = str(first).lstrip("-")
        leading = {index.fields_orders[0][0] for index in self.opts.indexes if index.fields_orders}
        leading |= {
            fields[0] for fields in (constraint.fields for constraint in self.opts.total_unique_constraints)
        }
        leading |= {
            field.name
            for field in self.opts.concrete_fields
            if field.unique or getattr(field, "db_index", False)
        }
        return name in leading | {"pk"}

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        assert isinstance(self.paginator, BoundedPaginator)  # noqa: S101  # the model's admin says so
        self.counted = self.paginator.counted
        if not self.search_help_text and {"stock_code", "=stock_code", "=code"} & {*self.search_fields}:
            self.search_help_text = "종목코드나 종목명"
        if not self.counted.is_exact:
            self.notes.append(REACH.format(f"{self.counted.rows:,}"))
        rows = list(self.result_list)
        self.model_admin.complete(rows)
        self.result_list = rows  # read once, as the page would
        self.below = self.totals(request)
        self.span = self.model_admin.span(request, self) if self.date_hierarchy else None

    def totals(self, request: HttpRequest) -> Below:
        totals = self.model_admin.totals
        if totals is None:
            return Below()
        shown = [name for name in self.list_display if name != "action_checkbox"]
        return totals_of(
            self.queryset,
            self.counted,
            totals,
            columns=[method_of(self.model_admin, name) or name for name in shown],
            is_one_moment=self.params.get("snapshot") == "newest",
        )

    def export_link(self, form: str) -> str:
        return self.get_query_string({EXPORT: form})

    @property
    def csv_link(self) -> str:
        return self.export_link("csv")

    @property
    def xlsx_link(self) -> str:
        return self.export_link("xlsx")


class AskedRows(RowList):
    """The rows of a list alone, for a file of them all."""

    most_snapshots = 10_000

    def get_results(self, request: HttpRequest) -> None:
        """Read nothing: whoever writes the file does."""
