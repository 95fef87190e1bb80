"""The second factor of a sign-in: set up, asked for, taken away; and how long ago a password was typed."""

import logging
import secrets
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import quote, urlencode

import django_otp
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from kis.encryption import encrypt
from kis.known_secrets import remember
from kis.models import RecoveryCode, SecondFactor
from kis.models.second_factor import digest_of

logger = logging.getLogger(__name__)

#: What an app shows its codes under.
ISSUER = "AEGIS"
SECRET_BYTES, RECOVERY_BYTES, RECOVERY_CODES = 20, 10, 10
#: How long a typed password of the site counts for what takes a fresh one.
FRESH_FOR = timedelta(minutes=5)
#: Kept in the session: when a password was last typed.
PASSWORD_AT = "aegis_password_at"  # noqa: S105  # the name of a key
Somebody = AbstractBaseUser | AnonymousUser


# --- what a session has shown ----------------------------------------------------------------------------------------


def note_sign_in(sender: Any, request: HttpRequest, **signal: Any) -> None:  # noqa: ANN401, ARG001  # as signals are sent
    """Begin a session: its password was typed now."""
    note_password(request.session, at=timezone.now())


def note_password(session: SessionBase, *, at: datetime) -> None:
    session[PASSWORD_AT] = at.timestamp()


def owes_second_factor(request: HttpRequest) -> bool:
    """Return whether a session is signed in by half: with a password, but without the code its user has set up.

    It is asked for now, not when the session began: sessions of before a factor was set up owe it, too.
    """
    return not is_verified(request) and factor_of(request.user) is not None


def is_verified(request: HttpRequest) -> bool:
    """Return whether this session has shown the second factor, and its user still has it."""
    device: Any = getattr(request.user, "otp_device", None)  # from the middleware of django-otp
    return device is not None


def is_fresh(request: HttpRequest, *, at: datetime) -> bool:
    """Return whether the password of the site was typed in this session a short while ago."""
    typed_at = request.session.get(PASSWORD_AT)
    if typed_at is None:
        return False
    return timedelta(0) <= at - datetime.fromtimestamp(typed_at, UTC) <= FRESH_FOR


def retype_password(request: HttpRequest, given: str, *, at: datetime) -> bool:
    """Compare the password of who is signed in, counted like a sign-in; the session goes on under another key."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101  # strangers do not come here
    if authenticate(request, username=user.get_username(), password=given) is None:
        return False
    AxesProxyHandler.user_logged_in(User, request, user)  # forgets the tries; it is no new sign-in
    request.session.cycle_key()
    note_password(request.session, at=at)
    return True


# --- codes -----------------------------------------------------------------------------------------------------------


def factor_of(user: Somebody) -> SecondFactor | None:
    """Return the second factor that counts for a user."""
    return SecondFactor.objects.filter(user_id=user.pk, confirmed=True).first() if user.pk else None


def started_of(user: Somebody) -> SecondFactor | None:
    """Return the one that a user is setting up."""
    return SecondFactor.objects.filter(user_id=user.pk, confirmed=False).first() if user.pk else None


def seconds_to_wait(factor: SecondFactor) -> int:
    """Return in how many seconds the next code will be looked at; 0 for at once."""
    allowed, why = factor.verify_is_allowed()
    if allowed:
        return 0
    until: datetime = why["locked_until"]
    return max(1, ceil((until - timezone.now()).total_seconds()))


def show_code(request: HttpRequest, factor: SecondFactor, given: str) -> bool:
    """Compare a code, and let the session go on as one that has shown its second factor. Raises SecretUnreadable."""
    device = django_otp.verify_token(request.user, factor.persistent_id, given)
    if device is None:
        return False
    hold_for_verified(request, device)
    return True


def hold_for_verified(request: HttpRequest, factor: SecondFactor) -> None:
    """Note in the session that its user has shown the factor; under another key, so that nobody holds the old one."""
    request.session.cycle_key()
    django_otp.login(request, factor)


# --- setting it up ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A factor that counts from now on, and the recovery codes, which are nowhere else."""

    factor: SecondFactor
    recovery_codes: Sequence[str] = field(repr=False)


def start(user: User) -> SecondFactor:
    """Begin to set up a factor with a new secret; the one that counts stays until the new one has shown a code."""
    secret = b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    remember(secret)
    fresh = {"secret_encrypted": encrypt(secret), "last_step": -1, "throttling_failure_count": 0}
    started: SecondFactor
    started, _ = SecondFactor.objects.update_or_create(user=user, confirmed=False, defaults=fresh)
    return started


def finish(request: HttpRequest, started: SecondFactor, given: str) -> Enrolled | None:
    """Let a factor count that has shown a right code, in place of the one before; None for a wrong code."""
    with transaction.atomic():
        if django_otp.verify_token(request.user, started.persistent_id, given) is None:
            return None
        SecondFactor.objects.filter(user_id=started.user_id, confirmed=True).delete()
        factor = SecondFactor.objects.get(pk=started.pk)
        factor.confirmed, factor.confirmed_at = True, timezone.now()
        factor.save(update_fields=["confirmed", "confirmed_at"])
        codes = new_recovery_codes(factor)
    logger.warning("User %s has set up a second factor", factor.user_id)
    hold_for_verified(request, factor)
    return Enrolled(factor, codes)


def new_recovery_codes(factor: SecondFactor) -> Sequence[str]:
    """Replace the recovery codes of a factor, and return the new ones to be shown once."""
    codes = [b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        factor.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(factor=factor, digest=digest_of(code)) for code in codes
        )
    shown = [in_groups(code, "-") for code in codes]
    remember(*codes, *shown)
    return shown


def recovery_codes_left(factor: SecondFactor) -> int:
    return RecoveryCode.objects.filter(factor=factor, used_at__isnull=True).count()


def remove(user: User) -> bool:
    """Take the second factor of a user away, with its recovery codes; returns whether there was one."""
    deleted, _ = SecondFactor.objects.filter(user=user).delete()
    if deleted:
        logger.warning("The second factor of user %s was taken away", user.pk)
    return bool(deleted)


def address_of(factor: SecondFactor) -> str:
    """Return what the QR code says to an app. Raises SecretUnreadable."""
    label = quote(f"{ISSUER}:{factor.user.get_username()}", safe=":")
    query = urlencode({"secret": factor.secret, "issuer": ISSUER})
    return f"otpauth://totp/{label}?{query}"


def in_groups(text: str, between: str = " ") -> str:
    """Write a secret so that it can be typed: `ABCD EFGH`."""
    return between.join(text[first : first + 4] for first in range(0, len(text), 4))
