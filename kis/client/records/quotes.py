"""Prices of a moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any

from kis.client.protocol import Row
from kis.client.records.fields import LONGEST_NAME, flag, optional_day, optional_integer

HUNDRED_MILLION = 100_000_000
MILLION = 1_000_000
DEPTH = 10
MANAGED, HALTED = "51", "58"


@dataclass(frozen=True, slots=True)
class PriceRecord:
    """A stock now. Won and shares, rate in percent; open, high and low are 0 before the first trade.

    `change` against the base price carries its own minus, whatever the sign field beside it says. `market_cap` is won,
    known to the broker in 억원. `sector` is blank for some stocks, the 52 weeks are None where the broker has none.
    `warning` is 00 none, 01 투자주의, 02 투자경고, 03 투자위험.
    """

    code: str
    market: str
    sector: str
    price: int
    base: int
    change: int
    change_rate: Decimal
    upper: int
    lower: int
    tick: int
    open: int
    high: int
    low: int
    volume: int
    turnover: int
    market_cap: int
    year_high: int | None
    year_high_on: date | None
    year_low: int | None
    year_low_on: date | None
    status: str
    warning: str
    halted: bool
    managed: bool
    liquidating: bool
    overheated: bool
    caution: bool
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row, code: str) -> "PriceRecord":
        status = row.text("iscd_stat_cls_code", required=False, longest=10)
        halted, managed = flag(row, "temp_stop_yn"), flag(row, "mang_issu_cls_code")
        return cls(
            code=code,
            market=row.text("rprs_mrkt_kor_name", required=False),
            # The key itself is missing for some stocks (kis-api.md section 15).
            sector=row.text("bstp_kor_isnm", required=False) if "bstp_kor_isnm" in row.data else "",
            price=row.integer("stck_prpr", low=1),
            base=row.quantity("stck_sdpr"),
            change=row.integer("prdy_vrss"),
            change_rate=row.decimal("prdy_ctrt"),
            upper=row.quantity("stck_mxpr"),
            lower=row.quantity("stck_llam"),
            tick=row.integer("aspr_unit", low=1),
            open=row.quantity("stck_oprc"),
            high=row.quantity("stck_hgpr"),
            low=row.quantity("stck_lwpr"),
            volume=row.integer("acml_vol", low=0),
            turnover=row.integer("acml_tr_pbmn", low=0),
            market_cap=row.integer("hts_avls", low=0) * HUNDRED_MILLION,
            year_high=optional_integer(row, "w52_hgpr"),
            year_high_on=optional_day(row, "w52_hgpr_date"),
            year_low=optional_integer(row, "w52_lwpr"),
            year_low_on=optional_day(row, "w52_lwpr_date"),
            status=status,
            warning=row.text("mrkt_warn_cls_code", required=False, longest=10),
            halted=halted or status == HALTED,
            managed=managed or status == MANAGED,
            liquidating=flag(row, "sltr_yn"),
            overheated=flag(row, "short_over_yn"),
            caution=flag(row, "invt_caful_yn"),
            raw=row.data,
        )


@dataclass(frozen=True, slots=True)
class Level:
    """Shares that wait at one price."""

    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Up to ten levels a side, best first. Won and shares; the expected price is 0 outside a call auction.

    `at` is when the exchange took the last order, None before the first.
    """

    code: str
    at: time | None
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]
    total_asked: int
    total_bid: int
    price: int
    expected_price: int
    expected_volume: int
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_rows(cls, book: Row, expected: Row, code: str) -> "OrderBook":
        """Read both objects of the reply. Raises KisReplyChanged also for levels out of order."""
        asks, bids = levels(book, "askp"), levels(book, "bidp")
        if list(asks) != sorted(asks, key=lambda level: level.price):
            raise book.changed("askp1", "매도호가의 순서가 맞지 않습니다")
        if list(bids) != sorted(bids, key=lambda level: -level.price):
            raise book.changed("bidp1", "매수호가의 순서가 맞지 않습니다")
        return cls(
            code=code,
            at=book.clock("aspr_acpt_hour") if book.text("aspr_acpt_hour", required=False) else None,
            asks=asks,
            bids=bids,
            total_asked=book.integer("total_askp_rsqn", low=0),
            total_bid=book.integer("total_bidp_rsqn", low=0),
            price=expected.integer("stck_prpr", low=1),
            expected_price=expected.quantity("antc_cnpr"),
            expected_volume=expected.integer("antc_vol", low=0),
            raw={"output1": book.data, "output2": expected.data},
        )


def levels(row: Row, side: str) -> tuple[Level, ...]:
    """Return the levels of `askp` or `bidp`; a price of 0 is a level that nobody is waiting at."""
    found = (
        Level(row.quantity(f"{side}{place}"), row.integer(f"{side}_rsqn{place}", low=0))
        for place in range(1, DEPTH + 1)
    )
    return tuple(level for level in found if level.price)


@dataclass(frozen=True, slots=True)
class MultiPrice:
    """A stock among many, as PriceRecord; `ask` and `bid` are 0 where nobody waits."""

    code: str
    name: str
    price: int
    base: int
    change: int
    change_rate: Decimal
    upper: int
    lower: int
    open: int
    high: int
    low: int
    ask: int
    bid: int
    volume: int
    turnover: int
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row, code: str) -> "MultiPrice":
        """Read a row; its names are not those of the single inquiry."""
        return cls(
            code=code,
            name=row.text("inter_kor_isnm", required=False)[:LONGEST_NAME] or code,
            price=row.integer("inter2_prpr", low=1),
            base=row.quantity("inter2_sdpr"),
            change=row.integer("inter2_prdy_vrss"),
            change_rate=row.decimal("prdy_ctrt"),
            upper=row.quantity("inter2_mxpr"),
            lower=row.quantity("inter2_llam"),
            open=row.quantity("inter2_oprc"),
            high=row.quantity("inter2_hgpr"),
            low=row.quantity("inter2_lwpr"),
            ask=row.quantity("inter2_askp"),
            bid=row.quantity("inter2_bidp"),
            volume=row.integer("acml_vol", low=0),
            turnover=row.integer("acml_tr_pbmn", low=0),
            raw=row.data,
        )


@dataclass(frozen=True, slots=True)
class IndexPrice:
    """An index now, in points, rate in percent; `turnover` in won, known to the broker in millions.

    `volume` is in the broker's own unit. The five counts are of stocks at the upper limit, up, even, down and at the lower
    limit.
    """

    code: str
    value: Decimal
    change: Decimal
    change_rate: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    volume: int
    turnover: int
    at_upper: int
    rising: int
    even: int
    falling: int
    at_lower: int
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row, code: str) -> "IndexPrice":
        return cls(
            code=code,
            value=row.decimal("bstp_nmix_prpr"),
            change=row.decimal("bstp_nmix_prdy_vrss"),
            change_rate=row.decimal("bstp_nmix_prdy_ctrt"),
            open=row.decimal("bstp_nmix_oprc"),
            high=row.decimal("bstp_nmix_hgpr"),
            low=row.decimal("bstp_nmix_lwpr"),
            volume=row.integer("acml_vol", low=0),
            turnover=row.integer("acml_tr_pbmn", low=0) * MILLION,
            at_upper=row.integer("uplm_issu_cnt", low=0),
            rising=row.integer("ascn_issu_cnt", low=0),
            even=row.integer("stnr_issu_cnt", low=0),
            falling=row.integer("down_issu_cnt", low=0),
            at_lower=row.integer("lslm_issu_cnt", low=0),
            raw=row.data,
        )
