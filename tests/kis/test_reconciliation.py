"""Reconciliation: green on every day of an honest account, and every planted distortion is named and not believed."""

import json
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kis.client.protocol import RawReply
from kis.models import KisAccount, KisExecution, KisHolding, PriceAdjustment, SyncRun
from kis.portfolio.cash import Ladder
from kis.reconciliation import (
    Check,
    DayTrades,
    Shares,
    check_cash,
    check_costs,
    check_fills,
    check_open_orders,
    check_quantities,
)
from kis.sync import sync_account
from tests.kis.syncing import SAMSUNG, TEN, TODAY, Broker, Desk, connection_to, leave_out_the_market

HYNIX = "000660"
NAMES = {SAMSUNG: "삼성전자", HYNIX: "SK하이닉스"}


# --- pure ------------------------------------------------------------------------------------------------------------


def test_shares_too_many_and_too_few_do_not_make_up_for_each_other():
    now = Shares({SAMSUNG: 9, HYNIX: 11}, NAMES)
    check = check_quantities({SAMSUNG: 10, HYNIX: 10}, {}, now)
    assert check.difference
    assert check.row == "SK하이닉스 000660, 삼성전자 005930"


@pytest.mark.parametrize(
    ("before", "traded", "now", "difference"),
    [
        ({SAMSUNG: 10}, {SAMSUNG: 5}, {SAMSUNG: 15}, 0),
        ({SAMSUNG: 10}, {SAMSUNG: -10}, {}, 0),
        ({}, {HYNIX: 3}, {HYNIX: 3}, 0),
        ({SAMSUNG: 10}, {SAMSUNG: 0}, {SAMSUNG: 10}, 0),
        ({SAMSUNG: 10}, {}, {SAMSUNG: 9}, -1),
        ({SAMSUNG: 10}, {}, {}, -10),
        ({}, {}, {HYNIX: 7}, 7),
        ({SAMSUNG: 10, HYNIX: 10}, {}, {SAMSUNG: 11, HYNIX: 12}, 3),
    ],
)
def test_change_of_shares_is_what_was_traded(before, traded, now, difference):
    check = check_quantities(before, traded, Shares(now, NAMES))
    assert (check.difference, bool(check.row)) == (difference, bool(difference))
    assert check.unit == ("주" if difference else "종목")


def balance(**reported) -> Any:
    rows = [
        SimpleNamespace(
            code=code.strip("_"), name=NAMES[code.strip("_")], bought_today=quantity, sold_today=0
        )
        for code, quantity in reported.items()
    ]
    return SimpleNamespace(rows=rows)


def order(code, filled) -> Any:
    return SimpleNamespace(code=code, name=NAMES[code], filled=filled, number=f"00000{code}")


def test_fills_swapped_between_two_stocks_are_a_difference():
    check = check_fills(balance(_005930=5, _000660=3), [order(SAMSUNG, 3), order(HYNIX, 5)])
    assert (abs(check.difference), check.row) == (2, "SK하이닉스 000660, 삼성전자 005930")
    assert check_fills(balance(_005930=5), [order(SAMSUNG, 5)]).difference == 0


def test_one_order_too_many_and_one_missing_are_a_difference():
    waiting = [order(SAMSUNG, 0)]
    assert check_open_orders(waiting, unknown=waiting, missing=[order(HYNIX, 0)]).difference == 1
    assert check_open_orders(waiting, unknown=[], missing=[order(HYNIX, 0)]).difference == -1


LADDER = Ladder(TODAY, 1_000_000, 1_499_000, 1_196_900)
YESTERDAYS, TODAYS = DayTrades(sold=500_000, orders=1), DayTrades(bought=302_000, costs=100, orders=1)


def totals(**changes) -> Any:
    values = {
        "bought_today": 302_000,
        "sold_today": 0,
        "costs_today": 100,
        "bought_yesterday": 0,
        "sold_yesterday": 500_000,
        "costs_yesterday": 1_000,
    }
    return SimpleNamespace(**(values | changes))


