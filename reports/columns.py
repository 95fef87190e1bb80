"""How wide the columns of the tables are, in millimetres: figures take what they need, names and charts share the rest.

A fixed table would let one account with an amount above 1조 print figures over each other. Pure.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from kis.korean import number, percent
from kis.reconciliation import Check
from reports.amounts import Amounts
from reports.figures import Dashboard, Fills, HoldingFigures
from reports.figures.sectors import SectorLine

DIGIT, POINT, PERCENT_SIGN, HANGUL = (
    1.468,
    0.736,
    2.437,
    2.434,
)  # Noto Sans KR at 7.5 pt; all digits are equally wide
BOLD: Final = 1.05
CAPITAL, SMALL = 1.75, 1.5
SPECIAL: Final = {
    ",": POINT,
    ".": POINT,
    " ": 0.6,
    "%": PERCENT_SIGN,
    "I": 0.8,
    "i": 0.75,
    "l": 0.75,
    "M": 2.2,
    "W": 2.4,
    "m": 2.4,
    "w": 2.2,
    "&": 1.85,
}
LAST_NARROW: Final = 0x22FF  # minus signs and Latin; symbols and Hangul behind it fill a square
GAP: Final = 1.7
NOTE_WIDTH: Final = 2 * 180.0  # two lines below the table

HOLDINGS: Final = {
    "rank": 5.4,
    "name": 23.6,
    "code": 8.4,
    "weight": 6.8,
    "weight_bar": 7.2,
    "price": 12.2,
    "change": 13.4,
    "chart": 18.2,
    "day": 12.2,
    "quantity": 11.6,
    "average": 11.6,
    "value": 16.4,
    "profit": 16.0,
    "return": 13.8,
    "return_bar": 9.2,
}
CODE_SIZE: Final = 6.5 / 7.5
USUAL_CODE: Final = 6  # letters
FILLS: Final = {
    "at": 8.0,
    "side": 7.0,
    "name": 24.5,
    "quantity": 9.5,
    "price": 12.0,
    "amount": 17.0,
    "cost": 11.0,
}
SECTORS: Final = {
    "name": 18.0,
    "count": 4.5,
    "weight": 9.5,
    "bar": 11.0,
    "value": 16.4,
    "profit": 15.8,
    "return": 13.8,
}
CHECKS: Final = {"name": 33.0, "ours": 20.0, "broker": 20.0, "difference": 16.0}


def holding_columns(dashboard: Dashboard, amounts: Amounts, *, is_compact: bool = False) -> dict[str, float]:
    """Fit the table of all holdings, 186 mm."""
    rows, total = dashboard.holdings, dashboard.total
    longest = max((len(row.code) for row in rows), default=0)
    more = max(longest - USUAL_CODE, 0) * CAPITAL * CODE_SIZE
    base = HOLDINGS | {"code": HOLDINGS["code"] + more, "chart": HOLDINGS["chart"] - more}
    if blank := blank_columns(amounts):  # there is nothing to write there
        free = sum(base[name] for name in blank)
        base |= dict.fromkeys(blank, 0.0)
        base |= {"chart": base["chart"] + free / 2, "day": base["day"] + free / 2}
    return fitted(
        base,
        {
            "price": [] if "price" in blank else [number(row.price) for row in rows],
            "change": [f"▲{percent(row.change_pct)}" for row in rows],
            "quantity": []
            if "quantity" in blank
            else [_quantity(row, is_compact=is_compact) for row in rows],
            "average": [] if "average" in blank else [number(round(row.average)) for row in rows],
            "value": [] if "value" in blank else [number(row.value) for row in rows],
            "profit": [amounts.signed(row.profit) for row in rows],
            "return": [percent(row.profit_pct) for row in rows],
        },
        bold={"profit": amounts.signed(total.profit)},
        gives_way={"chart": 15.4, "weight_bar": 5.0, "day": 10.5, "name": 16.0, "return_bar": 6.0},
        at_last={"day": 5.0, "chart": 7.0, "return_bar": 3.5, "weight_bar": 3.0, "name": 7.5},
    )


def _quantity(row: HoldingFigures, *, is_compact: bool) -> str:
    """Return what stands in one line; what waits stands below it where rows are tall enough."""
    rest = f" ({number(row.sellable)})" if is_compact and row.sellable < row.quantity else ""
    return f"{number(row.quantity)}{rest}"


def blank_columns(amounts: Amounts) -> tuple[str, ...]:
    """Return the columns of the holdings that stay empty where amounts, or all but weights and returns, are not shown."""
    if amounts.is_bare:
        return ("price", "quantity", "average", "value")
    return ("quantity", "average", "value") if amounts.is_masked else ()


def fill_columns(fills: Fills, *, fee: int) -> dict[str, float]:
    """Fit the list of fills, 89 mm; `fee` may stand in its sum."""
    return fitted(
        FILLS,
        {
            "quantity": [number(row.quantity) for row in fills.rows],
            "price": [number(row.price) for row in fills.rows],
            "amount": [number(row.amount) for row in fills.rows],
        },
        bold={"amount": number(fills.amount), "cost": f"~{number(max(fills.cost, fee))}"},
        gives_way={"name": 16.0},
    )


def sector_columns(lines: Iterable[SectorLine], amounts: Amounts) -> dict[str, float]:
    """Fit the sums by sector, 89 mm."""
    lines = tuple(lines)
    return fitted(
        SECTORS,
        {
            "value": [] if amounts.is_masked else [number(line.value) for line in lines],
            "profit": [amounts.signed(line.profit) for line in lines],
            "return": [percent(line.profit_pct) for line in lines],
        },
        gives_way={"bar": 7.0, "name": 12.0},
        at_last={"bar": 2.6, "name": 5.5},
    )


def check_columns(checks: Iterable[Check]) -> dict[str, float]:
    """Fit the reconciliation, 89 mm."""
    checks = tuple(checks)
    return fitted(
        CHECKS,
        {
            "ours": [number(check.ours) for check in checks],
            "broker": [number(check.broker) for check in checks],
            "difference": [number(check.difference) for check in checks],
        },
        gives_way={"name": 14.0},
    )


def fitted(
    base: Mapping[str, float],
    texts: Mapping[str, Iterable[str]],
    *,
    gives_way: Mapping[str, float],
    bold: Mapping[str, str] | None = None,
    at_last: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Widen columns to their longest text and take the excess from those that give way, down to a least width.

    `at_last` are least widths for amounts nobody has: a figure is never cut, whatever it takes.
    """
    widths = dict(base)
    for name, lines in texts.items():
        widths[name] = max(widths[name], *(text_width(line) + GAP for line in lines), 0)
    for name, line in (bold or {}).items():
        widths[name] = max(widths[name], text_width(line) * BOLD + GAP)
    excess = sum(widths.values()) - sum(base.values())
    for leasts in (gives_way, at_last or {}):
        for name, least in leasts.items():
            given = max(min(excess, widths[name] - least), 0.0)
            widths[name] -= given
            excess -= given
    return {name: round(width, 2) for name, width in widths.items()}


