"""Look at a position and say what is worth the owner's attention."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.conf import settings

from ai.limits import Limits
from ai.rules import examine
from kis.advice import Advice, Finding, Point
from kis.position import Position

#: The page has room for so many.
MOST_POINTS: Final = 5
ALL_QUIET: Final = "살펴본 규칙 가운데 한도나 기준을 넘은 것이 없습니다."
NO_KEY: Final = "AI 키가 없어 규칙으로만 살폈습니다."


def advise(position: Position, *, at: datetime) -> Advice:
    """Return the findings of the rules, and the words of the last diagnosis of this position."""
    limits: Limits = settings.AI_LIMITS
    seen = examine(position, at=at, limits=limits)
    return Advice(
        findings=seen.findings,
        passed=seen.passed,
        unjudged=seen.unjudged,
        points=points_of(seen.findings),
        note=NO_KEY,
        stock_limit=limits.stock,
        sector_limit=limits.sector,
    )


def points_of(findings: Sequence[Finding]) -> tuple[Point, ...]:
    """Return what the rules say in words of their own, the most urgent first."""
    if not findings:
        return (Point(ALL_QUIET),)
    return tuple(
        Point(finding.sentence, (f"F{number}",))
        for number, finding in enumerate(findings[:MOST_POINTS], start=1)
    )
