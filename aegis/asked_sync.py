"""A sync that somebody asks for in the admin: left to the worker where there is one, done at once where there is none.

What is queued names the account by what stands for it in an address, and who asked by a number; both are looked up anew
when the worker begins. However often it is asked for, one sync of an account runs at a time (`kis.refresh`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from aegis.schedules import FAST
from kis.accounts import MODE_NAMES, Account, configured_accounts
from kis.admin_filters import key_of, name_of
from kis.connect import Connection
from kis.data_fetch import Fetched, fetch_account, told_of
from kis.market_clock import market_now
from kis.models import SyncRun
from kis.refresh import BY_HAND, AlreadyFresh, refresh_now
from kis.runs import lapsed
from reports.access import may_sync

#: The button of the admin can be pushed so often.
PAUSE: Final = timedelta(minutes=1)
TASK: Final = "aegis.tasks.sync_asked_for"
#: A worker does something every minute. Whose last trace is older is not there, and neither is one that leaves things lying.
QUIET: Final = timedelta(minutes=3)
WAITED: Final = timedelta(seconds=20)
#: Seconds between two looks of the page.
LOOK_AGAIN: Final = 2
NUMBER: Final = re.compile(r"[0-9a-f]{32}")
GONE: Final = "이 계좌를 찾을 수 없습니다. 화면을 새로 열어 다시 눌러 주세요."
MAY_NOT: Final = "이 계좌를 동기화할 권한이 없습니다."
BROKEN: Final = "작업자가 예상하지 못한 오류로 멈췄습니다. 사이트 관리자에게 알려 주세요."


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a sync: a sentence, whether it failed, and the number of its run."""

    sentence: str
    failed: bool = False
    run: int | None = None

    def as_result(self) -> dict[str, Any]:
        return {"sentence": self.sentence, "failed": self.failed, "run": self.run}


# --- doing it --------------------------------------------------------------------------------------------------------


def sync_now(account: Account) -> Told:
    """Refresh an account at somebody's wish. One that is fresh already is no trouble."""
    before = SyncRun.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    result = fetch_account(account, refreshed)
    mine = runs_by_hand(account).filter(pk__gt=before).order_by("pk").values_list("pk", flat=True).first()
    return told(result, run=mine)


def refreshed(connection: Connection) -> str:
    try:
        return told_of(refresh_now(connection, pause=PAUSE))
    except AlreadyFresh as error:
        return str(error)


def told(result: Fetched, *, run: int | None) -> Told:
    return Told(str(result), failed=result.failed, run=run)


def runs_by_hand(account: Account) -> Any:  # noqa: ANN401  # a queryset of ours
    number = account.number_or_reason()
    return SyncRun.objects.of(number, is_paper=account.is_paper).filter(job=BY_HAND)


def sync_asked_for(*, account: str, by: int) -> dict[str, Any]:
    """Do in the worker what was asked for; what cannot be done is a sentence, too."""
    user = get_user_model()._default_manager.filter(pk=by).first()  # noqa: SLF001  # Django's own name for it
    known = next((one for one in configured_accounts() if one.number and key_of(one) == account), None)
    if known is None:
        return Told(GONE, failed=True).as_result()
    if user is None or not may_sync(user, known):
        return Told(known.unused or MAY_NOT, failed=True).as_result()
    return sync_now(known).as_result()


# --- leaving it to the worker ----------------------------------------------------------------------------------------


def somebody_works(*, at: datetime) -> bool:
    """Return whether a worker takes what is done at once: by its traces, as its heartbeats stay on its own machine."""
    traces = Task.objects.filter(cluster=FAST, stopped__gt=at - QUIET)
    left_lying = OrmQ.objects.filter(key=FAST, lock__lte=at - WAITED)
    return traces.exists() and not left_lying.exists()


def ask(account: Account, *, by: AbstractBaseUser | AnonymousUser) -> str:
    """Leave a sync to the worker, and return the number of the task; that of the one before where it is not done yet."""
    key = key_of(account)
    waiting = next((row for row in asked_for() if row.kwargs() == {"account": key, "by": by.pk}), None)
    if waiting is not None:
        return str(waiting.task_id())
    return str(async_task(TASK, account=key, by=by.pk, cluster=FAST))


def asked_for() -> list[Any]:
    """Return what has been left to the worker and is not done, which are few."""
    return [row for row in OrmQ.objects.filter(key=FAST).order_by("pk") if row.task.get("func") == TASK]


# --- looking at it ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync is that was left to the worker. `told` is None while it is not over."""

    account: Account
    heading: str
    told: Told | None = None
    is_late: bool = False

    @property
    def key(self) -> str:
        return key_of(self.account)

    @property
    def name(self) -> str:
        return name_of(self.account)

    @property
    def mode_name(self) -> str:
        return MODE_NAMES[self.account.mode]

    @property
    def look_again(self) -> int | None:
        return None if self.told or self.is_late else LOOK_AGAIN


def progress_of(number: str, account: Account, *, at: datetime) -> Progress | None:
    """Return how far a task is; None where there is none of this number for this account."""
    if not NUMBER.fullmatch(number):
        return None
    key = key_of(account)
    row = next((row for row in asked_for() if row.task_id() == number), None)
    # Whoever has done it writes that down before the row goes: looked for in this order it is never missed.
    done = Task.objects.filter(pk=number, func=TASK).first()
    if done is not None:
        return over(account, done.result, has_ended=done.success) if named(done.kwargs, key) else None
    if row is None or not named(row.kwargs(), key):
        return None
    if row.lock and row.lock > at:
        return Progress(account, "동기화하고 있습니다" if is_running(account) else "작업자가 시작합니다")
    waiting = Progress(account, "작업자를 기다리고 있습니다")
    return replace(waiting, is_late=bool(row.lock and row.lock <= at - WAITED))


def named(arguments: Mapping[str, Any] | None, key: str) -> bool:
    return arguments is not None and arguments.get("account") == key


def over(account: Account, result: Any, *, has_ended: bool) -> Progress:  # noqa: ANN401  # whatever the worker wrote
    """Return what a task came to; one that the worker gave up has only words for programmers, which nobody is shown."""
    ended = Told(**result) if has_ended and isinstance(result, dict) else Told(BROKEN, failed=True)
    heading = "동기화를 마쳤습니다" if ended.run else "새로 하지 않았습니다"
    return Progress(account, "동기화하지 못했습니다" if ended.failed else heading, ended)


def is_running(account: Account) -> bool:
    running = runs_by_hand(account).filter(status=SyncRun.Status.RUNNING)
    now = market_now()
    return bool((running.exclude(lapsed(now)) if now else running).exists())
