"""Notice when the broker's replies drift away from what is documented (kis-api.md), without ever breaking a call."""

import dataclasses
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from kis.client.protocol import CONTROL, Reply
from kis.client.wire_fields import FIELDS_BY_ID, FORMS, SECTION, ReplyFields, Section

logger = logging.getLogger(__name__)

#: The names of every row are compared, one set with another; the values only of so many rows at both ends.
EDGE_ROWS = 3
#: A reply that is altogether another one needs no longer list.
MOST_FINDINGS = 50
LONGEST_NAME = 60
NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
#: A name that holds so many digits may hold an account number.
LONG_DIGITS = re.compile(r"[0-9]{6,}")


class Kind(Enum):
    """What is the matter with a field."""

    UNKNOWN = "unknown"
    MISSING = "missing"
    RETYPED = "retyped"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One field that is not as documented, however many rows have it so.

    `section` is empty for the body itself, whose fields are the sections. `example` is the form of a value, never its
    content. `row` is where it was seen first.
    """

    tr: str
    section: str
    field: str
    kind: Kind
    example: str
    row: int = dataclasses.field(default=0, compare=False)


#: Hears of findings, together with the body they were found in.
Observer = Callable[[tuple[Finding, ...], Mapping[str, Any]], None]


def watch(reply: Reply, observer: Observer | None) -> Reply:
    """Tell the observer what an accepted reply has that is not documented, and hand the reply on. Never raises."""
    if observer is None:
        return reply
    try:
        if findings := find_drift(reply.tr_id, reply.body):
            observer(findings, reply.body)
    except Exception as error:  # noqa: BLE001  # a reply that can be used must not be lost over a remark about it
        logger.warning("Reply of %s could not be compared: %s", reply.tr_id, type(error).__name__)
    return reply


def find_drift(tr_id: str, body: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Compare an accepted reply with the documentation; an id that is not documented has no findings."""
    fields = FIELDS_BY_ID.get(tr_id)
    found: dict[tuple[str, str, Kind], Finding] = {}
    if fields is not None:
        for item in differences(tr_id, fields, body):
            found.setdefault((item.section, item.field, item.kind), item)
    return tuple(found.values())[:MOST_FINDINGS]


def differences(tr_id: str, fields: ReplyFields, body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield everything that is not as documented, section by section."""
    yield from compare(tr_id, fields.envelope, [body])
    for section in fields.sections:
        if section.name not in body:
            continue  # missing, which the envelope has told
        rows = rows_of(section, body[section.name])
        if rows is None:
            yield Finding(tr_id, "", section.name, Kind.RETYPED, form_of(body[section.name]))
        else:
            yield from compare(tr_id, section, rows)


def rows_of(section: Section, value: object) -> Sequence[Mapping[str, Any]] | None:
    """Return the objects of a section, or None where it has another shape."""
    if section.shape == "object":
        return [value] if isinstance(value, dict) else None
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return None
    return value if section.shape == "rows" or len(value) == 1 else None


def compare(tr_id: str, section: Section, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield what is not as documented; the same field may come up again in another row."""
    documented = section.forms.keys()
    for number, row in enumerate(rows):
        # An empty object stands between the rows of a chart now and then (kis-api.md section 8.2).
        if row.keys() == documented or (not row and section.shape == "rows"):
            continue
        for name in sorted(row.keys() - documented):
            yield Finding(tr_id, section.name, safe_name(name), Kind.UNKNOWN, form_of(row[name]), number)
        for name in sorted(section.required - row.keys()):
            yield Finding(tr_id, section.name, name, Kind.MISSING, "없음", number)
    for number in sorted({*range(len(rows))[:EDGE_ROWS], *range(len(rows))[-EDGE_ROWS:]}):
        for name, value in rows[number].items():
            if name in documented and not fits(section.forms[name], value):
                yield Finding(tr_id, section.name, name, Kind.RETYPED, form_of(value), number)


def fits(form: str, value: object) -> bool:
    """Whether a value is text of the documented form; padding and blanks are always allowed."""
    if form == SECTION:
        return True
    if not isinstance(value, str):
        return False
    pattern, text = FORMS[form], value.strip()
    return pattern is None or not text or pattern.fullmatch(text) is not None


def safe_name(name: str) -> str:
    """Return a name the broker made up, without what could be a number of somebody in it."""
    return LONG_DIGITS.sub("*", CONTROL.sub("", name))[:LONGEST_NAME]


def form_of(value: object) -> str:
    """Describe a value without giving its content away: `숫자 7자리`, `글자 4자`, `빈 값`."""
    if isinstance(value, str):
        return form_of_text(value.strip())
    if isinstance(value, list):
        return f"목록 {len(value)}개"
    if isinstance(value, dict):
        return f"객체 {len(value)}항목"
    if value is None or isinstance(value, bool):
        return "JSON null" if value is None else "JSON 참/거짓"
    return f"JSON {form_of_text(str(value))}"


def form_of_text(text: str) -> str:
    if not text:
        return "빈 값"
    match = NUMBER.fullmatch(text)
    if match is None:
        return f"글자 {len(text)}자"
    sign, whole, decimals = match.groups()
    form = f"{'음수' if sign else '숫자'} {len(whole)}자리"
    return f"{form}, 소수 {len(decimals)}자리" if decimals else form
