"""What the broker sends otherwise than documented."""

from django.db import models
from django.db.models import F, Q


class WireFinding(models.Model):
    """A field of the broker's replies that is not as documented; seen again, it only counts on (see `kis.drift`).

    `section` is empty for the body itself. Times are real time, also where a simulator plays another day.
    """

    class Kind(models.TextChoices):
        UNKNOWN = "unknown", "모르는 항목"
        MISSING = "missing", "없어진 항목"
        RETYPED = "retyped", "모양이 다른 항목"

    is_paper = models.BooleanField("모의투자")
    tr = models.CharField("TR", max_length=20)
    section = models.CharField("구역", max_length=20, blank=True, help_text="비어 있으면 응답 전체")
    field = models.CharField("항목", max_length=60)
    kind = models.CharField("종류", max_length=10, choices=Kind.choices)
    example = models.CharField("본 모양", max_length=60, help_text="값이 아니라 값의 모양")
    times = models.PositiveIntegerField("횟수", default=0)
    first_seen = models.DateTimeField("처음")
    last_seen = models.DateTimeField("마지막")
    raw_json = models.JSONField(
        "원본", default=dict, blank=True, help_text="마지막으로 본 응답. 계좌번호와 사람에 관한 것은 지움"
    )

    class Meta:
        db_table = "kis_wire_finding"
        verbose_name = "응답 변화"
        verbose_name_plural = "응답 변화"
        ordering = ["-last_seen", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_paper", "tr", "section", "field", "kind"], name="kis_wire_finding_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["unknown", "missing", "retyped"]), name="kis_wire_finding_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(last_seen__gte=F("first_seen")), name="kis_wire_finding_seen_in_order"
            ),
        ]
        indexes = [
            models.Index(fields=["-last_seen", "-id"], name="kis_wire_finding_newest")
        ]  # admin list, doctor

    def __str__(self) -> str:
        return f"{self.tr} {self.place} {self.get_kind_display()}"

    @property
    def place(self) -> str:
        return f"{self.section}.{self.field}" if self.section else self.field
