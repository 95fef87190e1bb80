"""What the data say, one fact each, so that a figure in a sentence can be looked up; pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from ai.figures import Figure, Kind, NotReadable, Way, agrees, figures_in
from ai.payload import Payload, Table, Value
from kis.korean import SEOUL, WEEKDAYS

#: Stands for a stock while a sentence is looked at; no letter of any language.
STOCK: Final = "\ue000"
CODE: Final = re.compile(r"\{([0-9A-Z]{6,7})\}")
#: A limit belongs to no stock, even where it is told of one, and is called one.
LIMIT_WORDS: Final = frozenset({"한도", "기준"})
LIMIT: Final = re.compile(r"(?:한도|기준)(?:인|은|는)?\s?$")
#: Everybody knows when the exchange opens, when the closing auction begins, and when it closes.
SESSION: Final = ("09:00", "15:20", "15:30")
#: Columns with a direction; a share of the account is neither gained nor lost.
SIGNED: Final = re.compile(r"profit|change|return|against")
#: What is counted, and how it is said: 종목 are not 건.
STOCKS: Final = frozenset({"종목", "개", "곳"})
ORDERS: Final = frozenset({"건", "개", "번", "회", "가지"})
DAYS: Final = frozenset({"거래일", "영업일", "일"})
COUNTED: Final = {"holdings": STOCKS, "unfilled_orders": ORDERS}

NOBODY: Final[frozenset[str]] = frozenset()
Row = dict[str, Value]
Tables = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Fact:
    """`key` is where it stands, `codes` the stocks it belongs to, none for the account; `way` its direction, if any.

    `on` is the day it was so, where that is not the day of the data; `about` are words of which a sentence needs one, unless it
    refers to the `finding`.
    """

    kind: Kind
    key: str
    value: Decimal = Decimal(0)
    day: date | None = None
    time: str = ""
    codes: frozenset[str] = NOBODY
    way: Way | None = None
    units: frozenset[str] = NOBODY
    on: date | None = None
    about: frozenset[str] = NOBODY
    finding: str = ""

    def is_stated_by(self, figure: Figure) -> bool:
        if figure.kind is not self.kind:
            return False
        if self.kind is Kind.TIME:
            return figure.when == self.time
        if self.kind is Kind.DATE:
            return self.day is not None and is_day(figure.when, self.day)
        return agrees(figure, self.value) and (not self.units or figure.unit in self.units)


def facts_of(payload: Payload) -> tuple[Fact, ...]:
    tables = {name: rows_of(table) for name, table in payload.tables.items()}
    now = payload.as_of.astimezone(SEOUL)
    sectors = frozenset(str(row["sector"]) for row in tables.get("holdings", []) if row["sector"])
    return (
        Fact(Kind.DATE, "as_of", day=now.date()),
        *(Fact(Kind.TIME, "as_of", time=time) for time in (f"{now:%H:%M}", *SESSION)),
        *cells(payload, tables, now),
        *(fact for row in tables.get("findings", []) for fact in told_by(row, sectors)),
        *counts(payload, tables),
        *(counted(f"left_out.{name}", count, ORDERS | STOCKS) for name, count in payload.left_out.items()),
    )


def rows_of(table: Table) -> list[Row]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


# --- cells -------------------------------------------------------------------------------------------------------------


def cells(payload: Payload, tables: Tables, now: datetime) -> Iterator[Fact]:
    for name, value in payload.account.items():
        yield from cell(f"account.{name}", name, value, NOBODY, now)
    for table, rows in tables.items():
        for row in rows:
            code = str(row.get("code") or "cash")
            codes = NOBODY if code == "cash" else frozenset({code})
            on = day_of(str(row["day"]), now) if "day" in row else None
            for name, value in row.items():
                for fact in cell(f"{table}.{name}", name, value, codes, now):
                    yield replace(fact, on=on)


def cell(key: str, name: str, value: Value, codes: frozenset[str], now: datetime) -> Iterator[Fact]:
    """Return the fact of a cell; what kind it is of, the name of its column says."""
    if name == "ordered_at":
        yield Fact(Kind.TIME, key, time=str(value), codes=codes)
    elif name == "day":
        yield Fact(Kind.DATE, key, day=day_of(str(value), now))
    elif isinstance(value, int | Decimal) and (kind := kind_of(name)):
        number = Decimal(value)
        has_way = number < 0 or (number > 0 and SIGNED.search(name))
        way = (Way.UP if number > 0 else Way.DOWN) if has_way else None
        yield Fact(kind, key, number, codes=codes, way=way, units=COUNTED.get(name, NOBODY))


def day_of(text: str, now: datetime) -> date:
    """Return the last day that is written so: `06-13`."""
    month, day = (int(part) for part in text.split("-"))
    return date(now.year if (month, day) <= (now.month, now.day) else now.year - 1, month, day)


def kind_of(name: str) -> Kind | None:
    if name.endswith("_pct"):
        return Kind.PERCENT
    if name.endswith("_won"):
        return Kind.WON
    if name.endswith("_qty") or name == "quantity":
        return Kind.SHARES
    return Kind.COUNT if name in COUNTED else None


# --- findings ----------------------------------------------------------------------------------------------------------


def told_by(row: Row, sectors: frozenset[str]) -> Iterator[Fact]:
    """Return the figures of a finding, for the stocks it names; a sentence that cannot be read states nothing."""
    text = str(row["text"] or "")
    named = frozenset(CODE.findall(text))
    plain = CODE.sub(STOCK, text)
    try:
        figures = figures_in(plain)
    except NotReadable:
        return
    about = frozenset(sector for sector in sectors if sector in text)
    for figure in figures:
        fact = Fact(
            figure.kind, "findings.text", figure.value, codes=named, way=figure.sign, finding=str(row["id"])
        )
        if LIMIT.search(plain, 0, figure.start):
            fact = replace(fact, codes=NOBODY, about=LIMIT_WORDS, finding="")
        if figure.kind is Kind.TIME:
            yield replace(fact, time=figure.when)
        elif figure.kind is Kind.COUNT:  # 반도체 업종 2종목
            units = STOCKS if figure.unit in STOCKS else frozenset({figure.unit})
            yield replace(fact, units=units, about=about)
        elif figure.kind is not Kind.DATE:
            yield fact


# --- counts ------------------------------------------------------------------------------------------------------------


def counts(payload: Payload, tables: Tables) -> Iterator[Fact]:
    """Return what a reader would count: winners and losers, days, findings, orders and fills, and what is left of one."""
    if not payload.left_out.get("holdings"):
        for column in ("profit_pct", "day_change_pct"):
            values = [row[column] for row in tables.get("holdings", [])]
            numbers = [value for value in values if isinstance(value, int | Decimal)]
            for way, count in (
                (Way.UP, sum(n > 0 for n in numbers)),
                (Way.DOWN, sum(n < 0 for n in numbers)),
            ):
                yield replace(counted(f"{way}.{column}", count, STOCKS), way=way)
    yield counted("count.closes", len(tables.get("closes", [])), DAYS)
    severities = [row["severity"] for row in tables.get("findings", [])]
    for count in {severities.count(severity) for severity in severities} | {len(severities)}:
        yield counted("count.findings", count, ORDERS)
    for name in ("unfilled", "fills_today"):
        if not payload.left_out.get(name):
            yield from counts_of_orders(f"count.{name}", tables.get(name, []))
    for row in tables.get("unfilled", []):
        ordered, filled = row.get("ordered_qty"), row.get("filled_qty")
        if isinstance(ordered, int) and isinstance(filled, int):
            code = frozenset({str(row["code"])})
            yield Fact(Kind.SHARES, "unfilled.left_qty", Decimal(ordered - filled), codes=code)


def counts_of_orders(key: str, rows: list[Row]) -> Iterator[Fact]:
    yield counted(key, len(rows), ORDERS)
    for side in ("buy", "sell"):
        yield counted(key, sum(row["side"] == side for row in rows), ORDERS)
    codes = [str(row["code"]) for row in rows]
    for code in set(codes):
        yield counted(key, codes.count(code), ORDERS, codes=frozenset({code}))


def counted(key: str, count: int, units: frozenset[str], *, codes: frozenset[str] = NOBODY) -> Fact:
    return Fact(Kind.COUNT, key, Decimal(count), codes=codes, units=units)


def is_day(when: str, day: date) -> bool:
    """`06-16`, `2025-06-16` or `06-16 월` against a day."""
    text, _, weekday = when.partition(" ")
    if weekday and weekday != WEEKDAYS[day.weekday()]:
        return False
    return text in {f"{day:%m-%d}", f"{day:%Y-%m-%d}"}
