"""What watchers ask: `/healthz` without an account, `/metrics` with a token of their own."""

import secrets
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from aegis.watching.health import SECONDS, Health, soon
from aegis.watching.metrics import exposition
from kis.client.errors import KisError

Answer = TypeVar("Answer", bound=HttpResponse)
PREFIX = "Bearer "
PLAIN = "text/plain; charset=utf-8"


@login_not_required
@require_safe
def healthz(request: HttpRequest, look: Callable[[], Health]) -> JsonResponse:  # noqa: ARG001  # Django's signature
    """Answer a watcher without an account, so without figures of anybody and without reasons."""
    health = look()
    return unlogged(JsonResponse(health.as_json(), status=200 if health.is_well else 503))


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give the figures to whoever has the token of the settings, and to a superuser who is signed in."""
    if not may_read_metrics(request):
        return HttpResponse(
            "METRICS_TOKEN의 토큰이 필요합니다.\n",
            status=401,
            content_type=PLAIN,
            headers={"WWW-Authenticate": "Bearer"},
        )
    try:
        with soon(SECONDS):
            text, content_type = exposition()
    except (DatabaseError, InterfaceError, KisError):
        return unlogged(HttpResponse("데이터베이스를 읽을 수 없습니다.\n", status=503, content_type=PLAIN))
    return HttpResponse(text, content_type=content_type)


def unlogged(response: Answer) -> Answer:
    """Keep Django from writing an error for each time a watcher is told of the same trouble."""
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001  # how Django marks it
    return response


def may_read_metrics(request: HttpRequest) -> bool:
    shown = request.headers.get("Authorization", "")
    if shown.startswith(PREFIX):
        return is_metrics_token(shown.removeprefix(PREFIX).strip())
    try:
        return request.user.is_active and request.user.is_superuser
    except (DatabaseError, InterfaceError):  # nobody can be known then
        return False


def is_metrics_token(text: str) -> bool:
    """Compare in constant time; without a token in the settings nobody has it."""
    known = settings.METRICS_TOKEN
    return bool(known) and secrets.compare_digest(text.encode(), known.encode())
