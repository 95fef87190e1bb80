"""Gemini through google-genai, the library that Google develops (`AI_PROVIDER=google-genai`)."""

import time
from collections.abc import Mapping
from typing import Any

import requests

from ai.providers import Failure, ProviderFailed
from ai.providers.gemini import Gemini, Outcome
from ai.providers.wire import OneExchange


class GoogleGenai(Gemini):
    """An extra: `pip install aegis[genai]`."""

    name = "google-genai"

    def send(self, model: str, request: Mapping[str, Any], exchange: OneExchange) -> Outcome:
        try:
            import httpx  # noqa: PLC0415  # heavy
            from google import genai  # noqa: PLC0415
        except ImportError:
            raise ProviderFailed(
                "google-genai가 설치되어 있지 않습니다. pip install google-genai 또는 AI_PROVIDER를 비워 주세요.",
                Failure.NOT_CONFIGURED,
            ) from None

        class OneExchangeTransport(httpx.BaseTransport):
            """Hands a request of httpx to the same exchange that the other library uses."""

            def handle_request(self, request: httpx.Request) -> httpx.Response:
                prepared = requests.Request(
                    request.method, str(request.url), headers=dict(request.headers), data=request.read()
                ).prepare()
                reply = exchange.send(prepared)
                return httpx.Response(reply.status_code, headers=dict(reply.headers), content=exchange.body)

        left = max(exchange.ends_at - time.monotonic(), 0.001)
        client = genai.Client(
            api_key=self.key,
            vertexai=False,  # whatever the environment says
            http_options={
                "base_url": self.base_url,
                "timeout": max(int(left * 1000), 1),
                "client_args": {"transport": OneExchangeTransport(), "follow_redirects": False},
            },
        )
        settings = request["generationConfig"]
        try:
            reply = client.models.generate_content(
                model=model,
                contents=request["contents"][0]["parts"][0]["text"],
                config={
                    "system_instruction": request["systemInstruction"]["parts"][0]["text"],
                    "temperature": settings["temperature"],
                    "max_output_tokens": settings["maxOutputTokens"],
                    "response_mime_type": settings["responseMimeType"],
                    "response_schema": settings["responseSchema"],
                },
            )
        finally:
            client.close()
        candidate = reply.candidates[0] if reply.candidates else None
        parts = (candidate.content.parts if candidate and candidate.content else None) or []
        blocked = reply.prompt_feedback.block_reason if reply.prompt_feedback else None
        used = reply.usage_metadata
        return Outcome(
            text="".join(part.text or "" for part in parts if not part.thought),
            finish=candidate.finish_reason.name if candidate and candidate.finish_reason else "",
            blocked="" if blocked is None or blocked.name == "BLOCKED_REASON_UNSPECIFIED" else blocked.name,
            tokens_in=(used.prompt_token_count or 0) if used else 0,
            tokens_total=(used.total_token_count or 0) if used else 0,
            version=reply.model_version or "",
        )
