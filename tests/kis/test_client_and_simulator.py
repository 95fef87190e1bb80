"""Each inquiry of the client against the running simulator, on both hosts; the answers must agree with one another."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest

from kis.calendar import is_business_day
from kis.client.auth import MemoryTokenStore
from kis.client.codes import TR, AccountNumber, Environment
from kis.client.endpoints import account, calendar, charts, profit, quotes, stocks
from kis.client.errors import KisUnreachable, NotOffered, UnknownCode
from kis.client.master import fetch_indices, fetch_stocks
from kis.client.session import Session
from kis.client.throttle import Pacer
from kis.client.transport import HttpTransport
from tests.kis.conftest import TEN_ON_FRIDAY

TODAY = TEN_ON_FRIDAY.date()
YESTERDAY = TODAY - timedelta(days=1)
A_YEAR_AGO = TODAY - timedelta(days=365)
UNKNOWN = "999999"


@pytest.fixture
def transport():
    transport = HttpTransport()
    yield transport
    transport.close()


@pytest.fixture
def connect(simulator, transport):
    """Return a function that opens a session to one host of the simulator."""

    def start(mode):
        endpoint = getattr(simulator, mode)
        environment = Environment(
            mode=mode,
            base_url=endpoint.url,
            ws_url=endpoint.ws,
            app_key=endpoint.app_key,
            app_secret=endpoint.app_secret,
            account=AccountNumber.parse(endpoint.account),
        )
        return Session(environment, transport=transport, tokens=MemoryTokenStore(), budget=Pacer(0))

    return start


@pytest.fixture
def real(connect):
    return connect("real")


@pytest.fixture(params=["real", "paper"])
def session(connect, request):
    return connect(request.param)


REAL_ONLY: dict[TR, Callable[[Session], object]] = {
    TR.BALANCE_REALISED: account.realised_balance,
    TR.ACCOUNT_ASSETS: account.account_assets,
    TR.SELLABLE: lambda session: account.sellable_quantity(session, code="005930"),
    TR.PERIOD_PROFIT: lambda session: profit.period_profit(session, first=A_YEAR_AGO, last=TODAY),
    TR.TRADE_PROFIT: lambda session: profit.trade_profit(session, first=A_YEAR_AGO, last=TODAY),
    TR.PAST_MINUTES: lambda session: charts.minute_chart(
        session, code="005930", day=YESTERDAY, now=TEN_ON_FRIDAY
    ),
    TR.MULTI_PRICE: lambda session: quotes.prices(session, codes=["005930"]),
    TR.INDEX_PRICE: lambda session: quotes.index_price(session, code="0001"),
    TR.HOLIDAYS: lambda session: calendar.opening_days(session, TODAY),
    TR.STOCK_INFO: lambda session: stocks.stock_info(session, code="005930"),
}


@pytest.mark.parametrize("tr", REAL_ONLY, ids=lambda tr: tr.name)
def test_paper_refuses_what_only_the_real_host_has(connect, tr):
    with pytest.raises(NotOffered, match="모의 미지원"):
        REAL_ONLY[tr](connect("paper"))


def test_list_of_what_only_the_real_host_has_is_whole(connect):
    # The open orders of paper come from another inquiry.
    lacking = {tr for tr in TR if not connect("paper").environment.offers(tr)}
    assert lacking == {*REAL_ONLY, TR.UNFILLED}


# --- account


def test_balance_adds_up(session):
    whole = account.balance(session)
    assert sum(row.value for row in whole.held) == whole.totals.stock_value > 0
    assert sum(row.profit for row in whole.held) == whole.totals.profit
    assert whole.totals.stock_value + whole.totals.d2_cash == whole.totals.total_value


def test_realised_balance_is_the_balance_with_the_profit_of_the_day(real):
    whole, found = account.balance(real), account.realised_balance(real)
    assert [(row.code, row.quantity, row.cost) for row in found.balance.rows] == [
        (row.code, row.quantity, row.cost) for row in whole.rows
    ]
    assert (found.balance.totals.cost, found.unrealised) == (whole.totals.cost, whole.totals.profit)
    after = account.realised_balance(real, after_costs=True)
    assert after.realised == found.realised - real_costs(real)
    assert after.unrealised < found.unrealised


def real_costs(real):
    """Return fees and tax of today's trades."""
    return account.balance(real).totals.costs_today


