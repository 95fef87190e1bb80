"""What the endpoints return: typed records. Wire names appear in `from_row` and nowhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Any

from kis.client.protocol import Row

LONGEST_NAME = 50


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


def exchange(row: Row) -> str:
    """Return KRX, NXT or SOR; the older TR has no such field."""
    if "excg_id_dvsn_cd" not in row.data:
        return ""
    return row.text("excg_id_dvsn_cd", required=False, longest=10)


def stock_name(row: Row) -> str:
    """Return the name, cut to what a column holds; a nameless stock is called by its code."""
    name = row.text("prdt_name", required=False)[:LONGEST_NAME]
    return name or row.text("pdno", longest=10)


@dataclass(frozen=True, slots=True)
class HoldingRecord:
    """One row of the balance. Won and shares; rates in percent. A stock sold out since D-2 has quantity 0.

    `kind` tells rows of one stock apart: 현금, or a loan with its date.
    """

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
    kind: str
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row) -> "HoldingRecord":
        code, quantity = row.text("pdno", longest=10), row.quantity("hldg_qty")
        sellable, average = row.quantity("ord_psbl_qty"), row.decimal("pchs_avg_pric")
        if sellable > quantity:
            raise row.changed("ord_psbl_qty", "주문가능수량이 보유수량보다 많습니다")
        if average < 0:
            raise row.changed("pchs_avg_pric", "매입평균가가 0보다 작습니다")
        return cls(
            code=code,
            name=stock_name(row),
            quantity=quantity,
            sellable=sellable,
            average=average,
            cost=row.integer("pchs_amt"),
            price=row.quantity("prpr"),
            value=row.integer("evlu_amt"),
            profit=row.integer("evlu_pfls_amt"),
            profit_rate=row.decimal("evlu_pfls_rt"),
            change_rate=row.decimal("fltt_rt"),
            bought_today=row.quantity("thdt_buyqty"),
            sold_today=row.quantity("thdt_sll_qty"),
            kind=f"{row.data.get('trad_dvsn_name') or ''} {row.data.get('loan_dt') or ''}".strip(),
            raw=row.data,
        )

    @classmethod
    def merged(cls, rows: Sequence["HoldingRecord"]) -> "HoldingRecord":
        """Put the rows of one stock together, held in cash and on loan, by their sums."""
        first = rows[0]
        if len(rows) == 1:
            return first
        quantity, cost = sum(row.quantity for row in rows), sum(row.cost for row in rows)
        profit = sum(row.profit for row in rows)
        return replace(
            first,
            quantity=quantity,
            sellable=sum(row.sellable for row in rows),
            average=round(Decimal(cost) / quantity, 4) if quantity else Decimal(0),
            cost=cost,
            value=sum(row.value for row in rows),
            profit=profit,
            profit_rate=round(Decimal(profit) / cost * 100, 2) if cost else Decimal(0),
            bought_today=sum(row.bought_today for row in rows),
            sold_today=sum(row.sold_today for row in rows),
            kind=", ".join(row.kind for row in rows),
            raw={"rows": [dict(row.raw) for row in rows]},
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
            profit=row.integer("evlu_pfls_smtl_amt"),
            raw=row.data,
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """Totals and every stock of the balance, all pages."""

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
    rejected: int
    exchange: str
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def key(self) -> tuple[date, str, str]:
        """The order number starts again each day and counts per branch."""
        return self.ordered_on, self.branch, self.number

    @property
    def fill_price(self) -> int:
        """Won a share, rounded half up: the broker's average, or amount by quantity where it left the average blank."""
        average = self.average or Decimal(self.filled_amount) / self.filled
        return int(average.quantize(Decimal(1), ROUND_HALF_UP))

    @classmethod
    def from_row(cls, row: Row) -> "OrderRecord":
        """Read a row. Raises KisReplyChanged also where quantity, amount and average of a fill do not belong together."""
        order = cls(
            ordered_on=row.day("ord_dt"),
            ordered_at=row.clock("ord_tmd"),
            branch=row.text("ord_gno_brno", longest=10),
            number=row.text("odno", longest=20),
            side=Side.from_row(row, "sll_buy_dvsn_cd"),
            code=row.text("pdno", longest=10),
            name=stock_name(row),
            quantity=row.quantity("ord_qty"),
            price=row.quantity("ord_unpr"),
            filled=row.quantity("tot_ccld_qty"),
            filled_amount=row.integer("tot_ccld_amt", low=0),
            average=row.optional_decimal("avg_prvs"),
            remaining=row.quantity("rmn_qty"),
            rejected=row.quantity("rjct_qty"),
            exchange=exchange(row),
            raw=row.data,
        )
        if order.filled:
            order.refuse_odd_fill(row)
        return order

    def refuse_odd_fill(self, row: Row) -> None:
        """Raise KisReplyChanged for a fill without amount, or with an average that is not amount by quantity."""
        if not 0 < self.filled_amount <= self.filled * (2**31 - 1):
            raise row.changed("tot_ccld_amt", f"주문 {self.number}의 체결금액이 있을 수 없는 값입니다")
        # The average may be rounded to a won, so it may be half a won a share away.
        if self.average and abs(self.average * self.filled - self.filled_amount) > self.filled:
            raise row.changed("avg_prvs", f"주문 {self.number}의 체결단가와 체결금액이 서로 맞지 않습니다")


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
        quantity = row.quantity("ord_qty")
        if not quantity:
            raise row.changed("ord_qty", "주문수량이 0입니다")
        return cls(
            branch=row.text("ord_gno_brno", longest=10),
            number=row.text("odno", longest=20),
            side=Side.from_row(row, "sll_buy_dvsn_cd"),
            code=row.text("pdno", longest=10),
            name=stock_name(row),
            quantity=quantity,
            price=row.quantity("ord_unpr"),
            ordered_at=f"{row.clock('ord_tmd'):%H%M%S}",
            changeable=row.quantity("psbl_qty"),
            filled=row.quantity("tot_ccld_qty"),
            exchange=exchange(row),
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
