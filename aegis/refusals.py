"""Requests that no page looks at: longer than anything here takes, by no method of a page, or asking what no database can."""

import logging
from collections.abc import Callable, Iterator
from types import TracebackType

from django.conf import settings
from django.core.exceptions import FieldError, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError, NotSupportedError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render

from kis.api.errors import bad_request

logger = logging.getLogger(__name__)

#: Where the admin makes a query of what stands in an address or a form, and where it asks it.
LISTS = (
    "contrib/admin/views/main.py",
    "contrib/admin/templatetags/admin_list.py",
    "contrib/admin/filters.py",
)
#: Functions of Django that ask for ticked rows, and for those that a field of a form names.
ASKING = (("contrib/admin/options.py", "response_action"), ("/django/forms/models.py", "_check_values"))
#: Who finds that a value is none, or that a query cannot be asked.
DATABASE = ("/django/db/", "/django/forms/", "/psycopg/", "/psycopg_binary/")
MISTAKES = (
    *(ValueError, TypeError, OverflowError, NotImplementedError, FieldError, ValidationError),
    *(DataError, ProgrammingError, NotSupportedError),
)
#: What SQLite says of a search that is too long; its other troubles are no mistake of whoever asks.
TOO_COMPLEX = "too complex"


class Refusals:
    """Answer such a request in Korean, and before anything of it is kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit()):
            return bad_request(request, SuspiciousOperation("no length"))
        # Files of a form are written to disk while it is read, also those of strangers.
        if int(length[:20]) > settings.MOST_BYTES_SENT:
            return bad_request(request, RequestDataTooBig("too long"))
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content and request.method != "HEAD":
            page = render(request, "405.html", status=405)
            page["Allow"] = response["Allow"]
            return page
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        """Treat a list of the admin that was asked for with impossible values as any address that cannot be read."""
        found = request.resolver_match
        if found is None or "admin" not in found.app_names or not is_mistake(error):
            return None
        logger.warning("A list of the admin was asked for what no database can: %s", type(error).__name__)
        return bad_request(request, error)


def is_mistake(error: Exception) -> bool:
    """Say whether a query of the admin failed over the values that it was asked with."""
    if isinstance(error, OperationalError):
        return TOO_COMPLEX in str(error)
    if not isinstance(error, MISTAKES):
        return False
    frames = list(frames_of(error.__traceback__))
    asked = [place for place, frame in enumerate(frames) if is_list(*frame)]
    if not asked:
        return False
    # What fails in a column of ours fails behind the last line of ours, and not in the database.
    ours = [place for place, (path, _) in enumerate(frames) if is_ours(path)]
    return any(part in path for path, _ in frames[max([*asked, *ours]) :] for part in DATABASE)


def is_list(path: str, name: str) -> bool:
    return path.endswith(LISTS) or any(path.endswith(file) and name == asking for file, asking in ASKING)


def is_ours(path: str) -> bool:
    return path.startswith(f"{settings.BASE_DIR}/") and "/site-packages/" not in path


def frames_of(place: TracebackType | None) -> Iterator[tuple[str, str]]:
    while place is not None:
        code = place.tb_frame.f_code
        yield code.co_filename.replace("\\", "/"), code.co_name
        place = place.tb_next
