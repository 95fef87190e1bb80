"""The published files in the admin: to be read."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kis.admin import BooksAdmin, account, mode
from kis.admin_base import won
from kis.admin_filters import AccountFilter, ModeFilter
from reports.models import PublishedReport


@admin.display(description="결과", ordering="status")
def status(row: Any) -> SafeString:
    css_class = "unsettled" if row.status == PublishedReport.Status.FAILED else ""
    return format_html('<span class="state {}">{}</span>', css_class, row.get_status_display())


@admin.display(description="PDF")
def file(row: Any) -> SafeString:
    """Lead to the file, as long as it lies in the storage: on whichever machine it was printed."""
    return format_html('<a href="{}?report={}">열기</a>', reverse("dashboard-pdf"), row.pk)


@admin.register(PublishedReport)
class PublishedReportAdmin(BooksAdmin):
    list_display = (
        "published_at",
        "file_name",
        mode,
        account,
        "as_of",
        "privacy",
        "is_encrypted",
        won("size", "크기(바이트)"),
        status,
        "target",
        "reason",
        "seconds",
        file,
    )
    date_hierarchy = "published_at"
    list_filter = (ModeFilter, AccountFilter, "status", "privacy", "published_at")
