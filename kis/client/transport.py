"""The only socket of the client: one HTTP call with a total deadline and no redirects."""

import http.client
import io
import socket
import ssl
import time
from typing import TYPE_CHECKING, Protocol

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from kis.client.errors import KisUnreachable
from kis.client.protocol import RawReply, Request

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CONNECT_SECONDS = 5.0
MAX_BODY_BYTES = 20_000_000


class Transport(Protocol):
    """Sends one request and returns what came back."""

    def send(self, request: Request, *, timeout_seconds: float) -> RawReply:
        """Send once. Raises KisUnreachable when no whole answer arrived within `timeout_seconds`."""


class DeadlineReader(io.RawIOBase):
    """Reads a socket until a deadline.

    The timeout of a socket begins anew with every byte that arrives, so that a server dripping its headers or its body
    never runs into it; here every read is given what is left of the whole.
    """

    def __init__(self, connection: socket.socket, ends_at: float) -> None:
        self.connection = connection
        self.ends_at = ends_at
        # A file rather than the socket: it keeps the socket open until the reply is read, whoever closes the connection.
        self.source = connection.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.connection.settimeout(left)
        return self.source.readinto(buffer)

    def close(self) -> None:
        self.source.close()
        super().close()


class DeadlineResponse(http.client.HTTPResponse):
    """A reply of which all, from the status line to the last byte, must be there within one timeout of the socket."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()
        ends_at = time.monotonic() + (sock.gettimeout() or 0.0)
        self.fp = io.BufferedReader(DeadlineReader(sock, ends_at))


class PunctualConnection(HTTPConnection):
    """Lets no request leave once connecting has taken longer than its timeout.

    That timeout begins anew with every address of a host, and does not count the time its name takes to look up.
    """

    response_class = DeadlineResponse

    def connect(self) -> None:
        ends_at = time.monotonic() + (self.timeout or 0.0)
        super().connect()
        if time.monotonic() > ends_at:
            self.close()
            raise urllib3.exceptions.ConnectTimeoutError(self, "too late")


class DeadlineConnection(PunctualConnection):
    pass


class DeadlineTlsConnection(PunctualConnection, HTTPSConnection):
    pass


class DeadlinePool(urllib3.HTTPConnectionPool):
    ConnectionCls = DeadlineConnection


class DeadlineTlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = DeadlineTlsConnection


class DeadlineAdapter(HTTPAdapter):
    """Makes `requests` use these connections."""

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **options: object
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": DeadlinePool, "https": DeadlineTlsPool}


class NoRedirects(requests.Session):
    """Even one that is not followed would be looked at, its body read without a limit and its address believed."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        del resp


class HttpTransport:
    """`requests` without its conveniences: no retries, no redirects, no proxy or .netrc from the environment."""

    def __init__(self) -> None:
        self.http = NoRedirects()
        # A .netrc entry would replace our Authorization header.
        self.http.trust_env = False
        for scheme in ("http://", "https://"):
            self.http.mount(scheme, DeadlineAdapter())

    def close(self) -> None:
        self.http.close()

    def send(self, request: Request, *, timeout_seconds: float) -> RawReply:
        """Send once. Raises KisUnreachable when no whole answer arrived within `timeout_seconds`."""
        # Connecting and the TLS handshake may take this long each; the reply gets what they leave of the total.
        connect_seconds = min(CONNECT_SECONDS, timeout_seconds / 2)
        timeout = urllib3.Timeout(connect=connect_seconds, read=timeout_seconds, total=timeout_seconds)
        try:
            with self.http.request(
                request.method,
                request.url,
                params=dict(request.params) or None,
                json=request.body,
                headers=dict(request.headers),
                timeout=timeout,  # type: ignore[arg-type]  # requests hands it to urllib3 as it is
                allow_redirects=False,
                stream=True,
            ) as response:
                body = bytearray()
                # `iter_content` would wait for whole chunks; `read1` returns what is there.
                while chunk := response.raw.read1(65536, decode_content=True):
                    body += chunk
                    if len(body) > MAX_BODY_BYTES:
                        raise KisUnreachable("응답이 너무 큽니다", tr_id=request.tr_id)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return RawReply(status=response.status_code, headers=headers, body=bytes(body))
        # `from None`: the original text holds the address with the account number in its query.
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise KisUnreachable(
                "시간 안에 응답이 없습니다", tr_id=request.tr_id, never_sent=is_before_connection(error)
            ) from None
        except requests.exceptions.SSLError as error:
            raise KisUnreachable(
                "안전한 연결(TLS)을 맺지 못했습니다",
                tr_id=request.tr_id,
                never_sent=is_before_connection(error),
            ) from None
        except requests.ConnectionError as error:
            raise KisUnreachable(
                "연결하지 못했거나 연결이 끊겼습니다",
                tr_id=request.tr_id,
                never_sent=is_before_connection(error),
            ) from None
        # A ValueError: keys that are no header, an address that is none.
        except (requests.RequestException, ValueError):
            raise KisUnreachable("요청을 보내지 못했습니다", tr_id=request.tr_id) from None
        # While the body is read, `urllib3` speaks for itself.
        except (urllib3.exceptions.HTTPError, OSError):
            raise KisUnreachable("응답이 중간에 끊겼습니다", tr_id=request.tr_id) from None


def is_before_connection(error: Exception) -> bool:
    """Return whether an error proves that no connection came about: no address, refused, or a wrong certificate.

    `requests` wraps what `urllib3` says; anything it does not say plainly may have happened after the request left.
    """
    cause = error.args[0] if error.args else None
    if isinstance(cause, urllib3.exceptions.MaxRetryError):
        cause = cause.reason
    if isinstance(cause, urllib3.exceptions.SSLError):
        cause = cause.args[0] if cause.args else None
    return isinstance(
        cause,
        urllib3.exceptions.NewConnectionError
        | urllib3.exceptions.ConnectTimeoutError
        | ssl.SSLCertVerificationError,
    )
