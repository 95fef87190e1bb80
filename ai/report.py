"""A diagnosis on the terminal, in the words of the page."""

import json
from collections.abc import Sequence
from typing import Final

from rich.console import Console

from ai.models import Diagnosis
from ai.payload import Privacy
from ai.prompts import Prompt
from kis.advice import Advice, Finding, Point, Severity, Source
from kis.korean import SEOUL, clock_time, number
from kis.terminal import DIM, INDENT, WARN, fitted, line, padded

#: Cells of the columns: number, title, subject.
PLACE, TITLE, SUBJECT = 5, 14, 34
STYLES: Final = {Severity.WARNING: f"bold {WARN}", Severity.CAUTION: WARN, Severity.INFO: ""}
TOLD: Final = {
    Privacy.PERCENT: "비중과 수익률만 (원과 수량은 보내지 않음)",
    Privacy.FULL: "원과 수량까지",
}
DISCLAIMER: Final = "점검을 풀어 쓴 설명이며 투자 권유가 아닙니다."


def print_advice(console: Console, advice: Advice) -> None:
    """Print findings, what passed, and the words, whoever wrote them."""
    print_findings(console, advice)
    line(console)
    print_words(console, advice)


def print_findings(console: Console, advice: Advice) -> None:
    counts = [
        f"{severity.value} {count}"
        for severity in Severity
        if (count := sum(finding.severity is severity for finding in advice.findings))
    ]
    line(console, INDENT, ("점검", "bold"), "  ", " · ".join([*counts, f"통과 {len(advice.passed)}"]))
    for place, finding in enumerate(advice.findings, start=1):
        print_finding(console, place, finding)
    if advice.passed:
        line(console, INDENT, (f"통과: {' · '.join(advice.passed)}", DIM))
    for title, reason in advice.unjudged.items():
        line(console, INDENT, (f"살피지 못함: {title}. {reason}", DIM))


def print_finding(console: Console, place: int, finding: Finding) -> None:
    line(
        console,
        INDENT,
        (padded(finding.severity.value, PLACE), STYLES[finding.severity]),
        padded(f"F{place}", PLACE),
        padded(fitted(finding.title, TITLE - 2), TITLE),
        padded(fitted(finding.subject, SUBJECT - 2), SUBJECT),
        (finding.limit, DIM),
    )


def print_words(console: Console, advice: Advice) -> None:
    by_model = advice.source is Source.MODEL
    checked = f"숫자 {advice.checked}개 모두 자료와 일치" if by_model and advice.checked else ""
    line(console, INDENT, ("AI 진단" if by_model else "진단 (규칙)", "bold"), "  ", (checked, DIM))
    print_points(console, advice.points)
    if advice.note:
        line(console, INDENT, (advice.note, DIM if by_model else WARN))
    if by_model and advice.written_at:
        local = advice.written_at.astimezone(SEOUL)
        line(console, INDENT, (f"{advice.model} · {clock_time(local)} · {DISCLAIMER}", DIM))


def print_points(console: Console, points: Sequence[Point]) -> None:
    for place, point in enumerate(points, start=1):
        references = f"  [{' '.join(point.references)}]" if point.references else ""
        line(console, INDENT, f"{place}  {point.text}", (references, DIM))


def print_holding(console: Console, diagnosis: Diagnosis, points: Sequence[Point]) -> None:
    """Print what a model said about one stock, or why it said nothing."""
    print_points(console, points)
    if diagnosis.note:
        line(console, INDENT, (diagnosis.note, DIM if diagnosis.is_complete else WARN))
    if diagnosis.is_complete and diagnosis.asked_at:
        local = diagnosis.asked_at.astimezone(SEOUL)
        line(console, INDENT, (f"{diagnosis.model} · {clock_time(local)} · {DISCLAIMER}", DIM))


def print_question(
    console: Console, prompt: Prompt, *, provider: str, model: str, privacy: Privacy, tokens: int, spent: int
) -> None:
    """Print what would be sent, to the letter, and what it would cost."""
    line(console, INDENT, padded("보낼 곳", 12), f"{provider} · {model}")
    line(console, INDENT, padded("알려 줄 것", 12), TOLD[privacy])
    line(
        console,
        INDENT,
        padded("토큰", 12),
        f"많아야 {number(tokens)}개 (오늘 쓴 것 {number(spent)}개)",
    )
    for title, text in (
        ("보낼 지시문", prompt.system.rstrip()),
        ("보낼 답의 모양", json.dumps(prompt.schema, ensure_ascii=False)),
        ("보낼 자료", prompt.user),
    ):
        line(console)
        line(console, (f"[{title}]", "bold"))
        line(console, text)