def test_cash_moves_by_what_was_traded_on_the_day_that_settles():
    checks = check_cash(LADDER, totals(), yesterday=YESTERDAYS, today=TODAYS)
    assert [(check.name, check.ours, check.broker, check.row) for check in checks] == [
        ("D+1 현금 흐름", 499_000, 499_000, ""),
        ("D+2 현금 흐름", -302_100, -302_100, ""),
    ]


def test_cash_that_nothing_explains_is_named_by_its_step():
    late = Ladder(TODAY, 1_000_000, 1_499_001, 1_196_900)
    first, second = check_cash(late, totals(), yesterday=YESTERDAYS, today=TODAYS)
    assert (first.difference, first.row) == (1, "D+1 익일정산금")
    assert (second.difference, second.row) == (-1, "D+2 가수도정산금")


def test_amount_that_is_not_the_brokers_is_what_the_cash_differs_by():
    short = DayTrades(bought=200_000, costs=100, orders=1)
    checks = check_cash(LADDER, totals(), yesterday=YESTERDAYS, today=short, suspects="삼성전자 005930")
    assert [(check.name, check.difference, check.row) for check in checks if check.difference] == [
        ("오늘 매수금액", 102_000, "삼성전자 005930"),
        ("D+2 현금 흐름", -102_000, "삼성전자 005930"),
    ]


@pytest.mark.parametrize(
    ("ours", "broker", "difference", "row"),
    [
        (100, 100, 0, ""),
        (100, 102, 0, "반올림 2원까지 일치로 봄 (주문마다 1원)"),
        (100, 98, 0, "반올림 2원까지 일치로 봄 (주문마다 1원)"),
        (100, 103, 3, "수수료율 설정 KIS_REAL_COMMISSION"),
        (100, 60, -40, "시장을 모르는 종목 삼성전자 005930"),
        (100, 10, -90, "수수료율 설정 KIS_REAL_COMMISSION"),  # more than the tax that was guessed
    ],
)
def test_costs_agree_up_to_a_won_an_order(ours, broker, difference, row):
    trades = DayTrades(costs=ours, orders=2, guessed=(("삼성전자", SAMSUNG),), guessed_tax=40)
    check = check_costs(totals(costs_today=broker), trades, setting="KIS_REAL_COMMISSION")
    assert (check.difference, check.row) == (difference, row)
    assert Check.from_json(json.loads(json.dumps(check.as_json()))) == check


def test_comparison_without_tolerance_is_stored_as_ever():
    assert Check("매입금액 합", 1, 2).as_json() == {
        "name": "매입금액 합",
        "ours": 1,
        "broker": 2,
        "unit": "원",
        "row": "",
        "difference": 1,
    }


# --- through the simulator --------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def books_only(monkeypatch):
    leave_out_the_market(monkeypatch)


@pytest.fixture
def simulator(start_simulator):
    return start_simulator()


@pytest.fixture
def broker(simulator):
    broker = Broker(simulator.real.url)
    broker.account(_005930=(100, 60_000), _000660=(50, 200_000))
    return broker


@pytest.fixture
def desk(broker, real):
    return Desk(broker, real)


@pytest.fixture
def connection(simulator):
    with connection_to(simulator) as connection:
        yield connection


class Rewriting:
    """A transport that changes replies on their way; `change(tr_id, body)` edits the body in place."""

    def __init__(self, inner, change):
        self.inner = inner
        self.change = change

    def send(self, request, *, timeout_seconds):
        raw = self.inner.send(request, timeout_seconds=timeout_seconds)
        if request.tr_id == "tokenP":
            return raw
        body = json.loads(raw.body)
        self.change(request.tr_id, body)
        return RawReply(raw.status, raw.headers, json.dumps(body).encode())


