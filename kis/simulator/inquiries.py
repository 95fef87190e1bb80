"""The transactions that only read: which exist where, what they need, what they answer."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from kis.client.codes import TR, Mode
from kis.simulator import wire
from kis.simulator.exchange import MARKET_ORDER, Account, Exchange, Holding, Order, Statement
from kis.simulator.listings import Listing
from kis.simulator.market import Quote
from kis.simulator.prices import Bar

CHART_ROWS = 100
PRICE = re.compile(r"([0-9]{1,12}(\.[0-9]*)?)?")
DAY = re.compile(r"[0-9]{8}")
MONTHS_IN_RECENT_STORE = 3
MARGIN_KOSPI, MARGIN_KOSDAQ, MARGIN_FUND = 30, 40, 20
COLLATERAL_PERCENT = 78
ORDER_KINDS = {"00": "지정가", "01": "시장가"}


@dataclass(frozen=True, slots=True)
class Call:
    """One inquiry as it arrived, and the broker it is put to."""

    mode: Mode
    tr_id: str
    params: wire.Params
    exchange: Exchange
    now: datetime
    hidden_for: timedelta = timedelta(0)  # trades younger than this are not reflected yet
    disturb: Callable[[], str] = str  # asked when a reply has more pages, see wire.cut_page

    @property
    def account(self) -> Account:
        return self.exchange.accounts[self.mode]

    @property
    def until(self) -> datetime:
        return self.now - self.hidden_for


@dataclass(frozen=True, slots=True)
class Answer:
    """Body of a reply, and whether more pages follow."""

    body: wire.Json
    more: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """One transaction: its path, its ids per host, the parameters it insists on."""

    path: str
    ids: Mapping[Mode, tuple[str, ...]]
    required: tuple[str, ...]
    answer: Callable[[Call], Answer]
    of_account: bool = True


def check_account(call: Call) -> None:
    """Refuse an account that does not belong to the app key."""
    if f"{call.params['CANO']}-{call.params['ACNT_PRDT_CD']}" != call.account.number:
        raise wire.wrong_account()


# --- balance ------------------------------------------------------------------------------------------------


def balance(call: Call) -> Answer:
    """Answer with holdings and totals, 50 rows a page (paper 20)."""
    statement = call.exchange.statement(call.account, call.now, until=call.until if call.hidden_for else None)
    page = wire.cut_page(
        statement.holdings,
        key=lambda holding: holding.listing.code,
        cursor=call.params["CTX_AREA_NK100"],
        size=50 if call.mode == "real" else 20,
        disturb=call.disturb,
    )
    names = ("CANO", "ACNT_PRDT_CD", "AFHR_FLPR_YN", "OFL_YN", "INQR_DVSN", "UNPR_DVSN", "FUND_STTL_ICLD_YN")
    conditions = "".join(f"{call.params[name] or 'N'}^" for name in names)
    body = {
        **wire.cursors(conditions, page.resume),
        "output1": [_holding(holding, call.mode) for holding in page.rows],
        "output2": [_totals(statement, call.mode)],
        **wire.envelope(call.mode, more=page.more),
    }
    return Answer(body, page.more)


def _holding(holding: Holding, mode: Mode) -> wire.Json:
    profit = holding.value - holding.lot.cost
    rate = wire.percent(profit, holding.lot.cost)
    change = holding.price - holding.base
    return {
        "pdno": holding.listing.code,
        "prdt_name": holding.listing.name,
        "trad_dvsn_name": "현금",
        "bfdy_buy_qty": str(holding.yesterday.bought_quantity),
        "bfdy_sll_qty": str(holding.yesterday.sold_quantity),
        "thdt_buyqty": str(holding.today.bought_quantity),
        "thdt_sll_qty": str(holding.today.sold_quantity),
        "hldg_qty": str(holding.lot.quantity),
        "ord_psbl_qty": str(holding.orderable),
        "pchs_avg_pric": wire.fixed(holding.lot.average, 4),
        "pchs_amt": str(holding.lot.cost),
        "prpr": str(holding.price),
        "evlu_amt": str(holding.value),
        "evlu_pfls_amt": str(profit),
        "evlu_pfls_rt": wire.fixed(rate, 2),
        "evlu_erng_rt": wire.fixed(rate if mode == "paper" else 0, 8),
        "loan_dt": "",
        "loan_amt": "0",
        "stln_slng_chgs": "0",
        "expd_dt": "",
        "fltt_rt": wire.fixed(wire.percent(change, holding.base), 2) + "000000",
        "bfdy_cprs_icdc": str(change),
        "item_mgna_rt_name": f"{margin_percent(holding.listing)}%",
        "grta_rt_name": "45%" if holding.listing.market == "KOSPI" else "",
        "sbst_pric": str(holding.base * COLLATERAL_PERCENT // 1000 * 10),
        "stck_loan_unpr": "0.0000",
    }


def _totals(statement: Statement, mode: Mode) -> wire.Json:
    change = statement.total - statement.previous_total
    return {
        "dnca_tot_amt": str(statement.cash),
        "nxdy_excc_amt": str(statement.cash_next_day),
        "prvs_rcdl_excc_amt": str(statement.cash_settled),
        "cma_evlu_amt": "0",
        "bfdy_buy_amt": str(statement.yesterday.bought_amount),
        "thdt_buy_amt": str(statement.today.bought_amount),
        "nxdy_auto_rdpt_amt": "0",
        "bfdy_sll_amt": str(statement.yesterday.sold_amount),
        "thdt_sll_amt": str(statement.today.sold_amount),
        "d2_auto_rdpt_amt": "0",
        "bfdy_tlex_amt": str(statement.yesterday.costs),
        "thdt_tlex_amt": str(statement.today.costs),
        "tot_loan_amt": "0",
        "scts_evlu_amt": str(statement.value),
        "tot_evlu_amt": str(statement.total),
        "nass_amt": str(statement.total),
        "fncg_gld_auto_rdpt_yn": "",
        "pchs_amt_smtl_amt": str(statement.cost),
        "evlu_amt_smtl_amt": str(statement.value),
        "evlu_pfls_smtl_amt": str(statement.value - statement.cost),
        "tot_stln_slng_chgs": "0",
        "bfdy_tot_asst_evlu_amt": str(statement.previous_total),
        "asst_icdc_amt": str(change),
        "asst_icdc_erng_rt": wire.fixed(
            wire.percent(change, statement.previous_total) if mode == "paper" else 0, 8
        ),
    }


def margin_percent(listing: Listing) -> int:
    """Return the margin rate of a stock; the real ones are set stock by stock."""
    if listing.is_fund:
        return MARGIN_FUND
    return MARGIN_KOSPI if listing.market == "KOSPI" else MARGIN_KOSDAQ


# --- orders of a period -------------------------------------------------------------------------------------


def recent_orders(call: Call) -> Answer:
    """Orders of the last three months, 100 rows a page (paper 15)."""
    return _orders(call, since=_three_months_before(call.now.date()), until=date.max)


def older_orders(call: Call) -> Answer:
    """Orders older than three months, from the slower store."""
    return _orders(call, since=date.min, until=_three_months_before(call.now.date()) - timedelta(days=1))


def _three_months_before(day: date) -> date:
    month = day.year * 12 + day.month - 1 - MONTHS_IN_RECENT_STORE
    first = date(month // 12, month % 12 + 1, 1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return min(first + timedelta(days=day.day - 1), next_month - timedelta(days=1))


def _orders(call: Call, *, since: date, until: date) -> Answer:
    params = call.params
    for name in ("INQR_STRT_DT", "INQR_END_DT"):
        if not DAY.fullmatch(params[name]):
            raise wire.invalid_field(name)
    seen = [order.as_seen(call.until) for order in call.account.orders if order.placed_at <= call.until]
    found = [
        order for order in seen if since <= order.day <= until and _is_asked_for(order, params, call.mode)
    ]
    page = wire.cut_page(
        found,
        key=lambda order: f"{order.day:%Y%m%d}{order.number:010d}",
        cursor=params["CTX_AREA_NK100"],
        size=100 if call.mode == "real" else 15,
        descending=params["INQR_DVSN"] != "01",
        disturb=call.disturb,
    )
    names = (
        "CANO",
        "ACNT_PRDT_CD",
        "INQR_STRT_DT",
        "INQR_END_DT",
        "SLL_BUY_DVSN_CD",
        "INQR_DVSN",
        "PDNO",
        "CCLD_DVSN",
    )
    conditions = "".join(f"{params[name]}!^" for name in names)
    quantity = sum(order.filled for order in found)
    amount = sum(order.amount for order in found)
    body = {
        **wire.cursors(conditions, page.resume),
        "output1": [_order(order, call) for order in page.rows],
        "output2": {
            "tot_ord_qty": str(sum(order.quantity for order in found)),
            "tot_ccld_qty": str(quantity),
            "tot_ccld_amt": str(amount),
            "prsm_tlex_smtl": str(sum(call.exchange.costs(order, order.amount) for order in found)),
            "pchs_avg_pric": wire.fixed(Decimal(amount) / quantity if quantity else 0, 4),
        },
        **wire.envelope(
            call.mode, more=page.more, last_message=("KIOK0460", "조회 되었습니다. (마지막 자료)")
        ),
    }
    return Answer(body, page.more)


def _is_asked_for(order: Order, params: wire.Params, mode: Mode) -> bool:
    """Compare as text: dates and codes have a fixed width, and values outside the lists mean everything."""
    side = {"01": "sell", "02": "buy"}.get(params["SLL_BUY_DVSN_CD"], order.side)
    has_state = {"01": order.filled > 0, "02": order.remaining > 0}.get(params["CCLD_DVSN"], True)
    number = params["ODNO"].lstrip("0")
    return (
        params["INQR_STRT_DT"] <= f"{order.day:%Y%m%d}" <= params["INQR_END_DT"]
        and order.side == side
        and has_state
        and params["PDNO"] in {"", order.code}
        and number in {"", str(order.number)}
        and params["ORD_GNO_BRNO"] in {"", wire.BRANCH[mode]}
        and params["INQR_DVSN_3"] in {"", "00", "01"}
        and params["EXCG_ID_DVSN_CD"] in {"", "KRX", "SOR", "ALL"}
    )


def _order(order: Order, call: Call) -> wire.Json:
    return {
        "ord_dt": f"{order.day:%Y%m%d}",
        "ord_gno_brno": wire.BRANCH[call.mode],
        "odno": f"{order.number:010d}",
        "orgn_odno": _origin(order),
        "ord_dvsn_name": ORDER_KINDS[order.kind],
        "sll_buy_dvsn_cd": _side_code(order),
        "sll_buy_dvsn_cd_name": _side_name(order),
        "pdno": order.code,
        "prdt_name": call.exchange.market.listings[order.code].name,
        "ord_qty": str(order.quantity),
        "ord_unpr": str(order.price),
        "ord_tmd": f"{order.placed_at:%H%M%S}",
        "tot_ccld_qty": str(order.filled),
        "avg_prvs": _average(order),
        "cncl_yn": "Y" if order.cancelled and not order.remaining else "",
        "tot_ccld_amt": str(order.amount),
        "loan_dt": "",
        "ordr_empno": "OpnAPI" if order.source == "api" else "MOBILE",
        "ord_dvsn_cd": order.kind,
        "cncl_cfrm_qty": str(order.cancelled),
        "rmn_qty": str(order.remaining),
        "rjct_qty": "0",
        "ccld_cndt_name": "없음",
        "inqr_ip_addr": "",
        "cpbc_ordp_ord_rcit_dvsn_cd": "",
        "cpbc_ordp_infm_mthd_dvsn_cd": "",
        "infm_tmd": f"{order.fills[-1].at:%H%M%S}" if order.fills else "",
        "ctac_tlno": "",
        "prdt_type_cd": "300",
        "excg_dvsn_cd": "02",
        "cpbc_ordp_mtrl_dvsn_cd": "",
        "ord_orgno": "00000",
        "rsvn_ord_end_dt": "",
        "excg_id_dvsn_cd": "KRX",
        "stpm_cndt_pric": "0",
        "stpm_efct_occr_dtmd": "",
    }


def _side_code(order: Order) -> str:
    return "02" if order.side == "buy" else "01"


def _side_name(order: Order) -> str:
    return "현금매수" if order.side == "buy" else "현금매도"


def _origin(order: Order) -> str:
    return f"{order.origin:010d}" if order.origin else ""


def _average(order: Order) -> str:
    """Write the average fill price: whole won where it is, decimals after fills at several prices."""
    if not order.filled:
        return "0"
    average = Decimal(order.amount) / order.filled
    return str(int(average)) if average == int(average) else wire.fixed(average, 4)


# --- open orders --------------------------------------------------------------------------------------------


def open_orders(call: Call) -> Answer:
    """Today's orders that can still be amended or cancelled, 50 rows a page; the real host only."""
    params = call.params
    side = {"1": "sell", "2": "buy"}.get(params["INQR_DVSN_2"])
    by_code = params["INQR_DVSN_1"] == "1"
    seen = [order.as_seen(call.until) for order in call.account.orders if order.placed_at <= call.until]
    orders = [order for order in seen if order.is_open(call.now) and side in {None, order.side}]
    page = wire.cut_page(
        orders,
        key=lambda order: f"{order.code if by_code else ''}{order.number:010d}",
        cursor=params["CTX_AREA_NK100"],
        size=50,
        disturb=call.disturb,
    )
    conditions = f"{params['CANO']}^{params['ACNT_PRDT_CD']}^"
    body = {
        **wire.cursors(conditions, page.resume),
        "output": [_open_order(order, call) for order in page.rows],
        **wire.envelope(call.mode, more=page.more),
    }
    return Answer(body, page.more)


