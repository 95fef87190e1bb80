"""Access tokens in the database, encrypted, shared by all processes and asked for by one at a time."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kis.client.auth import Token
from kis.client.errors import KisUnreachable
from kis.encryption import SecretUnreadable, cipher, decrypt, encrypt
from kis.models import AccessToken

#: Longer than the token call may take; a process that dies while asking blocks the others no longer than this.
ISSUING_LEASE = timedelta(seconds=30)
#: What the clocks of two machines may differ by; a claim beyond it was made before a clock was set back.
CLOCK_DIFFERENCE = timedelta(minutes=1)
POLL_SECONDS = 0.2


class DatabaseTokenStore:
    """Tokens in `kis_access_token`. The row is claimed by one conditional UPDATE before the broker is asked."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = timezone.now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.now = now
        self.sleep = sleep

    def current(self, key_id: str) -> Token | None:
        row = AccessToken.objects.filter(key_id=key_id).first()
        return readable(row) if row else None

    def renew(self, key_id: str, *, seen: int, ask: Callable[[], Token]) -> Token:
        """Return a token later than generation `seen`; exactly one process asks the broker for it.

        Raises whatever `ask` raises, KisUnreachable when another process holds the claim too long, and RuntimeError
        inside a transaction: rolled back, it would lose a token the broker gives out once a minute.
        """
        with transaction.atomic(durable=True):
            AccessToken.objects.get_or_create(key_id=key_id)
        # Counted, because a clock may be set back meanwhile.
        for _ in range(int((ISSUING_LEASE.total_seconds() + 5) / POLL_SECONDS)):
            row = AccessToken.objects.get(key_id=key_id)
            stored = readable(row)
            if stored and stored.generation > seen and stored.is_fresh(self.now()):
                return stored
            if self.claim(row):
                return self.ask_and_keep(row, ask)
            self.sleep(POLL_SECONDS)
        raise KisUnreachable("다른 프로세스가 토큰을 받는 중입니다", tr_id="tokenP")

    def claim(self, row: AccessToken) -> bool:
        now = self.now()
        too_far = now + ISSUING_LEASE + CLOCK_DIFFERENCE
        free = Q(issuing_until__isnull=True) | Q(issuing_until__lt=now) | Q(issuing_until__gt=too_far)
        claimed = AccessToken.objects.filter(free, pk=row.pk, generation=row.generation)
        return claimed.update(issuing_until=now + ISSUING_LEASE) == 1

    def ask_and_keep(self, row: AccessToken, ask: Callable[[], Token]) -> Token:
        claimed = AccessToken.objects.filter(pk=row.pk, generation=row.generation)
        try:
            cipher()  # a useless key must show before the broker has given out a token
            token = ask()
        except BaseException:
            claimed.update(issuing_until=None)
            raise
        claimed.update(
            token_encrypted=encrypt(token.value),
            expires_at=token.expires_at,
            generation=row.generation + 1,
            issuing_until=None,
        )
        return Token(token.value, token.expires_at, row.generation + 1)


def readable(row: AccessToken) -> Token | None:
    """Return the stored token, or None where there is none or the key has changed since."""
    if not row.token_encrypted or row.expires_at is None:
        return None
    try:
        value = decrypt(row.token_encrypted)
    except SecretUnreadable:
        return None
    return Token(value, row.expires_at, row.generation)
