"""The websocket of the simulated broker: one port per host, any path, plain."""

import asyncio
import contextlib
import json
from collections.abc import Callable

from starlette.types import Message, Receive, Scope, Send

from kis.client.codes import Mode
from kis.simulator.errors import CannotStart
from kis.simulator.faults import Faults, reshape
from kis.simulator.gateway import Gateway
from kis.simulator.realtime_hub import Frame, Hub, Line

HANG_MS = 60_000
GARBAGE = '{"header":{"tr_id":"'
UPGRADE_REQUIRED = 426


class Feed:
    """The ASGI application of one websocket port."""

    def __init__(self, hub: Hub, mode: Mode, *, gateway: Gateway, faults: Faults, latency: float) -> None:
        self.hub = hub
        self.mode: Mode = mode
        self.gateway = gateway
        self.faults = faults
        self.latency = latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport: asyncio.Transport = scope["state"]["transport"]
        if scope["type"] != "websocket":
            await send({"type": "http.response.start", "status": UPGRADE_REQUIRED, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await receive()
        await send({"type": "websocket.accept"})
        line = self.hub.join(self.mode)
        writing = asyncio.create_task(self._write(line, send, transport))
        try:
            await self._read(line, receive)
        except asyncio.CancelledError:
            # The simulator stops: nothing is left to be said to this client.
            transport.abort()
        finally:
            self.hub.leave(line)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _read(self, line: Line, receive: Receive) -> None:
        loop = asyncio.get_running_loop()
        while (message := await receive())["type"] != "websocket.disconnect":
            # Later, not slower: the latency of one request does not hold up the next.
            loop.call_later(self.latency, self._answer, line, _text(message))

    def _answer(self, line: Line, text: str) -> None:
        self.hub.receive(line, text, before=self._trouble_before)

    def _trouble_before(self, tr_id: str) -> bool:
        """Let a fault strike before a request is carried out; returns whether the connection is dropped instead."""
        fault = self.faults.take(tr_id, "before")
        if fault is None:
            return False
        if fault.kind == "token_expired":
            self.gateway.age_approvals()
            return False
        return True

    async def _write(self, line: Line, send: Send, transport: asyncio.Transport) -> None:
        # OSError: the client is gone, and the reading side finds out by itself.
        with contextlib.suppress(OSError):
            while (frame := await line.outbox.get()) is not None and await self._send(frame, send):
                pass
        line.drop()
        transport.close()

    async def _send(self, frame: Frame, send: Send) -> bool:
        """Send one frame, or what a fault makes of it; returns whether the connection goes on."""
        text = frame.text
        if text.startswith("{") and (faults := self.faults.take_all(frame.name, "shape")):
            text = json.dumps(reshape(json.loads(text), faults), ensure_ascii=False)
        fault = self.faults.take(frame.name, "after")
        if fault is None:
            await send({"type": "websocket.send", "text": text})
            return True
        if fault.kind == "hang_after":
            # Still connected, but silent: neither this frame nor any after it, no PINGPONG.
            await asyncio.sleep(fault.delay_seconds(default_ms=HANG_MS))
            return False
        await asyncio.sleep(fault.delay_seconds())
        spoilt = {"truncate": text[: len(text) // 2], "bad_json": GARBAGE}
        await send({"type": "websocket.send", "text": spoilt.get(fault.kind, text)})
        return fault.kind != "reset_after"


def _text(message: Message) -> str:
    text = message.get("text")
    return text if isinstance(text, str) else bytes(message.get("bytes") or b"").decode(errors="replace")


async def keep_looking(hub: Hub, *, save: Callable[[], None]) -> None:
    """Let the market go on while somebody listens, and keep what it changes."""
    while True:
        await hub.has_lines.wait()
        hub.look()
        # A disk that cannot be written is the next request's error; the feed goes on meanwhile.
        with contextlib.suppress(CannotStart):
            save()
        await asyncio.sleep(hub.rhythm.look)
