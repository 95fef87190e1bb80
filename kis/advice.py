"""What is worth the owner's attention: words that the adviser and every page share.

The adviser is named in settings (`ADVISER`): pages ask for it by that name and need not know who it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from kis.position import Position


class Severity(StrEnum):
    """How soon to look, most urgent first."""

    WARNING = "경고"
    CAUTION = "주의"
    INFO = "정보"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule has found. `sentence` is complete without the rest; the other texts fill a row of a table.

    `share` and `limit_share` draw the bullet bar: parts of its whole width, from 0 to 1, None where no bar makes sense.
    `numbers` are what it rests on, by a name in English; won as int, percent and shares as Decimal.
    """

    rule: str  # a stable name: "stock_concentration"
    severity: Severity
    title: str  # "종목 편중"
    subject: str  # "삼성전자 21.3%"
    limit: str  # "한도 20%"
    sentence: str
    numbers: Mapping[str, int | Decimal | str]
    share: Decimal | None = None
    limit_share: Decimal | None = None
    stock_code: str = ""

    @property
    def amounts(self) -> bool:
        """Whether its texts name won: masked pages leave those out."""
        return "원" in f"{self.subject}{self.limit}{self.sentence}"


class Source(StrEnum):
    """Who wrote the points."""

    MODEL = "model"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Point:
    """One or two sentences, and the blocks or findings they speak of: `("F1", "F2")`."""

    text: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """Findings, most urgent first (F1, F2, … in this order), and the diagnosis in words.

    `passed` names the rules that found nothing, `unjudged` says of others why they could not look. `note` says in Korean why the words are the rules' own, or what was left
    out; `checked` numbers of the model's text agreed with the data and `dropped` sentences did not.
    """

    findings: tuple[Finding, ...] = ()
    passed: tuple[str, ...] = ()
    unjudged: Mapping[str, str] = field(default_factory=dict)
    points: tuple[Point, ...] = ()
    source: Source = Source.RULES
    note: str = ""
    model: str = ""
    written_at: datetime | None = None
    checked: int = 0
    dropped: int = 0
    #: Percent of the whole that one stock and one sector should stay below, for the bars of the composition.
    stock_limit: Decimal | None = None
    sector_limit: Decimal | None = None
    #: Words about single stocks, by code.
    holdings: Mapping[str, str] = field(default_factory=dict)


class Adviser(Protocol):
    """Looks at a position at a moment; quick, never calls a network, and never fails because of what it finds."""

    def __call__(self, position: Position, *, at: datetime) -> Advice: ...


def adviser() -> Adviser:
    """Return the adviser of the settings."""
    return cast("Adviser", import_string(settings.ADVISER))
