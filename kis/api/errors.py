"""One shape for everything that goes wrong: `{"error": {"code", "message", "detail"?}}`."""

import logging
import sys
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.views import csrf, defaults
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from kis.commands import explain_database
from kis.reconnecting import AWAY

logger = logging.getLogger(__name__)

#: Every code there is, and what it says. Programs rely on the codes; the words may change.
MESSAGES = {
    "bad_parameter": "조회 조건의 값을 알 수 없습니다.",
    "unknown_parameter": "없는 조회 조건입니다.",
    "bad_request": "요청을 읽을 수 없습니다.",
    "too_large": "보낸 내용이 너무 커서 읽지 않았습니다.",
    "not_authenticated": "로그인이나 토큰이 필요합니다.",
    "bad_token": "토큰이 틀리거나 시간이 지났습니다.",
    "second_factor_required": "로그인이 끝나지 않았습니다. 사이트에서 두 번째 인증 코드를 적어 주세요.",
    "permission_denied": "이 요청을 할 권한이 없습니다.",
    "not_found": "찾으시는 자료가 없습니다.",
    "method_not_allowed": "이 주소에는 쓸 수 없는 방법(method)입니다.",
    "unsupported_media_type": "JSON(application/json)으로 보내 주세요.",
    "not_acceptable": "JSON과 CSV로만 드릴 수 있습니다.",
    "throttled": "요청이 너무 많습니다. 잠시 뒤에 다시 시도해 주세요.",
    "database_unavailable": "지금은 데이터베이스에 닿지 않습니다. 잠시 뒤에 다시 시도해 주세요.",
    "server_error": "서버에서 처리하지 못했습니다. 기록을 확인해 주세요.",
}


class BadToken(exceptions.AuthenticationFailed):
    """A token that is none of ours, is over, or belongs to somebody who was shut out; which of them is not said."""


#: The first that fits counts.
CODES: Mapping[type[Exception], str] = {
    RequestDataTooBig: "too_large",
    Http404: "not_found",
    PermissionDenied: "permission_denied",
    SuspiciousOperation: "bad_request",
    exceptions.NotAuthenticated: "not_authenticated",
    BadToken: "bad_token",
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.PermissionDenied: "permission_denied",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.Throttled: "throttled",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
}
STATUSES = {
    "bad_request": 400,
    "too_large": 413,
    "permission_denied": 403,
    "not_found": 404,
    "server_error": 500,
    "database_unavailable": 503,
}
#: When to come back to a site whose database is away.
RETRY_SECONDS = 30


class BadParameter(exceptions.APIException):
    """A parameter of the address that cannot be followed; `field` is its name, the text says what would do."""

    status_code = 400
    default_code = "bad_parameter"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownParameter(BadParameter):
    """A parameter this list does not know; ignoring it would answer another question."""

    default_code = "unknown_parameter"

    def __init__(self, field: str, known: list[str]) -> None:
        super().__init__(field, f"없는 조회 조건입니다. 쓸 수 있는 것: {', '.join(known) or '없음'}")


class Refused(exceptions.APIException):
    """What a use-case refuses, in its own words and with a code of its own."""

    def __init__(
        self, code: str, message: str, *, status: int, detail: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, code)
        self.code, self.message = code, message
        self.status_code = status
        self.more = detail or {}


def error_body(code: str, message: str = "", detail: Mapping[str, Any] | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message or MESSAGES[code]}
    if detail:
        error["detail"] = detail
    return {"error": error}


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """Turn whatever a view raised into an answer, always JSON; what nobody expected is logged, not shown."""
    if (request := context.get("request")) is not None:
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    if isinstance(error, BadParameter):
        return Response(
            error_body(error.default_code, str(error.detail), {"field": error.field}),
            status=error.status_code,
        )
    if isinstance(error, Refused):
        return Response(error_body(error.code, error.message, error.more), status=error.status_code)
    code = next((code for kind, code in CODES.items() if isinstance(error, kind)), "")
    if isinstance(error, exceptions.APIException):
        return refusal(error, code or "bad_request")
    if isinstance(error, AWAY):
        logger.error("API request found no database", exc_info=error)
        body = error_body("database_unavailable", explain_database(error), {"retry_after": RETRY_SECONDS})
        return Response(body, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
    if not code:
        logger.error("API request failed", exc_info=error)
        code = "server_error"
    return Response(error_body(code), status=STATUSES[code])


def refusal(error: exceptions.APIException, code: str) -> Response:
    """Return the answer to what the framework itself refuses, with how to sign in or when to come back."""
    headers, detail = {}, {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(error, "wait", None):
        detail["retry_after"] = ceil(wait)
        headers["Retry-After"] = str(detail["retry_after"])
    return Response(error_body(code, detail=detail), status=error.status_code, headers=headers)


# --- what never reaches a view ---------------------------------------------------------------------------------------


def outside(code: str, page: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return a handler that answers in our shape below /api/, and with Django's page elsewhere."""

    def answer(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:  # noqa: ANN401
        if request.path.startswith("/api/"):
            return JsonResponse(
                error_body(code), status=STATUSES[code], json_dumps_params={"ensure_ascii": False}
            )
        return page(request, *arguments, **named)

    return answer


def large_page(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Return Django's page about a bad request, in the words and with the status of one that is too large."""
    page = defaults.bad_request(request, exception, template_name="413.html")
    page.status_code = STATUSES["too_large"]
    return page


unreadable = outside("bad_request", defaults.bad_request)
too_large = outside("too_large", large_page)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return (too_large if isinstance(exception, RequestDataTooBig) else unreadable)(request, exception)


permission_denied = outside("permission_denied", defaults.permission_denied)
not_found = outside("not_found", defaults.page_not_found)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Say what can be said of what nobody expected; a database that is away comes back, and so may the reader."""
    error = sys.exc_info()[1]
    if not isinstance(error, AWAY):
        return outside("server_error", defaults.server_error)(request)
    headers = {"Retry-After": str(RETRY_SECONDS)}
    reason = explain_database(error)
    if request.path.startswith("/api/"):
        body = error_body("database_unavailable", reason, {"retry_after": RETRY_SECONDS})
        return JsonResponse(body, status=503, headers=headers, json_dumps_params={"ensure_ascii": False})
    # Without the request: what a page says of its reader is in the database.
    page = render_to_string("503.html", {"reason": reason, "seconds": RETRY_SECONDS})
    return HttpResponse(page, status=503, headers=headers)


csrf_failure = outside("permission_denied", csrf.csrf_failure)
