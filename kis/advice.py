"""What is worth the owner's attention: words that the adviser and every page share.

The adviser is named in settings (`ADVISER`): pages ask for it by that name and need not know who it is. So is the one who
writes about a fresh snapshot (`DIAGNOSE`), which may ask a model and take a few seconds.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from kis.models import KisAccount, SyncRun
from kis.position import Position

logger = logging.getLogger(__name__)

#: Won and shares as they are written; a name may well have 원 or 주 in it.
AMOUNT: Final = re.compile(r"[\d조억만천]\s?(?:원|주)")


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
        """Whether its texts name won or shares of the owner's: masked pages leave those out."""
        return AMOUNT.search(f"{self.subject} {self.limit} {self.sentence}") is not None


class Source(StrEnum):
    """Who wrote the points."""

    MODEL = "model"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Point:
    """One or two sentences, and the blocks or findings they speak of: `("F1", "F2")`."""

    text: str
    references: tuple[str, ...] = ()

    @property
    def amounts(self) -> bool:
        """Whether it names won or shares of the owner's, as of a finding."""
        return AMOUNT.search(self.text) is not None


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


class Diagnoser(Protocol):
    """Writes about a fresh snapshot, within AI_TIMEOUT_SECONDS; returns a sentence for the owner, empty for nothing new."""

    def __call__(self, account: KisAccount, *, at: datetime) -> str: ...


def asks_a_model() -> bool:
    """Return whether a diagnosis may ask somebody who takes his time: up to AI_TIMEOUT_SECONDS."""
    return bool(settings.DIAGNOSE and settings.GEMINI_API_KEY)


def diagnose(run: SyncRun, *, at: datetime) -> str:
    """Have it written about what a run has copied. Never raises: a sync that is complete stays so."""
    if not settings.DIAGNOSE:
        return ""
    try:
        snapshot = KisAccount.objects.filter(sync_run=run).newest_first().select_related("sync_run").first()
        write = cast("Diagnoser", import_string(settings.DIAGNOSE))
        return write(snapshot, at=at) if snapshot else ""
    except Exception:
        logger.exception("Nothing could be written about run %s", run.pk)
        return "AI 진단을 하지 못했습니다. 나머지는 그대로입니다."
