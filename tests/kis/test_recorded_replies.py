"""What the client makes of each recorded reply: values and types, to the field."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from kis.client.auth import SEOUL, ask_token
from kis.client.codes import TR, AccountNumber
from kis.client.endpoints import account, calendar, charts, profit, quotes, stocks
from kis.client.errors import (
    KisRefused,
    KisReplyChanged,
    KisUnreachable,
    RateLimited,
    TokenExpired,
    TokenTooSoon,
    UnknownCode,
)
from kis.client.protocol import RawReply, Row, read_reply
from kis.client.records.charts import DailyBar, IndexBar, MinuteBar
from kis.client.records.orders import Request, Side, request_of
from kis.client.records.quotes import Level
from tests.kis.scripted import environment, make_session

FOLDER = Path(__file__).resolve().parents[1] / "data" / "kis"
FILES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}
DAY, YESTERDAY = date(2026, 11, 20), date(2026, 11, 19)
PAPER = {"mode": "paper", "account": AccountNumber.parse("50012345-01")}


def raw_reply(name):
    file = FILES[name]
    headers = {header.lower(): value for header, value in file["headers"].items()}
    body = json.dumps(file["body"], ensure_ascii=False).encode()
    return RawReply(status=file["status"], headers=headers, body=body)


@pytest.fixture
def play():
    """Return a function that opens a session to these replies, one after the other; what it sent must fit them."""
    played = []

    def start(*names, **how):
        session, script, _ = make_session(*[raw_reply(name) for name in names], **how)
        played.append((names, script))
        return session

    yield start
    for names, script in played:
        sent = [{"tr_id": request.tr_id, "request": dict(request.params)} for request in script.sent]
        assert sent == [{key: FILES[name][key] for key in ("tr_id", "request")} for name in names]


def shown(record):
    """Return the fields of a record and their types, all the way down; the raw row is looked at by itself."""
    if is_dataclass(record):
        return {item.name: shown(getattr(record, item.name)) for item in fields(record) if item.name != "raw"}
    if isinstance(record, tuple):
        return [shown(part) for part in record]
    return type(record), record


def expected(**values):
    """Return what `shown` says of a record with these fields."""
    return {
        name: value if isinstance(value, (dict, list)) else shown(value) for name, value in values.items()
    }


def body_of(name):
    return FILES[name]["body"]


# --- the files themselves


def test_every_file_is_read_by_a_test():
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in FILES if f'"{name}"' not in source] == []


def test_every_inquiry_has_a_reply():
    recorded = {file["tr_id"] for file in FILES.values()}
    assert [tr.name for tr in TR if tr.value.real not in recorded] == []


def leaves(value):
    if isinstance(value, Mapping):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    else:
        yield value


@pytest.mark.parametrize("name", sorted(set(FILES) - {"token"}))
def test_every_leaf_is_a_string(name):
    assert {type(leaf) for leaf in leaves(body_of(name))} == {str}


# --- account

SAMSUNG = expected(
    code="005930",
    name="삼성전자",
    quantity=100,
    sellable=80,
    average=Decimal("70000.0000"),
    cost=7_000_000,
    price=71_500,
    value=7_150_000,
    profit=150_000,
    profit_rate=Decimal("2.14"),
    change_rate=Decimal("0.70000000"),
    bought_today=0,
    sold_today=0,
    kind="현금",
)


def test_balance(play):
    whole = account.balance(play("balance_real"))
    assert [(row.code, row.quantity) for row in whole.rows] == [("005930", 100), ("0126Z0", 3), ("000660", 0)]
    assert [row.code for row in whole.held] == ["005930", "0126Z0"]
    assert shown(whole.rows[0]) == SAMSUNG
    assert (whole.rows[1].average, whole.rows[1].profit) == (Decimal("401333.3333"), -34_000)
    assert shown(whole.totals) == expected(
        d0_cash=5_000_000,
        d1_cash=6_200_000,
        d2_cash=4_990_000,
        bought_today=1_204_000,
        sold_today=0,
        costs_today=169,
        bought_yesterday=0,
        sold_yesterday=1_210_000,
        costs_yesterday=2_500,
        stock_value=8_320_000,
        total_value=13_310_000,
        net_assets=13_310_000,
        previous_assets=13_300_000,
        cost=8_204_000,
        profit=116_000,
    )
    assert [row.raw for row in whole.rows] == body_of("balance_real")["output1"]
    assert whole.totals.raw == body_of("balance_real")["output2"][0]


def test_balance_of_two_pages_with_a_loan(play):
    whole = account.balance(play("balance_real_page_1", "balance_real_page_2"))
    assert [(row.code, row.quantity, row.cost, row.kind) for row in whole.rows] == [
        ("005930", 120, 8_360_000, "현금, 자기융자 20261102"),
        ("0126Z0", 3, 1_204_000, "현금"),
        ("000660", 0, 0, "현금"),
    ]
    assert whole.totals.cost == 9_564_000


def test_balance_on_paper(play):
    whole = account.balance(play("balance_paper", **PAPER))
    [row] = whole.rows
    assert (row.code, row.profit, row.profit_rate) == ("006340", -9_150, Decimal("-0.88"))
    assert row.raw["evlu_erng_rt"] == "-0.88393000"
    assert (whole.totals.profit, whole.totals.d2_cash) == (-9_150, 8_964_700)


def test_balance_of_an_empty_account(play):
    whole = account.balance(play("balance_paper_empty", **PAPER))
    assert (whole.rows, whole.totals.net_assets) == ((), 10_000_000)


def test_balance_of_an_account_never_funded_is_a_refusal(play):
    with pytest.raises(KisRefused, match="참가 신청") as caught:
        account.balance(play("balance_paper_never_funded", **PAPER))
    assert (caught.value.msg_cd, caught.value.rt_cd) == ("40240000", "1")


def test_blank_number_is_refused(play):
    with pytest.raises(KisReplyChanged, match="비어") as caught:
        account.balance(play("balance_real_blank_number"))
    assert caught.value.field == "evlu_amt"


def test_realised_balance(play):
    found = account.realised_balance(play("balance_realised"))
    assert shown(found.balance.rows[0]) == SAMSUNG
    assert shown(found) | {"balance": None} == {
        "balance": None,
        **expected(
            realised=-15_000,
            realised_rate=Decimal("-1.22448980"),
            unrealised=116_000,
            unrealised_rate=Decimal("1.41394442"),
        ),
    }
    assert found.raw == body_of("balance_realised")["output2"][0]


def test_account_assets(play):
    found = account.account_assets(play("account_assets"))
    assert len(found.rows) == 20
    assert shown(found.of("해외주식")) == expected(
        kind="해외주식",
        cost=500_000,
        value=483_000,
        profit=-17_000,
        loan=0,
        net=483_000,
        weight=Decimal("3.50000000"),
    )
    assert [row.kind for row in found.rows if row.value] == ["주식", "해외주식", "예수금", "합계"]
    assert shown(found) | {"rows": None} == {
        "rows": None,
        **expected(
            total=13_793_000,
            net=13_793_000,
            cost=8_704_000,
            value=8_803_000,
            profit=99_000,
            loans=0,
            cash=4_990_000,
            deposit=5_000_000,
            receivable=0,
            foreign_currency=0,
        ),
    }
    assert [row.raw for row in found.rows] == body_of("account_assets")["output1"]
    assert found.raw == body_of("account_assets")["output2"]


def test_account_assets_of_a_fund_account(play):
    funds = AccountNumber.parse("12345678-21")
    found = account.account_assets(play("account_assets_of_funds", account=funds))
    assert [(row.kind, row.value) for row in found.rows if row.value] == [
        ("수익증권", 3_150_000),
        ("예수금+CMA", 1_850_000),
        ("합계", 5_000_000),
    ]


def test_daily_orders(play):
    orders = account.daily_orders(play("daily_orders_real"), first=YESTERDAY, last=DAY)
    assert shown(orders[1]) == expected(
        ordered_on=DAY,
        ordered_at=time(9, 0, 1),
        branch="06010",
        number="0000000101",
        origin="",
        request=Request.ORDER,
        kind="01",
        side=Side.BUY,
        code="0126Z0",
        name="삼성에피스홀딩스",
        quantity=3,
        price=0,
        filled=3,
        filled_amount=1_204_000,
        average=Decimal("401333.3333"),
        remaining=0,
        rejected=0,
        cancelled=0,
        marked_cancelled=False,
        exchange="KRX",
    )
    assert [(order.side, order.code, order.exchange, order.average) for order in orders] == [
        (Side.SELL, "000660", "KRX", Decimal(242_000)),
        (Side.BUY, "0126Z0", "KRX", Decimal("401333.3333")),
        (Side.SELL, "005930", "SOR", Decimal(0)),
        (Side.BUY, "Q500001", "KRX", None),
    ]
    amended = orders[3]
    assert (amended.origin, amended.request) == ("0000000099", Request.AMEND)
    assert (amended.cancelled, amended.marked_cancelled) == (10, True)
    assert [order.raw for order in orders] == body_of("daily_orders_real")["output1"]


@pytest.mark.parametrize(
    ("kind", "quantities", "price", "request_"),
    [
        ("현금매수정정*", ("10", "10"), "0", Request.AMEND),
        ("현금매수취소*", ("10", "0"), "57000", Request.CANCEL),
        # Nothing says which, or both are said: a change that cancels all it is about and has no price.
        ("현금매수", ("10", "10"), "0", Request.CANCEL),
        ("현금매수정정취소", ("10", "10"), "0", Request.CANCEL),
        ("현금매수", ("10", "10"), "57000", Request.AMEND),
        ("현금매수", ("10", "0"), "0", Request.AMEND),
    ],
)
def test_amendment_is_told_from_a_cancellation(kind, quantities, price, request_):
    changed = next(row for row in body_of("daily_orders_real")["output1"] if row["orgn_odno"])
    texts = {"sll_buy_dvsn_cd_name": kind, "ord_dvsn_name": "지정가"}
    numbers = dict(zip(("ord_qty", "cncl_cfrm_qty"), quantities, strict=True))
    assert request_of(Row({**changed, **texts, **numbers, "ord_unpr": price}, tr_id="")) is request_


def test_daily_orders_by_the_older_tr(play):
    session = play("daily_orders_legacy", tr_set="legacy")
    [order] = account.daily_orders(session, first=YESTERDAY, last=YESTERDAY)
    assert (order.number, order.exchange) == ("0000012001", "")


def test_daily_orders_on_paper_end_with_a_blank_cursor(play):
    session = play("daily_orders_paper_page_1", "daily_orders_paper_page_2", **PAPER)
    orders = account.daily_orders(session, first=DAY, last=DAY)
    assert [(order.number, order.filled, order.remaining) for order in orders] == [
        ("0000000211", 40, 60),
        ("0000000212", 0, 50),
    ]


def test_old_orders(play):
    [order] = account.old_orders(play("old_orders"), first=date(2026, 5, 1), last=date(2026, 5, 31))
    assert (order.ordered_on, order.number, order.filled) == (date(2026, 5, 14), "0000003344", 50)


def test_unfilled_orders(play):
    [row] = account.unfilled_orders(play("unfilled_real"), today=DAY)
    assert shown(row) == expected(
        branch="06010",
        number="0000000102",
        side=Side.SELL,
        code="005930",
        name="삼성전자",
        quantity=20,
        price=73_000,
        ordered_at="091010",
        changeable=20,
        filled=0,
        exchange="SOR",
    )


def test_unfilled_orders_on_paper_come_from_the_daily_orders(play):
    rows = account.unfilled_orders(play("unfilled_paper", **PAPER), today=DAY)
    assert [(row.number, row.changeable, row.filled) for row in rows] == [
        ("0000000211", 60, 40),
        ("0000000212", 50, 0),
    ]


def test_orderable_cash(play):
    assert account.orderable_cash(play("buying_power_real")) == 4_988_000
    assert account.orderable_cash(play("buying_power_paper", **PAPER)) == 8_964_700


def test_sellable_quantity(play):
    found = account.sellable_quantity(play("sellable"), code="005930")
    assert shown(found) == expected(
        code="005930",
        name="삼성전자",
        quantity=100,
        sellable=80,
        bought=100,
        sold=0,
        average=Decimal("70000.0000"),
        cost=7_000_000,
        price=71_500,
        value=7_150_000,
        profit=150_000,
        profit_rate=Decimal("2.14"),
    )
    assert found.raw == body_of("sellable")["output"]


def test_period_profit(play):
    found = profit.period_profit(play("period_profit"), first=date(2026, 11, 1), last=DAY)
    assert shown(found.rows[0]) == expected(
        day=YESTERDAY,
        bought_quantity=0,
        bought=0,
        sold_quantity=5,
        sold=1_210_000,
        realised=-17_590,
        rate=Decimal("-1.43591837"),
        fee=170,
        tax=2_420,
        interest=0,
    )
    assert shown(found.totals) == expected(
        bought_quantity=3,
        bought=1_204_000,
        sold_quantity=5,
        sold=1_210_000,
        realised=-17_759,
        fee=339,
        tax=2_420,
        interest=0,
    )
    assert [row.raw for row in found.rows] == body_of("period_profit")["output1"]
    assert found.totals.raw == body_of("period_profit")["output2"]


def test_trade_profit(play):
    session = play("trade_profit_page_1", "trade_profit_page_2")
    found = profit.trade_profit(session, first=date(2026, 11, 1), last=DAY)
    assert [(row.day, row.code, row.name) for row in found.rows] == [
        (YESTERDAY, "000660", "SK하이닉스"),
        (DAY, "Q500001", "신한 인버스 WTI원유 선물 ETN(H)"),
        (DAY, "0126Z0", "0126Z0"),
    ]
    assert shown(found.rows[1]) == expected(
        day=DAY,
        code="Q500001",
        name="신한 인버스 WTI원유 선물 ETN(H)",
        kind="현금",
        held=10,
        cost_price=Decimal("9800.5"),
        bought_quantity=10,
        bought=98_005,
        sold_price=Decimal(0),
        sold_quantity=0,
        sold=0,
        realised=-13,
        rate=Decimal("-0.01326463"),
        fee=13,
        tax=0,
        interest=0,
    )
    assert (found.totals.bought_quantity, found.totals.realised) == (13, -17_772)


# --- quotations


def test_price(play):
    found = quotes.price(play("price"), code="005930")
    assert shown(found) == expected(
        code="005930",
        market="KOSPI200",
        sector="전기·전자",
        price=71_500,
        base=71_000,
        change=500,
        change_rate=Decimal("0.70"),
        upper=92_300,
        lower=49_700,
        tick=100,
        open=71_000,
        high=72_000,
        low=70_800,
        volume=10_000_000,
        turnover=715_000_000_000,
        market_cap=418_008_900_000_000,
        year_high=88_800,
        year_high_on=date(2026, 7, 11),
        year_low=51_000,
        year_low_on=date(2025, 11, 28),
        status="55",
        warning="00",
        halted=False,
        managed=False,
        liquidating=False,
        overheated=False,
        caution=False,
    )
    assert found.raw == body_of("price")["output"]


def test_price_of_an_etn_without_sector_and_past(play):
    found = quotes.price(play("price_etn_without_sector"), code="Q500001")
    assert (found.code, found.sector, found.change, found.tick) == ("Q500001", "", -215, 5)
    assert (found.year_high, found.year_high_on, found.year_low, found.year_low_on) == (None,) * 4
    assert (found.caution, found.overheated) == (True, False)


def test_price_of_a_halted_stock(play):
    found = quotes.price(play("price_halted"), code="263540")
    assert (found.halted, found.managed, found.warning, found.open, found.volume) == (True, True, "03", 0, 0)


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("price_unknown_code", quotes.price),
        ("order_book_unknown_code", quotes.order_book),
        ("stock_info_unknown_code", stocks.stock_info),
    ],
)
def test_unknown_code_is_an_error_and_no_zero(play, name, ask):
    with pytest.raises(UnknownCode, match="999999") as caught:
        ask(play(name), code="999999")
    assert caught.value.code == "999999"


def test_order_book(play):
    found = quotes.order_book(play("order_book"), code="005930")
    assert (len(found.asks), len(found.bids)) == (10, 10)
    assert (found.asks[0], found.asks[9]) == (Level(71_600, 1_000), Level(72_500, 10_000))
    assert (found.bids[0], found.bids[9]) == (Level(71_500, 2_000), Level(70_600, 11_000))
    assert shown(found) | {"asks": None, "bids": None} == {
        "asks": None,
        "bids": None,
        **expected(
            code="005930",
            at=time(10, 0),
            total_asked=55_000,
            total_bid=65_000,
            price=71_500,
            expected_price=0,
            expected_volume=0,
        ),
    }
    body = body_of("order_book")
    assert found.raw == {"output1": body["output1"], "output2": body["output2"]}


def test_order_book_at_the_upper_limit_in_the_closing_auction(play):
    found = quotes.order_book(play("order_book_at_upper_limit"), code="006340")
    assert (found.asks, found.total_asked) == ((), 0)
    assert [level.price for level in found.bids] == [4_445, 4_440, 4_435]
    assert (found.expected_price, found.expected_volume) == (4_445, 120_000)


def test_prices_of_many(play):
    found = quotes.prices(play("prices"), codes=["005930", "999999", "Q500001"])
    assert list(found) == ["005930", "Q500001"]
    assert shown(found["005930"]) == expected(
        code="005930",
        name="삼성전자",
        price=71_500,
        base=71_000,
        change=500,
        change_rate=Decimal("0.70"),
        upper=92_300,
        lower=49_700,
        open=71_000,
        high=72_000,
        low=70_800,
        ask=71_600,
        bid=71_500,
        volume=10_000_000,
        turnover=715_000_000_000,
    )
    assert (found["Q500001"].name, found["Q500001"].change, found["Q500001"].ask) == ("Q500001", -215, 0)
    assert found["Q500001"].raw == body_of("prices")["output"][2]


def test_daily_chart(play):
    found = charts.daily_chart(play("daily_chart"), code="005930", first=date(2026, 11, 16), last=DAY)
    assert found.problems == ()
    assert [bar.day.day for bar in found.bars] == [17, 18, 19, 20]
    assert shown(found.bars[1]) == shown(DailyBar(date(2026, 11, 18), 0, 0, 0, 71_300, 0))
    assert shown(found.bars[3]) == shown(DailyBar(DAY, 71_000, 72_000, 70_800, 71_500, 10_000_000))


def test_minutes_of_today(play):
    now = datetime(2026, 11, 20, 9, 2, 30, tzinfo=SEOUL)
    found = charts.minute_chart(play("minutes_of_today"), code="005930", day=DAY, now=now)
    assert found.problems == ()
    assert shown(found.bars) == shown(
        (
            MinuteBar(
                now.replace(minute=0, second=0), 71_000, 71_300, 71_000, 71_300, 700_000, forming=False
            ),
            MinuteBar(
                now.replace(minute=1, second=0), 71_300, 71_400, 71_200, 71_400, 350_000, forming=False
            ),
            MinuteBar(now.replace(minute=2, second=0), 71_400, 71_500, 71_400, 71_500, 150_000, forming=True),
        )
    )


def test_minutes_of_a_past_day(play):
    now = datetime(2026, 11, 20, 9, 2, 30, tzinfo=SEOUL)
    found = charts.minute_chart(play("minutes_of_a_past_day"), code="005930", day=YESTERDAY, now=now)
    assert [f"{bar.at:%d %H:%M}" for bar in found.bars] == ["19 09:00", "19 15:19", "19 15:30"]
    assert not any(bar.forming for bar in found.bars)


def test_index_price(play):
    found = quotes.index_price(play("index_price"), code="0001")
    assert shown(found) == expected(
        code="0001",
        value=Decimal("4123.45"),
        change=Decimal("-12.30"),
        change_rate=Decimal("-0.30"),
        open=Decimal("4140.00"),
        high=Decimal("4151.10"),
        low=Decimal("4111.02"),
        volume=366_573,
        turnover=11_250_341_000_000,
        at_upper=2,
        rising=310,
        even=70,
        falling=545,
        at_lower=0,
    )
    assert found.raw == body_of("index_price")["output"]


def test_index_chart_leaves_out_the_day_that_has_not_begun(play):
    session = play("index_chart_before_the_open")
    found = charts.index_chart(session, code="0001", first=date(2026, 11, 18), last=DAY)
    assert found.problems == ()
    opening, high, low, close = map(Decimal, ("4120.10", "4140.00", "4101.33", "4135.75"))
    assert [bar.day for bar in found.bars] == [date(2026, 11, 18), YESTERDAY]
    assert shown(found.bars[1]) == shown(IndexBar(YESTERDAY, opening, high, low, close, 402_120))


def test_opening_days(play):
    days = calendar.opening_days(play("opening_days"), date(2026, 12, 18))
    assert (len(days), days[-1].day) == (24, date(2027, 1, 10))
    closed = [day.day for day in days if not day.is_open and day.day.weekday() < 5]
    assert closed == [date(2026, 12, 25), date(2026, 12, 31), date(2027, 1, 1)]
    assert shown(days[13]) == expected(
        day=date(2026, 12, 31), is_open=False, is_business=True, is_trading=True, is_settlement=False
    )
    assert [day.raw for day in days] == body_of("opening_days")["output"]


def test_stock_info(play):
    found = stocks.stock_info(play("stock_info"), code="005930")
    assert shown(found) == expected(
        code="005930",
        isin="KR7005930003",
        name="삼성전자보통주",
        english_name="Samsung Electronics",
        market="KOSPI",
        group="ST",
        sector_large="시가총액규모대",
        sector_medium="전기·전자",
        sector_small="전기·전자",
        shares=5_846_278_608,
        listed_on=date(1975, 6, 11),
        delisted_on=None,
        close=71_500,
        previous_close=71_000,
        on_nxt=True,
        halted=False,
        managed=False,
        in_kospi200=True,
    )
    assert found.raw == body_of("stock_info")["output"]


def test_stock_info_of_the_other_market(play):
    found = stocks.stock_info(play("stock_info_kosdaq"), code="0004Y0")
    assert (found.market, found.listed_on, found.shares) == ("KOSDAQ", date(2025, 7, 22), 5_315_000)
    assert (found.on_nxt, found.halted, found.in_kospi200) == (False, True, False)


# --- refusals


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("error_rate_limited", RateLimited, "EGW00201"),
        ("error_token_expired", TokenExpired, "EGW00123"),
        ("error_token_invalid", TokenExpired, "EGW00121"),
        ("error_not_a_paper_tr", KisRefused, "EGW02006"),
        ("error_wrong_account", KisRefused, "OPSQ2000"),
        ("error_missing_field", KisRefused, "OPSQ2001"),
        ("error_unknown_service", KisRefused, "OPSQ0002"),
    ],
)
def test_refusal_of_an_inquiry(name, kind, code):
    with pytest.raises(KisRefused) as caught:
        read_reply(raw_reply(name), tr_id=FILES[name]["tr_id"])
    assert (type(caught.value), caught.value.msg_cd) == (kind, code)
    assert caught.value.message == body_of(name)["msg1"]


def test_trouble_at_the_gateway_decides_nothing():
    with pytest.raises(KisUnreachable, match="EGW00202"):
        read_reply(raw_reply("error_routing"), tr_id="TTTC8908R")


def ask_for_token(name):
    _, script, _ = make_session(raw_reply(name))
    return ask_token(environment(), script)


def test_token_expires_when_the_broker_prints():
    token = ask_for_token("token")
    assert token.value == body_of("token")["access_token"]
    assert token.expires_at == datetime(2026, 11, 21, 10, 0, tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("token_too_soon", TokenTooSoon, "EGW00133"),
        ("token_wrong_key", KisRefused, "EGW00103"),
        ("token_wrong_secret", KisRefused, "EGW00105"),
    ],
)
def test_refusal_of_a_token_has_another_shape(name, kind, code):
    with pytest.raises(KisRefused) as caught:
        ask_for_token(name)
    assert (type(caught.value), caught.value.msg_cd, caught.value.rt_cd) == (kind, code, "")
    assert caught.value.message == body_of(name)["error_description"]
