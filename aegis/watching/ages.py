"""How old the books of each account are, and whether the timetable would have them younger."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max

from aegis.schedules import FETCH, window_of
from kis.accounts import configured_accounts
from kis.client.codes import AccountNumber, Mode
from kis.market_clock import market_now
from kis.market_days import use_market_days
from kis.models import KisAccount
from kis.slots import Window

#: A slot of the full fetch may take so long before anybody misses its snapshot.
PATIENCE = timedelta(minutes=10)
#: One slot may fail, the next one is its repetition; data from before the second one is late.
SLOTS = 2


@dataclass(frozen=True, slots=True)
class Books:
    """The books of one account. `index` counts the accounts of a mode in the order of `manage.py accounts`, from 1.

    `as_of` is None where there is no snapshot yet; `age` and `is_late` where nobody knows the market's time (a demo at rest).
    """

    mode: Mode
    index: int
    number: AccountNumber
    as_of: datetime | None
    age: timedelta | None
    is_late: bool | None


def books_of_accounts() -> list[Books]:
    """Return the books of every account in use, in a fixed number of queries."""
    now = market_now()
    use_market_days()
    due = since_when(window_of(FETCH), now=now) if now else None
    newest = newest_snapshots()
    found: list[Books] = []
    for account in configured_accounts():
        if account.unused or account.number is None:
            continue
        as_of = newest.get((account.number, account.is_paper))
        found.append(
            Books(
                mode=account.mode,
                index=1 + sum(1 for other in found if other.mode == account.mode),
                number=account.number,
                as_of=as_of,
                age=max(now - as_of, timedelta()) if now and as_of else None,
                is_late=None if due is None else as_of is None or as_of < due,
            )
        )
    return found


def newest_snapshots() -> dict[tuple[AccountNumber, bool], datetime]:
    rows = (
        KisAccount.objects.order_by()
        .values_list("account_no", "product_code", "is_paper")
        .annotate(newest=Max("snapshot_at"))
    )
    return {(AccountNumber(number, code), is_paper): newest for number, code, is_paper, newest in rows}


def since_when(window: Window, *, now: datetime) -> datetime:
    """Return the slot whose snapshot, or a later one, must be there by now."""
    slots = past_slots(window, before=now - PATIENCE)
    return [next(slots) for _ in range(SLOTS)][-1]


def past_slots(window: Window, *, before: datetime) -> Iterator[datetime]:
    """Yield the slots of a window at or before a moment, the latest first."""
    slot = window.slot_of(before)
    while True:
        if not window.reason_to_rest(slot, now=slot):
            yield slot
        slot -= window.every
