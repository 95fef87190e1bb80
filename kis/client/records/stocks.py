"""What a stock is, apart from its price."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kis.client.protocol import Row
from kis.client.records.fields import flag, optional_day, short_code, stock_name, whole

MARKETS = {"STK": "KOSPI", "KSQ": "KOSDAQ", "KNX": "KONEX"}
#: Each market has a field of its own for the day of listing.
LISTED_IN = {"KOSPI": "scts_mket_lstg_dt", "KOSDAQ": "kosdaq_mket_lstg_dt", "KONEX": "frbd_mket_lstg_dt"}


@dataclass(frozen=True, slots=True)
class StockInfo:
    """A listed stock. `group` is ST 주권, EF ETF, EN ETN and so on; closes in won, 0 where there is none.

    `market` is KOSPI, KOSDAQ or KONEX, or the broker's own code for another one. `on_nxt` says whether NXT trades it now.
    """

    code: str
    isin: str
    name: str
    english_name: str
    market: str
    group: str
    sector_large: str
    sector_medium: str
    sector_small: str
    shares: int
    listed_on: date | None
    delisted_on: date | None
    close: int
    previous_close: int
    on_nxt: bool
    halted: bool
    managed: bool
    in_kospi200: bool
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def from_row(cls, row: Row) -> "StockInfo":
        market_id = row.text("mket_id_cd", longest=10)
        market = MARKETS.get(market_id, market_id)
        listed_in = LISTED_IN.get(market)
        return cls(
            code=short_code(row),
            isin=row.text("std_pdno", required=False, longest=12),
            name=stock_name(row),
            english_name=row.text("prdt_eng_name", required=False),
            market=market,
            group=row.text("scty_grp_id_cd", longest=10),
            sector_large=row.text("idx_bztp_lcls_cd_name", required=False),
            sector_medium=row.text("idx_bztp_mcls_cd_name", required=False),
            sector_small=row.text("idx_bztp_scls_cd_name", required=False),
            shares=whole(row, "lstg_stqt"),
            listed_on=optional_day(row, listed_in) if listed_in else None,
            delisted_on=optional_day(row, "lstg_abol_dt"),
            close=whole(row, "thdt_clpr"),
            previous_close=whole(row, "bfdy_clpr"),
            on_nxt=flag(row, "cptt_trad_tr_psbl_yn") and not flag(row, "nxt_tr_stop_yn"),
            halted=flag(row, "tr_stop_yn"),
            managed=flag(row, "admn_item_yn"),
            in_kospi200=flag(row, "kospi200_item_yn"),
            raw=row.data,
        )
