"""Days of an account as they are closed: by hand, against the simulator, after trouble, and again."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from ai.models import Diagnosis
from kis.calendar import business_days
from kis.cash_ladder import NOT_ASKED, cash_ladder
from kis.demo import in_this_market
from kis.korean import SEOUL
from kis.models import (
    IndexPrice,
    KisAccount,
    KisDailySummary,
    KisDepositLog,
    KisExecution,
    KisHolding,
    KisTradeProfit,
    PriceAdjustment,
)
from kis.portfolio.cash import MisuLevel
from kis.portfolio.unknown import Unknown
from kis.simulator.server import Simulator, SimulatorConfig
from kis.sync import days as days_module
from kis.sync.days import NotClosed, close_day
from tests.factories import AT, Stock, snapshot
from tests.kis.api_rows import diagnosis as written_about
from tests.kis.living import SAMSUNG, life_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("days_of_the_books")]

MON, TUE, WED, THU, FRI = (date(2026, 11, day) for day in range(16, 21))
NEXT_MON = date(2026, 11, 23)
HYNIX, KAKAO = "000660", "035720"
MODES = ["real", "paper"]


@pytest.fixture
def live(start_simulator):
    """Return what starts a life on a Monday with ten million won and a hundred shares at 60,000."""
    opened = []

    def start(mode="real", *, on=MON, **held):
        simulator = start_simulator(
            clock=datetime(on.year, on.month, on.day, 9, 10, tzinfo=SEOUL), sample_accounts=False
        )
        context = life_of(simulator, mode)
        life = context.__enter__()
        opened.append(context)
        life.broker.account(10_000_000, **(held or {"_005930": (100, 60_000)}))
        life.price(60_000)
        life.sync()
        return life

    yield start
    for context in opened:
        context.__exit__(None, None, None)


@pytest.fixture(params=MODES)
def life(request, live):
    return live(request.param)


def dump(model):
    return sorted(model.objects.order_by("pk").values_list(), key=str)


def tables():
    return [dump(model) for model in (KisDailySummary, KisDepositLog, KisTradeProfit)]


def profits(life, on, code=SAMSUNG):
    rows = KisTradeProfit.objects.of(life.account, is_paper=life.is_paper)
    row = rows.get(trade_date=on, stock_code=code)
    return row.realised_average, row.realised_fifo, row.realised_broker


def realised(row):
    return row.realised_average, row.realised_fifo, row.realised_broker


# --- by hand -------------------------------------------------------------------------------------------------------


def test_sales_are_counted_by_moving_average_and_fifo_next_to_the_broker(live):
    life = live(_005930=(1, 60_000))
    life.sell(1, 60_000)  # what was there from the beginning is gone, so that every share's price is known
    life.evening(MON)
    life.at(TUE)
    life.buy(10, 60_000)  # 600,000, commission 84
    life.evening(TUE)
    life.at(WED)
    life.buy(30, 64_000)  # 1,920,000, commission 269
    life.evening(WED)
    life.at(THU)
    life.sell(20, 66_000)  # 1,320,000, commission 185, tax 2,640; on average 63,000 a share
    life.evening(THU)
    # 1,320,000 − 1,260,000 − 2,825, and with 10 at 60,000 and 10 at 64,000 instead 1,320,000 − 1,240,000 − 2,825
    assert profits(life, THU) == (57_175, 77_175, 57_175)
    row = life.summary(THU)
    assert realised(row) == (57_175, 77_175, 57_175)
    assert (row.buy_amt, row.sell_amt, row.fee, row.tax) == (0, 1_320_000, 185, 2_640)
    # 20 left at 66,000, which cost 63,000 on average and 64,000 by FIFO
    assert (row.unrealised_broker, row.unrealised_average, row.unrealised_fifo) == (60_000, 60_000, 40_000)
    sale = KisTradeProfit.objects.get(trade_date=THU).sales[0]
    assert (sale["quantity"], sale["amount"], sale["costs"]) == (20, 1_320_000, 2_825)
    assert (sale["average"], sale["fifo"]) == (
        {"cost": 1_260_000, "profit": 57_175},
        {"cost": 1_240_000, "profit": 77_175},
    )


def test_purchase_alone_realises_its_commission_as_the_broker_counts(live):
    life = live()
    life.buy(10, 62_000)
    life.evening(MON)
    assert realised(life.summary(MON)) == (-87, -87, -87)


def test_paper_has_no_figure_of_the_broker_and_says_so(live):
    life = live("paper")
    life.sell(10, 62_000)
    row = life.evening(MON) and life.summary(MON)
    assert row.realised_average == 620_000 - 600_000 - 87 - 1_240
    assert row.realised_broker is None
    assert "모의투자" in row.reasons["realised_broker"]
    assert "선입선출" in row.reasons["realised_fifo"]


def test_sale_before_the_first_look_has_a_cost_that_nobody_knows(start_simulator):
    simulator = start_simulator(clock=datetime(2026, 11, 16, 9, 10, tzinfo=SEOUL))
    with life_of(simulator) as life:
        life.broker.account(10_000_000, _005930=(100, 60_000))
        life.sell(10, 62_000)
        life.evening(MON)
        row = life.summary(MON)
        assert (row.realised_average, row.realised_fifo) == (None, None)
        assert row.realised_broker == 620_000 - 600_000 - 87 - 1_240
        assert row.reasons["realised_average"].startswith("삼성전자: 첫 기록보다 먼저 판")
        log = life.log(MON)
        assert (log.d2_cash, log.previous_cash, log.flow) == (10_618_673, None, None)


def test_day_profit_is_what_was_realised_and_what_became_of_the_rest(life):
    for on, side, quantity, price in (
        (MON, "buy", 7, 61_300),
        (TUE, "sell", 33, 59_900),
        (WED, "buy", 21, 58_100),
        (THU, "sell", 95, 62_700),
    ):
        life.at(on)
        life.trade(side, quantity, price)
        life.evening(on)
    rows = {on: life.summary(on) for on in (MON, TUE, WED, THU)}
    for before, on in ((MON, TUE), (TUE, WED), (WED, THU)):
        row = rows[on]
        change = row.unrealised_average - rows[before].unrealised_average
        assert row.day_profit == row.realised_average + change
        assert row.flow == 0
    assert not KisHolding.objects.filter(kis_account=rows[THU].kis_account).exists()


def test_summary_and_log_say_what_the_broker_says(life):
    life.buy(12, 61_500)
    life.sell(5, 61_500)
    life.deposit(250_000)
    life.evening(MON)
    state = next(one for one in life.broker.get("state")["accounts"] if one["mode"] == life.mode)
    row, log = life.summary(MON), life.log(MON)
    assert (row.total_amt, row.stock_amt, row.cash_amt) == (
        state["total"],
        state["value"],
        state["cash"]["d2"],
    )
    assert [log.d0_cash, log.d1_cash, log.d2_cash] == list(state["cash"].values())


# --- other people's trades, other accounts -------------------------------------------------------------------------


def test_order_from_the_phone_is_a_trade_and_no_flow(life):
    life.evening(MON)
    life.at(TUE)
    life.price(61_000)
    life.broker.post("external-order", {"side": "buy", "code": SAMSUNG, "qty": 4})
    life.evening(TUE)
    assert (life.log(TUE).buy_amt, life.log(TUE).flow) == (244_000, 0)
    assert life.summary(TUE).realised_average == -34


def test_real_and_paper_of_one_simulator_stay_apart(live, start_simulator):
    life = live()
    with life_of(life.simulator, "paper") as other:
        other.broker.account(5_000_000)
        other.sync()
        other.deposit(1_000_000)
        life.at(MON, "16:00")
        life.sync()
        other.sync()
        assert (life.summary(MON).total_amt, life.summary(MON).flow) == (16_000_000, 0)
        assert (other.summary(MON).total_amt, other.summary(MON).flow) == (6_000_000, 1_000_000)


# --- holes and holidays ----------------------------------------------------------------------------------------------


def test_day_nobody_looked_at_has_a_name_and_the_next_one_is_bridged(life):
    life.evening(MON)
    life.at(TUE)
    life.buy(10, 62_000)
    life.at(WED)
    life.price(63_000)
    life.evening(WED)
    life.at(THU)
    life.price(63_630)
    life.evening(THU)
    hole = life.summary(TUE)
    figures = {name: getattr(hole, name) for name in KisDailySummary.FIGURES}
    known = {"buy_amt": 620_000, "sell_amt": 0, "fee": 87, "tax": 0, "realised_average": -87}
    assert {name: figures[name] for name in known} == known
    assert hole.kis_account is None
    assert hole.reasons["total_amt"] == hole.reasons["cumulative_return"] == "이 날의 마감 자료가 없습니다."
    assert not KisDepositLog.objects.filter(log_date=TUE).exists()
    after = life.summary(WED)
    assert (after.flow, after.previous_date) == (0, MON)
    # 10,000,000 − 620,087 + 110 × 63,000 against 16,000,000
    assert after.total_amt == 16_309_913
    assert (after.day_profit, after.day_return) == (None, None)
    assert after.reasons["day_return"] == (
        "11/17(화) 마감 자료가 없어 하루의 것으로 나눌 수 없습니다. 11/16(월) 마감부터 2영업일 동안 +309,913원, +1.94%이며 "
        "누적 수익률에는 들어 있습니다."
    )
    assert round(after.cumulative_return, 4) == Decimal("1.9370")
    then = life.summary(THU)
    assert (then.day_profit, then.previous_date) == (110 * 630, WED)
    assert then.cumulative_return == round((Decimal(16_379_213) / 16_000_000 - 1) * 100, 8)


def test_money_that_came_in_a_hole_is_found_after_it(life):
    life.evening(MON)
    life.at(TUE)
    life.sell(10, 62_000)
    life.deposit(2_000_000)
    life.at(WED)
    life.price(62_000)
    life.evening(WED)
    log = life.log(WED)
    assert (log.previous_date, log.sell_amt, log.fee, log.tax, log.flow) == (
        MON,
        620_000,
        87,
        1_240,
        2_000_000,
    )
    assert life.summary(TUE).realised_average == 620_000 - 600_000 - 87 - 1_240


def test_closed_days_leave_no_hole(the_market, live):
    christmas_eve, monday, new_year_eve, next_year = (
        date(2026, 12, 24),
        date(2026, 12, 28),
        date(2026, 12, 31),
        date(2027, 1, 4),
    )
    life = live(on=christmas_eve)
    life.buy(10, 60_000)
    life.evening(christmas_eve)
    life.at(date(2026, 12, 25), "16:00")
    life.sync()
    for on in (monday, date(2026, 12, 29), date(2026, 12, 30)):
        life.at(on)
        life.price(60_000)
        life.evening(on)
    life.at(new_year_eve, "16:00")
    life.sync()
    life.at(next_year)
    life.price(60_600)
    life.evening(next_year)
    days = list(KisDailySummary.objects.order_by("summary_date").values_list("summary_date", flat=True))
    assert days == [christmas_eve, monday, date(2026, 12, 29), date(2026, 12, 30), next_year]
    assert life.summary(next_year).previous_date == date(2026, 12, 30)
    assert life.summary(next_year).day_profit == 110 * 600
    # Bought on Thursday the 24th, paid on Tuesday the 29th.
    assert [(life.log(on).d0_cash, life.log(on).flow) for on in (monday, date(2026, 12, 29))] == [
        (10_000_000, 0),
        (9_399_916, 0),
    ]


def test_look_in_the_morning_names_the_evening_that_was_missed(the_market, life):
    life.at(TUE, "10:00")
    assert life.sync().steps[-1]["name"] == "close_days"
    assert life.summary(MON).kis_account is None
    assert "close_days" not in [step["name"] for step in life.sync().steps]
    life.evening(TUE)
    # The first close; what was there on Monday morning is what its cash is compared with.
    assert (life.log(TUE).previous_cash, life.log(TUE).flow) == (10_000_000, 0)
    assert life.summary(TUE).cumulative_return == 0


def test_nothing_is_closed_before_the_market_is(life):
    life.at(MON, "15:29")
    assert "close_days" not in [step["name"] for step in life.sync().steps]
    assert not KisDailySummary.objects.exists()


# --- again -----------------------------------------------------------------------------------------------------------


def test_closing_again_changes_nothing(life):
    life.sell(10, 62_000)
    life.evening(MON)
    life.at(TUE)
    life.price(62_000)
    life.evening(TUE)
    before = tables()
    for on in (MON, TUE):
        close_day(life.account, on, is_paper=life.is_paper, at=life.connection.now() + timedelta(minutes=5))
    assert tables() == before


def test_later_look_of_the_same_evening_replaces_the_earlier(life):
    life.evening(MON)
    first = life.summary(MON)
    life.deposit(300_000)
    life.at(MON, "17:00")
    life.sync()
    row = life.summary(MON)
    assert (row.pk, row.flow, row.total_amt) == (first.pk, 300_000, 16_300_000)
    assert row.kis_account_id != first.kis_account_id
    assert not row.is_final


def test_day_is_final_once_it_is_over_and_its_costs_are(life):
    life.sell(10, 62_000)
    life.evening(MON)
    assert not life.summary(MON).is_final
    life.at(TUE)
    life.price(62_000)
    life.evening(TUE)
    assert life.summary(MON).is_final
    assert {row.is_final for row in KisTradeProfit.objects.all()} == {True}
    assert not life.summary(TUE).is_final


@pytest.mark.parametrize("mode", MODES)
def test_cost_that_was_estimated_wrongly_is_mended_and_never_was_a_flow(live, settings, mode):
    settings.KIS_COMMISSIONS = {"real": "0.5%", "paper": "0.5%"}
    life = live(mode)
    life.sell(10, 62_000)
    life.evening(MON)
    # By the setting it would be 3,100 of commission; the cash knows better.
    assert (life.log(MON).fee, life.log(MON).tax, life.log(MON).flow) == (87, 1_240, 0)
    assert life.summary(MON).fee == 3_100
    assert life.summary(MON).realised_average == 620_000 - 600_000 - 3_100 - 1_240
    life.at(TUE)
    life.price(62_000)
    life.evening(TUE)
    assert (life.summary(MON).fee, life.summary(MON).flow, life.log(TUE).flow) == (87, 0, 0)
    assert life.summary(MON).realised_average == 620_000 - 600_000 - 87 - 1_240


def test_trades_after_the_last_look_of_a_day_are_no_flow_of_the_next(live):
    life = live()
    life.evening(MON)
    life.at(MON, "17:00")
    life.price(61_000)
    reply = life.caller.order("buy", ORD_QTY="10", ORD_UNPR="61000", EXCG_ID_DVSN_CD="NXT").json()
    assert reply["rt_cd"] == "0", reply
    life.at(TUE)
    life.price(61_000)
    life.evening(TUE)
    assert (life.log(MON).buy_amt, life.summary(MON).buy_amt) == (0, 610_000)
    assert (life.log(TUE).buy_amt, life.log(TUE).fee, life.log(TUE).flow) == (610_000, 85, 0)
    assert (life.summary(TUE).buy_amt, life.summary(TUE).realised_average) == (0, 0)
    assert life.summary(MON).realised_average == life.summary(MON).realised_broker == -85
    # The ten shares were not there when Monday was looked at.
    assert life.summary(MON).unrealised_average == 0
    assert life.summary(TUE).unrealised_fifo == 100_000


def rest(life, quantity, price):
    """Place an order that waits until the evening, and return its number."""
    reply = life.caller.order("buy", ORD_QTY=str(quantity), ORD_UNPR=str(price), EXCG_ID_DVSN_CD="NXT").json()
    assert reply["rt_cd"] == "0", reply
    return reply["output"]["ODNO"]


def test_order_half_done_at_the_close_is_whole_on_the_next_day(live):
    life = live()
    number = rest(life, 10, 55_000)
    life.broker.fill(number, 4)
    life.evening(MON)
    life.at(MON, "17:00")
    life.broker.fill(number, 6)
    life.at(TUE)
    life.price(60_000)
    life.evening(TUE)
    log = life.log(TUE)
    assert (life.log(MON).buy_amt, log.buy_amt, log.flow) == (220_000, 330_000, 0)
    # The list of orders has one row of ten shares, but the costs are the balance's, and a purchase has no tax.
    assert (life.log(MON).fee, log.fee, log.tax) == (30, 47, 0)
    monday = life.summary(MON)
    assert (monday.buy_amt, monday.fee) == (550_000, 77)
    assert "일부만 들어 있어" in monday.reasons["unrealised_average"]
    assert life.summary(TUE).unrealised_average == 110 * 60_000 - 6_550_000


def test_order_half_done_at_the_first_look_leaves_the_cost_to_the_first_close(start_simulator):
    simulator = start_simulator(clock=datetime(2026, 11, 16, 9, 10, tzinfo=SEOUL))
    with life_of(simulator) as life:
        life.broker.account(10_000_000, _005930=(100, 60_000))
        life.price(60_000)
        number = rest(life, 10, 55_000)
        life.broker.fill(number, 4)
        life.sync()
        life.broker.fill(number, 6)
        life.sell(10, 61_000)
        life.evening(MON)
        assert life.log(MON).flow == 0
        assert "첫 기록보다 먼저 판" in life.summary(MON).reasons["realised_average"]
        assert life.summary(MON).unrealised_average == life.summary(MON).unrealised_broker
        life.at(TUE)
        life.sell(10, 61_000)
        life.evening(TUE)
        # 100 shares that cost 5,954,545 after the sale at the moving average
        assert life.summary(TUE).realised_average == 610_000 - 595_455 - 85 - 1_220


def test_balance_that_does_not_repeat_yesterday_is_replaced_by_the_fills(life):
    life.evening(MON)
    life.at(TUE)
    life.sell(10, 62_000)
    life.at(WED)
    life.price(62_000)
    life.evening(WED)
    assert life.log(WED).flow == 0
    KisAccount.objects.filter(pk=life.summary(WED).kis_account_id).update(raw_json={})
    at = life.connection.now()

    def flow():
        row = close_day(life.account, WED, is_paper=life.is_paper, at=at)
        return row.flow, life.log(WED).sell_amt

    assert flow() == (0, 620_000)
    nothing = {"commission": None, "tax": None, "cost_source": "unknown", "cost_basis": ""}
    KisExecution.objects.update(**nothing)
    assert flow() == (None, None)
    assert life.summary(WED).reasons["flow"] == "2026-11-17(화) 체결의 수수료와 세금을 아직 모릅니다."
    row = close_day(life.account, TUE, is_paper=life.is_paper, at=at)
    assert (row.sell_amt, row.fee, row.realised_average) == (620_000, None, None)
    assert row.reasons["fee"] == "삼성전자: 수수료와 세금을 아직 모릅니다."


def test_account_without_a_snapshot_has_no_days(life):
    KisHolding.objects.all().delete()
    KisAccount.objects.all().delete()
    with pytest.raises(NotClosed):
        close_day(life.account, MON, is_paper=life.is_paper, at=life.connection.now())


def test_days_that_are_none_of_the_accounts_are_refused(life):
    life.evening(MON)
    for on in (date(2026, 11, 15), date(2026, 11, 14), TUE):
        with pytest.raises(NotClosed, match="마감할 수 있는 날이 아닙니다"):
            close_day(life.account, on, is_paper=life.is_paper, at=life.connection.now())


# --- what trades do not explain ---------------------------------------------------------------------------------------


def test_shares_that_come_without_a_trade_leave_flow_and_return_open(life):
    """Someone moves fifty shares in: the account is worth more, and nobody can say what of it was earned."""
    life.evening(MON)
    life.at(TUE)
    life.broker.account(10_000_000, _005930=(150, 60_000))
    life.price(60_000)
    life.evening(TUE)
    life.at(WED)
    life.price(60_000)
    life.evening(WED)
    row = life.summary(TUE)
    assert (row.flow, row.day_profit, row.day_return, row.cumulative_return) == (None, None, None, None)
    assert "삼성전자 100주 ≠ 150주" in row.reasons["flow"]
    assert life.log(TUE).change == 0
    assert life.summary(WED).day_profit == 0
    assert life.summary(WED).reasons["cumulative_return"] == row.reasons["flow"]
    assert not row.is_final


def test_sale_of_shares_that_came_without_a_trade_has_no_cost_until_the_next_close(life):
    life.evening(MON)
    life.at(TUE)
    life.broker.account(10_000_000, _005930=(150, 70_000))
    life.sell(10, 66_000)  # 660,000, commission 92, tax 1,320
    life.evening(TUE)
    life.at(WED)
    life.sell(10, 66_000)
    life.evening(WED)
    row = life.summary(TUE)
    assert (row.realised_average, row.realised_fifo) == (None, None)
    assert "체결로는 90주인데 증권사 잔고는 140주" in row.reasons["realised_average"]
    # From then on the broker's own cost is gone by: 70,000 a share.
    assert life.summary(WED).realised_average == 660_000 - 700_000 - 1_412


def test_split_that_the_prices_have_shown_is_no_gift(the_market, live):
    life = live(_005930=(1, 60_000))
    life.sell(1, 60_000)
    life.buy(30, 60_000)
    life.evening(MON)
    cash = life.log(MON).d2_cash
    life.at(TUE)
    # The simulator knows no splits: the account is put as the broker would show it.
    life.broker.account(cash, _005930=(150, 12_000))
    PriceAdjustment.objects.create(
        stock_code=SAMSUNG, after=MON, day=TUE, ratio=Decimal(5), found_at=life.connection.now()
    )
    life.price(60_000)
    life.evening(TUE)
    life.at(WED)
    life.sell(50, 66_000)  # 3,300,000, commission 463, tax 6,600; 10 of the old shares, 600,000
    life.evening(WED)
    row = life.summary(TUE)
    assert (row.flow, row.unrealised_average) == (0, 150 * 60_000 - 1_800_000)
    assert life.summary(WED).realised_average == 3_300_000 - 600_000 - 7_063
    assert life.summary(WED).realised_fifo == 3_300_000 - 600_000 - 7_063


def test_sale_half_done_at_the_close_hides_which_part_of_its_costs_is_tax(live):
    life = live()
    life.at(MON, "16:05")
    life.price(60_000)  # nothing trades at another price but by hand
    reply = life.caller.order("sell", ORD_QTY="10", ORD_UNPR="61000", ORD_DVSN="41").json()
    life.broker.fill(reply["output"]["ODNO"], 4)
    life.at(MON, "16:30")
    life.sync()
    life.broker.fill(reply["output"]["ODNO"], 6)
    life.evening(TUE)
    log = life.log(TUE)
    assert (log.fee, log.tax, log.flow) == (None, None, 0)
    # 610,000 cost 85 and 1,220; of these 34 and 488 were Monday's
    assert log.reasons["fee"] == "수수료와 세금을 나눌 수 없습니다. 합계는 783원입니다."


def test_fill_that_the_list_of_orders_lacks_is_named_until_it_comes(life):
    life.evening(MON)
    life.at(TUE)
    life.buy(10, 62_000)
    life.at(TUE, "16:00")
    life.sync()
    # As if the fill had come late: the balance has it, the list of orders did not.
    fill = KisExecution.objects.get(exec_dt=TUE)
    stored = {field.attname: getattr(fill, field.attname) for field in fill._meta.concrete_fields}  # noqa: SLF001
    fill.delete()
    at = life.connection.now()
    row = close_day(life.account, TUE, is_paper=life.is_paper, at=at)
    assert (row.buy_amt, row.fee, row.realised_average) == (None, None, None)
    assert row.reasons["buy_amt"] == "삼성전자: 받은 체결이 증권사 잔고의 당일 매매보다 적습니다."
    # The cash is the broker's, and so are the trades it follows from.
    assert (life.log(TUE).buy_amt, row.flow, row.day_profit) == (
        620_000,
        0,
        110 * 62_000 - 6_000_000 - 620_087,
    )
    KisExecution.objects.create(**stored)
    row = close_day(life.account, TUE, is_paper=life.is_paper, at=at)
    assert (row.buy_amt, row.fee, row.realised_average) == (620_000, 87, -87)


def test_trades_that_nobody_asked_for_in_time_are_not_taken_for_deposits(life):
    """After a pause of more than three months the broker does not tell any more what was traded in it."""
    life.evening(MON)
    late = date(2027, 3, 2)
    life.at(late)
    life.price(60_000)
    life.evening(late)
    row = life.summary(late)
    assert (row.flow, row.cumulative_return) == (None, None)
    assert "조회 기간이 지나" in row.reasons["flow"]
    assert "조회 기간이 지나" in life.summary(TUE).reasons["buy_amt"]
    assert life.summary(date(2027, 2, 26)).buy_amt == 0


# --- the broker's figure ------------------------------------------------------------------------------------------------


def test_broker_that_does_not_tell_the_profit_spoils_nothing(live):
    life = live()
    life.sell(10, 62_000)
    life.broker.fault("TTTC8715R", "http_500_before")
    run = life.evening(MON)
    row = life.summary(MON)
    assert run.status == "complete"
    assert "11/16(월) 증권사의 매매손익을 받지 못했습니다." in run.error
    assert (row.realised_average, row.realised_broker) == (18_673, None)
    assert row.reasons["realised_broker"] == "삼성전자: 증권사의 매매손익을 아직 받지 못했습니다."
    life.caller.control("faults", method="DELETE")
    life.at(TUE)
    life.evening(TUE)
    assert life.summary(MON).realised_broker == 18_673


def test_broker_is_asked_about_few_days_in_one_run(live, monkeypatch):
    life = live()
    for on in (MON, TUE, WED, THU):
        life.at(on)
        life.sell(10, 62_000)
    monkeypatch.setattr(days_module, "MOST_ASKED", 2)
    life.evening(THU)
    told = KisDailySummary.objects.exclude(realised_broker=None).values_list("summary_date", flat=True)
    assert sorted(told) == [WED, THU]
    life.evening(FRI)
    assert KisDailySummary.objects.filter(realised_broker=None).count() == 0
    # What was said on Thursday evening was not the last word; now it is.
    assert not life.summary(THU).is_final
    life.evening(NEXT_MON)
    assert life.summary(THU).is_final


def test_broker_is_asked_once_about_a_day_whoever_wants_to_know(live):
    life = live()

    def asked():
        return life.broker.get("requests")["counts"].get("TTTC8715R", 0)

    life.sell(10, 62_000)
    life.evening(MON)
    assert asked() == 1
    life.at(TUE)
    life.sell(10, 62_000)
    life.evening(TUE)
    assert asked() == 3  # Monday for its costs and its profit, Tuesday for its profit
    assert life.summary(MON).is_final
    assert set(KisExecution.objects.filter(exec_dt=MON).values_list("cost_source", flat=True)) == {"actual"}


def test_index_that_cannot_be_had_spoils_nothing(the_market, life):
    life.broker.fault("FHKUP03500100", "http_500_before")
    run = life.evening(MON)
    assert run.status == "complete"
    assert "코스피 지수:" in run.error
    assert life.summary(MON).total_amt == 16_000_000


# --- the tables --------------------------------------------------------------------------------------------------------


def test_day_is_written_as_a_whole_or_not_at_all(life, monkeypatch):
    life.sell(10, 62_000)
    life.evening(MON)
    before = tables()
    life.at(TUE)
    life.sell(10, 63_000)

    def fail(*arguments, **options):
        raise RuntimeError

    monkeypatch.setattr(days_module, "save_trades", fail)
    with pytest.raises(RuntimeError):
        life.evening(TUE)
    assert tables() == before
    monkeypatch.undo()
    life.evening(TUE)
    assert life.summary(TUE).realised_average == 630_000 - 600_000 - 88 - 1_260


def empty_summary(*, on=MON, **changes):
    row = KisDailySummary(
        account_no="12345678", product_code="01", is_paper=False, summary_date=on, closed_at=AT, **changes
    )
    for name in KisDailySummary.FIGURES:
        row.put(name, Unknown("아직 모릅니다."))
    return row


def test_figure_and_reason_exclude_each_other():
    account = snapshot([Stock()])
    complete = empty_summary(kis_account=account)
    for name in KisDailySummary.FIGURES:
        complete.put(name, 1)
    complete.save()
    for name in KisDailySummary.FIGURES:
        with pytest.raises(IntegrityError), transaction.atomic():
            KisDailySummary.objects.update(**{name: None})
        with pytest.raises(IntegrityError), transaction.atomic():
            KisDailySummary.objects.update(reasons={name: "그래도 모릅니다."})
        unexplained = empty_summary(on=TUE)
        del unexplained.reasons[name]
        with pytest.raises(IntegrityError), transaction.atomic():
            unexplained.save()


def test_log_that_does_not_add_up_is_refused(life):
    life.buy(1, 60_000)
    life.evening(MON)
    for name in ("d2_cash", "previous_cash", "change", "buy_amt", "sell_amt", "fee", "tax", "flow"):
        with pytest.raises(IntegrityError), transaction.atomic():
            KisDepositLog.objects.filter(log_date=MON).update(**{name: 7})


def test_days_of_another_market_make_way_with_its_books(the_market, settings, tmp_path, life):
    """The demo's days hold on to their snapshots, which must not keep the old market alive."""
    life.buy(1, 60_000)
    life.evening(MON)
    written_about(KisAccount.objects.newest_first()[0], 1)
    state_file = tmp_path / "simulator.json"
    with Simulator(SimulatorConfig(state_file=state_file, seed=1)):
        pass
    settings.AEGIS_DEMO = True
    in_this_market(SimulatorConfig(state_file=state_file, seed=2))
    for model in (KisDailySummary, KisDepositLog, KisTradeProfit, IndexPrice, KisAccount, Diagnosis):
        assert not model.objects.exists()


