"""One HTTP exchange with a model: one deadline for all of it, no redirect, a limit to its size, and no key in what is kept.

Both libraries of Google send through this, each by its own means: what they wait for by themselves begins anew with every
byte, they follow redirects with the key in their hands, and read whatever comes.
"""

import io
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import requests
import urllib3

from ai.providers import Failure, ProviderFailed
from kis.client.transport import CONNECT_SECONDS, DeadlineAdapter

#: An answer of 8,000 tokens is below 100 kB.
MAX_REPLY_BYTES: Final = 400_000
LONGEST_TEXT_KEPT: Final = 20_000
DEEPEST_KEPT: Final = 30
LONGEST_WAIT: Final = 86_400
HIDDEN: Final = "****"
KINDS: Final[Mapping[int, Failure]] = {
    HTTPStatus.UNAUTHORIZED: Failure.REFUSED_KEY,
    HTTPStatus.FORBIDDEN: Failure.REFUSED_KEY,
    HTTPStatus.NOT_FOUND: Failure.UNKNOWN_MODEL,
}


class OneExchange(DeadlineAdapter):
    """Sends one request of a library, until `ends_at` of the monotonic clock, and remembers what came back."""

    def __init__(self, ends_at: float) -> None:
        super().__init__(max_retries=0)
        self.ends_at = ends_at
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self.body = b""

    def send(  # noqa: PLR0917  # the signature of requests
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: bool | str = True,
        cert: object = None,
        proxies: object = None,
    ) -> requests.Response:
        """Send once. Raises ProviderFailed where no whole answer arrived in time."""
        del stream, timeout, cert, proxies
        if self.status is not None:  # refused, and the library would try again
            raise failure_of(self, model="")
        try:
            return self.whole(request, verify=verify)
        # `from None`: the original texts hold addresses, and would be shown with the error.
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
            raise ProviderFailed("제한 시간 안에 AI의 응답이 없었습니다.", Failure.TIMEOUT) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError):
            raise ProviderFailed("AI 서버에 연결하지 못했습니다.", Failure.NO_NETWORK) from None

    def whole(self, request: requests.PreparedRequest, *, verify: bool | str) -> requests.Response:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, left / 2), read=left, total=left)
        response = super().send(request, stream=True, timeout=timeout, verify=verify)  # type: ignore[arg-type]
        with response:
            if 300 <= response.status_code < 400:  # noqa: PLR2004  # redirects
                raise ProviderFailed(
                    "AI 서버가 다른 주소로 넘기려고 해서 따르지 않았습니다.", Failure.REDIRECTED
                )
            body = bytearray()
            while chunk := response.raw.read1(65536, decode_content=True):
                body += chunk
                if len(body) > MAX_REPLY_BYTES:
                    raise ProviderFailed("AI의 응답이 너무 커서 읽지 않았습니다.", Failure.TOO_LARGE)
        self.status, self.headers, self.body = response.status_code, response.headers, bytes(body)
        response.raw = io.BytesIO(self.body)
        for name in ("Content-Encoding", "Transfer-Encoding", "Content-Length"):
            response.headers.pop(name, None)  # of the body as it travelled
        return response

    def reply_json(self) -> dict[str, Any] | None:
        """Return the object that came back, or None for anything else."""
        try:
            data = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return data if isinstance(data, dict) else None


# --- what went wrong ---------------------------------------------------------------------------------------------------


def failure_of(exchange: OneExchange, *, model: str) -> ProviderFailed:
    """Return what the status and the body of an exchange say, after a library has refused to read them."""
    data, status = exchange.reply_json(), exchange.status
    error = data.get("error") if data else None
    error = error if isinstance(error, dict) else {}
    seconds = retry_after(exchange.headers, error) if status == HTTPStatus.TOO_MANY_REQUESTS else None
    kind = kind_of(status, data, error)
    reasons = {
        Failure.RATE_LIMITED: "Gemini 사용 한도를 넘었습니다(429)."
        + (f" {seconds}초 뒤에 다시 물을 수 있습니다." if seconds else ""),
        Failure.UNAVAILABLE: f"Gemini 서버가 지금 답하지 못합니다({status}).",
        Failure.NOT_THE_API: (
            "Gemini API가 아닌 곳에서 답이 왔습니다. 네트워크나 GEMINI_BASE_URL을 확인해 주세요."
        ),
        Failure.REFUSED_KEY: "Gemini가 API 키를 받아들이지 않았습니다. GEMINI_API_KEY와 그 키의 제한을 확인해 주세요.",
        Failure.UNKNOWN_MODEL: f"모델 {model}을(를) 찾을 수 없습니다. GEMINI_MODEL을 확인해 주세요.",
        Failure.UNEXPECTED: f"Gemini의 응답을 쓸 수 없습니다({status or '보내지 못함'}).",
    }
    return ProviderFailed(reasons[kind], kind, raw=data, retry_after=seconds)


def kind_of(status: int | None, data: Mapping[str, Any] | None, error: Mapping[str, Any]) -> Failure:
    if status is None:
        return Failure.UNEXPECTED
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Failure.RATE_LIMITED
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Failure.UNAVAILABLE
    if data is None:
        return Failure.NOT_THE_API
    if says(error, "API_KEY_INVALID"):
        return Failure.REFUSED_KEY
    return KINDS.get(status, Failure.UNEXPECTED)


def says(error: Mapping[str, Any], reason: str) -> bool:
    """Return whether the details of an error name this reason."""
    details = error.get("details")
    return isinstance(details, list) and any(
        isinstance(detail, dict) and detail.get("reason") == reason for detail in details
    )


def retry_after(headers: Mapping[str, str], error: Mapping[str, Any]) -> int | None:
    """Return the seconds to wait, from the header or from the details of the error, at most a day."""
    details = error.get("details")
    told = [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []
    texts = [str(headers.get("Retry-After", "")), *(str(detail.get("retryDelay", "")) for detail in told)]
    waits = [seconds for text in texts if (seconds := seconds_of(text.strip())) is not None]
    return max(waits) if waits else None


def seconds_of(text: str) -> int | None:
    """Read `37`, `37.5s` or a date of HTTP."""
    figure = text.removesuffix("s")
    if figure.replace(".", "", 1).isdecimal() and figure.isascii() and len(figure) < 12:  # noqa: PLR2004
        return min(LONGEST_WAIT, -int(-float(figure) // 1))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        return None
    left = (until - datetime.now(tz=UTC)).total_seconds()
    return min(LONGEST_WAIT, max(0, int(left)))


# --- what is kept ------------------------------------------------------------------------------------------------------


def storable(value: Any, *, key: str, depth: int = 0) -> Any:  # noqa: ANN401  # JSON
    """Return JSON as any database takes it: no key of ours, no NUL, no half characters, nothing endless."""
    if depth > DEEPEST_KEPT:
        return None
    if isinstance(value, str):
        text = value.replace(key, HIDDEN) if key else value
        text = text.replace("\0", "").encode("utf-8", "replace").decode()
        return text if len(text) <= LONGEST_TEXT_KEPT else text[:LONGEST_TEXT_KEPT] + "…"
    if isinstance(value, Mapping):
        return {
            storable(str(name), key=key): storable(item, key=key, depth=depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [storable(item, key=key, depth=depth + 1) for item in value]
    if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124
        return None
    return value
