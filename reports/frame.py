"""What stands around every page: mode bar, head, status strip and foot. The first thing read is whether it is real money."""

from collections.abc import Sequence
from typing import Final

from kis.accounts import MODE_NAMES
from kis.korean import clock_time, day, short_day
from reports.amounts import Amounts
from reports.charts import draw_stripes
from reports.columns import text_width
from reports.figures import Dashboard
from reports.palette import PRINT
from reports.paper import BODY, HEADING, LEFT, PAPER, SMALL, WIDTH
from reports.sheet import Box, Layer, Run, Sheet
from reports.strip import Item, Strip, generated

BAR: Final = Box(0, 0, PAPER[0], 2.4)
NUMBER: Final = 3.704  # 10.5 points
HEAD_MIDDLE: Final = 10.7
BADGE_HEIGHT: Final = 5.8
BADGE_INSET: Final = 2.4
BADGE_GAP: Final = 1.6
BADGE_CORNER: Final = 0.6
BADGE_EDGE: Final = 0.3
STRIP: Final = Box(LEFT, 16.6, WIDTH, 5.6)
STRIP_RULE: Final = 0.18
STRIP_INSET: Final = 2.0
DOT: Final = 0.75
DOT_ROOM: Final = 2.3
DOT_HOLE: Final = 0.5
FOOT_TOP: Final = 283.2
FOOT_LINES: Final = (285.7, 288.9)
SPACE: Final = 0.6
SIGNS: Final = "▲▼ 전일 대비 · ~ 추정 · – 알 수 없음 · 빨강 이익·상승·매수 · 파랑 손실·하락·매도"
ADVICE: Final = "투자 판단의 책임은 본인에게 있습니다"
NAMES: Final = {
    "overview": "계좌 대시보드",
    "holdings": "보유 종목",
    "candles": "2주 차트",
    "minutes": "1분 차트",
    "charts": "2주 차트와 1분 차트",
    "orders": "미체결",
    "books": "대사와 조회 기록",
}


