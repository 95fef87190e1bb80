"""Admin classes for rows that come from the broker: to be read, never edited."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kis import korean
from kis.access import visible

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[models.Model]
else:
    ModelAdmin = admin.ModelAdmin  # generic for the type checker only


class ReadOnlyAdmin(ModelAdmin):
    """Shows rows without any way to add, change or delete them."""

    show_full_result_count = False
    list_per_page = 50
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Model]:
        """Keep the rows of accounts that the user may see: lists, pages, searches and links all start here."""
        return visible(super().get_queryset(request), request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def won(name: str, label: str) -> Any:
    """Return a list column: whole won or shares with separators, right-aligned, sortable."""

    @admin.display(description=label, ordering=name)
    def column(row: models.Model) -> SafeString:
        return figure(korean.number(getattr(row, name)))

    return column


def gain(name: str, label: str) -> Any:
    """Return a list column: won with a sign, red above zero and blue below."""

    @admin.display(description=label, ordering=name)
    def column(row: models.Model) -> SafeString:
        value = getattr(row, name)
        return figure(korean.signed(value), tone(value))

    return column


def rate(name: str, label: str) -> Any:
    """Return a list column: percent with a sign, red above zero and blue below."""

    @admin.display(description=label, ordering=name)
    def column(row: models.Model) -> SafeString:
        value = getattr(row, name)
        return figure(korean.percent(value), tone(value))

    return column


def tone(value: float | None) -> str:
    """Return the class of a change: profit is red, loss is blue, the rest keeps the text colour."""
    if not value:
        return ""
    return "up" if value > 0 else "down"


def figure(text: str, css_class: str = "") -> SafeString:
    return format_html('<span class="figure {}">{}</span>', css_class, text)
