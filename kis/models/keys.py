"""What all processes share about an app key of the broker."""

from django.db import models
from django.db.models.functions import Now


class AccessToken(models.Model):
    """The broker's access token of one app key, encrypted, shared by all processes (see `kis.stores`).

    Each new token messages the owner's phone and only one a minute is given out, so `issuing_until` lets a single
    process ask while the others wait for its answer.
    """

    key_id = models.CharField("앱키 지문", max_length=64, unique=True)
    token_encrypted = models.TextField("토큰 (암호문)", blank=True)
    expires_at = models.DateTimeField("만료", null=True, blank=True)
    generation = models.PositiveIntegerField("발급 차수", default=0)
    issuing_until = models.DateTimeField("발급 중", null=True, blank=True)

    class Meta:
        db_table = "kis_access_token"
        verbose_name = "접근 토큰"
        verbose_name_plural = "접근 토큰"

    def __str__(self) -> str:
        return f"토큰 {self.key_id[:8]} {self.generation}차"


class RateBudget(models.Model):
    """When the next call of one app key may leave, by the database's clock (see `kis.rate_budget`)."""

    key_id = models.CharField("앱키 지문", max_length=64, unique=True)
    next_at = models.DateTimeField("다음 호출", db_default=Now())
    refused_at = models.DateTimeField("마지막 초과", null=True, blank=True, help_text="EGW00201")

    class Meta:
        db_table = "kis_rate_budget"
        verbose_name = "호출 한도"
        verbose_name_plural = "호출 한도"

    def __str__(self) -> str:
        return f"호출 한도 {self.key_id[:8]}"


class FeedLease(models.Model):
    """Which process listens to the websocket with an app key, and until when it is taken to be alive (`kis.feed_lease`)."""

    key_id = models.CharField("앱키 지문", max_length=64, unique=True)
    holder = models.CharField("받는 곳", max_length=32, blank=True)
    lease_until = models.DateTimeField("임대 끝")

    class Meta:
        db_table = "kis_feed_lease"
        verbose_name = "실시간 연결"
        verbose_name_plural = "실시간 연결"

    def __str__(self) -> str:
        return f"실시간 연결 {self.key_id[:8]}"
