"""Blocks I, J and L: sectors, reconciliation, and what was asked; below the table of holdings or on a page of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from kis.advice import Advice
from kis.korean import number, percent, share
from kis.reconciliation import Check
from reports.amounts import Amounts
from reports.charts import draw_share_bar
from reports.columns import check_columns, cut, sector_columns, wrapped
from reports.figures import Broken, Dashboard
from reports.figures.sectors import SectorLine, first_sectors
from reports.palette import PRINT
from reports.paper import BODY, END, HAIR, LEFT, SMALL, TITLE, TOP, WIDTH, tone, write_title
from reports.sheet import Anchor, Box, Layer, Sheet
from reports.templatetags.dashboard import seconds

BLOCK: Final = 89.0
RIGHT: Final = 109.0
HEAD: Final = 4.6
ROW: Final = 4.3
REASON: Final = 3.4
LINE: Final = 3.25
GAP: Final = 4.0
FEWEST_SECTORS: Final = 5
MOST_CHECKS: Final = 9
TICK: Final = 0.3
SECTOR_BAR: Final = 2.6
BAR_LEFT: Final = 1.2


@dataclass(frozen=True, slots=True)
class Cell:
    """A text in a table."""

    text: str
    color: str = PRINT.ink
    is_bold: bool = False


class Books:
    """The three blocks, made to end where the page does."""

    def __init__(self, dashboard: Dashboard, amounts: Amounts, notes: Sequence[str] = ()) -> None:
        self.dashboard, self.amounts, self.notes = dashboard, amounts, notes
        self.checks = dashboard.reconciliation.checks

    def fit(self, top: float) -> bool:
        """Return whether they fit below a height, with few sectors if need be."""
        return top + self._height(FEWEST_SECTORS) <= END

    def write(self, sheet: Sheet, top: float) -> None:
        below = GAP + TITLE + len(self._sources) * LINE
        rows = max(int((END - top - TITLE - HEAD - below) / ROW), FEWEST_SECTORS)
        left, right = self._write_sectors(sheet, top, rows), self._write_checks(sheet, top)
        lines = [line for text in self.notes for line in wrapped(text, BLOCK * BODY / SMALL)]
        if lines:
            for place, line in enumerate(lines):
                y = right + GAP + (place + 0.5) * LINE
                sheet.label((RIGHT, y), line, color=PRINT.ink3, size=SMALL)
            right += GAP + len(lines) * LINE
        self._write_sources(sheet, max(left, right) + GAP)

    @property
    def _sectors(self) -> Sequence[SectorLine]:
        return () if isinstance(self.dashboard.sectors, Broken) else self.dashboard.sectors

    @property
    def _sources(self) -> list[str]:
        """Every inquiry with what came and how long it took, broken into lines."""
        asked = (
            " ".join((source.name, source.tr_id, source.count, seconds(source.seconds)))
            for source in self.dashboard.sources
        )
        text = "   ·   ".join(asked) or "이 스냅샷에는 동기화 기록이 없습니다."
        return wrapped(text, WIDTH * BODY / SMALL)

    def _height(self, sectors: int) -> float:
        tables = HEAD + max(min(sectors, len(self._sectors)) * ROW, checks_height(self.checks))
        return TITLE + tables + GAP + TITLE + len(self._sources) * LINE

    def _write_sectors(self, sheet: Sheet, top: float, rows: int) -> float:
        advice = self.dashboard.advice
        limit = advice.sector_limit if isinstance(advice, Advice) else None
        finding, color = self._sector_finding(limit)
        write_title(sheet, "I", "업종별 소계", finding, top=top, width=BLOCK, color=color)
        y = top + TITLE
        if isinstance(self.dashboard.sectors, Broken):
            sheet.label((LEFT, y + ROW / 2), self.dashboard.sectors.sentence, color=PRINT.warn, size=BODY)
            return y + ROW
        lines = first_sectors(self._sectors, rows)
        widths = sector_columns(lines, self.amounts)
        table = Table(sheet, LEFT, widths, left_columns={"name", "bar"})
        heads = {
            "name": "업종",
            "count": "수",
            "weight": "비중 %",
            "bar": f"한도 {limit.normalize():f}%" if limit else "",
            "value": "" if self.amounts.is_masked else "평가금액",
            "profit": "기여 %" if self.amounts.is_masked else "평가손익",
            "return": "수익률",
        }
        table.heads(y, heads)
        y += HEAD
        scale = max([limit or Decimal(0), *(line.weight for line in lines)], default=Decimal(1))
        for place, line in enumerate(lines):
            if place:
                table.rule(y)
            self._write_sector(table, y, line, limit=limit, scale=scale)
            y += ROW
        return y

    def _sector_finding(self, limit: Decimal | None) -> tuple[str, str]:
        known = [line for line in self._sectors if line.is_known]
        if not known:
            return "", PRINT.ink2
        largest = max(known, key=lambda line: line.weight)
        text = f"{largest.name} {share(largest.weight)}%"
        if limit is not None and largest.weight > limit:
            return f"{text}, 한도 {limit.normalize():f}% 넘음", PRINT.warn
        return f"가장 큰 업종 {text}", PRINT.ink2

    def _write_sector(
        self, table: "Table", y: float, line: SectorLine, *, limit: Decimal | None, scale: Decimal
    ) -> None:
        color = tone(line.profit)
        table.row(
            y,
            {
                "name": Cell(
                    cut(line.name, table.widths["name"] - 0.6), PRINT.ink if line.names == 1 else PRINT.ink2
                ),
                "count": Cell(number(line.count), PRINT.ink2),
                "weight": Cell(share(line.weight)),
                "value": Cell("" if self.amounts.is_masked else number(line.value)),
                "profit": Cell(self.amounts.signed(line.profit), color),
                "return": Cell(percent(line.profit_pct), color),
            },
        )
        place = table.box("bar", y)
        bar = Box(place.left + BAR_LEFT, y + (ROW - SECTOR_BAR) / 2, place.width - 2 * BAR_LEFT, SECTOR_BAR)
        is_over = limit is not None and line.is_known and line.weight > limit
        draw_share_bar(
            table.sheet, bar, line.weight, scale=scale, color=PRINT.warn_mark if is_over else PRINT.ink3
        )
        if limit is not None and line.is_known and scale > 0:
            x = bar.left + bar.width * float(limit / scale)
            table.sheet.line(
                ((x, y + 0.4), (x, y + ROW - 0.4)), color=PRINT.ink, width=TICK, layer=Layer.MARK
            )

    def _write_checks(self, sheet: Sheet, top: float) -> float:
        differing = self.dashboard.reconciliation.differing
        finding, color = "우리 합계와 증권사 값이 모두 일치", PRINT.ink2
        if differing:
            worst = differing[0]
            finding = f"차이 {len(differing)}건, 가장 큰 것 {self._quantity(worst, worst.difference)}"
            color = PRINT.warn
        write_title(sheet, "J", "대사", finding, top=top, left=RIGHT, width=BLOCK, color=color)
        table = Table(sheet, RIGHT, check_columns(self.checks), left_columns={"name"})
        y = top + TITLE
        table.heads(y, {"name": "항목", "ours": "우리 합계", "broker": "증권사", "difference": "차이"})
        y += HEAD
        shown = fitting(self.checks)
        for place, check in enumerate(shown):
            if place:
                table.rule(y)
            y += self._write_check(table, y, check)
        if len(shown) < len(self.checks):
            table.row(y, {"name": Cell(f"외 {len(self.checks) - len(shown)}건", PRINT.ink3)})
            y += ROW
        return y

    def _write_check(self, table: "Table", y: float, check: Check) -> float:
        height = check_height(check)
        if check.difference:
            ground = Box(table.left, y, sum(table.widths.values()), height)
            table.sheet.rect(ground, fill=PRINT.warn_fill, layer=Layer.GROUND)
        color = PRINT.warn if check.difference else PRINT.ink
        difference = self._quantity(check, check.difference) if check.difference else "0"
        table.row(
            y,
            {
                "name": Cell(cut(check.name, table.widths["name"]), color),
                "ours": Cell(self._quantity(check, check.ours), color),
                "broker": Cell(self._quantity(check, check.broker), color),
                "difference": Cell(
                    difference, color if check.difference else PRINT.ink3, is_bold=bool(check.difference)
                ),
            },
        )
        if check.row and not self.amounts.is_masked:
            text = cut(check.row, BLOCK * BODY / SMALL)
            at = (table.left, y + ROW - 0.4 + REASON / 2)
            table.sheet.label(at, text, color=PRINT.warn if check.difference else PRINT.ink3, size=SMALL)
        return height

    def _quantity(self, check: Check, value: int) -> str:
        """Write one side of a comparison; counts of shares are nobody's business either where amounts are not."""
        if check.unit == "원":
            return self.amounts.plain(value)
        return "" if self.amounts.is_masked else f"{number(value)}{check.unit}"

    def _write_sources(self, sheet: Sheet, top: float) -> None:
        run = self.dashboard.sync_run_id
        finding = "증권사에서 바로 조회" if self.dashboard.is_direct else f"동기화 #{run}" if run else ""
        write_title(sheet, "L", "조회 기록", finding, top=top)
        for place, line in enumerate(self._sources):
            y = top + TITLE + (place + 0.5) * LINE
            sheet.label((LEFT, y), line, color=PRINT.ink2, size=SMALL)


