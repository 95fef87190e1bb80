"""Orders in the books: chains, states and fills, through the list, our receipts and the stream of notices."""

import json
import random
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from kis.client.codes import AccountNumber
from kis.client.endpoints.orders import Amendment, Cancellation, NewOrder, OrderReceipt
from kis.client.protocol import RawReply
from kis.client.records.orders import Request, Side
from kis.client.records.realtime import NoticeKind
from kis.models import KisOrderDetail, SyncRun
from kis.orders import OrderState, Standing, chain_of, same_number, states
from kis.sync import sync_account
from kis.sync.order_news import apply_notice, record_order
from tests.kis.many import run_processes
from tests.kis.syncing import (
    SAMSUNG,
    TEN,
    TODAY,
    Broker,
    Desk,
    connection_to,
    environment_of,
    leave_out_the_market,
    notices_of,
)

MODES = ["real", "paper"]
Status = KisOrderDetail.Status


# --- states, pure ------------------------------------------------------------------------------------------------


def order(number="1", **changes):
    values = {
        "ordered_on": TODAY,
        "ordered_at": time(9, 30),
        "branch": "06010",
        "number": number,
        "origin": "",
        "request": Request.ORDER,
        "code": SAMSUNG,
        "kind": "00",
        "exchange": "KRX",
        "quantity": 10,
        "filled": 0,
        "remaining": 10,
        "rejected": 0,
        "cancelled": 0,
    }
    return Standing(**(values | changes))


def state_of(*orders, now=TEN, **how):
    """Return the state of the first of these orders."""
    return states(orders, now=now, **how)[orders[0].key]


AMENDED = {"request": Request.AMEND, "origin": "1", "ordered_at": time(9, 40)}
CANCELS = {
    "request": Request.CANCEL,
    "origin": "1",
    "ordered_at": time(9, 50),
    "remaining": 0,
    "cancelled": 10,
}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, OrderState.ACCEPTED),
        ({"filled": 4, "remaining": 6}, OrderState.PARTIAL),
        ({"filled": 10, "remaining": 0}, OrderState.FILLED),
        ({"remaining": 0, "rejected": 10}, OrderState.REJECTED),
        ({"filled": 4, "remaining": 0, "rejected": 6}, OrderState.REJECTED),
        # `cncl_yn` is blank as often as not.
        ({"remaining": 0, "cancelled": 10}, OrderState.CANCELLED),
        ({"filled": 4, "remaining": 0, "cancelled": 6}, OrderState.CANCELLED),
        ({"remaining": 0, "marked_cancelled": True}, OrderState.CANCELLED),
        # The amendment that took the rest is not on the list yet.
        ({"remaining": 0}, OrderState.AMENDED),
    ],
)
def test_order_alone_is_judged_by_its_quantities(changes, state):
    assert state_of(order(**changes)) is state


def test_order_that_was_amended_and_then_cancelled():
    first, second, cancellation = (
        order("1", remaining=0),
        order("0000000002", remaining=0, cancelled=10, **AMENDED),
        order("3", **CANCELS | {"origin": " 2"}),
    )
    found = states([first, second, cancellation], now=TEN)
    assert list(found.values()) == [OrderState.AMENDED, OrderState.CANCELLED, OrderState.CANCELLED]


def test_last_change_says_what_became_of_the_rest():
    first = order("1", remaining=0, cancelled=6)
    moved = order("2", quantity=4, remaining=4, **AMENDED)
    cancels = order("3", **CANCELS | {"quantity": 6, "cancelled": 6})
    assert state_of(first, moved, cancels) is OrderState.CANCELLED
    assert state_of(first, replace(moved, ordered_at=time(9, 55)), cancels) is OrderState.AMENDED


def test_refused_cancellation_leaves_its_order_alone():
    refused = order("2", **CANCELS | {"cancelled": 0, "rejected": 10})
    assert states([order("1"), refused], now=TEN) == {
        order("1").key: OrderState.ACCEPTED,
        refused.key: OrderState.REJECTED,
    }


