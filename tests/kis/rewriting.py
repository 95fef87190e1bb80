"""Replies changed on their way from the simulator, for what it does not do by itself."""

import json
from collections import Counter

from kis.client.protocol import RawReply


class Rewriting:
    """A transport that counts what is asked, and lets `change(request, body)` edit each good reply in place."""

    def __init__(self, inner, change=lambda request, body: None):
        self.inner = inner
        self.change = change
        self.asked: Counter[str] = Counter()

    def send(self, request, *, timeout_seconds):
        self.asked[request.tr_id] += 1
        raw = self.inner.send(request, timeout_seconds=timeout_seconds)
        if request.tr_id == "tokenP":
            return raw
        try:
            body = json.loads(raw.body)
        except ValueError:
            return raw
        if body.get("rt_cd") == "0":
            self.change(request, body)
        return RawReply(raw.status, raw.headers, json.dumps(body).encode())


def listen(connection, change=lambda request, body: None):
    """Put a rewriting transport before a connection's own, and return it."""
    connection.session.transport = Rewriting(connection.session.transport, change)
    return connection.session.transport
