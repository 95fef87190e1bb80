"""The weeks before the first look at the demo: what the evenings say is the ledger, and the first sync agrees with it."""

from datetime import date, datetime, time
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from kis import past
from kis.calendar import Day, Hours, business_day_before, business_days, use_days
from kis.client.codes import Mode
from kis.client.endpoints.account import balance
from kis.client.endpoints.profit import trade_profit
from kis.connect import connect
from kis.demo import DemoBroker, give_a_past, running_simulator
from kis.korean import SEOUL, signed
from kis.models import (
    IndexPrice,
    KisAccount,
    KisDailySummary,
    KisDepositLog,
    KisExecution,
    KisHolding,
    KisOrderDetail,
    KisTradeProfit,
    SyncRun,
    TargetWeight,
)
from kis.past import has_no_past, write_past
from kis.sync import sync_account
from tests.kis.syncing import Broker, connection_to

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 20)
EVE = date(2026, 11, 19)
MODES: list[Mode] = ["real", "paper"]


@pytest.fixture
def broker(settings, start_simulator):
    """Return the demo's broker at ten in the morning, whom nobody has looked at yet."""
    settings.AEGIS_DEMO = True
    return DemoBroker(start_simulator(clock=datetime(2026, 11, 20, 10, 0, tzinfo=SEOUL)), "current")


def summaries(mode):
    return KisDailySummary.objects.filter(is_paper=mode == "paper").order_by("summary_date")


def everything():
    models = (KisAccount, KisHolding, KisExecution, KisOrderDetail, KisDailySummary, KisDepositLog)
    others = (KisTradeProfit, SyncRun, IndexPrice, TargetWeight)
    return {model: list(model.objects.order_by("pk").values()) for model in (*models, *others)}


def ledger_on(broker, mode, on):
    """Return cash and worth of the shares on the evening of a day: fills replayed, times the closes."""
    exchange = broker.simulator.exchange
    book = exchange.book(exchange.accounts[mode], until=datetime.combine(on, time(23), SEOUL))
    held = {code: lot.quantity for code, lot in book.lots.items() if lot.quantity}
    closes = {code: exchange.market.last_bar_before(code, broker_day_after(on)).close for code in held}
    return book.cash, sum(quantity * closes[code] for code, quantity in held.items())


def broker_day_after(on):
    return date.fromordinal(on.toordinal() + 1)


@pytest.mark.parametrize("mode", MODES)
def test_every_evening_is_what_the_ledger_had_then(broker, mode):
    write_past(broker, mode)
    rows = list(summaries(mode))
    assert [row.summary_date for row in rows] == list(business_days(rows[0].summary_date, EVE))
    assert len(rows) == past.DAYS
    for row in rows:
        cash, stocks = ledger_on(broker, mode, row.summary_date)
        assert (row.cash_amt, row.stock_amt, row.total_amt) == (cash, stocks, cash + stocks)
        assert cash > 0, "an account without a loan"
    assert {row.state for row in rows} == {"final"}
    assert {row.kis_account.sync_run.differences for row in rows} == {0}
    assert all(row.kis_account.sync_run.checks for row in rows)


def test_evening_of_the_exam_day_comes_after_its_late_close(broker):
    """The demo of the three months after an exam had a hole on that day: at four its market was still open."""
    use_days({EVE: Day(opens=True, settles=True, hours=Hours(time(10), time(16, 30)))})
    write_past(broker, "real")
    row = summaries("real").get(summary_date=EVE)
    assert (row.cash_amt, row.stock_amt) == ledger_on(broker, "real", EVE)
    assert row.day_return is not None


def test_deposit_and_withdrawal_are_flows_of_their_days(broker):
    write_past(broker, "real")
    transfers = broker.simulator.exchange.accounts["real"].transfers
    assert {transfer.amount > 0 for transfer in transfers} == {True, False}
    logs = KisDepositLog.objects.exclude(flow=0).exclude(flow=None)
    assert {log.log_date: log.flow for log in logs} == {
        transfer.at.date(): transfer.amount for transfer in transfers
    }
    # A deposit is no profit.
    day = summaries("real").get(summary_date=transfers[-1].at.date())
    assert abs(day.day_return) < 5


def test_profit_of_the_weeks_is_the_brokers(broker):
    write_past(broker, "real")
    rows = list(summaries("real"))
    with connection_to(broker.simulator, "real") as connection:
        told = trade_profit(connection.session, first=rows[0].summary_date, last=EVE)
    assert told.rows
    assert sum(row.realised_broker for row in rows) == sum(row.realised for row in told.rows)
    assert [row.realised_average for row in rows] == [row.realised_broker for row in rows]
    month = [row for row in rows if row.summary_date.month == TODAY.month]
    assert any(row.sell_amt for row in month), "nothing to show for the month"
    assert set(KisExecution.objects.values_list("cost_source", flat=True)) == {"actual"}


@pytest.mark.parametrize("mode", MODES)
def test_first_sync_goes_on_from_the_past_without_a_difference(broker, mode):
    give_a_past(broker)
    before = everything()
    with connection_to(broker.simulator, mode) as connection:
        run = sync_account(connection)
    assert run.differences == 0
    assert "수량 변화 = 체결" in {check["name"] for check in run.checks}
    assert "close_days" not in {step["name"] for step in run.steps}
    for model, rows in before.items():
        # The day before is asked for once more; nothing of it may have to be put right.
        after = {row["id"]: row for row in model.objects.values()}
        for row in rows:
            same = dict(after[row["id"]], raw_json=None), dict(row, raw_json=None)
            assert same[0] == same[1], model


