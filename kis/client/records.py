"""What the endpoints return: typed records. Wire names appear in `from_row` and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any

from kis.client.protocol import Row


class Side(Enum):
    """Side of an order and its wire code."""

    SELL = "01"
    BUY = "02"

    @classmethod
    def from_row(cls, row: Row, name: str) -> "Side":
        try:
            return cls(row.text(name))
        except ValueError:
            raise row.changed(name, "매수인지 매도인지 알 수 없습니다") from None


@dataclass(frozen=True, slots=True)
class HoldingRecord:
    """One row of the balance. Won and shares; rates in percent. A stock sold out since D-2 has quantity 0."""

    code: str
    name: str
    quantity: int
    sellable: int
    average: Decimal
    cost: int
    price: int
    value: int
    profit: int
    profit_rate: Decimal
    change_rate: Decimal
    bought_today: int
    sold_today: int
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row) -> "HoldingRecord":
        return cls(
            code=row.text("pdno"),
            name=row.text("prdt_name"),
            quantity=row.quantity("hldg_qty"),
            sellable=row.quantity("ord_psbl_qty"),
            average=row.decimal("pchs_avg_pric"),
            cost=row.integer("pchs_amt"),
            price=row.quantity("prpr"),
            value=row.integer("evlu_amt"),
            profit=row.integer("evlu_pfls_amt"),
            profit_rate=row.decimal("evlu_pfls_rt"),
            change_rate=row.decimal("fltt_rt"),
            bought_today=row.quantity("thdt_buyqty"),
            sold_today=row.quantity("thdt_sll_qty"),
            raw=row.data,
        )


@dataclass(frozen=True, slots=True)
class BalanceTotals:
    """The account as the broker adds it up, in won. `d2_cash` is after all trades so far settle."""

    d0_cash: int
    d1_cash: int
    d2_cash: int
    bought_today: int
    sold_today: int
    costs_today: int
    stock_value: int
    total_value: int
    net_assets: int
    previous_assets: int
    cost: int
    holdings_value: int
    profit: int
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row) -> "BalanceTotals":
        return cls(
            d0_cash=row.integer("dnca_tot_amt"),
            d1_cash=row.integer("nxdy_excc_amt"),
            d2_cash=row.integer("prvs_rcdl_excc_amt"),
            bought_today=row.integer("thdt_buy_amt"),
            sold_today=row.integer("thdt_sll_amt"),
            costs_today=row.integer("thdt_tlex_amt"),
            stock_value=row.integer("scts_evlu_amt"),
            total_value=row.integer("tot_evlu_amt"),
            net_assets=row.integer("nass_amt"),
            previous_assets=row.integer("bfdy_tot_asst_evlu_amt"),
            cost=row.integer("pchs_amt_smtl_amt"),
            holdings_value=row.integer("evlu_amt_smtl_amt"),
            profit=row.integer("evlu_pfls_smtl_amt"),
            raw=row.data,
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """Totals and every row of the balance, all pages."""

    totals: BalanceTotals
    rows: tuple[HoldingRecord, ...]

    @property
    def held(self) -> tuple[HoldingRecord, ...]:
        """Rows with shares; sold-out stocks linger in the reply for two days."""
        return tuple(row for row in self.rows if row.quantity)


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """One order of the daily inquiry with what has been filled so far. `price` is 0 for a market order."""

    ordered_on: date
    ordered_at: time
    branch: str
    number: str
    side: Side
    code: str
    name: str
    quantity: int
    price: int
    filled: int
    filled_amount: int
    average: Decimal | None
    remaining: int
    exchange: str
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def key(self) -> tuple[date, str, str]:
        """The order number starts again each day and counts per branch."""
        return self.ordered_on, self.branch, self.number

    @classmethod
    def from_row(cls, row: Row) -> "OrderRecord":
        return cls(
            ordered_on=row.day("ord_dt"),
            ordered_at=row.clock("ord_tmd"),
            branch=row.text("ord_gno_brno"),
            number=row.text("odno"),
            side=Side.from_row(row, "sll_buy_dvsn_cd"),
            code=row.text("pdno"),
            name=row.text("prdt_name"),
            quantity=row.quantity("ord_qty"),
            price=row.quantity("ord_unpr"),
            filled=row.quantity("tot_ccld_qty"),
            filled_amount=row.integer("tot_ccld_amt", low=0),
            average=row.optional_decimal("avg_prvs"),
            remaining=row.quantity("rmn_qty"),
            exchange=str(row.data.get("excg_id_dvsn_cd") or "").strip(),  # absent from the older TR
            raw=row.data,
        )


@dataclass(frozen=True, slots=True)
class UnfilledRecord:
    """An order still waiting. `changeable` is what can be amended or cancelled."""

    branch: str
    number: str
    side: Side
    code: str
    name: str
    quantity: int
    price: int
    ordered_at: str
    changeable: int
    filled: int
    exchange: str
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row) -> "UnfilledRecord":
        return cls(
            branch=row.text("ord_gno_brno"),
            number=row.text("odno"),
            side=Side.from_row(row, "sll_buy_dvsn_cd"),
            code=row.text("pdno"),
            name=row.text("prdt_name"),
            quantity=row.quantity("ord_qty"),
            price=row.quantity("ord_unpr"),
            ordered_at=f"{row.clock('ord_tmd'):%H%M%S}",
            changeable=row.quantity("psbl_qty"),
            filled=row.quantity("tot_ccld_qty"),
            exchange=str(row.data.get("excg_id_dvsn_cd") or "").strip(),
            raw=row.data,
        )

    @classmethod
    def from_order(cls, order: OrderRecord) -> "UnfilledRecord":
        """Paper has no inquiry of open orders; the daily inquiry says the same."""
        return cls(
            branch=order.branch,
            number=order.number,
            side=order.side,
            code=order.code,
            name=order.name,
            quantity=order.quantity,
            price=order.price,
            ordered_at=f"{order.ordered_at:%H%M%S}",
            changeable=order.remaining,
            filled=order.filled,
            exchange=order.exchange,
            raw=order.raw,
        )


#: Prices adjusted for a split or rights issue are rounded one by one, so a close may stand a won above its high.
ADJUSTED_ROUNDING = 1


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One trading day in won and shares, adjusted for splits; open, high and low are 0 on a halted day."""

    day: date
    open: int
    high: int
    low: int
    close: int
    volume: int

    @property
    def is_sane(self) -> bool:
        """Whether the four prices can belong to one day."""
        if (self.open, self.high, self.low, self.volume) == (0, 0, 0, 0):
            return self.close > 0
        inner = sorted((self.open, self.close))
        return 0 < self.low <= inner[0] + ADJUSTED_ROUNDING and inner[1] <= self.high + ADJUSTED_ROUNDING

    @classmethod
    def from_row(cls, row: Row) -> "DailyBar":
        bar = cls(
            day=row.day("stck_bsop_date"),
            open=row.quantity("stck_oprc"),
            high=row.quantity("stck_hgpr"),
            low=row.quantity("stck_lwpr"),
            close=row.quantity("stck_clpr"),
            volume=row.integer("acml_vol", low=0),
        )
        if not bar.is_sane:
            raise row.changed("output2", f"{bar.day} 시가·고가·저가·종가가 서로 맞지 않습니다")
        return bar


@dataclass(frozen=True, slots=True)
class DailyChart:
    """The bars that could be read, oldest first, and a sentence for each that could not."""

    bars: tuple[DailyBar, ...]
    problems: tuple[str, ...]
