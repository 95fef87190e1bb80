"""Who listens to the broker's websocket: one process per app key, because the broker allows one connection."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.utils import timezone

from kis.client.errors import KisError
from kis.models import FeedLease
from kis.reconnecting import AWAY

#: Whoever has not said anything for so long is dead; by real time, whatever day a simulator plays.
LEASE = timedelta(seconds=90)
RENEW_SECONDS = 20.0


class FollowedElsewhere(KisError):
    """Another process listens with this app key; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("다른 프로세스가 이 앱키로 이미 체결통보를 받고 있습니다.")


class Lease:
    """The lease of one app key, held by one process."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self.holder = secrets.token_hex(8)

    def take(self, *, now: datetime) -> bool:
        """Take the lease, or prolong it; false while somebody alive has it, or once somebody has taken it over."""
        FeedLease.objects.get_or_create(key_id=self.key_id, defaults={"lease_until": now})
        of_key = FeedLease.objects.filter(key_id=self.key_id)
        mine, free = of_key.filter(holder=self.holder), of_key.filter(lease_until__lte=now)
        changes = {"holder": self.holder, "lease_until": now + LEASE}
        return bool(mine.update(**changes) or free.update(**changes))

    def give_back(self, *, now: datetime) -> None:
        FeedLease.objects.filter(key_id=self.key_id, holder=self.holder).update(lease_until=now)


@contextmanager
def feed_lease(key_id: str) -> Iterator[Lease]:
    """Hold the lease of an app key. Raises FollowedElsewhere; whoever holds it renews it in time."""
    lease = Lease(key_id)
    if not lease.take(now=timezone.now()):
        raise FollowedElsewhere
    try:
        yield lease
    finally:
        give_back_if_possible(lease)


def give_back_if_possible(lease: Lease) -> None:
    """Give the lease back; without a database it ends by itself."""
    try:
        lease.give_back(now=timezone.now())
    except AWAY:
        return
