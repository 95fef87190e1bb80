"""A: the account over three months, and the same money in the market."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from kis import korean
from kis.korean import percent, share, short_day
from kis.portfolio.unknown import Unknown
from reports import columns
from reports.amounts import Amounts
from reports.curve import Falls, Flow, Line, asset_curve
from reports.figures import Trend
from reports.overview.scene import HUNDREDTH, Context, CurveSize, Scene, drawing
from reports.templatetags.dashboard import brief, short_heading

UNITS: Final = ((10**12, "조"), (10**8, "억"), (10**4, "만"))
MOST_DIGITS: Final = 4
WON_ROOM: Final = 15.5  # of the table beside the curve


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
    curves = [draw_curve(trend, lines, scene, size) for size in scene.curves]
    return {
        "trend": trend,
        "curves": [drawing(curve) for curve in curves],
        "lines": lines,
        "rows": _trend_rows(trend, scene),
        "finding": trend_finding(trend),
    }


def draw_curve(trend: Trend, lines: Sequence[Line], scene: Scene, size: CurveSize) -> str:
    return asset_curve(
        [day.day for day in trend.days],
        [line for line in lines if line.is_own or any(value is not None for value in line.values[1:])],
        flows=[
            Flow(index, flow_text(day.flow, scene.amounts, day.value))
            for index, day in enumerate(trend.days)
            if day.flow and not scene.amounts.is_bare
        ],
        falls=_falls(trend),
        axis=index_axis if scene.amounts.is_masked else won_axis,
        width=size.width,
        height=size.height,
        has_ends=size.has_ends,
        is_stale=scene.is_stale,
        palette=scene.palette,
        font=scene.font,
        label="자산 추이",
    )


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
    flows = ("입출금 합", "", fitting_amount(trend.flows, scene.amounts), "")
    return [
        ("기간 수익률", "TWR", points(trend.rate_pct), toned(trend.rate_pct)),
        ("KOSPI", "", points(trend.kospi_pct), toned(trend.kospi_pct)),
        ("KOSDAQ", "", points(trend.kosdaq_pct), toned(trend.kosdaq_pct)),
        ("KOSPI 대비", "", points(trend.ahead_pct, unit="%p"), toned(trend.ahead_pct)),
        ("최대 낙폭", "", points(trend.deepest_fall_pct), toned(trend.deepest_fall_pct)),
        ("변동성", "연환산", points(trend.volatility_pct).lstrip("+"), ""),
        *([] if scene.amounts.is_bare else [flows]),
    ]


def fitting_amount(value: int, amounts: Amounts) -> str:
    """Write an amount in full where its column has room for it."""
    text = amounts.signed(value)
    return text if amounts.is_masked or columns.text_width(text) <= WON_ROOM else brief(value)


def trend_finding(trend: Trend) -> str:
    """`60거래일 +8.42%, KOSPI보다 4.45%p 뒤짐`; of other days than the whole curve it says which."""
    span = f"{trend.count}거래일"
    if not trend.is_whole:
        span = f"{short_day(trend.since)} 뒤 {short_day(trend.until)}까지 {span}"
    text = f"{span} {points(trend.rate_pct)}"
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
    return f"{name} {short_heading(abs(flow)).removesuffix('원')}"


def won_axis(value: float, step: float, largest: float) -> str:
    """Write an amount of the axis as short as its neighbours allow, in the unit of the largest: `1.8억`, `950만`."""
    unit, name = next((pair for pair in UNITS if largest >= pair[0]), (1, ""))
    digits = next(
        count for count in range(MOST_DIGITS + 1) if count == MOST_DIGITS or is_whole(step / unit * 10**count)
    )
    return f"{value / unit:,.{digits}f}{name}".replace("-", korean.MINUS)


def is_whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-6  # noqa: PLR2004  # a float of a step


def index_axis(value: float, step: float, largest: float) -> str:  # noqa: ARG001  # as all axes
    return f"{value:,.{0 if step >= 1 else 1}f}".replace("-", korean.MINUS)
