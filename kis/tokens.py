"""Make tokens for the API, and note that they are used."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q

from kis.known_secrets import remember
from kis.models import ApiToken

DAYS, MOST_DAYS = 90, 365
#: How precisely the last use is known; a write for each call would cost more than the call.
USE_PRECISION = timedelta(minutes=1)


def create_token(user: User, *, name: str, scope: str, days: int = DAYS) -> tuple[ApiToken, str]:
    """Return a new token and its text, which is nowhere else: whoever shows it shows it once."""
    row, text = ApiToken.objects.create(user, expiry=timedelta(days=days), name=name, scope=scope)
    remember(text)
    return row, text


def note_use(token: ApiToken, *, at: datetime) -> None:
    stale = Q(used_at__isnull=True) | Q(used_at__lte=at - USE_PRECISION)
    ApiToken.objects.filter(stale, pk=token.pk).update(used_at=at)