def test_change_seen_before_its_origin_is_judged_alone():
    assert state_of(order("2", **AMENDED)) is OrderState.ACCEPTED
    assert state_of(order("2", **CANCELS)) is OrderState.CANCELLED


def test_origin_may_lie_on_another_branch():
    first = order("1", remaining=0)
    elsewhere = order("2", branch="91252", **AMENDED)
    assert state_of(first, elsewhere) is OrderState.AMENDED
    # Two branches with this number: nobody can say which one is meant.
    assert len(chain_of([first, order("1", branch="00950"), elsewhere], "2")) == 1


LAPSES = [
    ("00", "KRX", time(9, 30), time(15, 30)),
    ("01", "KRX", time(9, 30), time(15, 30)),
    ("", "", time(9, 30), time(15, 30)),
    ("05", "KRX", time(8, 30), time(8, 40)),
    ("06", "KRX", time(15, 35), time(16, 0)),
    ("07", "KRX", time(16, 5), time(18, 0)),
    ("27", "NXT", time(8, 5), time(8, 50)),
    ("41", "KRX", time(16, 5), time(20, 0)),
    ("00", "NXT", time(9, 30), time(20, 0)),
    ("00", "SOR", time(9, 30), time(20, 0)),
]


@pytest.mark.parametrize(("kind", "exchange", "placed", "ends"), LAPSES)
def test_order_lapses_when_its_phase_is_over(kind, exchange, placed, ends):
    waiting = order(kind=kind, exchange=exchange, ordered_at=placed, filled=4, remaining=6)
    end = datetime.combine(TODAY, ends, TEN.tzinfo)
    assert state_of(waiting, now=end - timedelta(seconds=1)) is OrderState.PARTIAL
    assert state_of(waiting, now=end) is OrderState.LAPSED
    assert state_of(waiting, now=end + timedelta(days=3)) is OrderState.LAPSED


def test_routed_order_lives_on_after_the_close_as_long_as_the_broker_calls_it_open():
    routed = order("0000000001", exchange="SOR")
    evening = TEN.replace(hour=16)
    assert state_of(routed, now=evening, waiting=[("06010", "0000000001")]) is OrderState.ACCEPTED
    assert state_of(routed, now=evening, waiting=[]) is OrderState.LAPSED
    assert (
        state_of(routed, now=TEN, waiting=[]) is OrderState.ACCEPTED
    )  # the two lists may differ for a moment


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("0000047589", "47589", True),
        ("       762", "0000000762", True),
        ("762", "7620", False),
        ("", "0", True),
    ],
)
def test_numbers_are_compared_whatever_their_padding(one, other, same):
    assert same_number(one, other) is same


def test_chain_runs_from_the_first_order_to_the_latest():
    orders = [
        order("3", **AMENDED | {"origin": "0000000002", "ordered_at": time(9, 45)}),
        order("2", **AMENDED),
        order("7", code="000660"),
        order("1"),
        order("4", **CANCELS | {"origin": "3"}),
    ]
    for start in ("1", "2", "3", "0000000004"):
        assert [link.number for link in chain_of(orders, start)] == ["1", "2", "3", "4"]
    assert chain_of(orders, "99") == []


def test_circles_of_the_broker_come_to_an_end():
    rng = random.Random(20261120)
    for _ in range(300):
        numbers = [str(number) for number in range(1, 9)]
        orders = [
            order(number, origin=rng.choice(["", *numbers]), ordered_at=time(9, rng.randrange(60)))
            for number in numbers
        ]
        for number in numbers:
            chain = chain_of(orders, number)
            assert number in {link.number for link in chain}
            assert len({link.number for link in chain}) == len(chain)
        assert len(states(orders, now=TEN)) == len(orders)


# --- through the simulator ---------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def books_only(monkeypatch):
    leave_out_the_market(monkeypatch)


@pytest.fixture
def simulator(start_simulator):
    return start_simulator()


@pytest.fixture
def broker(simulator):
    """Return the real account, started over with cash and shares of Samsung, at ten o'clock."""
    broker = Broker(simulator.real.url)
    broker.account(_005930=(100, 60_000))
    return broker


