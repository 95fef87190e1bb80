"""What was left unknown is settled by complete inquiries or by the owner, never by a guess."""

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from kis.client.errors import KisError
from kis.korean import SEOUL
from kis.orders import wire_number
from tests.kis.conftest import Caller
from tests.trading.conftest import PASSWORD, TEN, make_order
from tests.trading.trades import SAMSUNG, arrived, buy_wish, events_of
from trading import journal
from trading.errors import CannotAdopt
from trading.models import OrderEvent, PendingOrder
from trading.parser import CancelWish
from trading.reconcile import BETWEEN_LOOKS, adopt, disown, note_absence, reconcile
from trading.safe_executor import SafeExecutor
from trading.sending import SURELY_OVER, claim
from trading.states import State
from trading.steps import step

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("with_password", "real_enabled"),
]
BUY, ORDERS = "TTTC0012U", "TTTC0081R"
CLOSED = datetime.combine(TEN.date(), time(16, 30), SEOUL)


@pytest.fixture
def buy(desk, clock):
    def buy(**how):
        executor = SafeExecutor(desk)
        proposal = executor.propose(buy_wish(desk, **how), given_password=PASSWORD)
        clock.go(seconds=5)
        executor.confirm(proposal.code, given_password=PASSWORD)
        return PendingOrder.objects.get(pk=proposal.order.pk)

    return buy


@pytest.fixture
def lost(buy, broker):
    """Buy with a reply that gets lost; `reached` says whether the exchange has the order."""

    def lost(*, reached=True, **how):
        broker.fault(BUY, "reset_after" if reached else "reset_before", times=1)
        return buy(**how)

    return lost


@pytest.fixture
def phone(simulator):
    """Order from elsewhere, as the phone app does."""
    caller = Caller(simulator.real)

    def order(like, side="buy"):
        reply = caller.order(side, ORD_QTY=str(like.quantity), ORD_UNPR=str(like.price)).json()
        assert reply["rt_cd"] == "0", reply
        return wire_number(reply["output"]["ODNO"])

    return order


def state_of(order):
    return PendingOrder.objects.get(pk=order.pk).state


def candidates(desk):
    [found] = [each for each in reconcile(desk) if each.order.state is State.UNKNOWN]
    return [wire_number(row.number) for row in found.candidates]


def test_nothing_to_do_asks_nobody(desk):
    before = desk.connection.session.requests
    assert reconcile(desk) == []
    assert desk.connection.session.requests == before


def test_lost_order_is_shown_and_never_taken_for_ours_by_itself(desk, lost, broker):
    order = lost()
    [there] = arrived(broker)
    assert candidates(desk) == [there["odno"]]
    assert state_of(order) is State.UNKNOWN


def test_owner_adopts_it(desk, lost, broker):
    order = lost()
    [there] = arrived(broker)
    adopt(order, there["odno"].lstrip("0"), desk=desk, by="소유자")
    row = PendingOrder.objects.get()
    assert (row.state, row.odno, row.ord_dt) == (State.ACCEPTED, there["odno"], TEN.date())
    assert OrderEvent.objects.get(what="adopted").detail["by"] == "소유자"


def test_order_from_the_phone_that_looks_the_same_is_a_candidate_too(desk, lost, phone, broker):
    order = lost(off=-4)
    twin = phone(order)
    [mine] = [there["odno"] for there in arrived(broker) if there["odno"] != twin]
    assert candidates(desk) == [mine, twin]
    disown(order, twin, desk=desk, by="소유자")
    assert candidates(desk) == [mine]
    with pytest.raises(CannotAdopt, match="후보가 아닙니다"):
        adopt(PendingOrder.objects.get(), twin, desk=desk, by="소유자")


def test_what_was_there_before_or_goes_the_other_way_is_no_candidate(desk, buy, lost, phone):
    first = buy(off=-4)
    order = lost(reached=False, off=-4)
    phone(PendingOrder(quantity=1, price=first.price + 8000), side="sell")
    assert candidates(desk) == []
    assert state_of(order) is State.UNKNOWN


def test_likeliest_candidate_comes_first(desk, lost, phone, broker):
    order = lost(off=-4, quantity=2)
    other = phone(PendingOrder(quantity=9, price=order.price))
    [mine] = [there["odno"] for there in arrived(broker) if there["odno"] != other]
    assert candidates(desk) == [mine, other]


