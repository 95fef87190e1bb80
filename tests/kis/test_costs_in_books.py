"""Costs in the books: estimated with the fill, the broker's own once its day is over, to the won."""

import json
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from kis.client.errors import KisMisconfigured
from kis.client.protocol import RawReply
from kis.models import KisExecution, Stock, SyncRun
from kis.simulator.ledger import commission
from kis.sync import sync_account
from kis.sync.costs import MOST_DAYS, settle_costs
from kis.sync.trade_profits import TradeProfits
from tests.kis.syncing import SAMSUNG, TEN, TODAY, Broker, Desk, connection_to, leave_out_the_market

pytestmark = pytest.mark.django_db

ETF = "069500"
MONDAY = TEN + timedelta(days=3)
Source, Basis = KisExecution.CostSource, KisExecution.CostBasis


@pytest.fixture(autouse=True)
def books_only(monkeypatch):
    leave_out_the_market(monkeypatch)


@pytest.fixture
def simulator(start_simulator):
    return start_simulator()


@pytest.fixture
def broker(simulator):
    broker = Broker(simulator.real.url)
    broker.account(_005930=(100, 60_000), _000660=(50, 200_000), _069500=(40, 35_000))
    return broker


@pytest.fixture
def desk(broker, real):
    return Desk(broker, real)


@pytest.fixture
def connection(simulator):
    with connection_to(simulator) as connection:
        yield connection


@pytest.fixture
def paper_desk(simulator, paper):
    broker = Broker(simulator.paper.url)
    broker.account(_005930=(100, 60_000), _000660=(50, 200_000))
    return Desk(broker, paper)


@pytest.fixture
def paper_connection(simulator):
    with connection_to(simulator, "paper") as connection:
        yield connection


def of_the_ledger(simulator, mode="real"):
    """Return commission and tax of every traded order by its number, as the simulated broker charges them."""
    exchange = simulator.exchange
    found = {}
    for order in exchange.accounts[mode].orders:
        if order.filled:
            fee = commission(order.amount)
            found[order.day, order.number] = (fee, exchange.costs(order, order.amount) - fee)
    return found


def of_the_books():
    return {
        (fill.exec_dt, int(fill.odno)): (fill.commission, fill.tax) for fill in KisExecution.objects.all()
    }


def fill_of(number):
    return KisExecution.objects.get(odno=number)


def sources():
    return set(KisExecution.objects.values_list("cost_source", "cost_basis"))


def check_of(run, name):
    return next(check for check in run.checks if check["name"] == name)


def asked(broker, tr_id="TTTC8715R"):
    return broker.get("requests")["counts"].get(tr_id, 0)


# --- estimates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["real", "paper"])
def test_every_fill_of_the_sample_accounts_costs_what_the_broker_takes(simulator, mode):
    with connection_to(simulator, mode) as connection:
        run = sync_account(connection)
    books = of_the_books()
    assert books
    ledger = of_the_ledger(simulator, mode)
    assert books == {key: ledger[key] for key in books}
    assert run.differences == 0
    today = KisExecution.objects.filter(exec_dt=TODAY)
    assert set(today.values_list("cost_source", flat=True)) == {Source.ESTIMATED}


def test_estimate_follows_an_order_as_it_fills(desk, connection, simulator):
    number = desk.trade("sell", 30, parts=[7])
    sync_account(connection)
    first = fill_of(number)
    assert (first.cost_source, first.cost_basis) == (Source.ESTIMATED, Basis.GUESSED)
    assert (first.commission, first.tax) == of_the_ledger(simulator)[TODAY, int(number)]
    desk.broker.fill(number, 11)
    sync_account(connection)
    whole = fill_of(number)
    assert whole.commission > first.commission
    assert (whole.commission, whole.tax) == of_the_ledger(simulator)[TODAY, int(number)]


def test_second_run_changes_no_costs(desk, connection):
    desk.trade("sell", 30)
    sync_account(connection)
    before = list(KisExecution.objects.values())
    sync_account(connection)
    assert list(KisExecution.objects.values()) == before


def test_fills_of_before_there_were_costs_get_them_with_the_next_run(desk, connection):
    number = desk.trade("buy", 10)
    sync_account(connection)
    right = of_the_books()
    KisExecution.objects.update(commission=None, tax=None, cost_source=Source.UNKNOWN, cost_basis="")
    sync_account(connection)
    assert of_the_books() == right
    assert fill_of(number).cost_source == Source.ESTIMATED


