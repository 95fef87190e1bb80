"""Replies as they look on the line: header names, encoding, compression."""

import gzip
import json
from email.utils import formatdate

from starlette.responses import Response

WORTH_ZIPPING = 1_000
JSON_TYPE = "application/json; charset=utf-8"


class WireResponse(Response):
    """A reply whose header names keep their case: Title-Case with a hyphen, lower case without.

    The official sample turns lower-case header names into identifiers and breaks on a hyphen.
    """

    def __init__(self, body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        named = {
            "Content-Type": JSON_TYPE,
            "Content-Length": str(len(body)),
            "Date": formatdate(usegmt=True),
            **(headers or {}),
        }
        self.raw_headers = [
            (name.encode(), value.encode("latin-1", "replace")) for name, value in named.items()
        ]

    def zipped(self) -> "WireResponse":
        """Return the same reply compressed, where that is worth it."""
        if len(self.body) < WORTH_ZIPPING:
            return self
        headers = {name.decode(): value.decode("latin-1") for name, value in self.raw_headers}
        del headers["Content-Length"]
        body = gzip.compress(bytes(self.body), compresslevel=1)
        return WireResponse(body, status=self.status_code, headers={**headers, "Content-Encoding": "gzip"})


def json_response(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> WireResponse:
    # Half a surrogate pair, which a client may have sent to be echoed, is no text.
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return WireResponse(raw, status=status, headers=headers)
