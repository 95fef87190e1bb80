"""The only websocket of the client: plain text frames, a time limit on every wait."""

import logging
from contextlib import ExitStack
from typing import Protocol

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from kis.client.errors import KisUnreachable

WEBSOCKET = "websocket"  # in messages, where a call has its TR id
CLOSE_SECONDS = 1.0
MAX_FRAME_BYTES = 1_000_000
# On DEBUG the library would write every frame to the log, and with it the approval key.
quiet = logging.getLogger(f"{__name__}.frames")
quiet.setLevel(logging.WARNING)


class Channel(Protocol):
    """An open connection."""

    def send(self, text: str) -> None:
        """Send one frame. Raises KisUnreachable once the connection is gone."""

    def receive(self, *, timeout_seconds: float) -> str | None:
        """Return the next frame, None if none came in time. Raises KisUnreachable once the connection is gone."""

    def close(self) -> None:
        """End the connection; ends in about a second whatever the other side does."""


class WebSocket:
    """A connection to the broker: no compression, no proxy from the environment, no pings but the broker's own."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        """Connect. Raises KisUnreachable."""
        self.stack = ExitStack()
        try:
            self.socket = self.stack.enter_context(
                connect(
                    url,
                    compression=None,
                    proxy=None,
                    open_timeout=timeout_seconds,
                    close_timeout=CLOSE_SECONDS,
                    ping_interval=None,
                    max_size=MAX_FRAME_BYTES,
                    user_agent_header=None,
                    logger=quiet,
                )
            )
        except TimeoutError:
            raise KisUnreachable("시간 안에 연결되지 않습니다", tr_id=WEBSOCKET) from None
        except (OSError, WebSocketException):
            raise KisUnreachable("연결하지 못했습니다", tr_id=WEBSOCKET) from None

    def send(self, text: str) -> None:
        """Send one frame. Raises KisUnreachable once the connection is gone."""
        try:
            self.socket.send(text)
        except (OSError, WebSocketException):
            raise KisUnreachable("연결이 끊겼습니다", tr_id=WEBSOCKET) from None

    def receive(self, *, timeout_seconds: float) -> str | None:
        """Return the next frame, None if none came in time. Raises KisUnreachable once the connection is gone."""
        try:
            return self.socket.recv(timeout_seconds, decode=False).decode(errors="replace")
        except TimeoutError:
            return None
        except (OSError, WebSocketException):
            raise KisUnreachable("연결이 끊겼습니다", tr_id=WEBSOCKET) from None

    def close(self) -> None:
        self.stack.close()
