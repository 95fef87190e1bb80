"""The outbox: what is to be told, where it went, and the owner's own rules for prices and returns."""

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from aegis.alerts.kinds import LABELS, Kind
from kis.korean import masked_account
from kis.models.owned import OwnedQuerySet


class AlertQuerySet(OwnedQuerySet["Alert"]):
    def going_on(self, kind: Kind) -> "AlertQuerySet":
        """Keep what has been told and is not over yet: data that is old, a difference, a job that fails."""
        return self.filter(kind=kind, is_lasting=True, ended_at__isnull=True)


class Alert(models.Model):
    """One thing to tell, once: `dedup_key` names the event, however many processes see it at once.

    `text` is what is sent, as much as NOTIFY_PRIVACY allows; the account is masked in it. Alerts of no account (the kill
    switch) have no number and are for superusers; the others are for those who may see the account. `detail` is what
    later alerts need to know of this one.
    """

    KINDS: ClassVar = [(kind.value, LABELS[kind]) for kind in Kind]

    kind = models.CharField("종류", max_length=12, choices=KINDS)
    dedup_key = models.CharField(
        "이름표", max_length=200, unique=True, help_text="같은 일은 한 번만 알립니다"
    )
    is_urgent = models.BooleanField("긴급", default=False)
    account_no = models.CharField("계좌번호", max_length=20, blank=True)
    product_code = models.CharField("상품코드", max_length=2, blank=True)
    is_paper = models.BooleanField("모의투자", default=False)
    title = models.CharField("제목", max_length=100)
    text = models.TextField("내용", blank=True)
    detail = models.JSONField("자료", default=dict, blank=True)
    created_at = models.DateTimeField("생긴 시각")
    is_lasting = models.BooleanField("이어지는 일", default=False)
    ended_at = models.DateTimeField("끝난 시각", null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        db_table = "alert"
        verbose_name = "알림"
        verbose_name_plural = "알림"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in Kind]), name="alert_kind_known"
            ),
            models.CheckConstraint(condition=~Q(dedup_key="") & ~Q(title=""), name="alert_says_something"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(is_lasting=True), name="alert_ends_if_lasting"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at", "-id"], name="alert_newest"),  # admin list
            # "What is going on": every minute, for each kind.
            models.Index(
                fields=["kind"], condition=Q(is_lasting=True, ended_at__isnull=True), name="alert_going_on"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def masked_no(self) -> str:
        return masked_account(self.account_no, self.product_code) if self.account_no else ""


class AlertDelivery(models.Model):
    """One alert on its way to one destination, which is named by a hash: its address holds a token.

    Claimed by one conditional UPDATE that is committed before anything is sent. A claim that nobody came back from is
    sent again, saying so, a few times at most (see `aegis.alerts.sending`). What a backup brings back is withheld.
    """

    #: Leads to the account of a delivery (see `kis.access`).
    ACCOUNT_WAY = "alert__"

    class Status(models.TextChoices):
        WAITING = "waiting", "기다림"
        SENDING = "sending", "보내는 중"
        SENT = "sent", "보냄"
        FAILED = "failed", "못 보냄"
        UNKNOWN = "unknown", "모름"
        WITHHELD = "withheld", "되살려 보내지 않음"

    alert = models.ForeignKey(Alert, models.CASCADE, verbose_name="알림", related_name="deliveries")
    destination = models.CharField("대상 지문", max_length=16)
    service = models.CharField("대상", max_length=40)
    status = models.CharField("상태", max_length=8, choices=Status.choices, default=Status.WAITING)
    due_at = models.DateTimeField("보낼 시각")
    claim = models.CharField("맡은 표", max_length=32, blank=True, editable=False)
    claimed_at = models.DateTimeField("맡은 시각", null=True, blank=True)
    sent_at = models.DateTimeField("보낸 시각", null=True, blank=True)
    attempts = models.PositiveSmallIntegerField("시도", default=0)
    error = models.CharField("이유", max_length=200, blank=True)

    class Meta:
        db_table = "alert_delivery"
        verbose_name = "알림 보내기"
        verbose_name_plural = "알림 보내기"
        ordering = ["-due_at", "-id"]
        constraints = [
            # Also the index of "where this alert went".
            models.UniqueConstraint(fields=["alert", "destination"], name="alert_delivery_once"),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "sending", "sent", "failed", "unknown", "withheld"]),
                name="alert_delivery_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="sending") | (Q(claimed_at__isnull=False) & ~Q(claim="")),
                name="alert_delivery_claimed",
            ),
            models.CheckConstraint(
                condition=Q(status="sent", sent_at__isnull=False)
                | ~Q(status="sent") & Q(sent_at__isnull=True),
                name="alert_delivery_sent_has_time",
            ),
        ]
        indexes: ClassVar = [
            # What is to be sent: every minute.
            models.Index(
                fields=["destination", "due_at"],
                condition=Q(status__in=["waiting", "sending"]),
                name="alert_delivery_due",
            ),
            models.Index(fields=["-due_at", "-id"], name="alert_delivery_newest"),  # admin list
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.get_status_display()}"


