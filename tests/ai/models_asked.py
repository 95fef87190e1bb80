"""A provider that answers as a test says, and remembers what it was asked."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ai.providers import Provider, Purpose, Reply

POINTS = [{"text": "삼성전자의 비중이 큽니다.", "refs": ["F1"]}, {"text": "현금은 넉넉합니다.", "refs": []}]
NOTES = [{"code": "005930", "text": "오늘은 내렸습니다."}]


def answer(points: Sequence[Any] = POINTS, holdings: Sequence[Any] = NOTES) -> str:
    return json.dumps({"points": points, "holdings": holdings}, ensure_ascii=False)


@dataclass
class Model:
    """`says` is a text, an exception, or a function that is called in place of the model."""

    says: Any = field(default_factory=answer)
    name: str = "google-generativeai"
    asked: list[tuple[Any, Purpose]] = field(default_factory=list)
    tokens: tuple[int, int] = (1_200, 300)
    note: str = ""

    def request_json(self, payload_json: str, *, purpose: Purpose) -> dict[str, Any]:
        return {"purpose": purpose.value, "contents": payload_json}

    def ask(self, payload_json: str, *, purpose: Purpose, timeout_seconds: float) -> Reply:
        assert timeout_seconds > 0
        self.asked.append((json.loads(payload_json), purpose))
        says = self.says() if isinstance(self.says, Callable) else self.says  # type: ignore[arg-type]
        if isinstance(says, Exception):
            raise says
        return Reply(
            text=says,
            model="gemini-2.5-flash",
            tokens_in=self.tokens[0],
            tokens_out=self.tokens[1],
            request_json=self.request_json(payload_json, purpose=purpose),
            raw_json={"candidates": [says]},
            note=self.note,
        )


def as_provider(model: Model) -> Provider:
    """Return it as what the diagnosis asks; the type checker looks whether it is one."""
    return model