def found(run):
    """Return the differences of a run by name, and what is to blame."""
    return {check["name"]: check["row"] for check in run.checks if check["difference"]}


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["real", "paper"])
def test_honest_account_is_green_every_day(simulator, client_of, mode):
    """A week across a weekend: buys, sells, parts, an amendment, a cancellation, a stock sold out, two looks a day."""
    side = getattr(simulator, mode)
    broker = Broker(side.url)
    broker.account(_005930=(100, 60_000), _000660=(50, 200_000), _035420=(7, 200_000))
    caller = client_of(side)
    for passed in (0, 3, 4, 5, 6, 7, 10):
        day = TEN + timedelta(days=passed)
        if passed:
            broker.clock(day)
        caller.token = ""
        desk = Desk(broker, caller)
        with connection_to(simulator, mode) as connection:
            assert found(sync_account(connection)) == {}
            desk.trade("buy", 3 + passed, parts=[2, 1 + passed])
            moved = desk.amend(desk.buy(9))
            broker.fill(moved, 4)
            assert found(sync_account(connection)) == {}
            desk.cancel(moved)
            desk.trade("sell", 5 + passed)
            if passed == 4:
                desk.trade("sell", 7, code="035420")
            broker.clock(day.replace(hour=15, minute=45))
            run = sync_account(connection)
            assert found(run) == {}
            assert {"수량 변화 = 체결", "D+1 현금 흐름", "D+2 현금 흐름", "오늘 비용"} <= {
                check["name"] for check in run.checks
            }
    assert KisExecution.objects.filter(cost_source="actual").count() == 19
    assert SyncRun.objects.filter(differences=0, error="").count() == 21


@pytest.mark.django_db
def test_first_snapshot_has_no_shares_to_compare_with(desk, connection):
    run = sync_account(connection)
    assert "수량 변화 = 체결" not in {check["name"] for check in run.checks}
    assert run.differences == 0


@pytest.mark.django_db
def test_fill_that_the_list_shows_late_is_named_and_green_once_it_is_there(desk, connection):
    sync_account(connection)
    desk.broker.clock(TEN + timedelta(seconds=1))
    desk.trade("buy", 5)
    desk.broker.clock(TEN + timedelta(seconds=10))
    for tr in ("TTTC0081R", "TTTC0084R"):
        desk.broker.fault(tr, "late_visible:60", times=2)
    run = sync_account(connection)
    named = f"삼성전자 {SAMSUNG}"
    assert found(run) == dict.fromkeys(
        ("오늘 체결 수량", "수량 변화 = 체결", "오늘 매수금액", "D+2 현금 흐름"), named
    ) | {"오늘 비용": "수수료율 설정 KIS_REAL_COMMISSION"}
    assert not KisExecution.objects.exists()
    desk.broker.clock(TEN + timedelta(minutes=5))
    assert found(sync_account(connection)) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("planted", [99, 101])
def test_shares_changed_by_hand_in_the_snapshot_before_are_named(desk, connection, planted):
    sync_account(connection)
    KisHolding.objects.filter(stock_code=SAMSUNG).update(holding_qty=planted, ord_psbl_qty=99)
    run = sync_account(connection)
    assert found(run) == {"수량 변화 = 체결": f"삼성전자 {SAMSUNG}"}
    latest = KisAccount.objects.newest_first().first()
    assert latest.holdings.get(stock_code=SAMSUNG).holding_qty == 100
    assert found(sync_account(connection)) == {}


@pytest.mark.django_db
def test_fill_lowered_by_hand_is_named_and_put_right(desk, connection):
    number = desk.trade("sell", 8)
    sync_account(connection)
    fill = KisExecution.objects.get(odno=number)
    KisExecution.objects.filter(pk=fill.pk).update(exec_qty=5, exec_amt=fill.exec_amt * 5 // 8)
    run = sync_account(connection)
    assert found(run) == {"체결 기록": f"삼성전자 {number}"}
    after = KisExecution.objects.get(pk=fill.pk)
    assert (after.exec_qty, after.exec_amt, after.tax) == (fill.exec_qty, fill.exec_amt, fill.tax)
    assert found(sync_account(connection)) == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [{"exec_qty": 11}, {"exec_type": "BUY"}, {"stock_code": HYNIX}, {"exec_price": 1}, {"exec_amt": 7}],
)
def test_fill_changed_by_hand_is_named_and_put_right(desk, connection, changes):
    number = desk.trade("sell", 8)
    sync_account(connection)
    before = KisExecution.objects.values().get(odno=number)
    KisExecution.objects.filter(odno=number).update(**changes)
    assert found(sync_account(connection)) == {"체결 기록": f"삼성전자 {number}"}
    assert KisExecution.objects.values().get(odno=number) == before
    assert found(sync_account(connection)) == {}


