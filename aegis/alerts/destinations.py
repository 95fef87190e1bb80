"""Where alerts go: the addresses of the settings, each by a name and a fingerprint that tell nothing of it."""

from dataclasses import dataclass, field

from django.conf import settings
from django.utils.crypto import salted_hmac

from aegis.alerts.addresses import service_names


@dataclass(frozen=True, slots=True)
class Destination:
    """One address. `key` stands for it in tables: whoever reads them can neither use it nor guess at it."""

    key: str
    service: str
    url: str = field(repr=False)


def destinations() -> list[Destination]:
    """Return the destinations of the settings in their order."""
    urls = settings.NOTIFY_URLS
    return [
        Destination(key_of(url), service, url) for url, service in zip(urls, service_names(urls), strict=True)
    ]


def key_of(url: str) -> str:
    return salted_hmac("aegis.alerts.destination", url, algorithm="sha256").hexdigest()[:16]
