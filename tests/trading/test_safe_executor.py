"""From a wish to the exchange: what arrives there, and what is known of it afterwards."""

import pytest

from kis.client.errors import KisUnreachable
from kis.client.records.orders import Side
from kis.models import KisOrderDetail, Stock
from tests.trading.conftest import PASSWORD, TEN, make_order
from tests.trading.trades import SAMSUNG, arrived, buy_wish, events_of, last_price
from trading import hint, journal, kill_switch, sending
from trading.errors import (
    DraftImpossible,
    NotConfirmed,
    NothingToConfirm,
    OrderRefused,
    TooEarly,
    UnknownOrder,
    Unsettled,
    WrongPassword,
    WrongStock,
)
from trading.models import PendingOrder
from trading.parser import CancelWish, OrderWish
from trading.safe_executor import SafeExecutor
from trading.states import State

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("with_password", "real_enabled"),
]
BUY, CANCEL = "TTTC0012U", "TTTC0013U"


@pytest.fixture
def executor(desk):
    return SafeExecutor(desk)


@pytest.fixture
def ask(executor, clock):
    """Propose a wish, read the preview, and return the proposal."""

    def ask(wish):
        proposal = executor.propose(wish, given_password=PASSWORD)
        clock.go(seconds=5)
        return proposal

    return ask


@pytest.fixture
def buy(executor, desk, ask):
    """Buy Samsung through all steps and return the order, and what is certain about it."""

    def buy(**how):
        proposal = ask(buy_wish(desk, **how))
        outcome = executor.confirm(proposal.code, given_password=PASSWORD)
        return PendingOrder.objects.get(pk=proposal.order.pk), outcome

    return buy


def test_order_arrives_once_and_exactly_as_shown(desk, executor, clock, broker, posts):
    proposal = executor.propose(buy_wish(desk, quantity=3), given_password=PASSWORD)
    assert arrived(broker) == []
    assert hint.read() == proposal.order.pk
    clock.go(seconds=5)

    outcome = executor.confirm(proposal.code, given_password=PASSWORD)

    order = PendingOrder.objects.get()
    assert (outcome.state, order.state) == (State.ACCEPTED, State.ACCEPTED)
    [there] = arrived(broker)
    assert (there["side"], there["code"], there["qty"], there["price"]) == ("buy", SAMSUNG, 3, order.price)
    assert int(there["odno"]) == int(order.odno)
    assert len(posts.calls) == 1
    assert hint.read() is None
    assert journal.last_of(order).number == order.odno
    assert events_of(order) == ["proposed", "claimed", "answered"]
    detail = KisOrderDetail.objects.get()
    assert (detail.odno, detail.origin) == (order.odno, KisOrderDetail.Origin.OURS)


def test_market_order_to_sell(executor, ask, broker):
    proposal = ask(OrderWish(Side.SELL, SAMSUNG, "삼성전자", 2, None))
    executor.confirm(proposal.code, given_password=PASSWORD)
    [there] = arrived(broker)
    assert (there["side"], there["qty"], there["kind"]) == ("sell", 2, "01")
    assert "시장가" in "\n".join(proposal.lines)


def test_code_works_once(executor, desk, ask, broker):
    proposal = ask(buy_wish(desk))
    executor.confirm(proposal.code, given_password=PASSWORD)
    with pytest.raises(NothingToConfirm):
        executor.confirm(proposal.code, given_password=PASSWORD)
    assert len(arrived(broker)) == 1


def test_nothing_is_shown_without_the_password(executor, desk):
    with pytest.raises(WrongPassword):
        executor.propose(buy_wish(desk), given_password="wrong")
    assert not PendingOrder.objects.exists()


def test_code_is_neither_stored_nor_shown_again(ask, desk):
    proposal = ask(buy_wish(desk))
    assert proposal.code not in repr(proposal)
    assert proposal.code not in hint.file().read_text()
    row = PendingOrder.objects.values().get()
    assert proposal.code not in str(row)
    assert hint.file().stat().st_mode & 0o777 == 0o600


def test_wrong_code_sends_nothing(executor, ask, desk, broker):
    ask(buy_wish(desk))
    with pytest.raises(NotConfirmed):
        executor.confirm("AAAA", given_password=PASSWORD)
    assert arrived(broker) == []


def test_new_order_takes_the_place_of_the_one_that_waited(executor, ask, desk, broker):
    first = ask(buy_wish(desk))
    second = ask(buy_wish(desk, quantity=2))
    with pytest.raises(NotConfirmed):
        executor.confirm(first.code, given_password=PASSWORD)
    executor.confirm(second.code, given_password=PASSWORD)
    assert [there["qty"] for there in arrived(broker)] == [2]
    assert PendingOrder.objects.get(pk=first.order.pk).state is State.ABANDONED


