"""Blocks K and M: a chart of two weeks and one of today for each stock, cell by cell."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import ClassVar, Final

from kis.calendar import hours_of
from kis.korean import SEOUL, number, percent
from reports.amounts import Amounts
from reports.candles import AXIS_ROOM, Scale, draw_candle, draw_candles, draw_trade
from reports.columns import BOLD, cut, text_width
from reports.figures import Dashboard, HoldingFigures
from reports.figures.bars import Candle
from reports.minute_charts import draw_minutes
from reports.palette import PRINT
from reports.paper import BODY, LEFT, SMALL, TITLE_MIDDLE, WIDTH, small_width, tone, write_change, write_title
from reports.sheet import Box, Run, Sheet
from reports.templatetags.dashboard import whole_won

FIRST_LINE, SECOND_LINE = 1.8, 5.4
TEXT_HEIGHT: Final = 8.0  # two lines above a chart
AXIS_HEIGHT: Final = 3.0  # dates below it
SPACE: Final = 1.4
CANDLE_KEY, LINE_KEY, TRADE_KEY, KEY_SPACE = 1.6, 5.0, 1.6, 1.0


@dataclass(frozen=True, slots=True)
class Key:
    """A sign of the charts and what it means; `gap` is the room before it."""

    text: str
    width: float = 0.0
    draw: Callable[[Sheet, Box], None] | None = None
    gap: float = 4.0


class ChartBlock(ABC):
    """All charts of one kind."""

    kind: ClassVar[str]
    letter: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, dashboard: Dashboard, amounts: Amounts) -> None:
        self.dashboard, self.amounts = dashboard, amounts

    @property
    def foot(self) -> str:
        """What there is to say below the last chart."""
        return ""

    def write_title(self, sheet: Sheet, top: float, *, is_first: bool) -> None:
        """Write the title and what the signs mean beside it, ending at the right edge."""
        write_title(sheet, self.letter, self.title, top=top, note="" if is_first else "이어서")
        x, y = LEFT + WIDTH, top + TITLE_MIDDLE
        for key in reversed(self._legend()):
            sheet.label((x, y), key.text, color=PRINT.ink2, anchor="end", size=BODY)
            x -= text_width(key.text) + (key.width and key.width + KEY_SPACE)
            if key.draw:
                key.draw(sheet, Box(x, y, key.width, 0))
            x -= key.gap

    def fill(self, sheet: Sheet, cell: Box, holding: HoldingFigures) -> None:
        """Write and draw the cell of one stock."""
        y = cell.top + FIRST_LINE
        change = percent(holding.change_pct)
        code_width = small_width(holding.code)
        room = cell.width - text_width(f"▲{change}") - code_width - 2 * SPACE
        name = cut(" ".join(holding.name.split()), room / BOLD)
        sheet.write(
            (cell.left, y),
            Run(name, PRINT.ink, BODY, is_bold=True),
            Run(holding.code, PRINT.ink3, SMALL, gap=SPACE),
        )
        write_change(sheet, cell.right, y, holding.change_pct)
        y = cell.top + SECOND_LINE
        price = number(holding.price)
        sheet.label((cell.left, y), price, color=PRINT.ink, is_bold=True, size=SMALL)
        after = cell.left + small_width(price) * BOLD + SPACE
        self._write_second_line(sheet, Box(after, y, cell.right - after, 0), holding)
        chart = Box(cell.left, cell.top + TEXT_HEIGHT, cell.width, cell.height - TEXT_HEIGHT - AXIS_HEIGHT)
        why = self._blank(holding)
        if why:
            sheet.label((cell.left, chart.top + 8.0), why, color=PRINT.ink3, size=SMALL)
            return
        self._draw(sheet, chart, holding)
        begin, end = self._axis()
        y = cell.bottom - AXIS_HEIGHT / 2
        sheet.label((cell.left, y), begin, color=PRINT.ink3, size=SMALL)
        sheet.label((cell.right - AXIS_ROOM, y), end, color=PRINT.ink3, anchor="end", size=SMALL)

    @abstractmethod
    def _legend(self) -> Sequence[Key]: ...

    @abstractmethod
    def _write_second_line(self, sheet: Sheet, room: Box, holding: HoldingFigures) -> None:
        """Write beside the price."""

    @abstractmethod
    def _draw(self, sheet: Sheet, box: Box, holding: HoldingFigures) -> None: ...

    @abstractmethod
    def _axis(self) -> tuple[str, str]: ...

    @abstractmethod
    def _blank(self, holding: HoldingFigures) -> str:
        """Say why the chart of a stock is blank, if it is."""


class CandleBlock(ChartBlock):
    """Two weeks."""

    kind, letter, title = "candles", "K", "2주 차트"

    @property
    def foot(self) -> str:
        return self.dashboard.no_minutes

    def _legend(self) -> Sequence[Key]:
        days = self.dashboard.chart_days
        since = f"세로 눈금 {days[0].month}/{days[0].day} 종가 대비" if days else ""
        return (
            Key("양봉", CANDLE_KEY, partial(_draw_candle_key, is_rising=True)),
            Key("음봉", CANDLE_KEY, partial(_draw_candle_key, is_rising=False)),
            Key("내 평균단가", LINE_KEY, _draw_average_key),
            Key("매수", TRADE_KEY, partial(_draw_trade_key, is_buy=True)),
            Key("매도, 가로선 체결가", TRADE_KEY, partial(_draw_trade_key, is_buy=False), gap=1.6),
            Key(since),
        )

    def _write_second_line(self, sheet: Sheet, room: Box, holding: HoldingFigures) -> None:
        average = "" if self.amounts.is_masked else f"평균 {whole_won(holding.average)}"
        sheet.label((room.left, room.top), average, color=PRINT.ink2, size=SMALL)
        result = percent(holding.profit_pct)
        sheet.label((room.right, room.top), result, color=tone(holding.profit), anchor="end", size=SMALL)
        before = room.right - small_width(result) - 0.8
        if before - small_width("수익률") > room.left + small_width(average) + SPACE:
            sheet.label((before, room.top), "수익률", color=PRINT.ink3, anchor="end", size=SMALL)

    def _draw(self, sheet: Sheet, box: Box, holding: HoldingFigures) -> None:
        draw_candles(sheet, box, holding.charts.candles, holding.charts.trades, holding.average)

    def _axis(self) -> tuple[str, str]:
        first, last = self.dashboard.chart_days[0], self.dashboard.chart_days[-1]
        return f"{first.month}/{first.day}", f"{last.month}/{last.day}"

    def _blank(self, holding: HoldingFigures) -> str:
        return "" if holding.charts.candles else "받아 둔 일봉이 없습니다"


class MinuteBlock(ChartBlock):
    """Today."""

    kind, letter, title = "minutes", "M", "1분 차트"

    def _legend(self) -> Sequence[Key]:
        return (
            Key("거래량 가중 평균", LINE_KEY, _draw_vwap_key),
            Key("매수", TRADE_KEY, partial(_draw_trade_key, is_buy=True)),
            Key("매도 주문 시각, 가로선 체결가", TRADE_KEY, partial(_draw_trade_key, is_buy=False), gap=1.6),
            Key("세로 눈금 전일 종가 대비"),
        )

    def _write_second_line(self, sheet: Sheet, room: Box, holding: HoldingFigures) -> None:
        minutes = holding.charts.day.minutes
        if minutes:
            high = max(holding.price, *(minute.high for minute in minutes))
            low = min(holding.price, *(minute.low for minute in minutes))
            text = f"고 {number(high)}  저 {number(low)}"
            sheet.label((room.left, room.top), text, color=PRINT.ink2, size=SMALL)

    def _draw(self, sheet: Sheet, box: Box, holding: HoldingFigures) -> None:
        draw_minutes(sheet, box, holding.charts.day, is_stale=self.dashboard.stale_for is not None)

    def _axis(self) -> tuple[str, str]:
        hours = hours_of(self.dashboard.as_of.astimezone(SEOUL).date())
        return f"{hours.opens:%-H:%M}", f"{hours.closes:%-H:%M}"

    def _blank(self, holding: HoldingFigures) -> str:
        return "" if holding.charts.day.minutes else "오늘 분봉이 없습니다"


def _draw_candle_key(sheet: Sheet, at: Box, *, is_rising: bool) -> None:
    prices = (2, 1) if is_rising else (1, 2)  # close and open
    candle = Candle(date.min, prices[0], prices[1], 3, 0)
    draw_candle(
        sheet,
        Scale(0, 3, at.top - 1.5, at.top + 1.5),
        candle,
        x=at.left + at.width / 2,
        width=at.width,
        palette=PRINT,
    )


def _draw_average_key(sheet: Sheet, at: Box) -> None:
    sheet.line(((at.left, at.top), (at.right, at.top)), color=PRINT.ink2, width=0.2, dash=(0.9, 0.6))


def _draw_vwap_key(sheet: Sheet, at: Box) -> None:
    sheet.line(((at.left, at.top), (at.right, at.top)), color=PRINT.ink3, width=0.18, dash=(0.4, 0.4))


def _draw_trade_key(sheet: Sheet, at: Box, *, is_buy: bool) -> None:
    x, y = at.left + at.width / 2, at.top + (-1.1 if is_buy else 1.1)
    draw_trade(sheet, (x, y), is_buy=is_buy, palette=PRINT)
