"""Figures in a Korean sentence: amounts, percentages, counts, days and times, as somebody has written them; pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from itertools import zip_longest
from typing import Final


class Kind(StrEnum):
    """What a figure counts; a figure is compared with those of its own kind only."""

    WON = "won"
    PERCENT = "percent"
    POINT = "point"  # percentage points
    SHARES = "shares"
    COUNT = "count"
    TIMES = "times"
    DATE = "date"
    TIME = "time"
    PLAIN = "plain"


class Way(StrEnum):
    """Which way something went, by its sign or by the words around it."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: `step` is its last place, `when` a day or a time instead of a value.

    `about` is said of a rounded figure (약, 정도), `floor` of one that is cut off (1억원대); `sign` stands in front, and
    `unit` behind what is counted.
    """

    kind: Kind
    start: int
    end: int
    value: Decimal = Decimal(0)
    step: Decimal = Decimal(1)
    when: str = ""
    sign: Way | None = None
    about: bool = False
    floor: bool = False
    unit: str = ""


UNITS: Final[Mapping[str, int]] = {
    "조": 10**12,
    "억": 10**8,
    "천만": 10**7,
    "백만": 10**6,
    "십만": 10**5,
    "만": 10**4,
    "천": 10**3,
}
#: Thousands of trillions with separators, and some room.
LONGEST_NUMBER: Final = 24
NUMBER: Final = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
PART: Final = re.compile(rf"({NUMBER})\s?(조|억|천만|백만|십만|만|천)?")
#: What stands behind a figure. A following letter may make another word of it: 3주식, 5일부터, 2분기.
SUFFIXES: Final[tuple[tuple[Kind, str], ...]] = (
    (Kind.POINT, r"%\s?[pP](?![a-zA-Z])|%\s?포인트|퍼센트\s?포인트"),
    (Kind.PERCENT, r"%|퍼센트|프로(?![가-힣]*[그젝])"),
    (Kind.WON, r"원"),
    (Kind.TIMES, r"배(?![당분수])"),
    (
        Kind.COUNT,
        r"종목|거래일|영업일|개월|개(?![별인선장시입념])|건|회|번|곳|가지|시간|분(?![할산석기류의])|일(?![부정반시])",
    ),
    (Kind.SHARES, r"주(?![간째차일식])"),
)
SUFFIX: Final = re.compile("|".join(f"(?P<{kind.name}>{pattern})" for kind, pattern in SUFFIXES))
EXPRESSION: Final = re.compile(
    rf"(?P<arrow>[▲▼])?\s?(?P<sign>(?<![\d가-힣A-Za-z.,%)])[-+−–]\s?)?"
    rf"(?P<number>{NUMBER}(?:\s?(?:조|억|천만|백만|십만|만|천)(?!큼))?(?:\s?{NUMBER}\s?(?:억|천만|백만|십만|만|천))*"
    rf"(?:(?<=[조억만천])\s?{NUMBER})?)"
    rf"(?P<more>여)?\s?"
)
DAY: Final = re.compile(
    r"(?P<year>\d{4})\s?[-./년]\s?(?P<month>\d{1,2})\s?[-./월]\s?(?P<day>\d{1,2})(?:일|\.)?"
    r"|(?P<month2>\d{1,2})월\s?(?P<day2>\d{1,2})일"
    r"|(?<![\d/])(?P<month3>\d{1,2})/(?P<day3>\d{1,2})(?![\d/])"
    r"|(?<![\d-])(?P<month4>\d{2})-(?P<day4>\d{2})(?![\d-])"
)
WEEKDAY: Final = re.compile(r"\s?\((?P<weekday>[월화수목금토일])\)")
CLOCK: Final = re.compile(
    r"(?P<noon>오전|오후)?\s?(?:(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2})?"
    r"|(?P<hour2>\d{1,2})시(?!간)(?:\s?(?P<minute2>\d{1,2})분)?)"
)
#: Native words for small numbers; one (한 종목) is rather an article.
NATIVE: Final[Mapping[str, int]] = {
    "두": 2,
    "세": 3,
    "네": 4,
    "다섯": 5,
    "여섯": 6,
    "일곱": 7,
    "여덟": 8,
    "아홉": 9,
    "열": 10,
}
NATIVE_COUNT: Final = re.compile(
    rf"(?<![가-힣])({'|'.join(NATIVE)})\s?(종목|개(?![별인선장시입념])|건|곳|가지|번(?!째)|주(?![식가문의]))"
)
#: Figures in words: nobody needs them, and they would have to be read to be checked.
WORDS: Final = re.compile(
    r"[일이삼사오육칠팔구십백천만억조]\s?(?:퍼센트|프로(?![가-힣]*[그젝])|포인트|퍼\b)"
    r"|(?<![\d조억만천백십])(?<!\d\s)(?:[일이삼사오육칠팔구]?[십백천만억조]\s?)+원(?![가-힣]*[칙래화활])"
    r"|분의\s?[일이삼사오육칠팔구\d]|반\s?토막|절반|갑절|곱절|과반|제곱|(?<![가-힣])(?:두|세|네|몇|수십|수백)\s?배"
    r"|(?:수십|수백|수천)\s?(?:만|억|조)?\s?원|[이삼사오육칠팔구]십\s?(?:종목|개|건|주|일)"
    r"|(?:열한|열두|열세|열네|스물|스무|서른|마흔|쉰|예순|일흔|여든|아흔)\s?\S*\s?(?:종목|개|건|곳|주)"
)
ABOUT_BEFORE: Final = re.compile(r"(?:약|대략|거의)\s?$")
ABOUT_AFTER: Final = re.compile(r"\s?(?:가량|정도|안팎|남짓|내외|쯤|가까이)")


class NotReadable(ValueError):
    """A figure that cannot be read for certain, and so not checked either."""


def figures_in(text: str) -> list[Figure]:
    """Return the figures of a sentence, in order. Raises NotReadable where one cannot be read."""
    if WORDS.search(text):
        raise NotReadable(text)
    found = list(days_and_times(text))
    rest = blanked(text, found)
    found += amounts(rest)
    if re.search(r"\d", blanked(rest, found)):
        raise NotReadable(text)
    found += (
        Figure(Kind.COUNT, match.start(), match.end(), Decimal(NATIVE[match[1]]), unit=match[2])
        for match in NATIVE_COUNT.finditer(text)
    )
    return sorted(found, key=lambda figure: figure.start)


def days_and_times(text: str) -> Iterator[Figure]:
    for match in DAY.finditer(text):
        part = {name.rstrip("234"): value for name, value in match.groupdict().items() if value}
        day = f"{int(part['month']):02}-{int(part['day']):02}"
        if year := part.get("year"):
            day = f"{year}-{day}"
        end = match.end()
        if weekday := WEEKDAY.match(text, end):
            day, end = f"{day} {weekday['weekday']}", weekday.end()
        yield Figure(Kind.DATE, match.start(), end, when=day)
    for match in CLOCK.finditer(blanked(text, list(DAY.finditer(text)))):
        hour = int(match["hour"] or match["hour2"])
        minute = match["minute"] or match["minute2"] or "00"
        if match["noon"] == "오후" and hour < 12:  # noqa: PLR2004
            hour += 12
        yield Figure(Kind.TIME, match.start(), match.end(), when=f"{hour:02}:{int(minute):02}")


def amounts(text: str) -> Iterator[Figure]:
    """Return figures with a unit, or with none; the first of a range (10~15%) has that of the second."""
    found: list[Figure] = []
    for match in EXPRESSION.finditer(text):
        value, step, has_unit = value_of(match["number"])
        suffix = SUFFIX.match(text, match.end())
        if suffix is None and match["more"] is None:
            suffix = SUFFIX.match(text, match.end("number"))
        end = suffix.end() if suffix else match.end("number")
        kind = Kind[suffix.lastgroup] if suffix and suffix.lastgroup else Kind.PLAIN
        if kind is Kind.PLAIN and has_unit:
            kind = Kind.WON
        floor = text.startswith("대", end) or bool(match["more"])
        sign = way_of(match["arrow"], match["sign"])
        found.append(
            Figure(
                kind,
                match.start(),
                end,
                value,
                step,
                sign=sign,
                about=bool(
                    ABOUT_BEFORE.search(text, 0, match.start("number")) or ABOUT_AFTER.match(text, end)
                ),
                floor=floor,
                unit=suffix[0] if suffix and kind is Kind.COUNT else "",
            )
        )
    for first, second in zip_longest(found, found[1:]):
        if second is None or first.kind is not Kind.PLAIN:
            yield first
            continue
        between = text[first.end : second.start].strip()
        if between in {"", ",", ".", "_", "'", "^"}:  # 1,2345 or 1 234: two figures, or a misspelt one
            raise NotReadable(text)
        yield replace(first, kind=second.kind) if between in {"~", "∼", "-", "–"} else first


def value_of(number: str) -> tuple[Decimal, Decimal, bool]:
    """`1억 7,981만` → 179810000, by 10000."""
    value, step, has_unit = Decimal(0), Decimal(1), False
    last = None
    if len(number) > LONGEST_NUMBER:
        raise NotReadable(number)
    for figure, unit in PART.findall(number):
        size = UNITS.get(unit, 1)
        if last is not None and size >= last:
            raise NotReadable(number)
        last, has_unit = size, has_unit or bool(unit)
        value += Decimal(figure.replace(",", "")) * size
        places = len(figure.partition(".")[2])
        step = Decimal(size).scaleb(-places)
    return value, step, has_unit


def way_of(arrow: str | None, sign: str | None) -> Way | None:
    """Return what stands in front of a figure. Raises NotReadable where the two do not agree."""
    ways = {"▲": Way.UP, "▼": Way.DOWN, "+": Way.UP, "-": Way.DOWN, "−": Way.DOWN, "–": Way.DOWN}
    told = {ways[mark.strip()] for mark in (arrow, sign) if mark}
    if len(told) > 1:
        raise NotReadable(f"{arrow}{sign}")
    return told.pop() if told else None


def blanked(text: str, spans: "list[Figure] | list[re.Match[str]]") -> str:
    """Return a text of the same length with these figures gone."""
    letters = list(text)
    for span in spans:
        start, end = (span.start, span.end) if isinstance(span, Figure) else span.span()
        letters[start:end] = " " * (end - start)
    return "".join(letters)


def agrees(figure: Figure, fact: Decimal) -> bool:
    """Return whether a figure states a fact, its sign aside.

    It may be rounded to the place it is written with (21.34 → 21.3), won also cut off there (17,941,673원 → 1,794만원),
    as long as that changes it by a fiftieth at most; with 약 or 정도 also to its last figure that is not zero, by a fortieth
    at most; with 대 or 여 it is cut off.
    """
    fact = abs(fact)
    if figure.value == fact:
        return True
    near = abs(figure.value - fact)
    if figure.floor and figure.value == cut_off(fact, figure.step):
        return True
    if figure.about and figure.value == rounded(fact, rough_step(figure)) and near * 40 <= fact:
        return True
    is_rounded = figure.value == rounded(fact, figure.step)
    is_cut_off = figure.kind is Kind.WON and figure.value == cut_off(fact, figure.step)
    return (is_rounded or is_cut_off) and (near * 50 <= fact or figure.step <= Decimal("0.1"))


def rounded(value: Decimal, step: Decimal) -> Decimal:
    return (value / step + Decimal("0.5")) // 1 * step


def cut_off(value: Decimal, step: Decimal) -> Decimal:
    return value // step * step


def rough_step(figure: Figure) -> Decimal:
    """Return the last place that is not zero: 약 1,800만원 is rounded to a million."""
    step = figure.step
    while figure.value and figure.value % (step * 10) == 0:
        step *= 10
    return step
