"""Thin out what the books repeat all day, once it is old; what happened on an account is never touched.

Of snapshots, the last of a day stays, and so does whatever other rows point to. Everything else here goes in small
transactions, children before parents: a run that is killed leaves whole snapshots, and the next one goes on.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from datetime import time as clock_time
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, Max, Min
from django.db.models.fields.reverse_related import ForeignObjectRel

from kis.client.codes import AccountNumber
from kis.korean import SEOUL
from kis.models import KisAccount, KisHolding, KisUnfilledOrder, MinPrice, SyncRun, WireFinding

#: Snapshots with all their rows, or runs, and minute bars per transaction: a sync that wants to write soon can.
BATCH = 100
BARS = 5_000
PAUSE_SECONDS = 0.05
#: What the broker replied; a finding that is as old has been looked at, and one that is seen again has a newer reply.
PAYLOAD_DAYS = 90
#: Rows that are part of a snapshot and go with it.
PARTS: tuple[type[KisHolding | KisUnfilledOrder], ...] = (KisHolding, KisUnfilledOrder)
TABLES: tuple[type[models.Model], ...] = (KisAccount, *PARTS, SyncRun, MinPrice, WireFinding)


@dataclass(frozen=True, slots=True)
class Owner:
    """The account that rows belong to."""

    account: AccountNumber
    is_paper: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """The first moment that is kept in full: midnight in Korea, so many days before today."""

    intraday: datetime
    minutes: datetime
    runs: datetime
    payloads: datetime

    @classmethod
    def of(cls, now: datetime) -> "Limits":
        today = now.astimezone(SEOUL).date()

        def days_ago(days: int) -> datetime:
            return datetime.combine(today - timedelta(days=days), clock_time.min, SEOUL)

        return cls(
            intraday=days_ago(settings.KEEP_INTRADAY_DAYS),
            minutes=days_ago(settings.KEEP_MINUTE_DAYS),
            runs=days_ago(settings.KEEP_RUN_DAYS),
            payloads=days_ago(PAYLOAD_DAYS),
        )


@dataclass(frozen=True, slots=True)
class Removal:
    """What went of one table and account; `owner` is None for what belongs to nobody, as prices do."""

    model: type[models.Model]
    owner: Owner | None
    count: int
    oldest: datetime
    newest: datetime


@dataclass(slots=True)
class Sweep:
    """Counts what goes and, unless it is a dry run, lets it go."""

    dry_run: bool
    removals: dict[tuple[type[models.Model], Owner | None], Removal] = field(default_factory=dict)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Wrap what goes in one transaction, and then let others write; a dry run holds up nobody."""
        if self.dry_run:
            yield
            return
        with transaction.atomic():
            yield
        # Who waits for SQLite looks again every 0.1 seconds and would find it taken again, until it gives up.
        time.sleep(PAUSE_SECONDS)

    def locked(self, rows: models.QuerySet[Any]) -> set[int]:
        """Return the keys of the rows, so that nobody points to one of them from now on; always in the same order."""
        rows = rows.order_by("pk")
        return set((rows if self.dry_run else rows.select_for_update()).values_list("pk", flat=True))

    def take(
        self,
        rows: models.QuerySet[Any],
        *,
        at: str,
        owner: Owner | None = None,
        how: Callable[[models.QuerySet[Any]], object] = models.QuerySet.delete,
    ) -> None:
        """Count rows by their time `at` and delete them, or do with them what `how` says."""
        found = rows.aggregate(count=Count("pk"), oldest=Min(at), newest=Max(at))
        if not found["count"]:
            return
        if not self.dry_run:
            how(rows)
        fresh = Removal(rows.model, owner, **found)
        known = self.removals.get((rows.model, owner), fresh)
        self.removals[rows.model, owner] = replace(
            fresh,
            count=fresh.count + (known.count if known is not fresh else 0),
            oldest=min(fresh.oldest, known.oldest),
            newest=max(fresh.newest, known.newest),
        )