def test_order_that_never_arrived_is_settled_by_two_looks_after_the_close(desk, lost, broker, clock):
    order = lost(reached=False)
    assert candidates(desk) == []
    assert state_of(order) is State.UNKNOWN
    broker.clock(CLOSED)
    reconcile(desk)
    reconcile(desk)  # too soon after the first one
    assert state_of(order) is State.UNKNOWN
    clock.now += BETWEEN_LOOKS
    reconcile(desk)
    assert state_of(order) is State.NOT_PLACED


def test_while_a_candidate_is_left_it_stays_unknown(desk, lost, broker, clock):
    order = lost()
    broker.clock(CLOSED)
    for _ in range(3):
        assert len(candidates(desk)) == 1
        clock.now += BETWEEN_LOOKS
    assert state_of(order) is State.UNKNOWN


def test_next_day_the_day_of_the_order_is_asked_for(desk, lost, broker, clock):
    order = lost()
    broker.clock(CLOSED + timedelta(days=3))
    [there] = arrived(broker)
    assert candidates(desk) == [there["odno"]]
    adopt(order, there["odno"], desk=desk, by="소유자")
    assert PendingOrder.objects.get().ord_dt == TEN.date()


@pytest.mark.parametrize("kind", ["http_500_before", "rename_field:odno:odn", "truncate"])
def test_incomplete_inquiry_changes_nothing(desk, lost, phone, broker, clock, kind):  # noqa: PLR0917
    phone(PendingOrder(quantity=1, price=60_000), side="sell")
    lost(reached=False)
    broker.clock(CLOSED)
    before = PendingOrder.objects.values().get()
    broker.fault(ORDERS, kind)
    for _ in range(3):
        with pytest.raises(KisError):
            reconcile(desk)
        clock.now += BETWEEN_LOOKS
    assert PendingOrder.objects.values().get() == before


# --- orders whose number is known ----------------------------------------------------------------------------------


def test_fills_are_followed(desk, buy, broker):
    order = buy(quantity=5, off=-4)
    reconcile(desk)
    assert state_of(order) is State.ACCEPTED
    broker.fill(order.odno, 2)
    reconcile(desk)
    reconcile(desk)
    assert state_of(order) is State.PARTIAL
    broker.fill(order.odno, 3)
    reconcile(desk)
    assert state_of(order) is State.FILLED
    assert reconcile(desk) == []
    assert events_of(order)[-2:] == ["followed", "followed"]


def test_cancellation_from_the_phone_is_followed(desk, buy, simulator):
    order = buy(off=-4)
    Caller(simulator.real).change(order.odno)
    reconcile(desk)
    assert state_of(order) is State.CANCELLED


