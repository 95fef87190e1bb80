"""Runs of a job: opened, kept alive, ended; a slot of the timetable runs once, however many fire it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from kis.client.codes import AccountNumber, Environment
from kis.client.errors import KisError
from kis.models import SyncRun

#: A run that has not said anything for so long is dead; whoever fires its slot next may take it over.
LEASE = timedelta(minutes=5)
#: Those that bring the account up to the minute say something every few seconds: the minutes after one that died should
#: not have to wait for it.
SHORT_LEASE = timedelta(seconds=90)
IN_A_MINUTE = {"aegis_1min_realtime", "refresh_by_hand"}
DIED = "끝났다는 기록 없이 멈췄습니다."


class RunTakenOver(KisError):
    """Another process has given this run up for dead and taken it over; nothing more may be written in its name."""

    def __init__(self) -> None:
        super().__init__(
            "너무 오래 걸려 다른 프로세스가 이 동기화를 이어받았습니다. 아무것도 저장하지 않았습니다."
        )


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose run it is: a job of one account."""

    job: str
    account: AccountNumber
    is_paper: bool

    @classmethod
    def of(cls, job: str, environment: Environment) -> "Owner":
        return cls(job, environment.account, environment.is_paper)

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "job": self.job,
            "account_no": self.account.number,
            "product_code": self.account.product_code,
            "is_paper": self.is_paper,
        }


def open_run(owner: Owner, *, now: datetime) -> SyncRun:
    """Start a run by hand, which has no slot; runs of this owner whose lease is over are marked abandoned."""
    give_up_the_dead(owner, now=now)
    return SyncRun.objects.create(**owner.columns, started_at=now, lease_until=now + lease_of(owner.job))


def open_slot(owner: Owner, *, now: datetime, slot: datetime) -> SyncRun | None:
    """Start the run of a slot, or return None where it has been run or is being run by somebody alive.

    One that died in it is taken over, by one of those who ask.
    """
    give_up_the_dead(owner, now=now, but_for=slot)
    fresh = {"started_at": now, "lease_until": now + lease_of(owner.job)}
    try:
        with transaction.atomic():
            return SyncRun.objects.create(**owner.columns, slot=slot, **fresh)
    except IntegrityError:
        of_slot = SyncRun.objects.filter(**owner.columns, slot=slot)
        dead = of_slot.filter(lapsed(now), status=SyncRun.Status.RUNNING)
        return of_slot.get() if dead.update(**fresh, error=DIED) else None


def give_up_the_dead(owner: Owner, *, now: datetime, but_for: datetime | None = None) -> None:
    running = SyncRun.objects.filter(**owner.columns, status=SyncRun.Status.RUNNING).filter(lapsed(now))
    running.exclude(slot__isnull=False, slot=but_for).update(
        status=SyncRun.Status.ABANDONED, finished_at=now, error=DIED
    )


def keep_alive(run: SyncRun, *, now: datetime) -> bool:
    """Prolong the lease; false once somebody else has taken the run over or given it up."""
    return mine(run).update(lease_until=now + lease_of(run.job)) == 1


def lease_of(job: str) -> timedelta:
    return SHORT_LEASE if job in IN_A_MINUTE else LEASE


def end_run(
    run: SyncRun,
    *,
    now: datetime,
    status: SyncRun.Status,
    requests: int,
    rate_limited: int,
    steps: list[dict[str, Any]],
    error: str = "",
) -> bool:
    """Write how a run ended; false, and nothing written, if it is not ours any more."""
    run.status, run.finished_at = status, max(now, run.started_at)
    run.requests, run.rate_limited, run.steps, run.error = requests, rate_limited, steps, error
    ended = mine(run).update(
        status=run.status,
        finished_at=run.finished_at,
        requests=requests,
        rate_limited=rate_limited,
        steps=steps,
        error=error,
        lease_until=None,
    )
    return ended == 1


def mine(run: SyncRun) -> QuerySet[SyncRun]:
    """Return the row of this run as long as nobody else has started it anew."""
    return SyncRun.objects.filter(pk=run.pk, status=SyncRun.Status.RUNNING, started_at=run.started_at)


def lapsed(now: datetime) -> Q:
    """Return the condition of a lease that is over; rows from before there were leases have none."""
    return Q(lease_until__lt=now) | Q(lease_until__isnull=True, started_at__lt=now - LEASE)
