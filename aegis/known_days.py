"""The days of the exchange, as the owner and the broker tell of them, for whatever a request asks about them."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from aegis.watching.views import healthz, metrics
from kis.market_days import follow_market_days

#: These answer in time, whatever a database does; where they need the days, they take them with their own patience.
FOR_WATCHERS = frozenset((healthz, metrics))


class KnownDays:
    """Let every page know which days are closed, and which open late, that only the table says something about."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, _request: HttpRequest, view: Callable[..., Any], *_given: Any) -> None:  # noqa: ANN401
        """Look at the days, not more often than once a minute, before a view that may show something of them."""
        if view not in FOR_WATCHERS:
            follow_market_days()
