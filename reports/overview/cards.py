"""The five cards."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from kis.korean import number
from kis.portfolio.cash import MisuLevel
from kis.portfolio.unknown import Unknown
from reports import card_charts, columns
from reports.figures import AccountFigures, Realised, Today
from reports.overview.scene import HUNDREDTH, Context, Scene, drawing, tone_color

TOTAL_CHECK: Final = "평가 + D+2 현금"
CARD_LINE: Final = 7.2
SMALL_ROOM: Final = 22.4 * 7.5 / 6.5  # of small print, measured at 7.5 pt


def total_card(scene: Scene, account: AccountFigures) -> Context:
    d, trend = scene.d, scene.trend
    values = [day.value for day in trend.days] if trend else []
    check = next(check for check in d.reconciliation.checks if check.name == TOTAL_CHECK)
    index = None
    if scene.amounts.is_masked and trend and (first := trend.days[0].value):
        index = (Decimal(account.total) * 100 / first).quantize(HUNDREDTH, ROUND_HALF_UP)
    return {
        "index": index,
        "rate": trend.rate_pct if trend and isinstance(trend.rate_pct, Decimal) else None,
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
                color=scene.palette.ink2,
                low_color=scene.palette.down,
                is_stale=scene.is_stale,
                palette=scene.palette,
            )
        ),
    }


def today_card(scene: Scene, today: Today | None) -> Context:
    if today is None:
        return {"today": None, "when": scene.when}
    line = card_charts.day_line(
        [(moment.at, moment.change) for moment in today.moments if moment.at.date() == today.day],
        width=30.4,
        height=CARD_LINE,
        color=tone_color(today.profit, scene.palette),
        is_stale=scene.is_stale,
        palette=scene.palette,
    )
    return {"today": today, "when": scene.when, "line": drawing(line)}


def profit_card(scene: Scene, account: AccountFigures) -> Context:
    trend = scene.trend
    line = card_charts.trend_line(
        [day.profit for day in trend.days] if trend else [],
        width=31.4,
        height=CARD_LINE,
        color=tone_color(account.profit, scene.palette),
        is_stale=scene.is_stale,
        palette=scene.palette,
    )
    return {"period": f"{trend.count}일" if trend else "", "cost": account.cost, "line": drawing(line)}


def realised_card(scene: Scene, realised: Realised) -> Context:
    bars = card_charts.day_bars(
        [day.profit for day in realised.days], width=22.4, height=5.6, palette=scene.palette
    )
    return {
        "realised": realised,
        "when": scene.when,
        "month": f"{scene.d.day.month}월",
        "today": None if isinstance(realised.today, Unknown) else realised.today,
        "this_month": None if isinstance(realised.month, Unknown) else realised.month,
        "total": scene.d.account.total,
        "small": small_print(scene, realised),
        "bars": drawing(bars),
    }


def small_print(scene: Scene, realised: Realised) -> str:
    """Say what trading cost this month, and how many days nobody knows, as far as there is room."""
    missing = f"{realised.missing}일 모름" if realised.missing else ""
    if scene.amounts.is_masked:
        return missing
    costs = number(realised.month_costs)
    told = [f"비용·세금 {costs}", f"비용 {costs}"]
    lines = [*(f"{text} · {missing}" for text in told), missing] if missing else told
    return next((line for line in lines if columns.text_width(line) <= SMALL_ROOM), lines[-1])


def cash_card(scene: Scene, account: AccountFigures) -> Context:
    amounts, misu = scene.amounts, account.misu
    return {
        "days": [(cash, amounts.plain(cash.amount)) for cash in account.cash_days],
        "orderable": amounts.plain(account.orderable),
        "misu": misu if misu.level is not MisuLevel.NONE else None,
    }
