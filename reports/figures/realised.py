"""What sales brought, today and this month, and what trading cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from kis.client.records.orders import Side
from kis.models import KisDailySummary, KisExecution
from kis.models.books import Side as ModelSide
from kis.portfolio.lots import Opening, Trade, replay
from kis.portfolio.unknown import Unknown, total
from reports.figures.today import stock_days
from reports.queries import DashboardRows

PAPER: Final = Unknown("모의투자에는 실현손익 조회가 없습니다. (모의 미지원)")
COST_UNKNOWN: Final = Unknown("오늘 판 주식의 매입 원가를 아직 모릅니다.")
COSTS_UNKNOWN: Final = Unknown("오늘 체결의 비용을 아직 모릅니다.")


@dataclass(frozen=True, slots=True)
class RealisedDay:
    """The realised profit of a day after costs, None where it is not known."""

    day: date
    profit: int | None


@dataclass(frozen=True, slots=True)
class Realised:
    """Realised profit after costs, in won: today by our own count until the broker has told its own (`is_estimated`).

    `month` and `month_costs` leave out the days that nobody knows, of which there are `missing`. `days` are those of the
    month up to today.
    """

    today: int | Unknown
    is_estimated: bool
    month: int | Unknown
    month_costs: int
    missing: int
    days: tuple[RealisedDay, ...]


def realised_of(rows: DashboardRows) -> Realised:
    is_paper = rows.account.is_paper
    told = rows.today.won("realised_broker") if rows.today else PAPER
    today = told if isinstance(told, int) else PAPER if is_paper else realised_today(rows)
    before = [row for row in rows.position.summaries if _is_earlier_in_month(row.summary_date, rows.day)]
    days = [*(RealisedDay(row.summary_date, best_of(row)) for row in before)]
    days.append(RealisedDay(rows.day, today if isinstance(today, int) else None))
    known = [day.profit for day in days if day.profit is not None]
    month: int | Unknown = sum(known) if known else (today if isinstance(today, Unknown) else 0)
    return Realised(
        today=today,
        is_estimated=not isinstance(told, int),
        month=PAPER if is_paper else month,
        month_costs=sum((row.fee or 0) + (row.tax or 0) for row in before) + rows.account.today_fee,
        missing=sum(day.profit is None for day in days),
        days=tuple(days),
    )


def _is_earlier_in_month(day: date, today: date) -> bool:
    return (day.year, day.month) == (today.year, today.month) and day < today


def best_of(row: KisDailySummary) -> int | None:
    """Return the realised profit of a day: the broker's own, or ours by the moving average that it uses."""
    return row.realised_average if row.realised_broker is None else row.realised_broker


def realised_today(rows: DashboardRows) -> int | Unknown:
    """Return what the sales of the day brought after the costs of all its trades, as the broker will count it."""
    fills: dict[str, list[KisExecution]] = {}
    for fill in rows.position.executions:
        fills.setdefault(fill.stock_code, []).append(fill)
    openings = openings_of(rows)
    return total(_realised(trades, openings.get(code, COST_UNKNOWN)) for code, trades in fills.items())


def _realised(fills: list[KisExecution], opening: Opening | Unknown | None) -> int | Unknown:
    trades = []
    for fill in fills:
        if fill.costs is None:
            return COSTS_UNKNOWN
        trades.append(
            Trade(
                day=fill.exec_dt,
                at=fill.exec_tmd,
                number=f"{fill.odno} {fill.ord_gno_brno}",
                side=Side.SELL if fill.exec_type == ModelSide.SELL else Side.BUY,
                quantity=fill.exec_qty,
                amount=fill.exec_amt,
                costs=fill.costs,
            )
        )
    if isinstance(opening, Unknown):
        has_sale = any(trade.side is Side.SELL for trade in trades)
        return opening if has_sale else -sum(trade.costs.total for trade in trades)
    return replay(trades, opening=opening).broker_profit(fills[0].exec_dt)


def openings_of(rows: DashboardRows) -> Mapping[str, Opening | Unknown | None]:
    """Return what was held of each stock before the day's trades, None for nothing, Unknown where its cost is not known.

    From the last snapshot before, or where the shares of today do not fit to it, from the average of now: only a purchase
    changes that.
    """
    before = {row.stock_code: row for row in rows.earlier.holdings} if rows.earlier else {}
    averages = {row.stock_code: row.pchs_avg_pric for row in rows.position.holdings}
    found: dict[str, Opening | Unknown | None] = {}
    for stock in stock_days(rows):
        row, quantity = before.get(stock.code), stock.quantity_before
        if not quantity:
            found[stock.code] = None
        elif row is not None and row.holding_qty == quantity:
            found[stock.code] = Opening(quantity, row.pchs_amt)
        elif stock.code in averages and not stock.bought:
            found[stock.code] = Opening(quantity, round(averages[stock.code] * quantity))
        else:
            found[stock.code] = COST_UNKNOWN
    return found
