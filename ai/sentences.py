"""Sentences of a model: cut apart, their stocks taken out to be looked at, and put back by name; pure.

A model writes a stock by its code (`{005930}`), by its name, or both; while a sentence is looked at it is one mark, so that
figures and letters of a name are nobody's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ai.facts import STOCK
from ai.names import PARTICLES, shown_name
from ai.wording import Fault, made_plain
from kis.korean import with_particle

ENDS: Final = re.compile(
    r"(?<=[^\d\s][.!?])\s+|(?<=[다요죠까][.!?])(?=[가-힣{\"'“‘])|(?<=\d[.!?])\s+(?=[가-힣{][^일월])|\s*\n+\s*"
)
#: A sentence has an end: what a full stop has cut in two (매. 도하세요.) has none.
IS_WHOLE: Final = re.compile(r"[다요죠까](?:\s?\([^()]{1,40}\))?[.!?…\"'”’)\s]*$")
LEANS_ON_ANOTHER: Final = re.compile(
    r"(?:그|이|저|해당|따라서|그래서|그러므로|때문에|이로|이는|이에|이를|이런|이러한|그런|그러나|그렇|하지만|다만|반면|또한|또|게다가|특히|즉|결국"
    r"|반대로|이와|그 결과|덕분|같은)(?=[\s,가-힣])"
)
CODE_IN_BRACES: Final = re.compile(r"\{\s?([^{}]{1,20}?)\s?\}")
BARE_CODE: Final = re.compile(r"(?<![0-9A-Za-z.,])[0-9A-Z]{6,7}(?![0-9A-Za-z.,%원주])")
REFERENCES: Final = re.compile(r"\s?[\[(]\s?(F\d{1,3}(?:[\s,·]+F\d{1,3})*)\s?[\])]")
#: A name ends where its particle begins: 삼성전자 is not in 삼성전자우.
NAME_ENDS: Final = (
    rf"(?=(?:{'|'.join(sorted(PARTICLES - {'우', '주'}, key=len, reverse=True))})?(?![가-힣A-Za-z0-9]))"
)
TWICE: Final = re.compile(rf"{STOCK}\s?\(\s?{STOCK}\s?\)")
#: How figures of several stocks in one sentence are dealt out.
TOGETHER: Final = re.compile(r"각각|각자|모두|둘\s?다|나란히")
BETWEEN_STOCKS: Final = re.compile(r"\s?(?:와|과|,|·|및|그리고|하고|/|랑|이나|나)\s?")
LEADS_TO_STOCK: Final = re.compile(
    r"(?:인|의|짜리|만큼|까지|로|를|을|이나|나)?\s?(?:차지하는|차지한|오른|내린|하락한|상승한|빠진|밀린|떨어진|커진|남은|쌓인|이익인|손실인|뛴)?\s?"
)
AFTER_CONSONANT: Final = {
    **dict.fromkeys(("은", "는"), "은"),
    **dict.fromkeys(("이", "가"), "이"),
    **dict.fromkeys(("을", "를"), "을"),
    **dict.fromkeys(("과", "와"), "과"),
    **dict.fromkeys(("으로", "로"), "으로"),
}
BOTH_PARTICLES: Final = re.compile(rf"({STOCK})(은|이|을|과|와|는|가|를)\((?:은|이|을|과|와|는|가|를)\)")
PARTICLE: Final = re.compile(rf"{STOCK}(?P<particle>은|는|이|가|을|를|과|와|으로|로)?(?![가-힣])|{STOCK}")


class Refused(ValueError):
    """A sentence must be left out."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` has a mark for each of `codes`, in order; `references` are the findings it names in brackets."""

    text: str
    codes: tuple[str, ...]
    references: tuple[str, ...]


def sentences_of(text: str) -> list[str]:
    return [sentence for part in ENDS.split(text) if (sentence := part.strip())]


def read_sentence(raw: str, *, names: Sequence[tuple[str, str]], codes: frozenset[str]) -> Sentence:
    """Take stocks and references out of a sentence; `names` are (name, code), the longest first.

    Raises Refused for a code that is none of `codes`.
    """
    text = made_plain(raw)
    if STOCK in text:
        raise Refused(Fault.LETTERS)
    found = [name for match in REFERENCES.finditer(text) for name in re.findall(r"F\d+", match[1])]
    text = REFERENCES.sub("", text)
    marks: list[str] = []

    def mark(code: str) -> str:
        if code not in codes:
            raise Refused(Fault.STOCK)
        marks.append(code)
        return f"{STOCK}{len(marks) - 1}{STOCK}"

    text = CODE_IN_BRACES.sub(lambda match: mark(match[1]), text)
    for name, code in names:
        if name in text:
            parts = re.split(rf"(?<![가-힣A-Za-z0-9]){re.escape(name)}{NAME_ENDS}", text)
            text = parts[0] + "".join(mark(code) + part for part in parts[1:])
    text = BARE_CODE.sub(lambda match: mark(match[0]) if match[0] in codes else match[0], text)
    order = [marks[int(number)] for number in re.findall(rf"{STOCK}(\d+){STOCK}", text)]
    return named_once(re.sub(rf"{STOCK}\d+{STOCK}", STOCK, text), order, tuple(found))


def named_once(text: str, codes: list[str], references: tuple[str, ...]) -> Sentence:
    """`삼성전자({005930})` names one stock, and names it twice."""
    for match in reversed(list(TWICE.finditer(text))):
        first = text.count(STOCK, 0, match.start())
        if codes[first] == codes[first + 1]:
            text = text[: match.start() + 1] + text[match.end() :]
            del codes[first + 1]
    return Sentence(text, tuple(codes), references)


def shown(sentence: Sentence, stocks: Mapping[str, str]) -> str:
    """Return a sentence with the names of its stocks, particles after them as they sound."""
    codes = iter(sentence.codes)

    def name(match: re.Match[str]) -> str:
        code = next(codes)
        called, particle = shown_name(stocks[code], code), match["particle"]
        return with_particle(called, AFTER_CONSONANT[particle]) if particle else called

    return PARTICLE.sub(name, BOTH_PARTICLES.sub(r"\1\2", sentence.text))


def stocks_at(sentence: Sentence, start: int, end: int) -> Iterator[str]:
    """Return the stocks that the figure at this place is said of: those named before it, or after it where it leads there."""
    text, codes = sentence.text, sentence.codes
    if TOGETHER.search(text):
        yield from codes
        return
    places = [place for place, letter in enumerate(text) if letter == STOCK]
    before = [number for number, place in enumerate(places) if place < start]
    after = [number for number, place in enumerate(places) if place >= end]
    if after and (not before or LEADS_TO_STOCK.fullmatch(text, end, places[after[0]])):
        yield codes[after[0]]
    for number in reversed(before):
        yield codes[number]
        if number == 0 or not BETWEEN_STOCKS.fullmatch(text, places[number - 1] + 1, places[number]):
            break
