"""Who can be asked for a diagnosis: one small interface, and a reason in Korean when there is no answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Purpose(StrEnum):
    """What is asked for: words about the whole account, or about one stock of it."""

    PORTFOLIO = "portfolio"
    HOLDING = "holding"


class Failure(StrEnum):
    """Why there is no answer, as the books keep it."""

    NOT_CONFIGURED = "not_configured"
    REFUSED_KEY = "refused_key"  # 400 API_KEY_INVALID, 401, 403
    RATE_LIMITED = "rate_limited"  # 429
    UNAVAILABLE = "unavailable"  # 5xx
    TIMEOUT = "timeout"
    NO_NETWORK = "no_network"
    UNKNOWN_MODEL = "unknown_model"  # 404, and the alias did not help either
    BLOCKED = "blocked"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"  # JSON, but not what was asked for
    TOO_LARGE = "too_large"
    REDIRECTED = "redirected"
    NOT_THE_API = "not_the_api"  # a web page where the API should be
    UNEXPECTED = "unexpected"


class ProviderFailed(Exception):
    """There is no usable answer; `reason` is a Korean sentence for the owner and repeats no key.

    `raw` is what came back, as far as it may be kept, and `tokens` what it has cost all the same. `retry_after` are the
    seconds that the other side asked us to wait.
    """

    def __init__(
        self,
        reason: str,
        kind: Failure,
        *,
        raw: Mapping[str, Any] | None = None,
        tokens: int = 0,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.raw = dict(raw or {})
        self.tokens = tokens
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `model` is the one that gave it, which need not be the one that was asked.

    `request_json` and `raw_json` are what went out and came back, without a key. `note` is a Korean sentence where
    something was done differently than configured, as when a retired model gave way to the alias.
    """

    text: str
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    request_json: Mapping[str, Any] = field(default_factory=dict)
    raw_json: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


class Provider(Protocol):
    """Asks a model once, within the time given. Raises ProviderFailed, and nothing else."""

    name: str

    def request_json(self, payload_json: str, *, purpose: Purpose) -> Mapping[str, Any]:
        """Return exactly what `ask` would send, for the dry run and for the books; needs no key and no network."""

    def ask(self, payload_json: str, *, purpose: Purpose, timeout_seconds: float) -> Reply:
        """Ask. `timeout_seconds` is for everything together, a second model included."""
