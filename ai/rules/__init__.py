"""The rules, in the order they are told; they stand alone without any key."""

from dataclasses import dataclass, replace
from datetime import datetime

from ai.limits import Limits
from ai.rules import orders, results, shares, trust
from ai.rules.scene import Rule, Scene
from kis.advice import Finding, Severity
from kis.portfolio.unknown import Unknown
from kis.position import Position

RULES = (
    Rule("stale", "자료 시각", trust.stale),
    Rule("unreconciled", "대사", trust.unreconciled),
    Rule("unpriced", "현재가 없음", trust.unpriced),
    Rule("misu", "미수", shares.misu),
    Rule("halted", "거래정지", trust.halted),
    Rule("managed", "관리종목", trust.managed),
    Rule("stock_concentration", "종목 편중", shares.stock_concentration),
    Rule("sector_concentration", "업종 편중", shares.sector_concentration),
    Rule("hhi", "집중도", shares.hhi),
    Rule("cash_floor", "현금 부족", shares.cash_floor),
    Rule("drift", "목표 이탈", shares.drift),
    Rule("drawdown", "낙폭", results.drawdown),
    Rule("volatility", "변동성", results.swings),
    Rule("losers", "손실 확대", results.losers),
    Rule("plunge", "당일 급락", results.plunges),
    Rule("costs", "비용", results.costs),
    Rule("unfilled_far", "미체결 가격", orders.far_from_price),
    Rule("unfilled_long", "미체결 장기", orders.long_waiting),
)
#: What depends on when one looks, and not on what is looked at.
OF_THE_MOMENT = frozenset({"stale"})
URGENCY = {severity: place for place, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Examination:
    """What the rules say: findings, most urgent first, titles of those that found nothing, and why others could not look."""

    findings: tuple[Finding, ...]
    passed: tuple[str, ...]
    unjudged: dict[str, str]

    @property
    def lasting(self) -> tuple[Finding, ...]:
        """Return the findings about the position itself, which are the same whenever one looks."""
        return tuple(finding for finding in self.findings if finding.rule not in OF_THE_MOMENT)


def examine(position: Position, *, at: datetime, limits: Limits) -> Examination:
    """Let every rule look at a position."""
    scene = Scene(position, at, limits)
    findings: list[Finding] = []
    passed: list[str] = []
    unjudged: dict[str, str] = {}
    for rule in RULES:
        verdict = rule.look(scene)
        if isinstance(verdict, Unknown):
            unjudged[rule.title] = verdict.reason
        elif verdict:
            findings += (replace(finding, rule=rule.name, title=rule.title) for finding in verdict)
        else:
            passed.append(rule.title)
    findings.sort(key=lambda finding: URGENCY[finding.severity])
    return Examination(tuple(findings), tuple(passed), unjudged)