class AlertRule(models.Model):
    """A price or a return at which the owner wants to be told, of one stock or of all that are held."""

    class Measure(models.TextChoices):
        PRICE_UP = "price_up", "현재가가 이 값 이상 (원)"
        PRICE_DOWN = "price_down", "현재가가 이 값 이하 (원)"
        DAY_UP = "day_up", "전일 대비 이만큼 이상 상승 (%)"
        DAY_DOWN = "day_down", "전일 대비 이만큼 이상 하락 (%)"
        RETURN_UP = "return_up", "평가손익률이 이만큼 이상 수익 (%)"
        RETURN_DOWN = "return_down", "평가손익률이 이만큼 이상 손실 (%)"

    stock_code = models.CharField(
        "종목코드", max_length=10, blank=True, help_text="비워 두면 보유한 모든 종목. 예: 005930"
    )
    measure = models.CharField("조건", max_length=12, choices=Measure.choices)
    threshold = models.DecimalField(
        "값",
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text="하락과 손실도 양수로 적습니다. 10% 하락은 10",
    )
    enabled = models.BooleanField("사용", default=True)
    note = models.CharField("메모", max_length=100, blank=True, help_text="알림에 함께 적습니다")
    changed_at = models.DateTimeField("변경", auto_now=True)

    class Meta:
        db_table = "alert_rule"
        verbose_name = "알림 기준"
        verbose_name_plural = "알림 기준"
        ordering = ["stock_code", "measure", "threshold"]
        constraints = [
            models.UniqueConstraint(
                fields=["stock_code", "measure", "threshold"],
                name="alert_rule_once",
                violation_error_message="같은 기준이 이미 있습니다.",
            ),
            models.CheckConstraint(condition=Q(threshold__gt=0), name="alert_rule_threshold_positive"),
            models.CheckConstraint(
                condition=Q(
                    measure__in=["price_up", "price_down", "day_up", "day_down", "return_up", "return_down"]
                ),
                name="alert_rule_measure_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stock_code or '모든 보유 종목'} {self.get_measure_display()} {self.threshold:f}"

    @property
    def is_upward(self) -> bool:
        return self.measure.endswith("_up")

    @property
    def is_of_the_day(self) -> bool:
        return self.measure.startswith("day_")

    @property
    def is_price(self) -> bool:
        return self.measure.startswith("price_")


class AlertWatch(models.Model):
    """Where a rule stands with one stock of one account: told already, and not to be told again before it has come back.

    `threshold` is that of the rule when it was told: a rule that has been changed begins anew.
    """

    rule = models.ForeignKey(AlertRule, models.CASCADE, verbose_name="기준", related_name="watches")
    account_no = models.CharField("계좌번호", max_length=20)
    product_code = models.CharField("상품코드", max_length=2)
    is_paper = models.BooleanField("모의투자")
    stock_code = models.CharField("종목코드", max_length=10)
    threshold = models.DecimalField("값", max_digits=12, decimal_places=2)
    told_on = models.DateField("알린 날")
    is_armed = models.BooleanField("다시 기다림", default=False)

    class Meta:
        db_table = "alert_watch"
        verbose_name = "기준 살피기"
        verbose_name_plural = "기준 살피기"
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "account_no", "is_paper", "product_code", "stock_code"],
                name="alert_watch_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.stock_code}"
