"""All assets of an account by kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kis.client.protocol import Row

#: The wire sends the kinds without labels, in this order (kis-api.md section 6.2).
KINDS = (
    "주식",
    "펀드/MMW",
    "IMA",
    "채권",
    "ELS/DLS",
    "WRAP",
    "신탁",
    "RP/발행어음",
    "해외주식",
    "해외채권",
    "금현물",
    "CD/CP",
    "전자단기사채",
    "타사상품",
    "외화전단채",
    "외화ELS/DLS",
    "외화",
    "예수금",
    "청약자예수금",
    "합계",
)
#: Those of an account for funds (product code 21).
FUND_ACCOUNT = "21"
FUND_ACCOUNT_KINDS = (
    "수익증권",
    "IMA",
    "채권",
    "ELS/DLS",
    "WRAP",
    "신탁",
    "RP",
    "외화RP",
    "해외채권",
    "CD/CP",
    "전자단기사채",
    "외화전단채",
    "외화ELS/DLS",
    "외화평가금액",
    "예수금+CMA",
    "청약자예수금",
    "합계",
)


def kinds_of(product_code: str) -> tuple[str, ...]:
    """Return what the rows of an account mean, in their order; the last is the sum."""
    return FUND_ACCOUNT_KINDS if product_code == FUND_ACCOUNT else KINDS


@dataclass(frozen=True, slots=True)
class AssetRecord:
    """One kind of asset in won. `weight` is its share of the whole in percent."""

    kind: str
    cost: int
    value: int
    profit: int
    loan: int
    net: int
    weight: Decimal
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row, kind: str) -> "AssetRecord":
        return cls(
            kind=kind,
            cost=row.integer("pchs_amt"),
            value=row.integer("evlu_amt"),
            profit=row.integer("evlu_pfls_amt"),
            loan=row.integer("crdt_lnd_amt"),
            net=row.integer("real_nass_amt"),
            weight=row.decimal("whol_weit_rt"),
            raw=row.data,
        )


@dataclass(frozen=True, slots=True)
class AccountAssets:
    """Every asset of an account in won. `cash` is all deposits, `deposit` the won deposit alone."""

    rows: tuple[AssetRecord, ...]
    total: int
    net: int
    cost: int
    value: int
    profit: int
    loans: int
    cash: int
    deposit: int
    receivable: int
    foreign_currency: int
    raw: Mapping[str, Any] = field(repr=False)

    def of(self, kind: str) -> AssetRecord:
        """Return the row of a kind. Raises KeyError for a kind this account does not have."""
        return {row.kind: row for row in self.rows}[kind]

    @classmethod
    def from_row(cls, row: Row, rows: tuple[AssetRecord, ...]) -> "AccountAssets":
        return cls(
            rows=rows,
            total=row.integer("tot_asst_amt"),
            net=row.integer("nass_tot_amt"),
            cost=row.integer("pchs_amt_smtl"),
            value=row.integer("evlu_amt_smtl"),
            profit=row.integer("evlu_pfls_amt_smtl"),
            loans=row.integer("loan_amt_smtl"),
            cash=row.integer("tot_dncl_amt"),
            deposit=row.integer("dncl_amt"),
            receivable=row.integer("thdt_rcvb_amt"),
            foreign_currency=row.integer("frcr_evlu_tota"),
            raw=row.data,
        )
