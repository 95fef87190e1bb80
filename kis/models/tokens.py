"""Tokens that programs sign in to the API with."""

from django.db import models
from django.db.models import Q
from knox.models import AbstractAuthToken

NAME_LENGTH = 40


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # comes without types
    """A token of one user, kept as its SHA-512 digest; made by `kis.tokens`, which shows it once.

    It can do what its user may do, and of that only what its scope names.
    """

    class Scope(models.TextChoices):
        READ = "read", "조회"
        TRADE = "trade", "조회와 주문"

    name = models.CharField("이름", max_length=NAME_LENGTH, help_text="어디에 쓰는지. 예: 집 서버의 스크립트")
    scope = models.CharField("범위", max_length=5, choices=Scope.choices, default=Scope.READ)
    used_at = models.DateTimeField("마지막 사용", null=True, blank=True, help_text="분 단위로만 적음")

    class Meta:
        db_table = "kis_api_token"
        verbose_name = "API 토큰"
        verbose_name_plural = "API 토큰"
        ordering = ["-created", "digest"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scope__in=["read", "trade"]), name="kis_api_token_scope_known"
            ),
            models.CheckConstraint(condition=Q(expiry__isnull=False), name="kis_api_token_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_scope_display()})"

    @property
    def may_order(self) -> bool:
        return self.scope == self.Scope.TRADE
