"""The trading password: kept as an Argon2 hash, counted before it is compared."""

from datetime import datetime, timedelta

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, is_password_usable
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q

from trading import audit
from trading.errors import PasswordLocked, PasswordMissing, PasswordUnfit, WrongPassword
from trading.models import TradingPassword

MOST_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
SHORTEST = 8


def set_password(new: str, *, at: datetime) -> None:
    """Set the trading password. Raises PasswordUnfit for one that is easy to guess."""
    if len(new) < SHORTEST:
        raise PasswordUnfit(f"거래 비밀번호는 {SHORTEST}자 이상이어야 합니다.")
    try:
        validate_password(new)
    except ValidationError as error:
        raise PasswordUnfit(" ".join(error.messages)) from None
    hasher = Argon2PasswordHasher()
    values = {"password_hash": hasher.encode(new, hasher.salt()), "failures": 0, "locked_until": None}
    with transaction.atomic(durable=True):
        TradingPassword.objects.update_or_create(pk=1, defaults={**values, "changed_at": at})
        audit.record("password_set", at=at)


def is_set() -> bool:
    return TradingPassword.objects.filter(pk=1).exists()


def check(given: str, *, at: datetime) -> None:
    """Return if this is the trading password. Raises WrongPassword, PasswordLocked or PasswordMissing."""
    if not matches(given, at=at):
        raise WrongPassword


def refuse_if_locked(*, at: datetime) -> None:
    """Raise PasswordLocked or PasswordMissing where no password would be compared."""
    row = TradingPassword.objects.filter(pk=1).first()
    if row is None:
        raise PasswordMissing
    if row.locked_until and row.locked_until > at:
        raise PasswordLocked(minutes_until(row.locked_until, at=at))


def minutes_until(end: datetime, *, at: datetime) -> int:
    return max(-(-(end - at) // timedelta(minutes=1)), 1)


def matches(given: str, *, at: datetime) -> bool:
    """Compare a password, having counted the try first. Raises PasswordLocked or PasswordMissing."""
    open_rows = TradingPassword.objects.filter(Q(locked_until__isnull=True) | Q(locked_until__lte=at), pk=1)
    with transaction.atomic(durable=True):
        # A lock that is over gives all tries back.
        open_rows.filter(failures__gte=MOST_FAILURES).update(failures=0, locked_until=None)
        counted = open_rows.filter(failures__lt=MOST_FAILURES).update(failures=F("failures") + 1)
        if counted:
            open_rows.filter(failures__gte=MOST_FAILURES).update(locked_until=at + LOCKED_FOR)
    row = TradingPassword.objects.filter(pk=1).first()
    if row is None:
        raise PasswordMissing
    if not counted:
        raise PasswordLocked(minutes_until(row.locked_until or at, at=at))
    right = is_password_usable(row.password_hash) and check_password(given, row.password_hash)
    if right:
        TradingPassword.objects.filter(pk=1).update(failures=0, locked_until=None)
    return right
