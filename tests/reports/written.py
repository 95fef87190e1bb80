"""Numbers of figures as a page may write them, and numbers of a page as they are written."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from kis.korean import won_heading

#: What looks like a number and says when, where or which, not how much.
NOT_AMOUNTS = re.compile(
    r"""\d{4}-\d{2}-\d{2} | \d{4}년 | \d+거래일째 | \d{1,2}/\d{1,2}(?:/\d{1,2})? | \d{1,2}:\d{2}(?::\d{2})? | D\+\d | \d{4}\*+-?\d*
    | [A-Z]+\d+[A-Z\d]* | \d+[A-Z]+[A-Z\d]* | \d{6}\b | [#]\d+""",
    re.VERBOSE,
)
DECIMAL = re.compile(r"-?\d+\.\d+")
ADDRESS = re.compile(r"[/:<>=]")
NUMBER = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?")


def leaves(value: Any) -> Iterator[Any]:
    """Yield everything that figures are made of, the lengths of their lists included."""
    if is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from leaves(getattr(value, one.name))
    elif isinstance(value, Mapping):
        yield len(value)
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield len(value)
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def texts_of(value: Any) -> Iterator[str]:
    """Yield the ways in which one number may be written, without its sign."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, str):
        if value.isdigit():
            yield value  # an order or a code
        elif DECIMAL.fullmatch(value):
            yield from texts_of(Decimal(value))
    elif isinstance(value, int):
        yield f"{abs(value):,}"
        yield from (figure for figure, _ in won_heading(abs(value)))
    elif isinstance(value, (Decimal, float)):
        exact = abs(Decimal(str(value)))
        for places in ("1", "0.1", "0.01"):
            yield f"{exact.quantize(Decimal(places), ROUND_HALF_UP):,}"
    elif isinstance(value, timedelta):
        minutes = int(value.total_seconds()) // 60
        yield from (str(minutes), str(minutes // 60), str(minutes % 60), str(value.days))
    elif isinstance(value, (date, datetime, time)):
        return


def written_by(value: Any) -> set[str]:
    """Return every text of a number that a page of these figures may show."""
    # Minutes of many stocks hold the same number again and again; True is none, though it equals one.
    different = {(type(leaf), leaf): leaf for leaf in leaves(value)}
    return {text for leaf in different.values() for text in texts_of(leaf)}


def names_in(value: Any) -> list[str]:
    """Return the texts in figures, longest first: names with digits in them are no amounts."""
    texts = {leaf for leaf in leaves(value) if isinstance(leaf, str)}
    found = {text for text in texts if any(map(str.isdigit, text)) and not text.isdigit()}
    return sorted(found, key=len, reverse=True)


def numbers_on(words: Iterable[str], *, names: Iterable[str] = ()) -> list[str]:
    """Return the numbers of a page that say how much, without their signs, in their order."""
    names = list(names)
    # A name that is longer than its room stands there in pieces, or cut; a number never does.
    whole = [
        word
        for word in words
        if not word.endswith("…") and not (ADDRESS.search(word) and any(word in name for name in names))
    ]
    text = " ".join(whole)
    for name in names:
        text = re.sub(rf"(?<![\d.,]){re.escape(name)}(?![\d.,])", " ", text)
    text = NOT_AMOUNTS.sub(" ", text)
    return [number + (part or "") for number, part in NUMBER.findall(text)]