def _open_order(order: Order, call: Call) -> wire.Json:
    return {
        "ord_gno_brno": wire.BRANCH[call.mode],
        "odno": f"{order.number:010d}",
        "orgn_odno": _origin(order),
        "ord_dvsn_name": ORDER_KINDS[order.kind],
        "pdno": order.code,
        "prdt_name": call.exchange.market.listings[order.code].name,
        "rvse_cncl_dvsn_name": _side_name(order),
        "ord_qty": str(order.quantity),
        "ord_unpr": str(order.price),
        "ord_tmd": f"{order.placed_at:%H%M%S}",
        "tot_ccld_qty": str(order.filled),
        "tot_ccld_amt": str(order.amount),
        "psbl_qty": str(order.remaining),
        "sll_buy_dvsn_cd": _side_code(order),
        "ord_dvsn_cd": order.kind,
        "mgco_aptm_odno": "",
        "excg_dvsn_cd": "02",
        "excg_id_dvsn_cd": "KRX",
        "excg_id_dvsn_name": "한국거래소",
        "stpm_cndt_pric": "0",
        "stpm_efct_occr_yn": "N",
    }


# --- buying power -------------------------------------------------------------------------------------------


def buying_power(call: Call) -> Answer:
    """Cash for new orders and the quantity it buys; the quantity of market orders at the upper limit price."""
    params = call.params
    power = call.exchange.buying_power(call.account, call.now)
    quote = call.exchange.market.quote(params["PDNO"], call.now) if params["PDNO"] else None
    price, leverage = 0, Decimal(1)
    if quote is not None:
        price = quote.limits[1]
        leverage = Decimal(100) / margin_percent(quote.listing)
        if params["ORD_DVSN"] != MARKET_ORDER:
            price = _asked_price(params["ORD_UNPR"]) or quote.price
            leverage = Decimal(1)
    most = int(power.amount * leverage)
    body = {
        "output": {
            "ord_psbl_cash": str(power.cash),
            "ord_psbl_sbst": "0",
            "ruse_psbl_amt": str(power.reusable),
            "fund_rpch_chgs": "0",
            "psbl_qty_calc_unpr": str(price),
            "nrcvb_buy_amt": str(power.amount),
            "nrcvb_buy_qty": str(power.amount // price if price else 0),
            "max_buy_amt": str(most),
            "max_buy_qty": str(most // price if price else 0),
            "cma_evlu_amt": "0",
            "ovrs_re_use_amt_wcrc": "0",
            "ord_psbl_frcr_amt_wcrc": "0",
        },
        **wire.envelope(call.mode, more=False),
    }
    return Answer(body)


def _asked_price(text: str) -> int:
    if not PRICE.fullmatch(text):
        raise wire.invalid_field("ORD_UNPR")
    return int(text.partition(".")[0] or "0")


# --- daily chart --------------------------------------------------------------------------------------------


def daily_chart(call: Call) -> Answer:
    """At most 100 bars of a stock, newest first, by day, week, month or year."""
    params = call.params
    market = call.exchange.market
    code = params["FID_INPUT_ISCD"]
    quote = None if params["FID_COND_MRKT_DIV_CODE"] == "U" else market.quote(code, call.now)
    rows: list[wire.Json] = []
    if quote is not None:
        start, end = (_day_or(params[f"FID_INPUT_DATE_{number}"], call.now.date()) for number in (1, 2))
        bars = _bars_until_now(call, code, start, end)
        rows = _chart_rows(_by_period(bars, params["FID_PERIOD_DIV_CODE"]), _close_before(call, code, bars))
    body: wire.Json = {
        "output1": _chart_head(quote, code),
        "output2": rows[:CHART_ROWS],
        "rt_cd": "0",
        "msg_cd": "MCA00000",
        "msg1": "정상처리 되었습니다.",
    }
    return Answer(body)


def _day_or(text: str, today: date) -> date:
    """Read a date; what is none at all lies before or after everything, as text would sort."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return date.min if text < f"{today:%Y%m%d}" else date.max


def _bars_until_now(call: Call, code: str, start: date, end: date) -> list[Bar]:
    """Return the bars of the range that exist at this moment, today's as far as it has come."""
    market, today = call.exchange.market, call.now.date()
    bars = market.bars(code, start, min(end, today - timedelta(days=1)))
    if start <= today <= end and (so_far := market.bar_so_far(code, call.now)) is not None:
        bars = [*bars, so_far]
    return bars


def _close_before(call: Call, code: str, bars: Sequence[Bar]) -> int:
    before = call.exchange.market.last_bar_before(code, bars[0].day) if bars else None
    return before.close if before else 0


def _by_period(bars: Sequence[Bar], period: str) -> list[Bar]:
    """Join daily bars to weeks, months or years, dated with their first trading day."""
    labels: Mapping[str, Callable[[Bar], object]] = {
        "W": lambda bar: bar.day.isocalendar()[:2],
        "M": lambda bar: (bar.day.year, bar.day.month),
        "Y": lambda bar: bar.day.year,
    }
    if period not in labels:
        return list(bars)
    joined = []
    for _, group in groupby(bars, key=labels[period]):
        part = list(group)
        joined.append(
            Bar(
                part[0].day,
                part[0].open,
                max(bar.high for bar in part),
                min(bar.low for bar in part),
                part[-1].close,
                sum(bar.volume for bar in part),
            )
        )
    return joined


def _chart_rows(bars: Sequence[Bar], close_before: int) -> list[wire.Json]:
    rows: list[wire.Json] = []
    previous = close_before
    for bar in bars:
        change = bar.close - previous if previous else 0
        rows.append(
            {
                "stck_bsop_date": f"{bar.day:%Y%m%d}",
                "stck_clpr": str(bar.close),
                "stck_oprc": str(bar.open),
                "stck_hgpr": str(bar.high),
                "stck_lwpr": str(bar.low),
                "acml_vol": str(bar.volume),
                "acml_tr_pbmn": str(bar.turnover),
                "flng_cls_code": "00",
                "prtt_rate": "0.00",
                "mod_yn": "N",
                "prdy_vrss_sign": _sign(change),
                "prdy_vrss": str(change),
                "revl_issu_reas": "",
            }
        )
        previous = bar.close
    return rows[::-1]


def _sign(change: int, *, at_upper: bool = False, at_lower: bool = False) -> str:
    if at_upper or at_lower:
        return "1" if at_upper else "4"
    return "2" if change > 0 else "5" if change < 0 else "3"


CHART_HEAD = [
    "prdy_vrss",
    "prdy_vrss_sign",
    "prdy_ctrt",
    "stck_prdy_clpr",
    "acml_vol",
    "acml_tr_pbmn",
    "hts_kor_isnm",
    "stck_prpr",
    "stck_shrn_iscd",
    "prdy_vol",
    "stck_mxpr",
    "stck_llam",
    "stck_oprc",
    "stck_hgpr",
    "stck_lwpr",
    "stck_prdy_oprc",
    "stck_prdy_hgpr",
    "stck_prdy_lwpr",
    "askp",
    "bidp",
    "prdy_vrss_vol",
    "vol_tnrt",
    "stck_fcam",
    "lstn_stcn",
    "cpfn",
    "hts_avls",
    "per",
    "eps",
    "pbr",
    "itewhol_loan_rmnd_ratem",
]
CHART_HEAD_TEXTS = {"hts_kor_isnm", "stck_shrn_iscd"}


def _chart_head(quote: Quote | None, code: str) -> wire.Json:
    head: wire.Json = {name: "" if name in CHART_HEAD_TEXTS else "0" for name in CHART_HEAD}
    if quote is None:
        return head
    lowest, highest = quote.limits
    today, previous = quote.today, quote.previous
    volume = today.volume if today else 0
    previous_volume = previous.volume if previous else 0
    shares = 1_000_000_000_000 // max(quote.base, 1) // 1_000 * 1_000
    head |= {
        "prdy_vrss": str(quote.change),
        "prdy_vrss_sign": _sign(
            quote.change, at_upper=quote.price == highest, at_lower=quote.price == lowest
        ),
        "prdy_ctrt": wire.fixed(wire.percent(quote.change, quote.base), 2),
        "stck_prdy_clpr": str(quote.base),
        "acml_vol": str(volume),
        "acml_tr_pbmn": str(today.turnover if today else 0),
        "hts_kor_isnm": quote.listing.name,
        "stck_prpr": str(quote.price),
        "stck_shrn_iscd": code,
        "prdy_vol": str(previous_volume),
        "stck_mxpr": str(highest),
        "stck_llam": str(lowest),
        "prdy_vrss_vol": str(volume - previous_volume),
        "vol_tnrt": wire.fixed(wire.percent(volume, shares), 2),
        "stck_fcam": "100",
        "lstn_stcn": str(shares),
        "cpfn": str(shares * 100 // 100_000_000),
        "hts_avls": str(shares * quote.price // 100_000_000),
        "per": "0.00",
        "eps": "0.00",
        "pbr": "0.00",
        "itewhol_loan_rmnd_ratem": "0.00",
        "askp": str(quote.price),
        "bidp": str(quote.price),
    }
    if today is not None:
        head |= {"stck_oprc": str(today.open), "stck_hgpr": str(today.high), "stck_lwpr": str(today.low)}
    if previous is not None:
        head |= {
            "stck_prdy_oprc": str(previous.open),
            "stck_prdy_hgpr": str(previous.high),
            "stck_prdy_lwpr": str(previous.low),
        }
    return head


# --- which exist --------------------------------------------------------------------------------------------

ACCOUNT = ("CANO", "ACNT_PRDT_CD")
CURSORS = ("CTX_AREA_FK100", "CTX_AREA_NK100")
ORDER_FILTERS = (
    "INQR_STRT_DT",
    "INQR_END_DT",
    "SLL_BUY_DVSN_CD",
    "INQR_DVSN",
    "PDNO",
    "CCLD_DVSN",
    "ORD_GNO_BRNO",
    "ODNO",
    "INQR_DVSN_3",
    "INQR_DVSN_1",
)


def _ids(transaction: TR) -> dict[Mode, tuple[str, ...]]:
    ids = transaction.value
    return {
        "real": tuple(filter(None, (ids.real, ids.real_legacy))),
        "paper": tuple(filter(None, (ids.paper, ids.paper_legacy))),
    }


SERVICES = (
    Service(
        TR.BALANCE.path,
        _ids(TR.BALANCE),
        (
            *ACCOUNT,
            "AFHR_FLPR_YN",
            "OFL_YN",
            "INQR_DVSN",
            "UNPR_DVSN",
            "FUND_STTL_ICLD_YN",
            "FNCG_AMT_AUTO_RDPT_YN",
            "PRCS_DVSN",
            *CURSORS,
        ),
        balance,
    ),
    Service(TR.DAILY_ORDERS.path, _ids(TR.DAILY_ORDERS), (*ACCOUNT, *ORDER_FILTERS, *CURSORS), recent_orders),
    Service(
        TR.DAILY_ORDERS.path,
        {"real": ("CTSC9215R", "CTSC9115R"), "paper": ("VTSC9215R", "VTSC9115R")},
        (*ACCOUNT, *ORDER_FILTERS, *CURSORS),
        older_orders,
    ),
    Service(
        TR.UNFILLED.path,
        _ids(TR.UNFILLED),
        (*ACCOUNT, *CURSORS, "INQR_DVSN_1", "INQR_DVSN_2"),
        open_orders,
    ),
    Service(
        TR.BUYING_POWER.path,
        _ids(TR.BUYING_POWER),
        (*ACCOUNT, "PDNO", "ORD_UNPR", "ORD_DVSN", "CMA_EVLU_AMT_ICLD_YN", "OVRS_ICLD_YN"),
        buying_power,
    ),
    Service(
        TR.DAILY_CHART.path,
        _ids(TR.DAILY_CHART),
        (
            "FID_COND_MRKT_DIV_CODE",
            "FID_INPUT_ISCD",
            "FID_INPUT_DATE_1",
            "FID_INPUT_DATE_2",
            "FID_PERIOD_DIV_CODE",
            "FID_ORG_ADJ_PRC",
        ),
        daily_chart,
        of_account=False,
    ),
)


def find_service(path: str, tr_id: str, mode: Mode) -> Service | None:
    return next(
        (service for service in SERVICES if service.path == path and tr_id in service.ids[mode]), None
    )


def answer(service: Service, call: Call) -> Answer:
    """Check what the query server checks, then ask. Raises wire.Refused."""
    call.params.require(service.required)
    if service.of_account:
        check_account(call)
    return service.answer(call)
