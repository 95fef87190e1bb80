"""The first page: five cards and the blocks A to G, each made for itself so that one that fails leaves the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, TypeVar

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from kis import korean
from kis.advice import Advice, Finding, Point, Severity, Source
from kis.connect import MODE_NAMES
from kis.korean import percent, share, short_day
from kis.portfolio.cash import MisuLevel
from kis.portfolio.unknown import Unknown
from reports import card_charts, charts, columns, composition, fonts
from reports.amounts import Amounts
from reports.curve import Falls, Flow, Line, asset_curve
from reports.figures import (
    AccountFigures,
    Broken,
    Composition,
    Dashboard,
    Fills,
    OpenOrders,
    Realised,
    Sector,
    Slice,
    Today,
    Trend,
)
from reports.figures.broken import or_broken
from reports.layout import LIST_ROWS, Overview
from reports.palette import PRINT
from reports.waterfall import waterfall

Context = dict[str, Any]
Figures = TypeVar("Figures")
Row = TypeVar("Row")

LEFT, RIGHT, HALF, WIDE = 12.0, 109.0, 89.0, 186.0
TOTAL_CHECK: Final = "평가 + D+2 현금"
SEVERITY_TONES: Final = {Severity.WARNING: "warning", Severity.CAUTION: "caution", Severity.INFO: "info"}

CURVE: Final = (147.5, 42.0)
CAUSE_ROW: Final = 3.72
SUM_ROW: Final = 4.6
BARS_LEFT, BARS_WIDTH = 27.0, 32.8
DONUT: Final = 25.0
COMPOSITION_ROW: Final = 3.75
TARGET_BAR: Final = (14.5, 3.75)
SECTOR_BAR: Final = (89.0, 2.9)
SECTOR_TEXT: Final = 6.5 / 7.5  # of the widths that are measured at 7.5 pt
BULLET: Final = (12.5, 4.2)
CARD_LINE: Final = 7.2
FINDINGS: Final = 6
POINTS_ROOM: Final = 39.5  # for the points of the diagnosis, in millimetres
POINT_LINE: Final = 3.76
POINT_GAP: Final = 1.25
POINT_WIDTH: Final = 84.0
PASSED_WIDTH: Final = 2 * 100.0  # two lines at 6.5 pt, measured at 7.5 pt
MAN, EOK = 10_000, 100_000_000
DETAIL, HUNDREDTH = Decimal("0.1"), Decimal("0.01")
SHORT_NAME: Final = 9.0  # so much of a sector is shown even where its part of the bar is shorter
LEAST_SECTOR: Final = 3.0
WRAPPING: Final = 1.06  # lines end before they are full


@dataclass(frozen=True, slots=True)
class Part:
    """A card or block as it is placed: millimetres from the left and, for blocks, from the top of the page."""

    letter: str
    title: str
    html: SafeString | Broken
    left: float
    width: float
    top: float = 0.0

    @property
    def is_broken(self) -> bool:
        return isinstance(self.html, Broken)


@dataclass(frozen=True, slots=True)
class Scene:
    """What every part is made from."""

    d: Dashboard
    amounts: Amounts
    page: Overview

    @property
    def is_stale(self) -> bool:
        return self.d.stale_for is not None

    @property
    def trend(self) -> Trend | None:
        return self.d.trend if isinstance(self.d.trend, Trend) else None

    @property
    def when(self) -> str:
        """`오늘`, or on a closed day the one that the figures are of."""
        return "오늘" if self.d.day == self.d.as_of.date() else short_day(self.d.day)


def cards(scene: Scene) -> list[Part]:
    d = scene.d
    made = (
        (48.0, "총평가금액", rendered("card_total", scene, d.account, total_card)),
        (36.0, "오늘 손익", rendered("card_today", scene, d.today, today_card)),
        (37.0, "평가손익", rendered("card_profit", scene, d.account, profit_card)),
        (28.0, "실현손익", rendered("card_realised", scene, d.realised, realised_card)),
        (37.0, "예수금", rendered("card_cash", scene, d.account, cash_card)),
    )
    parts, left = [], LEFT
    for width, title, html in made:
        parts.append(Part("", title, html, left, width))
        left += width
    return parts


def blocks(scene: Scene) -> list[Part]:
    d, page, when = scene.d, scene.page, scene.when
    last = "다음 할 일" if d.is_empty else "AI 진단"
    return [
        Part("A", "자산 추이", rendered("trend", scene, d.trend, trend_block), LEFT, WIDE, page.trend_top),
        Part(
            "B",
            f"{when} 변동 원인",
            rendered("causes", scene, d.today, causes_block),
            LEFT,
            HALF,
            page.causes_top,
        ),
        Part(
            "C",
            "구성",
            rendered("composition", scene, d.composition, composition_block),
            RIGHT,
            HALF,
            page.causes_top,
        ),
        Part("D", f"{when} 체결", rendered("fills", scene, d.fills, fills_block), LEFT, HALF, page.lists_top),
        Part(
            "E", "미체결", rendered("orders", scene, d.open_orders, orders_block), RIGHT, HALF, page.lists_top
        ),
        Part("F", "점검", rendered("findings", scene, d.advice, findings_block), LEFT, HALF, page.advice_top),
        Part(
            "G", last, rendered("diagnosis", scene, d.advice, diagnosis_block), RIGHT, HALF, page.advice_top
        ),
    ]


def rendered(
    name: str, scene: Scene, figures: Figures | Broken, make: Callable[[Scene, Figures], Context]
) -> SafeString | Broken:
    """Make a part from its figures; where these are broken, or it cannot be drawn, there is a sentence instead."""
    if isinstance(figures, Broken):
        return figures
    known = figures

    def draw() -> SafeString:
        context = {"d": scene.d, "p": PRINT, "is_stale": scene.is_stale, "masked": scene.amounts.is_masked}
        return render_to_string(f"reports/print/overview/{name}.html", {**context, **make(scene, known)})

    return or_broken(name, draw)


# --- cards -------------------------------------------------------------------------------------------------------------


def total_card(scene: Scene, account: AccountFigures) -> Context:
    d, trend = scene.d, scene.trend
    values = [day.value for day in trend.days] if trend else []
    check = next(check for check in d.reconciliation.checks if check.name == TOTAL_CHECK)
    index = None
    if scene.amounts.is_masked and trend and (first := trend.days[0].value):
        index = (Decimal(account.total) * 100 / first).quantize(HUNDREDTH, ROUND_HALF_UP)
    return {
        "index": index,
        "since": trend.days[0].day if trend else None,
        "period": f"{trend.count}일" if trend else "",
        "check": check,
        "our_total": scene.amounts.plain(d.reconciliation.our_total),
        "total": scene.amounts.plain(account.total),
        "line": drawing(
            card_charts.trend_line(
                values,
                width=44.0,
                height=CARD_LINE,
                color=PRINT.ink2,
                low_color=PRINT.down,
                is_stale=scene.is_stale,
            )
        ),
    }


def today_card(scene: Scene, today: Today | None) -> Context:
    if today is None:
        return {"today": None}
    line = card_charts.day_line(
        [(moment.at, moment.change) for moment in today.moments if moment.at.date() == today.day],
        width=30.4,
        height=CARD_LINE,
        color=tone_color(today.profit),
        is_stale=scene.is_stale,
    )
    return {"today": today, "line": drawing(line)}


def profit_card(scene: Scene, account: AccountFigures) -> Context:
    trend = scene.trend
    line = card_charts.trend_line(
        [day.profit for day in trend.days] if trend else [],
        width=31.4,
        height=CARD_LINE,
        color=tone_color(account.profit),
        is_stale=scene.is_stale,
    )
    return {"period": f"{trend.count}일" if trend else "", "cost": account.cost, "line": drawing(line)}


def realised_card(scene: Scene, realised: Realised) -> Context:
    bars = card_charts.day_bars([day.profit for day in realised.days], width=22.4, height=5.6)
    return {
        "realised": realised,
        "when": scene.when,
        "month": f"{scene.d.day.month}월",
        "today": None if isinstance(realised.today, Unknown) else realised.today,
        "this_month": None if isinstance(realised.month, Unknown) else realised.month,
        "total": scene.d.account.total,
        "bars": drawing(bars),
    }


def cash_card(scene: Scene, account: AccountFigures) -> Context:
    amounts, misu = scene.amounts, account.misu
    return {
        "days": [(cash, amounts.plain(cash.amount)) for cash in account.cash_days],
        "orderable": amounts.plain(account.orderable),
        "misu": misu if misu.level is not MisuLevel.NONE else None,
        "shortage": amounts.plain(misu.shortage),
    }


# --- A -----------------------------------------------------------------------------------------------------------------


def trend_block(scene: Scene, trend: Trend | None) -> Context:
    if trend is None:
        return {"trend": None}
    whole = trend.days[0].value or 1
    masked = scene.amounts.is_masked

    def level(value: int | None) -> float | None:
        return value * 100 / whole if masked and value is not None else value

    def written(value: int | None) -> str:
        if value is None:
            return korean.MISSING
        return f"{value * 100 / whole:.1f}" if masked else scene.amounts.heading(value)

    last = trend.days[-1]
    lines = [
        Line("KOSDAQ였다면", written(last.kosdaq), [level(day.kosdaq) for day in trend.days], is_dashed=True),
        Line("KOSPI였다면", written(last.kospi), [level(day.kospi) for day in trend.days]),
        Line("내 계좌", written(last.value), [level(day.value) for day in trend.days], is_own=True),
    ]
    has_indices = [last.kospi is not None or last.kosdaq is not None]
    size = CURVE
    curve = asset_curve(
        [day.day for day in trend.days],
        [line for line in lines if line.is_own or any(value is not None for value in line.values[1:])],
        flows=[
            Flow(index, flow_text(day.flow, scene.amounts, day.value))
            for index, day in enumerate(trend.days)
            if day.flow
        ],
        falls=_falls(trend),
        axis=index_axis if masked else won_axis,
        width=size[0],
        height=size[1],
        is_stale=scene.is_stale,
        font=fonts.FAMILY,
        label="자산 추이",
    )
    return {
        "trend": trend,
        "curve": drawing(curve),
        "has_indices": any(has_indices),
        "rows": _trend_rows(trend, scene),
        "finding": trend_finding(trend),
    }


def _falls(trend: Trend) -> Falls:
    values = [None if day.fall_pct is None else float(day.fall_pct) for day in trend.days]
    deepest = next((index for index, day in enumerate(trend.days) if day.day == trend.deepest_on), None)
    text = ""
    if trend.deepest_on is not None and not isinstance(trend.deepest_fall_pct, Unknown):
        on = trend.deepest_on
        text = f"최대 낙폭 {percent(trend.deepest_fall_pct)} · {on.month}/{on.day}"
    fall = trend.days[-1].fall_pct
    now = "" if fall is None else "지금 최고점" if fall == 0 else f"지금 {percent(fall)}"
    return Falls(values, deepest, text, now)


def _trend_rows(trend: Trend, scene: Scene) -> list[tuple[str, str, str, str]]:
    """Return name, small print, text and tone of each line of the table."""
    flows = trend.flows
    return [
        ("기간 수익률", "TWR", points(trend.rate_pct), toned(trend.rate_pct)),
        ("KOSPI", "", points(trend.kospi_pct), toned(trend.kospi_pct)),
        ("KOSDAQ", "", points(trend.kosdaq_pct), toned(trend.kosdaq_pct)),
        ("KOSPI 대비", "", points(trend.ahead_pct, unit="%p"), toned(trend.ahead_pct)),
        ("최대 낙폭", "", points(trend.deepest_fall_pct), toned(trend.deepest_fall_pct)),
        ("변동성", "연환산", points(trend.volatility_pct).lstrip("+"), ""),
        ("입출금 합", "", scene.amounts.signed(flows), ""),
    ]


def trend_finding(trend: Trend) -> str:
    """`60거래일 +8.42%, KOSPI보다 4.45%p 뒤짐`."""
    text = f"{trend.count}거래일 {points(trend.rate_pct)}"
    if isinstance(trend.rate_pct, Unknown) or isinstance(trend.ahead_pct, Unknown):
        return text
    apart = abs(trend.ahead_pct).quantize(HUNDREDTH, ROUND_HALF_UP)
    if not apart:
        return f"{text}, KOSPI와 같음"
    return f"{text}, KOSPI보다 {apart}%p {'앞섬' if trend.ahead_pct > 0 else '뒤짐'}"


def points(rate: Decimal | Unknown, *, unit: str = "%") -> str:
    return korean.MISSING if isinstance(rate, Unknown) else percent(rate).replace("%", unit)


def toned(rate: Decimal | Unknown) -> str:
    if isinstance(rate, Unknown) or not rate.quantize(HUNDREDTH, ROUND_HALF_UP):
        return ""
    return "up" if rate > 0 else "down"


def flow_text(flow: int, amounts: Amounts, value: int | None) -> str:
    name = "입금" if flow > 0 else "출금"
    if amounts.is_masked:
        part = Decimal(abs(flow)) * 100 / value if value else Decimal(0)
        return f"{name} {share(part)}%"
    return f"{name} {amounts.heading(abs(flow))}"


def won_axis(value: float, step: float) -> str:
    """Write an amount of the axis as short as its neighbours allow: `1.8억`, `950만`."""
    unit, name = (EOK, "억") if abs(value) >= EOK or step >= EOK / 10 else (MAN, "만")
    if step < MAN:
        return f"{value:,.0f}"
    digits = 0
    while digits < 4 and abs(step / unit * 10**digits - round(step / unit * 10**digits)) > 1e-6:  # noqa: PLR2004
        digits += 1
    return f"{value / unit:,.{digits}f}{name}"


def index_axis(value: float, step: float) -> str:
    return f"{value:,.0f}" if step >= 1 else f"{value:,.1f}"


# --- B -----------------------------------------------------------------------------------------------------------------


def causes_block(scene: Scene, today: Today | None) -> Context:
    if today is None:
        return {"today": None}
    is_quiet = not today.change and all(not cause.amount for cause in today.causes)
    amounts = scene.amounts.of(today.before)
    odd = len(today.causes) - 1 if today.unexplained else None
    bars = waterfall(
        [cause.amount for cause in today.causes],
        width=BARS_WIDTH,
        row_height=CAUSE_ROW,
        sum_height=SUM_ROW,
        odd=odd,
    )
    return {
        "today": today,
        "is_quiet": is_quiet and not scene.d.holdings,
        "rows": [
            (cause, amounts.signed(cause.amount), cause.kind == "unexplained" and today.unexplained)
            for cause in today.causes
        ],
        "sum": amounts.signed(today.change),
        "change_rate": Decimal(today.change) * 100 / today.before if today.before > 0 else None,
        "finding": causes_finding(scene, today),
        "why": why_unexplained(today),
        "bars": drawing(bars),
        "bars_left": BARS_LEFT,
        "row_height": CAUSE_ROW,
    }


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


# --- C -----------------------------------------------------------------------------------------------------------------


def composition_block(scene: Scene, parts: Composition) -> Context:
    d = scene.d
    if not d.holdings:
        return {"parts": None}
    colored = colored_slices(parts.slices)
    targets = [part.target for part in parts.slices if part.target is not None]
    scale = max([part.weight for part in parts.slices] + targets)
    donut = composition.donut([(part.value, color) for part, color in colored], diameter=DONUT)
    width, height = TARGET_BAR
    limit = advice_of(d).stock_limit
    return {
        "parts": parts,
        "rows": [
            (
                part,
                color,
                drawing(charts.target_bar(part.weight, part.target, scale=scale, width=width, height=height)),
                off_target(part) if parts.has_targets else scene.amounts.plain(part.value),
            )
            for part, color in colored
        ],
        "donut": drawing(donut),
        "finding": composition_finding(d, limit),
        "is_over": limit is not None and d.holdings[0].weight > limit,
        "sector_bar": drawing(_sector_bar(parts.sectors)),
        "sectors": sector_labels(parts.sectors),
        "row_height": COMPOSITION_ROW,
    }


def colored_slices(slices: Sequence[Slice]) -> list[tuple[Slice, str]]:
    """Give each part its grey, largest darkest; cash is white."""
    last = len(PRINT.ramp) - 1
    return [
        (
            part,
            PRINT.paper
            if part.kind == "cash"
            else PRINT.ramp[last if part.kind == "rest" else min(index, last)],
        )
        for index, part in enumerate(slices)
    ]


def off_target(part: Slice) -> str:
    """`+1.3`, in points; zero has no sign."""
    if part.off_target is None:
        return korean.MISSING
    rounded = part.off_target.quantize(DETAIL, ROUND_HALF_UP)
    return f"{rounded:+}".replace("-", korean.MINUS) if rounded else "0.0"


def composition_finding(d: Dashboard, limit: Decimal | None) -> str:
    largest = d.holdings[0]
    name = f"{columns.cut(largest.name, 30.0)} {share(largest.weight)}%"
    if limit is not None and largest.weight > limit:
        return f"{name}, 한도 {limit.normalize():f}% 넘음"
    return f"{name}, 상위 5종목 {share(d.total.top_weight)}%"


def _sector_bar(sectors: Sequence[Sector]) -> str:
    width, height = SECTOR_BAR
    last = len(PRINT.ramp) - 1
    parts = [
        (
            max(float(sector.weight), 0.0),
            PRINT.paper
            if sector.kind == "cash"
            else PRINT.ramp[last if sector.kind == "rest" else min(index, last)],
        )
        for index, sector in enumerate(sectors)
    ]
    return charts.split_bar(parts, width=width, height=height)


def sector_labels(sectors: Sequence[Sector]) -> list[tuple[float, str, str]]:
    """Return where each name stands below the bar, the name, and the weight; those without room are left out."""
    width = SECTOR_BAR[0]
    whole = float(sum(max(sector.weight, Decimal(0)) for sector in sectors)) or 1.0
    labels: list[tuple[float, str, str]] = []
    left, free_from = 0.0, 0.0
    for sector in sectors:
        own = max(float(sector.weight), 0.0) / whole * width
        weight = f"{share(sector.weight)}%"
        room = max(own, columns.text_width(weight) * SECTOR_TEXT + 1.0)
        name = columns.cut(sector.name, max(room, SHORT_NAME) / SECTOR_TEXT)
        need = max(columns.text_width(name), columns.text_width(weight)) * SECTOR_TEXT
        if left >= free_from - 0.01 and left + need <= width and own >= LEAST_SECTOR:
            labels.append((round(left, 2), name, weight))
            free_from = left + need + 1.2
        left += own
    return labels


# --- D and E -----------------------------------------------------------------------------------------------------------


def fills_block(scene: Scene, fills: Fills) -> Context:
    d, amounts = scene.d, scene.amounts
    widths = columns.fill_columns(fills, fee=d.account.fee_today)
    rows, more = first_of(fills.rows)
    sides = f"매수 {amounts.plain(fills.bought)} · 매도 {amounts.plain(fills.sold)}"
    return {
        "fills": fills,
        "when": scene.when,
        "finding": f"{len(fills.rows)}건 · {sides}",
        "rows": rows,
        "more": more,
        "more_page": scene.page.fills_page,
        "widths": list(widths.values()),
        "name_room": widths["name"] - 1.2,
        "amount": amounts.plain(fills.amount),
        "odd": fills.disagreements[0] if fills.disagreements else None,
        "more_odd": max(len(fills.disagreements) - 1, 0),
    }


def orders_block(scene: Scene, orders: OpenOrders) -> Context:
    rows, more = first_of(orders.rows)
    return {
        "orders": orders,
        "rows": rows,
        "more": more,
        "more_page": scene.page.orders_page,
        "buying": scene.amounts.plain(orders.buying),
        "selling": scene.amounts.plain(orders.selling),
    }


def first_of(rows: Sequence[Row]) -> tuple[Sequence[Row], int]:
    """Return the rows that have room, and how many others there are; these need a line of their own."""
    if len(rows) <= LIST_ROWS:
        return rows, 0
    return rows[: LIST_ROWS - 1], len(rows) - LIST_ROWS + 1


# --- F and G -----------------------------------------------------------------------------------------------------------


def advice_of(d: Dashboard) -> Advice:
    """Return what the adviser said, or nothing: other parts of the page only ask for its limits."""
    return d.advice if isinstance(d.advice, Advice) else Advice()


def findings_block(scene: Scene, advice: Advice | None) -> Context:
    if advice is None:
        return {"advice": None}
    width, height = BULLET
    shown = advice.findings[:FINDINGS]
    masked = scene.amounts.is_masked
    rows = [
        {
            "number": f"F{number}",
            "finding": finding,
            "tone": SEVERITY_TONES[finding.severity],
            "subject": "금액 가림" if masked and finding.amounts else finding.subject,
            "limit": "" if masked and finding.amounts else finding.limit,
            "bar": drawing(_bullet(finding, width=width, height=height)) if finding.share is not None else "",
        }
        for number, finding in enumerate(shown, start=1)
    ]
    return {
        "advice": advice,
        "rows": rows,
        "more": len(advice.findings) - len(shown),
        "finding": findings_line(advice),
        "passed": fitting_names(advice.passed),
    }


def _bullet(finding: Finding, *, width: float, height: float) -> str:
    share_of, limit = finding.share, finding.limit_share
    return charts.bullet_bar(
        share_of if share_of is not None else Decimal(0),
        limit,
        width=width,
        height=height,
        is_broken=finding.severity is Severity.WARNING,
    )


def findings_line(advice: Advice) -> str:
    """`경고 2 · 주의 3 · 통과 9`."""
    counts = [
        (severity.value, sum(finding.severity is severity for finding in advice.findings))
        for severity in Severity
    ]
    told = [f"{name} {count}" for name, count in counts if count]
    told += [f"통과 {len(advice.passed)}"] if advice.passed else []
    told += [f"건너뜀 {len(advice.unjudged)}"] if advice.unjudged else []
    return " · ".join(told)


def fitting_names(names: Sequence[str]) -> list[str]:
    """Return the names that two lines of small print have room for; the last one says how many follow."""
    shown: list[str] = []
    width = 0.0
    for name in names:
        width += columns.text_width(f"{name} · ")
        if width > PASSED_WIDTH:
            return [*shown, f"외 {len(names) - len(shown)}"]
        shown.append(name)
    return shown


def diagnosis_block(scene: Scene, advice: Advice | None) -> Context:
    d = scene.d
    if d.is_empty:
        return {"steps": first_steps(d), "advice": advice}
    if advice is None:
        return {"advice": None}
    if scene.is_stale:
        return {"advice": advice, "is_withheld": True, "finding": "보류"}
    points_shown = [point for point in advice.points if not (scene.amounts.is_masked and "원" in point.text)]
    fitting = fitting_points(points_shown)
    return {
        "advice": advice,
        "points": [(number, point) for number, point in enumerate(fitting, start=1)],
        "more": len(points_shown) - len(fitting),
        "by_model": advice.source is Source.MODEL,
        "finding": diagnosis_finding(advice),
    }


def diagnosis_finding(advice: Advice) -> str:
    if advice.source is not Source.MODEL:
        return "규칙이 쓴 설명" if advice.points else ""
    told = f"숫자 {advice.checked}개 모두 자료와 일치" if advice.checked else "숫자 없음"
    return f"{told} · {advice.dropped}문장 뺌" if advice.dropped else told


def fitting_points(given: Sequence[Point]) -> list[Point]:
    """Return as many points as there is room for, whole."""
    shown: list[Point] = []
    room = POINTS_ROOM
    for point in given:
        references = f" [{' '.join(point.references)}]" if point.references else ""
        lines = -(-columns.text_width(point.text + references) * WRAPPING // POINT_WIDTH)
        room -= lines * POINT_LINE + POINT_GAP
        if room < 0:
            break
        shown.append(point)
    return shown


def first_steps(d: Dashboard) -> list[tuple[str, str]]:
    """Return what to type in an account that has nothing yet but cash."""
    mode = MODE_NAMES[d.mode]
    return [
        ("시세를 확인합니다", f"manage.py {mode} 현재가 005930 삼성전자"),
        ("한 주를 주문합니다", f"manage.py {mode} 매수 005930 삼성전자 1주"),
        ("받은 코드로 확인합니다", f"manage.py {mode} 확인 코드"),
    ]


def tone_color(value: int) -> str:
    return PRINT.up if value > 0 else PRINT.down if value < 0 else PRINT.ink3


def drawing(text: str) -> SafeString:
    return SafeString(text)  # our own drawing: figures, and names escaped by the sheet
