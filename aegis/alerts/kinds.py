"""The kinds of alerts: their names, and which of them wait for nobody. Pure, read with the settings."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What an alert is about; the value is what `NOTIFY_OFF` calls it."""

    FILL = "fill"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    KILL = "kill"
    STALE = "stale"
    DIFFERENCE = "difference"
    RULE = "rule"
    FINDING = "finding"
    JOB = "job"
    PUBLISH = "publish"
    SUMMARY = "summary"
    START = "start"


LABELS: Final[Mapping[Kind, str]] = {
    Kind.FILL: "체결",
    Kind.REFUSED: "주문 거절",
    Kind.UNKNOWN: "모르는 주문",
    Kind.KILL: "주문 중지",
    Kind.STALE: "오래된 자료",
    Kind.DIFFERENCE: "대사 차이",
    Kind.RULE: "가격과 수익률",
    Kind.FINDING: "점검 경고",
    Kind.JOB: "작업 실패",
    Kind.PUBLISH: "리포트 보내기",
    Kind.SUMMARY: "하루 요약",
    Kind.START: "시작",
}
#: Sent at night as well, and before everything else.
URGENT: Final = frozenset({Kind.UNKNOWN, Kind.KILL})
#: What the owner may switch off; the last one is never sent in any case.
SWITCHABLE: Final = tuple(kind for kind in Kind if kind is not Kind.START)


def read_off(text: str) -> frozenset[Kind]:
    """Return the kinds that are switched off. Raises ValueError with a Korean sentence."""
    found = set()
    for name in filter(None, (part.strip() for part in text.split(","))):
        if name not in SWITCHABLE:
            raise ValueError(
                f"NOTIFY_OFF의 '{name}'은(는) 알림 종류가 아닙니다. 쉼표로 잇고, 이 가운데 하나여야 합니다: "
                f"{', '.join(SWITCHABLE)}"
            )
        found.add(Kind(name))
    return frozenset(found)
