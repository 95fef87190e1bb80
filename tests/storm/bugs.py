"""Mistakes that somebody could make, each planted over the real code: the storm must notice every one of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any
from unittest.mock import patch

from kis.client.endpoints import account, orders
from kis.client.endpoints.orders import NewOrder
from kis.client.errors import KisError, OrderUnknown
from kis.client.protocol import RawReply, Request
from kis.client.records.orders import Side
from kis.client.session import Session
from trading import codes, confirmation, hint, journal, reconcile, safe_executor, sending
from trading.models import PendingOrder
from trading.models.orders import MOST_TRIES
from trading.states import State

REDIRECTS = (301, 302, 307, 308)


def claim_removed() -> AbstractContextManager[Any]:
    """Send without having taken the order in the database, and without looking there again at the last moment."""

    def claim(order: PendingOrder, *, desk: Any, known_before: Any) -> None:
        order.claimed_at, order.market_at = desk.wall(), desk.market_now()
        order.known_before = [list(key) for key in known_before]
        order.status = State.SENDING

    stack = ExitStack()
    stack.enter_context(patch.object(safe_executor, "claim", claim))
    stack.enter_context(patch.object(sending.Door, "open", lambda door, *, claimed: door.desk.open_call()))
    return stack


def one_retry() -> AbstractContextManager[Any]:
    """Send once more where the answer was lost."""
    send_order = orders.send_order

    def stubborn(*what: Any, **how: Any) -> Any:
        try:
            return send_order(*what, **how)
        except OrderUnknown:
            return send_order(*what, **how)

    return patch.object(sending, "send_order", stubborn)


def error_read_as_empty() -> AbstractContextManager[Any]:
    """Take an inquiry that failed for a list without orders."""

    def whole_orders(*what: Any, **how: Any) -> Any:
        try:
            return account.whole_orders(*what, **how)
        except KisError:
            return ()

    return patch.object(reconcile, "whole_orders", whole_orders)


def save_before_send() -> AbstractContextManager[Any]:
    """Write down an outcome before there is one, to be put right afterwards."""
    opened = sending.Door.open

    def early(door: Any, *, claimed: float) -> Any:
        at = door.desk.wall()
        journal.write(journal.outcome(door.order, State.NOT_SENT, at=at, reason="아직 보내지 않았습니다."))
        return opened(door, claimed=claimed)

    return patch.object(sending.Door, "open", early)


def redirect_followed() -> AbstractContextManager[Any]:
    """Go where a redirect points to, with the order in hand."""
    opened = sending.Door.open

    @dataclass
    class Following:
        call: Any

        def close(self) -> None:
            self.call.close()

        def send(self, request: Request, *, timeout_seconds: float) -> RawReply:
            reply: RawReply = self.call.send(request, timeout_seconds=timeout_seconds)
            if reply.status in REDIRECTS:
                reply = self.call.send(request, timeout_seconds=timeout_seconds)
            return reply

    def open_following(door: Any, *, claimed: float) -> Any:
        return Following(opened(door, claimed=claimed))

    return patch.object(sending.Door, "open", open_following)


def counter_read_modify_write() -> AbstractContextManager[Any]:
    """Count a try by reading the number, adding one, and writing it back."""

    def count_try(order: PendingOrder, *, at: Any) -> bool:
        waiting = (
            PendingOrder.objects.waiting()
            .filter(pk=order.pk, tries__lt=MOST_TRIES, expires_at__gt=at)
            .first()
        )
        if waiting is None:
            return False
        return PendingOrder.objects.waiting().filter(pk=order.pk).update(tries=waiting.tries + 1) == 1

    return patch.object(confirmation, "count_try", count_try)


def local_date_used() -> AbstractContextManager[Any]:
    """Take the day of the machine, which keeps UTC, for that of the exchange."""

    def market_day(order: PendingOrder) -> Any:
        return order.market_at.astimezone(UTC).date() if order.market_at else None

    return patch.object(PendingOrder, "market_day", property(market_day))


def first_page_only() -> AbstractContextManager[Any]:
    """Read the first page of an inquiry and leave the others."""
    pages = Session.pages

    def first(session: Session, *what: Any) -> Iterator[Any]:
        yield next(iter(pages(session, *what)))

    return patch.object(Session, "pages", first)


@contextmanager
def code_reused() -> Iterator[None]:
    """Give out the code of the order before once more."""
    new_code = codes.new_code
    given: list[str] = []

    def same_again() -> str:
        given.append(given[-1] if given else new_code())
        return given[-1]

    with patch.object(codes, "new_code", same_again):
        yield


def file_trusted_over_row() -> AbstractContextManager[Any]:
    """Send what `pending_order.json` says, whatever the row says."""
    execute, wire_order = safe_executor.execute, sending.wire_order
    said: dict[int, str] = {}

    def reading_execute(order: PendingOrder, **how: Any) -> Any:
        try:
            said[order.pk] = json.loads(hint.file().read_text(encoding="utf-8"))["order"]
        except (OSError, ValueError, KeyError, TypeError):
            said.pop(order.pk, None)
        return execute(order, **how)

    def as_in_the_file(order: PendingOrder) -> Any:
        made = wire_order(order)
        words = said.get(order.pk, "").split()
        if not isinstance(made, NewOrder) or len(words) < 5:
            return made
        side = Side.BUY if words[0] == "매수" else Side.SELL
        price = 0 if words[-1] == "시장가" else int(words[-1].removesuffix("원").replace(",", ""))
        quantity = int(words[-2].removesuffix("주").replace(",", ""))
        return replace(made, side=side, quantity=quantity, price=price, kind="00" if price else "01")

    stack = ExitStack()
    stack.enter_context(patch.object(safe_executor, "execute", reading_execute))
    stack.enter_context(patch.object(sending, "wire_order", as_in_the_file))
    return stack


def gates_left_out() -> AbstractContextManager[Any]:
    """Believe the preview: ask nothing again before sending."""
    return patch.object(safe_executor, "refused_by", lambda order, **how: [])


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted mistake, the rule that it breaks first, and seeds that have caught it."""

    plant: Callable[[], AbstractContextManager[Any]]
    rule: str
    seeds: tuple[int, ...] = ()


BUGS: dict[str, Bug] = {
    "claim removed": Bug(claim_removed, "durable_claim", (4, 6, 7)),
    "one retry": Bug(one_retry, "one_post", (6, 9, 10)),
    "error read as empty": Bug(error_read_as_empty, "incomplete_changes_nothing", (173, 231)),
    "save before send": Bug(save_before_send, "none_means_none", (11, 43, 67)),
    "redirect followed": Bug(redirect_followed, "one_post", (122, 366, 383)),
    "counter read-modify-write": Bug(counter_read_modify_write, "guesses_counted", (1238,)),
    "local date used": Bug(local_date_used, "accepted_means_that_one", (7, 9, 26)),
    "first page only": Bug(first_page_only, "baseline", (18, 43, 57)),
    "code reused": Bug(code_reused, "own_code", (17, 75, 82)),
    "file trusted over row": Bug(file_trusted_over_row, "bytes_as_shown", (106,)),
    # Beyond the ten: the rule of the gates has to notice something, too.
    "gates left out": Bug(gates_left_out, "gates", (22, 29, 64)),
}