@pytest.fixture
def connection(simulator):
    with connection_to(simulator) as connection:
        yield connection


@pytest.fixture
def desk(broker, real):
    return Desk(broker, real)


def row(number):
    return KisOrderDetail.objects.get(odno=number, ord_dt=TODAY)


def contents():
    return list(KisOrderDetail.objects.order_by("pk").values())


@pytest.mark.django_db
@pytest.mark.parametrize("mode", MODES)
def test_every_order_of_the_broker_is_in_the_books(simulator, mode):
    with connection_to(simulator, mode) as connection:
        run = sync_account(connection)
    broker = Broker(getattr(simulator, mode).url)
    theirs = {
        int(order["odno"]): (
            order["code"],
            order["qty"],
            order["price"],
            order["filled"],
            order["side"].upper(),
        )
        for order in broker.get("orders")
        if order["mode"] == mode and order["at"][:10] == TODAY.isoformat()
    }
    ours = {
        int(row.odno): (row.stock_code, row.ord_qty, row.ord_unpr, row.tot_ccld_qty, row.side)
        for row in KisOrderDetail.objects.filter(ord_dt=TODAY)
    }
    assert ours == theirs
    open_now = {
        int(order["odno"]) for order in broker.get("orders") if order["open"] and order["mode"] == mode
    }
    alive = KisOrderDetail.objects.filter(ord_dt=TODAY, status__in=[Status.ACCEPTED, Status.PARTIAL])
    assert {int(row.odno) for row in alive} == open_now
    assert run.differences == 0
    step = next(step for step in run.steps if step["name"] == "save_order_details")
    assert step["note"] == f"새 {KisOrderDetail.objects.count()}건"


@pytest.mark.django_db
def test_second_run_changes_no_order(connection):
    sync_account(connection)
    before = contents()
    run = sync_account(connection)
    assert contents() == before
    assert next(step for step in run.steps if step["name"] == "save_order_details")["note"] == ""


@pytest.mark.django_db
@pytest.mark.parametrize("seen_between", [True, False])
def test_life_of_an_order_from_amendments_to_its_cancellation(desk, connection, seen_between):
    def look():
        if seen_between:
            sync_account(connection)

    first = desk.buy()
    look()
    desk.broker.fill(first, 3)
    look()
    second = desk.amend(first)
    look()
    desk.broker.fill(second, 2)
    desk.broker.clock(TEN + timedelta(minutes=1))
    part = {"QTY_ALL_ORD_YN": "N", "ORD_QTY": "4"}
    third = desk.amend(second, lower=2, **part)
    look()
    desk.broker.clock(TEN + timedelta(minutes=2))
    fourth = desk.cancel(second)
    run = sync_account(connection)
    assert [
        (
            line.odno,
            line.orgn_odno,
            line.ord_qty,
            line.tot_ccld_qty,
            line.rmn_qty,
            line.cncl_cfrm_qty,
            line.status,
        )
        for line in KisOrderDetail.objects.chain_of(row(third))
    ] == [
        (first, "", 10, 3, 0, 0, Status.AMENDED),
        (second, first, 7, 2, 0, 1, Status.CANCELLED),
        (third, second, 4, 0, 4, 0, Status.ACCEPTED),
        (fourth, second, 1, 0, 0, 1, Status.CANCELLED),
    ]
    assert row(first).avg_prvs == Decimal(desk.waiting)
    assert run.differences == 0


@pytest.mark.django_db
def test_chain_takes_one_query(desk, connection, django_assert_num_queries):
    numbers = [desk.buy()]
    for step in range(1, 6):
        numbers.append(desk.amend(numbers[-1], lower=step))
    sync_account(connection)
    last = row(numbers[-1])
    with django_assert_num_queries(1):
        chain = KisOrderDetail.objects.chain_of(last)
    assert [line.odno for line in chain] == numbers