def test_assets_are_the_balance_by_kind(real):
    whole, found = account.balance(real), account.account_assets(real)
    assert (found.of("주식").value, found.of("주식").cost) == (
        whole.totals.stock_value,
        whole.totals.cost,
    )
    assert (found.of("예수금").value, found.deposit) == (whole.totals.d2_cash, whole.totals.d0_cash)
    assert found.total == found.of("합계").value == whole.totals.total_value


def test_sellable_is_what_the_balance_says(real):
    for row in account.balance(real).held:
        found = account.sellable_quantity(real, code=row.code)
        assert (found.quantity, found.sellable, found.average, found.price) == (
            row.quantity,
            row.sellable,
            row.average,
            row.price,
        )
    assert account.sellable_quantity(real, code="373220").sellable == 0


def test_orders_of_a_year_come_from_both_stores_without_a_gap(session):
    orders = account.orders_between(session, first=A_YEAR_AGO, last=TODAY, today=TODAY)
    recent = account.daily_orders(session, first=date(2026, 8, 20), last=TODAY)
    old = account.old_orders(session, first=A_YEAR_AGO, last=date(2026, 8, 19))
    assert orders == old + recent
    assert len(recent) > 0
    assert [order.key for order in orders] == sorted({order.key for order in orders})


def test_open_orders_are_those_with_a_rest(session):
    rest = {
        (order.number, order.remaining)
        for order in account.daily_orders(session, first=TODAY, last=TODAY)
        if order.remaining
    }
    found = account.unfilled_orders(session, today=TODAY)
    assert {(row.number, row.changeable) for row in found} == rest


def test_orderable_cash_is_not_more_than_will_be_there(session):
    assert 0 < account.orderable_cash(session) <= account.balance(session).totals.d2_cash


def test_both_profits_agree_with_each_other_and_with_the_orders(real):
    days = profit.period_profit(real, first=A_YEAR_AGO, last=TODAY)
    trades = profit.trade_profit(real, first=A_YEAR_AGO, last=TODAY)
    assert days.totals.realised == trades.totals.realised
    for day in days.rows:
        parts = [row for row in trades.rows if row.day == day.day]
        assert day.realised == sum(row.realised for row in parts)
        assert (day.sold, day.bought) == (sum(row.sold for row in parts), sum(row.bought for row in parts))
    orders = account.orders_between(real, first=A_YEAR_AGO, last=TODAY, today=TODAY)
    assert days.totals.bought + days.totals.sold == sum(order.filled_amount for order in orders) > 0


def test_profit_of_one_stock(real):
    everything = profit.trade_profit(real, first=A_YEAR_AGO, last=TODAY)
    code = everything.rows[0].code
    found = profit.trade_profit(real, first=A_YEAR_AGO, last=TODAY, code=code)
    assert found.rows == tuple(row for row in everything.rows if row.code == code)


# --- quotations


def test_price_is_that_of_the_balance(session):
    for row in account.balance(session).held[:5]:
        found = quotes.price(session, code=row.code)
        assert (found.code, found.price) == (row.code, row.price)
        assert found.lower <= found.low <= found.price <= found.high <= found.upper
        assert found.price - found.base == found.change
        assert 0 < (found.year_low or 0) <= found.low <= found.high <= (found.year_high or 0)
        assert not found.halted


@pytest.mark.parametrize("ask", [quotes.price, quotes.order_book])
def test_code_that_does_not_exist_is_an_error(session, ask):
    with pytest.raises(UnknownCode, match=UNKNOWN):
        ask(session, code=UNKNOWN)


