"""What of a model's answer may be shown: sentences that agree with the payload, and nothing else; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ai.answers import NotAnAnswer, read_answer
from ai.payload import Payload
from ai.providers import Failure, ProviderFailed
from kis.advice import Point


@dataclass(frozen=True, slots=True)
class Checked:
    """What holds: `checked` figures agreed with the payload, `dropped` sentences did not. `holdings` are words by code."""

    points: tuple[Point, ...] = ()
    holdings: Mapping[str, str] = field(default_factory=dict)
    checked: int = 0
    dropped: int = 0


def check_reply(text: str, payload: Payload) -> Checked:  # noqa: ARG001  # the seam of ai.asking
    """Return what may be shown. Raises ProviderFailed where the text is no answer at all.

    Until sentences are checked against the payload none is let through.
    """
    try:
        answer = read_answer(text)
    except NotAnAnswer as error:
        kind = Failure.WRONG_SHAPE if error.is_json else Failure.NOT_JSON
        raise ProviderFailed("AI의 응답이 약속한 형식이 아닙니다.", kind) from None
    return Checked(dropped=len(answer.points) + len(answer.holdings))