def test_order_whose_time_was_over_makes_way_as_expired(ask, desk, clock):
    first = ask(buy_wish(desk))
    clock.go(minutes=10)
    ask(buy_wish(desk))
    assert PendingOrder.objects.get(pk=first.order.pk).state is State.EXPIRED


def test_confirming_another_order_than_the_one_that_waits(executor, ask, desk):
    proposal = ask(buy_wish(desk))
    other = PendingOrder(pk=proposal.order.pk + 1)
    with pytest.raises(NothingToConfirm):
        executor.confirm(proposal.code, given_password=PASSWORD, order=other)


def test_too_quick_for_anybody_to_have_read_it(executor, desk, broker):
    proposal = executor.propose(buy_wish(desk), given_password=PASSWORD)
    with pytest.raises(TooEarly):
        executor.confirm(proposal.code, given_password=PASSWORD)
    assert arrived(broker) == []


# --- gates -----------------------------------------------------------------------------------------------------------


def test_gates_are_passed_before_anything_is_shown(executor, desk, settings):
    settings.REAL_TRADING_ENABLED = False
    kill_switch.turn_on("점검", at=TEN, by="test")
    with pytest.raises(OrderRefused) as caught:
        executor.propose(buy_wish(desk, quantity=1000), given_password=PASSWORD)
    assert "REAL_TRADING_ENABLED" in str(caught.value)
    assert "kill_switch off" in str(caught.value)
    assert "ORDER_MAX_AMOUNT" in str(caught.value)
    assert not PendingOrder.objects.exists()


def test_gates_are_passed_again_before_sending(executor, ask, desk, broker):
    proposal = ask(buy_wish(desk))
    kill_switch.turn_on("점검", at=TEN, by="test")
    with pytest.raises(OrderRefused, match="주문 중지"):
        executor.confirm(proposal.code, given_password=PASSWORD)
    order = PendingOrder.objects.get()
    assert order.state is State.ABANDONED
    assert "주문 중지" in order.reason
    assert arrived(broker) == []


