"""The table of all holdings: fifty rows on a page, written and drawn on one sheet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from typing import Final

from kis.korean import number, percent, share
from reports.amounts import Amounts
from reports.books import Books
from reports.charts import draw_return_bar, draw_share_bar, draw_sparkline
from reports.columns import blank_columns, cut, holding_columns, shortened, two_lines, wrapped
from reports.figures import Dashboard, HoldingFigures
from reports.minute_charts import draw_day_line
from reports.palette import PRINT
from reports.paper import (
    BODY,
    END,
    HAIR,
    LEFT,
    SMALL,
    TITLE,
    TOP,
    WIDTH,
    small_width,
    tone,
    write_change,
    write_title,
)
from reports.sheet import Anchor, Box, Layer, Sheet
from reports.templatetags.dashboard import whole_won

HEAD: Final = 8.0
HEAD_LINE: Final = 2.85
ROWS_TOP: Final = TOP + TITLE + HEAD
SUM_HEIGHT: Final = 6.2
TABLE_ROOM: Final = 230.0
TALLEST_ROW: Final = 7.6
COMPACT_BELOW: Final = 5.6
PAGE_ROWS: Final = 50
BAR_HEIGHT: Final = 2.8
TALLEST_CHART: Final = 5.8
SECOND_LINE: Final = 1.5  # two lines of a row stand so far above and below its middle
BOOKS_GAP: Final = 6.0
NOTES_GAP: Final = 2.0
NOTE_LINE: Final = 3.25
NAME_GAP: Final = 0.8
NO_DAYS: Final = "받아 둔 일봉이 없어 2주 차트를 그리지 못했습니다. 다음 동기화에서 받습니다."
SUM_RULE: Final = 0.25
HEAD_RULE: Final = 0.18
LEAST_SCALE: Final = Decimal(10)  # percent that fill the bar of the weights, unless a stock is larger


HEADS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("종목",),
    "code": ("코드",),
    "weight": ("비중 %",),
    "price": ("현재가",),
    "change": ("전일대비",),
    "chart": ("2주 종가", "점선 평균단가"),
    "day": ("오늘 분봉", "전일 종가선"),
    "quantity": ("수량", "(미체결)"),
    "average": ("평균단가",),
    "value": ("평가금액",),
    "profit": ("평가손익",),
    "return": ("수익률",),
}
#: Where amounts are nobody else's business, a profit is what it adds to the whole account.
MASKED_HEADS: Final[Mapping[str, tuple[str, ...]]] = {"profit": ("손익 기여",)}
TEXT_LEFT: Final = {"name", "code", "chart", "day"}
INSETS: Final = {"chart": 1.4, "day": 0.4}


@dataclass(frozen=True)
class HoldingsPage:
    """A part of the table; the columns are as wide on every page."""

    dashboard: Dashboard
    amounts: Amounts
    number: int
    rows: Sequence[HoldingFigures]
    row_height: float
    widths: Mapping[str, float]
    is_first: bool
    is_last: bool
    kind: str = "holdings"

    @property
    def is_compact(self) -> bool:
        return self.row_height < COMPACT_BELOW

    @property
    def bottom(self) -> float:
        """Where the table ends, with its total on the last page."""
        return ROWS_TOP + len(self.rows) * self.row_height + (SUM_HEIGHT if self.is_last else 0.0)

    @property
    def has_books(self) -> bool:
        """Whether reconciliation and inquiries fit below the table."""
        return self.is_last and self._books.fit(self._books_top)

    @property
    def _books(self) -> Books:
        return Books(self.dashboard, self.amounts)

    @property
    def _books_top(self) -> float:
        return self.bottom + NOTES_GAP + len(self.notes) * NOTE_LINE + BOOKS_GAP

    @cached_property
    def sheet(self) -> Sheet:
        """Everything of the table."""
        sheet, total = Sheet(), self.dashboard.total
        finding = f"비중 큰 순, 이익 {total.winners} · 손실 {total.losers}"
        write_title(sheet, "H", "보유 종목", finding, note="" if self.is_first else "이어서")
        self._write_heads(sheet)
        largest = max((row.weight for row in self.dashboard.holdings), default=LEAST_SCALE)
        for place, holding in enumerate(self.rows):
            top = ROWS_TOP + place * self.row_height
            color, width = (PRINT.hair, HAIR) if place else (PRINT.line, HEAD_RULE)
            self._rule(sheet, top, color=color, width=width)
            middle = top + self.row_height / 2
            self._write_row(sheet, middle, holding)
            self._draw_row(sheet, middle, holding, scale=max(largest, LEAST_SCALE))
        if self.is_last:
            self._write_sums(sheet, self.bottom - SUM_HEIGHT)
            self._write_notes(sheet)
        if self.has_books:
            self._books.write(sheet, self._books_top)
        return sheet

    @cached_property
    def _places(self) -> dict[str, Box]:
        """Left edge and width of the columns."""
        lefts = accumulate(self.widths.values(), initial=LEFT)
        return {
            name: Box(left, 0, width, 0)
            for (name, width), left in zip(self.widths.items(), lefts, strict=False)
        }

    def _rule(self, sheet: Sheet, y: float, *, color: str, width: float) -> None:
        sheet.line(((LEFT, y), (LEFT + WIDTH, y)), color=color, width=width, layer=Layer.GRID)

    def _text(
        self,
        sheet: Sheet,
        column: str,
        y: float,
        text: str,
        *,
        color: str = PRINT.ink,
        size: float = BODY,
        is_bold: bool = False,
        right: float = 0.0,
    ) -> None:
        """Write into a column, `right` away from its edge where it stands there."""
        place = self._places[column]
        anchor: Anchor = "start" if column in TEXT_LEFT else "end"
        x = place.left + INSETS.get(column, 0.0) if anchor == "start" else place.right - right
        sheet.label((x, y), text, color=color, anchor=anchor, is_bold=is_bold, size=size)

    def _write_heads(self, sheet: Sheet) -> None:
        last = ROWS_TOP - 2.3
        blank = blank_columns(self.amounts)
        heads = {**HEADS, **MASKED_HEADS} if self.amounts.is_masked else HEADS
        for column, lines in heads.items():
            if column in blank:
                continue
            room = self._places[column].width - INSETS.get(column, 0.0)
            fitting = [line for line in lines if column not in INSETS or small_width(line) <= room]
            for back, line in enumerate(reversed(fitting)):
                self._text(sheet, column, last - back * HEAD_LINE, line, color=PRINT.ink3, size=SMALL)

    def _write_row(self, sheet: Sheet, y: float, holding: HoldingFigures) -> None:
        def write(column: str, text: str, color: str = PRINT.ink) -> None:
            self._text(sheet, column, y, text, color=color)

        self._text(sheet, "rank", y, str(holding.rank), color=PRINT.ink3, size=SMALL, right=1.2)
        self._write_name(sheet, y, holding.name)
        self._text(sheet, "code", y, holding.code, color=PRINT.ink3, size=SMALL)
        write("weight", share(holding.weight))
        if not self.amounts.is_bare:
            write("price", number(holding.price))
        write_change(sheet, self._places["change"].right, y, holding.change_pct)
        if not self.amounts.is_masked:
            self._write_quantity(sheet, y, holding)
            write("average", whole_won(holding.average))
            write("value", number(holding.value))
        write("profit", self.amounts.signed(holding.profit), tone(holding.profit))
        write("return", percent(holding.profit_pct), tone(holding.profit))

    def _write_name(self, sheet: Sheet, y: float, name: str) -> None:
        room, name = self._places["name"].width - NAME_GAP, " ".join(name.split())
        lines = [cut(name, room)] if self.is_compact else two_lines(name, room)
        for line, shift in zip(
            lines, (0.0,) if len(lines) == 1 else (-SECOND_LINE, SECOND_LINE), strict=True
        ):
            self._text(sheet, "name", y + shift, line)

    def _write_quantity(self, sheet: Sheet, y: float, holding: HoldingFigures) -> None:
        quantity = number(holding.quantity)
        if self.is_compact:
            rest = f"({number(holding.sellable)})" if holding.sellable < holding.quantity else ""
            room = small_width(rest) + 0.6 if rest else 0.0
            self._text(sheet, "quantity", y, quantity, right=room)
            self._text(sheet, "quantity", y, rest, color=PRINT.ink3, size=SMALL)
            return
        sides = (("매수", holding.open_buy), ("매도", holding.open_sell))
        waiting = " ".join(f"{side} {number(count)}" for side, count in sides if count)
        self._text(sheet, "quantity", y - (SECOND_LINE if waiting else 0.0), quantity)
        if waiting:
            self._text(sheet, "quantity", y + SECOND_LINE, f"({waiting})", color=PRINT.ink3, size=SMALL)

    def _write_sums(self, sheet: Sheet, top: float) -> None:
        total, y = self.dashboard.total, top + SUM_HEIGHT / 2
        for edge in (top, top + SUM_HEIGHT):
            self._rule(sheet, edge, color=PRINT.ink3, width=SUM_RULE)
        is_bold = self.dashboard.stale_for is None
        for column, text, color in (
            ("name", f"합계 {total.count}종목", PRINT.ink),
            ("weight", share(total.weight), PRINT.ink),
            ("value", "" if self.amounts.is_masked else number(total.value), PRINT.ink),
            ("profit", self.amounts.signed(total.profit), tone(total.profit)),
            ("return", percent(total.profit_pct), tone(total.profit)),
        ):
            self._text(sheet, column, y, text, color=color, is_bold=is_bold)

    @property
    def notes(self) -> list[str]:
        """What there is to say below the table, in lines; nothing where not all of it has room."""
        lines = [line for text in self.remarks for line in wrapped(text, WIDTH * BODY / SMALL)]
        return lines if self.bottom + NOTES_GAP + len(lines) * NOTE_LINE <= END else []

    @property
    def remarks(self) -> list[str]:
        """What the signs mean, why something is blank, and the names that had to be cut."""
        means = "수량 옆 괄호는 지금 매도할 수 있는 수량입니다. " if self.is_compact else ""
        means += (
            "2주 그래프의 빨간 점은 최고, 파란 점은 최저, 검은 점은 현재가, 점선은 내 평균단가입니다. 점선 끝의 "
            "삼각형은 평균단가가 그래프 밖에 있다는 뜻입니다. 오늘 분봉의 회색 선은 전일 종가, 막대는 거래량입니다."
        )
        names = shortened(
            ((row.code, row.name) for row in self.dashboard.holdings),
            self.widths["name"] - NAME_GAP,
            is_compact=self.is_compact,
        )
        written_out = "줄인 이름 " + " · ".join(f"{code} {name}" for code, name in names) if names else ""
        no_days = "" if self.dashboard.chart_days else NO_DAYS
        return [text for text in (means, self.dashboard.no_minutes, no_days, written_out) if text]

    def _write_notes(self, sheet: Sheet) -> None:
        for place, line in enumerate(self.notes):
            y = self.bottom + NOTES_GAP + (place + 0.5) * NOTE_LINE
            sheet.label((LEFT, y), line, color=PRINT.ink3, size=SMALL)

    def _draw_row(self, sheet: Sheet, middle: float, holding: HoldingFigures, *, scale: Decimal) -> None:
        is_stale = self.dashboard.stale_for is not None
        tall = min(self.row_height - 0.5, TALLEST_CHART)

        def box(column: str, left: float, right: float, height: float) -> Box:
            place = self._places[column]
            return Box(place.left + left, middle - height / 2, place.width - left - right, height)

        weight, chart = box("weight_bar", 1.2, 0.8, BAR_HEIGHT), box("chart", 1.4, 0.2, tall)
        draw_share_bar(sheet, weight, holding.weight, scale=scale, color=PRINT.ink3)
        draw_sparkline(sheet, chart, holding.closes, holding.average, is_stale=is_stale)
        draw_day_line(sheet, box("day", 0.4, 0.6, tall), holding.charts.day, is_stale=is_stale)
        draw_return_bar(sheet, box("return_bar", 1.2, 0.0, BAR_HEIGHT), holding.profit_pct)


def holdings_pages(dashboard: Dashboard, amounts: Amounts, numbers: Iterator[int]) -> list[HoldingsPage]:
    """Lay out the table; rows are as tall as they can be, up to where they look lost."""
    rows = dashboard.holdings
    chunks = [rows[start : start + PAGE_ROWS] for start in range(0, len(rows), PAGE_ROWS)]
    height = min(TALLEST_ROW, TABLE_ROOM / max((len(chunk) for chunk in chunks), default=1))
    widths = holding_columns(dashboard, amounts, is_compact=height < COMPACT_BELOW)
    return [
        HoldingsPage(
            dashboard,
            amounts,
            next(numbers),
            chunk,
            height,
            widths,
            is_first=index == 0,
            is_last=index == len(chunks) - 1,
        )
        for index, chunk in enumerate(chunks)
    ]
