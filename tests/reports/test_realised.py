"""What sales brought, today and this month."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kis.portfolio.unknown import Unknown
from reports.figures import Realised
from tests.factories import AT, Stock, closed_day, fill, report_fills, snapshot, weeks_of
from tests.reports.conftest import figures_of

pytestmark = pytest.mark.django_db

FRIDAY = AT - timedelta(days=3)
HELD = Stock(price=57_200, average=50_000.0, quantity=100)


def realised_of(account) -> Realised:
    found = figures_of(account).realised
    assert isinstance(found, Realised)
    return found


def sale(number=0, *, quantity=10, price=57_000, **changes):
    return fill(
        number,
        side="SELL",
        exec_qty=quantity,
        exec_price=price,
        exec_amt=quantity * price,
        commission=80,
        tax=857,
        **changes,
    )


def test_sale_of_today_is_counted_against_the_average_of_yesterday():
    snapshot([HELD], at=FRIDAY)
    sale()
    realised = realised_of(report_fills(snapshot([replace(HELD, quantity=90)])))
    assert realised.today == 10 * 57_000 - 10 * 50_000 - 937
    assert realised.is_estimated


def test_purchase_before_the_sale_changes_the_average():
    snapshot([HELD], at=FRIDAY)
    fill(0, exec_qty=100, exec_price=60_000, exec_amt=6_000_000, commission=800)
    sale(1, quantity=50)
    realised = realised_of(report_fills(snapshot([replace(HELD, quantity=150)])))
    assert realised.today == 50 * 57_000 - 50 * 55_000 - 937 - 800


def test_stock_that_is_sold_out_counts_with_the_cost_of_yesterday():
    snapshot([HELD], at=FRIDAY)
    sale(quantity=100)
    assert realised_of(report_fills(snapshot(cash=6_000_000))).today == 100 * 7_000 - 937


def test_without_yesterday_the_average_of_now_will_do_unless_more_was_bought():
    sale()
    account = report_fills(snapshot([replace(HELD, quantity=90)]))
    assert realised_of(account).today == 10 * 7_000 - 937
    fill(1, exec_qty=5)
    unknown = realised_of(report_fills(account)).today
    assert unknown == Unknown("오늘 판 주식의 매입 원가를 아직 모릅니다.")


def test_purchases_alone_cost_their_commission():
    fill(0)
    assert realised_of(report_fills(snapshot([replace(HELD, quantity=110)]))).today == -80


def test_fill_without_costs_leaves_the_profit_open():
    snapshot([HELD], at=FRIDAY)
    fill(0, side="SELL", exec_qty=10, commission=None, tax=None, cost_source="unknown")
    realised = realised_of(report_fills(snapshot([replace(HELD, quantity=90)])))
    assert realised.today == Unknown("오늘 체결의 비용을 아직 모릅니다.")
    assert (realised.month, realised.missing) == (realised.today, 1)


def test_day_without_trades_brought_nothing():
    assert realised_of(snapshot([HELD])).today == 0


def test_broker_s_own_figure_goes_first_once_it_is_known():
    evening = AT.replace(hour=15, minute=40)
    account = snapshot([HELD], at=evening)
    closed_day(account, account.total_eval_amt, realised_broker=12_345)
    realised = realised_of(account)
    assert (realised.today, realised.is_estimated) == (12_345, False)


def test_month_adds_up_its_days_and_their_costs():
    rows = weeks_of([1_000_000] * 12, until=AT.date(), realised_broker=1_000, fee=10, tax=5)
    in_june = sum(row.summary_date.month == 6 for row in rows)
    realised = realised_of(snapshot([HELD], today_fee=77))
    assert (realised.month, realised.month_costs) == (1_000 * in_june, 15 * in_june + 77)
    assert [day.profit for day in realised.days] == [1_000] * in_june + [0]


def test_month_leaves_out_and_counts_the_days_that_nobody_knows():
    weeks_of([1_000_000, None], until=AT.date(), realised_broker=1_000)
    realised = realised_of(snapshot([HELD]))
    assert (realised.month, realised.missing) == (1_000, 1)


def test_day_that_the_broker_does_not_tell_is_ours():
    weeks_of([1_000_000], until=AT.date(), realised_average=500)
    assert realised_of(snapshot([HELD])).month == 500


def test_paper_has_no_realised_profit_to_tell():
    realised = realised_of(snapshot([HELD], is_paper=True))
    assert realised.today == realised.month == Unknown("모의투자에는 실현손익 조회가 없습니다. (모의 미지원)")
