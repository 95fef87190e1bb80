"""One row per stock, and their sums."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from kis.models import KisUnfilledOrder
from reports.figures.shares import percent_of, shares
from reports.figures.stock_charts import Charts, StockCharts
from reports.queries import DashboardRows

TOP: Final = 5


@dataclass(frozen=True, slots=True)
class HoldingFigures:
    """One stock: the broker's numbers, its share of our total, and its charts."""

    rank: int
    code: str
    name: str
    weight: Decimal
    price: int
    change_pct: Decimal
    quantity: int
    sellable: int
    open_buy: int
    open_sell: int
    average: Decimal
    cost: int
    value: int
    profit: int
    profit_pct: Decimal
    charts: StockCharts

    @property
    def closes(self) -> tuple[int | None, ...]:
        """The closes of two weeks, None where a day is missing, ending with the price of now."""
        return tuple(None if candle is None else candle.close for candle in self.charts.candles)


@dataclass(frozen=True, slots=True)
class HoldingsTotal:
    """Our own sums over the holdings."""

    count: int
    weight: Decimal
    value: int
    cost: int
    profit: int
    profit_pct: Decimal | None
    winners: int
    losers: int
    gained: int
    lost: int
    top_value: int
    top_weight: Decimal


def holding_figures(rows: DashboardRows, charts: Charts) -> tuple[HoldingFigures, ...]:
    ordered = sorted(rows.position.holdings, key=lambda holding: (-holding.evlu_amt, holding.stock_code))
    weights = shares(
        [*(holding.evlu_amt for holding in ordered), rows.account.available], keep={len(ordered)}
    )
    buying = _open_quantities(rows.position.unfilled, KisUnfilledOrder.SideCode.BUY)
    selling = _open_quantities(rows.position.unfilled, KisUnfilledOrder.SideCode.SELL)
    return tuple(
        HoldingFigures(
            rank=rank,
            code=holding.stock_code,
            name=holding.stock_name,
            weight=weight,
            price=holding.prpr,
            change_pct=Decimal(str(holding.fllt_rt)),
            quantity=holding.holding_qty,
            sellable=holding.ord_psbl_qty,
            open_buy=buying[holding.stock_code],
            open_sell=selling[holding.stock_code],
            average=Decimal(str(holding.pchs_avg_pric)),
            cost=holding.pchs_amt,
            value=holding.evlu_amt,
            profit=holding.evlu_pfls_amt,
            profit_pct=Decimal(str(holding.evlu_pfls_rt)),
            charts=charts.stocks[holding.stock_code],
        )
        for rank, (holding, weight) in enumerate(zip(ordered, weights, strict=False), start=1)
    )


def holdings_total(holdings: Sequence[HoldingFigures]) -> HoldingsTotal:
    value = sum(holding.value for holding in holdings)
    cost = sum(holding.cost for holding in holdings)
    profit = sum(holding.profit for holding in holdings)
    return HoldingsTotal(
        count=len(holdings),
        weight=sum((holding.weight for holding in holdings), Decimal("0.0")),
        value=value,
        cost=cost,
        profit=profit,
        profit_pct=percent_of(profit, cost),
        winners=sum(holding.profit > 0 for holding in holdings),
        losers=sum(holding.profit < 0 for holding in holdings),
        gained=sum(max(holding.profit, 0) for holding in holdings),
        lost=-sum(min(holding.profit, 0) for holding in holdings),
        top_value=sum(holding.value for holding in holdings[:TOP]),
        top_weight=sum((holding.weight for holding in holdings[:TOP]), Decimal("0.0")),
    )


def _open_quantities(orders: Iterable[KisUnfilledOrder], side: str) -> Mapping[str, int]:
    waiting: defaultdict[str, int] = defaultdict(int)
    for order in orders:
        if order.sll_buy_dvsn_cd == side:
            waiting[order.stock_code] += order.psbl_qty
    return waiting