def stock(code, *, market="KOSPI", kind="stock"):
    return Stock.objects.create(
        code=code, name=code, market=market, kind=kind, source=Stock.Source.MASTER, updated_at=TEN
    )


def test_fund_nobody_knows_is_taxed_as_a_share_and_named_until_its_kind_is_known(desk, connection, simulator):
    number = desk.trade("sell", 40, code=ETF)
    run = sync_account(connection)
    fill = fill_of(number)
    assert (fill.cost_basis, fill.tax > 0) == (Basis.GUESSED, True)
    check = check_of(run, "오늘 비용")
    assert check["difference"] == -fill.tax
    assert f"시장을 모르는 종목 {fill.stock_name} {ETF}" in check["row"]
    stock(ETF, kind="ETF")
    run = sync_account(connection)
    assert (fill_of(number).cost_basis, fill_of(number).tax) == (Basis.TABLE, 0)
    assert check_of(run, "오늘 비용")["difference"] == 0
    assert of_the_books() == of_the_ledger(simulator)


@pytest.mark.parametrize(
    ("market", "kind", "basis"),
    [
        ("KOSDAQ", "stock", Basis.TABLE),
        ("KONEX", "stock", Basis.TABLE),
        ("KOSPI", "REIT", Basis.TABLE),
        ("other", "stock", Basis.GUESSED),
        ("KOSPI", "fund", Basis.GUESSED),
        ("KOSPI", "other", Basis.GUESSED),
    ],
)
def test_guess_is_marked_wherever_market_or_kind_is_not_in_the_tables(desk, connection, market, kind, basis):
    stock(SAMSUNG, market=market, kind=kind)
    number = desk.trade("sell", 10)
    sync_account(connection)
    assert fill_of(number).cost_basis == basis
    assert fill_of(number).tax == fill_of(number).exec_amt * (10 if market == "KONEX" else 20) // 10_000


def test_order_to_another_market_than_the_tables_know_keeps_one_line_per_order(desk, connection):
    """Amounts in the books are of the whole order, and so are its costs."""
    number = desk.trade("buy", 20, parts=[3, 4, 13])
    sync_account(connection)
    fill = fill_of(number)
    assert (fill.exec_qty, fill.commission) == (20, commission(fill.exec_amt))


def test_commission_of_the_owner_is_used_and_a_wrong_one_is_shown(desk, connection, settings):
    settings.KIS_COMMISSIONS = {"real": "2019-01-01:0.1%,2026-11-20:0.015%", "paper": ""}
    number = desk.trade("buy", 100)
    run = sync_account(connection)
    fill = fill_of(number)
    assert fill.commission == fill.exec_amt * 15 // 100_000
    check = check_of(run, "오늘 비용")
    assert (check["ours"], check["broker"]) == (fill.commission, commission(fill.exec_amt))
    assert (check["difference"], check["row"]) == (
        check["broker"] - check["ours"],
        "수수료율 설정 KIS_REAL_COMMISSION",
    )


def test_won_of_rounding_an_order_is_forgiven_and_said(desk, connection):
    desk.trade("buy", 100)
    desk.trade("sell", 10)

    def off_by(won):
        def change(tr_id, body):
            if tr_id == "TTTC8434R":
                totals = body["output2"][0]
                totals["thdt_tlex_amt"] = str(int(totals["thdt_tlex_amt"]) + won)
                for name in ("prvs_rcdl_excc_amt", "tot_evlu_amt"):
                    totals[name] = str(int(totals[name]) - won)

        return change

    straight = connection.session.transport
    connection.session.transport = Rewriting(straight, off_by(2))
    run = sync_account(connection)
    check = check_of(run, "오늘 비용")
    assert (check["broker"] - check["ours"], check["difference"], check["tolerance"]) == (2, 0, 2)
    assert check["row"] == "반올림 2원까지 일치로 봄 (주문마다 1원)"
    assert run.differences == 0
    connection.session.transport = Rewriting(straight, off_by(3))
    run = sync_account(connection)
    assert check_of(run, "오늘 비용")["difference"] == 3


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


@pytest.mark.parametrize(
    ("mode", "name"), [("real", "KIS_REAL_COMMISSION"), ("paper", "KIS_PAPER_COMMISSION")]
)
def test_commission_that_cannot_be_read_stops_the_run_by_its_name(simulator, settings, mode, name):
    settings.KIS_COMMISSIONS = {"real": "", "paper": ""} | {mode: "0.015"}
    with connection_to(simulator, mode) as connection, pytest.raises(KisMisconfigured, match=name):
        sync_account(connection)
    assert not KisExecution.objects.exists()


