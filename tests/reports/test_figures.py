"""Numbers of the dashboard."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest

from kis.models import DailyPrice, KisExecution, KisUnfilledOrder, SyncRun
from reports.figures import Composition, shares
from tests.factories import AT, Stock, fill, hold, order, snapshot, stocks, sync_run
from tests.reports.conftest import figures_of

pytestmark = pytest.mark.django_db


def slices_of(dashboard):
    assert isinstance(dashboard.composition, Composition)
    return dashboard.composition.slices


@pytest.mark.parametrize(
    "parts", [(1, 1, 1), (2, 1), (0, 5), (1,) * 7, (999, 1), (38_324_000, 21_080_000, 10_633_778)]
)
def test_shares_add_up_to_a_hundred(parts):
    weights = shares(parts)
    assert sum(weights) == Decimal("100.0")
    assert all(
        abs(weight - Decimal(part) * 100 / sum(parts)) < Decimal("0.1")
        for weight, part in zip(weights, parts, strict=True)
    )


def test_large_shares_are_rounded_as_anybody_would():
    # By largest remainder the first would be 21.8, and the page would say 21.8% beside a rule that says 21.9%.
    parts = [2_186, 1_716, 1_394, 1_198, 823, 604, 504, 393, 1_182]
    weights = shares(parts, keep={8})
    usual = [(Decimal(part) / 100).quantize(Decimal("0.1"), ROUND_HALF_UP) for part in parts]
    assert sum(parts) == 10_000
    assert sum(weights) == 100
    assert [place for place, weight in enumerate(weights) if weight != usual[place]] == [7]


def test_cash_gives_way_last():
    weights = shares([335, 335, 330], keep={2})
    assert weights == (Decimal("33.5"), Decimal("33.5"), Decimal("33.0"))
    assert shares([1, 1, 1], keep={2}) == (Decimal("33.4"), Decimal("33.3"), Decimal("33.3"))


def test_shares_of_nothing_are_zero():
    assert shares((0, 0)) == (Decimal("0.0"), Decimal("0.0"))


def test_weights_of_stocks_rest_and_cash_add_up():
    dashboard = figures_of(snapshot(stocks(30)))
    assert sum(part.weight for part in slices_of(dashboard)) == 100
    assert dashboard.total.weight + slices_of(dashboard)[-1].weight == 100
    assert [part.kind for part in slices_of(dashboard)] == ["stock"] * 8 + ["rest", "cash"]
    assert sum(part.value for part in slices_of(dashboard)) == dashboard.account.total


def test_composition_never_says_one_other_stock():
    assert [part.kind for part in slices_of(figures_of(snapshot(stocks(9))))] == ["stock"] * 9 + ["cash"]


def test_negative_cash_keeps_its_sign():
    dashboard = figures_of(snapshot([Stock()], cash=-1_000_000))
    assert slices_of(dashboard)[-1].value == -1_000_000
    assert slices_of(dashboard)[-1].weight < 0
    assert sum(part.weight for part in slices_of(dashboard)) == 100


def test_day_change_is_net_assets_against_yesterday():
    account = figures_of(snapshot([Stock()])).account
    assert account.day_change == 2_797_163
    assert account.previous is not None
    assert account.day_change_pct == Decimal(2_797_163) * 100 / account.previous


def test_day_change_of_a_new_account_is_unknown():
    account = figures_of(snapshot([Stock()], previous_assets=0)).account
    assert (account.day_change, account.day_change_pct) == (None, None)


def test_cash_arrives_on_business_days():
    friday = AT - timedelta(days=10)
    assert friday.date() == date(2025, 6, 6)  # a holiday
    days = figures_of(snapshot(at=friday)).account.cash_days
    assert [day.on for day in days] == [
        date(2025, 6, 5),  # the broker's ladder is that of the last day that was open
        date(2025, 6, 9),
        date(2025, 6, 10),
    ]


def test_books_that_agree_have_no_difference():
    reconciliation = figures_of(snapshot(stocks(5))).reconciliation
    assert reconciliation.differing == ()
    assert [check.name for check in reconciliation.checks] == [
        "보유 평가금액 합",
        "매입금액 합",
        "평가손익 합",
        "평가 + D+2 현금",
    ]


def test_difference_is_named_with_its_won():
    account = snapshot(stocks(5))
    hold(account, Stock(code="000660", quantity=1, price=57_200, average=57_200))
    differing = figures_of(account).reconciliation.differing
    assert [(check.name, check.difference) for check in differing] == [
        ("보유 평가금액 합", -57_200),
        ("매입금액 합", -57_200),
        ("평가 + D+2 현금", -57_200),
    ]


def test_checks_of_the_sync_are_shown_too():
    check = {
        "name": "오늘 체결 수량",
        "ours": 327,
        "broker": 328,
        "unit": "주",
        "row": "삼성전자 005930",
        "difference": 1,
    }
    dashboard = figures_of(snapshot(stocks(1), run=sync_run(checks=[check])))
    assert [(item.name, item.difference, item.row) for item in dashboard.reconciliation.differing] == [
        ("오늘 체결 수량", 1, "삼성전자 005930")
    ]


def test_rounding_that_the_sync_forgave_is_no_difference_here_either():
    check = {
        "name": "오늘 비용",
        "ours": 11_225,
        "broker": 11_227,
        "unit": "원",
        "row": "반올림 6원까지 일치로 봄 (주문마다 1원)",
        "tolerance": 6,
        "difference": 0,
    }
    reconciliation = figures_of(snapshot(stocks(1), run=sync_run(checks=[check]))).reconciliation
    assert reconciliation.differing == ()
    assert reconciliation.checks[-1].row.startswith("반올림 6원")


def test_sources_are_the_inquiries_of_the_run():
    dashboard = figures_of(snapshot(run=sync_run()))
    assert [(source.name, source.tr_id, source.count) for source in dashboard.sources] == [
        ("잔고", "TTTC8434R", "20종목"),
        ("체결", "TTTC0081R", "7건"),
    ]


def test_series_ends_with_the_price_of_the_snapshot():
    account = snapshot([Stock()])
    row = figures_of(account).holdings[0]
    assert len(row.closes) == 10
    assert row.closes[-1] == 57_200


def test_series_does_not_know_the_close_of_its_own_day():
    account = snapshot([Stock()])
    DailyPrice.objects.create(
        stock_code="005930", trade_date=AT.date(), open=1, high=9, low=1, close=9, volume=1
    )
    DailyPrice.objects.create(
        stock_code="005930",
        trade_date=AT.date() + timedelta(days=1),
        open=1,
        high=9,
        low=1,
        close=9,
        volume=1,
    )
    assert figures_of(account).holdings[0].closes[-1] == 57_200


def test_series_has_a_gap_where_a_day_is_missing():
    account = snapshot([Stock(), Stock(code="000660")])
    DailyPrice.objects.filter(stock_code="000660", trade_date=date(2025, 6, 12)).delete()
    by_code = {row.code: row.closes for row in figures_of(account).holdings}
    assert None not in by_code["005930"]
    assert by_code["000660"].count(None) == 1


def test_stock_without_prices_has_no_series():
    assert figures_of(snapshot([Stock()], with_closes=False)).holdings[0].closes == ()


def test_halted_day_counts_with_its_close():
    account = snapshot([Stock()])
    DailyPrice.objects.filter(trade_date=date(2025, 6, 13)).update(
        open=0, high=0, low=0, volume=0, close=57_000
    )
    assert figures_of(account).holdings[0].closes[-2] == 57_000


def test_fills_are_those_of_the_day_up_to_the_snapshot():
    account = snapshot([Stock()])
    fill(1)
    fill(2, side="SELL")
    fill(3, exec_dt=AT.date() - timedelta(days=1))
    fill(4, exec_tmd=(AT + timedelta(minutes=1)).time())
    fill(5, account_no="99999999")
    fills = figures_of(account).fills
    assert (len(fills.rows), fills.bought, fills.sold, fills.cost) == (2, 11 * 57_100, 12 * 57_100, 80 + 937)
    assert fills.cost_is_estimated
    assert not fills.cost_is_partial


def test_unknown_costs_do_not_look_like_a_sum():
    account = snapshot([Stock()])
    fill(1, commission=None, tax=None, cost_source=KisExecution.CostSource.UNKNOWN)
    fills = figures_of(account).fills
    assert fills.rows[0].cost is None
    assert fills.cost_is_partial


def test_open_orders_show_rest_distance_and_age():
    account = snapshot([Stock()])
    order(account, 1)
    order(account, 2, sll_buy_dvsn_cd=KisUnfilledOrder.SideCode.BUY, ord_unpr=0, ord_tmd="142100")
    dashboard = figures_of(account)
    sell, market = dashboard.open_orders.rows
    assert (sell.remaining, sell.quantity, sell.age, sell.number) == (
        10,
        40,
        timedelta(hours=5, minutes=14),
        "117001",
    )
    assert sell.against_price_pct == Decimal(4_800) * 100 / 57_200
    assert (market.price, market.against_price_pct, market.age) == (None, None, timedelta())
    assert (dashboard.open_orders.selling, dashboard.open_orders.buying) == (620_000, 0)
    assert (dashboard.holdings[0].open_sell, dashboard.holdings[0].open_buy) == (10, 10)


def test_data_grows_old_only_while_the_exchange_is_open():
    account = snapshot([Stock()])
    assert figures_of(account, generated_at=AT + timedelta(minutes=30)).stale_for is None
    assert figures_of(account, generated_at=AT + timedelta(minutes=31)).stale_for == timedelta(minutes=31)


def test_data_of_the_close_is_fresh_until_the_next_morning():
    account = snapshot([Stock()], at=AT.replace(hour=15, minute=31))
    assert figures_of(account, generated_at=AT + timedelta(hours=9)).stale_for is None
    assert figures_of(account, generated_at=AT.replace(day=17, hour=9, minute=30)).stale_for is None
    assert figures_of(account, generated_at=AT.replace(day=17, hour=9, minute=31)).stale_for is not None


def test_failed_attempts_since_the_snapshot_are_counted():
    account = snapshot([Stock()])
    sync_run(at=AT - timedelta(minutes=5), status=SyncRun.Status.FAILED)
    sync_run(at=AT + timedelta(minutes=10), status=SyncRun.Status.FAILED)
    sync_run(at=AT + timedelta(minutes=20), status=SyncRun.Status.FAILED)
    failures = figures_of(account, generated_at=AT + timedelta(minutes=25)).failures
    assert failures is not None
    assert failures.count == 2


def test_sold_out_account_has_fills_but_no_stock():
    account = snapshot(cash=5_000_000)
    fill(1, side="SELL")
    dashboard = figures_of(account)
    assert (dashboard.holdings, dashboard.total.profit_pct) == ((), None)
    assert [part.kind for part in slices_of(dashboard)] == ["cash"]
    assert len(dashboard.fills.rows) == 1
