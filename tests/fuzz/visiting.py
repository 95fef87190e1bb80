"""Somebody with a browser or a program who sends what no browser would, and how every answer has to look."""

import html
import json
import re
from functools import lru_cache
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.test import Client

from tests.fuzz.hostile import TAG, Hostile
from tests.fuzz.throwing import KOREAN, Wrong, refuse_english, rows_of, taken_back

#: What is written on the way to a refusal: who was there, how often he tried, and why he was turned away.
WRITTEN_ANYWAY = {
    *("django_session", "django_admin_log", "axes_accessattempt", "axes_accesslog", "axes_accessfailurelog"),
    *("kis_rate_budget", "kis_access_token", "trading_order_event", "trading_audit_head", "trading_password"),
}
IN_ERROR = 3  # psycopg2.extensions.TRANSACTION_STATUS_INERROR
REDIRECT, UNAUTHORIZED, TROUBLE, AWAY = 400, 401, 500, 503
SAFE = ("GET", "HEAD", "OPTIONS")
METHODS = (
    *("GET",) * 12,
    *("POST",) * 4,
    "HEAD",
    "OPTIONS",
    "PUT",
    "PATCH",
    "DELETE",
    "TRACE",
    "BREW",
    "get",
)
TYPES = (
    *(
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "text/plain",
    ),
    *(
        "application/json",
        "application/json; charset=utf-7",
        "application/json; charset=nonsense",
        "",
        ";;;",
        "a" * 500,
    ),
    *(
        "multipart/form-data; boundary=x",
        "application/xml",
        "text/csv",
        "application/json;charset=utf-16",
        "x/y; q=\x01",
    ),
)
HEADERS = (
    *(
        "HTTP_IF_NONE_MATCH",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_ACCEPT",
        "HTTP_ACCEPT_LANGUAGE",
        "HTTP_ACCEPT_ENCODING",
    ),
    *(
        "HTTP_X_FORWARDED_FOR",
        "HTTP_X_FORWARDED_PROTO",
        "HTTP_X_FORWARDED_HOST",
        "HTTP_REFERER",
        "HTTP_ORIGIN",
    ),
    *("HTTP_USER_AGENT", "HTTP_RANGE", "HTTP_HX_REQUEST", "HTTP_HX_CURRENT_URL", "HTTP_X_REQUESTED_WITH"),
    *(
        "HTTP_X_HTTP_METHOD_OVERRIDE",
        "HTTP_CONTENT_ENCODING",
        "HTTP_X_CSRFTOKEN",
        "HTTP_IF_MATCH",
        "HTTP_DATE",
    ),
)
HOSTS = (
    "",
    "example.com",
    "localhost:99999",
    "127.0.0.1:0",
    "[::1",
    "a" * 300,
    "localhost\x01",
    "127.0.0.1@evil",
    "..",
)
ADDRESSES = ("", "::1", "203.0.113.9", "999.1.1.1", "fe80::1%eth0", "::ffff:1.2.3.4", "x", "unix:", "1" * 300)


@lru_cache
def guarded_tables() -> tuple[str, ...]:
    """Return the tables that no refused input and no reading may add a row to, or take one from."""
    there = connection.introspection.django_table_names(only_existing=True)
    return tuple(sorted(set(there) - WRITTEN_ANYWAY))


