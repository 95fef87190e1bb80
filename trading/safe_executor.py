"""Guard every order with password and code, and send it at most once (design.md section 9)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User

from kis.client.codes import Mode
from kis.client.endpoints.account import whole_orders
from kis.client.errors import KisError
from kis.client.records.orders import Side
from kis.known_secrets import remember
from kis.orders import wire_number
from trading import confirmation, password
from trading.confirmation import take_waiting, withdraw
from trading.desk import Desk, open_desk
from trading.drafts import CancelDraft, Draft
from trading.errors import OrderRefused, Unsettled
from trading.facts import gather, gather_for_cancel, rules_of
from trading.journal import Outcome
from trading.limits import Refusal, refusals, refusals_of_cancel
from trading.models import PendingOrder
from trading.orders import Proposal, propose, propose_cancel, waiting_orders
from trading.parser import CancelWish, OrderWish
from trading.sending import CLIENT_SIDES, claim, send
from trading.worker_guard import refuse_workers


class SafeExecutor:
    """Orders of one account behind the trading password. `may_trade` is False for a user without the permission."""

    def __init__(
        self,
        desk: Desk,
        *,
        source: PendingOrder.Source = PendingOrder.Source.TERMINAL,
        user: User | None = None,
        may_trade: bool = True,
    ) -> None:
        self.desk = desk
        self.source = source
        self.user = user
        self.may_trade = may_trade

    def propose(self, wish: OrderWish | CancelWish, *, given_password: str) -> Proposal:
        """Show an order before it is one. Raises WrongPassword and all that `trading.orders` raises."""
        refuse_workers()
        remember(given_password)
        password.check(given_password, at=self.desk.wall())
        if isinstance(wish, CancelWish):
            return propose_cancel(
                wish, desk=self.desk, source=self.source, user=self.user, may_trade=self.may_trade
            )
        return propose(wish, desk=self.desk, source=self.source, user=self.user, may_trade=self.may_trade)

    def confirm(self, code: str, *, given_password: str, order: PendingOrder | None = None) -> Outcome:
        """Send the order that waits for this code, and return what is certain about it.

        Raises what `confirmation.confirm` raises, OrderRefused, Unsettled and AlreadyTaken: nothing was sent then.
        """
        refuse_workers()
        remember(given_password, code)
        at = self.desk.wall()
        waiting = waiting_orders(self.desk)
        order = take_waiting([each for each in waiting if order is None or each.pk == order.pk], at=at)
        confirmation.confirm(order, given_password=given_password, given_code=code, at=at)
        return execute(order, desk=self.desk, may_trade=self.may_trade)


def execute(order: PendingOrder, *, desk: Desk, may_trade: bool) -> Outcome:
    """Pass the gates once more, look at what the broker has, claim the order, and send it.

    A code is good for one attempt: an order that a gate or the broker's silence stops here is given up.
    """
    refuse_workers()
    session = desk.connection.session
    try:
        reasons = refused_by(order, desk=desk, may_trade=may_trade)
        token = session.token()
        today = desk.market_now().date()
        known = [
            (row.branch, wire_number(row.number)) for row in whole_orders(session, first=today, last=today)
        ]
    except KisError as error:
        withdraw(order, at=desk.wall(), reason=str(error))
        raise
    if reasons:
        refused = OrderRefused([reason.message for reason in reasons])
        withdraw(order, at=desk.wall(), reason=str(refused))
        raise refused
    try:
        claim(order, desk=desk, known_before=known)
    except Unsettled as error:
        withdraw(order, at=desk.wall(), reason=str(error))
        raise
    return send(order, desk=desk, token=token, budget=session.budget)


def refused_by(order: PendingOrder, *, desk: Desk, may_trade: bool) -> list[Refusal]:
    """Return the gates that an order does not pass now; everything it is measured by is asked for anew."""
    rules = rules_of(desk)
    if order.is_cancel:
        cancel = CancelDraft(
            order.stock_code, order.stock_name, order.origin_branch, order.origin_number, order.wire_exchange
        )
        return refusals_of_cancel(gather_for_cancel(cancel, desk=desk, may_trade=may_trade), rules)
    draft = Draft(CLIENT_SIDES[order.side], order.stock_code, order.stock_name, order.quantity, order.price)
    return refusals(draft, gather(draft, desk=desk, may_trade=may_trade, but_for=order), rules)


class RealTradingClient:
    """Orders from Python: `result = client.sell("006340", 1)`, then `client.confirm(result.code)`, in any process.

    Every call opens the account anew; what waits for its code is in the database.
    """

    def __init__(self, trading_password: str, *, account: str = "", mode: Mode = "real") -> None:
        self._password = trading_password
        self.account = account
        self.mode: Mode = mode

    def buy(self, code: str, quantity: int, price: int | None = None, *, name: str = "") -> Proposal:
        """Propose to buy; without a price at the market."""
        return self.propose(OrderWish(Side.BUY, code, name, quantity, price))

    def sell(self, code: str, quantity: int, price: int | None = None, *, name: str = "") -> Proposal:
        """Propose to sell; without a price at the market."""
        return self.propose(OrderWish(Side.SELL, code, name, quantity, price))

    def cancel(self, code: str, number: str) -> Proposal:
        """Propose to cancel all that is left of an open order."""
        return self.propose(CancelWish(code, number))

    def confirm(self, code: str) -> Outcome:
        """Send what waits for this code."""
        with self.executor() as executor:
            return executor.confirm(code, given_password=self._password)

    def propose(self, wish: OrderWish | CancelWish) -> Proposal:
        with self.executor() as executor:
            return executor.propose(wish, given_password=self._password)

    @contextmanager
    def executor(self) -> Iterator[SafeExecutor]:
        with open_desk(self.mode, self.account) as desk:
            yield SafeExecutor(desk, source=PendingOrder.Source.PYTHON)
