"""How far the broker's clock is from ours; tokens, codes and the day of an order hang on it."""

import contextlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from kis.client.codes import TR, Environment
from kis.client.errors import KisUnreachable
from kis.client.protocol import Request
from kis.client.transport import HttpTransport

TIMEOUT_SECONDS = 5.0


def measure_skew(environment: Environment, *, now: Callable[[], datetime]) -> tuple[float, float] | None:
    """Return the seconds the broker's clock is ahead of ours, and those of the round trip; None where it tells no time.

    The question carries no key: the refusal is dated as any answer is.
    """
    url = environment.base_url.rstrip("/") + TR.PRICE.path
    request = Request(method="GET", url=url, tr_id="", headers={})
    try:
        with contextlib.closing(HttpTransport()) as transport:
            for _ in range(2):  # the first one also connects; the second measures
                sent_at, began = now(), time.monotonic()
                reply = transport.send(request, timeout_seconds=TIMEOUT_SECONDS)
                trip = time.monotonic() - began
        theirs = parsedate_to_datetime(reply.headers.get("date", ""))
    except (KisUnreachable, ValueError):
        return None
    # The header has whole seconds only: on average half a second has passed since.
    ahead = theirs + timedelta(seconds=0.5) - (sent_at + timedelta(seconds=trip / 2))
    return ahead.total_seconds(), trip
