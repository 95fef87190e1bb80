"""Choose between JSON and CSV."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.settings import api_settings

from kis.api.errors import BadParameter


class Negotiation(DefaultContentNegotiation):
    """`?format=` counts more than the Accept header, and a form that does not exist is a mistake in the address."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:  # noqa: ANN401  # a renderer and its media type, as DRF wants them
        name = api_settings.URL_FORMAT_OVERRIDE
        if name not in request.query_params:
            return super().select_renderer(request, renderers, format_suffix)
        forms = {renderer.format: renderer for renderer in renderers}
        renderer = forms.get(request.query_params[name])
        if renderer is None:
            raise BadParameter(name, f"이 가운데 하나를 적어 주세요: {', '.join(map(str, forms))}")
        return renderer, str(renderer.media_type)