class Visitor:
    """Asks as one identity, and looks at the answer."""

    def __init__(self, *, user: Any = None, token: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.token = token
        if user is not None:
            self.client.force_login(user)
        self.cookies = {name: morsel.value for name, morsel in self.client.cookies.items()}

    def ask(
        self,
        hostile: Hostile,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes = b"",
        content_type: str = "application/octet-stream",
        but: str = "",
        **environ: Any,
    ) -> Any:
        """Send a request; what it wrote is taken back. Raises Wrong where the answer is none for people or programs."""
        self.client.cookies.clear()
        for name, value in self.cookies.items():
            self.client.cookies[name] = value
        if self.token:
            environ.setdefault("HTTP_AUTHORIZATION", f"Bearer {self.token}")
        seen = f" {body[:200]!r} {content_type[:60]}" if body else ""
        odd = {name: value[:80] for name, value in environ.items() if name != "HTTP_AUTHORIZATION"}
        hostile.about = f"{method} {path[:300]}?{query[:300]}{seen} {odd or ''}"
        sent = path.encode("utf-8", "surrogatepass").decode("latin-1")  # as a server hands it on
        guarded = tuple(table for table in guarded_tables() if table != but)
        with taken_back():
            before = rows_of(guarded)
            response: Any = self.client.generic(
                method, "/", body, content_type, PATH_INFO=sent, QUERY_STRING=query, **environ
            )
            text = text_of(response)
            if method in SAFE or response.status_code >= REDIRECT:
                after = before if is_broken_off() else rows_of(guarded)
                if before != after:
                    changed = [
                        name for name, was, now in zip(guarded, before, after, strict=True) if was != now
                    ]
                    raise Wrong(f"{response.status_code} and yet {changed} changed")
        cache.clear()
        is_part = method == "HEAD" or (response.status_code == UNAUTHORIZED and "HTTP_HX_REQUEST" in environ)
        if path.startswith("/healthz") and response.status_code == AWAY:
            return response  # says by its status that something is missing, to programs
        look_at(response, text, is_part=is_part, is_api=path.startswith("/api/"))
        return response


def is_broken_off() -> bool:
    """Return whether the request was answered after PostgreSQL had refused its query, and with it all that it wrote."""
    if connection.vendor != "postgresql":
        return False
    return bool(connection.connection.get_transaction_status() == IN_ERROR)


def text_of(response: Any) -> str:
    content: bytes = response.getvalue() if response.streaming else response.content
    return content.decode("utf-8", "replace")


def look_at(response: Any, text: str, *, is_part: bool, is_api: bool) -> None:
    """Raise Wrong where an answer is a crash, shows the inside, gives a secret away or repeats markup."""
    status = response.status_code
    kind = response.headers.get("Content-Type", "")
    if (
        status >= TROUBLE
        and not (status == AWAY and is_documented(text))
        and not is_refused_by_broker(status, text)
    ):
        raise (
            response.exc_info[1] if getattr(response, "exc_info", None) else Wrong(f"{status}: {text[:300]}")
        )
    if "html" in kind and f"<{TAG}" in text:
        place = text.index(f"<{TAG}")
        raise Wrong(f"markup came back: {text[max(place - 100, 0) : place + 60]!r}")
    for sign in ("Traceback (most recent call last)", "DEBUG = True", "site-packages/"):
        if sign in text:
            raise Wrong(f"shows {sign!r}")
    if "\r" in "".join(map(str, response.headers.values())):
        raise Wrong("a header was split")
    if status < REDIRECT or is_part:
        return
    if is_api:
        check_error(text, kind)
    else:
        refuse_english(html.unescape(re.sub(r"<(style|script).*?</\1>", "", text, flags=re.DOTALL)))


def check_error(text: str, kind: str) -> None:
    """Raise Wrong where an error of the API has another shape than all of them."""
    if not kind.startswith("application/json"):
        raise Wrong(f"an error of the API as {kind}: {text[:200]}")
    body = json.loads(text)
    error = body.get("error", {})
    if list(body) != ["error"] or not {"code", "message"} <= set(error) <= {"code", "message", "detail"}:
        raise Wrong(f"an error of another shape: {text[:200]}")
    if not KOREAN.search(error["message"]):
        raise Wrong(f"no Korean: {text[:200]}")


def code_of(text: str) -> str:
    try:
        return str(json.loads(text)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def is_documented(text: str) -> bool:
    """Say whether a 503 is one that the documents speak of."""
    return code_of(text) in {"broker_unreachable", "storage_failed"}


def is_refused_by_broker(status: int, text: str) -> bool:
    return status == 502 and code_of(text) == "broker_refused"


def odd_headers(hostile: Hostile) -> dict[str, Any]:
    """Return a few headers that no browser sends."""
    found = {}
    while hostile.chance(0.25):
        found[hostile.of(HEADERS)] = hostile.name()
    if hostile.chance(0.03):
        found["HTTP_HOST"] = hostile.one_of(hostile.of(HOSTS), hostile.name()[:200])
    if hostile.chance(0.03):
        found["HTTP_COOKIE"] = hostile.one_of(
            "sessionid=" + hostile.name(), hostile.name(), "csrftoken=\x01; ;=;"
        )
    if hostile.chance(0.03):
        found["REMOTE_ADDR"] = hostile.of(ADDRESSES)
    if hostile.chance(0.02):
        found["CONTENT_LENGTH"] = hostile.one_of("-1", "abc", "", "1e3", " 5", "0")
    return found


def form(hostile: Hostile, fields: list[tuple[str, str]]) -> tuple[bytes, str]:
    """Write a form the one way or the other."""
    if hostile.chance(0.6):
        return hostile.query(fields).encode("latin-1", "replace"), "application/x-www-form-urlencoded"
    return multipart(hostile, fields)


def multipart(
    hostile: Hostile, fields: list[tuple[str, str]], files: list[tuple[str, str, bytes]] | None = None
) -> tuple[bytes, str]:
    """Write a form with files; now and then one that is none."""
    boundary = "fuzzfuzz"
    parts = []
    for name, value in fields:
        head = f'Content-Disposition: form-data; name="{name[:2000]}"'
        parts.append(
            f"--{boundary}\r\n{head}\r\n\r\n".encode("utf-8", "surrogatepass")
            + value.encode("utf-8", "surrogatepass")
        )
    for name, file, content in files or []:
        head = f'Content-Disposition: form-data; name="{name}"; filename="{file[:2000]}"\r\nContent-Type: application/octet-stream'
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode("utf-8", "surrogatepass") + content)
    body = b"\r\n".join([*parts, f"--{boundary}--\r\n".encode()])
    if hostile.chance(0.04):
        body = hostile.damaged(body)
    return body, f"multipart/form-data; boundary={boundary}"
