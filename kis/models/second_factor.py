"""What somebody has besides a password: an app that counts codes, and recovery codes for the day it is lost."""

import re
from base64 import b32decode
from binascii import Error as NotBase32
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from kis.encryption import decrypt

STEP_SECONDS, DIGITS = 30, 6
#: Steps that a telephone's clock may be off, either way.
TOLERANCE = 1
APP_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")
RECOVERY_CODE = re.compile(r"[A-Z2-7]{16}")


class SecondFactor(ThrottlingMixin, Device):  # type: ignore[misc]  # comes without types
    """The app of one user (TOTP): one that counts, and beside it at most one that is being set up.

    Written by `kis.second_factor`. The secret is encrypted like the keys of the broker, recovery codes are hashes, and a
    code that was taken once is not taken again. After a wrong one the next has to wait, each time twice as long.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name="사용자", related_name="second_factors"
    )
    name = models.CharField("이름", max_length=64, default="인증 앱", editable=False)
    confirmed = models.BooleanField("등록 완료", default=False, editable=False)
    secret_encrypted = models.TextField("비밀 값 (암호문)", editable=False)
    last_step = models.BigIntegerField("마지막 코드의 시간 단위", default=-1, editable=False)
    created_at = models.DateTimeField("등록 시작", auto_now_add=True)
    confirmed_at = models.DateTimeField("등록", null=True, editable=False)
    used_at = models.DateTimeField("마지막 사용", null=True, editable=False)
    throttling_failure_timestamp = models.DateTimeField("마지막 실패", null=True, editable=False)
    throttling_failure_count = models.PositiveIntegerField("연속 실패", default=0, editable=False)

    class Meta:
        db_table = "kis_second_factor"
        verbose_name = "두 번째 인증"
        verbose_name_plural = "두 번째 인증"
        ordering = ["user", "-confirmed"]
        constraints = [
            models.UniqueConstraint(fields=["user", "confirmed"], name="kis_second_factor_once"),
            models.CheckConstraint(
                condition=Q(confirmed=False) | Q(confirmed_at__isnull=False), name="kis_second_factor_since"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.name}"

    def get_throttle_factor(self) -> float:
        return 1.0

    @property
    def secret(self) -> str:
        """The secret in base32, as apps take it. Raises SecretUnreadable."""
        return decrypt(self.secret_encrypted)

    def verify_token(self, token: str) -> bool:
        """Return whether a code of the app or a recovery code is right, and use it up; wrong ones are counted.

        To be called on a row that is locked, as `django_otp.verify_token` does. Raises SecretUnreadable.
        """
        allowed, _ = self.verify_is_allowed()
        if not allowed:
            return False
        typed = "".join(token.split()).replace("-", "").upper()
        matches = self.kind_of(typed)
        if matches is None or not matches(typed):
            self.throttle_increment(commit=True)
            return False
        self.throttle_reset(commit=False)
        self.used_at = timezone.now()
        self.save()
        return True

    def kind_of(self, typed: str) -> Callable[[str], bool] | None:
        if APP_CODE.fullmatch(typed):
            return self.is_of_app
        return self.is_recovery if RECOVERY_CODE.fullmatch(typed) else None

    def is_of_app(self, typed: str) -> bool:
        try:
            key = b32decode(self.secret)
        except NotBase32:
            return False
        app = TOTP(key, STEP_SECONDS, digits=DIGITS)
        app.time = timezone.now().timestamp()
        if not app.verify(int(typed), TOLERANCE, min_t=self.last_step + 1):
            return False
        self.last_step = app.t()
        return True

    def is_recovery(self, typed: str) -> bool:
        unused: Any = self.recovery_codes.filter(digest=digest_of(typed), used_at__isnull=True)
        return bool(unused.update(used_at=timezone.now()))


class RecoveryCode(models.Model):
    """A code that stands in for the app once. Its hash needs no salt: the codes are 80 random bits."""

    factor = models.ForeignKey(
        SecondFactor, models.CASCADE, verbose_name="두 번째 인증", related_name="recovery_codes"
    )
    digest = models.CharField("지문", max_length=64, unique=True, editable=False)
    used_at = models.DateTimeField("사용", null=True, editable=False)

    class Meta:
        db_table = "kis_recovery_code"
        verbose_name = "복구 코드"
        verbose_name_plural = "복구 코드"

    def __str__(self) -> str:
        return "쓴 복구 코드" if self.used_at else "복구 코드"


def digest_of(code: str) -> str:
    """Return what is kept of a recovery code, written without its hyphens."""
    return sha256(code.encode()).hexdigest()
