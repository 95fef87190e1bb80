"""Gemini through google-generativeai, by its own REST transport."""

import time
import warnings
from collections.abc import Mapping
from typing import Any

from ai.providers.gemini import Gemini, Outcome
from ai.providers.wire import OneExchange


class GoogleGenerativeai(Gemini):
    """The library says at every import that it is no longer developed; `AI_PROVIDER` names its successor."""

    name = "google-generativeai"

    def send(self, model: str, request: Mapping[str, Any], exchange: OneExchange) -> Outcome:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            from google.ai.generativelanguage_v1beta.services.generative_service.transports import (  # noqa: PLC0415
                GenerativeServiceRestTransport,
            )
            from google.generativeai.client import configure  # noqa: PLC0415  # heavy
            from google.generativeai.generative_models import GenerativeModel  # noqa: PLC0415
            from google.generativeai.types import RequestOptions  # noqa: PLC0415

        class OneExchangeTransport(GenerativeServiceRestTransport):
            """What the library calls `transport="rest"`, with our adapter below it."""

            def __init__(self, **options: Any) -> None:  # noqa: ANN401
                super().__init__(**options)
                self._session.trust_env = False
                for scheme in ("http://", "https://"):
                    self._session.mount(scheme, exchange)

        configure(
            api_key=self.key,
            transport=OneExchangeTransport,  # type: ignore[arg-type]  # handed on as it is; a class will do
            client_options={"api_endpoint": self.base_url},
        )
        settings = request["generationConfig"]
        answering = GenerativeModel(
            model,
            system_instruction=request["systemInstruction"]["parts"][0]["text"],
            generation_config={
                "temperature": settings["temperature"],
                "max_output_tokens": settings["maxOutputTokens"],
                "response_mime_type": settings["responseMimeType"],
                "response_schema": settings["responseSchema"],
            },
        )
        left = max(exchange.ends_at - time.monotonic(), 0.001)
        reply = answering.generate_content(
            request["contents"][0]["parts"][0]["text"],
            request_options=RequestOptions(timeout=left, retry=None),
        )
        candidate = reply.candidates[0] if reply.candidates else None
        received = exchange.reply_json() or {}  # what is too young for this library
        return Outcome(
            text="".join(part.text for part in candidate.content.parts) if candidate else "",
            finish=getattr(candidate.finish_reason, "name", "OTHER") if candidate else "",
            blocked="OTHER" if received.get("promptFeedback", {}).get("blockReason") else "",
            tokens_in=reply.usage_metadata.prompt_token_count,
            tokens_total=reply.usage_metadata.total_token_count,
            version=str(received.get("modelVersion", "")),
        )