class Frame:
    """The frame of all pages of one dashboard."""

    def __init__(self, dashboard: Dashboard, strip: Strip, amounts: Amounts, *, pages: int) -> None:
        self.dashboard, self.strip, self.pages = dashboard, strip, pages
        self.is_masked = amounts.is_masked

    def sheet(self, *, kind: str, number: int) -> Sheet:
        sheet = Sheet()
        self._write_head(sheet, kind)
        self._write_strip(sheet)
        self._write_foot(sheet, number)
        return sheet

    def _write_head(self, sheet: Sheet, kind: str) -> None:
        d = self.dashboard
        color = PRINT.real if d.mode == "real" else PRINT.line
        if d.is_demo:
            draw_stripes(sheet, BAR)
        else:
            sheet.rect(BAR, fill=color, layer=Layer.GROUND)
        x = LEFT
        if d.is_demo:
            x = write_badge(sheet, x, "DEMO", ground=PRINT.warn_mark, color=PRINT.ink)
        if d.mode == "real" and not d.is_demo:
            x = write_badge(sheet, x, MODE_NAMES[d.mode], ground=PRINT.real, color=PRINT.paper)
        else:
            x = write_badge(sheet, x, MODE_NAMES[d.mode], ground="", color=PRINT.ink2)
        number = "계좌 가림" if self.is_masked else d.account_no
        title = f"AEGIS {self._name(kind)}"
        sheet.write(
            (x + 1.0, HEAD_MIDDLE),
            Run(number, PRINT.ink, NUMBER, is_bold=True),
            Run(f"{d.account_kind} · {title}" if d.account_kind else title, PRINT.ink3, BODY, gap=2.0),
        )
        late = [Run(f"· 생성 {generated(d)}", PRINT.warn, BODY, gap=SPACE)] if d.stale_for is not None else []
        sheet.write(
            (LEFT + WIDTH, HEAD_MIDDLE),
            Run(day(d.as_of.date()), PRINT.ink3, BODY),
            Run(clock_time(d.as_of), PRINT.ink, NUMBER, is_bold=True, gap=1.5),
            Run("KST 기준", PRINT.ink3, BODY, gap=1.5),
            *late,
            anchor="end",
        )

    def _name(self, kind: str) -> str:
        if kind != "fills":
            return NAMES[kind]
        d = self.dashboard
        return "오늘 체결" if d.day == d.as_of.date() else f"{short_day(d.day)} 체결"

    def _write_strip(self, sheet: Sheet) -> None:
        is_troubled = self.strip.is_troubled
        edge = PRINT.warn_mark if is_troubled else PRINT.hair
        if is_troubled:
            sheet.rect(STRIP, fill=PRINT.warn_fill, layer=Layer.GROUND)
        for y in (STRIP.top, STRIP.bottom):
            sheet.line(((STRIP.left, y), (STRIP.right, y)), color=edge, width=STRIP_RULE, layer=Layer.GRID)
        items = self.strip.fitting()
        inset = STRIP_INSET if is_troubled else 0.0
        room = STRIP.width - 2 * inset - sum(item.width for item in items)
        gap, x = room / max(len(items) - 1, 1), STRIP.left + inset
        for place, item in enumerate(items):
            is_last = place == len(items) - 1 and place > 0
            self._write_item(sheet, STRIP.right - inset if is_last else x, item, is_last=is_last)
            x += item.width + gap

    def _write_item(self, sheet: Sheet, x: float, item: Item, *, is_last: bool) -> None:
        y = STRIP.top + STRIP.height / 2
        label, value = (PRINT.warn, PRINT.ink) if self.strip.is_troubled else (PRINT.ink3, PRINT.ink2)
        if item.dot:
            at = (x + DOT, y)
            sheet.dot(at, radius=DOT, color=label)
            if item.dot == "closed":
                ground = PRINT.warn_fill if self.strip.is_troubled else PRINT.paper
                sheet.dot(at, radius=DOT_HOLE, color=ground, layer=Layer.HOLE)
            x += DOT_ROOM
        runs = [
            Run(text, color, BODY, is_bold=is_bold, gap=gap)
            for text, color, is_bold, gap in (
                (item.label, label, False, SPACE),
                (item.strong, value, True, SPACE),
                (item.value, value, False, SPACE),
                (item.note, label, False, 2 * SPACE),
            )
            if text
        ]
        if runs:
            first = Run(runs[0].text, runs[0].color, BODY, is_bold=runs[0].is_bold)
            sheet.write((x, y), first, *runs[1:], anchor="end" if is_last else "start")

    def _write_foot(self, sheet: Sheet, number: int) -> None:
        d, right = self.dashboard, LEFT + WIDTH
        sheet.line(
            ((LEFT, FOOT_TOP), (right, FOOT_TOP)), color=PRINT.hair, width=STRIP_RULE, layer=Layer.GRID
        )
        origin = "증권사에서 바로 조회" if d.is_direct else f"스냅샷 #{d.snapshot_id}"
        run = [f"동기화 #{d.sync_run_id}"] if d.sync_run_id else []
        asked = dict.fromkeys(source.tr_id for source in d.sources)
        first, second = FOOT_LINES
        sheet.label((LEFT, first), fitting([origin, *run, *asked]), color=PRINT.ink3, size=SMALL)
        sheet.label((right, first), f"{number} / {self.pages}", color=PRINT.ink3, anchor="end", size=SMALL)
        sheet.label((LEFT, second), SIGNS, color=PRINT.ink3, size=SMALL)
        sheet.label((right, second), ADVICE, color=PRINT.ink3, anchor="end", size=SMALL)


def write_badge(sheet: Sheet, left: float, text: str, *, ground: str, color: str) -> float:
    """Write a badge, filled or as an outline; returns where the next one begins."""
    width = text_width(text) * HEADING / BODY + 2 * BADGE_INSET
    box = Box(left, HEAD_MIDDLE - BADGE_HEIGHT / 2, width, BADGE_HEIGHT)
    if ground:
        sheet.rounded(box, BADGE_CORNER, fill=ground, layer=Layer.BODY)
    else:
        half = BADGE_EDGE / 2
        inner = Box(box.left + half, box.top + half, box.width - BADGE_EDGE, box.height - BADGE_EDGE)
        sheet.rounded(inner, BADGE_CORNER, edge=PRINT.ink3, width=BADGE_EDGE, layer=Layer.BODY)
    at = (left + width / 2, HEAD_MIDDLE)
    sheet.label(at, text, color=color, anchor="middle", is_bold=True, size=HEADING)
    return left + width + BADGE_GAP


def fitting(parts: Sequence[str]) -> str:
    """Join what there is room for beside the number of the page."""
    shown = list(parts)
    while len(shown) > 1 and text_width(" · ".join(shown)) * SMALL / BODY > WIDTH - 20:
        shown.pop()
    return " · ".join(shown)
