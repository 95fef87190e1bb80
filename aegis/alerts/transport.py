"""Hand a message to a service through apprise; the only place that knows it, and nothing of an address gets out of here."""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

logger = logging.getLogger(__name__)

#: Short: several destinations are served one after the other, and a minute is soon over.
CONNECT_SECONDS, READ_SECONDS = 4.0, 10.0
NOT_UNDERSTOOD: Final = "주소를 알아볼 수 없습니다."
NO_ANSWER: Final = "연결하지 못했거나 답이 없습니다."
REFUSED: Final = "서비스가 받지 않았습니다"
STATUS: Final = re.compile(r"\berror=(\d{3})\b")


def can_be_understood(url: str) -> bool:
    """Return whether apprise knows the service and finds everything it needs in an address; asks nobody."""
    with listening():
        return plugin_of(url) is not None


def deliver(url: str, *, title: str, text: str) -> str:
    """Send a message; returns an empty text where the service took it, and a Korean reason otherwise. Never raises.

    Without an empty text nobody knows: a service that answered too late may have shown it to the owner.
    """
    import apprise  # noqa: PLC0415  # heavy

    with listening() as heard:
        try:
            plugin = plugin_of(url)
            if plugin is None:
                return NOT_UNDERSTOOD
            # Of the address, or ours: a service that hangs must not hold up the others.
            plugin.socket_connect_timeout = min(plugin.socket_connect_timeout, CONNECT_SECONDS)
            plugin.socket_read_timeout = min(plugin.socket_read_timeout, READ_SECONDS)
            # Not by itself: only this turns plain text into what the service shows, line breaks and & of HTML included.
            everybody = apprise.Apprise(plugin, asset=plugin.asset)
            taken = everybody.notify(
                body=text,
                title=title,
                body_format=apprise.NotifyFormat.TEXT,
                notify_type=apprise.NotifyType.INFO,
            )
        except Exception as error:  # noqa: BLE001  # services fail in ways of their own, whose texts hold the address
            logger.warning("A notification service failed: %s", type(error).__name__)
            return NO_ANSWER
    if taken:
        return ""
    status = next((found[1] for text in heard for found in STATUS.finditer(text)), "")
    return f"{REFUSED} (응답 {status})." if status else NO_ANSWER


def plugin_of(url: str):  # type: ignore[no-untyped-def]  # noqa: ANN201  # a class of apprise's, which differs by service
    """Return what sends to an address, None where apprise does not understand it."""
    import apprise  # noqa: PLC0415  # heavy

    asset = apprise.AppriseAsset(
        app_id="AEGIS",
        app_desc="AEGIS",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
        async_mode=False,  # in this thread, where `listening` hears it
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        http_redirects=False,  # another host must not get the message
    )
    return apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Hear what apprise says in this thread, and let nobody else: its sentences may hold an address."""
    heard: list[str] = []
    ear = Ear(heard, threading.get_ident())
    source = logging.getLogger("apprise")
    source.addHandler(ear)
    try:
        yield heard
    finally:
        source.removeHandler(ear)


class Ear(logging.Handler):
    def __init__(self, heard: list[str], thread: int) -> None:
        super().__init__(logging.WARNING)
        self.heard = heard
        self.thread = thread

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread:
            self.heard.append(record.getMessage())
