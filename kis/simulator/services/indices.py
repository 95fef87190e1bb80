"""The stock indices: where one stands now, how it got there."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter

from kis.calendar import latest_business_day
from kis.client.codes import TR
from kis.simulator import wire
from kis.simulator.indices import Breadth, Index, Level, index_of
from kis.simulator.periods import grouped
from kis.simulator.services.base import Answer, Call, Service, ids_of
from kis.simulator.services.quotation import INDEX_BOARD, STOCK, day_or, found

CHART_ROWS = 50
NOTHING = Decimal("0.00")
WAITING_PERCENT = 6  # of the shares traded, in the books of all members


class _Standing:
    """An index at this moment: today if it has begun, the day before, and the close everything is compared with."""

    def __init__(self, call: Call, index: Index) -> None:
        market = call.exchange.market
        self.index = index.name
        self.day = latest_business_day(call.now.date())
        self.days = index.days_before(market, self.day)
        self.today, self.breadth = index.today(market, call.now)
        self.previous = self.days[-1] if self.days else None
        self.base = self.previous.close if self.previous else index.name.start

    @property
    def price(self) -> Decimal:
        return self.today.close if self.today else self.base

    @property
    def shown(self) -> list[Level]:
        return self.days if self.today is None else [*self.days, self.today]


def _asked(call: Call) -> _Standing | None:
    """Return the index asked for; None for an unknown code or before its first day."""
    is_index = call.params["FID_COND_MRKT_DIV_CODE"] == INDEX_BOARD
    index = index_of(call.exchange.market, call.params["FID_INPUT_ISCD"]) if is_index else None
    standing = _Standing(call, index) if index else None
    return standing if standing and standing.shown else None


def index_price(call: Call) -> Answer:
    """Answer with level, day and breadth of an index."""
    standing = _asked(call)
    if standing is None:
        return found(output=dict.fromkeys(PRICE_FIELDS, "") | {"bstp_nmix_prpr": "0"})
    today, previous = standing.today, standing.previous
    return found(
        output={
            "bstp_nmix_prpr": str(standing.price),
            **_change(standing.price, standing.base),
            "acml_vol": str(today.volume if today else 0),
            "prdy_vol": str(previous.volume if previous else 0),
            "acml_tr_pbmn": str(today.turnover if today else 0),
            "prdy_tr_pbmn": str(previous.turnover if previous else 0),
            **_of_day(today, standing.base),
            **_breadth(standing.breadth),
            **_year(standing),
            **_waiting(today),
        }
    )


def _change(price: Decimal, base: Decimal) -> wire.Json:
    return {
        "bstp_nmix_prdy_vrss": str(price - base),
        "prdy_vrss_sign": wire.change_sign(price - base),
        "bstp_nmix_prdy_ctrt": _percent(price - base, base),
    }


def _percent(part: Decimal, whole: Decimal) -> str:
    return wire.fixed(wire.percent(part, whole), 2)


#: Where the day's open, high and low go: level, difference, sign, percent.
OF_DAY = (
    (
        *("bstp_nmix_oprc", "prdy_nmix_vrss_nmix_oprc"),
        *("oprc_vrss_prpr_sign", "bstp_nmix_oprc_prdy_ctrt"),
    ),
    (
        *("bstp_nmix_hgpr", "prdy_nmix_vrss_nmix_hgpr"),
        *("hgpr_vrss_prpr_sign", "bstp_nmix_hgpr_prdy_ctrt"),
    ),
    (
        *("bstp_nmix_lwpr", "prdy_clpr_vrss_lwpr"),
        *("lwpr_vrss_prpr_sign", "prdy_clpr_vrss_lwpr_rate"),
    ),
)


def _of_day(today: Level | None, base: Decimal) -> wire.Json:
    levels = (today.open, today.high, today.low) if today else None
    fields: wire.Json = {}
    for place, names in enumerate(OF_DAY):
        level = levels[place] if levels else NOTHING
        change = level - base if levels else NOTHING
        values = (str(level), str(change), wire.change_sign(change), _percent(change, base))
        fields.update(zip(names, values, strict=True))
    return fields


def _breadth(breadth: Breadth) -> wire.Json:
    return {
        "ascn_issu_cnt": str(breadth.up),
        "uplm_issu_cnt": str(breadth.at_upper),
        "stnr_issu_cnt": str(breadth.even),
        "down_issu_cnt": str(breadth.down),
        "lslm_issu_cnt": str(breadth.at_lower),
    }


def _year(standing: _Standing) -> wire.Json:
    """Return the highest and lowest level of this year, with their distance from now."""
    this_year = [level for level in standing.shown if level.day.year == standing.day.year]
    part = this_year or standing.shown[-1:]
    high, low = max(part, key=attrgetter("high")), min(part, key=attrgetter("low"))
    return {
        "dryy_bstp_nmix_hgpr": str(high.high),
        "dryy_hgpr_vrss_prpr_rate": _percent(high.high - standing.price, high.high),
        "dryy_bstp_nmix_hgpr_date": f"{high.day:%Y%m%d}",
        "dryy_bstp_nmix_lwpr": str(low.low),
        "dryy_lwpr_vrss_prpr_rate": _percent(low.low - standing.price, low.low),
        "dryy_bstp_nmix_lwpr_date": f"{low.day:%Y%m%d}",
    }


def _waiting(today: Level | None) -> wire.Json:
    """Return the shares in the books: as many bids as offers where the index opened, more of them above."""
    waiting = (today.volume if today else 0) * WAITING_PERCENT // 100
    bids = int(waiting * (today.close / today.open) ** 10 / 2) if today else 0
    bids = min(bids, waiting)
    return {
        "total_askp_rsqn": str(waiting - bids),
        "total_bidp_rsqn": str(bids),
        "seln_rsqn_rate": wire.fixed(wire.percent(waiting - bids, waiting), 2),
        "shnu_rsqn_rate": wire.fixed(wire.percent(bids, waiting), 2),
        "ntby_rsqn": str(bids - (waiting - bids)),
    }


def index_chart(call: Call) -> Answer:
    """At most 50 days, weeks, months or years of an index, newest first."""
    standing = _asked(call)
    if standing is None:
        return found(output1=dict.fromkeys(HEAD_FIELDS, "") | {"bstp_nmix_prpr": "0"}, output2=[])
    first, last = (day_or(call.params[f"FID_INPUT_DATE_{number}"], call.now.date()) for number in (1, 2))
    rows = _rows(standing.shown, first, last, call.params["FID_PERIOD_DIV_CODE"])
    return found(output1=_head(standing), output2=rows)


def _head(standing: _Standing) -> wire.Json:
    today, previous = standing.today, standing.previous
    return {
        **_change(standing.price, standing.base),
        "prdy_nmix": str(standing.base),
        "acml_vol": str(today.volume if today else 0),
        "acml_tr_pbmn": str(today.turnover if today else 0),
        "hts_kor_isnm": standing.index.name,
        "bstp_nmix_prpr": str(standing.price),
        "bstp_cls_code": standing.index.code,
        "prdy_vol": str(previous.volume if previous else 0),
        "bstp_nmix_oprc": str(today.open if today else NOTHING),
        "bstp_nmix_hgpr": str(today.high if today else NOTHING),
        "bstp_nmix_lwpr": str(today.low if today else NOTHING),
        "futs_prdy_oprc": str(previous.open if previous else NOTHING),
        "futs_prdy_hgpr": str(previous.high if previous else NOTHING),
        "futs_prdy_lwpr": str(previous.low if previous else NOTHING),
    }


def _rows(levels: Sequence[Level], first: date, last: date, period: str) -> list[wire.Json]:
    parts = grouped([level for level in levels if first <= level.day <= last], period)
    return [
        {
            "stck_bsop_date": f"{part[0].day:%Y%m%d}",
            "bstp_nmix_prpr": str(part[-1].close),
            "bstp_nmix_oprc": str(part[0].open),
            "bstp_nmix_hgpr": str(max(level.high for level in part)),
            "bstp_nmix_lwpr": str(min(level.low for level in part)),
            "acml_vol": str(sum(level.volume for level in part)),
            "acml_tr_pbmn": str(sum(level.turnover for level in part)),
            "mod_yn": "N",
        }
        for part in parts[-CHART_ROWS:][::-1]
    ]


PRICE_FIELDS = (
    *("bstp_nmix_prdy_vrss", "prdy_vrss_sign", "bstp_nmix_prdy_ctrt"),
    *("acml_vol", "prdy_vol", "acml_tr_pbmn", "prdy_tr_pbmn"),
    *(name for names in OF_DAY for name in names),
    *("ascn_issu_cnt", "uplm_issu_cnt", "stnr_issu_cnt", "down_issu_cnt", "lslm_issu_cnt"),
    *("dryy_bstp_nmix_hgpr", "dryy_hgpr_vrss_prpr_rate", "dryy_bstp_nmix_hgpr_date"),
    *("dryy_bstp_nmix_lwpr", "dryy_lwpr_vrss_prpr_rate", "dryy_bstp_nmix_lwpr_date"),
    *("total_askp_rsqn", "total_bidp_rsqn", "seln_rsqn_rate", "shnu_rsqn_rate", "ntby_rsqn"),
)
HEAD_FIELDS = (
    *("bstp_nmix_prdy_vrss", "prdy_vrss_sign", "bstp_nmix_prdy_ctrt", "prdy_nmix"),
    *("acml_vol", "acml_tr_pbmn", "hts_kor_isnm", "bstp_cls_code", "prdy_vol"),
    *("bstp_nmix_oprc", "bstp_nmix_hgpr", "bstp_nmix_lwpr"),
    *("futs_prdy_oprc", "futs_prdy_hgpr", "futs_prdy_lwpr"),
)
SERVICES = (
    Service(TR.INDEX_PRICE.path, ids_of(TR.INDEX_PRICE), STOCK, index_price, of_account=False),
    Service(
        TR.INDEX_CHART.path,
        ids_of(TR.INDEX_CHART),
        (*STOCK, "FID_INPUT_DATE_1", "FID_INPUT_DATE_2", "FID_PERIOD_DIV_CODE"),
        index_chart,
        of_account=False,
    ),
)
