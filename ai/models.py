"""What was said about an account, snapshot by snapshot."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Final

from django.db import models
from django.db.models import Q

from ai.providers import Failure
from kis.client.codes import AccountNumber
from kis.korean import SEOUL, masked_account
from kis.models import KisAccount
from kis.models.owned import OwnedQuerySet


class Reason(StrEnum):
    """Why the words are the rules' own although nobody's answer failed."""

    NO_KEY = "no_key"
    SAME = "same"
    TOO_SOON = "too_soon"
    BUDGET = "budget"
    STALE = "stale"
    UNGROUNDED = "ungrounded"
    DIED = "died"


#: Both kinds of reasons, in a word or two for lists.
REASONS: Final[Mapping[str, str]] = {
    Reason.NO_KEY: "키 없음",
    Reason.SAME: "같은 내용의 진단이 있음",
    Reason.TOO_SOON: "물은 지 얼마 안 됨",
    Reason.BUDGET: "하루 토큰 한도",
    Reason.STALE: "오래된 자료",
    Reason.UNGROUNDED: "자료와 맞지 않는 답",
    Reason.DIED: "묻다가 멈춤",
    Failure.NOT_CONFIGURED: "설정 없음",
    Failure.REFUSED_KEY: "키 거절",
    Failure.RATE_LIMITED: "호출 한도 (429)",
    Failure.UNAVAILABLE: "서버 오류 (5xx)",
    Failure.TIMEOUT: "시간 초과",
    Failure.NO_NETWORK: "연결 실패",
    Failure.UNKNOWN_MODEL: "없는 모델",
    Failure.BLOCKED: "차단된 답",
    Failure.EMPTY: "빈 답",
    Failure.TRUNCATED: "잘린 답",
    Failure.NOT_JSON: "읽을 수 없는 답",
    Failure.WRONG_SHAPE: "형식이 다른 답",
    Failure.TOO_LARGE: "너무 긴 답",
    Failure.REDIRECTED: "다른 주소로 넘김",
    Failure.NOT_THE_API: "API가 아닌 답",
    Failure.UNEXPECTED: "예상하지 못한 오류",
}


class DiagnosisQuerySet(OwnedQuerySet["Diagnosis"]):
    def newest_first(self) -> "DiagnosisQuerySet":
        return self.order_by("-written_at", "-id")

    def complete(self) -> "DiagnosisQuerySet":
        return self.filter(status=Diagnosis.Status.COMPLETE)

    def asked(self) -> "DiagnosisQuerySet":
        """Keep those for which a model was asked, whatever came of it."""
        return self.filter(asked_at__isnull=False)


class Diagnosis(models.Model):
    """What rules and model said about a snapshot, or about one stock of it (`focus`).

    There is one per snapshot and content, and a model is asked for it once: whoever turns its row to RUNNING does so.
    It goes with its snapshot. Until a reply has come `tokens_in` is an estimate, so that others see it in the budget.
    """

    class Status(models.TextChoices):
        RULES = "rules", "규칙만"
        RUNNING = "running", "묻는 중"
        COMPLETE = "complete", "완료"
        FAILED = "failed", "실패"

    kis_account = models.ForeignKey(
        # Goes with its snapshot: those that are pruned, and the demo's books, take it along.
        KisAccount,
        models.CASCADE,
        verbose_name="계좌 스냅샷",
        related_name="diagnoses",
    )
    account_no = models.CharField("계좌번호", max_length=20)
    product_code = models.CharField("상품코드", max_length=2)
    is_paper = models.BooleanField("모의투자")
    focus = models.CharField("종목", max_length=10, blank=True, help_text="한 종목을 물었으면 그 코드")
    content_hash = models.CharField("내용", max_length=64, help_text="모델에 알려 준 내용, 시각은 빼고")
    written_at = models.DateTimeField("작성 시각")
    asked_at = models.DateTimeField("물은 시각", null=True, blank=True)
    wait_until = models.DateTimeField("그때까지 기다림", null=True, blank=True)
    status = models.CharField("상태", max_length=10, choices=Status.choices, default=Status.RULES)
    reason = models.CharField("까닭", max_length=20, blank=True, help_text="Reason 또는 Failure")
    note = models.TextField("설명", blank=True, help_text="글이 규칙의 것인 까닭이나, 빠진 것")
    findings = models.JSONField("점검", default=list, blank=True)
    weights = models.JSONField("비중", default=list, blank=True, help_text="종목과 현금의 비중 %")
    points = models.JSONField("진단", default=list, blank=True)
    provider = models.CharField("제공", max_length=30, blank=True)
    model = models.CharField("모델", max_length=80, blank=True)
    tokens_in = models.PositiveIntegerField("물은 토큰", default=0)
    tokens_out = models.PositiveIntegerField("답한 토큰", default=0)
    checked = models.PositiveIntegerField("맞은 숫자", default=0)
    dropped = models.PositiveIntegerField("뺀 문장", default=0)
    request_json = models.JSONField("요청 원본", default=dict, blank=True)
    raw_json = models.JSONField("응답 원본", default=dict, blank=True)

    objects = DiagnosisQuerySet.as_manager()

    class Meta:
        db_table = "ai_diagnosis"
        verbose_name = "AI 진단"
        verbose_name_plural = "AI 진단"
        ordering = ["-written_at", "-id"]
        constraints = [
            # Two workers that look at one snapshot ask once.
            models.UniqueConstraint(fields=["kis_account", "content_hash"], name="ai_diagnosis_once"),
            models.CheckConstraint(
                condition=Q(status__in=["rules", "running", "complete", "failed"]),
                name="ai_diagnosis_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="rules") | Q(asked_at__isnull=False), name="ai_diagnosis_asked_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(status="running") | Q(wait_until__isnull=False),
                name="ai_diagnosis_running_has_end",
            ),
            models.CheckConstraint(
                condition=~Q(status="complete") | Q(reason="") & ~Q(model=""),
                name="ai_diagnosis_complete_has_model",
            ),
            models.CheckConstraint(
                condition=~Q(status="failed") | ~Q(reason="") & ~Q(note=""),
                name="ai_diagnosis_failed_says_why",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-written_at", "-id"], name="ai_diagnosis_newest"),  # admin list, API
            # "The last diagnosis of this account": every page.
            models.Index(
                fields=["account_no", "is_paper", "product_code", "-written_at"], name="ai_diagnosis_latest"
            ),
            # "Words about this content": every page.
            models.Index(fields=["content_hash"], name="ai_diagnosis_content"),
            # The budget of a day.
            models.Index(fields=["asked_at"], condition=Q(asked_at__isnull=False), name="ai_diagnosis_asked"),
        ]

    def __str__(self) -> str:
        return f"{self.masked_no} {self.written_at.astimezone(SEOUL):%Y-%m-%d %H:%M}"

    @property
    def account(self) -> AccountNumber:
        return AccountNumber(self.account_no, self.product_code)

    @property
    def masked_no(self) -> str:
        return masked_account(self.account_no, self.product_code)

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out

    @property
    def reason_text(self) -> str:
        return REASONS.get(self.reason, self.reason)

    @property
    def is_complete(self) -> bool:
        return self.status == self.Status.COMPLETE


class HoldingNote(models.Model):
    """What a model said about one stock in a diagnosis."""

    #: Leads to the account of a note (see `kis.access`).
    ACCOUNT_WAY = "diagnosis__"

    diagnosis = models.ForeignKey(Diagnosis, models.CASCADE, verbose_name="진단", related_name="notes")
    stock_code = models.CharField("종목코드", max_length=10)
    stock_name = models.CharField("종목명", max_length=50)
    text = models.TextField("분석")

    class Meta:
        db_table = "ai_holding_note"
        verbose_name = "종목 분석"
        verbose_name_plural = "종목 분석"
        ordering = ["diagnosis", "id"]
        constraints = [
            # Also the index of "the notes of this diagnosis".
            models.UniqueConstraint(fields=["diagnosis", "stock_code"], name="ai_holding_note_once"),
            models.CheckConstraint(condition=~Q(text=""), name="ai_holding_note_says_something"),
        ]
        indexes: ClassVar = [models.Index(fields=["stock_code", "-diagnosis"], name="ai_holding_note_stock")]

    def __str__(self) -> str:
        return f"{self.stock_name} {self.stock_code}"

    def as_dict(self) -> dict[str, Any]:
        return {"code": self.stock_code, "name": self.stock_name, "text": self.text}
