"""Orders that nobody waits for any more: settled when the site starts, and after each sync."""

import logging
from collections.abc import Collection
from datetime import datetime

from rich.console import Console

from kis.accounts import configured_accounts
from kis.client.errors import KisError
from kis.connect import Connection
from kis.terminal import INDENT, WARN, line
from trading.desk import Desk, open_desk
from trading.models import PendingOrder
from trading.reconcile import pick_up_leftovers, reconcile
from trading.states import UNSETTLED, State

logger = logging.getLogger(__name__)

NOT_OVER = frozenset({*UNSETTLED, State.ACCEPTED, State.PARTIAL})
HOW = "확인해 주세요: 사이트의 주문 목록, 또는 manage.py reconcile_orders"


def settle_leftovers(*, at: datetime) -> str:
    """Settle what a crash has left behind, without the broker; returns a sentence where something stays unknown."""
    pick_up_leftovers(list(PendingOrder.objects.filter(status=State.SENDING)), at=at)
    count = PendingOrder.objects.unsettled().count()
    return f"결과를 모르는 주문이 {count}건 있어 그 계좌의 새 주문을 막습니다. {HOW}" if count else ""


def settle_after_sync(console: Console, connection: Connection) -> None:
    """Look what became of the orders of a synced account; trouble is told and leaves the sync as it is."""
    desk = Desk(connection)
    try:
        reconcile(desk)
    except KisError as error:
        line(console, INDENT, (f"보낸 주문은 확인하지 못했습니다. {error}", WARN))
    environment = desk.environment
    mine = PendingOrder.objects.of(environment.account, is_paper=environment.is_paper)
    if count := mine.unsettled().count():
        line(console, INDENT, (f"결과를 모르는 주문 {count}건. {HOW}", f"bold {WARN}"))


def settle_all(of: Collection[State] = NOT_OVER) -> None:
    """Look what became of the orders of every account that has one in these states; trouble is in the log."""
    not_over = PendingOrder.objects.filter(status__in=of).order_by()
    keys = set(not_over.values_list("account_no", "product_code", "is_paper"))
    for account in configured_accounts() if keys else ():
        number = account.number
        if account.unused or number is None:
            continue
        if (number.number, number.product_code, account.is_paper) in keys:
            try:
                with open_desk(account.mode, account) as desk:
                    reconcile(desk)
            except KisError:
                logger.exception("The orders of an account could not be looked at")
