"""What an account holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from kis.client.protocol import Row
from kis.client.records.fields import short_code, stock_name


@dataclass(frozen=True, slots=True)
class HoldingRecord:
    """One row of the balance. Won and shares; rates in percent. A stock sold out since D-2 has quantity 0.

    `kind` tells rows of one stock apart: 현금, or a loan with its date. `change_rate` is the stock's own since yesterday,
    not the position's.
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
    """The account as the broker adds it up, in won.

    `d0_cash` has settled; `d2_cash` is after all trades so far settle, and not what can be ordered (`orderable_cash`).
    `costs_today` are fees and tax in one, estimated. Several names differ from those the specification prints.
    """

    d0_cash: int
    d1_cash: int
    d2_cash: int
    bought_today: int
    sold_today: int
    costs_today: int
    bought_yesterday: int
    sold_yesterday: int
    costs_yesterday: int
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
            bought_yesterday=row.integer("bfdy_buy_amt"),
            sold_yesterday=row.integer("bfdy_sll_amt"),
            costs_yesterday=row.integer("bfdy_tlex_amt"),
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
class RealisedBalance:
    """A balance with today's profit in won and its rates in percent; of today's sales, and of what is still held."""

    balance: Balance
    realised: int
    realised_rate: Decimal
    unrealised: int
    unrealised_rate: Decimal
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row, balance: Balance) -> "RealisedBalance":
        return cls(
            balance=balance,
            realised=row.integer("rlzt_pfls"),
            realised_rate=row.decimal("rlzt_erng_rt"),
            unrealised=row.integer("real_evlu_pfls"),
            unrealised_rate=row.decimal("real_evlu_pfls_erng_rt"),
            raw=row.data,
        )


@dataclass(frozen=True, slots=True)
class Sellable:
    """What of one stock can be sold now, in shares; zeros for a stock that is not held. Won, rate in percent."""

    code: str
    name: str
    quantity: int
    sellable: int
    bought: int
    sold: int
    average: Decimal
    cost: int
    price: int
    value: int
    profit: int
    profit_rate: Decimal
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row) -> "Sellable":
        return cls(
            code=short_code(row),
            name=stock_name(row),
            quantity=row.quantity("cblc_qty"),
            sellable=row.quantity("ord_psbl_qty"),
            bought=row.quantity("buy_qty"),
            sold=row.quantity("sll_qty"),
            average=row.decimal("pchs_avg_pric"),
            cost=row.integer("pchs_amt"),
            price=row.quantity("now_pric"),
            value=row.integer("evlu_amt"),
            profit=row.integer("evlu_pfls_amt"),
            profit_rate=row.decimal("evlu_pfls_rt"),
            raw=row.data,
        )
