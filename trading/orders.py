"""Propose orders and cancellations: everything is checked and shown, and waits for its code."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast, get_args

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from kis.client.endpoints.account import unfilled_orders
from kis.client.records.orders import UnfilledRecord
from kis.known_secrets import remember
from kis.orders import same_number, wire_number
from kis.portfolio.costs import Market
from kis.sync.costs import MARKETS
from trading import audit, codes, hint
from trading.confirmation import expire, withdraw
from trading.desk import Desk
from trading.drafts import CancelDraft, Draft, Exchange
from trading.errors import AlreadyTaken, OrderRefused, UnknownOrder
from trading.facts import gather, gather_for_cancel, rules_of
from trading.limits import Refusal, refusals, refusals_of_cancel
from trading.models import PendingOrder
from trading.parser import CancelWish, OrderWish
from trading.preview import cancel_lines, lines, preview
from trading.reconcile import MODEL_SIDES
from trading.states import State
from trading.stocks import identify

logger = logging.getLogger(__name__)
REPLACED = "새 주문을 입력해 이 주문은 그만두었습니다."


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order that waits for its code. The code is nowhere else: whoever shows it shows it once."""

    order: PendingOrder
    code: str = field(repr=False)
    lines: tuple[str, ...]


def propose(
    wish: OrderWish,
    *,
    desk: Desk,
    source: PendingOrder.Source,
    user: User | None = None,
    may_trade: bool = True,
) -> Proposal:
    """Check a wish and let it wait for its code. An order of this account that waited is given up.

    Raises WrongStock, OrderRefused with every reason, DraftImpossible, PreviewImpossible, KisError.
    """
    stock = identify(desk.connection.session, code=wish.code, name=wish.name, at=desk.wall())
    draft = Draft(wish.side, stock.code, stock.name, wish.quantity, wish.price or 0)
    rules = rules_of(desk)
    facts = gather(draft, desk=desk, may_trade=may_trade)
    refuse(refusals(draft, facts, rules))
    # Sale tax of a market that nobody knows is taken for the highest there is, that of KOSPI and KOSDAQ.
    market: Market = MARKETS.get(stock.market, "KOSPI")
    shown = preview(draft, facts, rules, account=desk.environment.account, market=market)
    return write(
        desk=desk,
        source=source,
        user=user,
        shown=lines(shown),
        content={
            "kind": PendingOrder.Kind.ORDER,
            "side": MODEL_SIDES[draft.side],
            "stock_code": draft.code,
            "stock_name": draft.name,
            "quantity": draft.quantity,
            "price": draft.price,
            "amount": shown.counted,
        },
    )


def propose_cancel(
    wish: CancelWish,
    *,
    desk: Desk,
    source: PendingOrder.Source,
    user: User | None = None,
    may_trade: bool = True,
) -> Proposal:
    """Check a wish to cancel all that is left of an open order. Raises UnknownOrder, OrderRefused, KisError."""
    found = open_order(wish, desk=desk)
    draft = CancelDraft(
        code=found.code,
        name=found.name,
        branch=found.branch,
        number=wire_number(found.number),
        exchange=exchange_of(found),
    )
    facts = gather_for_cancel(draft, desk=desk, may_trade=may_trade)
    refuse(refusals_of_cancel(facts, rules_of(desk)))
    return write(
        desk=desk,
        source=source,
        user=user,
        shown=cancel_lines(draft, found, facts=facts, account=desk.environment.account),
        content={
            "kind": PendingOrder.Kind.CANCEL,
            "side": MODEL_SIDES[found.side],
            "stock_code": draft.code,
            "stock_name": draft.name,
            "quantity": 0,
            "price": 0,
            "exchange": draft.exchange,
            "origin_branch": draft.branch,
            "origin_number": draft.number,
        },
    )


def refuse(reasons: Sequence[Refusal]) -> None:
    if reasons:
        raise OrderRefused([reason.message for reason in reasons], gates=[reason.gate for reason in reasons])


def open_order(wish: CancelWish, *, desk: Desk) -> UnfilledRecord:
    """Return the open order of the broker that is meant. Raises UnknownOrder naming those there are."""
    waiting = unfilled_orders(desk.connection.session, today=desk.market_now().date())
    of_number = [row for row in waiting if same_number(row.number, wish.number)]
    found = [row for row in of_number if bare(row.code) == bare(wish.code)]
    if len(found) == 1:
        return found[0]
    if of_number:
        raise UnknownOrder(
            f"주문번호 {wish.number}은(는) {of_number[0].name}({of_number[0].code})의 주문입니다. 종목코드를 확인해 주세요."
        )
    named = ", ".join(f"{row.code} {row.name} {row.number.lstrip('0')}" for row in waiting[:5])
    there_are = f"지금 취소할 수 있는 주문: {named}" if named else "지금 취소할 수 있는 주문이 없습니다."
    raise UnknownOrder(f"주문번호 {wish.number}의 미체결 주문이 없습니다. {there_are}")


def bare(code: str) -> str:
    """Return a code without the Q of an ETN, which some answers leave out."""
    return code.removeprefix("Q")


def exchange_of(row: UnfilledRecord) -> Exchange:
    return cast("Exchange", row.exchange) if row.exchange in get_args(Exchange) else "KRX"


def write(
    *,
    desk: Desk,
    source: PendingOrder.Source,
    user: User | None,
    shown: Sequence[str],
    content: dict[str, Any],
) -> Proposal:
    """Store an order with its code. Raises AlreadyTaken where another one of this account came at the same moment."""
    at, environment, code = desk.wall(), desk.environment, codes.new_code()
    remember(code)
    give_up_waiting(desk)
    try:
        with transaction.atomic(durable=True):
            order = PendingOrder.objects.create(
                account_no=environment.account.number,
                product_code=environment.account.product_code,
                is_paper=environment.is_paper,
                made_at=at,
                expires_at=at + timedelta(seconds=settings.ORDER_CODE_TTL_SECONDS),
                made_by=user,
                source=source,
                preview={"lines": list(shown)},
                code_hash="-",  # the real one needs the number of the row
                **content,
            )
            order.code_hash = codes.hash_of(code, pk=order.pk, content=order.content)
            order.save(update_fields=["code_hash"])
            detail = {"content": order.content, "source": source}
            audit.record("proposed", at=at, order=order, new=State.PENDING, detail=detail)
    except IntegrityError:
        raise AlreadyTaken from None
    try:
        hint.write(order)
    except OSError:
        logger.exception("Order %s: the hint could not be written", order.pk)
    return Proposal(order, code, tuple(shown))


def waiting_orders(desk: Desk) -> list[PendingOrder]:
    mine = PendingOrder.objects.of(desk.environment.account, is_paper=desk.environment.is_paper)
    return list(mine.waiting())


def give_up_waiting(desk: Desk) -> None:
    """Make room for a new order: a code without further words can only be that of one."""
    at = desk.wall()
    for order in waiting_orders(desk):
        if not expire(order, at=at):
            withdraw(order, at=at, reason=REPLACED)
