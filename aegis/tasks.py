"""What the worker runs that more than one app has a part in, by dotted name; safe to run twice."""

import logging
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from aegis import asked_sync, printing_job
from aegis.alerts import minute
from aegis.backup.daily import daily_backup
from aegis.order_upkeep import settle_all, settle_leftovers
from aegis.schedules import FETCH, PRINT, REFRESH
from aegis.task_history import forget_old
from aegis.watching.pings import told_outside
from kis import tasks
from kis.data_fetch import FetchFailed, accounts_meant
from kis.market_days import use_market_days
from kis.slots import Window
from trading.states import UNSETTLED

logger = logging.getLogger(__name__)


def fetch_data(*, intended: str, minutes: int, opens: str, closes: str) -> str:
    """Do what `kis.tasks.fetch_data` does, then look what became of the orders; trouble with these is in the log."""
    try:
        with told_outside(FETCH.name, slot=datetime.fromisoformat(intended)):
            return tasks.fetch_data(intended=intended, minutes=minutes, opens=opens, closes=closes)
    finally:
        settle_all()


def refresh_accounts(*, intended: str, minutes: int, opens: str, closes: str) -> str:
    """Do what `kis.tasks.refresh_accounts` does."""
    with told_outside(REFRESH.name, slot=datetime.fromisoformat(intended)):
        return tasks.refresh_accounts(intended=intended, minutes=minutes, opens=opens, closes=closes)


def print_dashboards(*, intended: str, minutes: int, opens: str, closes: str) -> str:
    """Print the dashboards of all accounts for the slot of `intended` (ISO 8601); see `aegis.printing_job`.

    Returns a line for each of them. Raises FetchFailed where one failed; a file that could not be sent is no failure.
    """
    window = Window.parse(minutes=minutes, opens=opens, closes=closes)
    use_market_days()
    slot = window.slot_of(datetime.fromisoformat(intended))
    with told_outside(PRINT.name, slot=slot):
        results = list(printing_job.print_dashboards(accounts_meant(None), window=window, slot=slot))
        if any(result.failed for result in results):
            raise FetchFailed(results)
    return "\n".join(str(result) for result in results)


def back_up(*, intended: str, minutes: int, opens: str, closes: str) -> str:
    """Make the backup of the day of `intended`, unless there is one; see `aegis.backup.daily`. Raises BackupError."""
    slot = Window.parse(minutes=minutes, opens=opens, closes=closes).slot_of(datetime.fromisoformat(intended))
    return daily_backup(slot=slot, now=timezone.now())


def settle_orders(**tick: Any) -> str:  # noqa: ANN401, ARG001  # which tick it is does not matter: looking twice is safe
    """Look for the orders whose outcome is not known, so that the owner waits a minute and not half an hour."""
    settle_leftovers(at=timezone.now())
    settle_all(of=UNSETTLED)
    return settle_leftovers(at=timezone.now()) or "모르는 주문 없음"


def sync_asked_for(*, account: str, by: int) -> dict[str, Any]:
    """Sync an account at the wish of somebody in the admin; see `aegis.asked_sync`. `account` is no number of it."""
    use_market_days()
    return asked_sync.sync_asked_for(account=account, by=by)


def send_alerts(**tick: Any) -> str:  # noqa: ANN401, ARG001  # as above
    """Look for what is worth telling, and send it; see `aegis.alerts`. Once an hour, forget what old tasks came to."""
    now = timezone.now()
    words = minute.told(minute.tell_now(at=now))
    if now.minute == 0:
        try:
            forget_old(at=now)
        except DatabaseError:  # the alerts have left; what is old can wait for the next hour
            logger.warning("Old tasks could not be removed", exc_info=True)
    return words
