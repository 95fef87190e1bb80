"""A list of orders with a page missing proves nothing, though its totals add up: nothing on that page was filled."""

from datetime import date

import pytest

from kis.client.endpoints.account import daily_orders, whole_orders
from kis.client.errors import KisReplyChanged
from tests.kis.syncing import Broker
from tests.trading.conftest import CODE, PASSWORD, TEN, desk_at, make_order
from tests.trading.trades import SAMSUNG
from trading.models import PendingOrder
from trading.reconcile import reconcile
from trading.safe_executor import SafeExecutor
from trading.states import State
from trading.steps import step

pytestmark = pytest.mark.django_db(transaction=True)
FRIDAY = date(2026, 11, 20)
LIST = "VTTC0081R"


@pytest.fixture
def paper(simulator):
    """Return the paper host with nineteen orders that wait: one page of fifteen and a second one."""
    broker = Broker(simulator.paper.url)
    broker.account(100_000_000)
    for _ in range(19):
        broker.post("external-order", {"side": "buy", "code": SAMSUNG, "qty": 1, "price": 50_000})
    return broker


@pytest.fixture
def paper_desk(simulator, clock, posts, paper):
    with desk_at(simulator, clock, posts, mode="paper") as desk:
        yield desk


def test_missing_page_is_noticed_from_the_other_end(paper_desk, paper):
    session = paper_desk.connection.session
    assert len(whole_orders(session, first=FRIDAY, last=FRIDAY)) == 19
    paper.fault(LIST, "drop_page", times=1)
    assert len(daily_orders(session, first=FRIDAY, last=FRIDAY)) == 15
    paper.fault(LIST, "drop_page")
    with pytest.raises(KisReplyChanged, match="빠진 쪽"):
        whole_orders(session, first=FRIDAY, last=FRIDAY)


def test_list_that_moved_between_both_ends_is_read_again(paper_desk, paper):
    paper.fault(LIST, "drop_page", times=1)
    session = paper_desk.connection.session
    assert len(whole_orders(session, first=FRIDAY, last=FRIDAY)) == 19


def test_missing_page_does_not_count_as_absence(paper_desk, paper, clock):
    account = paper_desk.environment.account
    order = make_order(account_no=account.number, product_code=account.product_code, is_paper=True)
    step(order, State.SENDING, at=TEN, what="claimed", values={"claimed_at": TEN, "market_at": TEN})
    step(order, State.UNKNOWN, at=TEN, what="answered")
    paper.clock(TEN.replace(hour=16, minute=5))
    clock.go(hours=6, minutes=5)
    paper.fault(LIST, "drop_page")
    with pytest.raises(KisReplyChanged):
        reconcile(paper_desk)
    assert PendingOrder.objects.get().closed_looks == []


@pytest.mark.usefixtures("with_password")
def test_order_is_not_sent_after_looking_at_a_part_of_the_list(paper_desk, paper, clock, posts):
    account = paper_desk.environment.account
    make_order(account_no=account.number, product_code=account.product_code, is_paper=True)
    clock.go(seconds=5)
    paper.fault(LIST, "drop_page")
    with pytest.raises(KisReplyChanged):
        SafeExecutor(paper_desk).confirm(CODE, given_password=PASSWORD)
    assert posts.calls == []
    assert PendingOrder.objects.get().state is State.ABANDONED