def prune(now: datetime, *, of: Collection[Owner] | None = None, dry_run: bool = False) -> list[Removal]:
    """Delete what is older than the settings say (KEEP_…_DAYS) and return it, counted by table and account.

    A dry run returns the same and changes nothing. `of` restricts it to some accounts; prices and remarks about replies
    belong to none and then stay. May run at any time, also beside a sync, and as often as one likes.
    """
    limits, sweep = Limits.of(now), Sweep(dry_run)
    owners = known_owners() if of is None else of
    for owner in owners:
        gone = thin_snapshots(owner, before=limits.intraday, sweep=sweep)
        drop_runs(owner, before=limits.runs, gone=gone, sweep=sweep)
    if of is None:
        drop_minutes(before=limits.minutes, sweep=sweep)
        clear_payloads(before=limits.payloads, sweep=sweep)
    places: list[Owner | None] = [*owners, None]
    tables = [*TABLES, *(table for table, _ in companions(KisAccount))]
    return sorted(sweep.removals.values(), key=lambda row: (places.index(row.owner), tables.index(row.model)))


def known_owners() -> list[Owner]:
    """Return whoever has snapshots or runs, real money first."""
    columns = ("is_paper", "account_no", "product_code")
    found = {
        row
        for model in (KisAccount, SyncRun)
        for row in model.objects.order_by().values_list(*columns).distinct()
    }
    return [Owner(AccountNumber(number, product), is_paper) for is_paper, number, product in sorted(found)]


def thin_snapshots(owner: Owner, *, before: datetime, sweep: Sweep) -> set[int]:
    """Leave of each day before that moment only its last snapshot; returns the keys of those that go."""
    mine = KisAccount.objects.of(owner.account, is_paper=owner.is_paper).filter(snapshot_at__lt=before)
    seen = mine.order_by("snapshot_at", "pk").values_list("pk", "snapshot_at", "sync_run__status")
    return drop_snapshots(owner, list(surplus(seen)), sweep=sweep)


def thin_refreshes(owner: Owner, *, before: datetime, jobs: Collection[str]) -> None:
    """Delete snapshots before that moment that one of these jobs has made, the last snapshot of each day apart.

    The job of every minute makes hundreds a day; those of the syncs tell enough of a day that is over.
    """
    mine = KisAccount.objects.of(owner.account, is_paper=owner.is_paper).filter(snapshot_at__lt=before)
    made = set(mine.filter(sync_run__job__in=jobs).order_by().values_list("pk", flat=True))
    if not made:
        return
    seen = mine.order_by("snapshot_at", "pk").values_list("pk", "snapshot_at", "sync_run__status")
    drop_snapshots(owner, [key for key in surplus(seen) if key in made], sweep=Sweep(dry_run=False))


def drop_snapshots(owner: Owner, keys: Sequence[int], *, sweep: Sweep) -> set[int]:
    """Delete snapshots with all their rows, those left out that other rows point to; returns the keys of what went."""
    gone: set[int] = set()
    for batch in batches(keys, BATCH):
        with sweep.batch():
            free = sweep.locked(KisAccount.objects.filter(pk__in=batch))
            free -= pointed_at(KisAccount, free, besides=PARTS)
            for part in PARTS:
                free -= pointed_at(part, free, key="kis_account")
            for companion, key in companions(KisAccount):
                sweep.take(
                    companion._base_manager.filter(**{f"{key}__in": free}),  # noqa: SLF001  # Django's own name for it
                    at=f"{key}__snapshot_at",
                    owner=owner,
                )
            for part in PARTS:
                sweep.take(part.objects.filter(kis_account__in=free), at="snapshot_at", owner=owner)
            sweep.take(KisAccount.objects.filter(pk__in=free), at="snapshot_at", owner=owner)
        gone |= free
    return gone


