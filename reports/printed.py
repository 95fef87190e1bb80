"""The PDF as an answer to a browser."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from django.http import HttpRequest

from reports.figures import Dashboard
from reports.pdf import render_pdf

if TYPE_CHECKING:
    from django.template.response import TemplateResponse


def pdf_response(request: HttpRequest, dashboard: Dashboard) -> "TemplateResponse":
    """Return the printed dashboard as a file to keep. Raises FontsUnavailable."""
    name = f"Kis_Dashboard_{dashboard.mode}_{dashboard.as_of:%Y-%m-%d_%H%M%S}.pdf"
    response = _response_class()(
        request, "reports/print/dashboard.html", {"dashboard": dashboard}, filename=name
    )
    response.render()
    return response


@cache
def _response_class() -> "Callable[..., TemplateResponse]":
    from django_weasyprint.views import WeasyTemplateResponse  # noqa: PLC0415  # loads native libraries

    class PrintedDashboard(WeasyTemplateResponse):  # type: ignore[misc]  # no types in django-weasyprint
        """Its headers with our document: what the command writes, made with a fetcher that opens nothing but our fonts."""

        @property
        def rendered_content(self) -> bytes:
            return render_pdf(self.context_data["dashboard"])

    return PrintedDashboard
