"""B: why the total changed today."""

from decimal import Decimal
from typing import Final

from kis.korean import MINUS
from reports import columns
from reports.figures import Today
from reports.overview.scene import Context, Scene, drawing
from reports.waterfall import waterfall

CAUSE_ROW: Final = 3.72
SUM_ROW: Final = 4.6
COLUMNS: Final = {"name": 27.0, "bars": 33.0, "amount": 17.4, "rate": 11.6}
BARS_GAP: Final = 0.2
SMALL: Final = 6.5 / 7.5


def causes_block(scene: Scene, today: Today | None) -> Context:
    if today is None:
        return {"today": None, "quiet": "보유 종목도 체결도 없습니다" if scene.d.is_empty else ""}
    is_quiet = not today.change and all(not cause.amount for cause in today.causes)
    if is_quiet:
        why = "아직 움직인 가격도 체결도 없습니다" if scene.d.holdings else "보유 종목도 체결도 없습니다"
        return {"today": today, "quiet": why}
    amounts = scene.amounts.of(today.before)
    odd = len(today.causes) - 1 if today.unexplained else None
    texts = [amounts.signed(cause.amount) for cause in today.causes]
    widths = columns.fitted(
        COLUMNS, {"amount": texts}, bold={"amount": amounts.signed(today.change)}, gives_way={"bars": 14.0}
    )
    bars = waterfall(
        [cause.amount for cause in today.causes],
        width=widths["bars"] - BARS_GAP,
        row_height=CAUSE_ROW,
        sum_height=SUM_ROW,
        odd=odd,
        palette=scene.palette,
    )
    return {
        "today": today,
        "rows": [
            (cause, text, tone_of(text), cause.kind == "unexplained" and today.unexplained)
            for cause, text in zip(today.causes, texts, strict=True)
        ],
        "sum": amounts.signed(today.change),
        "change_rate": Decimal(today.change) * 100 / today.before if today.before > 0 else None,
        "finding": causes_finding(scene, today),
        "why": why_unexplained(today),
        "bars": drawing(bars),
        "bars_left": widths["name"],
        "widths": list(widths.values()),
        "why_room": widths["bars"] / SMALL - 1.0,
        "row_height": CAUSE_ROW,
    }


def tone_of(text: str) -> str:
    """Name the colour of an amount as it is written: what rounds to nothing has none."""
    return "up" if text.startswith("+") else "down" if text.startswith(MINUS) else "zero"


def causes_finding(scene: Scene, today: Today) -> str:
    if scene.amounts.is_masked:
        return "전일 총평가 대비 기여도"
    return f"{scene.amounts.heading(today.before)} → {scene.amounts.heading(today.now)}"


def why_unexplained(today: Today) -> str:
    """Say what is known about the part that nobody can explain."""
    if not today.unexplained:
        return ""
    if today.unpriced:
        names = ", ".join(today.unpriced[:2])
        more = f" 외 {len(today.unpriced) - 2}종목" if len(today.unpriced) > 2 else ""  # noqa: PLR2004
        return f"전일 종가 없음: {names}{more}"
    return today.flow_reason
