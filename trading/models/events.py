"""What happened to orders, one row a step, chained by hashes."""

from django.db import models

from trading.models.orders import PendingOrder


class OrderEvent(models.Model):
    """One step of an order, or of the kill switch (`order` empty). Rows are only ever added: triggers refuse the rest.

    `digest` covers the content of the row and the digest of the row before (see `trading.audit`).
    """

    #: Leads to the account of a step (see `kis.access`); those of the switch are of none, and for superusers.
    ACCOUNT_WAY = "order__"

    number = models.BigIntegerField("번호", unique=True)
    order = models.ForeignKey(
        PendingOrder, verbose_name="주문 요청", null=True, on_delete=models.PROTECT, related_name="events"
    )
    at = models.DateTimeField("시각")
    what = models.CharField("일", max_length=30)
    old_status = models.CharField("이전 상태", max_length=10, blank=True)
    new_status = models.CharField("새 상태", max_length=10, blank=True)
    detail = models.JSONField("내용", default=dict, blank=True)
    previous_digest = models.CharField("이전 지문", max_length=64, unique=True)
    digest = models.CharField("지문", max_length=64, unique=True)

    class Meta:
        db_table = "trading_order_event"
        verbose_name = "주문 이력"
        verbose_name_plural = "주문 이력"
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.number} {self.what}"


class AuditHead(models.Model):
    """The last event, in one row: whoever adds an event locks it, and a chain that was cut off does not fit it."""

    number = models.BigIntegerField("번호", default=0)
    digest = models.CharField("지문", max_length=64)

    class Meta:
        db_table = "trading_audit_head"
        verbose_name = "이력의 끝"
        verbose_name_plural = "이력의 끝"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="trading_audit_head_single")]

    def __str__(self) -> str:
        return f"{self.number} {self.digest[:12]}"
