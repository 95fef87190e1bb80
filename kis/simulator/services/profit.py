"""Realised profit of a period: day by day, and stock by stock."""

import re
from datetime import date

from kis.client.codes import TR
from kis.simulator import wire
from kis.simulator.realised import Realised, StockDay, stock_days, total
from kis.simulator.services.base import ACCOUNT, CURSORS, Answer, Call, Service, ids_of

DAY = re.compile(r"[0-9]{8}")
PAGE_ROWS = 50
OLDEST_FIRST = "01"


def period_profit(call: Call) -> Answer:
    """Trades, costs and realised profit of each day with trades; the real host only."""
    parts = _asked_for(call)
    days: dict[date, Realised] = {}
    for part in parts:
        days[part.day] = days.get(part.day, Realised()) + part.sums
    page = wire.cut_page(
        list(days.items()),
        key=lambda entry: f"{entry[0]:%Y%m%d}",
        cursor=call.params["CTX_AREA_NK100"],
        size=PAGE_ROWS,
        descending=call.params["SORT_DVSN"] != OLDEST_FIRST,
        disturb=call.disturb,
    )
    body = {
        **wire.cursors("", page.resume),
        "output1": [_day_row(day, sums) for day, sums in page.rows],
        "output2": _totals(total(parts), bought="buy_qty_smtl"),
        **wire.envelope(call.mode, more=page.more),
    }
    return Answer(body, page.more)


def trade_profit(call: Call) -> Answer:
    """Trades, costs and realised profit of each stock on each day; the real host only."""
    parts = _asked_for(call)
    page = wire.cut_page(
        parts,
        key=lambda part: f"{part.day:%Y%m%d}{_product_number(part.code)}",
        cursor=_cursor_read(call.params["CTX_AREA_NK100"]),
        size=PAGE_ROWS,
        descending=call.params["SORT_DVSN"] != OLDEST_FIRST,
        disturb=call.disturb,
    )
    sums = total(parts)
    body = {
        **wire.cursors("", _cursor_written(page.resume)),
        "output1": [_stock_row(part, call) for part in page.rows],
        "output2": _totals(sums, bought="buyqty_smtl") | {"tot_pftrt": wire.fixed(sums.profit_percent, 8)},
        **wire.envelope(call.mode, more=page.more),
    }
    return Answer(body, page.more)


def _asked_for(call: Call) -> list[StockDay]:
    params = call.params
    for name in ("INQR_STRT_DT", "INQR_END_DT"):
        if not DAY.fullmatch(params[name]):
            raise wire.invalid_field(name)
    exchange = call.exchange
    parts = stock_days(
        call.account, splits=exchange.splits(), costs=exchange.costs, until=call.until
    ).values()
    return [
        part
        for part in parts
        if params["INQR_STRT_DT"] <= f"{part.day:%Y%m%d}" <= params["INQR_END_DT"]
        and params["PDNO"] in {"", part.code, _product_number(part.code)}
    ]


def _product_number(code: str) -> str:
    """Return the 12 characters of the core system: 00000A005930, 00000Q500001."""
    return (code if code.startswith("Q") else f"A{code}").rjust(12, "0")


def _cursor_written(resume: str) -> str:
    """Write the key of the last row, and how many pages there were, as the core system does."""
    if not resume:
        return ""
    key, _, pages = resume.partition("^")
    return f"{key[:8]}^{key[8:]}^300^{int(pages) - 1}^00000000^"


def _cursor_read(cursor: str) -> str:
    parts = cursor.split("^")
    if len(parts) < 4 or not parts[3].isdecimal():  # noqa: PLR2004  # not ours: start from the beginning
        return ""
    return f"{parts[0]}{parts[1]}^{int(parts[3]) + 1}"


def _day_row(day: date, sums: Realised) -> wire.Json:
    return {
        "trad_dt": f"{day:%Y%m%d}",
        "buy_amt": str(sums.bought_amount),
        "sll_amt": str(sums.sold_amount),
        "rlzt_pfls": str(sums.profit),
        "fee": str(sums.commission),
        "loan_int": "0",
        "tl_tax": str(sums.sale_tax),
        "pfls_rt": wire.fixed(sums.profit_percent, 8),
        "sll_qty1": str(sums.sold_quantity),
        "buy_qty1": str(sums.bought_quantity),
    }


def _stock_row(part: StockDay, call: Call) -> wire.Json:
    sums = part.sums
    sold = sums.sold_quantity
    return {
        "trad_dt": f"{part.day:%Y%m%d}",
        "pdno": _product_number(part.code),
        "prdt_name": call.exchange.market.listings[part.code].name,
        "trad_dvsn_name": "현금",
        "loan_dt": "",
        "hldg_qty": str(part.lot.quantity),
        # Of the shares sold; where none were, of those held. Fractions of a won are dropped.
        "pchs_unpr": str(sums.cost_of_sold // sold if sold else int(part.lot.average)),
        "buy_qty": str(sums.bought_quantity),
        "buy_amt": str(sums.bought_amount),
        "sll_pric": str(sums.sold_amount // sold if sold else 0),
        "sll_qty": str(sold),
        "sll_amt": str(sums.sold_amount),
        "rlzt_pfls": str(sums.profit),
        "pfls_rt": wire.fixed(sums.profit_percent, 8),
        "fee": str(sums.commission),
        "tl_tax": str(sums.sale_tax),
        "loan_int": "0",
    }


def _totals(sums: Realised, *, bought: str) -> wire.Json:
    """Return the sums of the whole period; the two inquiries spell the quantity bought differently."""
    received = sums.sold_amount - sums.sell_commission - sums.sale_tax
    paid = sums.bought_amount + sums.buy_commission
    return {
        "sll_qty_smtl": str(sums.sold_quantity),
        "sll_tr_amt_smtl": str(sums.sold_amount),
        "sll_fee_smtl": str(sums.sell_commission),
        "sll_tltx_smtl": str(sums.sale_tax),
        "sll_excc_amt_smtl": str(received),
        bought: str(sums.bought_quantity),
        "buy_tr_amt_smtl": str(sums.bought_amount),
        "buy_fee_smtl": str(sums.buy_commission),
        "buy_tax_smtl": "0",
        "buy_excc_amt_smtl": str(paid),
        "tot_qty": str(sums.sold_quantity + sums.bought_quantity),
        "tot_tr_amt": str(sums.sold_amount + sums.bought_amount),
        "tot_fee": str(sums.commission),
        "tot_tltx": str(sums.sale_tax),
        "tot_excc_amt": str(received + paid),
        "tot_rlzt_pfls": str(sums.profit),
        "loan_int": "0",
    }


PARAMETERS = (*ACCOUNT, "INQR_STRT_DT", "INQR_END_DT", "PDNO", "SORT_DVSN", "CBLC_DVSN", *CURSORS)
SERVICES = (
    Service(TR.PERIOD_PROFIT.path, ids_of(TR.PERIOD_PROFIT), (*PARAMETERS, "INQR_DVSN"), period_profit),
    Service(TR.TRADE_PROFIT.path, ids_of(TR.TRADE_PROFIT), PARAMETERS, trade_profit),
)
