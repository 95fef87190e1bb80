"""Money that comes and goes is a flow on its day and never a profit; worked out by hand."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from kis.korean import SEOUL
from kis.returns import returns_of
from tests.kis.living import life_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("days_of_the_books")]

MON, TUE, WED, THU, FRI = (date(2026, 11, day) for day in range(16, 21))
SATURDAY, NEXT_MON = date(2026, 11, 21), date(2026, 11, 23)
MODES = ["real", "paper"]


@pytest.fixture(params=MODES)
def life(request, start_simulator):
    """Start an account with ten million won and a hundred shares at 60,000, seen for the first time on Monday morning."""
    simulator = start_simulator(clock=datetime(2026, 11, 16, 9, 10, tzinfo=SEOUL), sample_accounts=False)
    with life_of(simulator, request.param) as life:
        life.broker.account(10_000_000, _005930=(100, 60_000))
        life.price(60_000)
        life.sync()
        yield life


def day_of(life, on, price, *, deposit=0):
    """Play a day at one price, with money coming or going in the middle of it."""
    life.at(on, "10:00")
    life.price(price)
    if deposit:
        life.deposit(deposit)
    life.evening(on)


def figures(life, on):
    """Return worth, flow, profit, return and cumulative return in percent of a day, rounded to six places."""
    row = life.summary(on)
    rates = (rate if rate is None else round(rate, 6) for rate in (row.day_return, row.cumulative_return))
    return row.total_amt, row.flow, row.day_profit, *rates


def percent(text):
    return Decimal(text)


def test_flows_on_the_first_a_middle_and_the_last_day(life):
    day_of(life, MON, 60_000, deposit=1_000_000)
    day_of(life, TUE, 61_200)
    day_of(life, WED, 63_200, deposit=2_880_000)
    day_of(life, THU, 62_200, deposit=-5_000_000)
    day_of(life, FRI, 62_200, deposit=1_000_000)
    assert [figures(life, on) for on in (MON, TUE, WED, THU, FRI)] == [
        # Nobody knows what the account was worth on Sunday.
        (17_000_000, 1_000_000, None, None, 0),
        # 100 × 1,200 of 17,000,000
        (17_120_000, 0, 120_000, percent("0.705882"), percent("0.705882")),
        # 100 × 2,000 of 17,120,000 + 2,880,000; 1.00705882 × 1.01
        (20_200_000, 2_880_000, 200_000, percent("1"), percent("1.712941")),
        # −100 × 1,000 of 20,200,000, out of which the 5,000,000 went in the end; × 20,100,000 / 20,200,000
        (15_100_000, -5_000_000, -100_000, percent("-0.495050"), percent("1.209412")),
        (16_100_000, 1_000_000, 0, 0, percent("1.209412")),
    ]
    assert "전날의 평가금액" in life.summary(MON).reasons["day_return"]


def test_money_in_on_a_day_with_trades_is_told_from_them_to_the_won(life):
    day_of(life, MON, 60_000)
    life.at(TUE, "10:00")
    life.buy(50, 62_000)  # 3,100,000 and 435 of commission
    life.deposit(777)
    life.sell(20, 63_000)  # 1,260,000 less 177 of commission and 2,520 of tax
    life.evening(TUE)
    log = life.log(TUE)
    assert (log.previous_cash, log.d2_cash, log.change) == (10_000_000, 8_157_645, -1_842_355)
    assert (log.buy_amt, log.sell_amt, log.fee, log.tax, log.flow) == (3_100_000, 1_260_000, 612, 2_520, 777)
    # Cash moves when trades settle, the money was there at once.
    assert (log.d0_cash, log.d1_cash) == (10_000_777, 10_000_777)
    # 8,157,645 and 130 × 63,000 against 16,000,000
    assert life.summary(TUE).day_profit == 8_157_645 + 130 * 63_000 - 16_000_000 - 777


def test_money_in_on_a_closed_day_belongs_to_the_next_one(life):
    day_of(life, FRI, 60_000)
    life.at(SATURDAY, "11:00")
    life.deposit(4_000_000)
    life.sync()
    day_of(life, NEXT_MON, 60_600)
    row = life.summary(NEXT_MON)
    assert (row.flow, row.day_profit, row.day_return) == (4_000_000, 60_000, percent("0.3"))
    assert row.previous_date == FRI
    assert life.log(NEXT_MON).previous_date == FRI


def test_money_through_the_account_on_one_day_leaves_no_trace(life):
    day_of(life, MON, 60_000)
    life.at(TUE, "09:30")
    life.price(60_000)
    life.deposit(3_000_000)
    life.sync()
    life.at(TUE, "14:00")
    life.deposit(-3_000_000)
    life.evening(TUE)
    assert figures(life, TUE) == (16_000_000, 0, 0, 0, 0)


def test_account_that_is_emptied_and_filled_again_counts_only_the_days_with_money(life):
    life.broker.account(1_000_000)
    day_of(life, MON, 60_000)
    day_of(life, TUE, 60_000, deposit=-1_000_000)
    day_of(life, WED, 60_000)
    day_of(life, THU, 60_000, deposit=2_000_000)
    life.at(FRI, "10:00")
    life.buy(10, 60_000)  # 600,000 and 84 of commission
    life.price(66_000)
    life.evening(FRI)
    assert [life.summary(on).flow for on in (TUE, WED, THU, FRI)] == [-1_000_000, 0, 2_000_000, 0]
    assert "전액을 출금한 날" in life.summary(TUE).reasons["day_return"]
    assert "투자한 돈이 없는 날" in life.summary(WED).reasons["day_return"]
    assert life.summary(FRI).day_profit == 60_000 - 84
    assert round(life.summary(FRI).cumulative_return, 4) == percent("2.9958")


def test_money_weighted_return_knows_when_the_money_came(life):
    day_of(life, MON, 60_000)
    day_of(life, TUE, 66_000)  # 600,000 on 16,000,000
    day_of(life, WED, 66_000, deposit=16_600_000)
    day_of(life, THU, 62_700)  # −330,000 on twice as much
    found = returns_of(life.account, is_paper=life.is_paper)
    assert found.days[-1].cumulative == Decimal(166) / 160 * Decimal(3287) / 3320 - 1
    # 16,000,000 for three days and 16,600,000 for two days at the same rate grew to 32,870,000.
    rate = found.money_weighted.period
    daily = (1 + rate) ** (Decimal(1) / 3)
    assert found.money_weighted.days == 3
    assert abs(16_000_000 * daily**3 + 16_600_000 * daily**2 - 32_870_000) < 1
