"""The history of orders: rows that are only added, each sealed with the one before."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from trading.models import AuditHead, OrderEvent, PendingOrder
from trading.states import State

START = hashlib.sha256(b"AEGIS trading history").hexdigest()


def record(
    what: str,
    *,
    at: datetime,
    order: PendingOrder | None = None,
    old: State | None = None,
    new: State | None = None,
    detail: Mapping[str, Any] | None = None,
) -> OrderEvent:
    """Add an event at the end of the chain, inside the caller's transaction or in one of its own."""
    with transaction.atomic():
        head = locked_head()
        event = OrderEvent(
            number=head.number + 1,
            order=order,
            at=at,
            what=what,
            old_status=old or "",
            new_status=new or "",
            detail=json.loads(json.dumps(detail or {})),  # as it will be read back
            previous_digest=head.digest,
        )
        event.digest = digest_of(event)
        event.save(force_insert=True)
        head.number, head.digest = event.number, event.digest
        head.save(update_fields=["number", "digest"])
    return event


def locked_head() -> AuditHead:
    """Return the end of the chain, held until the transaction ends: events come one after the other."""
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head is None:
        AuditHead.objects.get_or_create(pk=1, defaults={"digest": START})
        head = AuditHead.objects.select_for_update().get(pk=1)
    return head


def digest_of(event: OrderEvent) -> str:
    content = {
        "number": event.number,
        "order": event.order_id,
        "at": event.at.astimezone(UTC).isoformat(),
        "what": event.what,
        "old": str(event.old_status),
        "new": str(event.new_status),
        "detail": event.detail,
        "previous": event.previous_digest,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Audit:
    """What looking through the whole history brought: how many events, its seal, and in Korean what does not fit."""

    events: int
    digest: str
    problems: tuple[str, ...]


def verify() -> Audit:
    """Look through the chain from its start, and hold the orders against their last events.

    Others may go on adding to it: an order may then be in any of the states it has had since the first look.
    """
    before, _ = end()
    orders = list(PendingOrder.objects.order_by("pk").values_list("pk", "status"))
    newest = OrderEvent.objects.aggregate(newest=Max("number"))["newest"] or 0
    kept = end()  # read last: whatever has been seen until here has to lie before this end
    problems: list[str] = []
    number, digest = 0, START
    last: dict[int, str] = {}
    meanwhile: set[tuple[int, str]] = set()
    for event in OrderEvent.objects.filter(number__lte=max(kept[0], newest)).order_by("number").iterator():
        problems += broken_links(event, number=number, digest=digest)
        number, digest = event.number, event.digest
        if event.order_id and event.new_status:
            if event.old_status != last.get(event.order_id, ""):
                problems.append(
                    f"{event.number}번 이력: 주문 #{event.order_id}의 이전 상태가 이어지지 않습니다."
                )
            if event.number > before:
                meanwhile.add((event.order_id, event.old_status))
            last[event.order_id] = event.new_status
    if kept != (number, digest):
        problems.append(f"이력의 끝이 다릅니다: 기록된 끝은 {kept[0]}번, 실제 마지막은 {number}번입니다.")
    problems += [
        f"주문 #{pk}: 상태는 {status}인데 이력의 마지막은 {last.get(pk, '없음')}입니다."
        for pk, status in orders
        if last.get(pk, "") != status and (pk, status) not in meanwhile
    ]
    return Audit(number, digest, tuple(problems))


def end() -> tuple[int, str]:
    """Return number and seal of the last event as they are kept beside the chain."""
    head = AuditHead.objects.filter(pk=1).first()
    return (head.number, head.digest) if head else (0, START)


def broken_links(event: OrderEvent, *, number: int, digest: str) -> Iterator[str]:
    if event.number != number + 1:
        yield f"{number}번 다음이 {event.number}번입니다. 그 사이의 이력이 없습니다."
    if event.previous_digest != digest:
        yield f"{event.number}번 이력이 앞의 이력과 이어지지 않습니다."
    if event.digest != digest_of(event):
        yield f"{event.number}번 이력의 내용이 바뀌었습니다."
