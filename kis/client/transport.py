"""The only socket of the client: one HTTP call with a timeout, a total deadline, and no redirects."""

import time
from collections.abc import Callable
from typing import Protocol

import requests
import urllib3

from kis.client.errors import KisUnreachable
from kis.client.protocol import RawReply, Request

CONNECT_SECONDS = 5.0
MAX_BODY_BYTES = 20_000_000


class Transport(Protocol):
    """Sends one request and returns what came back."""

    def send(self, request: Request, *, timeout_seconds: float) -> RawReply:
        """Send once. Raises KisUnreachable when no whole answer arrived within `timeout_seconds`."""


class HttpTransport:
    """`requests` without its conveniences: no retries, no redirects, no proxy or .netrc from the environment."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.http = requests.Session()
        # A .netrc entry would replace our Authorization header.
        self.http.trust_env = False
        self.monotonic = monotonic

    def close(self) -> None:
        self.http.close()

    def send(self, request: Request, *, timeout_seconds: float) -> RawReply:
        """Send once. Raises KisUnreachable when no whole answer arrived within `timeout_seconds`."""
        ends_at = self.monotonic() + timeout_seconds
        try:
            with self.http.request(
                request.method,
                request.url,
                params=dict(request.params) or None,
                json=request.body,
                headers=dict(request.headers),
                timeout=(min(CONNECT_SECONDS, timeout_seconds), timeout_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = bytearray()
                # The timeout of `requests` counts from byte to byte, and `iter_content` waits for whole chunks; `read1`
                # returns what is there, so that a slow drip cannot outlive the deadline.
                while chunk := response.raw.read1(65536, decode_content=True):
                    body += chunk
                    if self.monotonic() > ends_at:
                        raise KisUnreachable("응답이 너무 느립니다", tr_id=request.tr_id)
                    if len(body) > MAX_BODY_BYTES:
                        raise KisUnreachable("응답이 너무 큽니다", tr_id=request.tr_id)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return RawReply(status=response.status_code, headers=headers, body=bytes(body))
        # `from None`: the original text holds the address with the account number in its query.
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise KisUnreachable("시간 안에 응답이 없습니다", tr_id=request.tr_id) from None
        except requests.exceptions.SSLError:
            raise KisUnreachable("안전한 연결(TLS)을 맺지 못했습니다", tr_id=request.tr_id) from None
        except requests.ConnectionError:
            raise KisUnreachable("연결하지 못했거나 연결이 끊겼습니다", tr_id=request.tr_id) from None
        except requests.RequestException:
            raise KisUnreachable("요청을 보내지 못했습니다", tr_id=request.tr_id) from None
        # While the body is read, `urllib3` speaks for itself.
        except (urllib3.exceptions.HTTPError, OSError):
            raise KisUnreachable("응답이 중간에 끊겼습니다", tr_id=request.tr_id) from None