def test_many_prices_are_those_of_one(real):
    codes = [record.code for record in fetch_stocks(real.transport, "KOSPI", base_url=base_url(real)).records]
    found = quotes.prices(real, codes=[*codes, UNKNOWN])
    assert list(found) == codes
    assert len(codes) > 30  # more than one call takes
    for code in (codes[0], codes[-1]):
        one, many = quotes.price(real, code=code), found[code]
        for name in ("code", "price", "base", "change", "upper", "lower", "high", "low", "volume"):
            assert getattr(many, name) == getattr(one, name)


def base_url(session):
    return session.environment.base_url


def test_order_book_lies_around_the_price(session):
    found, now = quotes.order_book(session, code="005930"), quotes.price(session, code="005930")
    assert (len(found.asks), len(found.bids), found.price) == (10, 10, now.price)
    assert found.bids[0].price < found.asks[0].price
    assert {level.price % now.tick for level in (*found.asks, *found.bids)} == {0}
    assert found.total_asked == sum(level.quantity for level in found.asks)


def test_minutes_of_today_make_up_the_day_so_far(session):
    found = charts.minute_chart(session, code="005930", day=TODAY, now=TEN_ON_FRIDAY)
    now = quotes.price(session, code="005930")
    assert found.problems == ()
    assert (found.bars[0].at.time(), found.bars[-1].at) == (time(9), TEN_ON_FRIDAY)
    assert [bar.at for bar in found.bars] == sorted({bar.at for bar in found.bars})
    assert [bar.at for bar in found.bars if bar.forming] == [TEN_ON_FRIDAY]
    assert (found.bars[0].open, found.bars[-1].close) == (now.open, now.price)
    assert (max(bar.high for bar in found.bars), min(bar.low for bar in found.bars)) == (now.high, now.low)
    assert sum(bar.volume for bar in found.bars) == now.volume


def test_minutes_since_a_time(session):
    found = charts.minute_chart(session, code="005930", day=TODAY, now=TEN_ON_FRIDAY, since=time(9, 50))
    assert [f"{bar.at:%H%M}" for bar in found.bars] == [f"09{minute}" for minute in range(50, 60)] + ["1000"]


def test_minutes_of_a_past_day_make_up_its_bar(real):
    found = charts.minute_chart(real, code="005930", day=YESTERDAY, now=TEN_ON_FRIDAY)
    [day] = charts.daily_chart(real, code="005930", first=YESTERDAY, last=YESTERDAY).bars
    assert {bar.at.date() for bar in found.bars} == {YESTERDAY}
    assert (found.bars[0].at.time(), found.bars[-1].at.time()) == (time(9), time(15, 30))
    assert (found.bars[0].open, found.bars[-1].close) == (day.open, day.close)
    assert (max(bar.high for bar in found.bars), min(bar.low for bar in found.bars)) == (day.high, day.low)
    assert sum(bar.volume for bar in found.bars) == day.volume
    assert not any(bar.forming for bar in found.bars)


def test_past_minutes_have_those_of_today_too(real):
    now = TEN_ON_FRIDAY
    assert charts.minutes_of_past_day(real, code="005930", day=TODAY, now=now) == charts.minutes_of_today(
        real, code="005930", day=TODAY, now=now
    )


def test_day_without_trading_has_no_minutes(real):
    sunday = date(2026, 11, 15)
    assert charts.minute_chart(real, code="005930", day=sunday, now=TEN_ON_FRIDAY).bars == ()


def test_minutes_of_a_code_that_does_not_exist_are_an_error(real):
    for day in (TODAY, YESTERDAY):
        with pytest.raises(UnknownCode):
            charts.minute_chart(real, code=UNKNOWN, day=day, now=TEN_ON_FRIDAY)


def test_index_chart_ends_with_the_index_now(real):
    for code in ("0001", "1001"):
        now = quotes.index_price(real, code=code)
        found = charts.index_chart(real, code=code, first=A_YEAR_AGO, last=TODAY)
        assert found.problems == ()
        assert [bar.day for bar in found.bars] == business_days(A_YEAR_AGO, TODAY)
        assert (found.bars[-1].close, found.bars[-1].high) == (now.value, now.high)
        assert found.bars[-1].close - found.bars[-2].close == now.change


