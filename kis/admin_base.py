"""Admin classes for rows that come from the broker: to be read, never edited."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters, ShowFacets
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kis import korean
from kis.access import visible
from kis.admin_counting import BoundedPaginator, count_of
from kis.admin_export import MOST, Column, TooMany, file_of, listed
from kis.admin_lists import EXPORT, AskedRows, RowList
from kis.admin_search import of_stocks
from kis.admin_totals import Totals
from kis.korean import SEOUL

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[models.Model]
else:
    ModelAdmin = admin.ModelAdmin  # generic for the type checker only


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows without any way to add, change or delete them; as many as there may be, and as a file if wanted."""

    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # each would be counted
    list_per_page = 50
    paginator = BoundedPaginator
    actions = ("ticked_as_csv", "ticked_as_xlsx")
    #: What is added up below the list.
    totals: Totals | None = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Model]:
        """Keep the rows of accounts that the user may see: lists, pages, searches and links all start here."""
        return visible(super().get_queryset(request), request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a row. Nothing is sent to its page, not even "save as new", which asks for the right to add alone."""
        if request.method == "POST" and not self.has_change_permission(request):
            raise PermissionDenied
        return super().change_view(request, object_id, form_url, extra_context)

    # --- lists -----------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return AskedRows if asked_form(request) else RowList

    def rows_for(
        self, request: HttpRequest, asked: Mapping[str, Any], *, most: int
    ) -> tuple[QuerySet[Any], str] | None:
        """Return the rows that a list starts from where all that may be seen would take too long, and what is left out."""
        return None

    def span(self, request: HttpRequest, rows: ChangeList) -> tuple[Any, Any] | None:
        """Return the first and the last date that the user may see, however the list is narrowed."""
        name = str(rows.date_hierarchy)
        dates = rows.root_queryset.select_related(None).values_list(name, flat=True)
        first, last = (dates.order_by(order)[:1].first() for order in (name, f"-{name}"))
        return None if first is None or last is None else (first, last)

    def complete(self, rows: Sequence[Any]) -> None:
        """Put beside the rows of a page what their columns show of other tables; a query for all of them."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search columns of text while there are few enough rows to be read; of more, the stocks that are meant."""
        by_code = {"stock_code", "=stock_code"} & {*self.search_fields}
        is_price = "=stock_code" in by_code
        if by_code and search_term.strip() and (is_price or not count_of(queryset).is_exact):
            return of_stocks(queryset, search_term), False
        return super().get_search_results(request, queryset, search_term)

    # --- files -----------------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        form = asked_form(request)
        if not form:
            return super().changelist_view(request, extra_context)
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            asked = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{request.path}?e=1")
        query = request.GET.copy()
        del query[EXPORT]
        back = f"{request.path}?{query.urlencode()}"
        if getattr(asked, "cut", ""):
            messages.warning(request, str(TooMany(form)))
            return HttpResponseRedirect(back)
        return self.as_file(request, asked.queryset, form, back=back)

    def as_file(self, request: HttpRequest, rows: QuerySet[Any], form: str, *, back: str) -> HttpResponseBase:
        """Return the rows as a file, or to the list with a sentence where they are too many for one."""
        name = f"aegis-{self.opts.model_name}-{timezone.now().astimezone(SEOUL):%Y%m%d-%H%M}"
        try:
            return file_of(
                rows, self.export_columns(request), form=form, name=name, has_body=request.method != "HEAD"
            )
        except TooMany as error:
            messages.warning(request, str(error))
            return HttpResponseRedirect(back)

    def export_columns(self, request: HttpRequest) -> list[Column]:
        """Return the columns of a file: those of the list, so that a file never tells more than a page."""
        return list(listed(self, self.get_list_display(request)))

    @admin.action(description="고른 행을 CSV로 받기", permissions=["view"])
    def ticked_as_csv(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase:
        return self.as_file(request, rows, "csv", back=request.get_full_path())

    @admin.action(description="고른 행을 XLSX로 받기", permissions=["view"])
    def ticked_as_xlsx(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase:
        return self.as_file(request, rows, "xlsx", back=request.get_full_path())


def asked_form(request: HttpRequest) -> str:
    """Return in which form a list is asked for as a file, blank where it is not."""
    form = request.GET.get(EXPORT, "")
    return form if form in MOST and request.method in {"GET", "HEAD"} else ""


# --- columns -----------------------------------------------------------------------------------------------------------


def figures(name: str, label: str, write: Callable[[Any], str], *, coloured: bool = False) -> Any:
    """Return a list column of figures, sortable; `write` also writes their total."""

    def written(value: Any, *, mark: str = "") -> SafeString:
        return figure(write(value) + mark, tone(value) if coloured else "")

    @admin.display(description=label, ordering=name)
    def column(row: models.Model) -> SafeString:
        return written(getattr(row, name))

    column.write = written  # type: ignore[attr-defined]  # read by kis.admin_totals
    return column


def won(name: str, label: str) -> Any:
    """Return a list column: whole won or shares with separators, right-aligned, sortable."""
    return figures(name, label, korean.number)


def gain(name: str, label: str) -> Any:
    """Return a list column: won with a sign, red above zero and blue below."""
    return figures(name, label, korean.signed, coloured=True)


def rate(name: str, label: str) -> Any:
    """Return a list column: percent with a sign, red above zero and blue below."""
    return figures(name, label, korean.percent, coloured=True)


def day_rate(name: str, label: str) -> Any:
    """Return a list column: percent against the previous close, with the arrow that only such a change has."""
    return figures(name, label, lambda value: f"{korean.arrow(value)}{korean.percent(value)}", coloured=True)


def tone(value: float | None) -> str:
    """Return the class of a change: profit is red, loss is blue, the rest keeps the text colour."""
    if not value:
        return ""
    return "up" if value > 0 else "down"


def figure(text: str, css_class: str = "") -> SafeString:
    return format_html('<span class="figure {}">{}</span>', css_class, text)
