"""What the worker runs, by dotted name; safe to run twice."""

from datetime import datetime

from django.utils import timezone

from kis.data_fetch import FetchFailed, accounts_meant, fetch, refresh
from kis.market_days import use_market_days
from kis.slots import Window


def fetch_data(*, intended: str, minutes: int, opens: str, closes: str) -> str:
    """Copy all accounts for the slot of `intended` (ISO 8601), and take the files of KB Securities.

    Returns a line for each part, or why nothing was to be done. Raises FetchFailed where a part of it failed.
    """
    window = Window.parse(minutes=minutes, opens=opens, closes=closes)
    slot, now = window.slot_of(datetime.fromisoformat(intended)), timezone.now()
    use_market_days()
    rest = window.reason_to_rest(slot, now=now)
    if rest:
        return rest
    results = list(fetch(accounts_meant(None), slot=slot, now=now))
    if any(result.failed for result in results):
        raise FetchFailed(results)
    return "\n".join(str(result) for result in results)


def refresh_accounts(*, intended: str, minutes: int, opens: str, closes: str) -> str:
    """Bring the accounts in use up to the slot of `intended` (ISO 8601), with the minute bars of their holdings.

    Returns a line for each account. Raises FetchFailed where one failed.
    """
    window = Window.parse(minutes=minutes, opens=opens, closes=closes)
    use_market_days()
    slot = window.slot_of(datetime.fromisoformat(intended))
    results = list(refresh(accounts_meant(None), window=window, slot=slot))
    if any(result.failed for result in results):
        raise FetchFailed(results)
    return "\n".join(str(result) for result in results)
