"""The shape of an answer: how a model is asked for it, and how it is read; pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Never

MOST_POINTS: Final = 5
MOST_HOLDINGS: Final = 20
MOST_REFERENCES: Final = 8
#: Everything a model may say, JSON included; what is longer was not written for a page.
LONGEST_ANSWER: Final = 40_000

#: As the REST API of Gemini has schemas, a part of OpenAPI 3.
SCHEMA: Final[Mapping[str, Any]] = {
    "type": "OBJECT",
    "properties": {
        "points": {
            "type": "ARRAY",
            "items": {
                "type": "OBJECT",
                "properties": {
                    "text": {"type": "STRING"},
                    "refs": {"type": "ARRAY", "items": {"type": "STRING"}},
                },
                "required": ["text", "refs"],
            },
        },
        "holdings": {
            "type": "ARRAY",
            "items": {
                "type": "OBJECT",
                "properties": {"code": {"type": "STRING"}, "text": {"type": "STRING"}},
                "required": ["code", "text"],
            },
        },
    },
    "required": ["points", "holdings"],
}


class NotAnAnswer(ValueError):
    """The text is not what was asked for; `is_json` tells whether it is at least JSON."""

    def __init__(self, *, is_json: bool) -> None:
        super().__init__("not an answer")
        self.is_json = is_json


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said about one thing: `about` are findings of a point, or the code of a stock."""

    text: str
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    points: tuple[Said, ...]
    holdings: tuple[Said, ...]


def read_answer(text: str) -> Answer:
    """Read the text of a reply, unchecked. Raises NotAnAnswer; what is beyond the limits of a page is left out."""
    if len(text) > LONGEST_ANSWER:
        raise NotAnAnswer(is_json=False)
    try:
        data = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise NotAnAnswer(is_json=False) from None
    if not isinstance(data, dict) or not isinstance(data.get("points"), list):
        raise NotAnAnswer(is_json=True)
    holdings = data.get("holdings", [])
    if not isinstance(holdings, list):
        raise NotAnAnswer(is_json=True)
    return Answer(
        points=tuple(said(item, "refs") for item in data["points"][:MOST_POINTS]),
        holdings=tuple(said(item, "code") for item in holdings[:MOST_HOLDINGS]),
    )


def said(item: object, name: str) -> Said:
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        raise NotAnAnswer(is_json=True)
    about = item.get(name, [])
    about = [about] if isinstance(about, str) else about
    if not isinstance(about, list) or not all(isinstance(one, str) for one in about):
        raise NotAnAnswer(is_json=True)
    return Said(text=item["text"], about=tuple(about[:MOST_REFERENCES]))


def refuse(constant: str) -> Never:
    """NaN and Infinity are no JSON, whatever Python thinks of them."""
    raise ValueError(constant)
