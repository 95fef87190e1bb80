"""What the first page of the admin says before its tables: accounts, jobs, and what asks for a look."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db.models import Count, Q, QuerySet, Subquery
from django.http import HttpRequest
from django_q.models import Schedule, Task

from aegis.job_lanes import TROUBLED, coming_of
from aegis.schedules import planned
from ai.models import Diagnosis
from kis.access import Access, access_of
from kis.accounts import MODE_NAMES, Account
from kis.admin_filters import accounts_of, key_of, name_of
from kis.advice import Severity
from kis.client.codes import AccountNumber
from kis.korean import MISSING, SEOUL, arrow, clock_time, percent, short_day, signed, won_heading
from kis.market_clock import market_now
from kis.models import KisAccount, KisUnfilledOrder, SyncRun
from kis.models.owned import owned_by
from kis.reconciliation import badge_of, checks_of
from kis.sessions import age_if_stale
from reports.access import may_see
from trading import kill_switch
from trading.models import PendingOrder

Owner = tuple[AccountNumber, bool]
MINUTES_OF_HOUR, HOURS_OF_DAY = 60, 24
HUNDRED: Final = 100


@dataclass(frozen=True, slots=True)
class AccountCard:
    """One account as of its newest snapshot; without one there is only what to do about it."""

    name: str
    mode_name: str
    mode: str
    key: str
    snapshot: KisAccount | None
    run: SyncRun | None
    is_running: bool
    open_orders: int
    unsettled: int
    diagnosis: Diagnosis | None
    may_sync: bool
    now: datetime | None
    unused: str

    @property
    def total(self) -> list[tuple[str, str]]:
        return won_heading(self.snapshot.total_eval_amt) if self.snapshot else []

    @property
    def profit(self) -> int:
        return self.snapshot.total_profit_loss if self.snapshot else 0

    @property
    def profit_text(self) -> str:
        return f"{signed(self.profit)}원" if self.snapshot else MISSING

    @property
    def day_change(self) -> int:
        """Return what became of the total since the close before; the broker says what that was."""
        row = self.snapshot
        return row.total_eval_amt - row.previous_assets if row and row.previous_assets > 0 else 0

    @property
    def day_text(self) -> str:
        row = self.snapshot
        if row is None or row.previous_assets <= 0:
            return MISSING
        rate = percent(self.day_change / row.previous_assets * HUNDRED)
        return f"{arrow(self.day_change)}{signed(self.day_change)}원 ({rate})"

    @property
    def as_of(self) -> str:
        return moment_text(self.snapshot.snapshot_at) if self.snapshot else MISSING

    @property
    def age(self) -> str:
        if self.snapshot is None or self.now is None:
            return ""
        return ago(self.now - self.snapshot.snapshot_at)

    @property
    def is_stale(self) -> bool:
        return bool(
            self.snapshot and self.now and age_if_stale(self.snapshot.snapshot_at, self.now) is not None
        )

    @property
    def books(self) -> str:
        """Say how the books of these figures compare with the broker's."""
        run = self.snapshot.sync_run if self.snapshot else None
        return badge_of(checks_of(run.checks)) if run else "대사 없음"

    @property
    def books_run(self) -> int | None:
        return self.snapshot.sync_run_id if self.snapshot else None

    @property
    def differs(self) -> bool:
        return bool(self.snapshot and self.snapshot.sync_run and self.snapshot.sync_run.differences)

    @property
    def failed(self) -> SyncRun | None:
        """Return the last run where it did not go well."""
        return self.run if self.run and self.run.status != SyncRun.Status.COMPLETE else None

    @property
    def failure(self) -> str:
        run = self.failed
        return (run.error.splitlines() or [run.get_status_display()])[0] if run else ""

    @property
    def findings(self) -> str:
        """Say how many findings there are of each severity."""
        if self.diagnosis is None:
            return "아직 점검하지 않음"
        found = [finding.get("severity") for finding in self.diagnosis.findings]
        parts = [
            f"{severity.value} {found.count(severity.value)}"
            for severity in Severity
            if severity.value in found
        ]
        return " · ".join(parts) or "없음"

    @property
    def has_warning(self) -> bool:
        found = self.diagnosis.findings if self.diagnosis else ()
        return any(finding.get("severity") == Severity.WARNING for finding in found)


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job of the timetable: when it last ran and how that went, and when it runs again."""

    name: str
    last: str
    coming: str
    is_troubled: bool


@dataclass(frozen=True, slots=True)
class FirstPage:
    """Everything above the tables. `stopped` says why no orders leave, blank where they may."""

    accounts: tuple[AccountCard, ...]
    jobs: tuple[JobLine, ...]
    stopped: str


def first_page(request: HttpRequest) -> FirstPage | None:
    """Return what a user may see of it, None where that is nothing; as many queries for ten accounts as for one."""
    if not may_see(request.user):
        return None
    access, accounts = access_of(request.user), accounts_of(request)
    switch = kill_switch.read()
    stopped = (switch.reason or "이유가 적혀 있지 않습니다.") if switch.is_on else ""
    jobs = tuple(job_lines(access)) if request.user.has_perm("kis.view_syncrun") else ()
    return FirstPage(tuple(cards_of(accounts, access)), jobs, stopped)


def cards_of(accounts: Sequence[Account], access: Access) -> Iterable[AccountCard]:
    owners = [(account.number, account.is_paper) for account in accounts if account.number]
    snapshots = by_owner(KisAccount.objects.newest_of_each().select_related("sync_run"))
    runs = by_owner(
        newest(SyncRun.objects.copying().exclude(status=SyncRun.Status.RUNNING), owners, "-started_at")
    )
    running = by_owner(newest(SyncRun.objects.filter(status=SyncRun.Status.RUNNING), owners, "-started_at"))
    told = by_owner(
        newest(Diagnosis.objects.filter(focus=""), owners, "-written_at").defer("request_json", "raw_json")
    )
    waiting = dict(
        KisUnfilledOrder.objects.filter(kis_account__in=[row.pk for row in snapshots.values()])
        .order_by()
        .values_list("kis_account")
        .annotate(Count("pk"))
    )
    unsettled = [(order.account, order.is_paper) for order in access.narrow(PendingOrder.objects.unsettled())]
    now = market_now()
    for account in accounts:
        if account.number is None:
            continue
        owner = account.number, account.is_paper
        snapshot = snapshots.get(owner)
        yield AccountCard(
            name=name_of(account),
            mode_name=MODE_NAMES[account.mode],
            mode=account.mode,
            key=key_of(account),
            snapshot=snapshot,
            run=runs.get(owner),
            is_running=owner in running,
            open_orders=waiting.get(snapshot.pk, 0) if snapshot else 0,
            unsettled=unsettled.count(owner),
            diagnosis=told.get(owner),
            may_sync=not account.unused and access.syncs(account.number, is_paper=account.is_paper),
            now=now,
            unused=account.unused,
        )


def job_lines(access: Access) -> Iterable[JobLine]:
    """Yield the jobs of the timetable with their last runs, of accounts that may be seen."""
    seen = access.narrow(SyncRun.objects.filter(slot__isnull=False).defer("steps", "checks"))
    jobs = planned()
    kinds = [job.kind for job in jobs if job.kind]
    firsts = [
        Q(pk=Subquery(seen.filter(job=kind).order_by("-started_at", "-pk").values("pk")[:1]))
        for kind in kinds
    ]
    runs = {run.job: run for run in SyncRun.objects.filter(reduce(or_, firsts))}
    schedules = {row.name: row for row in Schedule.objects.filter(name__in=[job.name for job in jobs])}
    lasts = [
        Q(pk=Subquery(Task.objects.filter(group=job.name).order_by("-stopped").values("pk")[:1]))
        for job in jobs
        if not job.kind
    ]
    tasks = {
        task.group: task
        for task in Task.objects.filter(reduce(or_, lasts)).only("group", "stopped", "success")
    }
    now = market_now()
    for job in jobs:
        last, is_troubled = outcome(runs.get(job.kind), tasks.get(job.name))
        yield JobLine(job.label, last, coming_of(job, schedules.get(job.name), now), is_troubled)


def outcome(run: SyncRun | None, task: Any) -> tuple[str, bool]:  # django-q2 comes without types
    """Say how a job went the last time, and whether that was trouble: what it left is a run, or a task of the worker."""
    if run:
        return f"{moment_text(run.started_at)} {run.get_status_display()}", run.status in TROUBLED
    if task:
        return f"{moment_text(task.stopped)} {'완료' if task.success else '실패'}", not task.success
    return "실행한 적 없음", False


def newest(rows: QuerySet[Any], owners: Iterable[Owner], order: str) -> QuerySet[Any]:
    """Return the newest row of each account, each found by the index of its account; one query."""
    firsts = [
        Q(
            pk=Subquery(
                rows.filter(**owned_by(number, is_paper=is_paper)).order_by(order, "-pk").values("pk")[:1]
            )
        )
        for number, is_paper in owners
    ]
    return rows.filter(reduce(or_, firsts)) if firsts else rows.none()


def by_owner(rows: Iterable[Any]) -> Mapping[Owner, Any]:
    return {(AccountNumber(row.account_no, row.product_code), row.is_paper): row for row in rows}


# --- words -----------------------------------------------------------------------------------------------------------


def ago(age: timedelta) -> str:
    """Write an age roughly: `방금`, `3분 전`, `5시간 전`, `2일 전`."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "방금"
    if minutes < MINUTES_OF_HOUR:
        return f"{minutes}분 전"
    hours = minutes // MINUTES_OF_HOUR
    return f"{hours}시간 전" if hours < 2 * HOURS_OF_DAY else f"{hours // HOURS_OF_DAY}일 전"


def moment_text(at: datetime) -> str:
    return f"{short_day(at.astimezone(SEOUL).date())} {clock_time(at)}"
