"""Returns on the terminal: a table, and under it why a figure is missing."""

from collections.abc import Iterable
from decimal import Decimal

from rich.console import Console

from kis.korean import number, percent, short_day, signed
from kis.models import IndexPrice
from kis.portfolio.returns import Comparison
from kis.portfolio.unknown import Unknown
from kis.returns import ReturnDay, Returns
from kis.terminal import DIM, INDENT, change_style, line, padded

HUNDRED = 100
UNKNOWN = "산출 불가"
DAY_WIDTH = 12
COLUMNS = (
    *(("총평가금액", 16), ("입출금", 14), ("일 손익", 14), ("일 수익률", 11), ("누적", 11)),
    *(("코스피 대비", 13), ("누적", 11), ("코스닥 대비", 13), ("누적", 11)),
)
Cell = tuple[str, str]


def print_returns(console: Console, returns: Returns) -> None:
    """Print a line for each day; excess returns are in percentage points, a day's and since the period began."""
    line(console, INDENT, (f"{short_day(returns.base)} 마감부터 시간가중, 지수 대비는 %p", DIM))
    line(console)
    heads = "".join(padded(head, width, right=True) for head, width in COLUMNS)
    line(console, INDENT, (padded("날짜", DAY_WIDTH) + heads + INDENT + "구분", DIM))
    for one in returns.days:
        cells = zip(cells_of(one), COLUMNS, strict=True)
        parts = [(padded(text, width, right=True), style) for (text, style), (_, width) in cells]
        state = "확정" if one.is_final else "추정"
        line(console, INDENT, padded(short_day(one.day), DAY_WIDTH), *parts, INDENT + state)
    print_reasons(console, returns.days)


def cells_of(one: ReturnDay) -> list[Cell]:
    return [
        won(one.value, sign=False),
        won(one.flow, coloured=False),
        won(one.profit),
        rate(one.rate),
        rate(one.cumulative),
        *(cell for index in IndexPrice.Index for cell in against(one, index)),
    ]


def won(value: int | Unknown, *, sign: bool = True, coloured: bool = True) -> Cell:
    if isinstance(value, Unknown):
        return UNKNOWN, DIM
    text = signed(value) if sign else number(value)
    return text, change_style(value) if sign and coloured else ""


def rate(value: Decimal | Unknown) -> Cell:
    if isinstance(value, Unknown):
        return UNKNOWN, DIM
    return percent(value * HUNDRED), change_style(float(value))


def against(one: ReturnDay, index: IndexPrice.Index) -> tuple[Cell, Cell]:
    """Return the excess over an index on one day, and since the period began."""
    excess, comparison = excess_of(one, index)
    return points(excess), points(comparison if isinstance(comparison, Unknown) else comparison.excess)


def excess_of(one: ReturnDay, index: IndexPrice.Index) -> tuple[Decimal | Unknown, Comparison | Unknown]:
    found = one.against.get(index)
    if found is None:
        missing = one.rate if isinstance(one.rate, Unknown) else Unknown("지수 종가가 없습니다.")
        return missing, missing
    return found.excess, found.comparison


def points(value: Decimal | Unknown) -> Cell:
    text, style = rate(value)
    return text.replace("%", "%p"), style


def print_reasons(console: Console, days: Iterable[ReturnDay]) -> None:
    """Print every reason once a day, with the columns it is about."""
    first = True
    for one in days:
        reasons: dict[str, list[str]] = {}
        for name, figure in figures_of(one):
            if isinstance(figure, Unknown):
                reasons.setdefault(figure.reason, []).append(name)
        for reason, names in reasons.items():
            if first:
                line(console)
                line(console, INDENT, (UNKNOWN, "bold"))
                first = False
            line(
                console,
                INDENT,
                padded(short_day(one.day), DAY_WIDTH),
                (", ".join(dict.fromkeys(names)) + ": ", DIM),
                reason,
            )


def figures_of(one: ReturnDay) -> list[tuple[str, object]]:
    figures: list[tuple[str, object]] = [
        ("총평가금액", one.value),
        ("입출금", one.flow),
        ("일 손익", one.profit),
        ("일 수익률", one.rate),
        ("누적", one.cumulative),
    ]
    for index in IndexPrice.Index:
        excess, comparison = excess_of(one, index)
        figures += [(f"{index.label} 대비", excess), (f"{index.label} 대비 누적", comparison)]
    return figures


def print_money_weighted(console: Console, returns: Returns) -> None:
    found = returns.money_weighted
    line(console)
    if isinstance(found, Unknown):
        line(console, INDENT, "금액가중 수익률  ", (str(found), DIM))
        return
    text, style = rate(found.period)
    line(console, INDENT, "금액가중 수익률  ", (text, style), f"  {found.days}일")
    if isinstance(found.annual, Unknown):
        line(console, INDENT, "연 수익률        ", (str(found.annual), DIM))
    else:
        text, style = rate(found.annual)
        line(console, INDENT, "연 수익률        ", (text, style))
