"""Findings, points and weights as they are stored, and read back; pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ai.payload import percent, plain
from kis.advice import Finding, Point, Severity
from kis.models import TargetWeight
from kis.position import Position

CASH_NAME = "현금"


def stored_finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "title": finding.title,
        "subject": finding.subject,
        "limit": finding.limit,
        "sentence": finding.sentence,
        "stock_code": finding.stock_code,
        "numbers": {name: stored_number(value) for name, value in finding.numbers.items()},
    }


def stored_number(value: int | Decimal | str) -> int | str:
    """Return a number as JSON keeps it: a Decimal by its figures, so that nothing is rounded."""
    return str(value) if isinstance(value, Decimal) else value


def read_severity(stored: Mapping[str, Any]) -> Severity:
    return Severity(stored["severity"])


def stored_point(point: Point) -> dict[str, Any]:
    return {"text": point.text, "references": list(point.references)}


def read_points(stored: Iterable[Mapping[str, Any]]) -> tuple[Point, ...]:
    return tuple(Point(point["text"], tuple(point["references"])) for point in stored)


def stored_weights(position: Position) -> list[dict[str, Any]]:
    """Return the share of each stock and of cash, the largest stock first; empty where there are no shares."""
    total = position.account.total_eval_amt
    parts = [(row.stock_code, row.stock_name, row.evlu_amt) for row in position.holdings]
    parts.append((TargetWeight.CASH, CASH_NAME, position.account.available))
    weights = [(code, name, percent(amount, total)) for code, name, amount in parts]
    return [
        {"code": code, "name": name, "weight_pct": plain(weight)}
        for code, name, weight in weights
        if weight is not None
    ]