def test_evening_that_is_watched_goes_on_with_the_same_chain(broker):
    give_a_past(broker)
    last = summaries("real").last()
    Broker(broker.simulator.real.url).clock(datetime(2026, 11, 20, 16, 0, tzinfo=SEOUL))
    with connection_to(broker.simulator, "real") as connection:
        run = sync_account(connection)
    assert run.differences == 0
    today = summaries("real").last()
    assert (today.summary_date, today.previous_date) == (TODAY, EVE)
    assert today.flow == 0
    assert today.day_profit == today.total_amt - last.total_amt
    grown = (1 + last.cumulative_return / 100) * (1 + today.day_return / 100)
    assert round(today.cumulative_return, 5) == round((grown - 1) * 100, 5)


def test_returns_of_three_months_stand_next_to_the_indices(broker):
    give_a_past(broker)
    output = StringIO()
    call_command("returns", "--mode", "real", stdout=output)
    rows = [line for line in output.getvalue().splitlines() if line.rstrip().endswith("확정")]
    assert len(rows) == past.DAYS
    last = summaries("real").last()
    assert f"{last.total_amt:,}" in rows[-1]
    assert signed(last.day_profit) in rows[-1]
    assert all("산출 불가" not in row for row in rows[1:])


def test_each_evening_knows_the_indices_of_its_day(broker):
    write_past(broker, "paper")
    closes = {(row.index_code, row.trade_date): row.close for row in IndexPrice.objects.all()}
    for account in KisAccount.objects.all():
        on = account.snapshot_at.date()
        assert {code: Decimal(level["level"]) for code, level in account.indices.items()} == {
            code: closes[code, on] for code in ("0001", "1001")
        }
        assert Decimal(account.indices["0001"]["before"]) == closes["0001", business_day_before(on)]


def test_targets_are_of_what_is_held_and_of_cash(broker):
    give_a_past(broker)
    for is_paper in (False, True):
        targets = TargetWeight.objects.filter(is_paper=is_paper)
        held = KisAccount.objects.filter(is_paper=is_paper).newest_first().first().holdings
        codes = set(targets.values_list("stock_code", flat=True))
        assert codes - {TargetWeight.CASH} <= set(held.values_list("stock_code", flat=True))
        assert TargetWeight.CASH in codes
        assert 50 < sum(target.percent for target in targets) <= 100


def test_owners_own_targets_stay(broker):
    mine = TargetWeight.objects.create(account_no="12345678", stock_code="000660", percent=40)
    give_a_past(broker)
    assert list(TargetWeight.objects.filter(is_paper=False)) == [mine]


def test_past_is_written_once(settings, tmp_path):
    settings.AEGIS_DEMO = True
    settings.DEMO_STATE_FILE = tmp_path / "simulator.json"
    with running_simulator():
        before = everything()
    assert before[KisDailySummary]
    with connect("paper"):
        assert everything() == before


def test_past_before_a_snapshot_that_is_there_ends_with_the_day_before_it(broker):
    with connection_to(broker.simulator, "paper") as connection:
        sync_account(connection)
        Broker(broker.simulator.paper.url).clock(datetime(2026, 11, 24, 10, 0, tzinfo=SEOUL))
        assert has_no_past(connection.environment.account, is_paper=True)
        write_past(broker, "paper")
        run = sync_account(connection)
    evenings = KisAccount.objects.filter(sync_run__slot__isnull=False)
    assert evenings.newest_first().first().snapshot_at.date() == EVE
    assert run.differences == 0
    # Nobody was there on the two evenings between.
    holes = summaries("paper").filter(total_amt=None)
    assert [row.summary_date for row in holes] == [date(2026, 11, 20), date(2026, 11, 23)]


def test_past_that_breaks_off_leaves_nothing(broker, monkeypatch):
    def fail(*_args, **_how):
        raise RuntimeError

    monkeypatch.setattr(past, "write_days", fail)
    with pytest.raises(RuntimeError):
        write_past(broker, "real")
    assert not any(everything().values())


# --- looking back ----------------------------------------------------------------------------------------------------


def test_answer_about_the_past_is_the_one_the_broker_gave_then(start_simulator):
    simulator = start_simulator(clock=datetime(2026, 11, 18, 16, 0, tzinfo=SEOUL))
    broker = DemoBroker(simulator, "current")
    moment = simulator.now()
    with connection_to(simulator, "real") as connection:
        then = balance(connection.session)
        control = Broker(simulator.real.url)
        control.clock(datetime(2026, 11, 20, 10, 0, tzinfo=SEOUL))
        held = then.held[0]
        control.post("external-order", {"side": "sell", "code": held.code, "qty": held.quantity, "price": 0})
        control.post("deposit", {"amount": 5_000_000})
        now = balance(connection.session)
    again = balance(past.looking_from(broker, "real", moment).session)
    assert again.totals == then.totals
    assert {row.code: row.quantity for row in again.rows} == {row.code: row.quantity for row in then.rows}
    assert again.totals.d2_cash != now.totals.d2_cash