def test_amendment_from_the_phone_is_followed(desk, buy, simulator):
    order = buy(off=-4)
    price = str(order.price // 1000 * 1000 - 2000)
    assert Caller(simulator.real).change(order.odno, cancel=False, ORD_UNPR=price).json()["rt_cd"] == "0"
    reconcile(desk)
    row = PendingOrder.objects.get(pk=order.pk)
    assert row.state is State.CANCELLED
    assert "정정" in row.reason


def test_order_that_lapsed_is_followed(desk, buy, broker):
    order = buy(off=-4)
    broker.clock(CLOSED)
    reconcile(desk)
    assert state_of(order) is State.EXPIRED


def test_order_that_the_list_does_not_have_stays_as_it_is(desk, buy, broker):
    order = buy(off=-4)
    broker.account(100_000_000)
    reconcile(desk)
    assert state_of(order) is State.ACCEPTED


def test_look_at_an_order_that_was_settled_meanwhile_is_not_counted(desk, lost, broker):
    order = lost(reached=False)
    late = PendingOrder.objects.get()
    PendingOrder.objects.filter(pk=order.pk).update(status=State.NOT_PLACED)
    note_absence(late, at=TEN)
    assert (late.closed_looks, state_of(order)) == ([], State.NOT_PLACED)


# --- leftovers of a crash ------------------------------------------------------------------------------------------


def receipt_of(order):
    return journal.outcome(
        order, State.ACCEPTED, at=TEN, reason="주문 전송 완료", branch="06010", number="0000000042"
    )


@pytest.fixture
def dying(desk):
    """Claim an order and die."""
    order = make_order()
    claim(order, desk=desk, known_before=[])
    return order


def test_sender_that_may_still_be_alive_is_left_alone(desk, dying, clock):
    reconcile(desk)
    clock.now += SURELY_OVER - timedelta(seconds=1)
    reconcile(desk)
    assert state_of(dying) is State.SENDING


def test_sender_that_died_leaves_an_unknown_order(desk, dying, clock):
    clock.now += SURELY_OVER
    reconcile(desk)
    assert state_of(dying) is State.UNKNOWN
    assert events_of(dying)[-1] == "left_behind"


def test_journal_of_a_sender_that_died_is_believed(desk, dying):
    journal.write(receipt_of(dying))
    reconcile(desk)
    row = PendingOrder.objects.get()
    assert (row.state, row.odno, row.ord_dt) == (State.ACCEPTED, "0000000042", TEN.date())


def test_order_given_up_elsewhere_is_proven_by_our_journal(desk, dying, clock):
    clock.now += SURELY_OVER
    reconcile(desk)
    assert state_of(dying) is State.UNKNOWN
    journal.write(receipt_of(dying))
    reconcile(desk)
    assert state_of(dying) is State.ACCEPTED


def test_number_in_the_journal_that_another_order_has_proves_nothing(desk, dying, clock):
    clock.now += SURELY_OVER
    reconcile(desk)
    taken = make_order()
    # Two orders of one account with one number: only a broker that repeats itself can bring that about.
    step(
        taken,
        State.ABANDONED,
        at=TEN,
        what="test",
        values={"odno": "0000000042", "branch": "06010", "ord_dt": TEN.date()},
    )
    journal.write(receipt_of(dying))
    reconcile(desk)
    assert state_of(dying) is State.UNKNOWN


def test_journal_of_the_same_row_in_another_database_is_not_believed(desk, dying, clock):
    """The demo has a database of its own and the same journal."""
    journal.write(replace(receipt_of(dying), key="another"))
    clock.now += SURELY_OVER
    reconcile(desk)
    assert state_of(dying) is State.UNKNOWN


# --- the owner's word ----------------------------------------------------------------------------------------------


def test_only_an_unknown_order_can_be_adopted(desk, buy):
    order = buy(off=-4)
    for say in (adopt, disown):
        with pytest.raises(CannotAdopt, match="결과를 모르는 주문이 아닙니다"):
            say(order, order.odno, desk=desk, by="소유자")


def test_somebody_else_settled_it_meanwhile(desk, lost, broker, monkeypatch):
    order = lost()
    [there] = arrived(broker)
    late = PendingOrder.objects.get()
    row = reconcile(desk)[0].candidates[0]
    adopt(order, there["odno"], desk=desk, by="하나")
    for say in (adopt, disown):
        with pytest.raises(CannotAdopt, match="후보가 아닙니다"):
            say(late, there["odno"], desk=desk, by="둘")
    # In the very same moment: the database decides.
    monkeypatch.setattr("trading.reconcile.candidate", lambda order, number, *, desk: row)
    for say in (adopt, disown):
        with pytest.raises(CannotAdopt, match="그 사이에"):
            say(late, there["odno"], desk=desk, by="둘")


def test_number_that_another_order_took_in_the_same_moment(desk, lost, broker, monkeypatch):
    lost()
    order = PendingOrder.objects.get()
    [found] = reconcile(desk)
    taken = make_order()
    number = {"odno": wire_number(found.candidates[0].number), "branch": found.candidates[0].branch}
    step(taken, State.ABANDONED, at=TEN, what="test", values={**number, "ord_dt": TEN.date()})
    monkeypatch.setattr("trading.reconcile.candidate", lambda order, number, *, desk: found.candidates[0])
    with pytest.raises(CannotAdopt, match="그 사이에"):
        adopt(order, number["odno"], desk=desk, by="소유자")
    assert state_of(order) is State.UNKNOWN


def test_lost_cancellation_is_found_by_the_order_it_is_about(desk, buy, broker, clock):
    order = buy(off=-4)
    executor = SafeExecutor(desk)
    proposal = executor.propose(CancelWish(SAMSUNG, order.odno), given_password=PASSWORD)
    clock.go(seconds=5)
    broker.fault("TTTC0013U", "reset_after", times=1)
    executor.confirm(proposal.code, given_password=PASSWORD)
    found = {each.order.pk: each for each in reconcile(desk)}
    [row] = found[proposal.order.pk].candidates
    cancel = PendingOrder.objects.get(pk=proposal.order.pk)
    adopt(cancel, row.number, desk=desk, by="소유자")
    assert state_of(order) is State.CANCELLED
    reconcile(desk)
    assert state_of(cancel) is State.CANCELLED