def test_price_that_moved_away_meanwhile_stops_the_order(executor, ask, desk, broker):
    proposal = ask(buy_wish(desk))
    broker.post("price", {"code": SAMSUNG, "price": last_price(desk) // 1000 * 1000 - 10_000})
    with pytest.raises(OrderRefused, match="벗어납니다"):
        executor.confirm(proposal.code, given_password=PASSWORD)
    assert arrived(broker) == []


def test_limit_of_the_day_counts_what_was_sent(executor, desk, buy, settings):
    settings.ORDER_DAY_MAX_AMOUNT = last_price(desk) * 3
    buy(quantity=2)
    with pytest.raises(OrderRefused, match="ORDER_DAY_MAX_AMOUNT"):
        executor.propose(buy_wish(desk, quantity=2), given_password=PASSWORD)


def test_user_without_permission(desk):
    executor = SafeExecutor(desk, may_trade=False)
    with pytest.raises(OrderRefused, match="권한"):
        executor.propose(buy_wish(desk), given_password=PASSWORD)


@pytest.mark.parametrize(
    ("wish", "error", "told"),
    [
        (OrderWish(Side.BUY, SAMSUNG, "하이닉스", 1, 50_000), WrongStock, "삼성전자"),
        (OrderWish(Side.BUY, "999999", "", 1, 50_000), WrongStock, "999999"),
        (OrderWish(Side.BUY, SAMSUNG, "", 0, 50_000), DraftImpossible, "1주"),
    ],
)
def test_wish_that_cannot_be(executor, wish, error, told):
    with pytest.raises(error, match=told):
        executor.propose(wish, given_password=PASSWORD)


def test_name_of_another_stock_shows_both(executor):
    Stock.objects.create(
        code="000660", name="SK하이닉스", market="KOSPI", kind="stock", source="master", updated_at=TEN
    )
    with pytest.raises(WrongStock, match="SK하이닉스의 종목코드는 000660"):
        executor.propose(OrderWish(Side.BUY, SAMSUNG, "sk 하이닉스", 1, 50_000), given_password=PASSWORD)


def test_broker_that_does_not_answer_before_the_claim_costs_the_code(executor, ask, desk, broker):
    proposal = ask(buy_wish(desk))
    broker.fault("TTTC0081R", "http_500_before")
    with pytest.raises(KisUnreachable):
        executor.confirm(proposal.code, given_password=PASSWORD)
    assert PendingOrder.objects.get().state is State.ABANDONED
    assert arrived(broker) == []


# --- what comes back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reset_after", "http_500_after", "truncate", "bad_json", "drop_field:ODNO"])
def test_lost_reply_leaves_the_order_unknown(buy, broker, kind):
    broker.fault(BUY, kind)
    order, outcome = buy()
    assert (outcome.state, order.state) == (State.UNKNOWN, State.UNKNOWN)
    assert "다시 주문하지 마시고" in order.reason
    assert len(arrived(broker)) == 1
    assert journal.last_of(order).state is State.UNKNOWN


@pytest.mark.parametrize(
    "kind", ["reset_before", "http_500_before", "html_page", "redirect_307", "maintenance"]
)
def test_answer_that_proves_nothing_leaves_it_unknown_too(buy, broker, kind):
    broker.fault(BUY, kind)
    order, _ = buy()
    assert order.state is State.UNKNOWN
    assert arrived(broker) == []


def test_nothing_is_ordered_while_an_order_is_unknown(executor, buy, ask, desk, broker):
    broker.fault(BUY, "reset_after", times=1)
    buy()
    with pytest.raises(OrderRefused, match="reconcile_orders"):
        ask(buy_wish(desk))
    waited = make_order(made_at=TEN)
    with pytest.raises(Unsettled):
        sending.claim(waited, desk=desk, known_before=[])
    assert len(arrived(broker)) == 1


def test_second_unknown_order_trips_the_switch(buy, broker, desk):
    broker.fault(BUY, "reset_before", times=1)
    order, _ = buy()
    PendingOrder.objects.filter(pk=order.pk).update(status=State.NOT_PLACED)
    assert not kill_switch.read().is_on
    broker.fault(BUY, "reset_before", times=1)
    buy()
    assert kill_switch.read().is_on


@pytest.mark.parametrize("kind", ["rate_limited", "token_expired"])
def test_clear_no_is_a_rejection(buy, broker, kind):
    broker.fault(BUY, kind, times=1)
    order, _ = buy()
    assert order.state is State.REJECTED
    assert "거절했습니다" in order.reason
    assert arrived(broker) == []


def test_host_that_cannot_be_reached_means_not_sent(buy, posts, broker):
    class Nobody:
        def send(self, request, *, timeout_seconds):
            raise KisUnreachable("연결하지 못했습니다", never_sent=True)

        def close(self):
            pass

    posts.make = Nobody
    order, outcome = buy()
    assert (outcome.state, order.state) == (State.NOT_SENT, State.NOT_SENT)
    assert "아무것도 전달되지" in order.reason
    assert arrived(broker) == []


# --- cancellations ---------------------------------------------------------------------------------------------------


def test_cancellation_takes_back_all_that_is_left(executor, buy, ask, broker, desk):
    order, _ = buy(quantity=5, off=-4)
    proposal = ask(CancelWish(SAMSUNG, order.odno.lstrip("0")))
    assert "5주 (남은 수량 전부)" in "\n".join(proposal.lines)
    outcome = executor.confirm(proposal.code, given_password=PASSWORD)
    assert outcome.state is State.ACCEPTED
    assert broker.order(order.odno)["cancelled"] == 5


def test_cancellation_passes_the_switch_and_an_unknown_order(executor, buy, ask, broker, desk):
    order, _ = buy(quantity=5, off=-4)
    broker.fault(BUY, "reset_before", times=1)
    unknown, _ = buy(quantity=1)
    assert unknown.state is State.UNKNOWN
    kill_switch.turn_on("점검", at=TEN, by="test")
    proposal = ask(CancelWish(SAMSUNG, order.odno))
    assert executor.confirm(proposal.code, given_password=PASSWORD).state is State.ACCEPTED
    assert broker.order(order.odno)["cancelled"] == 5


def test_only_open_orders_can_be_cancelled(executor, buy, broker):
    with pytest.raises(UnknownOrder, match="취소할 수 있는 주문이 없습니다"):
        executor.propose(CancelWish(SAMSUNG, "77"), given_password=PASSWORD)
    order, _ = buy(off=-4)
    number = order.odno.lstrip("0")
    with pytest.raises(UnknownOrder, match=f"005930 삼성전자 {number}"):
        executor.propose(CancelWish(SAMSUNG, "77777"), given_password=PASSWORD)
    with pytest.raises(UnknownOrder, match="종목코드를 확인"):
        executor.propose(CancelWish("000660", number), given_password=PASSWORD)


def test_cancellation_is_refused_where_cancelling_is(executor, buy, settings):
    order, _ = buy(off=-4)
    settings.REAL_TRADING_ENABLED = False
    with pytest.raises(OrderRefused, match="REAL_TRADING_ENABLED"):
        executor.propose(CancelWish(SAMSUNG, order.odno), given_password=PASSWORD)