def test_amount_that_the_broker_corrects_is_costed_again(desk, connection):
    number = desk.trade("sell", 10)
    sync_account(connection)
    right = of_the_books()
    wrong = {"commission": 1, "tax": 1, "cost_source": Source.ACTUAL, "cost_basis": Basis.DAY}
    KisExecution.objects.filter(odno=number).update(exec_amt=10, exec_price=1, **wrong)
    sync_account(connection)
    assert of_the_books() == right
    assert fill_of(number).cost_source == Source.ESTIMATED


# --- the broker's figures, real ----------------------------------------------------------------------------------------


def trade_a_day(desk):
    """Trade several orders of two stocks, and return their numbers."""
    return [
        desk.trade("buy", 33),
        desk.trade("sell", 21, parts=[20, 1]),
        desk.trade("sell", 7),
        desk.trade("buy", 3, code="000660"),
        desk.trade("sell", 2, code="000660"),
    ]


def test_costs_are_the_brokers_once_the_day_is_over(desk, connection, simulator):
    trade_a_day(desk)
    sync_account(connection)
    assert asked(desk.broker) == 0
    assert {source for source, _ in sources()} == {Source.ESTIMATED}
    desk.broker.clock(MONDAY)
    run = sync_account(connection)
    assert sources() == {(Source.ACTUAL, Basis.TRADES)}
    assert of_the_books() == of_the_ledger(simulator)
    check = check_of(run, "11/20(금) 비용")
    assert (check["difference"], check["ours"]) == (0, sum(map(sum, of_the_books().values())))
    assert run.differences == 0
    step = next(step for step in run.steps if step["name"] == "settle_costs")
    assert (step["count"], step["note"], step["tr_id"]) == ("1일", "확정 5건", "TTTC8715R")
    sync_account(connection)
    assert asked(desk.broker) == 1  # what is settled is not asked for again


def test_sums_are_the_brokers_to_the_won_whatever_we_had_estimated(desk, connection, simulator, settings):
    settings.KIS_COMMISSIONS = {"real": "0.03%", "paper": ""}
    numbers = trade_a_day(desk)
    sync_account(connection)
    desk.broker.clock(MONDAY)
    sync_account(connection)
    ledger, books = of_the_ledger(simulator), of_the_books()
    by_code: dict[str, list[int]] = {}
    for number in numbers:
        key = (TODAY, int(number))
        sums = by_code.setdefault(fill_of(number).stock_code, [0, 0])
        sums[0] += sum(books[key])
        sums[1] += sum(ledger[key])
        assert all(abs(ours - theirs) <= 1 for ours, theirs in zip(books[key], ledger[key], strict=True))
    assert all(ours == theirs > 0 for ours, theirs in by_code.values())


@pytest.mark.parametrize("kind", ["html_page", "http_500_before", "drop_field:fee", "truncate"])
def test_trouble_with_the_brokers_figures_leaves_books_and_estimates(desk, connection, kind):
    trade_a_day(desk)
    sync_account(connection)
    before = of_the_books()
    desk.broker.clock(MONDAY)
    desk.broker.fault("TTTC8715R", kind)
    run = sync_account(connection)
    assert (run.status, run.differences) == (SyncRun.Status.COMPLETE, 0)
    assert "11/20(금) 비용을 확정하지 못했습니다" in run.error
    assert of_the_books() == before
    assert {source for source, _ in sources()} == {Source.ESTIMATED}


def test_settles_with_the_next_run_after_trouble(desk, connection):
    trade_a_day(desk)
    sync_account(connection)
    desk.broker.clock(MONDAY)
    desk.broker.fault("TTTC8715R", "http_500_before", times=5)
    sync_account(connection)
    assert {source for source, _ in sources()} == {Source.ESTIMATED}
    sync_account(connection)
    assert {source for source, _ in sources()} == {Source.ACTUAL}


