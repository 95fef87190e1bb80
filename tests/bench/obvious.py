"""The same pages made the obvious way: one matplotlib figure for each chart, as a picture where the chart stands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from reports import chart_blocks, holdings_pages
from reports.amounts import IN_WON
from reports.figures import Dashboard
from reports.layout import SHEET_PAGES, pages_of
from reports.palette import PRINT
from reports.pdf import _html, _sheets  # what the pages are made of
from reports.printing import print_html
from reports.sheet import Box

MM = 25.4


def render_obviously(dashboard: Dashboard) -> bytes:
    """Return the same pages; text is written as always, only charts are figures."""
    pages = pages_of(dashboard)
    figures: dict[int, list[str]] = {}
    with pytest.MonkeyPatch.context() as patch:
        for page in pages:
            drawn = figures.setdefault(page.number, [])
            for module, name, draw in CHARTS:
                patch.setattr(module, name, instead(draw, drawn))
            if isinstance(page, SHEET_PAGES):
                _ = page.sheet
    html = _html(dashboard, pages, IN_WON, {})
    sections = html.split('<section class="page">')
    for page, place in zip(pages, range(1, len(sections)), strict=True):
        sections[place] = "".join(figures[page.number]) + sections[place]
    return print_html(
        '<section class="page">'.join(sections),
        identifier="obvious",
        epoch=int(dashboard.generated_at.timestamp()),
        sheets=_sheets(dashboard, pages, IN_WON),
    )


def instead(draw: Callable[..., None], drawn: list[str]) -> Callable[..., None]:
    """Return what puts a figure in the place of a chart."""

    def figure_of(_sheet: object, box: Box, *values: Any, **_options: Any) -> None:
        with figure(box, drawn) as axes:
            draw(axes, *values)

    return figure_of


@contextmanager
def figure(box: Box, drawn: list[str]) -> Iterator[Any]:
    made = Figure(figsize=(box.width / MM, box.height / MM))
    axes = made.add_axes((0, 0, 1, 1))
    axes.axis("off")
    yield axes
    text = StringIO()
    with rc_context({"svg.fonttype": "none"}):
        made.savefig(text, format="svg", transparent=True)
    svg = text.getvalue()
    drawn.append(f'<div style="left:{box.left}mm;top:{box.top}mm">{svg[svg.index("<svg") :]}</div>')


def sparkline(axes: Any, closes: Any, average: Any) -> None:
    known = [(place, close) for place, close in enumerate(closes) if close is not None]
    axes.plot(*zip(*known, strict=True), color=PRINT.ink2, linewidth=0.7)
    axes.axhline(float(average), color=PRINT.ink3, linewidth=0.5, linestyle="--")
    axes.plot(*known[-1], "o", color=PRINT.ink, markersize=2)


def share(axes: Any, part: Any) -> None:
    axes.barh([0], [float(part)], color=PRINT.ink3)
    axes.set_xlim(0, 25)


def result(axes: Any, rate: Any) -> None:
    axes.barh([0], [float(rate)], color=PRINT.up if rate > 0 else PRINT.down)
    axes.axvline(0, color=PRINT.ink3, linewidth=0.3)
    axes.set_xlim(-47, 110)


def day_line(axes: Any, day: Any) -> None:
    if day.minutes:
        axes.plot(
            [minute.place for minute in day.minutes],
            [minute.close for minute in day.minutes],
            color=PRINT.up,
            linewidth=0.7,
        )
        axes.axhline(day.previous_close, color=PRINT.line, linewidth=0.4)
        axes.set_xlim(0, 390)


def minutes(axes: Any, day: Any) -> None:
    day_line(axes, day)
    if day.minutes:
        volumes = axes.twinx()
        volumes.axis("off")
        volumes.fill_between(
            [minute.place for minute in day.minutes],
            [minute.volume for minute in day.minutes],
            color=PRINT.line,
            linewidth=0,
        )


def candles(axes: Any, days: Any, _trades: Any, average: Any) -> None:
    known = [(place, day) for place, day in enumerate(days) if day is not None and day.open]
    places = [place for place, _ in known]
    colors = [PRINT.up if day.close > day.open else PRINT.down for _, day in known]
    axes.vlines(places, [day.low for _, day in known], [day.high for _, day in known], colors=colors)
    axes.bar(
        places,
        [abs(day.close - day.open) for _, day in known],
        bottom=[min(day.close, day.open) for _, day in known],
        color=colors,
        width=0.6,
    )
    axes.axhline(float(average), color=PRINT.ink2, linewidth=0.5, linestyle="--")
    volumes = axes.twinx()
    volumes.axis("off")
    volumes.bar(places, [day.volume or 0 for _, day in known], color=PRINT.line, width=0.6)


CHARTS: tuple[tuple[Any, str, Callable[..., None]], ...] = (
    (holdings_pages, "draw_sparkline", sparkline),
    (holdings_pages, "draw_share_bar", share),
    (holdings_pages, "draw_return_bar", result),
    (holdings_pages, "draw_day_line", day_line),
    (chart_blocks, "draw_candles", candles),
    (chart_blocks, "draw_minutes", minutes),
)
