"""What is done every minute of the session, and at the push of a button: the account as it is now, and its minute bars.

Unlike a sync it asks for nothing that changes once a day, so that it is done in seconds. What it writes is a snapshot like
any other, reconciled and whole; of days that are over only the last one of these stays.
"""

from datetime import datetime, time, timedelta
from typing import Final

from kis.client.codes import AccountNumber
from kis.client.errors import KisError
from kis.connect import Connection
from kis.korean import SEOUL
from kis.market_days import use_market_days
from kis.models import SyncRun
from kis.retention import Owner as Kept
from kis.retention import thin_refreshes
from kis.runs import Owner, keep_alive, lapsed, open_slot
from kis.sync.market import copy_minutes, note_indices
from kis.sync.progress import Quiet
from kis.sync.run import Steps, copy_books, end, ended_if_broken

JOB: Final = "aegis_1min_realtime"
BY_HAND: Final = "refresh_by_hand"
#: Whoever pushes the button again so soon gets the answer of before.
PAUSE: Final = timedelta(seconds=20)
#: Of the rate budget, so that the minute after finds it free: paper lets through one call a second.
SECONDS_A_MINUTE: Final = 35.0
SECONDS_BY_HAND: Final = 5.0


class AlreadyFresh(KisError):
    """There is nothing to do: somebody is at it, or has just been; the text is a sentence for the owner."""


def refresh_slot(connection: Connection, *, slot: datetime) -> SyncRun | None:
    """Refresh one account for a slot of the timetable; None where somebody else has done it or is at it.

    Raises KisError after the run has been marked failed, and AlreadyFresh where a sync is writing the same anyway.
    """
    if is_busy(connection):
        raise AlreadyFresh("다른 동기화가 진행 중이라 이번 1분은 건너뜁니다.")
    run = open_slot(Owner.of(JOB, connection.environment), now=connection.now(), slot=slot)
    if run is None:
        return None
    refreshed(run, connection, seconds=SECONDS_A_MINUTE)
    if is_first_of_day(run):
        kept = Kept(connection.environment.account, connection.environment.is_paper)
        thin_refreshes(kept, before=midnight(run.started_at), jobs=(JOB, BY_HAND))
    return run


def refresh_now(connection: Connection, *, pause: timedelta = PAUSE) -> SyncRun:
    """Refresh one account because somebody asks for it, not twice at once and not too often. Raises KisError."""
    if is_busy(connection):
        raise AlreadyFresh("지금 동기화하고 있습니다. 잠시 뒤 새 자료가 보입니다.")
    now = connection.now()
    mine = Owner.of(BY_HAND, connection.environment)
    last = SyncRun.objects.filter(**mine.columns, started_at__gt=now - pause, started_at__lte=now).first()
    slot = now.replace(microsecond=0) - timedelta(seconds=now.second % pause.seconds)
    # The slot makes sure of it where two ask in the same moment.
    run = None if last else open_slot(mine, now=now, slot=slot)
    if run is None:
        raise AlreadyFresh(f"방금 동기화했습니다. {pause.seconds}초에 한 번 할 수 있습니다.")
    return refreshed(run, connection, seconds=SECONDS_BY_HAND)


def is_busy(connection: Connection) -> bool:
    """Return whether another run is writing snapshots of this account."""
    environment = connection.environment
    running = SyncRun.objects.copying().of(environment.account, is_paper=environment.is_paper)
    return running.filter(status=SyncRun.Status.RUNNING).exclude(lapsed(connection.now())).exists()


def refreshed(run: SyncRun, connection: Connection, *, seconds: float) -> SyncRun:
    steps = Steps(Quiet(), alive=lambda: keep_alive(run, now=connection.now()))
    with ended_if_broken(run, connection, steps=steps):
        use_market_days()
        account, warnings = copy_books(connection, run=run, steps=steps)
        warnings += note_indices(connection, account=account, steps=steps)
    end(run, connection, status=SyncRun.Status.COMPLETE, steps=steps, error="\n".join(warnings))
    copy_minutes(connection, run=run, listener=Quiet(), seconds=seconds, older_than=timedelta())
    return run


def is_first_of_day(run: SyncRun) -> bool:
    account = AccountNumber(run.account_no, run.product_code)
    mine = SyncRun.objects.of(account, is_paper=run.is_paper).filter(job=JOB).exclude(pk=run.pk)
    return not mine.filter(started_at__gte=midnight(run.started_at), started_at__lt=run.started_at).exists()


def midnight(at: datetime) -> datetime:
    return datetime.combine(at.astimezone(SEOUL).date(), time.min, SEOUL)
