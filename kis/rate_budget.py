"""One rate budget per app key for all processes and machines, kept in the database."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, Func
from django.db.models.functions import Now

from kis.models import RateBudget

#: A read takes its turn only this shortly before it comes, so that an order never finds a long queue before it …
LOOK_AHEAD_SECONDS = 0.06
#: … but whoever has waited may take it earlier, by this share of the wait at first and then ever more slowly: where all
#: had reached the same bound, chance would decide, and one of twenty would wait three times as long as the others.
AGEING = 0.125
SHORTEST_SLEEP_SECONDS = 0.002
PAUSE_AFTER_REFUSAL_SECONDS = 0.3
#: Orders queue one behind the other; a turn further off than this is no queue but a clock that was set back.
LONGEST_QUEUE_SECONDS = 10.0


class ClockTimestamp(Func):
    """The database's clock at this very moment; Now() is that of the statement, before it waited for a lock."""

    function = "CLOCK_TIMESTAMP"
    output_field = DateTimeField()

    def as_sqlite(self, compiler, connection, **extra):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN003, ANN201
        return Now().as_sqlite(compiler, connection, **extra)


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds to sleep, and whether the call may leave then or has to ask again."""

    seconds: float
    is_ours: bool


class DatabaseBudget:
    """Hands out the turns of one app key, in `kis_rate_budget`; by the database's clock, which is the same for all."""

    def __init__(
        self,
        key_id: str,
        seconds: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.key_id = key_id
        self.seconds = seconds
        self.monotonic = monotonic
        self.sleep = sleep

    def wait(self, *, order: bool = False) -> None:
        """Return when this call may leave. Raises RuntimeError inside a transaction, where no call belongs."""
        began = self.monotonic()
        while True:
            turn = self.ask(waited=self.monotonic() - began, order=order)
            if turn.seconds > 0:
                self.sleep(turn.seconds)
            if turn.is_ours:
                return

    def refused(self) -> None:
        """Leave some turns out and note when; the broker's counter may have seen other programs with this key."""
        with transaction.atomic(durable=True):
            budget, now = self.locked()
            budget.next_at = max(budget.next_at, now) + timedelta(
                seconds=max(self.seconds, PAUSE_AFTER_REFUSAL_SECONDS)
            )
            budget.refused_at = now
            budget.save(update_fields=["next_at", "refused_at"])

    def ask(self, *, waited: float, order: bool) -> Turn:
        """Take the next turn if it is near enough, or say how long to wait before asking again."""
        with transaction.atomic(durable=True):
            budget, now = self.locked()
            longest = max(
                self.seconds + max(self.seconds, PAUSE_AFTER_REFUSAL_SECONDS), LONGEST_QUEUE_SECONDS
            )
            if budget.next_at > now + timedelta(seconds=longest):
                # A clock that was set back must not stop everybody until it has caught up; this wait does come to an end.
                budget.next_at = now + timedelta(seconds=longest)
                budget.save(update_fields=["next_at"])
            until_turn = max((budget.next_at - now).total_seconds(), 0.0)
            ahead = self.look_ahead(waited)
            if not order and until_turn > ahead:
                # The share grows while we sleep, so the sleep is a little shorter than the difference.
                pause = (until_turn - ahead) / (1 + AGEING)
                return Turn(max(pause, SHORTEST_SLEEP_SECONDS), is_ours=False)
            budget.next_at = now + timedelta(seconds=until_turn + self.seconds)
            budget.save(update_fields=["next_at"])
            return Turn(until_turn, is_ours=True)

    def look_ahead(self, waited: float) -> float:
        most, aged = max(self.seconds - LOOK_AHEAD_SECONDS, 0.0), AGEING * waited
        return LOOK_AHEAD_SECONDS + (most * aged / (most + aged) if most else 0.0)

    def locked(self) -> tuple[RateBudget, datetime]:
        """Return the row, locked for this transaction, and the time the database has now."""
        rows = (
            RateBudget.objects.select_for_update().annotate(now=ClockTimestamp()).filter(key_id=self.key_id)
        )
        budget = rows.first()
        if budget is None:
            RateBudget.objects.get_or_create(key_id=self.key_id)
            budget = rows.get()
        return budget, budget.now
