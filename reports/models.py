"""What became of each report that was written: the table of published files."""

from django.db import models
from django.db.models import Q

from kis.models.owned import OwnedQuerySet


class PublishedReportQuerySet(OwnedQuerySet["PublishedReport"]):
    def sent_to(self, target: str) -> "PublishedReportQuerySet":
        """Keep what was to go to a target, whatever became of it, the newest first."""
        return self.filter(target=target).order_by("-published_at", "-id")


class PublishedReport(models.Model):
    """One file: what it shows, and whether it has reached the folder it is sent to."""

    class Privacy(models.TextChoices):
        FULL = "full", "전체"
        MASKED = "masked", "금액 가림"
        PERCENT = "percent", "비율만"

    class Status(models.TextChoices):
        WRITTEN = "written", "이 컴퓨터에만"
        SENDING = "sending", "보내는 중"
        SENT = "sent", "보냄"
        FAILED = "failed", "못 보냄"

    class Method(models.TextChoices):
        RSYNC = "rsync", "rsync"
        COPY = "copy", "복사"

    published_at = models.DateTimeField("만든 시각")
    file_name = models.CharField("파일", max_length=255)
    account_no = models.CharField("계좌번호", max_length=20)
    product_code = models.CharField("상품코드", max_length=2)
    is_paper = models.BooleanField("모의투자")
    as_of = models.DateTimeField("자료 기준")
    # Not a key of that table: a file stays a fact when its snapshot has been pruned.
    snapshot = models.BigIntegerField(
        "스냅샷", null=True, blank=True, help_text="증권사에서 바로 조회한 것은 스냅샷이 없습니다"
    )
    privacy = models.CharField("공개 범위", max_length=10, choices=Privacy.choices, default=Privacy.FULL)
    is_encrypted = models.BooleanField("암호", default=False)
    size = models.BigIntegerField("크기", help_text="바이트")
    sha256 = models.CharField("SHA-256", max_length=64)
    target = models.CharField("보낼 곳", max_length=500, blank=True)
    mount = models.CharField("드라이브", max_length=500, blank=True, help_text="보낼 곳이 연결된 자리")
    method = models.CharField("방법", max_length=10, choices=Method.choices, blank=True)
    status = models.CharField("결과", max_length=10, choices=Status.choices, default=Status.WRITTEN)
    sent_bytes = models.BigIntegerField("보낸 크기", default=0)
    seconds = models.FloatField("걸린 시간(초)", null=True, blank=True)
    reason = models.CharField("이유", max_length=300, blank=True)

    objects = PublishedReportQuerySet.as_manager()

    class Meta:
        db_table = "published_report"
        verbose_name = "만든 리포트"
        verbose_name_plural = "만든 리포트"
        ordering = ["-published_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["written", "sending", "sent", "failed"]),
                name="published_report_status_known",
            ),
            models.CheckConstraint(
                condition=Q(privacy__in=["full", "masked", "percent"]), name="published_report_privacy_known"
            ),
            models.CheckConstraint(
                condition=Q(status="written", target="") | (~Q(status="written") & ~Q(target="")),
                name="published_report_target_of_sent",
            ),
            models.CheckConstraint(
                condition=~Q(status="failed") | ~Q(reason=""), name="published_report_failure_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(size__gt=0, sent_bytes__gte=0), name="published_report_has_size"
            ),
        ]
        indexes = [
            models.Index(fields=["-published_at", "-id"], name="published_report_newest"),  # admin list
            # The last delivery to a target: before every one, and in the doctor.
            models.Index(fields=["target", "-published_at", "-id"], name="published_report_target"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} {self.get_status_display()}"
