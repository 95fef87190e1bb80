"""What stands between the owner and an order: the switch that stops all of them, and the trading password."""

from django.db import models
from django.db.models import Q


class KillSwitch(models.Model):
    """One row: while it is on, no order leaves; cancellations do (see `trading.kill_switch`)."""

    is_on = models.BooleanField("주문 중지", default=False)
    reason = models.TextField("이유", blank=True)
    changed_at = models.DateTimeField("바뀐 시각")

    class Meta:
        db_table = "trading_kill_switch"
        verbose_name = "주문 중지"
        verbose_name_plural = "주문 중지"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="trading_kill_switch_single")]

    def __str__(self) -> str:
        return "켜짐" if self.is_on else "꺼짐"


class TradingPassword(models.Model):
    """One row: the hash of the trading password (Argon2), and how often it was wrong in a row."""

    password_hash = models.CharField("지문", max_length=256, editable=False)
    failures = models.PositiveIntegerField("연속 실패", default=0)
    locked_until = models.DateTimeField("잠김", null=True, blank=True)
    changed_at = models.DateTimeField("바뀐 시각")

    class Meta:
        db_table = "trading_password"
        verbose_name = "거래 비밀번호"
        verbose_name_plural = "거래 비밀번호"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="trading_password_single")]

    def __str__(self) -> str:
        return "거래 비밀번호"