def test_stock_whose_trades_are_not_the_brokers_is_named_and_not_settled(desk, connection):
    first, *_ = trade_a_day(desk)
    sync_account(connection)
    desk.broker.clock(MONDAY)
    KisExecution.objects.filter(odno=first).delete()
    settled, [check] = settle_costs(connection, TODAY, profits=TradeProfits(connection))
    assert settled == 2  # the other stock
    assert (check.difference > 0, check.row) == (True, f"삼성전자 {SAMSUNG}")
    left = KisExecution.objects.filter(stock_code=SAMSUNG)
    assert set(left.values_list("cost_source", flat=True)) == {Source.ESTIMATED}


def test_broker_that_says_nothing_of_the_day_yet_changes_nothing(desk, connection):
    trade_a_day(desk)
    sync_account(connection)
    before = of_the_books()

    def silent(tr_id, body):
        if tr_id == "TTTC8715R":
            body["output1"] = []
            body["output2"] = dict.fromkeys(body["output2"], "0")

    connection.session.transport = Rewriting(connection.session.transport, silent)
    desk.broker.clock(MONDAY)
    run = sync_account(connection)
    assert (of_the_books(), run.differences, run.error) == (before, 0, "")
    assert not any("비용" in check["name"] and check["name"] != "오늘 비용" for check in run.checks)


def old_fill(day, number):
    return KisExecution(
        odno=f"{number:010}",
        stock_code=SAMSUNG,
        stock_name="삼성전자",
        exec_type="BUY",
        exec_qty=1,
        exec_price=60_000,
        exec_amt=60_000,
        exec_dt=day,
        exec_tmd=TEN.time(),
        is_paper=False,
        account_no="12345678",
        product_code="01",
        ord_gno_brno="06010",
    )


def test_calls_for_past_days_are_bounded(broker, connection):
    days = [date(2026, 10, number) for number in range(5, 25)]
    KisExecution.objects.bulk_create(old_fill(day, number) for number, day in enumerate(days, start=1))
    sync_account(connection)
    assert asked(broker) <= MOST_DAYS


# --- the broker's figures, paper --------------------------------------------------------------------------------------


def test_paper_takes_the_total_of_the_last_snapshot_of_the_day(paper_desk, paper_connection, simulator):
    trade_a_day(paper_desk)
    sync_account(paper_connection)
    paper_desk.broker.clock(MONDAY)
    run = sync_account(paper_connection)
    assert sources() == {(Source.ACTUAL, Basis.DAY)}
    assert of_the_books() == of_the_ledger(simulator, "paper")
    assert check_of(run, "11/20(금) 비용")["difference"] == 0
    assert KisExecution.objects.first().get_cost_basis_display() == "일합계 기준"
    assert run.differences == 0


def test_paper_takes_the_day_before_from_the_next_day_if_the_last_snapshot_was_too_early(
    paper_desk, paper_connection, simulator
):
    paper_desk.trade("buy", 33)
    sync_account(paper_connection)
    paper_desk.trade("sell", 21)  # after the last snapshot of the day
    paper_desk.broker.clock(MONDAY)
    sync_account(paper_connection)
    assert sources() == {(Source.ACTUAL, Basis.DAY)}
    assert of_the_books() == of_the_ledger(simulator, "paper")


def test_paper_stays_estimated_where_no_snapshot_knows_the_whole_day(paper_desk, paper_connection):
    paper_desk.trade("buy", 33)
    sync_account(paper_connection)
    paper_desk.trade("sell", 21)
    paper_desk.broker.clock(MONDAY + timedelta(days=1))  # the day after has no snapshot either
    run = sync_account(paper_connection)
    assert {source for source, _ in sources()} == {Source.ESTIMATED}
    assert (run.status, run.error) == (SyncRun.Status.COMPLETE, "")


def test_paper_spreads_another_commission_over_the_orders_of_the_day(
    paper_desk, paper_connection, simulator, settings
):
    settings.KIS_COMMISSIONS = {"real": "", "paper": "0.03%"}
    trade_a_day(paper_desk)
    sync_account(paper_connection)
    paper_desk.broker.clock(MONDAY)
    sync_account(paper_connection)
    ledger, books = of_the_ledger(simulator, "paper"), of_the_books()
    assert sum(map(sum, books.values())) == sum(map(sum, ledger.values()))
    assert {key: tax for key, (_, tax) in books.items()} == {key: tax for key, (_, tax) in ledger.items()}


def test_table_knows_what_costs_may_be_based_on(desk, connection):
    desk.trade("buy", 1)
    sync_account(connection)
    with pytest.raises(IntegrityError), transaction.atomic():
        KisExecution.objects.update(cost_basis="rumour")
