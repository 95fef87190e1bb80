"""Realised profit of a period."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar

from kis.client.protocol import Row
from kis.client.records.fields import short_code, stock_name


@dataclass(frozen=True, slots=True)
class DayProfit:
    """One day with trades. Won, shares, rate in percent; `realised` is after fees, tax and interest."""

    day: date
    bought_quantity: int
    bought: int
    sold_quantity: int
    sold: int
    realised: int
    rate: Decimal
    fee: int
    tax: int
    interest: int
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row) -> "DayProfit":
        return cls(
            day=row.day("trad_dt"),
            bought_quantity=row.quantity("buy_qty1"),
            bought=row.integer("buy_amt"),
            sold_quantity=row.quantity("sll_qty1"),
            sold=row.integer("sll_amt"),
            realised=row.integer("rlzt_pfls"),
            rate=row.decimal("pfls_rt"),
            fee=row.integer("fee"),
            tax=row.integer("tl_tax"),
            interest=row.integer("loan_int"),
            raw=row.data,
        )


@dataclass(frozen=True, slots=True)
class TradeProfit:
    """One stock on one day, as DayProfit. `cost_price` and `sold_price` are averages in won a share."""

    day: date
    code: str
    name: str
    kind: str
    held: int
    cost_price: Decimal
    bought_quantity: int
    bought: int
    sold_price: Decimal
    sold_quantity: int
    sold: int
    realised: int
    rate: Decimal
    fee: int
    tax: int
    interest: int
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row) -> "TradeProfit":
        return cls(
            day=row.day("trad_dt"),
            code=short_code(row),
            name=stock_name(row),
            kind=f"{row.text('trad_dvsn_name', required=False)} {row.text('loan_dt', required=False)}".strip(),
            held=row.quantity("hldg_qty"),
            cost_price=row.decimal("pchs_unpr"),
            bought_quantity=row.quantity("buy_qty"),
            bought=row.integer("buy_amt"),
            sold_price=row.decimal("sll_pric"),
            sold_quantity=row.quantity("sll_qty"),
            sold=row.integer("sll_amt"),
            realised=row.integer("rlzt_pfls"),
            rate=row.decimal("pfls_rt"),
            fee=row.integer("fee"),
            tax=row.integer("tl_tax"),
            interest=row.integer("loan_int"),
            raw=row.data,
        )


@dataclass(frozen=True, slots=True)
class ProfitTotals:
    """The whole period as the broker adds it up, in won and shares."""

    bought_quantity: int
    bought: int
    sold_quantity: int
    sold: int
    realised: int
    fee: int
    tax: int
    interest: int
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row, *, bought_quantity: str) -> "ProfitTotals":
        """Read the totals; the two inquiries spell the quantity bought differently."""
        return cls(
            bought_quantity=row.integer(bought_quantity, low=0),
            bought=row.integer("buy_tr_amt_smtl"),
            sold_quantity=row.integer("sll_qty_smtl", low=0),
            sold=row.integer("sll_tr_amt_smtl"),
            realised=row.integer("tot_rlzt_pfls"),
            fee=row.integer("tot_fee"),
            tax=row.integer("tot_tltx"),
            interest=row.integer("loan_int"),
            raw=row.data,
        )


Part = TypeVar("Part", DayProfit, TradeProfit)


@dataclass(frozen=True, slots=True)
class Profit(Generic[Part]):
    """A period: the broker's totals, and its days or its stocks day by day, oldest first."""

    totals: ProfitTotals
    rows: tuple[Part, ...]