@pytest.mark.django_db
def test_rest_of_an_order_lapses_at_the_close(desk, connection):
    number = desk.buy()
    desk.broker.fill(number, 4)
    desk.broker.clock(TEN.replace(hour=15, minute=29))
    sync_account(connection)
    assert row(number).status == Status.PARTIAL
    desk.broker.clock(TEN.replace(hour=15, minute=31))
    sync_account(connection)
    assert (row(number).status, row(number).tot_ccld_qty, row(number).rmn_qty) == (Status.LAPSED, 4, 6)


@pytest.mark.django_db
def test_order_left_open_lapses_with_the_first_look_of_the_next_day(desk, connection):
    number = desk.buy()
    sync_account(connection)
    desk.broker.clock(TEN + timedelta(days=3))  # Monday
    sync_account(connection)
    assert KisOrderDetail.objects.get(odno=number).status == Status.LAPSED


@pytest.mark.django_db
def test_order_of_the_phone_is_external(desk, connection):
    made = desk.broker.post(
        "external-order", {"side": "buy", "code": SAMSUNG, "qty": 3, "price": desk.waiting}
    )
    sync_account(connection)
    found = row(made["odno"])
    assert (found.origin, found.side, found.ord_qty, found.status) == ("external", "BUY", 3, Status.ACCEPTED)
    assert found.raw_json["row"]["ordr_empno"] == "MOBILE"


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


def hide(number):
    """Return a change that keeps one order from the list, as a slow back office does."""

    def change(tr_id, body):
        if tr_id == "TTTC0081R":
            body["output1"] = [row for row in body["output1"] if row["odno"] != number]

    return change


@pytest.mark.django_db
def test_amendment_listed_before_its_origin_finds_it_later(desk, connection):
    first = desk.buy()
    second = desk.amend(first)
    straight = connection.session.transport
    connection.session.transport = Rewriting(straight, hide(first))
    sync_account(connection)
    assert [line.odno for line in KisOrderDetail.objects.chain_of(row(second))] == [second]
    connection.session.transport = straight
    sync_account(connection)
    assert [line.odno for line in KisOrderDetail.objects.chain_of(row(second))] == [first, second]
    assert row(first).status == Status.AMENDED


@pytest.mark.django_db
def test_order_that_vanishes_from_the_list_stays(desk, connection):
    first, second = desk.buy(), desk.buy()
    sync_account(connection)
    connection.session.transport = Rewriting(connection.session.transport, hide(first))
    sync_account(connection)
    assert {row(first).status, row(second).status} == {Status.ACCEPTED}


@pytest.mark.django_db
@pytest.mark.parametrize("planted", [7, 1])
def test_fill_changed_by_hand_is_named_and_never_lowers(desk, connection, planted):
    number = desk.buy()
    desk.broker.fill(number, 4)
    sync_account(connection)
    KisOrderDetail.objects.filter(odno=number).update(tot_ccld_qty=planted)
    run = sync_account(connection)
    assert {"주문 기록"} <= {check["name"] for check in run.checks if check["difference"]}
    assert [check["row"] for check in run.checks if check["name"] == "주문 기록"] == [f"삼성전자 {number}"]
    assert row(number).tot_ccld_qty == max(planted, 4)