def surplus(seen: Iterable[tuple[int, datetime, str | None]]) -> Iterator[int]:
    """Yield the keys of snapshots that are not the last of their day in Korea, from (key, time, status of its run) in order.

    A run that broke off after its snapshot, in the prices, has left a whole one: what the owner saw that evening. It stays
    beside the last one whose run was complete.
    """
    for _, of_day in groupby(seen, key=lambda row: row[1].astimezone(SEOUL).date()):
        rows = list(of_day)
        complete = [key for key, _, status in rows if status in {None, SyncRun.Status.COMPLETE}]
        kept = {rows[-1][0], *complete[-1:]}
        yield from (key for key, _, _ in rows if key not in kept)


def drop_runs(owner: Owner, *, before: datetime, gone: Collection[int], sweep: Sweep) -> None:
    """Delete runs that began before that moment and have no snapshot left but those in `gone`."""
    mine = SyncRun.objects.of(owner.account, is_paper=owner.is_paper).filter(started_at__lt=before)
    # A run that never ended is for the next run of its job to explain.
    ended = mine.exclude(status=SyncRun.Status.RUNNING).order_by("pk").values_list("pk", flat=True)
    for batch in batches(list(ended), BATCH):
        with sweep.batch():
            free = sweep.locked(SyncRun.objects.filter(pk__in=batch))
            snapshots = KisAccount.objects.filter(sync_run__in=free).order_by()
            free -= {run for key, run in snapshots.values_list("pk", "sync_run") if key not in gone}
            free -= pointed_at(SyncRun, free, besides=[KisAccount])
            sweep.take(SyncRun.objects.filter(pk__in=free), at="started_at", owner=owner)


def drop_minutes(*, before: datetime, sweep: Sweep) -> None:
    """Delete minute bars that began before that moment, the oldest first."""
    old = MinPrice.objects.filter(bar_at__lt=before)
    if sweep.dry_run:
        sweep.take(old, at="bar_at")
        return
    oldest_first = old.order_by("bar_at", "-stock_code")  # min_price_newest, read backwards
    while True:
        with sweep.batch():
            moments = list(oldest_first.select_for_update().values_list("bar_at", flat=True)[:BARS])
            if not moments:
                return
            sweep.take(MinPrice.objects.filter(bar_at__lte=moments[-1]), at="bar_at")


def clear_payloads(*, before: datetime, sweep: Sweep) -> None:
    """Empty the replies that were kept with findings not seen since that moment; the findings stay."""
    old = WireFinding.objects.filter(last_seen__lt=before).exclude(raw_json={})
    sweep.take(old, at="last_seen", how=lambda rows: rows.update(raw_json={}))


def pointed_at(
    model: type[models.Model],
    keys: Collection[int],
    *,
    key: str = "pk",
    besides: Collection[type[models.Model]] = (),
) -> set[int]:
    """Return those `keys` of the model's rows that other tables point to, whichever they are, `besides` some.

    So a table that comes later (a daily summary, say) keeps its snapshots without a word here; one whose rows go with what
    they point to (CASCADE) keeps nothing.
    """
    found: set[int] = set()
    for relation in model._meta.get_fields(include_hidden=True):  # noqa: SLF001  # Django's own name for it
        if not isinstance(relation, ForeignObjectRel) or relation.related_model in besides:
            continue
        if goes_along(relation):
            continue
        path = f"{relation.field.name}__{key}"
        pointing = relation.related_model._base_manager.filter(**{f"{path}__in": keys})  # noqa: SLF001  # as above
        found.update(pointing.values_list(path, flat=True))
    return found


def companions(model: type[models.Model]) -> list[tuple[type[models.Model], str]]:
    """Return the tables of other rooms whose rows go with a row of this one, and the column that points to it."""
    return [
        (relation.related_model, relation.field.name)
        for relation in model._meta.get_fields(include_hidden=True)  # noqa: SLF001  # Django's own name for it
        if isinstance(relation, ForeignObjectRel) and goes_along(relation)
    ]


def goes_along(relation: ForeignObjectRel) -> bool:
    return relation.on_delete is models.CASCADE


def batches(keys: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Cut a sequence into pieces of at most so many."""
    for first in range(0, len(keys), size):
        yield keys[first : first + size]
