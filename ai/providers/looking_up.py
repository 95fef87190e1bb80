"""Whether the model of the settings exists, without asking it anything."""

import time
from http import HTTPStatus

import requests

from ai.providers.gemini import Gemini
from ai.providers.wire import OneExchange, failure_of


def look_up(gemini: Gemini, *, seconds: float) -> None:
    """Look a model up, which costs no token. Raises ProviderFailed; UNKNOWN_MODEL for one that is no longer there."""
    gemini.refuse_nonsense()
    exchange = OneExchange(time.monotonic() + seconds)
    request = requests.Request(
        "GET", f"{gemini.base_url}/v1beta/models/{gemini.model}", headers={"x-goog-api-key": gemini.key}
    )
    try:
        response = exchange.send(request.prepare())
    finally:
        exchange.close()
    if response.status_code != HTTPStatus.OK or exchange.reply_json() is None:
        raise failure_of(exchange, model=gemini.model)