def business_days(first, last):
    days = (first + timedelta(days=count) for count in range((last - first).days + 1))
    return [day for day in days if is_business_day(day)]


def test_paper_has_the_index_chart(connect):
    week = TODAY - timedelta(days=7)
    found = charts.index_chart(connect("paper"), code="0001", first=week, last=TODAY)
    assert [bar.day for bar in found.bars] == business_days(week, TODAY)


def test_index_that_does_not_exist_is_an_error(real):
    with pytest.raises(UnknownCode):
        quotes.index_price(real, code="9999")
    with pytest.raises(UnknownCode):
        charts.index_chart(real, code="9999", first=YESTERDAY, last=TODAY)


def test_before_the_open_nothing_has_traded(start_simulator, transport):
    now = datetime.combine(TODAY, time(8, 0), TEN_ON_FRIDAY.tzinfo)
    endpoint = start_simulator(clock=now).real
    environment = Environment(
        mode="real",
        base_url=endpoint.url,
        ws_url=endpoint.ws,
        app_key=endpoint.app_key,
        app_secret=endpoint.app_secret,
        account=AccountNumber.parse(endpoint.account),
    )
    early = Session(environment, transport=transport, tokens=MemoryTokenStore(), budget=Pacer(0))
    found = quotes.price(early, code="005930")
    assert (found.open, found.volume, found.change) == (0, 0, 0)
    assert charts.minute_chart(early, code="005930", day=TODAY, now=now).bars == ()
    assert charts.index_chart(early, code="0001", first=YESTERDAY, last=TODAY).bars[-1].day == YESTERDAY
    assert quotes.order_book(early, code="005930").price == found.base


# --- calendar, stocks, master files


def test_opening_days_are_those_of_the_calendar(real):
    first = date(2026, 12, 18)
    days = calendar.opening_days(real, first)
    assert len(days) == 24
    assert {day.day: day.is_open for day in days} == {day.day: is_business_day(day.day) for day in days}
    [following, *_] = calendar.opening_days(real, days[-1].day + timedelta(days=1))
    assert following.day == date(2027, 1, 11)


def test_stock_info_agrees_with_price_and_master_file(real):
    market = {
        name: {
            record.code: record
            for record in fetch_stocks(real.transport, name, base_url=base_url(real)).records
        }
        for name in ("KOSPI", "KOSDAQ")
    }
    for name, code in (("KOSPI", "005930"), ("KOSPI", "0126Z0"), ("KOSPI", "069500"), ("KOSDAQ", "247540")):
        info, line, now = (
            stocks.stock_info(real, code=code),
            market[name][code],
            quotes.price(real, code=code),
        )
        assert (info.market, info.code, info.name) == (name, code, line.name)
        assert (info.isin, info.group, info.listed_on) == (line.isin, line.group, line.listed_on)
        assert (info.close, info.previous_close, info.shares // 1_000) == (
            now.price,
            now.base,
            line.thousand_shares,
        )


def test_stock_that_does_not_exist_is_an_error(real):
    with pytest.raises(UnknownCode, match=UNKNOWN):
        stocks.stock_info(real, code=UNKNOWN)


def test_master_files_can_be_read_without_keys(simulator, transport):
    for market in ("KOSPI", "KOSDAQ"):
        found = fetch_stocks(transport, market, base_url=simulator.real.url)
        assert found.problems == ()
        assert {record.market for record in found.records} == {market}
        assert all(record.base_price and record.listed_on for record in found.records)
    indices = fetch_indices(transport, base_url=simulator.real.url)
    assert {"0001", "1001", "2001"} <= {record.code for record in indices.records}


def test_master_file_that_is_not_there_may_be_asked_for_again(simulator, transport):
    with pytest.raises(KisUnreachable, match="404"):
        fetch_stocks(transport, "KONEX", base_url=simulator.real.url)
