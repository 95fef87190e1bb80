"""A port of the simulator: bound before it is served, and able to refuse connections for a while."""

import asyncio
import socket
from typing import Literal

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from kis.simulator.errors import CannotStart

ROUNDS_TO_CLOSE = 12
LONGEST_MESSAGE = 65_536


class Connection(H11Protocol):
    """Uvicorn's HTTP/1.1 protocol, which hands its transport to the application for faults on the line."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        self.app_state = {"transport": transport}
        super().connection_made(transport)


class Listener:
    """One listening port on the running event loop, which can stop and go on listening."""

    def __init__(
        self, app: ASGIApp, bound: socket.socket, *, ws: Literal["none", "websockets-sansio"]
    ) -> None:
        self._config = uvicorn.Config(
            app,
            http="h11",
            ws=ws,
            # The broker has its own PINGPONG, and compresses nothing.
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            ws_max_size=LONGEST_MESSAGE,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
        self._config.load()
        self._state = ServerState()
        self._bound = bound
        self._address = bound.getsockname()
        self._server: asyncio.Server | None = None
        self._reopening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        # Known here before it serves: whoever cancels an opening has to find what there is to close.
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(config=self._config, server_state=self._state, app_state={}),
            sock=self._bound,
            backlog=self._config.backlog,
            start_serving=False,
        )
        await self._server.start_serving()

    def refuse_for(self, seconds: float) -> None:
        """Stop listening: the system refuses connections to this port until it listens again."""
        if self._reopening is not None:
            self._reopening.cancel()
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._state.connections):
            connection.shutdown()  # the running request still gets its answer
        self._reopening = asyncio.get_running_loop().create_task(self._reopen(seconds))

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._bound = bind(self._address[0], self._address[1])
        await self.open()

    async def close(self) -> None:
        """Close the port and every connection; requests still running are given up."""
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.gather(self._reopening, return_exceptions=True)
        listening = self._server.sockets if self._server is not None else ()
        for bound in listening:
            asyncio.get_running_loop().remove_reader(bound.fileno())
        # A connection accepted a moment ago shows up only in the next rounds of the loop, and is lost without a
        # word if the server is closed before.
        for _ in range(ROUNDS_TO_CLOSE):
            for connection in list(self._state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
            tasks = list(self._state.tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()


def bind(host: str, port: int) -> socket.socket:
    """Take a port; who calls it waits until somebody serves it. Raises CannotStart."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns off Nagle only then; every reply would wait 40 ms for an ACK.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        # Until one of them listens, two sockets may share a port that may be used again.
        bound.listen()
    except (OSError, OverflowError) as error:
        bound.close()
        raise CannotStart(_why_not_bound(host, port, error)) from None
    return bound


def _why_not_bound(host: str, port: int, error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"--host 주소를 알 수 없습니다: {host}"
    if isinstance(error, PermissionError):
        return f"{port}번 포트를 열 권한이 없습니다. 1024 이상의 포트를 지정해 주세요."
    return f"{host}의 {port}번 포트를 쓸 수 없습니다. 이미 쓰이고 있는지 확인하시거나 다른 포트(0은 자동)를 지정해 주세요."
