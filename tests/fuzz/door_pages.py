"""The pages: every address of the site with whatever may stand in it, behind it, and in the forms on it."""

import re
from html.parser import HTMLParser
from typing import Any

from django.urls import URLPattern, get_resolver

from tests.fuzz.hostile import Hostile
from tests.fuzz.visiting import METHODS, TYPES, Visitor, form, odd_headers

#: The tables of the admin and the API have doors of their own.
ELSEWHERE = ("admin/<", "api/v1/")
HOLE = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<\w+>(?:[^()]|\([^()]*\))*\)")
#: What pages read, whatever page it is.
KNOWN = ("account", "as_of", "next", "format", "page", "p", "q", "token", "scale", "theme", "order", "code")
WORDS = ("실전", "모의", "1234****-01", "2025-06-16T14:20:00", "1", "/admin/", "owner", "005930")


def every_pattern(patterns: Any = None, before: str = "") -> list[str]:
    """Return the pattern of every address of the site."""
    found: list[str] = []
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = before + str(pattern.pattern)
        found += [here] if isinstance(pattern, URLPattern) else every_pattern(pattern.url_patterns, here)
    return found


class Fields(HTMLParser):
    """Collects the fields of the forms of a page with what stands in them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.choosing = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"input", "select", "textarea", "button"} and given.get("name"):
            self.found.setdefault(given["name"], given.get("value", ""))
            self.choosing = given["name"] if tag == "select" else self.choosing
        if tag == "option" and ("selected" in given or not self.found.get(self.choosing)):
            self.found[self.choosing] = given.get("value", "")


def fields_of(visitor: Visitor, path: str) -> dict[str, str]:
    """Return the fields of the page at an address; none where it has no forms, or is none."""
    visitor.client.cookies.clear()
    for name, value in visitor.cookies.items():
        visitor.client.cookies[name] = value
    response: Any = visitor.client.generic(
        "GET", "/", PATH_INFO=path.encode("utf-8", "surrogatepass").decode("latin-1")
    )
    is_page = response.status_code == 200 and "html" in response.headers.get("Content-Type", "")
    fields = Fields(response.content.decode()).found if is_page else {}
    return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}


class Pages:
    """Every address, as a stranger and as those who may come in."""

    name = "pages and forms"

    def __init__(self, visitors: dict[str, Visitor]) -> None:
        self.visitors = visitors
        per_table = re.compile(r"^admin/\w+/\w+/")
        self.patterns = [
            pattern
            for pattern in every_pattern()
            if not pattern.startswith(ELSEWHERE) and not per_table.match(pattern)
        ]
        self.forms: dict[str, dict[str, str]] = {}

    def path(self, hostile: Hostile) -> str:
        pattern: str = hostile.of(self.patterns)
        path = HOLE.sub(lambda _: str(hostile.text("1", "2", "none.css"))[:2000], pattern)
        path = path.replace("(/|$)", "/").replace("/?$", "/").replace("^", "").replace("$", "")
        if hostile.chance(0.05):
            path = hostile.one_of(
                path + hostile.text()[:300], path.upper(), f"/{path}", path.rstrip("/"), path + "//"
            )
        return f"/{path}"

    def throw(self, hostile: Hostile) -> bool:
        visitor: Visitor = hostile.of(self.visitors.values())
        path, method = self.path(hostile), hostile.of(METHODS)
        pairs = [
            (hostile.text(*KNOWN) if hostile.chance(0.2) else hostile.of(KNOWN), hostile.text(*WORDS))
            for _ in range(hostile.count(3))
        ]
        body, kind = b"", "application/octet-stream"
        if method not in {"GET", "HEAD"}:
            if path not in self.forms:
                self.forms[path] = fields_of(self.visitors["owner"], path) if "?" not in path else {}
            fields = [(name, hostile.text(value, *WORDS)) for name, value in self.forms[path].items()]
            fields += [(hostile.of(KNOWN), hostile.text(*WORDS)) for _ in range(hostile.count(2))]
            body, kind = form(hostile, fields)
            if hostile.chance(0.1):
                body, kind = hostile.one_of(body, hostile.junk(), hostile.bomb()), hostile.of(TYPES)
        response = visitor.ask(
            hostile,
            method,
            path,
            query=hostile.query(pairs),
            body=body,
            content_type=kind,
            **odd_headers(hostile),
        )
        return bool(response.status_code >= 300)
