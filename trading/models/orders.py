"""Orders of ours, from the preview to what became of them."""

from datetime import date
from typing import Self, cast

from django.conf import settings
from django.db import models
from django.db.models import Q

from kis.client.codes import AccountNumber
from kis.korean import SEOUL, masked_account
from kis.models.books import Side
from kis.models.owned import OwnedQuerySet
from trading.drafts import Exchange
from trading.states import NAMES, UNSETTLED, State

MOST_TRIES = 3
QUEUED = sorted(UNSETTLED)
STATUS_CHOICES = [(state.value, NAMES[state]) for state in State]


class PendingOrderQuerySet(OwnedQuerySet["PendingOrder"]):
    def waiting(self) -> Self:
        """Orders whose code has not been given yet."""
        return self.filter(status=State.PENDING)

    def unsettled(self) -> Self:
        """Orders that may be at the exchange without our knowing their number."""
        return self.filter(status__in=QUEUED)

    def sent(self) -> Self:
        """Orders that are or may be at the broker, whatever became of them there."""
        return self.filter(claimed_at__isnull=False).exclude(
            status__in=[State.REJECTED, State.NOT_SENT, State.NOT_PLACED]
        )


class PendingOrder(models.Model):
    """One intent of the owner. It is sent at most once, and every step of its life is an `OrderEvent`.

    The database holds the rules that must never break: legal steps only (a trigger), one order of an account that is
    SENDING or UNKNOWN, one that waits for its code. Moments of the code are by the wall clock; `market_at` is the moment
    at the exchange, which differs in a simulator. `amount` is in won, what the order may cost or bring.
    """

    class Kind(models.TextChoices):
        ORDER = "order", "주문"
        CANCEL = "cancel", "취소"

    class Source(models.TextChoices):
        TERMINAL = "terminal", "터미널"
        PYTHON = "python", "파이썬"
        SITE = "site", "사이트"
        API = "api", "API"

    account_no = models.CharField("계좌번호", max_length=20)
    product_code = models.CharField("상품코드", max_length=2, help_text="ACNT_PRDT_CD")
    is_paper = models.BooleanField("모의투자")
    kind = models.CharField("종류", max_length=6, choices=Kind.choices, default=Kind.ORDER)
    side = models.CharField("구분", max_length=10, choices=Side.choices)
    stock_code = models.CharField("종목코드", max_length=10)
    stock_name = models.CharField("종목명", max_length=100)
    quantity = models.PositiveIntegerField("수량", help_text="취소는 0: 남은 수량 전부")
    price = models.PositiveIntegerField("가격", help_text="시장가와 취소는 0")
    exchange = models.CharField("거래소", max_length=3, default="KRX")
    origin_branch = models.CharField("원주문 지점번호", max_length=10, blank=True)
    origin_number = models.CharField("원주문번호", max_length=20, blank=True)
    amount = models.BigIntegerField("예상금액", default=0)
    preview = models.JSONField("미리보기", default=dict, help_text="소유자가 코드와 함께 본 것")
    made_at = models.DateTimeField("제안")
    expires_at = models.DateTimeField("코드 만료")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="사용자", null=True, blank=True, on_delete=models.PROTECT
    )
    source = models.CharField("낸 곳", max_length=10, choices=Source.choices)
    code_hash = models.CharField("코드 지문", max_length=64, blank=True, editable=False)
    tries = models.PositiveSmallIntegerField("입력 횟수", default=0)
    status = models.CharField("상태", max_length=10, choices=STATUS_CHOICES, default=State.PENDING)
    claimed_at = models.DateTimeField("보내기 시작", null=True, blank=True)
    market_at = models.DateTimeField("시장 시각", null=True, blank=True)
    known_before = models.JSONField(
        "이전 주문번호", default=list, blank=True, help_text="보내기 직전 증권사에 있던 주문"
    )
    not_ours = models.JSONField(
        "내 주문 아님", default=list, blank=True, help_text="소유자가 아니라고 한 주문"
    )
    closed_looks = models.JSONField(
        "마감 뒤 조회", default=list, blank=True, help_text="이 주문이 없던 완전한 조회"
    )
    ended_at = models.DateTimeField("결과 시각", null=True, blank=True)
    branch = models.CharField("주문채번지점번호", max_length=10, blank=True)
    odno = models.CharField("주문번호", max_length=20, blank=True)
    ord_dt = models.DateField("주문일", null=True, blank=True)
    reason = models.TextField("설명", blank=True)

    objects = PendingOrderQuerySet.as_manager()

    class Meta:
        db_table = "trading_order"
        verbose_name = "주문 요청"
        verbose_name_plural = "주문 요청"
        ordering = ["-made_at", "-id"]
        permissions = [("place_order", "주문을 낼 수 있음")]
        constraints = [
            models.UniqueConstraint(
                fields=["account_no", "product_code", "is_paper"],
                condition=Q(status__in=QUEUED, kind="order"),
                name="trading_order_one_unsettled",
            ),
            models.UniqueConstraint(
                fields=["account_no", "product_code", "is_paper", "origin_branch", "origin_number"],
                condition=Q(status__in=QUEUED, kind="cancel"),
                name="trading_order_one_cancel",
            ),
            # A code without further words can only be that of one order.
            models.UniqueConstraint(
                fields=["account_no", "product_code", "is_paper"],
                condition=Q(status="pending"),
                name="trading_order_one_waiting",
            ),
            # One order of the broker's is that of one intent.
            models.UniqueConstraint(
                fields=["account_no", "product_code", "is_paper", "ord_dt", "branch", "odno"],
                condition=~Q(odno=""),
                name="trading_order_number_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[state.value for state in State]), name="trading_order_status_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="order", quantity__gt=0, origin_number="")
                | (Q(kind="cancel", quantity=0, price=0) & ~Q(origin_number="")),
                name="trading_order_is_order_or_cancel",
            ),
            models.CheckConstraint(condition=Q(side__in=["BUY", "SELL"]), name="trading_order_side_known"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="trading_order_amount_not_negative"),
            models.CheckConstraint(condition=Q(tries__lte=MOST_TRIES), name="trading_order_tries_limited"),
            models.CheckConstraint(
                condition=~Q(status="pending") | (Q(claimed_at__isnull=True) & ~Q(code_hash="")),
                name="trading_order_waits_for_its_code",
            ),
            models.CheckConstraint(
                condition=Q(status="pending") | Q(code_hash=""), name="trading_order_code_used_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "locked", "abandoned", "expired"])
                | Q(claimed_at__isnull=False),
                name="trading_order_claimed_before_sent",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["accepted", "partial", "filled", "cancelled"])
                | (~Q(odno="") & Q(ord_dt__isnull=False)),
                name="trading_order_accepted_has_number",
            ),
        ]
        indexes = [
            # Looked at by every reconciliation, and before every order.
            models.Index(
                fields=["status"],
                condition=Q(status__in=["sending", "unknown", "accepted", "partial"]),
                name="trading_order_needs_work",
            ),
            models.Index(fields=["-made_at", "-id"], name="trading_order_newest"),  # admin list
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.words}"

    @property
    def state(self) -> State:
        return State(self.status)

    @property
    def account(self) -> AccountNumber:
        return AccountNumber(self.account_no, self.product_code)

    @property
    def market_day(self) -> date | None:
        """The day at the exchange on which it was sent."""
        return self.market_at.astimezone(SEOUL).date() if self.market_at else None

    @property
    def wire_exchange(self) -> Exchange:
        return cast("Exchange", self.exchange)

    @property
    def masked_account(self) -> str:
        return masked_account(self.account_no, self.product_code)

    @property
    def is_cancel(self) -> bool:
        return self.kind == self.Kind.CANCEL

    @property
    def words(self) -> str:
        """Say the order in one line: `매수 삼성전자 005930 10주 71,000원`."""
        stock = f"{self.stock_name} {self.stock_code}"
        if self.is_cancel:
            return f"취소 {stock} 주문번호 {self.origin_number.lstrip('0')}"
        price = f"{self.price:,}원" if self.price else "시장가"
        return f"{Side(self.side).label} {stock} {self.quantity:,}주 {price}"

    @property
    def content(self) -> str:
        """Return everything that the broker will be told, one line; the code is bound to it."""
        return "|".join(
            str(part)
            for part in (
                self.account_no,
                self.product_code,
                "paper" if self.is_paper else "real",
                self.kind,
                self.side,
                self.stock_code,
                self.quantity,
                self.price,
                self.exchange,
                self.origin_branch,
                self.origin_number,
            )
        )
