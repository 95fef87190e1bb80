"""A name for each request, on its log lines and its answer: of the proxy where it gives one, otherwise ours."""

import re
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from kis.log_context import lines_of

HEADER = "X-Request-ID"
#: Whatever else somebody may send has no business in a log.
SANE = re.compile(r"[A-Za-z0-9-]{8,64}")


class RequestIds:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        name = given if SANE.fullmatch(given) else uuid4().hex
        request.request_id = name  # type: ignore[attr-defined]  # for what Django says of the finished answer
        with lines_of(request_id=name):
            response = self.get_response(request)
        response.headers[HEADER] = name
        return response