@pytest.mark.django_db
def test_fill_that_came_on_the_wrong_side_is_put_right_by_the_next_list(desk, connection):
    number = desk.trade("sell", 8)

    def swap(tr_id, body):
        if tr_id == "TTTC0081R":
            body["output1"][0]["sll_buy_dvsn_cd"] = "02"

    straight = connection.session.transport
    connection.session.transport = Rewriting(straight, swap)
    assert {"오늘 매수금액", "오늘 매도금액"} <= found(sync_account(connection)).keys()
    connection.session.transport = straight
    assert found(sync_account(connection)) == {}
    assert KisExecution.objects.get(odno=number).exec_type == "SELL"


@pytest.mark.django_db
@pytest.mark.parametrize("changes", [{"exec_qty": 7}, {"exec_amt": 7}])
def test_fill_of_long_ago_that_was_changed_by_hand_is_named(desk, connection, changes):
    number = desk.trade("sell", 8)
    sync_account(connection)
    desk.broker.clock(TEN + timedelta(days=4))
    sync_account(connection)
    desk.broker.clock(TEN + timedelta(days=5))
    assert found(sync_account(connection)) == {}
    KisExecution.objects.filter(odno=number).update(**changes)
    assert found(sync_account(connection)) == {"체결 기록": f"삼성전자 {number} (11/20(금))"}


@pytest.mark.django_db
def test_fill_that_the_broker_does_not_list_is_named_and_kept(desk, connection):
    desk.trade("sell", 8)
    sync_account(connection)
    invented = KisExecution.objects.get()
    invented.pk, invented.odno, invented.exec_dt = None, "0000099999", TODAY - timedelta(days=1)
    invented.save()
    for _ in range(2):
        assert found(sync_account(connection))["증권사에 없는 체결"] == "삼성전자 0000099999"
    assert KisExecution.objects.filter(odno="0000099999").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["psbl_qty", "tot_ccld_qty"])
def test_open_order_of_which_the_two_lists_say_different_things_is_named(desk, connection, field):
    waiting = desk.buy(9)
    desk.broker.fill(waiting, 4)

    def one_more(tr_id, body):
        if tr_id == "TTTC0084R":
            body["output"][0][field] = str(int(body["output"][0][field]) + 1)

    connection.session.transport = Rewriting(connection.session.transport, one_more)
    assert found(sync_account(connection)) == {"미체결 수량": f"삼성전자 {waiting}"}


@pytest.mark.django_db
def test_open_order_that_fills_between_the_two_lists_is_asked_again(desk, connection):
    waiting = desk.buy(9)
    asked = []

    def fill_meanwhile(tr_id, body):
        if tr_id == "TTTC0084R":
            asked.append(tr_id)
            if len(asked) == 1:
                desk.broker.fill(waiting, 4)

    connection.session.transport = Rewriting(connection.session.transport, fill_meanwhile)
    sync_account(connection)
    assert KisAccount.objects.get().unfilled_orders.get().tot_ccll_qty == 4
    assert len(asked) == 2


@pytest.mark.django_db
@pytest.mark.parametrize(("exchange", "open_orders"), [("KRX", 0), ("NXT", 1), ("SOR", 0)])
def test_rest_of_an_order_that_the_close_has_ended_is_not_missed(desk, connection, exchange, open_orders):
    desk.buy(EXCG_ID_DVSN_CD=exchange)
    assert found(sync_account(connection)) == {}
    desk.broker.clock(TEN.replace(hour=15, minute=45))
    assert found(sync_account(connection)) == {}
    assert KisAccount.objects.newest_first().first().unfilled_orders.count() == open_orders