def queries_of_a_run(connection):
    with CaptureQueriesContext(database) as captured:
        run = sync_account(connection)
    assert run.status == SyncRun.Status.COMPLETE
    return len(captured)


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_orders(desk, connection):
    few = [desk.buy(1) for _ in range(2)]
    sync_account(connection)
    first = queries_of_a_run(connection)
    many = [desk.buy(1) for _ in range(30)]
    assert queries_of_a_run(connection) <= first + 3  # orders are new
    for number in [*few, *many]:
        desk.broker.fill(number, 1)
    assert (
        queries_of_a_run(connection) <= first + 6
    )  # orders changed, fills are new and have their costs estimated
    assert KisOrderDetail.objects.filter(status=Status.FILLED).count() == 32


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"status": "lost"},
        {"origin": "somebody"},
        {"side": "HOLD"},
        {"tot_ccld_qty": -1},
        {"orgn_odno": "0000000001"},
    ],
)
def test_table_refuses_what_no_order_can_be(changes):
    values = {
        "account_no": "12345678",
        "product_code": "01",
        "is_paper": False,
        "ord_dt": TODAY,
        "ord_tmd": time(9, 30),
        "ord_gno_brno": "06010",
        "odno": "0000000001",
        "stock_code": SAMSUNG,
        "stock_name": "삼성전자",
        "side": "BUY",
        "ord_qty": 10,
        "ord_unpr": 60_000,
        "rmn_qty": 10,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        KisOrderDetail.objects.create(**(values | changes))


# --- receipts and notices ----------------------------------------------------------------------------------------


@pytest.fixture
def environment(simulator):
    return environment_of(simulator.real, "real")


def receipt_of(reply):
    output = reply.json()["output"]
    return OrderReceipt(
        branch=output["KRX_FWDG_ORD_ORGNO"],
        number=output["ODNO"],
        ordered_at=datetime.strptime(output["ORD_TMD"], "%H%M%S").time(),  # noqa: DTZ007  # a time of day
        message="",
        raw=reply.json(),
    )


def send_buy(desk, quantity=10):
    """Place a buy order as our own code does; return what was sent, and the receipt."""
    sent = NewOrder(Side.BUY, SAMSUNG, quantity, desk.waiting)
    reply = desk.caller.order("buy", ORD_QTY=str(quantity), ORD_UNPR=str(desk.waiting))
    return sent, receipt_of(reply)


@pytest.mark.django_db
def test_our_order_is_in_the_books_at_once_and_stays_ours(desk, environment, connection):
    sent, receipt = send_buy(desk)
    made = record_order(environment, sent, receipt, at=TEN, name="삼성전자")
    assert made is not None
    assert (made.origin, made.status, made.rmn_qty, made.stock_name) == (
        "ours",
        Status.ACCEPTED,
        10,
        "삼성전자",
    )
    before = contents()
    record_order(environment, sent, receipt, at=TEN, name="삼성전자")
    assert contents() == before
    sync_account(connection)
    [only] = KisOrderDetail.objects.filter(ord_dt=TODAY)
    assert (only.pk, only.origin, only.status) == (made.pk, "ours", Status.ACCEPTED)
    assert "receipt" in only.raw_json
    assert "row" in only.raw_json


@pytest.mark.django_db
def test_notice_may_come_before_the_receipt(simulator, desk, environment):
    with notices_of(simulator) as told:
        sent, receipt = send_buy(desk)
    for notice in told:
        apply_notice(environment, notice, at=TEN)
    assert row(receipt.number).origin == "external"
    record_order(environment, sent, receipt, at=TEN)
    [only] = KisOrderDetail.objects.all()
    assert (only.origin, only.ord_dvsn_cd) == ("ours", "00")


@pytest.mark.django_db
def test_numbers_without_padding_and_without_branch_are_the_same_order(desk, environment, connection):
    sent, receipt = send_buy(desk)
    bare = replace(receipt, number=receipt.number.lstrip("0"), branch="")
    record_order(environment, sent, bare, at=TEN)
    sync_account(connection)
    [only] = KisOrderDetail.objects.filter(ord_dt=TODAY)
    assert (only.odno, only.ord_gno_brno, only.origin) == (receipt.number, receipt.branch, "ours")


def life(simulator, desk):
    """Play an order through a partial fill, an amendment, a fill of that and a cancellation; return all notices."""
    with notices_of(simulator) as told:
        first = desk.buy()
        desk.broker.fill(first, 3)
        desk.broker.clock(TEN + timedelta(minutes=1))
        second = desk.amend(first)
        desk.broker.fill(second, 2)
        desk.broker.clock(TEN + timedelta(minutes=2))
        desk.cancel(second)
    return told


def told_of():
    """Return what the books say of each order, without what only the list knows."""
    return {
        line.odno: (
            line.ord_qty,
            line.tot_ccld_qty,
            line.rmn_qty,
            line.cncl_cfrm_qty,
            line.avg_prvs,
            line.status,
        )
        for line in KisOrderDetail.objects.filter(ord_dt=TODAY).order_by("odno")
    }


@pytest.mark.django_db
def test_notices_alone_say_the_same_as_the_list(simulator, desk, environment, connection):
    notices = life(simulator, desk)
    assert {notice.kind for notice in notices} == {
        NoticeKind.ACCEPTED,
        NoticeKind.CONFIRMED,
        NoticeKind.FILLED,
    }
    for notice in notices:
        apply_notice(environment, notice, at=TEN)
    live = told_of()
    assert [entry[5] for entry in live.values()] == [Status.AMENDED, Status.CANCELLED, Status.CANCELLED]
    run = sync_account(connection)
    assert told_of() == live
    assert run.differences == 0


@pytest.mark.django_db
def test_order_of_notices_and_how_often_they_come_do_not_matter(simulator, desk, environment):
    notices = life(simulator, desk)
    for notice in notices:
        apply_notice(environment, notice, at=TEN)
    right = told_of()
    before = contents()
    for notice in notices:
        apply_notice(environment, notice, at=TEN)
    assert contents() == before
    rng = random.Random(4)
    for _ in range(5):
        KisOrderDetail.objects.all().delete()
        mixed = [*notices, *notices]
        rng.shuffle(mixed)
        for notice in mixed:
            apply_notice(environment, notice, at=TEN)
        assert told_of() == right


@pytest.mark.django_db(transaction=True)
def test_processes_that_hear_of_one_order_at_once_make_one_row_of_it(simulator, tmp_path):
    for result in run_processes(simulator, tmp_path, "real", "news", "6", "3"):
        assert result["rows"] == [["0000000123", 56, 44, "partial", "ours"]]


@pytest.mark.django_db
def test_notice_of_a_fill_that_the_list_has_already_adds_nothing(simulator, desk, environment, connection):
    number = desk.buy()
    with notices_of(simulator) as told:
        desk.broker.fill(number, 3)
    desk.broker.clock(TEN + timedelta(minutes=1))
    sync_account(connection)
    [late] = told
    apply_notice(environment, late, at=TEN)
    assert (row(number).tot_ccld_qty, row(number).rmn_qty) == (3, 7)
    # What is told after the list comes on top of it, also where an earlier notice was missed.
    desk.broker.clock(TEN + timedelta(minutes=2))
    with notices_of(simulator) as told:
        desk.broker.fill(number, 2)
    KisOrderDetail.objects.filter(odno=number).update(
        raw_json={name: value for name, value in row(number).raw_json.items() if name != "told"}
    )
    apply_notice(environment, told[0], at=TEN + timedelta(minutes=2))
    assert (row(number).tot_ccld_qty, row(number).rmn_qty, row(number).status) == (5, 5, Status.PARTIAL)
    assert sync_account(connection).differences == 0
    assert row(number).tot_ccld_qty == 5


@pytest.mark.django_db
def test_fills_ahead_of_a_slow_list_are_kept(simulator, desk, environment, connection):
    number = desk.buy()
    sync_account(connection)
    with notices_of(simulator) as told:
        desk.broker.fill(number, 3)
    apply_notice(environment, told[0], at=TEN)

    def unaware(tr_id, body):
        if tr_id == "TTTC0081R":
            for line in body["output1"]:
                if line["odno"] == number:
                    body["output2"]["tot_ccld_qty"] = str(int(body["output2"]["tot_ccld_qty"]) - 3)
                    taken = int(body["output2"]["tot_ccld_amt"]) - int(line["tot_ccld_amt"])
                    body["output2"]["tot_ccld_amt"] = str(taken)
                    line.update(tot_ccld_qty="0", tot_ccld_amt="0", avg_prvs="0", rmn_qty="10")

    connection.session.transport = Rewriting(connection.session.transport, unaware)
    sync_account(connection)
    assert (row(number).tot_ccld_qty, row(number).rmn_qty, row(number).status) == (3, 7, Status.PARTIAL)


@pytest.mark.django_db
def test_refusal_after_acceptance_is_told_by_notice_only(simulator, desk, environment):
    with notices_of(simulator) as told:
        sent, receipt = send_buy(desk)
    record_order(environment, sent, receipt, at=TEN)
    refusal = replace(told[0], kind=NoticeKind.REFUSED)
    apply_notice(environment, refusal, at=TEN)
    found = row(receipt.number)
    assert (found.status, found.rjct_qty, found.rmn_qty) == (Status.REJECTED, 10, 0)


@pytest.mark.django_db
def test_rest_of_an_immediate_order_is_cancelled(simulator, desk, environment, connection):
    with notices_of(simulator) as told:
        number = desk.buy(ORD_DVSN="11")
    for notice in told:
        apply_notice(environment, notice, at=TEN)
    assert (row(number).status, row(number).cncl_cfrm_qty, row(number).rmn_qty) == (Status.CANCELLED, 10, 0)
    sync_account(connection)
    assert row(number).status == Status.CANCELLED


@pytest.mark.django_db
def test_notice_of_another_account_of_the_owner_is_not_ours(simulator, desk, environment):
    with notices_of(simulator) as told:
        desk.buy()
    pension = replace(told[0], account=AccountNumber.parse("12345678-22"))
    assert apply_notice(environment, pension, at=TEN) is None
    assert not KisOrderDetail.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("cancels", [True, False])
def test_our_change_of_an_order_belongs_to_its_chain(desk, environment, cancels):
    sent, receipt = send_buy(desk)
    record_order(environment, sent, receipt, at=TEN, name="삼성전자")
    bare = receipt.number.lstrip("0")
    lower = desk.waiting - 1000
    change = (
        Cancellation(receipt.branch, bare)
        if cancels
        else Amendment(receipt.branch, bare, quantity=0, price=lower)
    )
    reply = desk.caller.change(receipt.number, cancel=cancels, ORD_UNPR=str(lower))
    made = record_order(environment, change, receipt_of(reply), at=TEN)
    assert made is not None
    assert (made.orgn_odno, made.ord_qty, made.origin, made.stock_name) == (
        receipt.number,
        10,
        "ours",
        "삼성전자",
    )
    assert made.ord_unpr == (0 if cancels else lower)
    assert [line.odno for line in KisOrderDetail.objects.chain_of(made)] == [receipt.number, made.odno]


@pytest.mark.django_db
def test_change_of_an_order_nobody_knows_waits_for_the_list(desk, environment, connection):
    number = desk.buy()
    reply = desk.caller.change(number)
    assert record_order(environment, Cancellation("", number), receipt_of(reply), at=TEN) is None
    sync_account(connection)
    assert [line.status for line in KisOrderDetail.objects.chain_of(row(number))] == [Status.CANCELLED] * 2


# --- admin ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


LIST = "admin:kis_kisorderdetail_changelist"


@pytest.mark.django_db
def test_admin_shows_orders_and_their_chain_and_changes_nothing(owner, desk, connection):
    first = desk.buy()
    second = desk.amend(first)
    sync_account(connection)
    page = owner.get(reverse(LIST)).content.decode()
    assert "정정됨" in page
    assert "접수" in page
    detail = reverse("admin:kis_kisorderdetail_change", args=[row(second).pk])
    shown = owner.get(detail).content.decode()
    assert shown.index(f">{first}<") < shown.index(f">{second}<")
    assert "12345678" not in page + shown.replace("원본", "").split("raw")[0]
    assert owner.post(detail, {}).status_code == 403
    assert owner.get(reverse("admin:kis_kisorderdetail_add")).status_code == 403
    for asked, count in (
        ({"q": first}, 2),
        ({"q": "삼성"}, 2),
        ({"status": "accepted"}, 1),
        ({"q": "99999"}, 0),
    ):
        assert owner.get(reverse(LIST), asked).context["cl"].result_count == count


@pytest.mark.django_db
def test_admin_takes_no_query_per_order(owner, desk, connection):
    def queries():
        with CaptureQueriesContext(database) as captured:
            owner.get(reverse(LIST))
        return len(captured)

    desk.buy()
    sync_account(connection)
    queries()
    few = queries()
    for _ in range(20):
        desk.buy(1)
    sync_account(connection)
    assert queries() == few


def test_states_of_the_table_are_those_of_the_pure_part():
    assert {status.value for status in Status} == {state.value for state in OrderState}
