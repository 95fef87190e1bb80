"""What programs send, taken as it is: a number is not a text that looks like one, nor the other way round."""

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from kis.api.errors import BadParameter

Values = TypeVar("Values", bound=Mapping[str, Any])
#: Longer than any order can be.
MOST_BYTES = 16 * 1024


class SmallJson(BaseParser):
    """JSON in UTF-8, whatever else the header says; a body that is too long, too deep or no JSON is refused."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ANN401, ARG002
        body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise ParseError
        try:
            return json.loads(body.decode("utf-8"), parse_constant=refuse)
        except (ValueError, RecursionError):
            raise ParseError from None


def refuse(_name: str) -> None:
    raise ValueError("not JSON")


#: What DRF says in English; what was sent is not repeated.
WORDS: dict[str, Any] = {
    "required": "빠진 항목입니다.",
    "null": "비울 수 없는 항목입니다.",
    "blank": "비울 수 없는 항목입니다.",
    "max_length": "{max_length}자까지 적을 수 있습니다.",
    "max_value": "{max_value} 이하여야 합니다.",
    "min_value": "{min_value} 이상이어야 합니다.",
    "max_string_length": "너무 큰 수입니다.",
    "invalid_choice": "쓸 수 있는 값이 아닙니다.",
}


class Text(serializers.CharField):
    """A text, as it was sent; `pattern` has to fit all of it."""

    default_error_messages = {**WORDS, "invalid": "정해진 모양의 글이어야 합니다."}

    def __init__(self, *, pattern: str = "", **options: Any) -> None:  # noqa: ANN401  # those of DRF
        super().__init__(**{"trim_whitespace": False, **options})
        self.pattern = pattern

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401  # whatever was sent
        if not isinstance(data, str) or not is_text(data):
            self.fail("invalid")
        text = str(super().to_internal_value(data))
        if self.pattern and not re.fullmatch(self.pattern, text):
            self.fail("invalid")
        return text


def is_text(data: str) -> bool:
    """Say whether a database could hold a text: no NUL, and no half of a pair of surrogates."""
    return "\0" not in data and not any("\ud800" <= sign <= "\udfff" for sign in data)


class Whole(serializers.IntegerField):
    """A whole number."""

    default_error_messages = {**WORDS, "invalid": "정수여야 합니다."}

    def to_internal_value(self, data: Any) -> int:  # noqa: ANN401  # whatever was sent
        is_whole = isinstance(data, int) or (isinstance(data, float) and data.is_integer())
        if not is_whole or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(int(data))


class OneOf(serializers.ChoiceField):
    """One of several texts."""

    default_error_messages = WORDS

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401  # whatever was sent
        if not isinstance(data, str):
            self.fail("invalid_choice", input="?")
        return str(super().to_internal_value(data))


class Sent(serializers.Serializer[Any]):
    """A body; what it does not know is refused, since it might have meant something."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401  # whatever was sent
        if isinstance(data, Mapping):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                raise BadParameter(
                    shown(unknown[0]), f"없는 항목입니다. 쓸 수 있는 것: {', '.join(self.fields)}"
                )
        return super().to_internal_value(data)

    def taken(self) -> Mapping[str, Any]:
        """Return what was sent. Raises BadParameter for the first value that cannot be."""
        if self.is_valid():
            values: Mapping[str, Any] = self.validated_data
            return values
        name, messages = next(iter(self.errors.items()))
        if name == "non_field_errors":
            raise ParseError
        raise BadParameter(name, str(messages[0]))


def shown(name: str) -> str:
    """Return a name that was sent if it looks like one; anything else is not repeated."""
    return name if re.fullmatch(r"[A-Za-z_]{1,40}", name) else "?"
