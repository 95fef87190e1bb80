"""The sync against the simulator: what the books hold afterwards, and what they never hold."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from django.db import IntegrityError, transaction

from kis.client.auth import MemoryTokenStore
from kis.client.codes import AccountNumber, Environment
from kis.client.endpoints.charts import daily_chart
from kis.client.errors import KisError, KisReplyChanged, TokenExpired
from kis.client.protocol import Cursor, RawReply, Reply
from kis.client.session import Session
from kis.client.throttle import Pacer
from kis.client.transport import HttpTransport
from kis.connect import Connection
from kis.korean import SEOUL
from kis.models import (
    DailyPrice,
    KisAccount,
    KisExecution,
    KisHolding,
    KisUnfilledOrder,
    PriceHistory,
    SyncRun,
)
from kis.simulator.control import SIDES
from kis.simulator.server import Simulator, SimulatorConfig
from kis.sync import sync_account
from kis.sync.fetch import fetch_executions
from kis.sync.save import save_executions
from tests.kis.syncing import leave_out_the_market

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 11, 20, 10, 0, tzinfo=SEOUL)
MODES = ["real", "paper"]


@pytest.fixture(autouse=True)
def little_history(monkeypatch):
    """One call a stock: how far back prices reach is tested with the prices."""
    monkeypatch.setattr("kis.sync.price_plans.TRADING_DAYS", 90)


@pytest.fixture(autouse=True)
def books_only(request, monkeypatch):
    """Let runs copy the books alone unless a test asks for `the_market`: days, stocks and prices take most of their time."""
    if "the_market" not in request.fixturenames:
        leave_out_the_market(monkeypatch)


@pytest.fixture
def simulator():
    with Simulator(SimulatorConfig(clock=TEN, limits=False)) as simulator:
        yield simulator


@pytest.fixture
def connect(simulator):
    """Return a function that opens a connection to the simulator without waiting for anything."""
    opened = []

    def start(mode="real", **changes):
        side = getattr(simulator, mode)
        environment = Environment(
            mode=mode,
            base_url=side.url,
            ws_url=side.ws,
            app_key=side.app_key,
            app_secret=side.app_secret,
            account=AccountNumber.parse(side.account),
        )
        transport = HttpTransport()
        opened.append(transport)
        session = Session(
            replace(environment, **changes),
            transport=transport,
            tokens=MemoryTokenStore(),
            budget=Pacer(0),
            sleep=lambda seconds: None,
        )
        return Connection(session, simulator.now)

    yield start
    for transport in opened:
        transport.close()


class Control:
    """The control plane of one port."""

    def __init__(self, url):
        self.url = f"{url}/_sim"

    def get(self, path):
        return requests.get(f"{self.url}/{path}", timeout=60).json()

    def post(self, path, body):
        response = requests.post(f"{self.url}/{path}", json=body, timeout=60)
        assert response.status_code == 200, response.text
        return response.json()

    def account(self, number):
        return next(a for a in self.get("state")["accounts"] if a["account"] == number)

    def fault(self, tr, kind, *, times=1000):
        return self.post("faults", [{"tr": tr, "kind": kind, "times": times}])


@pytest.fixture
def control(simulator):
    return Control(simulator.real.url)


@pytest.fixture
def paper_control(simulator):
    return Control(simulator.paper.url)


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


def rewritten(connection, change):
    connection.session.transport = Rewriting(connection.session.transport, change)
    return connection


def order_by_phone(simulator, mode, count, *, price=0):
    """Buy so many times one share; over the wire each of them would cost 20 ms."""
    account = next(one for one in simulator.exchange.accounts.values() if one.mode == mode)
    with simulator.exchange.lock:
        for _ in range(count):
            simulator.exchange.place(
                account,
                side=SIDES["buy"],
                code="005930",
                quantity=1,
                price=price,
                now=simulator.now(),
                source="phone",
            )


def change_rows(tr_id, rows, **fields):
    """Return a change that sets fields in every row that has been filled, held or left open."""

    def change(seen, body):
        if seen == tr_id:
            for row in body[rows]:
                row.update(fields)

    return change


def books():
    """Everything in the books but the row numbers and the moment."""
    return {
        manager.model: sorted(map(str, manager.values_list(*names)))
        for manager, names in (
            (KisHolding.objects, ("stock_code", "holding_qty", "pchs_amt", "kis_account__snapshot_at")),
            (KisExecution.objects, ("odno", "exec_qty", "exec_amt", "exec_dt", "raw_json")),
            (KisUnfilledOrder.objects, ("odno", "psbl_qty", "kis_account__snapshot_at")),
            (KisAccount.objects, ("snapshot_at", "total_eval_amt")),
        )
    }


@pytest.mark.parametrize("mode", MODES)
def test_snapshot_equals_what_the_broker_holds(the_market, connect, control, mode):
    connection = connect(mode)
    run = sync_account(connection)
    account = KisAccount.objects.get()
    number = f"{account.account_no}-{account.product_code}"
    truth = control.account(number)
    held = {row.stock_code: row for row in KisHolding.objects.all()}
    assert {code: row.holding_qty for code, row in held.items()} == {
        position["code"]: position["qty"] for position in truth["positions"] if position["qty"]
    }
    assert sum(row.evlu_amt for row in held.values()) == account.stock_eval_amt
    assert sum(row.pchs_amt for row in held.values()) == account.total_buy_amt
    assert account.stock_eval_amt + account.available == account.total_eval_amt
    assert all(row.evlu_amt == row.prpr * row.holding_qty for row in held.values())
    assert (run.status, run.differences, run.error) == (SyncRun.Status.COMPLETE, 0, "")
    assert account.is_paper is (mode == "paper")
    assert account.sync_run == run
    assert [step["name"] for step in run.steps] == [
        "fetch_calendar",
        "fetch_stocks",
        "fetch_balance",
        "fetch_unfilled_orders",
        "save_holdings",
        "fetch_executions",
        "save_order_details",
        "settle_costs",
        *(["ask_stocks"] if mode == "real" else []),
        "fetch_prices",
        "note_indices",
    ]


def test_sample_account_has_something_of_everything(connect):
    sync_account(connect())
    assert KisHolding.objects.count() >= 18
    assert KisHolding.objects.filter(evlu_pfls_amt__gt=0).exists()
    assert KisHolding.objects.filter(evlu_pfls_amt__lt=0).exists()
    todays = KisExecution.objects.filter(exec_dt=TEN.date())
    assert set(todays.values_list("exec_type", flat=True)) == {"BUY", "SELL"}
    orders = KisUnfilledOrder.objects.all()
    assert any(order.tot_ccll_qty for order in orders)
    assert any(not order.tot_ccll_qty for order in orders)


def test_fills_of_today_add_up_to_the_brokers_amounts(connect):
    sync_account(connect())
    account = KisAccount.objects.get()
    amount = {
        side: sum(row.exec_amt for row in KisExecution.objects.filter(exec_dt=TEN.date(), exec_type=side))
        for side in ("BUY", "SELL")
    }
    assert amount == {"BUY": account.today_buy_amt, "SELL": account.today_sell_amt}


@pytest.mark.parametrize("mode", MODES)
def test_run_after_all_prices_are_there_changes_no_fill_and_asks_for_no_price_again(
    the_market, connect, mode
):
    def prices(run):
        return next(step["note"] for step in run.steps if step["name"] == "fetch_prices")

    while "다음에" in prices(sync_account(connect(mode))):
        pass  # history comes bit by bit, above all on paper
    before = list(KisExecution.objects.order_by("pk").values())
    bars = list(DailyPrice.objects.order_by("pk").values())
    assert prices(sync_account(connect(mode))) == "모두 최신"
    assert list(KisExecution.objects.order_by("pk").values()) == before
    assert list(DailyPrice.objects.order_by("pk").values()) == bars


def test_partly_filled_order_grows_and_never_becomes_two(connect, control):
    connection = connect()
    sync_account(connection)
    order = KisUnfilledOrder.objects.filter(tot_ccll_qty__gt=0).first()
    fill = KisExecution.objects.get(odno=order.odno, exec_dt=TEN.date())
    control.post("fill", {"odno": order.odno, "qty": 1})
    run = sync_account(connection)
    again = KisExecution.objects.get(odno=order.odno, exec_dt=TEN.date())
    assert (again.pk, again.exec_qty) == (fill.pk, fill.exec_qty + 1)
    assert any("바뀜 1건" in step["note"] for step in run.steps)


def test_fill_that_shrank_is_kept_and_reported(connect):
    connection = connect()
    sync_account(connection)
    fill = KisExecution.objects.filter(exec_dt=TEN.date()).first()
    # As if the broker had sent more once: without its row nothing says that somebody changed it by hand.
    KisExecution.objects.filter(pk=fill.pk).update(exec_qty=fill.exec_qty + 5, raw_json={})
    run = sync_account(connection)
    assert KisExecution.objects.get(pk=fill.pk).exec_qty == fill.exec_qty + 5
    assert {check["name"]: check["row"] for check in run.checks if check["difference"]} == {
        "줄어든 체결": f"{fill.stock_name} {fill.odno}",
        "수량 변화 = 체결": f"{fill.stock_name} {fill.stock_code}",
    }


def many(count):
    """Positions in so many stocks, whose daily prices are known already: these tests are about the books."""
    DailyPrice.objects.bulk_create(
        [
            DailyPrice(
                stock_code=f"{100000 + number * 10:06d}",
                trade_date=TEN.date() - timedelta(days=1),
                open=1,
                high=1,
                low=1,
                close=1,
                volume=0,
            )
            for number in range(count)
        ],
        ignore_conflicts=True,
    )
    PriceHistory.objects.bulk_create(
        [
            PriceHistory(
                stock_code=f"{100000 + number * 10:06d}",
                daily_from=TEN.date() - timedelta(days=1000),
                daily_asked_at=TEN,
            )
            for number in range(count)
        ],
        ignore_conflicts=True,
    )
    return [
        {"code": f"{100000 + number * 10:06d}", "qty": number + 1, "avg": 10_000 + number}
        for number in range(count)
    ]


@pytest.mark.parametrize(("mode", "pages"), [("real", 3), ("paper", 6)])
def test_120_holdings_come_over_all_pages(connect, simulator, mode, pages):
    control = Control(getattr(simulator, mode).url)
    control.post("account", {"deposit": 10_000_000, "positions": many(120)})
    run = sync_account(connect(mode))
    assert KisHolding.objects.count() == 120
    assert sum(row.evlu_amt for row in KisHolding.objects.all()) == KisAccount.objects.get().stock_eval_amt
    tr_id = "TTTC8434R" if mode == "real" else "VTTC8434R"
    counted = control.get("requests")
    assert tr_count(counted, tr_id) == pages
    assert run.differences == 0


def tr_count(counted, tr_id):
    """Find the count of a TR wherever the control plane puts it."""
    if isinstance(counted, dict):
        if isinstance(counted.get(tr_id), int):
            return counted[tr_id]
        return next(
            (found for value in counted.values() if (found := tr_count(value, tr_id)) is not None), None
        )
    return None


SPOILED = [
    ("{}TTC8434R", "repeat_page"),
    ("{}TTC8434R", "drop_page"),
    ("{}TTC8434R", "drop_field:evlu_amt"),
    ("{}TTC8434R", "drop_field:hldg_qty"),
    ("{}TTC8434R", "drop_field:dnca_tot_amt"),
    ("{}TTC8434R", "drop_field:output1"),
    ("{}TTC8434R", "rename_field:prvs_rcdl_excc_amt:prvs_rcdl_excc_amount"),
    ("{}TTC8434R", "html_page"),
    ("{}TTC8434R", "http_500_before"),
    ("{}TTC8434R", "truncate"),
    ("{}TTC8434R", "bad_json"),
    ("{}TTC8434R", "redirect_307"),
    ("{}TTC8434R", "maintenance"),
    ("{}TTC8434R", "rate_limited"),
    ("{}TTC8434R", "reset_after"),
    ("{}TTC0081R", "drop_field:tot_ccld_qty"),
    ("{}TTC0081R", "drop_field:output2"),
    ("{}TTC0081R", "html_page"),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("tr", "kind"), SPOILED)
def test_spoiled_reply_fails_the_run_and_leaves_the_last_good_snapshot(connect, simulator, mode, tr, kind):
    check_that_the_last_good_snapshot_stays(
        connect, simulator, mode, tr.format("T" if mode == "real" else "V"), kind
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["html_page", "http_500_before"])
def test_spoiled_token_fails_a_whole_run_as_well(the_market, connect, simulator, mode, kind):
    check_that_the_last_good_snapshot_stays(connect, simulator, mode, "tokenP", kind)


def check_that_the_last_good_snapshot_stays(connect, simulator, mode, tr, kind):
    control = Control(getattr(simulator, mode).url)
    control.post("account", {"deposit": 10_000_000, "positions": many(60)})
    sync_account(connect(mode))
    before = books()
    control.fault(tr, kind)
    with pytest.raises(KisError) as caught:
        sync_account(connect(mode))
    assert books() == before
    run = SyncRun.objects.order_by("-pk").first()
    assert (run.status, run.error) == (SyncRun.Status.FAILED, str(caught.value))
    assert run.finished_at is not None
    assert "12345678" not in run.error
    assert simulator.real.app_key not in run.error


@pytest.mark.parametrize("kind", ["repeat_page", "drop_page"])
@pytest.mark.parametrize("mode", MODES)
def test_orders_with_a_lost_or_repeated_page_are_refused(connect, simulator, mode, kind):
    control = Control(getattr(simulator, mode).url)
    control.post("account", {"deposit": 1_000_000_000, "positions": []})
    order_by_phone(simulator, mode, 120)
    control.fault("TTTC0081R" if mode == "real" else "VTTC0081R", kind)
    with pytest.raises(KisReplyChanged):
        sync_account(connect(mode))
    assert not KisAccount.objects.exists()


@pytest.mark.parametrize("kind", ["repeat_page", "drop_page"])
@pytest.mark.parametrize("mode", MODES)
def test_one_repeated_or_lost_page_is_enough_to_fail_the_run(connect, simulator, mode, kind):
    control = Control(getattr(simulator, mode).url)
    control.post("account", {"deposit": 10_000_000, "positions": many(120)})
    control.fault("TTTC8434R" if mode == "real" else "VTTC8434R", kind, times=1)
    with pytest.raises(KisReplyChanged, match="쪽"):
        sync_account(connect(mode))
    assert not KisAccount.objects.exists()


def test_passing_trouble_is_ridden_out(the_market, connect, control):
    control.fault("TTTC8434R", "reset_before", times=1)
    control.fault("TTTC0081R", "http_500_before", times=1)
    control.fault("TTTC0084R", "token_expired", times=1)
    run = sync_account(connect())
    assert (run.status, run.differences) == (SyncRun.Status.COMPLETE, 0)


@pytest.mark.parametrize("kind", ["drop_field:stck_clpr", "html_page", "http_500_before"])
def test_prices_that_fail_do_not_spoil_the_books(the_market, connect, control, kind):
    control.fault("FHKST03010100", kind, times=1000)
    run = sync_account(connect())
    assert run.status == SyncRun.Status.COMPLETE
    assert "FHKST03010100" in run.error
    assert KisHolding.objects.exists()
    assert not DailyPrice.objects.exists()


def test_prices_reach_back_two_weeks_and_stop_at_the_last_closed_day(the_market, connect):
    sync_account(connect())
    code = KisHolding.objects.first().stock_code
    days = list(
        DailyPrice.objects.filter(stock_code=code).order_by("trade_date").values_list("trade_date", flat=True)
    )
    assert len(days) >= 60
    assert days[-1] == TEN.date() - timedelta(days=1)  # today's bar is still being made


def bar(day, *, low=95, close=100, high=105):
    return {
        "stck_bsop_date": f"202611{day:02}",
        "stck_oprc": "100",
        "stck_hgpr": str(high),
        "stck_lwpr": str(low),
        "stck_clpr": str(close),
        "acml_vol": "10",
    }


def chart_of(*rows):
    class Scripted:
        def read(self, tr, params):
            return Reply("FHKST03010100", tr_cont="D", cursor=Cursor(), body={"output2": list(rows)})

    session: Any = Scripted()
    return daily_chart(session, code="005930", first=date(2026, 11, 1), last=date(2026, 11, 19))


def test_adjusted_bar_may_be_a_won_off_after_rounding():
    chart = chart_of(bar(19, close=106, high=105), bar(18, low=101, close=102, high=103))
    assert [(row.day.day, row.close, row.high) for row in chart.bars] == [(18, 102, 103), (19, 106, 105)]
    assert chart.problems == ()


def test_impossible_bar_is_named_and_leaves_the_others():
    chart = chart_of(bar(19), bar(18, close=200), {}, bar(17, low=0), bar(30))
    assert [row.day.day for row in chart.bars] == [19]
    assert len(chart.problems) == 2
    assert "2026-11-18" in chart.problems[0]


def test_halted_day_has_a_close_only():
    halted = bar(18) | {"stck_oprc": "0", "stck_hgpr": "0", "stck_lwpr": "0", "acml_vol": "0"}
    assert [(row.open, row.close) for row in chart_of(halted).bars] == [(0, 100)]


def test_day_that_stands_twice_is_refused():
    with pytest.raises(KisReplyChanged, match="두 번"):
        chart_of(bar(19), bar(19))


def test_chart_without_a_single_readable_bar_is_an_error():
    with pytest.raises(KisReplyChanged):
        chart_of(bar(19, close=0), bar(18, close=0))


def test_orderable_cash_that_cannot_be_asked_is_unknown_not_zero(connect, control):
    control.fault("TTTC8908R", "drop_field:nrcvb_buy_amt")
    sync_account(connect())
    assert KisAccount.objects.get().orderable_cash is None


def test_empty_account_is_a_snapshot_without_holdings(the_market, connect, control):
    control.post("account", {"deposit": 100_000_000, "positions": []})
    run = sync_account(connect())
    account = KisAccount.objects.get()
    assert (account.total_eval_amt, account.stock_eval_amt) == (100_000_000, 0)
    assert (KisHolding.objects.count(), run.status, run.differences) == (0, SyncRun.Status.COMPLETE, 0)


def test_stock_sold_out_today_is_not_a_holding_but_stays_readable(connect, control):
    control.post(
        "account", {"deposit": 1_000_000, "positions": [{"code": "005930", "qty": 10, "avg": 50_000}]}
    )
    control.post("external-order", {"side": "sell", "code": "005930", "qty": 10})
    run = sync_account(connect())
    assert not KisHolding.objects.exists()
    assert [row["pdno"] for row in KisAccount.objects.get().raw_json["sold_out"]] == ["005930"]
    assert run.differences == 0


def test_both_modes_live_side_by_side(connect):
    sync_account(connect("real"))
    sync_account(connect("paper"))
    assert set(KisAccount.objects.values_list("account_no", "is_paper")) == {
        ("12345678", False),
        ("50012345", True),
    }
    for account in KisAccount.objects.all():
        assert {row.is_paper for row in account.holdings.all()} == {account.is_paper}


def test_run_that_died_is_marked_abandoned_by_the_next(connect):
    dead = SyncRun.objects.create(
        job="sync_kis_data",
        account_no="12345678",
        product_code="01",
        is_paper=False,
        started_at=TEN - timedelta(hours=1),
    )
    sync_account(connect())
    dead.refresh_from_db()
    assert dead.status == SyncRun.Status.ABANDONED
    assert dead.finished_at is not None


def test_older_trs_give_the_same_books(connect):
    sync_account(connect(tr_set="legacy"))
    fills = set(KisExecution.objects.values_list("odno", "exec_qty", "exec_amt"))
    KisExecution.objects.all().delete()
    sync_account(connect())
    assert (
        set(KisExecution.objects.filter(exec_dt=TEN.date()).values_list("odno", "exec_qty", "exec_amt"))
        <= fills
    )


def test_queries_do_not_grow_with_the_holdings(the_market, connect, control, django_assert_max_num_queries):
    positions = many(120)
    control.post("account", {"deposit": 10_000_000, "positions": positions[:1]})
    sync_account(connect())
    control.post("account", {"deposit": 10_000_000, "positions": positions})
    with django_assert_max_num_queries(70):
        sync_account(connect())


def todays_fills(tr_id, body, **fields):
    if tr_id == "TTTC0081R":
        for row in body["output1"]:
            if row["tot_ccld_qty"] != "0":
                row.update(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"tot_ccld_amt": "0", "avg_prvs": "0"},
        {"tot_ccld_amt": "7", "avg_prvs": "1"},
        {"avg_prvs": "0.4"},
        {"avg_prvs": "-5"},
    ],
)
def test_fill_whose_numbers_do_not_belong_together_is_refused(connect, fields):
    connection = rewritten(connect(), lambda tr_id, body: todays_fills(tr_id, body, **fields))
    with pytest.raises(KisReplyChanged):
        sync_account(connection)
    assert not KisAccount.objects.exists()


def test_fill_without_an_average_takes_it_from_the_amount(connect):
    sync_account(rewritten(connect(), lambda tr_id, body: todays_fills(tr_id, body, avg_prvs="")))
    fill = KisExecution.objects.first()
    assert fill.exec_price == round(fill.exec_amt / fill.exec_qty)


def test_amount_that_the_broker_corrects_is_followed(connect):
    sync_account(connect())
    fill = KisExecution.objects.first()
    right = fill.exec_amt
    KisExecution.objects.filter(pk=fill.pk).update(exec_amt=7, exec_price=1)
    run = sync_account(connect())
    fill.refresh_from_db()
    assert fill.exec_amt == right
    assert any("바뀜 1건" in step["note"] for step in run.steps)


def test_fill_the_table_cannot_hold_is_an_error_on_both_databases(connect):
    orders = fetch_executions(connect().session, first=TEN.date(), today=TEN.date())
    odd = replace(next(order for order in orders if order.filled), filled_amount=-1, average=Decimal(1))
    with pytest.raises(IntegrityError), transaction.atomic():
        save_executions([odd], first=TEN.date(), account=AccountNumber("12345678", "01"), is_paper=False)


@pytest.mark.parametrize("hour", [10, 15])
def test_open_orders_cut_to_their_first_page_are_refused(connect, simulator, control, hour):
    control.post("account", {"deposit": 1_000_000_000, "positions": []})
    order_by_phone(simulator, "real", 60, price=50_000)
    control.post("clock", {"now": TEN.replace(hour=hour, minute=22).isoformat()})

    class FirstPageOnly:
        def __init__(self, inner):
            self.inner = inner

        def send(self, request, *, timeout_seconds):
            raw = self.inner.send(request, timeout_seconds=timeout_seconds)
            cut = {**raw.headers, "tr_cont": "D"} if request.tr_id == "TTTC0084R" else raw.headers
            return RawReply(raw.status, cut, raw.body)

    connection = connect()
    connection.session.transport = FirstPageOnly(connection.session.transport)
    with pytest.raises(KisReplyChanged, match="미체결"):
        sync_account(connection)
    assert not KisAccount.objects.exists()


def test_short_list_that_disagrees_is_shown_as_a_difference(connect):
    def change(tr_id, body):
        if tr_id == "TTTC0084R":
            del body["output"][0]

    run = sync_account(rewritten(connect(), change))
    difference = [check for check in run.checks if check["difference"]]
    assert [(check["name"], check["difference"]) for check in difference] == [("미체결 주문", -1)]
    assert difference[0]["row"]


def test_order_of_before_the_opening_may_have_lapsed(connect):
    numbers: list[str] = []

    def change(tr_id, body):
        if tr_id == "TTTC0084R":
            gone = body["output"].pop(0)
            numbers.append(gone["odno"])
        if tr_id == "TTTC0081R":
            for row in body["output1"]:
                if row["odno"] in numbers:
                    row["ord_tmd"] = "083100"

    run = sync_account(rewritten(connect(), change))
    assert run.differences == 0


def test_paper_has_no_open_orders_after_the_close(connect, paper_control):
    paper_control.post("clock", {"now": TEN.replace(hour=16).isoformat()})
    sync_account(connect("paper"))
    assert not KisUnfilledOrder.objects.exists()


def test_simulator_on_another_day_can_be_synced_again_and_again(the_market, simulator, connect):
    monday_night = datetime(2026, 11, 23, 3, 29, tzinfo=SEOUL)
    for _ in range(2):
        connection = Connection(connect().session, lambda: monday_night)
        run = sync_account(connection)
        assert (run.status, run.differences) == (SyncRun.Status.COMPLETE, 0)


def test_reconciliation_is_kept_with_the_snapshot_when_the_run_is_cut_short(the_market, connect):
    class Interrupted(Rewriting):
        def send(self, request, *, timeout_seconds):
            if request.tr_id == "FHKST03010100":
                raise KeyboardInterrupt
            return super().send(request, timeout_seconds=timeout_seconds)

    connection = connect()
    connection.session.transport = Interrupted(
        connection.session.transport, change_rows("TTTC8434R", "output1", thdt_buyqty="0", thdt_sll_qty="0")
    )
    with pytest.raises(KeyboardInterrupt):
        sync_account(connection)
    run = KisAccount.objects.get().sync_run
    assert (run.status, run.differences) == (SyncRun.Status.FAILED, 1)
    assert [check["name"] for check in run.checks if check["difference"]] == ["오늘 체결 수량"]


def test_pause_longer_than_the_inquiry_reaches_is_told(connect):
    sync_account(connect())
    KisAccount.objects.update(snapshot_at=TEN - timedelta(days=120))
    run = sync_account(connect())
    assert run.error.startswith("2026-07-23부터 2026-08-26까지의 체결은")


def test_row_that_contradicts_itself_is_named(connect):
    names: list[str] = []

    def change(tr_id, body):
        if tr_id == "TTTC8434R":
            body["output1"][0]["prpr"] = "1"
            names.append(body["output1"][0]["prdt_name"])

    run = sync_account(rewritten(connect(), change))
    difference = next(check for check in run.checks if check["difference"])
    assert (difference["name"], names[0] in difference["row"]) == ("현재가 × 수량", True)


def test_chart_without_bars_is_not_called_up_to_date(the_market, connect):
    def change(tr_id, body):
        if tr_id == "FHKST03010100":
            body["output2"] = []

    run = sync_account(rewritten(connect(), change))
    assert "일봉이 아직 없습니다" in run.error
    assert next(step for step in run.steps if step["name"] == "fetch_prices")["note"].startswith("문제")


def test_chart_of_another_stock_is_not_stored(the_market, connect):
    def change(tr_id, body):
        if tr_id == "FHKST03010100":
            body["output1"]["stck_shrn_iscd"] = "999999"

    run = sync_account(rewritten(connect(), change))
    assert "999999" in run.error
    assert not DailyPrice.objects.exists()


def test_dead_token_is_not_taken_for_unknown_cash(connect, control):
    control.fault("TTTC8908R", "token_expired")
    with pytest.raises(TokenExpired):
        sync_account(connect())


def test_stock_held_in_cash_and_on_loan_is_one_holding(connect):
    def change(tr_id, body):
        if tr_id != "TTTC8434R":
            return
        first = next(row for row in body["output1"] if int(row["hldg_qty"]) > 1)
        second = dict(first, trad_dvsn_name="유통융자", loan_dt="20261101")
        for name in (
            "hldg_qty",
            "ord_psbl_qty",
            "pchs_amt",
            "evlu_amt",
            "evlu_pfls_amt",
            "thdt_buyqty",
            "thdt_sll_qty",
        ):
            half = int(first[name]) // 2
            first[name], second[name] = str(half), str(int(first[name]) - half)
        body["output1"].append(second)

    sync_account(connect())
    whole = set(KisHolding.objects.values_list("stock_code", "holding_qty", "evlu_amt"))
    run = sync_account(rewritten(connect(), change))
    assert (
        set(
            KisHolding.objects.filter(kis_account__sync_run=run).values_list(
                "stock_code", "holding_qty", "evlu_amt"
            )
        )
        == whole
    )
    assert run.differences == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prdt_name", "이름\x00"),
        ("prdt_name", "\ud800"),
        ("evlu_erng_rt", "\x00"),
        ("pdno", "0059300059300"),
        ("ord_psbl_qty", "2000000000"),
        ("pchs_avg_pric", "-1.0000"),
        ("hldg_qty", "99999999999"),
    ],
)
def test_text_and_numbers_no_table_can_hold_are_refused(connect, field, value):
    with pytest.raises(KisError):
        sync_account(rewritten(connect(), change_rows("TTTC8434R", "output1", **{field: value})))
    assert not KisAccount.objects.exists()


def test_long_name_is_cut_and_a_missing_one_is_the_code(connect):
    sync_account(rewritten(connect(), change_rows("TTTC8434R", "output1", prdt_name="가" * 60)))
    assert set(KisHolding.objects.values_list("stock_name", flat=True)) == {"가" * 50}
    KisHolding.objects.all().delete()
    sync_account(rewritten(connect(), change_rows("TTTC8434R", "output1", prdt_name="")))
    assert all(row.stock_name == row.stock_code for row in KisHolding.objects.all())
