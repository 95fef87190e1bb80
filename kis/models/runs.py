"""One row per run of a job: when, for which account, how it ended, what differed."""

from django.db import models
from django.db.models import F, Q

from kis.models.owned import OwnedQuerySet

#: The job that prints the dashboard straight from the broker: its runs copy nothing into the books.
PRINTING = "aegis_10min_kis_dashboard"


class SyncRunQuerySet(OwnedQuerySet["SyncRun"]):
    def copying(self) -> "SyncRunQuerySet":
        """Keep runs that copy the account into the books."""
        return self.exclude(job=PRINTING)

    def agreeing(self) -> "SyncRunQuerySet":
        """Keep runs whose books were compared with the broker's without a difference."""
        return self.filter(differences=0).exclude(checks=[])

    def differing(self) -> "SyncRunQuerySet":
        return self.filter(differences__gt=0)

    def not_compared(self) -> "SyncRunQuerySet":
        """Keep runs that ended before there was anything to compare, or are not there yet."""
        return self.filter(checks=[])


class SyncRun(models.Model):
    """A run of a job. `slot` is the tick it stands for; a run started by hand has none."""

    class Status(models.TextChoices):
        RUNNING = "running", "진행 중"
        COMPLETE = "complete", "완료"
        FAILED = "failed", "실패"
        QUARANTINED = "quarantined", "격리"
        ABANDONED = "abandoned", "중단됨"

    job = models.CharField("작업", max_length=40)
    slot = models.DateTimeField("예정 시각", null=True, blank=True)
    account_no = models.CharField("계좌번호", max_length=20)
    product_code = models.CharField("상품코드", max_length=2, help_text="ACNT_PRDT_CD")
    is_paper = models.BooleanField("모의투자")
    started_at = models.DateTimeField("시작")
    finished_at = models.DateTimeField("끝", null=True, blank=True)
    lease_until = models.DateTimeField("임대 끝", null=True, blank=True)
    status = models.CharField("상태", max_length=12, choices=Status.choices, default=Status.RUNNING)
    requests = models.PositiveIntegerField("요청 수", default=0)
    rate_limited = models.PositiveIntegerField("제한 거절 수", default=0)
    steps = models.JSONField("단계", default=list, blank=True, help_text="단계마다 이름, TR, 건수, 걸린 초")
    checks = models.JSONField(
        "대사", default=list, blank=True, help_text="항목마다 우리 합계, 증권사 값, 차이(원)"
    )
    differences = models.PositiveIntegerField("차이 수", default=0)
    error = models.TextField("오류", blank=True)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        db_table = "kis_sync_run"
        verbose_name = "동기화 기록"
        verbose_name_plural = "동기화 기록"
        ordering = ["-started_at", "-id"]
        constraints = [
            # A slot runs once for an account, however many workers fire it; runs by hand (slot NULL) never collide.
            models.UniqueConstraint(
                fields=["job", "slot", "account_no", "is_paper", "product_code"],
                name="kis_sync_run_slot_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["running", "complete", "failed", "quarantined", "abandoned"]),
                name="kis_sync_run_status_known",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(finished_at__gte=F("started_at")),
                name="kis_sync_run_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(status="running") | Q(finished_at__isnull=False),
                name="kis_sync_run_ended_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="kis_sync_run_newest"),  # admin list, API
            # Latest run of an account: status strip, PDF, admin.
            models.Index(
                fields=["account_no", "is_paper", "product_code", "-started_at"], name="kis_sync_run_latest"
            ),
        ]

    def __str__(self) -> str:
        return f"동기화 #{self.pk} {self.get_status_display()}"
