"""The addresses of `NOTIFY_URLS`, which hold tokens and are never shown. Pure, read with the settings."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

#: Commas also stand inside of addresses: only one before another scheme separates two of them.
BETWEEN: Final = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")
ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://[^\s/?#].*")
PIECES: Final = re.compile(r"[/:@?&=#,\s]+")
HOST: Final = re.compile(r"localhost|[\w-]+(\.[\w-]+)+")
#: What is shorter is no token and may be a harmless word.
SHORTEST_PIECE: Final = 8
#: How a service is called where the owner reads of it, by the scheme of its address.
SERVICES: Final[Mapping[str, str]] = {
    "tgram": "텔레그램",
    "slack": "슬랙",
    "mailto": "메일",
    "mailtos": "메일",
    "discord": "디스코드",
    "json": "웹훅",
    "jsons": "웹훅",
    "ntfy": "ntfy",
    "ntfys": "ntfy",
    "pover": "Pushover",
    "gotify": "Gotify",
    "gotifys": "Gotify",
    "line": "LINE",
    "msteams": "Teams",
}


def read_addresses(text: str) -> tuple[str, ...]:
    """Split the addresses. Raises ValueError with a Korean sentence that repeats none of them."""
    found = []
    for place, part in enumerate(filter(None, BETWEEN.split(text.strip(" ,\t"))), start=1):
        if not ADDRESS.fullmatch(part) or any(letter.isspace() for letter in part):
            raise ValueError(
                f"NOTIFY_URLS의 {place}번째 주소를 읽을 수 없습니다. '서비스://…' 모양이어야 하고, 여러 개는 쉼표로 잇습니다. "
                "쓰는 법은 docs/alerts.md에 있습니다."
            )
        found.append(part)
    return tuple(dict.fromkeys(found))


def scheme_of(url: str) -> str:
    return url.partition("://")[0].lower()


def service_names(urls: Sequence[str]) -> list[str]:
    """Name the service of each address, numbered where there are several of one."""
    names = [SERVICES.get(scheme_of(url), scheme_of(url)) for url in urls]
    return [
        f"{name} {names[: place + 1].count(name)}" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]


@cache
def secrets_in(urls: tuple[str, ...]) -> tuple[str, ...]:
    """Return what must not be repeated of addresses: each as a whole, and whatever in it may be a token."""
    pieces = {
        piece
        for url in urls
        for piece in PIECES.split(url.partition("://")[2])
        if len(piece) >= SHORTEST_PIECE and not HOST.fullmatch(piece)
    }
    return tuple(sorted({*urls, *pieces}, key=len, reverse=True))
