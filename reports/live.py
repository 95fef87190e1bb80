"""One account as the live page shows it: which account, how old, and when to look again."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from kis.access import Somebody, visible_accounts
from kis.accounts import MODE_NAMES, Account, default_mode
from kis.korean import SEOUL
from kis.market_clock import market_now
from kis.models import KisAccount, SyncRun
from kis.sessions import session_at
from reports.advising import advice_on
from reports.figures import Dashboard, dashboard_figures
from reports.queries import dashboard_rows
from reports.timetable import is_unscheduled

#: A snapshot of the job of every minute is there so long after its tick, mostly.
USUAL_DELAY: Final = timedelta(seconds=5)
MINUTE: Final = timedelta(minutes=1)
#: How soon to look again: while something is awaited, and while the exchange is closed.
SOON: Final = timedelta(seconds=10)
LATER: Final = timedelta(minutes=5)
FIRST_DATA: Final = timedelta(seconds=3)
END_OF_TIME: Final = datetime.max.replace(tzinfo=SEOUL)


class NoAccount(Exception):
    """There is no account of this name, or none at all; the text is a sentence for the owner."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An account that the page can show."""

    name: str
    mode_name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Glance:
    """What is quickly known of a page: whether there is anything new, and when there may be.

    `now` is the market's time, None where nobody knows it; `shown_at` is None before the first snapshot.
    """

    now: datetime | None
    shown_at: datetime | None
    etag: str

    @property
    def look_again(self) -> timedelta:
        """Return how long to wait: until the snapshot of the next minute should be there; longer while the exchange rests."""
        if self.shown_at is None:
            return FIRST_DATA
        if self.now is None:
            return SOON
        if not session_at(self.now).is_open:
            return LATER if self.now - self.shown_at > MINUTE else SOON
        tick = self.now.replace(second=0, microsecond=0)
        return tick + MINUTE + USUAL_DELAY - self.now if self.shown_at >= tick else SOON

    @property
    def looks_again_at(self) -> datetime | None:
        return self.now + self.look_again if self.now else None

    @property
    def age(self) -> timedelta | None:
        if self.now is None or self.shown_at is None:
            return None
        return max(self.now - self.shown_at, timedelta())


def accounts_to_show(user: Somebody) -> list[Account]:
    """Return the accounts of a user whose number is known: those in use, and those that only the books still know."""
    return [account for account in visible_accounts(user) if account.number]


def choose(accounts: Sequence[Account], name: str) -> Account:
    """Return the account of a name, or the one to begin with: of the usual mode, in use. Raises NoAccount."""
    if not accounts:
        raise NoAccount("연결한 계좌가 없습니다.")
    if name:
        found = [account for account in accounts if account.is_called(name)]
        if not found:
            raise NoAccount("이 이름의 계좌가 없습니다.")
        return found[0]
    mode = default_mode(accounts)
    return min(accounts, key=lambda account: (bool(account.unused), account.mode != mode))


def choices(accounts: Sequence[Account], chosen: Account) -> list[Choice]:
    return [
        Choice(account.label, MODE_NAMES[account.mode], is_chosen=account == chosen) for account in accounts
    ]


def glance_at(account: Account, *, as_of: datetime | None = None) -> Glance:
    """Look at the last snapshot, or at the last one of a moment, without its figures; two queries.

    The tag changes with everything that a page can show: rows, runs, and the minute, which makes data old.
    """
    owner, is_paper = account.number_or_reason(), account.is_paper
    now = market_now()
    snapshots = KisAccount.objects.of(owner, is_paper=is_paper).filter(snapshot_at__lte=as_of or END_OF_TIME)
    shown = snapshots.newest_first().values_list("pk", "snapshot_at").first()
    runs = SyncRun.objects.copying().of(owner, is_paper=is_paper).order_by("-started_at", "-pk")
    parts = [
        account.label,
        shown and shown[0],
        runs.values_list("pk", "status", "differences").first(),
        as_of,
        None if now is None or as_of else now.replace(second=0, microsecond=0),
    ]
    etag = hashlib.sha256(repr(parts).encode()).hexdigest()[:20]
    return Glance(now, shown[1] if shown else None, etag)


def load(account: Account, glance: Glance, *, as_of: datetime | None = None) -> Dashboard:
    """Compute the figures; a snapshot of a simulator that does not run is as young as its clock says. Raises NoSnapshot."""
    now = glance.now
    rows = dashboard_rows(
        mode=account.mode,
        account=account.number_or_reason(),
        at=as_of or (END_OF_TIME if settings.AEGIS_DEMO else now or END_OF_TIME),
        exact=as_of is not None,
    )
    generated_at = max(now or rows.account.snapshot_at, rows.account.snapshot_at)
    return dashboard_figures(
        rows,
        generated_at=generated_at,
        judged_at=as_of,
        is_demo=settings.AEGIS_DEMO,
        advice=advice_on(rows.position, at=as_of or generated_at),
        is_unscheduled=as_of is None and is_unscheduled(generated_at),
    )
