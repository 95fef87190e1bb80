"""What of a model's answer may be shown: sentences that agree with the payload, and nothing else; pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ai.answers import NotAnAnswer, Said, read_answer
from ai.grounding import Check
from ai.payload import Payload
from ai.providers import Failure, ProviderFailed
from ai.wording import Fault
from kis.advice import Point


@dataclass(frozen=True, slots=True)
class Checked:
    """What holds: `checked` figures agreed with the payload, `dropped` sentences did not. `holdings` are words by code.

    `left_out` are those sentences and why they are left out; for whoever looks after the checks, and for no page.
    """

    points: tuple[Point, ...] = ()
    holdings: Mapping[str, str] = field(default_factory=dict)
    checked: int = 0
    dropped: int = 0
    left_out: tuple[tuple[str, Fault], ...] = ()


def check_reply(text: str, payload: Payload, *, listed: Collection[str] = ()) -> Checked:
    """Return what may be shown. Raises ProviderFailed where the text is no answer at all.

    `listed` are the names of the market's stocks, to notice one that is not held.
    """
    try:
        answer = read_answer(text)
    except NotAnAnswer as error:
        kind = Failure.WRONG_SHAPE if error.is_json else Failure.NOT_JSON
        raise ProviderFailed("AI의 응답이 약속한 형식이 아닙니다.", kind) from None
    check = Check(payload, frozenset(listed))
    points: list[Point] = []
    for said in answer.points:
        words, references = check.words(said, default=payload.focus)
        if words and words not in {point.text for point in points}:
            points.append(Point(words, references))
    holdings: dict[str, str] = {}
    for said in answer.holdings:
        code = said.about[0] if said.about else ""
        if code not in check.held:
            check.leave_out(said.text, Fault.STOCK)
            continue
        words, _ = check.words(Said(said.text, ()), default=code)
        if words and code not in holdings:
            holdings[code] = words
    left_out = tuple(check.left_out)
    return Checked(tuple(points), holdings, check.checked, len(left_out), left_out)
