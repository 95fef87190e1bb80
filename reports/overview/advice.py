"""F and G: what should worry the owner, in rows and in words."""

from collections.abc import Sequence
from decimal import Decimal
from math import ceil
from typing import Final

from kis.advice import Advice, Finding, Point, Severity, Source
from kis.connect import MODE_NAMES
from reports import charts, columns
from reports.amounts import names_amounts
from reports.figures import Dashboard
from reports.overview.scene import Context, Scene, drawing

SEVERITY_TONES: Final = {Severity.WARNING: "warning", Severity.CAUTION: "caution", Severity.INFO: "info"}
BULLET: Final = (11.0, 4.2)
FINDINGS: Final = 6
POINTS_ROOM: Final = 39.5  # for the points of the diagnosis, in millimetres
POINT_LINE: Final = 3.76
POINT_GAP: Final = 1.25
POINT_WIDTH: Final = 84.5
SMALL: Final = 6.5 / 7.5
WRAPPING: Final = 1.06  # lines end before they are full
PASSED_WIDTH: Final = 2 * 100.0  # two lines at 6.5 pt, measured at 7.5 pt


def findings_block(scene: Scene, advice: Advice | None) -> Context:
    if advice is None:
        return {"advice": None}
    shown = advice.findings[:FINDINGS]
    masked = scene.amounts.is_masked
    rows = [
        {
            "number": f"F{number}",
            "finding": finding,
            "tone": SEVERITY_TONES[finding.severity],
            "subject": "금액 가림" if masked and finding.amounts else finding.subject,
            "limit": "" if masked and finding.amounts else finding.limit,
            "bar": drawing(_bullet(finding, scene)) if finding.share is not None else "",
        }
        for number, finding in enumerate(shown, start=1)
    ]
    return {
        "advice": advice,
        "rows": rows,
        "more": len(advice.findings) - len(shown),
        "finding": findings_line(advice),
        "passed": fitting_names(advice.passed),
    }


def _bullet(finding: Finding, scene: Scene) -> str:
    share_of, limit = finding.share, finding.limit_share
    width, height = BULLET
    return charts.bullet_bar(
        share_of if share_of is not None else Decimal(0),
        limit,
        width=width,
        height=height,
        is_broken=finding.severity is Severity.WARNING,
        palette=scene.palette,
    )


def findings_line(advice: Advice) -> str:
    """`경고 2 · 주의 3 · 통과 9`."""
    counts = [
        (severity.value, sum(finding.severity is severity for finding in advice.findings))
        for severity in Severity
    ]
    told = [f"{name} {count}" for name, count in counts if count]
    told += [f"통과 {len(advice.passed)}"] if advice.passed else []
    told += [f"건너뜀 {len(advice.unjudged)}"] if advice.unjudged else []
    return " · ".join(told)


def fitting_names(names: Sequence[str]) -> list[str]:
    """Return the names that two lines of small print have room for; the last one says how many follow."""
    shown: list[str] = []
    width = 0.0
    for name in names:
        width += columns.text_width(f"{name} · ")
        if width > PASSED_WIDTH:
            return [*shown, f"외 {len(names) - len(shown)}"]
        shown.append(name)
    return shown


def diagnosis_block(scene: Scene, advice: Advice | None) -> Context:
    d = scene.d
    if d.is_empty:
        return {"steps": first_steps(d), "advice": advice}
    if advice is None:
        return {"advice": None}
    if scene.is_stale:
        return {"advice": advice, "is_withheld": True, "finding": "보류"}
    points_shown = [
        point for point in advice.points if not (scene.amounts.is_masked and names_amounts(point.text))
    ]
    fitting = fitting_points(points_shown)
    return {
        "advice": advice,
        "points": [(number, point) for number, point in enumerate(fitting, start=1)],
        "more": len(points_shown) - len(fitting),
        "by_model": advice.source is Source.MODEL,
        "finding": diagnosis_finding(advice),
    }


def diagnosis_finding(advice: Advice) -> str:
    if advice.source is not Source.MODEL:
        return "규칙이 쓴 설명" if advice.points else ""
    told = f"숫자 {advice.checked}개 모두 자료와 일치" if advice.checked else "숫자 없음"
    return f"{told} · {advice.dropped}문장 뺌" if advice.dropped else told


def fitting_points(given: Sequence[Point]) -> list[Point]:
    """Return as many points as there is room for, whole."""
    shown: list[Point] = []
    room = POINTS_ROOM
    for point in given:
        references = f" [{' '.join(point.references)}]" if point.references else ""
        width = columns.text_width(point.text) + columns.text_width(references) * SMALL
        lines = 1 if width <= POINT_WIDTH else ceil(width * WRAPPING / POINT_WIDTH)
        room -= lines * POINT_LINE + POINT_GAP
        if room < 0:
            break
        shown.append(point)
    return shown


def first_steps(d: Dashboard) -> list[tuple[str, str]]:
    """Return what to type in an account that has nothing yet but cash."""
    mode = MODE_NAMES[d.mode]
    return [
        ("시세를 확인합니다", f"manage.py {mode} 현재가 005930 삼성전자"),
        ("한 주를 주문합니다", f"manage.py {mode} 매수 005930 삼성전자 1주"),
        ("받은 코드로 확인합니다", f"manage.py {mode} 확인 코드"),
    ]