def text_width(text: str) -> float:
    """Width of a text at 7.5 pt in millimetres: figures and Hangul exactly, Latin letters a little too wide."""
    return sum(_sign_width(sign) for sign in text)


def cut(text: str, room: float) -> str:
    """Shorten a name with … to this room; a figure or a code is never cut."""
    if text_width(text) <= room:
        return text
    kept = text
    while kept and text_width(kept) + HANGUL > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def two_lines(text: str, room: float) -> list[str]:
    """Break a name that does not fit into two lines, at a space where there is one; only the second may be cut."""
    if text_width(text) <= room:
        return [text]
    fitting = next(size for size in range(len(text), 0, -1) if text_width(text[:size]) <= room or size == 1)
    at_space = text.rfind(" ", 1, fitting + 1)
    while 1 < fitting < len(text) and text[fitting - 1].isdigit() and text[fitting].isdigit():
        fitting -= 1  # a number stays in one piece
    size = at_space if at_space > 0 and text_width(text[at_space + 1 :]) <= room else fitting
    return [text[:size].rstrip(), cut(text[size:].lstrip(), room)]


def wrapped(text: str, room: float) -> list[str]:
    """Break a text into lines between its words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def shortened(names: Iterable[tuple[str, str]], room: float, *, is_compact: bool) -> list[tuple[str, str]]:
    """Return the (code, name) pairs whose name does not fit into the table, as many as fit on two lines below it."""

    def shown(name: str) -> str:
        return cut(name, room) if is_compact else two_lines(name, room)[-1]

    found, width = [], 0.0
    for code, name in names:
        if shown(name).endswith("…") and not name.endswith("…"):
            width += text_width(f"{code} {name} · ")
            if width > NOTE_WIDTH:
                break
            found.append((code, name))
    return found


def _sign_width(sign: str) -> float:
    if sign in SPECIAL:
        return SPECIAL[sign]
    if sign.isascii() and sign.isalpha():
        return CAPITAL if sign.isupper() else SMALL
    return HANGUL if ord(sign) > LAST_NARROW else DIGIT