@pytest.mark.django_db
def test_shares_that_come_without_a_fill_are_named(desk, connection):
    sync_account(connection)
    desk.broker.account(_005930=(101, 60_000), _000660=(50, 200_000))
    run = sync_account(connection)
    assert found(run) == {"수량 변화 = 체결": f"삼성전자 {SAMSUNG}"}
    [check] = [check for check in run.checks if check["difference"]]
    assert (check["ours"], check["broker"], check["difference"], check["unit"]) == (100, 101, 1, "주")


def adjusted(ratio, *, after=date(2026, 11, 20), day=date(2026, 11, 23)):
    return PriceAdjustment.objects.create(
        stock_code=SAMSUNG, after=after, day=day, ratio=ratio, found_at=TEN, source="detected"
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("ratio", "held"), [("5", 500), ("0.33333333", 33), ("1.5", 150), ("0.5", 50)])
def test_split_is_a_difference_unless_it_is_known(desk, connection, ratio, held):
    sync_account(connection)
    desk.broker.clock(TEN + timedelta(days=3))
    desk.broker.account(_005930=(held, 60_000), _000660=(50, 200_000))
    assert found(sync_account(connection)) == {"수량 변화 = 체결": f"삼성전자 {SAMSUNG}"}
    KisAccount.objects.newest_first().first().holdings.all().delete()
    KisAccount.objects.newest_first().first().delete()
    adjusted(ratio)
    assert found(sync_account(connection)) == {}


@pytest.mark.django_db
def test_split_that_only_the_prices_of_this_run_show_is_no_difference_either(desk, connection, monkeypatch):
    sync_account(connection)
    desk.broker.clock(TEN + timedelta(days=3))
    desk.broker.account(_005930=(500, 12_000), _000660=(50, 200_000))
    monkeypatch.setattr("kis.sync.run.copy_prices", lambda connection, **how: (adjusted("5"), ())[1])
    run = sync_account(connection)
    run.refresh_from_db()
    assert (found(run), run.differences) == ({}, 0)


@pytest.mark.django_db
def test_adjusted_price_without_new_shares_is_no_difference(desk, connection):
    sync_account(connection)
    desk.broker.clock(TEN + timedelta(days=3))
    adjusted("1.1")
    assert found(sync_account(connection)) == {}


@pytest.mark.django_db
def test_split_of_long_ago_explains_nothing(desk, connection):
    sync_account(connection)
    desk.broker.clock(TEN + timedelta(days=3))
    desk.broker.account(_005930=(500, 12_000), _000660=(50, 200_000))
    adjusted("5", after=date(2026, 11, 2), day=date(2026, 11, 3))
    assert found(sync_account(connection)) == {"수량 변화 = 체결": f"삼성전자 {SAMSUNG}"}


@pytest.mark.django_db
def test_pause_of_days_is_green_again_at_once(desk, connection):
    desk.trade("buy", 5)
    sync_account(connection)
    desk.trade("buy", 6)  # after the last look of the day
    for passed in (3, 4):
        desk.broker.clock(TEN + timedelta(days=passed))
        desk.caller.token = ""
        Desk(desk.broker, desk.caller).trade("sell", passed)
    desk.broker.clock(TEN + timedelta(days=5))
    assert found(sync_account(connection)) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("hour", [3, 21])
def test_snapshots_of_the_night_and_of_the_weekend_fit_in(desk, connection, hour):
    desk.trade("buy", 5)
    sync_account(connection)
    for passed in (1, 2, 3):
        desk.broker.clock((TEN + timedelta(days=passed)).replace(hour=hour))
        assert found(sync_account(connection)) == {}
    desk.broker.clock((TEN + timedelta(days=4)).replace(hour=11))
    desk.caller.token = ""
    Desk(desk.broker, desk.caller).trade("sell", 9)
    assert found(sync_account(connection)) == {}
