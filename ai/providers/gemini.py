"""Gemini, whichever of Google's libraries speaks to it: what is sent, how long, and what an answer has to be."""

import logging
import re
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from ai.answers import NotAnAnswer, read_answer
from ai.prompts import Prompt, prompt_for
from ai.providers import Failure, ProviderFailed, Purpose, Reply
from ai.providers.wire import OneExchange, failure_of, storable

logger = logging.getLogger(__name__)

#: Google keeps this name pointing at a model that exists.
ALIAS: Final = "gemini-flash-latest"
GOOGLE: Final = "https://generativelanguage.googleapis.com"
LOOPBACK: Final = {"127.0.0.1", "::1", "localhost"}
MODEL_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,79}")
TEMPERATURE: Final = 0.2
#: What a model thinks before it speaks counts as well; the answer itself is below a tenth of this.
MAX_OUTPUT_TOKENS: Final = 16_384
#: Less than this is not worth a second try with the alias.
LEAST_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a library has read: `finish` and `blocked` are names of the API, empty where it gave none."""

    text: str
    finish: str
    blocked: str
    tokens_in: int
    tokens_total: int
    version: str


class Gemini(ABC):
    """Asks Gemini once; a model that no longer exists gives way to the alias, and the reply says so."""

    name: str

    def __init__(self, *, key: str, model: str = ALIAS, base_url: str = "") -> None:
        self.key = key
        self.model = model.removeprefix("models/")
        self.base_url = base_url.rstrip("/") or GOOGLE

    def request_json(self, payload_json: str, *, purpose: Purpose) -> Mapping[str, Any]:
        """Return exactly what `ask` would send, for the dry run and for the books; needs no key and no network."""
        return request_of(prompt_for(payload_json, purpose=purpose))

    def ask(self, payload_json: str, *, purpose: Purpose, timeout_seconds: float) -> Reply:
        """Ask. `timeout_seconds` is for everything together, a second model included. Raises ProviderFailed."""
        ends_at = time.monotonic() + timeout_seconds
        self.refuse_nonsense()
        request = self.request_json(payload_json, purpose=purpose)
        try:
            return self.ask_model(self.model, request, ends_at=ends_at)
        except ProviderFailed as failed:
            left = ends_at - time.monotonic()
            if failed.kind is not Failure.UNKNOWN_MODEL or self.model == ALIAS or left < LEAST_SECONDS:
                raise
        note = f"모델 {self.model}이(가) 없어 {ALIAS}에 물었습니다. GEMINI_MODEL을 바꿔 주세요."
        return self.ask_model(ALIAS, request, ends_at=ends_at, note=note)

    def refuse_nonsense(self) -> None:
        """Raise ProviderFailed for settings that no request can be made of."""
        if not self.key:
            raise ProviderFailed("GEMINI_API_KEY가 없습니다.", Failure.NOT_CONFIGURED)
        if not self.key.isascii() or not self.key.isprintable() or " " in self.key:
            raise ProviderFailed("GEMINI_API_KEY에 쓸 수 없는 글자가 있습니다.", Failure.NOT_CONFIGURED)
        if not MODEL_NAME.fullmatch(self.model):
            raise ProviderFailed("GEMINI_MODEL 값을 쓸 수 없습니다.", Failure.NOT_CONFIGURED)
        if self.base_url != GOOGLE and not is_loopback(self.base_url):
            raise ProviderFailed(
                "GEMINI_BASE_URL에는 이 컴퓨터의 주소(http://127.0.0.1:포트)만 쓸 수 있습니다.",
                Failure.NOT_CONFIGURED,
            )

    def ask_model(self, model: str, request: Mapping[str, Any], *, ends_at: float, note: str = "") -> Reply:
        exchange = OneExchange(ends_at)
        try:
            # Both libraries warn of what their user cannot change: their own end, or a finish reason of next year.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                outcome = self.send(model, request, exchange)
        except ProviderFailed as failed:
            raise self.told(failed) from None
        # Whatever the library calls it; its texts hold addresses and whole bodies, so what was received decides.
        except Exception as error:  # noqa: BLE001
            logger.info("%s: %s after status %s", self.name, type(error).__name__, exchange.status)
            raise self.told(failure_of(exchange, model=model)) from None
        finally:
            exchange.close()
        if (reply := exchange.reply_json()) is None:  # a library may take a page for an answer without a word
            raise failure_of(exchange, model=model)
        raw = storable(reply, key=self.key)
        tokens_out = max(outcome.tokens_total - outcome.tokens_in, 0)
        refuse_unusable(outcome, raw=raw)
        return Reply(
            text=outcome.text,
            model=outcome.version if MODEL_NAME.fullmatch(outcome.version) else model,
            tokens_in=outcome.tokens_in,
            tokens_out=tokens_out,
            request_json=request,
            raw_json=raw,
            note=note,
        )

    def told(self, failed: ProviderFailed) -> ProviderFailed:
        """Return a failure whose reply may be kept."""
        failed.raw = storable(failed.raw, key=self.key)
        return failed

    @abstractmethod
    def send(self, model: str, request: Mapping[str, Any], exchange: OneExchange) -> Outcome:
        """Send a request through the library. Raises ProviderFailed, or whatever the library raises."""


def request_of(prompt: Prompt) -> dict[str, Any]:
    """Return a request as the REST API has it."""
    return {
        "systemInstruction": {"parts": [{"text": prompt.system}]},
        "contents": [{"role": "user", "parts": [{"text": prompt.user}]}],
        "generationConfig": {
            "temperature": TEMPERATURE,
            "maxOutputTokens": MAX_OUTPUT_TOKENS,
            "responseMimeType": "application/json",
            "responseSchema": prompt.schema,
        },
    }


def is_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme == "http"
            and parts.hostname in LOOPBACK
            and bool(parts.port)
            and not (parts.username or parts.path or parts.query or parts.fragment)
        )
    except ValueError:
        return False


def refuse_unusable(outcome: Outcome, *, raw: Mapping[str, Any]) -> None:
    """Raise ProviderFailed unless a model has finished an answer of the shape that was asked for."""
    tokens = max(outcome.tokens_total, outcome.tokens_in)
    if outcome.blocked:
        raise ProviderFailed(
            "Gemini가 안전 기준을 이유로 질문을 막았습니다.", Failure.BLOCKED, raw=raw, tokens=tokens
        )
    if outcome.finish == "MAX_TOKENS":
        raise ProviderFailed("AI의 응답이 중간에 끊겼습니다.", Failure.TRUNCATED, raw=raw, tokens=tokens)
    if outcome.finish not in {"", "STOP", "FINISH_REASON_UNSPECIFIED"}:
        raise ProviderFailed(
            "Gemini가 안전 기준 등을 이유로 답을 마치지 않았습니다.", Failure.BLOCKED, raw=raw, tokens=tokens
        )
    if not outcome.text.strip():
        raise ProviderFailed("AI가 빈 응답을 보냈습니다.", Failure.EMPTY, raw=raw, tokens=tokens)
    if outcome.finish != "STOP":
        raise ProviderFailed("AI의 응답이 중간에 끊겼습니다.", Failure.TRUNCATED, raw=raw, tokens=tokens)
    try:
        read_answer(outcome.text)
    except NotAnAnswer as error:
        kind = Failure.WRONG_SHAPE if error.is_json else Failure.NOT_JSON
        raise ProviderFailed("AI의 응답이 약속한 형식이 아닙니다.", kind, raw=raw, tokens=tokens) from None