@dataclass(frozen=True)
class BooksPage:
    """The blocks by themselves, where the table of holdings has no room for them, and what it has left unsaid."""

    dashboard: Dashboard
    amounts: Amounts
    number: int
    notes: Sequence[str]
    kind: str = "books"

    @cached_property
    def sheet(self) -> Sheet:
        sheet = Sheet()
        Books(self.dashboard, self.amounts, self.notes).write(sheet, TOP)
        return sheet


class Table:
    """Rows of texts in columns; figures end at the right of theirs."""

    def __init__(
        self, sheet: Sheet, left: float, widths: dict[str, float], *, left_columns: set[str]
    ) -> None:
        self.sheet, self.left, self.widths, self._left_columns = sheet, left, widths, left_columns

    def box(self, column: str, y: float) -> Box:
        left = self.left
        for name, width in self.widths.items():
            if name == column:
                return Box(left, y, width, ROW)
            left += width
        raise KeyError(column)

    def heads(self, y: float, texts: dict[str, str]) -> None:
        for column, text in texts.items():
            self._write(column, y, HEAD, Cell(text, PRINT.ink3), size=SMALL)

    def row(self, y: float, cells: dict[str, Cell]) -> None:
        for column, cell in cells.items():
            self._write(column, y, ROW, cell, size=BODY)

    def rule(self, y: float) -> None:
        right = self.left + sum(self.widths.values())
        self.sheet.line(((self.left, y), (right, y)), color=PRINT.hair, width=HAIR, layer=Layer.GRID)

    def _write(self, column: str, y: float, height: float, cell: Cell, *, size: float) -> None:
        place = self.box(column, y)
        is_left = column in self._left_columns
        anchor: Anchor = "start" if is_left else "end"
        inset = BAR_LEFT if column == "bar" else 0.0
        at = (place.left + inset if is_left else place.right, y + height / 2)
        self.sheet.label(at, cell.text, color=cell.color, anchor=anchor, is_bold=cell.is_bold, size=size)


def fitting(checks: Sequence[Check]) -> list[Check]:
    """Return as many comparisons as there is room for, those that differ first; one with a reason takes more."""
    shown: list[Check] = []
    height = 0.0
    for check in sorted(checks, key=lambda check: not check.difference):
        height += check_height(check)
        if height > MOST_CHECKS * ROW and shown:
            break
        shown.append(check)
    return shown


def checks_height(checks: Sequence[Check]) -> float:
    shown = fitting(checks)
    return sum(map(check_height, shown)) + (ROW if len(shown) < len(checks) else 0.0)


def check_height(check: Check) -> float:
    return ROW + (REASON if check.row else 0.0)
