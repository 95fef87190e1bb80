"""Take an order from one state to the next: one conditional UPDATE and one event, or nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from trading import audit
from trading.models import PendingOrder
from trading.states import State


@transaction.atomic
def step(
    order: PendingOrder,
    new: State,
    *,
    at: datetime,
    what: str,
    only_if: Q | None = None,
    detail: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
) -> bool:
    """Move an order on from the state it was read in; false, and nothing written, where it is not there any more.

    False as well where it had come there before: nothing happens twice in the history.

    `values` are further columns to write with it. The order in hand is as written afterwards.
    """
    old = order.state
    if new is old:
        return False
    written = {**(values or {}), "status": new}
    if old is State.PENDING:
        written["code_hash"] = ""  # used once
    row = PendingOrder.objects.filter(only_if or Q(), pk=order.pk, status=old)
    if row.update(**written) != 1:
        return False
    audit.record(what, at=at, order=order, old=old, new=new, detail=detail)
    for name, value in written.items():
        setattr(order, name, value)
    return True