# --- the cash ladder -----------------------------------------------------------------------------------------------------


def test_cash_ladder_keeps_the_four_figures_apart(life):
    life.buy(10, 62_000)
    life.at(MON, "15:00")
    life.sync()
    found = cash_ladder(KisAccount.objects.newest_first()[0])
    assert [(label[:3], on, won) for label, on, won in found.steps] == [
        ("D+0", MON, 10_000_000),
        ("D+1", TUE, 10_000_000),
        ("D+2", WED, 9_379_913),
    ]
    assert isinstance(found.orderable, int)
    assert found.orderable < 9_379_913  # a commission has to fit in as well
    assert found.misu.level is MisuLevel.NONE


def test_cash_ladder_warns_and_says_what_was_not_asked():
    account = snapshot([Stock()], deposit=5_000_000, d1_cash=-200_000, available=300_000, orderable_cash=None)
    found = cash_ladder(account)
    assert found.orderable == NOT_ASKED
    assert found.misu.level is MisuLevel.DANGER
    assert "200,000" in found.misu.text


# --- a life ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_every_day_of_a_busy_life_equals_the_ledger_of_the_broker(the_market, live, mode):
    """Three weeks of orders, deposits and withdrawals; prices as the market makes them."""
    dice = Random(7)
    life = live(mode, **{f"_{code}": (40, 50_000) for code in (SAMSUNG, HYNIX, KAKAO)})
    life.deposit(40_000_000)
    flows: dict[date, int] = {MON: 40_000_000}
    sales = 0
    for on in business_days(MON, date(2026, 12, 4)):
        for hour in (10, 11, 13, 14):
            life.at(on, f"{hour}:{dice.randrange(60):02}")
            side, code = dice.choice(["buy", "sell", "sell"]), dice.choice([SAMSUNG, HYNIX, KAKAO])
            reply = life.caller.order(
                side, PDNO=code, ORD_DVSN="01", ORD_QTY=str(dice.randrange(1, 9)), EXCG_ID_DVSN_CD="KRX"
            )
            sales += side == "sell" and reply.json()["rt_cd"] == "0"
        if dice.random() < 0.4:
            amount = dice.choice([1_500_001, -700_003])
            life.deposit(amount)
            flows[on] = flows.get(on, 0) + amount
        run = life.evening(on)
        state = next(one for one in life.broker.get("state")["accounts"] if one["mode"] == mode)
        row, log = life.summary(on), life.log(on)
        assert run.differences == 0, run.checks
        assert (row.total_amt, row.cash_amt, log.d1_cash) == (
            state["total"],
            state["cash"]["d2"],
            state["cash"]["d1"],
        )
        assert row.flow == flows.get(on, 0)
        assert log.fee + log.tax == row.fee + row.tax
        # A sale in several fills is rounded once by us and at each fill by the simulator.
        assert abs(row.unrealised_average - row.unrealised_broker) <= sales
    rows: list[Any] = list(KisDailySummary.objects.order_by("summary_date"))
    assert len(rows) == 15
    assert sales > 20
    assert sum(row.day_profit for row in rows[1:]) == rows[-1].total_amt - rows[0].total_amt - sum(
        flow for on, flow in flows.items() if on != MON
    )
    if mode == "real":
        assert all(abs(row.realised_average - row.realised_broker) <= 4 for row in rows)
    for row in rows[1:]:
        before = next(one for one in rows if one.summary_date == row.previous_date)
        change = row.unrealised_average - before.unrealised_average
        assert row.day_profit == row.realised_average + change
